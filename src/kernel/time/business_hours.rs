//! Business hours: the time in which a program's people are there, by its zone, working days and holidays.
//!
//! Time is counted as it passes: a day with a change of daylight saving within its hours is an hour shorter or longer.

#[cfg(test)]
mod tests;

use super::{ProgramZone, first_instant_of, local_date};
use crate::kernel::word::word_enum;
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

word_enum! {
    /// A day of the week.
    Weekday, "weekday" {
        /// The first day of the week.
        Monday = "monday",
        /// The second.
        Tuesday = "tuesday",
        /// The third.
        Wednesday = "wednesday",
        /// The fourth.
        Thursday = "thursday",
        /// The fifth.
        Friday = "friday",
        /// The sixth.
        Saturday = "saturday",
        /// The last.
        Sunday = "sunday",
    }
}

impl Weekday {
    /// The weekday of a date.
    pub fn of(date: NaiveDate) -> Self {
        match date.weekday() {
            chrono::Weekday::Mon => Self::Monday,
            chrono::Weekday::Tue => Self::Tuesday,
            chrono::Weekday::Wed => Self::Wednesday,
            chrono::Weekday::Thu => Self::Thursday,
            chrono::Weekday::Fri => Self::Friday,
            chrono::Weekday::Sat => Self::Saturday,
            chrono::Weekday::Sun => Self::Sunday,
        }
    }
}

/// A time that a clock on the wall shows, in minutes after midnight; `24:00` is the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u16);

const MINUTES_OF_A_DAY: u16 = 24 * 60;

impl TimeOfDay {
    /// A time from `00:00` to `24:00`.
    pub fn from_minutes(minutes: u16) -> Option<Self> {
        (minutes <= MINUTES_OF_A_DAY).then_some(Self(minutes))
    }

    /// Minutes after midnight.
    pub const fn minutes(self) -> u16 {
        self.0
    }

    /// The earliest instant of the date at which the clock shows this time.
    fn on(self, date: NaiveDate, zone: ProgramZone) -> Option<DateTime<Utc>> {
        let (date, minutes) = if self.0 == MINUTES_OF_A_DAY {
            (date.succ_opt()?, 0)
        } else {
            (date, u32::from(self.0))
        };
        let time = NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0)?;
        Some(first_instant_of(date.and_time(time), zone))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for TimeOfDay {
    type Err = BusinessHoursError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (hours, minutes) = text.split_once(':')?;
            let number = |part: &str| {
                let is_number = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
                is_number.then(|| part.parse::<u16>().ok()).flatten()
            };
            let (hours, minutes) = (number(hours)?, number(minutes)?);
            (minutes < 60)
                .then(|| Self::from_minutes(hours * 60 + minutes))
                .flatten()
        };
        read().ok_or(BusinessHoursError::NotATime)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why there are no business hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BusinessHoursError {
    /// The text is no time of the day.
    #[error("expected a time from 00:00 to 24:00")]
    NotATime,
    /// No day of the week is a working day.
    #[error("at least one day must be a working day")]
    NoWorkingDay,
    /// The hours end before they begin, or at once.
    #[error("the hours must end after they begin")]
    NoTime,
}

/// When a program's people are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessHours {
    zone: ProgramZone,
    working_days: BTreeSet<Weekday>,
    opens: TimeOfDay,
    closes: TimeOfDay,
    holidays: BTreeSet<NaiveDate>,
}

impl Serialize for BusinessHours {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("BusinessHours", 4)?;
        fields.serialize_field("working_days", &self.working_days)?;
        fields.serialize_field("opens_at", &self.opens)?;
        fields.serialize_field("closes_at", &self.closes)?;
        fields.serialize_field("holidays", &self.holidays)?;
        fields.end()
    }
}

impl BusinessHours {
    /// Hours from `opens` to `closes` on the working days that are no holidays, in the zone.
    pub fn new(
        zone: ProgramZone,
        working_days: BTreeSet<Weekday>,
        opens: TimeOfDay,
        closes: TimeOfDay,
        holidays: BTreeSet<NaiveDate>,
    ) -> Result<Self, BusinessHoursError> {
        if working_days.is_empty() {
            return Err(BusinessHoursError::NoWorkingDay);
        }
        if opens >= closes {
            return Err(BusinessHoursError::NoTime);
        }
        Ok(Self {
            zone,
            working_days,
            opens,
            closes,
            holidays,
        })
    }

    /// Nine to five, Monday to Friday, without holidays.
    pub fn nine_to_five(zone: ProgramZone) -> Self {
        Self {
            zone,
            working_days: Weekday::ALL.iter().take(5).copied().collect(),
            opens: TimeOfDay(9 * 60),
            closes: TimeOfDay(17 * 60),
            holidays: BTreeSet::new(),
        }
    }

    /// The zone of the hours.
    pub const fn zone(&self) -> ProgramZone {
        self.zone
    }

    /// The days of the week that are worked.
    pub const fn working_days(&self) -> &BTreeSet<Weekday> {
        &self.working_days
    }

    /// When a working day begins.
    pub const fn opens(&self) -> TimeOfDay {
        self.opens
    }

    /// When a working day ends.
    pub const fn closes(&self) -> TimeOfDay {
        self.closes
    }

    /// The dates that are not worked.
    pub const fn holidays(&self) -> &BTreeSet<NaiveDate> {
        &self.holidays
    }

    /// The earliest instant by which this much business time has passed since `from`; no time or less gives `from`
    /// itself. A time beyond the calendar gives the last instant there is.
    pub fn add(&self, from: DateTime<Utc>, time: TimeDelta) -> DateTime<Utc> {
        let mut left = time;
        if left <= TimeDelta::zero() {
            return from;
        }
        let mut day = self.day_before(from);
        while let Some(date) = day {
            if let Some((opens, closes)) = self.hours_of(date) {
                let begins = opens.max(from);
                let open = closes - begins;
                if open >= left {
                    return begins + left;
                }
                left -= open.max(TimeDelta::zero());
            }
            day = date.succ_opt();
        }
        DateTime::<Utc>::MAX_UTC
    }

    /// The business time between two instants; none where the second is not after the first.
    pub fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> TimeDelta {
        let mut passed = TimeDelta::zero();
        let mut day = self.day_before(from).filter(|_| from < to);
        while let Some(date) = day {
            if let Some((opens, closes)) = self.hours_of(date) {
                if opens >= to {
                    break;
                }
                let open = closes.min(to) - opens.max(from);
                passed += open.max(TimeDelta::zero());
            }
            day = date.succ_opt();
        }
        passed
    }

    /// The local date before that of the instant: where clocks go back over midnight, a date comes twice.
    fn day_before(&self, instant: DateTime<Utc>) -> Option<NaiveDate> {
        let date = local_date(instant, self.zone);
        date.pred_opt().or(Some(date))
    }

    /// The hours of a date, if it has any.
    fn hours_of(&self, date: NaiveDate) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        if !self.working_days.contains(&Weekday::of(date)) || self.holidays.contains(&date) {
            return None;
        }
        Some((self.opens.on(date, self.zone)?, self.closes.on(date, self.zone)?))
    }
}
