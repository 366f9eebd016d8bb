//! Program time: days and months as the program's time zone sees them.
//!
//! Instants are UTC everywhere; only holds, months and statements ask for the local calendar.

mod business_hours;
#[cfg(test)]
mod tests;

pub use business_hours::{BusinessHours, BusinessHoursError, TimeOfDay, Weekday};

use std::fmt;
use std::str::FromStr;

use chrono::{
    DateTime, Datelike, Days, LocalResult, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone,
    Utc,
};
use chrono_tz::Tz;
use thiserror::Error;

/// The time zone of a program, by its IANA name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProgramZone(Tz);

/// A month of the local calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct YearMonth {
    year: i32,
    month: u32,
}

/// A span of time that includes its beginning and not its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    /// The first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub to: DateTime<Utc>,
}

/// Why a text is no zone or no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TimeError {
    /// The name is no IANA time zone.
    #[error("unknown time zone")]
    UnknownZone,
    /// The text is no month such as `2026-03`, or the year is not from 1 to 9999.
    #[error("expected a month such as 2026-03")]
    NotAMonth,
}

/// The instant at which a commission of a payment is released from its hold.
///
/// Day 0 is the local date of `paid_at`; the release is at 00:00 local time of day 0 + `hold_days`,
/// or at once when there are no days. A date beyond the calendar gives the last instant there is.
pub fn release_at(paid_at: DateTime<Utc>, hold_days: u32, zone: ProgramZone) -> DateTime<Utc> {
    if hold_days == 0 {
        return paid_at;
    }
    local_date(paid_at, zone)
        .checked_add_days(Days::new(u64::from(hold_days)))
        .map_or(DateTime::<Utc>::MAX_UTC, |date| start_of_day(date, zone))
}

/// The instant at which a commission is released whose hold begins with the end of the month of the payment.
///
/// Day 0 is the last local day of the month; the release is at 00:00 local time of day 0 + `hold_days`.
pub fn release_after_month_end(paid_at: DateTime<Utc>, hold_days: u32, zone: ProgramZone) -> DateTime<Utc> {
    let day = local_date(paid_at, zone);
    day.with_day(1)
        .and_then(|first| first.checked_add_months(Months::new(1)))
        .and_then(|next| next.pred_opt())
        .and_then(|last| last.checked_add_days(Days::new(u64::from(hold_days))))
        .map_or(DateTime::<Utc>::MAX_UTC, |date| start_of_day(date, zone))
}

/// The date that a calendar on the wall in the zone shows at the instant.
pub fn local_date(instant: DateTime<Utc>, zone: ProgramZone) -> NaiveDate {
    instant.with_timezone(&zone.0).date_naive()
}

/// The span of a local month.
pub fn month_range(month: YearMonth, zone: ProgramZone) -> Period {
    Period {
        from: start_of_day(month.first_day(), zone),
        to: start_of_day(month.next().first_day(), zone),
    }
}

/// The instant at which a local date begins.
///
/// Where daylight saving removes midnight, the first instant after the gap; where midnight comes
/// twice, the earlier one.
pub fn start_of_day(date: NaiveDate, zone: ProgramZone) -> DateTime<Utc> {
    first_instant_of(date.and_time(NaiveTime::MIN), zone)
}

/// The earliest instant at which a clock on the wall in the zone shows this time, or the end of the gap that it is in.
fn first_instant_of(local: NaiveDateTime, zone: ProgramZone) -> DateTime<Utc> {
    match zone.0.from_local_datetime(&local) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant.with_timezone(&Utc),
        LocalResult::None => end_of_gap(local, zone.0),
    }
}

/// The earliest instant whose local time is at or after a local time that does not exist.
fn end_of_gap(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    // Zones are at most a day from UTC, and one gap is at most a day long: the answer lies within
    // two days, and local time only grows between the two ends.
    let (mut before, mut after) = (
        local.and_utc() - TimeDelta::days(2),
        local.and_utc() + TimeDelta::days(2),
    );
    while after - before > TimeDelta::seconds(1) {
        let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
        if middle.with_timezone(&zone).naive_local() < local {
            before = middle;
        } else {
            after = middle;
        }
    }
    after
}

impl ProgramZone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The IANA name, for example `Europe/Berlin`.
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl fmt::Display for ProgramZone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for ProgramZone {
    type Err = TimeError;

    fn from_str(name: &str) -> Result<Self, TimeError> {
        name.parse().map(Self).map_err(|_| TimeError::UnknownZone)
    }
}

impl YearMonth {
    /// A month of a year from 1 to 9999; months count from 1.
    pub fn new(year: i32, month: u32) -> Result<Self, TimeError> {
        if (1..=9999).contains(&year) && (1..=12).contains(&month) {
            Ok(Self { year, month })
        } else {
            Err(TimeError::NotAMonth)
        }
    }

    /// The local month of an instant.
    pub fn of(instant: DateTime<Utc>, zone: ProgramZone) -> Result<Self, TimeError> {
        let date = local_date(instant, zone);
        Self::new(date.year(), date.month())
    }

    /// The year.
    pub const fn year(self) -> i32 {
        self.year
    }

    /// The month, from 1 to 12.
    pub const fn month(self) -> u32 {
        self.month
    }

    /// The first day of the month.
    pub fn first_day(self) -> NaiveDate {
        // Both parts are checked when the value is made, so that the default is never taken.
        NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or_default()
    }

    /// The month after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self.month {
            12 => Self {
                year: self.year + 1,
                month: 1,
            },
            month => Self {
                year: self.year,
                month: month + 1,
            },
        }
    }
}

impl fmt::Display for YearMonth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for YearMonth {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let (year, month) = text.split_once('-').ok_or(TimeError::NotAMonth)?;
        let number = |part: &str, length: usize| {
            let digits = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
            digits
                .then(|| part.parse::<u32>().ok())
                .flatten()
                .ok_or(TimeError::NotAMonth)
        };
        let year = i32::try_from(number(year, 4)?).map_err(|_| TimeError::NotAMonth)?;
        Self::new(year, number(month, 2)?)
    }
}

impl Period {
    /// Whether the instant lies in the period.
    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        self.from <= instant && instant < self.to
    }

    /// Whether the two periods share an instant.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from.max(other.from) < self.to.min(other.to)
    }
}
