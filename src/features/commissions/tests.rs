//! Earning and taking back under rules that count, as accrual and refunds do it one after the other.

use super::domain::TakenFrom;
use super::reversal::{shrinkage, standings_of, work_out};
use super::standings::{Key, Standings};
use super::store::clawback::ExposedRow;
use crate::kernel::commission::{
    Clauses, Component, Conditions, Explanation, Formula, Goods, LineInput, Party, PeriodCap, Progress, Rule,
    RuleTerms, Tier, TierMetric, TierMode, TierScope, Tiers, accrue_line,
};
use crate::kernel::id::{
    AttributionId, CommissionId, CommissionRuleId, CommissionRuleVersionId, PartnerId, ProgramId, RefundId,
};
use crate::kernel::money::reference::{any_rounding, rounds_to};
use crate::kernel::money::{Currency, Money, Rounding};
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

const PERIOD: &str = "quarter:2026-01-01";

fn cents(units: i64) -> Money {
    Money::from_minor_units(i128::from(units), Currency::USD).unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-02-01T00:00:00Z".parse().unwrap()
}

fn rule(mode: TierMode, table: &[(i64, i64)], cap: Option<i64>) -> Rule {
    let tier = |(from, rate): &(i64, i64)| Tier {
        from: Decimal::new(*from, 2),
        rate: crate::kernel::rate::Rate::new(Decimal::new(*rate, 6)).unwrap(),
        amount: Decimal::ZERO,
        unit_amount: Decimal::ZERO,
    };
    let id = Uuid::from_u128(1);
    Rule::new(RuleTerms {
        rule_id: CommissionRuleId::from_uuid(id),
        version_id: CommissionRuleVersionId::from_uuid(id),
        version: 1,
        component: Component::Base,
        formula: Formula::Tiered(Tiers {
            currency: Currency::USD,
            tier_mode: mode,
            tier_scope: TierScope::Quarter,
            tier_metric: TierMetric::NetPaidBase,
            tiers: table.iter().map(tier).collect(),
        }),
        conditions: Conditions {
            program_id: ProgramId::from_uuid(id),
            motions: vec![],
            roles: vec![],
            partners: vec![],
            product_families: vec![],
            currencies: vec![],
        },
        clauses: Clauses {
            period_cap: cap.map(|cap| PeriodCap {
                period: TierScope::Quarter,
                amounts: vec![cents(cap)],
            }),
            ..Clauses::default()
        },
        priority: 0,
        hold_days: 0,
        effective_from: now(),
        effective_to: None,
    })
    .unwrap()
}

/// The partner's only standing, of tiers and of the cap if there is one.
fn keys(rule: &Rule) -> Vec<Key> {
    let cap = rule
        .terms()
        .clauses
        .period_cap
        .is_some()
        .then(|| PERIOD.to_owned());
    Key::of(
        rule.terms().rule_id,
        PartnerId::from_uuid(Uuid::from_u128(1)),
        Currency::USD,
        Some(PERIOD.to_owned()),
        cap,
    )
}

/// A line that was earned on a payment, with what was refunded and taken back since.
struct Sold {
    payment: i64,
    earned: Money,
    progress: Progress,
    refunded: i64,
    taken: Money,
}

/// What is paid for a line with its tax: its parts are no whole cents of the line.
fn with_tax(net: i64) -> i64 {
    net + (net * 19 + 50) / 100
}

/// A sale that is paid at once.
fn sell(rule: &Rule, net: i64, rounding: Rounding, standings: &mut Standings) -> Sold {
    let party = Party {
        attribution_id: AttributionId::from_uuid(Uuid::from_u128(1)),
        partner_id: PartnerId::from_uuid(Uuid::from_u128(1)),
        basis_points: 10_000,
        rank: 1,
        rule: Some(rule),
        considered: crate::kernel::commission::Shared::default(),
        eligible: Ok(()),
        closed_gates: &[],
        at_most: None,
        already_posted: cents(0),
        earlier: cents(0),
        standing: standings.of(&keys(rule)),
    };
    let input = LineInput {
        component: Component::Base,
        net: cents(net),
        goods: Goods::default(),
        service: None,
        invoice_total: cents(with_tax(net)),
        paid_before: cents(0),
        paid_after: cents(with_tax(net)),
        rounding,
        parties: vec![party],
    };
    let line = accrue_line(&input).unwrap().remove(0);
    standings.add(&keys(rule), line.growth, line.amount).unwrap();
    let Explanation::Accrual(accrual) = line.explanation else {
        panic!("an accrual explains itself as one");
    };
    Sold {
        payment: with_tax(net),
        earned: line.amount,
        progress: *accrual.entitlement.progress.unwrap(),
        refunded: 0,
        taken: cents(0),
    }
}

