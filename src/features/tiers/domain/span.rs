//! The spans of time in which a tier is earned, by the calendar of the program.

use super::{TierLadder, TierPeriod};
use crate::kernel::time::{Period, ProgramZone, local_date, start_of_day};
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};

/// A span of local days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first day.
    pub starts_on: NaiveDate,
    /// Its last day.
    pub ends_on: NaiveDate,
    /// The same as instants.
    pub period: Period,
}

impl Span {
    /// From a day until the day before another one.
    fn between(starts_on: NaiveDate, next: NaiveDate, zone: ProgramZone) -> Self {
        Self {
            starts_on,
            ends_on: next.pred_opt().unwrap_or(next),
            period: Period {
                from: start_of_day(starts_on, zone),
                to: start_of_day(next, zone),
            },
        }
    }
}

/// The spans in which a tier is earned as of now: the present one first, then the one before it where there is one.
pub fn spans(ladder: &TierLadder, zone: ProgramZone, now: DateTime<Utc>) -> Vec<Span> {
    let today = local_date(now, zone);
    let months = match ladder.period {
        TierPeriod::Month => 1,
        TierPeriod::Quarter => 3,
        TierPeriod::Year => 12,
        TierPeriod::Rolling => {
            let months = ladder.period_months.unwrap_or(12).unsigned_abs();
            let tomorrow = after(today, 1);
            let start = tomorrow.checked_sub_months(Months::new(months)).unwrap_or(today);
            return vec![Span::between(start, tomorrow, zone)];
        }
    };
    let first = today.month0() / months * months + 1;
    let start = NaiveDate::from_ymd_opt(today.year(), first, 1).unwrap_or(today);
    let next = start.checked_add_months(Months::new(months)).unwrap_or(start);
    let before = start.checked_sub_months(Months::new(months)).unwrap_or(start);
    vec![
        Span::between(start, next, zone),
        Span::between(before, start, zone),
    ]
}

/// The instant at which the next local day begins: when an enrollment is reviewed next.
pub fn day_after(now: DateTime<Utc>, zone: ProgramZone) -> DateTime<Utc> {
    start_of_day(after(local_date(now, zone), 1), zone)
}

/// The instant at which a tier falls that is found lost now; at once where there is no grace.
pub fn grace_end(ladder: &TierLadder, zone: ProgramZone, now: DateTime<Utc>) -> DateTime<Utc> {
    match ladder.grace_days {
        0 => now,
        days => start_of_day(after(local_date(now, zone), u64::from(days.unsigned_abs())), zone),
    }
}

/// Until when a tier is left alone that a dispute gave back: until the present period is over, of which a rolling one
/// counts as a month.
pub fn respite_end(ladder: &TierLadder, zone: ProgramZone, now: DateTime<Utc>) -> DateTime<Utc> {
    let period = match ladder.period {
        TierPeriod::Rolling => TierPeriod::Month,
        calendar => calendar,
    };
    let ladder = TierLadder {
        period,
        ..TierLadder::none(ladder.program_id, now)
    };
    let present = spans(&ladder, zone, now).into_iter().next();
    present.map_or_else(|| day_after(now, zone), |span| span.period.to)
}

fn after(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_add_days(Days::new(days)).unwrap_or(date)
}
