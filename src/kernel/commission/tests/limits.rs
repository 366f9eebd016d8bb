//! Floors, caps, the base, recurrence, and components beside one another.

use chrono::{Datelike, Days, Months, NaiveDate};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::kernel::motion::DealType;

fn with(formula: Formula, clauses: Clauses) -> Rule {
    let mut terms = terms(1, formula);
    terms.clauses = clauses;
    Rule::new(terms).unwrap()
}

fn earned(rule: &Rule, net: &str) -> Money {
    let accrual = accrue_line(&line(usd(net), vec![party(1, 10_000, rule)]))
        .unwrap()
        .remove(0);
    assert_eq!(recompute(&accrual.explanation).unwrap(), accrual.amount);
    accrual.amount
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// "then floor, then per-line cap, never above the base"
#[test]
fn floor_comes_before_cap_and_both_before_the_base() {
    let limited = with(
        percentage("0.35"),
        Clauses {
            floors: vec![usd("25")],
            line_caps: vec![usd("40")],
            ..Clauses::default()
        },
    );
    for (net, expected) in [
        ("50.00", "25.00"),
        ("15.00", "15.00"),
        ("100.00", "35.00"),
        ("1000.00", "40.00"),
    ] {
        assert_eq!(earned(&limited, net), usd(expected));
    }
    let mut above = terms(1, percentage("0.1"));
    above.clauses.floors = vec![usd("2")];
    above.clauses.line_caps = vec![usd("1")];
    assert_eq!(Rule::new(above).err(), Some(RuleError::FloorAboveCap));
}

#[test]
fn a_hybrid_adds_a_flat_amount_and_takes_only_the_rest_back() {
    let hybrid = Formula::Hybrid {
        amounts: vec![usd("2")],
        per: FlatPer::Line,
        plus: Box::new(percentage("0.0299")),
    };
    let rule = with(hybrid, Clauses::default());
    assert_eq!(earned(&rule, "80.00"), usd("4.39"));
    assert_eq!(earned(&rule, "1.00"), usd("1.00"));
    let credit = CreditInput {
        component: Component::Base,
        credit: usd("80"),
        service: None,
        rounding: Rounding::HalfUp,
        parties: vec![party(1, 10_000, &rule)],
    };
    assert_eq!(credit_note_lines(&credit).unwrap()[0].amount, usd("-2.39"));
}

#[test]
fn a_flat_amount_per_unit_follows_the_quantity() {
    let rule = flat_rule(1, &[usd("5")]);
    let per_unit = Formula::Flat {
        amounts: vec![usd("5")],
        per: FlatPer::Unit,
    };
    let per_unit = with(per_unit, Clauses::default());
    let two = |rule| {
        let mut input = line(usd("100"), vec![party(1, 10_000, rule)]);
        input.goods.quantity = Decimal::TWO;
        amounts(&input)
    };
    assert_eq!((two(&rule), two(&per_unit)), (vec![usd("5")], vec![usd("10")]));
}

#[test]
fn shipping_fees_and_margin_are_what_the_rule_says() {
    let rate = || percentage("0.10");
    let of = |clauses: Clauses, kind, cost: Option<i64>| {
        let rule = with(rate(), clauses);
        let mut input = line(usd("50"), vec![party(1, 10_000, &rule)]);
        input.goods.kind = kind;
        input.goods.cost = cost.map(Decimal::from);
        let accrual = accrue_line(&input).unwrap().remove(0);
        assert_eq!(recompute(&accrual.explanation).unwrap(), accrual.amount);
        (accrual.amount, accrual.ineligible)
    };
    let margin = || Clauses {
        base: BaseMeasure::Margin,
        ..Clauses::default()
    };
    let shipping = Clauses {
        include_shipping: true,
        ..Clauses::default()
    };
    assert_eq!(
        of(Clauses::default(), LineKind::Shipping, None),
        (usd("0"), Some(IneligibleReason::NotInBase))
    );
    assert_eq!(of(shipping, LineKind::Shipping, None), (usd("5"), None));
    assert_eq!(of(margin(), LineKind::Product, Some(20)), (usd("3"), None));
    assert_eq!(
        of(margin(), LineKind::Product, None),
        (usd("0"), Some(IneligibleReason::CostUnknown))
    );
    assert_eq!(
        of(margin(), LineKind::Product, Some(70)),
        (usd("0"), Some(IneligibleReason::ZeroAmount))
    );
}

#[test]
fn another_rate_applies_from_a_renewal_on() {
    let rule = with(
        percentage("0.30"),
        Clauses {
            recurrence: Recurrence {
                renewal_rates: vec![
                    RenewalRate {
                        from_year: 1,
                        rate: "0.10".parse().unwrap(),
                    },
                    RenewalRate {
                        from_year: 3,
                        rate: "0.05".parse().unwrap(),
                    },
                ],
                ..Recurrence::default()
            },
            ..Clauses::default()
        },
    );
    for (starts_on, expected) in [
        ("2024-02-29", "30"),
        ("2025-02-27", "30"),
        ("2025-02-28", "10"),
        ("2027-02-27", "10"),
        ("2027-02-28", "5"),
    ] {
        let mut input = line(usd("100"), vec![party(1, 10_000, &rule)]);
        input.service = Some(Service {
            anchor: day("2024-02-29"),
            starts_on: day(starts_on),
            is_first_invoice: false,
        });
        let accrual = accrue_line(&input).unwrap().remove(0);
        assert_eq!(accrual.amount, usd(expected), "{starts_on}");
        assert_eq!(recompute(&accrual.explanation).unwrap(), accrual.amount);
    }
}

#[test]
fn components_together_stay_within_the_base() {
    let mut bonus = terms(2, percentage("0.50"));
    bonus.component = Component::Bonus;
    let bonus = Rule::new(bonus).unwrap();
    let mut input = line(usd("100"), vec![party(1, 10_000, &bonus)]);
    input.component = Component::Bonus;
    input.parties[0].earlier = usd("70");
    let accrual = accrue_line(&input).unwrap().remove(0);
    assert_eq!(accrual.amount, usd("30"));
    assert_eq!(recompute(&accrual.explanation).unwrap(), accrual.amount);
}

#[test]
fn conditions_on_tier_type_country_and_amount_decide() {
    let rules = |change: fn(&mut Clauses)| {
        let mut special = terms(2, percentage("0.2"));
        special.priority = 1;
        change(&mut special.clauses);
        [rule(1, "0.1"), Rule::new(special).unwrap()]
    };
    let chosen = |rules: &[Rule; 2], facts: Facts<'_>| {
        let selection = select(rules, &facts, at("2026-06-01T00:00:00Z"));
        selection.chosen(Component::Base).unwrap().terms().rule_id == rule_id(2)
    };
    let gold = rules(|clauses| clauses.tiers = vec!["gold".to_owned()]);
    assert!(chosen(
        &gold,
        Facts {
            tier: Some("gold"),
            ..facts()
        }
    ));
    assert!(
        !chosen(
            &gold,
            Facts {
                tier: Some("silver"),
                ..facts()
            }
        ) && !chosen(&gold, facts())
    );
    let renewals = rules(|clauses| clauses.deal_types = vec![DealType::Renewal]);
    assert!(
        chosen(
            &renewals,
            Facts {
                deal_type: DealType::Renewal,
                ..facts()
            }
        ) && !chosen(&renewals, facts())
    );
    let german = rules(|clauses| clauses.countries = vec!["DE".to_owned()]);
    assert!(
        chosen(
            &german,
            Facts {
                country: Some("DE"),
                ..facts()
            }
        ) && !chosen(&german, facts())
    );
    let large = rules(|clauses| clauses.minimum_amounts = vec![usd("1000")]);
    assert!(
        chosen(&large, facts())
            && !chosen(
                &large,
                Facts {
                    net: usd("999.99"),
                    ..facts()
                }
            )
    );
}

