//! The rule of a review, its spans and its sentences.

use super::*;
use crate::kernel::time::ProgramZone;
use chrono::TimeDelta;
use proptest::prelude::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn eur() -> Option<Currency> {
    Some(Currency::from_code("EUR").unwrap())
}

fn criterion(metric: StandingMetric, threshold: i64) -> Criterion {
    Criterion {
        metric,
        threshold: Decimal::from(threshold),
        currency: eur().filter(|_| metric.is_money()),
    }
}

fn tier(name: &str, criteria: Vec<Criterion>) -> Tier {
    Tier {
        code: name.to_lowercase(),
        name: name.to_owned(),
        external_id: None,
        criteria,
    }
}

fn ladder(period: TierPeriod) -> TierLadder {
    let both = |revenue, deals| {
        vec![
            criterion(StandingMetric::PaidRevenue, revenue),
            criterion(StandingMetric::WonDeals, deals),
        ]
    };
    TierLadder {
        period,
        period_months: (period == TierPeriod::Rolling).then_some(6),
        tiers: vec![
            tier("Bronze", Vec::new()),
            tier("Silver", both(5_000, 1)),
            tier("Gold", both(20_000, 3)),
        ],
        ..TierLadder::none(
            ProgramId::new(at("2026-01-01T00:00:00Z")),
            at("2026-01-01T00:00:00Z"),
        )
    }
}

fn figures(revenue: &str, deals: i64) -> SpanFigures {
    let figure = |metric: StandingMetric, value| Figure {
        metric,
        currency: eur().filter(|_| metric.is_money()),
        value,
    };
    SpanFigures {
        starts_on: day("2026-07-01"),
        ends_on: day("2026-09-30"),
        figures: vec![
            figure(StandingMetric::PaidRevenue, revenue.parse().unwrap()),
            figure(StandingMetric::WonDeals, Decimal::from(deals)),
        ],
    }
}

#[test]
fn all_criteria_of_a_tier_are_met_within_one_span_and_exactly_is_enough() {
    let ladder = ladder(TierPeriod::Quarter);
    let earned = |spans: &[SpanFigures]| ladder.earned(spans);
    assert_eq!(earned(&[figures("20000.00", 3)]), 3);
    assert_eq!(earned(&[figures("19999.99", 3)]), 2);
    assert_eq!(earned(&[figures("20000.00", 2)]), 2);
    assert_eq!(earned(&[figures("0", 0)]), 1);
    // What one span lacks another one does not make up for.
    assert_eq!(earned(&[figures("20000.00", 0), figures("0", 3)]), 1);
    assert_eq!(earned(&[figures("0", 0), figures("5000.00", 1)]), 2);
}

#[test]
fn a_forecast_says_what_is_short_of_the_next_tier_and_until_when() {
    let (ladder, zone) = (ladder(TierPeriod::Quarter), ProgramZone::UTC);
    let standing = |rank, span: &SpanFigures| Outlook {
        rank,
        earned: ladder.earned(std::slice::from_ref(span)),
        ..Outlook::default()
    };
    let said = |rank, span: &SpanFigures| forecast(&ladder, standing(rank, span), span, zone);
    assert_eq!(
        said(2, &figures("2000.00", 2)),
        "18,000.00 EUR and one deal short of Gold by 30 September."
    );
    assert_eq!(
        said(1, &figures("6000.00", 0)),
        "one deal short of Silver by 30 September."
    );
    assert_eq!(
        said(0, &figures("0", 0)),
        "Bronze is reached with the next review."
    );
    assert_eq!(
        said(1, &figures("20000.00", 3)),
        "Gold is reached with the next review."
    );
    assert_eq!(said(3, &figures("0", 0)), "Gold is the highest tier.");
    let span = figures("1250000.50", 1);
    let falls = Outlook {
        falls: Some((at("2026-10-15T00:00:00Z"), 2)),
        ..standing(3, &span)
    };
    assert_eq!(
        forecast(&ladder, falls, &span, zone),
        "Gold falls to Silver on 15 October: two deals short of it. Gold is the highest tier."
    );
    let pinned = |rank, span: &SpanFigures| {
        let outlook = Outlook {
            pinned_until: Some(at("2027-01-15T00:00:00Z")),
            ..standing(rank, span)
        };
        forecast(&ladder, outlook, span, zone)
    };
    let until = "Reviews leave the tier as it is until 15 January.";
    assert_eq!(
        pinned(1, &figures("20000.00", 3)),
        format!("{until} The figures give Gold.")
    );
    assert_eq!(
        pinned(3, &figures("0", 0)),
        format!("{until} The figures give Bronze. Gold is the highest tier.")
    );
    assert_eq!(
        pinned(2, &figures("6000.00", 2)),
        format!("{until} 14,000.00 EUR and one deal short of Gold by 30 September.")
    );
}