/// A refund of so much of a sale.
fn refund(rule: &Rule, sold: &mut Sold, units: i64, rounding: Rounding, standings: &mut Standings) {
    sold.refunded += units;
    let row = ExposedRow {
        commission_id: CommissionId::from_uuid(Uuid::from_u128(1)),
        refund_id: RefundId::from_uuid(Uuid::from_u128(1)),
        partner_id: PartnerId::from_uuid(Uuid::from_u128(1)),
        program_id: ProgramId::from_uuid(Uuid::from_u128(1)),
        amount: sold.earned,
        reversed: sold.taken,
        account: TakenFrom::Held,
        exchanged: None,
        payment: cents(sold.payment),
        refunded_cumulative: cents(sold.refunded),
        refund: cents(units),
        counted: Some((rule.terms().rule_id, sold.progress.clone())),
        paid_at: now(),
        refunded_at: now(),
        went_back_at: now(),
        rounding,
        window_days: None,
    };
    let clawed = work_out(std::slice::from_ref(&row), now()).unwrap().remove(0);
    let (growth, less) = shrinkage(&row, &clawed).unwrap();
    standings.add(&standings_of(&row), growth, less).unwrap();
    assert!(!clawed.amount.is_negative());
    sold.taken = sold.taken.checked_add(clawed.amount).unwrap();
}

fn any_mode() -> impl Strategy<Value = TierMode> {
    prop_oneof![
        Just(TierMode::Marginal),
        Just(TierMode::SlabProspective),
        Just(TierMode::SlabRetroactive)
    ]
}

/// A table that never pays less for more, as activation asks of those that rate everything anew.
fn any_table() -> impl Strategy<Value = Vec<(i64, i64)>> {
    let bounds = proptest::collection::btree_set(1i64..30_000, 0..4);
    (bounds, proptest::collection::vec(0i64..=1_000_000, 5)).prop_map(|(bounds, mut rates)| {
        rates.sort_unstable();
        std::iter::once(0).chain(bounds).zip(rates).collect()
    })
}

proptest! {
    /// "any partition of refunds claws back between 0 and C and exactly C when full; accrue then refund everything is the
    /// identity on every balance": under tiers and caps, whatever the order in which sales are refunded.
    #[test]
    fn any_partition_of_refunds_under_tiers_ends_at_nothing(
        mode in any_mode(), table in any_table(), cap in proptest::option::of(1i64..9_000),
        nets in proptest::collection::vec(1i64..20_000, 1..6), rounding in any_rounding(),
        order in proptest::collection::vec((any::<prop::sample::Index>(), 1i64..20_000), 0..14),
    ) {
        let rule = rule(mode, &table, cap);
        let mut standings = Standings::default();
        let mut sold: Vec<Sold> = nets.iter().map(|net| sell(&rule, *net, rounding, &mut standings)).collect();
        for (index, units) in order {
            let one = &mut sold[index.index(nets.len())];
            let units = units.min(one.payment - one.refunded);
            if units > 0 {
                refund(&rule, one, units, rounding, &mut standings);
                prop_assert!(one.taken.minor_units() <= one.earned.minor_units());
            }
        }
        for one in &mut sold {
            let left = one.payment - one.refunded;
            if left > 0 {
                refund(&rule, one, left, rounding, &mut standings);
            }
            prop_assert_eq!(one.taken, one.earned);
        }
        let end = standings.of(&keys(&rule));
        prop_assert!(end.volume.is_zero() && end.count.is_zero() && end.posted.is_zero() && end.cap_used.is_zero(),
            "{:?}", end);
    }

    /// "a retroactive true-up paid twice after a refund": what a later sale posts is what is due on what is left, and no
    /// more, whatever was refunded before.
    #[test]
    fn a_sale_after_refunds_brings_what_was_posted_to_what_the_rest_is_worth(
        rounding in any_rounding(), table in any_table(), nets in proptest::collection::vec(1i64..20_000, 2..6),
        last in 1i64..20_000,
    ) {
        let rule = rule(TierMode::SlabRetroactive, &table, None);
        let mut standings = Standings::default();
        let mut sold: Vec<Sold> =
            nets.iter().map(|net| sell(&rule, *net, rounding, &mut standings)).collect();
        let whole = sold[0].payment;
        refund(&rule, &mut sold[0], whole, rounding, &mut standings);
        let before = standings.of(&keys(&rule));
        sell(&rule, last, rounding, &mut standings);
        let after = standings.of(&keys(&rule));
        let volume = nets[1..].iter().sum::<i64>() + last;
        prop_assert_eq!(after.volume, Decimal::new(volume, 2));
        let rate = table.iter().rev().find(|(from, _)| *from <= volume).unwrap().1;
        let exact = i128::from(volume * rate);
        let nearby = i64::try_from(exact / 1_000_000).unwrap();
        let is_worth = |cents: &i64| rounds_to(rounding, exact, 1_000_000, i128::from(*cents));
        let worth = Decimal::new([nearby, nearby + 1].into_iter().find(is_worth).unwrap(), 2);
        // A sale takes nothing back, and makes up for what was posted too low as far as its own base goes.
        let due = (worth - before.posted).clamp(Decimal::ZERO, Decimal::new(last, 2));
        prop_assert_eq!(after.posted, before.posted + due);
    }
}
