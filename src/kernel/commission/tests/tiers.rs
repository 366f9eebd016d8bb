//! Tiers against a plain, slow reference: every cent is rated by itself.

use chrono::NaiveDate;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::kernel::money::reference::any_rounding;

/// Bounds in cents with rates in millionths.
type Table = Vec<(i64, i64)>;

fn tier(from: i64, rate: i64) -> Tier {
    Tier {
        from: Decimal::new(from, 2),
        rate: crate::kernel::rate::Rate::new(Decimal::new(rate, 6)).unwrap(),
        amount: Decimal::ZERO,
        unit_amount: Decimal::ZERO,
    }
}

fn tiers(mode: TierMode, scope: TierScope, table: &[(i64, i64)]) -> Tiers {
    Tiers {
        currency: Currency::USD,
        tier_mode: mode,
        tier_scope: scope,
        tier_metric: TierMetric::NetPaidBase,
        tiers: table.iter().map(|(from, rate)| tier(*from, *rate)).collect(),
    }
}

fn tiered(mode: TierMode, scope: TierScope, table: &[(i64, i64)]) -> Rule {
    Rule::new(terms(1, Formula::Tiered(tiers(mode, scope, table)))).unwrap()
}

/// The rate of the band that a volume lies in, in millionths.
fn rate_at(table: &Table, cents: i64) -> i64 {
    table.iter().rev().find(|(from, _)| *from <= cents).unwrap().1
}

/// f(V): every cent earns by the band in which it lies. In millionths of a cent.
fn marginal(table: &Table, cents: i64) -> i64 {
    (0..cents).map(|cent| rate_at(table, cent)).sum()
}

/// Half away from zero.
fn rounded(millionths: i64) -> i64 {
    (millionths + 500_000) / 1_000_000
}

/// One line that is paid in full, and what became of the standing.
fn sale(rule: &Rule, standing: &Standing, net: i64) -> (i64, Standing) {
    let mut only = party(1, 10_000, rule);
    only.standing = standing.clone();
    let mut accruals = accrue_line(&line(cents(net.into()), vec![only])).unwrap();
    let accrual = accruals.remove(0);
    assert_eq!(recompute(&accrual.explanation).unwrap(), accrual.amount);
    let posted = i64::try_from(accrual.amount.minor_units()).unwrap();
    (posted, after(standing, accrual.growth, accrual.amount))
}

fn after(standing: &Standing, growth: Growth, posted: Money) -> Standing {
    Standing {
        volume: standing.volume + growth.volume,
        count: standing.count + growth.count,
        exact: standing.exact + growth.exact,
        posted: standing.posted + posted.amount(),
        cap_used: standing.cap_used + posted.amount(),
        ..standing.clone()
    }
}

fn sales(rule: &Rule, nets: &[i64]) -> (Vec<i64>, Standing) {
    let mut standing = Standing::default();
    let posted = nets.iter().map(|net| {
        let (posted, next) = sale(rule, &standing, *net);
        standing = next;
        posted
    });
    (posted.collect(), standing)
}

fn any_table() -> impl Strategy<Value = Table> {
    (
        proptest::collection::btree_set(1i64..3_000, 0..4),
        proptest::collection::vec(0i64..=1_000_000, 5),
    )
        .prop_map(|(bounds, rates)| std::iter::once(0).chain(bounds).zip(rates).collect())
}

/// A table that never pays less for more.
fn rising_table() -> impl Strategy<Value = Table> {
    any_table().prop_map(|table| {
        let mut rates: Vec<i64> = table.iter().map(|(_, rate)| *rate).collect();
        rates.sort_unstable();
        table.iter().map(|(from, _)| *from).zip(rates).collect()
    })
}

fn any_nets() -> impl Strategy<Value = Vec<i64>> {
    proptest::collection::vec(1i64..1_500, 1..7)
}