#[test]
fn terms_that_say_nothing_else_keep_their_hash() {
    let plain = rule(1, "0.1");
    assert!(!plain.terms().canonical_text().contains("clauses"));
    let mut said = terms(1, percentage("0.1"));
    said.clauses.hold_start = HoldStart::EndOfMonth;
    assert_ne!(Rule::new(said).unwrap().hash(), plain.hash());
}

/// So many months after a day, counted on the fingers: the same day of that month, or its last.
fn end_by_calendar(anchor: NaiveDate, months: u32) -> NaiveDate {
    let (mut year, mut month) = (anchor.year(), anchor.month());
    for _ in 0..months {
        (year, month) = if month == 12 {
            (year + 1, 1)
        } else {
            (year, month + 1)
        };
    }
    let days = [anchor.day(), 31, 30, 29, 28];
    let fitting = days.iter().filter(|day| **day <= anchor.day());
    fitting
        .filter_map(|day| NaiveDate::from_ymd_opt(year, month, *day))
        .max()
        .unwrap()
}

/// "windows have exactly N months from every start of 28 to 31": each start of five years, so that a leap year is among
/// them, and each length up to five years. Service that is invoiced by the month is paid N times and not once more.
#[test]
fn a_window_from_every_start_of_28_to_31_has_exactly_its_months() {
    let mut tried = 0;
    for (year, month, date) in (2023..2028)
        .flat_map(|year| (1..=12).flat_map(move |month| (28..=31).map(move |date| (year, month, date))))
    {
        let Some(anchor) = NaiveDate::from_ymd_opt(year, month, date) else {
            continue;
        };
        for months in 1..=60 {
            let recurrence = Recurrence {
                months: Some(months),
                ..Recurrence::default()
            };
            assert_eq!(
                recurrence.window_end(anchor),
                Some(end_by_calendar(anchor, months)),
                "{anchor} + {months}"
            );
            let paid = (0..months + 3).filter(|later| {
                recurrence.admits(&Service {
                    anchor,
                    starts_on: end_by_calendar(anchor, *later),
                    is_first_invoice: false,
                })
            });
            assert_eq!(paid.count(), months as usize, "{anchor} + {months}");
            tried += 1;
        }
    }
    assert_eq!(tried, (4 * 11 * 5 + 6 - 4 * 5) * 60);
}

