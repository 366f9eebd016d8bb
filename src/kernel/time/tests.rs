use chrono::{TimeDelta, Timelike};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn zone(name: &str) -> ProgramZone {
    name.parse().unwrap()
}

#[test]
fn without_hold_days_the_release_is_at_once() {
    let paid_at = at("2026-01-31T23:59:59.123Z");
    assert_eq!(release_at(paid_at, 0, zone("Asia/Tokyo")), paid_at);
}

#[test]
fn thirty_days_after_31_january_is_2_march() {
    assert_eq!(
        release_at(at("2026-01-31T12:00:00Z"), 30, ProgramZone::UTC),
        at("2026-03-02T00:00:00Z")
    );
}

#[test]
fn day_zero_is_the_local_date() {
    let paid_at = at("2026-01-31T23:30:00Z");
    assert_eq!(
        release_at(paid_at, 1, ProgramZone::UTC),
        at("2026-02-01T00:00:00Z")
    );
    assert_eq!(
        release_at(paid_at, 1, zone("Europe/Berlin")),
        at("2026-02-01T23:00:00Z")
    );
    assert_eq!(
        release_at(paid_at, 1, zone("America/New_York")),
        at("2026-02-01T05:00:00Z")
    );
}

#[test]
fn a_hold_over_daylight_saving_still_ends_at_local_midnight() {
    let berlin = zone("Europe/Berlin");
    assert_eq!(
        release_at(at("2026-03-28T12:00:00Z"), 1, berlin),
        at("2026-03-28T23:00:00Z")
    );
    assert_eq!(
        release_at(at("2026-03-28T12:00:00Z"), 2, berlin),
        at("2026-03-29T22:00:00Z")
    );
}

#[test]
fn where_midnight_does_not_exist_the_day_begins_after_the_gap() {
    // Sao Paulo went from 00:00 to 01:00 on 4 November 2018.
    let sao_paulo = zone("America/Sao_Paulo");
    assert_eq!(
        release_at(at("2018-11-03T12:00:00Z"), 1, sao_paulo),
        at("2018-11-04T03:00:00Z")
    );
    // Samoa left out the whole of 30 December 2011.
    let apia = zone("Pacific/Apia");
    assert_eq!(
        release_at(at("2011-12-29T12:00:00Z"), 1, apia),
        at("2011-12-30T10:00:00Z")
    );
    // Toronto went from 23:30 on 30 March 1919 to 00:30 on 31 March: the gap ends within the hour.
    let toronto = zone("America/Toronto");
    assert_eq!(
        start_of_day(NaiveDate::from_ymd_opt(1919, 3, 31).unwrap(), toronto),
        at("1919-03-31T04:30:00Z")
    );
}

#[test]
fn where_midnight_comes_twice_the_day_begins_at_the_earlier() {
    // Havana went from 01:00 back to 00:00 on 1 November 2026.
    let havana = zone("America/Havana");
    assert_eq!(
        release_at(at("2026-10-31T12:00:00Z"), 1, havana),
        at("2026-11-01T04:00:00Z")
    );
}

#[test]
fn a_hold_beyond_the_calendar_is_never_released() {
    assert_eq!(
        release_at(at("2026-01-01T00:00:00Z"), u32::MAX, ProgramZone::UTC),
        DateTime::<Utc>::MAX_UTC
    );
}

#[test]
fn a_month_is_half_open_and_local() {
    let march = month_range("2026-03".parse().unwrap(), zone("Europe/Berlin"));
    assert_eq!(march.from, at("2026-02-28T23:00:00Z"));
    assert_eq!(march.to, at("2026-03-31T22:00:00Z"));
    assert!(march.contains(march.from) && !march.contains(march.to));
    let december = month_range(YearMonth::new(2026, 12).unwrap(), ProgramZone::UTC);
    assert_eq!(december.to, at("2027-01-01T00:00:00Z"));
}

#[test]
fn periods_that_touch_do_not_overlap() {
    let period = |from: &str, to: &str| Period {
        from: at(from),
        to: at(to),
    };
    let first = period("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
    let second = period("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z");
    let inside = period("2026-01-31T23:59:59Z", "2026-02-02T00:00:00Z");
    let empty = period("2026-01-15T00:00:00Z", "2026-01-15T00:00:00Z");
    assert!(!first.overlaps(&second) && !first.overlaps(&empty));
    assert!(first.overlaps(&inside) && inside.overlaps(&second));
}

#[test]
fn months_and_zones_are_read_strictly() {
    for text in [
        "2026-3",
        "2026-13",
        "2026-00",
        "0000-01",
        "26-03",
        "2026-03-01",
        "2026/03",
        "+026-03",
        "",
    ] {
        assert_eq!(text.parse::<YearMonth>(), Err(TimeError::NotAMonth), "{text}");
    }
    assert_eq!("2026-03".parse::<YearMonth>().unwrap().to_string(), "2026-03");
    assert_eq!("Mars/Olympus".parse::<ProgramZone>(), Err(TimeError::UnknownZone));
}

proptest! {
    #[test]
    fn every_instant_lies_in_its_local_month(seconds in 0i64..4_000_000_000, index in 0usize..chrono_tz::TZ_VARIANTS.len()) {
        let zone = ProgramZone(chrono_tz::TZ_VARIANTS[index]);
        let instant = DateTime::from_timestamp(seconds, 0).unwrap();
        let month = YearMonth::of(instant, zone).unwrap();
        // Where a clock goes back over midnight, an evening hour comes twice around the start of a day.
        let slack = TimeDelta::hours(1);
        let range = month_range(month, zone);
        prop_assert!(range.from - slack <= instant && instant < range.to + slack);
        prop_assert_eq!(range.to, month_range(month.next(), zone).from);
    }

    #[test]
    fn a_release_begins_the_right_local_day(
        seconds in 0i64..4_000_000_000,
        hold_days in 1u32..400,
        index in 0usize..chrono_tz::TZ_VARIANTS.len(),
    ) {
        let zone = ProgramZone(chrono_tz::TZ_VARIANTS[index]);
        let paid_at = DateTime::from_timestamp(seconds, 0).unwrap();
        let release = release_at(paid_at, hold_days, zone);
        let due = local_date(paid_at, zone) + Days::new(u64::from(hold_days));
        let local = release.with_timezone(&zone.0);
        prop_assert!(local.date_naive() >= due);
        prop_assert!((release - TimeDelta::seconds(1)).with_timezone(&zone.0).date_naive() < due);
        prop_assert!(local.date_naive() > due || local.hour() < 2);
    }
}