/// Half to the even cent, or to the cent that is full.
fn rounded_as(rounding: Rounding, millionths: i64) -> i64 {
    let (whole, rest) = (millionths / 1_000_000, millionths % 1_000_000);
    match (rounding, rest.cmp(&500_000)) {
        (Rounding::HalfUp, _) => rounded(millionths),
        (Rounding::Down, _) | (_, std::cmp::Ordering::Less) => whole,
        (_, std::cmp::Ordering::Greater) => whole + 1,
        (_, std::cmp::Ordering::Equal) => whole + whole % 2,
    }
}

/// Lines that come in one after the other, each paid in full, in a program that rounds so.
fn sales_rounded(rounding: Rounding, rule: &Rule, nets: &[i64]) -> Vec<i64> {
    let mut standing = Standing::default();
    let mut post = |net: &i64| {
        let mut only = party(1, 10_000, rule);
        only.standing = standing.clone();
        let mut input = line(cents((*net).into()), vec![only]);
        input.rounding = rounding;
        let accrual = accrue_line(&input).unwrap().remove(0);
        assert_eq!(recompute(&accrual.explanation).unwrap(), accrual.amount);
        standing = after(&standing, accrual.growth, accrual.amount);
        i64::try_from(accrual.amount.minor_units()).unwrap()
    };
    nets.iter().map(&mut post).collect()
}

/// Rates in half percents, so that half a cent is met again and again.
fn in_halves(table: Table) -> Table {
    let rates = table.into_iter().map(|(from, rate)| (from, rate / 5_000 * 5_000));
    rates.collect()
}

proptest! {
    /// "`half_even` as an option of the program", and `down`: the table is rounded so once, whatever the partition.
    #[test]
    fn each_rounding_rounds_the_table_once_in_every_mode(
        rounding in any_rounding(), table in any_table().prop_map(in_halves), nets in any_nets(),
    ) {
        let volume: i64 = nets.iter().sum();
        let rule = tiered(TierMode::Marginal, TierScope::Quarter, &table);
        let posted: i64 = sales_rounded(rounding, &rule, &nets).iter().sum();
        prop_assert_eq!(posted, rounded_as(rounding, marginal(&table, volume)));
        let rule = tiered(TierMode::SlabProspective, TierScope::Year, &table);
        let mut counted = 0;
        let exact: i64 = nets.iter().map(|net| {
            counted += net;
            net * rate_at(&table, counted)
        }).sum();
        prop_assert_eq!(sales_rounded(rounding, &rule, &nets).iter().sum::<i64>(), rounded_as(rounding, exact));
        let rule = tiered(TierMode::SlabPerLine, TierScope::Line, &table);
        for (net, posted) in nets.iter().zip(sales_rounded(rounding, &rule, &nets)) {
            prop_assert_eq!(posted, rounded_as(rounding, net * rate_at(&table, *net)));
        }
    }

    /// The same for tables that rate everything anew and never pay less for more.
    #[test]
    fn each_rounding_rounds_the_rate_that_was_reached(
        rounding in any_rounding(), table in rising_table().prop_map(in_halves), nets in any_nets(),
    ) {
        let rule = tiered(TierMode::SlabRetroactive, TierScope::Lifetime, &table);
        let (mut volume, mut sum) = (0, 0);
        for (net, posted) in nets.iter().zip(sales_rounded(rounding, &rule, &nets)) {
            volume += net;
            // A line makes up for what was posted too low before, as far as its own base goes.
            let due = rounded_as(rounding, volume * rate_at(&table, volume)) - sum;
            prop_assert_eq!(posted, due.clamp(0, *net));
            sum += posted;
        }
    }
}

