use super::*;
use proptest::prelude::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn office(zone: &str, opens: &str, closes: &str, holidays: &[&str]) -> BusinessHours {
    let week = Weekday::ALL[..5].iter().copied().collect();
    let holidays = holidays.iter().map(|day| day.parse().unwrap()).collect();
    let (opens, closes) = (opens.parse().unwrap(), closes.parse().unwrap());
    BusinessHours::new(zone.parse().unwrap(), week, opens, closes, holidays).unwrap()
}

#[test]
fn a_night_a_weekend_and_a_holiday_do_not_count() {
    let berlin = office("Europe/Berlin", "09:00", "17:00", &["2026-04-03", "2026-04-06"]);
    // Thursday 16:00 in Berlin before Easter: an hour is left; Friday and Monday are holidays.
    let thursday = at("2026-04-02T14:00:00Z");
    assert_eq!(
        berlin.add(thursday, TimeDelta::hours(1)),
        at("2026-04-02T15:00:00Z")
    );
    assert_eq!(
        berlin.add(thursday, TimeDelta::hours(2)),
        at("2026-04-07T08:00:00Z")
    );
    assert_eq!(
        berlin.between(thursday, at("2026-04-07T08:00:00Z")),
        TimeDelta::hours(2)
    );
    // What comes at night counts from the morning on.
    assert_eq!(
        berlin.add(at("2026-03-03T22:00:00Z"), TimeDelta::minutes(30)),
        at("2026-03-04T08:30:00Z")
    );
}

#[test]
fn the_hour_that_daylight_saving_takes_is_no_business_hour() {
    // On 29 March 2026 clocks in Berlin go from 02:00 to 03:00, on 25 October from 03:00 back to 02:00.
    let days = Weekday::ALL.iter().copied().collect();
    let always = BusinessHours::new(
        "Europe/Berlin".parse().unwrap(),
        days,
        "00:00".parse().unwrap(),
        "24:00".parse().unwrap(),
        BTreeSet::new(),
    )
    .unwrap();
    let spring = (at("2026-03-28T23:00:00Z"), at("2026-03-29T22:00:00Z"));
    assert_eq!(always.between(spring.0, spring.1), TimeDelta::hours(23));
    let autumn = (at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z"));
    assert_eq!(always.between(autumn.0, autumn.1), TimeDelta::hours(25));
    // An office that opens within the gap opens at its end.
    let early = BusinessHours {
        opens: "02:30".parse().unwrap(),
        closes: "04:00".parse().unwrap(),
        ..always
    };
    assert_eq!(early.between(spring.0, spring.1), TimeDelta::hours(1));
}

#[test]
fn a_date_that_the_zone_skipped_has_no_hours() {
    // Samoa had no 30 December 2011, a Friday.
    let samoa = office("Pacific/Apia", "09:00", "17:00", &[]);
    let thursday_evening = at("2011-12-30T03:00:00Z");
    assert_eq!(
        samoa.add(thursday_evening, TimeDelta::hours(1)),
        at("2012-01-01T20:00:00Z")
    );
}

#[test]
fn what_is_no_time_or_no_calendar_is_refused() {
    for text in ["", "9:00", "09:60", "24:01", "0900", "+1:00", "09:00:00", "99:99"] {
        assert_eq!(
            text.parse::<TimeOfDay>(),
            Err(BusinessHoursError::NotATime),
            "{text}"
        );
    }
    let nine: TimeOfDay = "09:00".parse().unwrap();
    assert_eq!((nine.minutes(), nine.to_string()), (540, "09:00".to_owned()));
    let made = |days: BTreeSet<Weekday>, closes: TimeOfDay| {
        BusinessHours::new(ProgramZone::UTC, days, nine, closes, BTreeSet::new())
    };
    let monday = BTreeSet::from([Weekday::Monday]);
    assert_eq!(made(monday, nine), Err(BusinessHoursError::NoTime));
    assert_eq!(
        made(BTreeSet::new(), "10:00".parse().unwrap()),
        Err(BusinessHoursError::NoWorkingDay)
    );
}

#[test]
fn more_time_than_the_calendar_has_gives_its_end() {
    let monday = BTreeSet::from([Weekday::Monday]);
    let minute = BusinessHours::new(
        ProgramZone::UTC,
        monday,
        "09:00".parse().unwrap(),
        "09:01".parse().unwrap(),
        BTreeSet::new(),
    )
    .unwrap();
    let late = at("+262100-01-01T00:00:00Z");
    assert_eq!(minute.add(late, TimeDelta::days(1_000)), DateTime::<Utc>::MAX_UTC);
}

const ZONES: [&str; 6] = [
    "UTC",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/St_Johns",
];

prop_compose! {
    fn calendars()(
        zone in 0..ZONES.len(),
        days in prop::collection::btree_set(0..7_usize, 1..=7),
        opens in 0..1440_u16,
        length in 1..1440_u16,
        holidays in prop::collection::btree_set(0..800_i64, 0..40),
    ) -> BusinessHours {
        let first: NaiveDate = "2011-06-01".parse().unwrap();
        let closes = (opens + length).min(1440);
        BusinessHours::new(
            ZONES[zone].parse().unwrap(),
            days.into_iter().map(|day| Weekday::ALL[day]).collect(),
            TimeOfDay::from_minutes(opens).unwrap(),
            TimeOfDay::from_minutes(closes).unwrap(),
            holidays.into_iter().map(|day| first + TimeDelta::days(day)).collect(),
        )
        .unwrap()
    }
}

/// An instant within two years that have every change of daylight saving, and the day that Samoa skipped.
fn instants() -> impl Strategy<Value = DateTime<Utc>> {
    (0..730 * 86_400_i64).prop_map(|seconds| at("2011-06-01T00:00:00Z") + TimeDelta::seconds(seconds))
}

proptest! {
    #[test]
    fn what_was_added_has_passed(hours in calendars(), from in instants(), minutes in 1..3_000_i64) {
        let time = TimeDelta::minutes(minutes);
        let due = hours.add(from, time);
        prop_assert!(due > from);
        prop_assert_eq!(hours.between(from, due), time);
        // It is the earliest such instant.
        prop_assert!(hours.between(from, due - TimeDelta::seconds(1)) < time);
    }

    #[test]
    fn adding_twice_is_adding_the_sum(
        hours in calendars(), from in instants(), one in 0..2_000_i64, other in 0..2_000_i64,
    ) {
        let (one, other) = (TimeDelta::minutes(one), TimeDelta::minutes(other));
        prop_assert_eq!(hours.add(hours.add(from, one), other), hours.add(from, one + other));
    }

    #[test]
    fn time_between_adds_up_and_never_exceeds_the_clock(
        hours in calendars(), instants in prop::collection::vec(instants(), 3),
    ) {
        let mut sorted = instants;
        sorted.sort_unstable();
        let [first, second, third] = sorted[..] else { unreachable!() };
        let whole = hours.between(first, third);
        prop_assert_eq!(hours.between(first, second) + hours.between(second, third), whole);
        prop_assert!(whole <= third - first);
        prop_assert_eq!(hours.between(third, first), TimeDelta::zero());
    }
}