#[test]
fn spans_follow_the_calendar_of_the_program() {
    let zone: ProgramZone = "Europe/Berlin".parse().unwrap();
    let of = |period, now: &str| {
        let spans = spans(&ladder(period), zone, at(now));
        let days = spans
            .iter()
            .map(|span| format!("{}..{}", span.starts_on, span.ends_on));
        days.collect::<Vec<_>>().join(" ")
    };
    // Half past ten in the evening of the 30th of June in London is July in Berlin.
    let now = "2026-06-30T22:30:00Z";
    assert_eq!(
        of(TierPeriod::Month, now),
        "2026-07-01..2026-07-31 2026-06-01..2026-06-30"
    );
    assert_eq!(
        of(TierPeriod::Quarter, now),
        "2026-07-01..2026-09-30 2026-04-01..2026-06-30"
    );
    assert_eq!(
        of(TierPeriod::Year, now),
        "2026-01-01..2026-12-31 2025-01-01..2025-12-31"
    );
    assert_eq!(of(TierPeriod::Rolling, now), "2026-01-02..2026-07-01");
    let spans = spans(&ladder(TierPeriod::Quarter), zone, at(now));
    assert_eq!(spans[0].period.from, at("2026-06-30T22:00:00Z"));
    assert_eq!(spans[1].period.to, spans[0].period.from);
    assert_eq!(day_after(at(now), zone), at("2026-07-01T22:00:00Z"));
    assert_eq!(
        grace_end(&ladder(TierPeriod::Month), zone, at(now)),
        at("2026-07-30T22:00:00Z")
    );
}

#[test]
fn a_rolling_period_has_months_and_no_other_one_does() {
    let now = at("2026-01-01T00:00:00Z");
    let patch = |period, period_months| TierLadderPatch {
        period,
        period_months,
        ..TierLadderPatch::default()
    };
    let quarter = ladder(TierPeriod::Quarter);
    let refused = |patch| {
        quarter.clone().patched(patch, now).unwrap_err().errors[0]
            .code
            .clone()
    };
    assert_eq!(refused(patch(Some(TierPeriod::Rolling), None)), "missing");
    assert_eq!(refused(patch(None, Some(6))), "not_rolling");
    let rolling = patch(Some(TierPeriod::Rolling), Some(6));
    let rolling = quarter.clone().patched(rolling, now).unwrap();
    assert_eq!(rolling.period_months, Some(6));
    let back = rolling.patched(patch(Some(TierPeriod::Year), None), now).unwrap();
    assert_eq!(back.period_months, None);
}

prop_compose! {
    fn any_facts()(current in 0_usize..6, earned in 0_usize..6, is_pinned: bool, falls in prop::option::of(-40_i64..40),
        grace in 0_i64..40) -> Facts {
        let now = at("2026-06-01T00:00:00Z");
        Facts {
            current,
            earned,
            is_pinned,
            falls_at: falls.map(|days| now + TimeDelta::days(days)),
            grace_end: now + TimeDelta::days(grace),
            now,
        }
    }
}

proptest! {
    #[test]
    fn a_review_goes_up_at_once_and_down_only_after_the_grace(facts in any_facts()) {
        let decision = decide(&facts);
        if facts.is_pinned {
            prop_assert_eq!(decision, Decision::Stay);
        } else if facts.earned > facts.current {
            prop_assert_eq!(decision, Decision::Promote(facts.earned));
        }
        if let Decision::Demote(rank) = decision {
            prop_assert!(rank == facts.earned && rank < facts.current);
            prop_assert!(facts.falls_at.unwrap_or(facts.grace_end) <= facts.now);
        }
        if let Decision::Endanger(falls_at) = decision {
            prop_assert!(falls_at > facts.now && facts.falls_at.is_none() && facts.earned < facts.current);
        }
        if decision == Decision::Secure {
            prop_assert!(facts.falls_at.is_some() && facts.earned == facts.current);
        }
    }

    #[test]
    fn a_review_at_the_same_moment_finds_nothing_more_to_do(facts in any_facts()) {
        let decision = decide(&facts);
        let again = Facts {
            current: decision.moves_to().unwrap_or(facts.current),
            falls_at: decision.falls_at(facts.falls_at),
            ..facts
        };
        prop_assert_eq!(decide(&again), Decision::Stay);
    }

    #[test]
    fn daily_reviews_reach_what_is_earned_within_the_grace(facts in any_facts()) {
        let mut facts = Facts { is_pinned: false, falls_at: None, ..facts };
        let grace = facts.grace_end - facts.now;
        for _ in 0..=40 {
            let decision = decide(&facts);
            facts.current = decision.moves_to().unwrap_or(facts.current);
            facts.falls_at = decision.falls_at(facts.falls_at);
            facts.now += TimeDelta::days(1);
            facts.grace_end = facts.now + grace;
        }
        prop_assert_eq!(facts.current, facts.earned);
    }
}