proptest! {
    /// "marginal lines sum to round(f(V)) for any partition"
    #[test]
    fn marginal_lines_sum_to_the_rounded_table_for_any_partition(table in any_table(), nets in any_nets()) {
        let rule = tiered(TierMode::Marginal, TierScope::Quarter, &table);
        let (posted, standing) = sales(&rule, &nets);
        let volume: i64 = nets.iter().sum();
        prop_assert_eq!(posted.iter().sum::<i64>(), rounded(marginal(&table, volume)));
        prop_assert_eq!(standing.volume, Decimal::new(volume, 2));
    }

    #[test]
    fn retroactive_lines_sum_to_the_rate_that_was_reached(table in rising_table(), nets in any_nets()) {
        let rule = tiered(TierMode::SlabRetroactive, TierScope::Year, &table);
        prop_assert_eq!(rule.terms().formula.tiers().unwrap().falls_at(), None);
        let (posted, _) = sales(&rule, &nets);
        let volume: i64 = nets.iter().sum();
        let target = rounded(volume * rate_at(&table, volume));
        // What a line may not exceed its own base by is made up for by the next one.
        prop_assert!(posted.iter().zip(&nets).all(|(posted, net)| (0..=*net).contains(posted)));
        let one_by_one = nets.iter().scan((0, 0), |(volume, sum), net| {
            *volume += net;
            let due = (rounded(*volume * rate_at(&table, *volume)) - *sum).clamp(0, *net);
            *sum += due;
            Some(due)
        });
        prop_assert_eq!(&posted, &one_by_one.collect::<Vec<_>>());
        prop_assert!(posted.iter().sum::<i64>() <= target);
    }

    #[test]
    fn prospective_lines_earn_by_the_band_that_they_reach(table in any_table(), nets in any_nets()) {
        let rule = tiered(TierMode::SlabProspective, TierScope::Lifetime, &table);
        let (posted, _) = sales(&rule, &nets);
        let (mut volume, mut exact) = (0, 0);
        for (posted, net) in posted.iter().zip(&nets) {
            volume += net;
            let before = rounded(exact);
            exact += net * rate_at(&table, volume);
            prop_assert_eq!(*posted, rounded(exact) - before);
        }
    }

    #[test]
    fn slabs_per_line_rate_each_line_by_itself(table in any_table(), nets in any_nets()) {
        let rule = tiered(TierMode::SlabPerLine, TierScope::Line, &table);
        let (posted, _) = sales(&rule, &nets);
        let expected: Vec<i64> = nets.iter().map(|net| rounded(net * rate_at(&table, *net))).collect();
        prop_assert_eq!(posted, expected);
    }

    /// "any partition of payments accrues the same total", with tiers too.
    #[test]
    fn any_partition_of_payments_accrues_the_same_total_under_tiers(
        table in any_table(),
        net in 1i64..3_000,
        before in 0i64..3_000,
        cuts in proptest::collection::btree_set(1i64..2_999, 0..4),
        cumulative in any::<bool>(),
    ) {
        let (mode, scope) = if cumulative {
            (TierMode::Marginal, TierScope::Month)
        } else {
            (TierMode::Marginal, TierScope::Line)
        };
        let rule = tiered(mode, scope, &table);
        let (_, start) = if before == 0 { (0, Standing::default()) } else { sale(&rule, &Standing::default(), before) };
        let (at_once, _) = sale(&rule, &start, net);
        let mut standing = start;
        let (mut paid, mut posted, mut sum) = (0, 0, 0);
        for upto in cuts.into_iter().filter(|cut| *cut < net).chain([net]) {
            let mut only = party(1, 10_000, &rule);
            only.standing = standing.clone();
            only.already_posted = cents(posted);
            let mut input = line(cents(net.into()), vec![only]);
            input.paid_before = cents(paid.into());
            input.paid_after = cents(upto.into());
            let accrual = accrue_line(&input).unwrap().remove(0);
            prop_assert_eq!(recompute(&accrual.explanation).unwrap(), accrual.amount);
            standing = after(&standing, accrual.growth, accrual.amount);
            (paid, posted, sum) = (upto, posted + accrual.amount.minor_units(), sum + accrual.amount.minor_units());
        }
        prop_assert_eq!(sum, i128::from(at_once));
    }

    /// "boundary, boundary plus and minus one unit"
    #[test]
    fn a_volume_on_a_bound_belongs_to_the_higher_band(table in any_table()) {
        let rule = tiered(TierMode::SlabPerLine, TierScope::Line, &table);
        for (from, _) in table.iter().filter(|(from, _)| *from > 1) {
            for net in [from - 1, *from, from + 1] {
                let (posted, _) = sale(&rule, &Standing::default(), net);
                prop_assert_eq!(posted, rounded(net * rate_at(&table, net)));
            }
        }
    }

    /// Under tiers the base is shared, and each partner earns on its own part of it.
    #[test]
    fn each_partner_earns_on_its_own_part_of_the_base(table in any_table(), net in 1i64..3_000, share in 1u32..10_000) {
        let rule = tiered(TierMode::Marginal, TierScope::Month, &table);
        let parties = vec![party(1, share, &rule), party(2, 10_000 - share, &rule)];
        let accruals = accrue_line(&line(cents(net.into()), parties)).unwrap();
        let own: i64 = accruals.iter().map(|accrual| i64::try_from(accrual.growth.volume.mantissa()).unwrap()).sum();
        prop_assert_eq!(own, net);
        for accrual in &accruals {
            let volume = i64::try_from(accrual.growth.volume.mantissa()).unwrap();
            prop_assert_eq!(accrual.amount.minor_units(), i128::from(rounded(marginal(&table, volume))));
        }
    }

    #[test]
    fn a_credit_unwinds_what_a_sale_earned(table in any_table(), nets in any_nets(), net in 1i64..1_500) {
        for mode in [TierMode::Marginal, TierMode::SlabPerLine] {
            let scope = if mode == TierMode::Marginal { TierScope::Year } else { TierScope::Line };
            let rule = tiered(mode, scope, &table);
            let (_, standing) = sales(&rule, &nets);
            let (earned, standing) = sale(&rule, &standing, net);
            let mut only = party(1, 10_000, &rule);
            only.standing = standing;
            let input = CreditInput {
                component: Component::Base,
                credit: cents(net.into()),
                service: None,
                rounding: Rounding::HalfUp,
                parties: vec![only],
            };
            let credit = credit_note_lines(&input).unwrap().remove(0);
            prop_assert_eq!(credit.amount.minor_units(), -i128::from(earned));
            prop_assert_eq!(recompute(&credit.explanation).unwrap(), credit.amount);
        }
    }
}