proptest! {
    /// "windows have exactly N months from every start of 28 to 31"
    #[test]
    fn a_window_has_exactly_its_months(first in 0u64..3_000, months in 1u32..60) {
        let anchor = day("2020-01-27") + Days::new(first);
        let recurrence = Recurrence { months: Some(months), ..Recurrence::default() };
        let end = anchor + Months::new(months);
        let admits = |starts_on| recurrence.admits(&Service { anchor, starts_on, is_first_invoice: false });
        prop_assert!(admits(anchor) && admits(end.pred_opt().unwrap()) && !admits(end));
        prop_assert_eq!(recurrence.window_end(anchor), Some(end));
        let whole_years = Service { anchor, starts_on: anchor + Months::new(months), is_first_invoice: false };
        prop_assert_eq!(whole_years.renewal_index(), months / 12);
    }

    /// The same over daylight-saving changes: the anchor is the local day of the win in every zone, and days are counted
    /// by the calendar, so that an hour more or less moves no window.
    #[test]
    fn a_window_begins_on_the_local_day_of_the_win_in_every_zone(
        seconds in 1_500_000_000i64..1_900_000_000, zone in 0usize..chrono_tz::TZ_VARIANTS.len(), months in 1u32..40,
    ) {
        let zone = chrono_tz::TZ_VARIANTS[zone];
        let won_at = DateTime::from_timestamp(seconds, 0).unwrap();
        let anchor = crate::kernel::time::local_date(won_at, zone.name().parse().unwrap());
        prop_assert_eq!(anchor, won_at.with_timezone(&zone).date_naive());
        let recurrence = Recurrence { months: Some(months), ..Recurrence::default() };
        let end = end_by_calendar(anchor, months);
        let admits = |starts_on| recurrence.admits(&Service { anchor, starts_on, is_first_invoice: false });
        prop_assert!(admits(anchor) && admits(end.pred_opt().unwrap()) && !admits(end));
    }

    /// "then the remaining period cap": whatever comes, no more than the cap, and exactly it when there is enough.
    #[test]
    fn a_cap_of_a_period_is_never_exceeded(nets in proptest::collection::vec(1i128..100_000, 1..8), cap in 0i128..20_000) {
        let rule = with(percentage("0.1"), Clauses {
            period_cap: Some(PeriodCap { period: TierScope::Year, amounts: vec![cents(cap)] }),
            ..Clauses::default()
        });
        let mut used = 0;
        let mut free = 0;
        for net in nets {
            let mut only = party(1, 10_000, &rule);
            only.standing.cap_used = cents(used).amount();
            let accrual = accrue_line(&line(cents(net), vec![only])).unwrap().remove(0);
            prop_assert_eq!(recompute(&accrual.explanation).unwrap(), accrual.amount);
            used += accrual.amount.minor_units();
            free += accrual.uncapped.minor_units();
            prop_assert!(used <= cap);
            prop_assert_eq!(used, free.min(cap));
        }
    }
}