const STEPS: &[(i64, i64)] = &[
    (0, 10_000),
    (100_000, 20_000),
    (300_000, 30_000),
    (800_000, 50_000),
];

/// "the same table pays 164 or 285 on the same six sales"
#[test]
fn the_scope_makes_the_difference_between_164_and_285() {
    let nets = [20_000, 30_000, 150_000, 120_000, 200_000, 450_000];
    let per_line = tiered(TierMode::Marginal, TierScope::Line, STEPS);
    let (posted, _) = sales(&per_line, &nets);
    assert_eq!(posted, [200, 300, 2_000, 1_400, 3_000, 9_500]);
    assert_eq!(posted.iter().sum::<i64>(), 16_400);
    let per_quarter = tiered(TierMode::Marginal, TierScope::Quarter, STEPS);
    assert_eq!(sales(&per_quarter, &nets).0.iter().sum::<i64>(), 28_500);
}

/// Known from other systems: an amount between two closed bands earns nothing.
#[test]
fn an_amount_between_two_closed_bands_earning_nothing() {
    let rule = tiered(
        TierMode::SlabPerLine,
        TierScope::Line,
        &[(0, 100_000), (10_000, 200_000), (16_600, 300_000)],
    );
    assert_eq!(sale(&rule, &Standing::default(), 16_599).0, 3_320);
    assert_eq!(sale(&rule, &Standing::default(), 16_600).0, 4_980);
    for wrong in [vec![(1, 100_000)], vec![(0, 1), (500, 2), (500, 3)], vec![]] {
        let formula = Formula::Tiered(tiers(TierMode::Marginal, TierScope::Line, &wrong));
        assert!(Rule::new(terms(1, formula)).is_err());
    }
}

/// Known from other systems: a retroactive true-up is paid twice after a refund.
#[test]
fn a_retroactive_true_up_paid_twice_after_a_refund() {
    let rule = tiered(
        TierMode::SlabRetroactive,
        TierScope::Quarter,
        &[(0, 100_000), (100_000, 200_000)],
    );
    let (posted, standing) = sales(&rule, &[60_000, 60_000]);
    assert_eq!(posted, [6_000, 18_000]);
    // The second sale is refunded in full: its line is taken back whole, and its volume goes with it.
    let growth = Growth {
        volume: Decimal::new(-60_000, 2),
        count: -Decimal::ONE,
        exact: Decimal::ZERO,
    };
    let refunded = after(&standing, growth, cents(-18_000));
    assert_eq!(sale(&rule, &refunded, 60_000).0, 18_000);
    // And again: never more than the rate of what was kept.
    let (third, _) = sale(&rule, &after(&refunded, Growth::default(), cents(0)), 10_000);
    assert_eq!(third, 1_000);
}

#[test]
fn a_table_that_pays_less_for_more_is_told() {
    let falling = tiers(
        TierMode::SlabRetroactive,
        TierScope::Year,
        &[(0, 100_000), (50_000, 90_000)],
    );
    assert_eq!(falling.falls_at(), Some(Decimal::new(50_000, 2)));
    let marginal = Tiers {
        tier_mode: TierMode::Marginal,
        ..falling
    };
    assert_eq!(marginal.falls_at(), None);
}

#[test]
fn a_mode_or_metric_that_makes_no_sense_is_refused() {
    let formula = |tiers| Rule::new(terms(1, Formula::Tiered(tiers))).err();
    let beyond = tiers(TierMode::SlabPerLine, TierScope::Month, &[(0, 1)]);
    assert_eq!(formula(beyond), Some(RuleError::PerLineBeyondLine));
    let counted = Tiers {
        tier_metric: TierMetric::Count,
        ..tiers(TierMode::Marginal, TierScope::Month, &[(0, 1)])
    };
    assert_eq!(formula(counted), Some(RuleError::TierMetricMismatch));
}

#[test]
fn values_at_the_edge_are_errors_and_never_wrap() {
    let rule = tiered(TierMode::Marginal, TierScope::Lifetime, &[(0, 1_000_000)]);
    let largest = usd("999999999999999.99");
    let full = accrue_line(&line(largest, vec![party(1, 10_000, &rule)])).unwrap();
    assert_eq!(full[0].amount, largest);
    let mut next = party(1, 10_000, &rule);
    next.standing = after(&Standing::default(), full[0].growth, largest);
    assert!(accrue_line(&line(largest, vec![next])).is_err());
}

#[test]
fn periods_are_named_by_their_first_day() {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let of = |scope: TierScope, text: &str| scope.period(day(text), Some(day("2024-02-29")));
    assert_eq!(of(TierScope::Month, "2026-03-31"), "month:2026-03-01");
    assert_eq!(of(TierScope::Quarter, "2026-06-30"), "quarter:2026-04-01");
    assert_eq!(of(TierScope::Quarter, "2026-07-01"), "quarter:2026-07-01");
    assert_eq!(of(TierScope::Year, "2026-12-31"), "year:2026-01-01");
    assert_eq!(of(TierScope::Anniversary, "2026-02-27"), "anniversary:2025-02-28");
    assert_eq!(of(TierScope::Anniversary, "2026-02-28"), "anniversary:2026-02-28");
    assert_eq!(of(TierScope::Anniversary, "2024-02-28"), "anniversary:2023-02-28");
    assert_eq!(of(TierScope::Lifetime, "2026-02-28"), "lifetime");
}
