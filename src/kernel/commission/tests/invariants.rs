//! What must always hold, whatever the numbers.

use proptest::prelude::*;

use super::*;
use crate::kernel::money::reference::{any_rounding, rounds_to};

fn any_currency() -> impl Strategy<Value = Currency> {
    proptest::sample::select(vec!["JPY", "USD", "KWD", "CLF"])
        .prop_map(|code| Currency::from_code(code).unwrap())
}

fn any_rule(number: u128) -> impl Strategy<Value = Rule> {
    let flat = (0i128..100_000).prop_map(|minor| {
        let currencies = ["JPY", "USD", "KWD", "CLF"].map(|code| Currency::from_code(code).unwrap());
        let amounts = currencies.map(|currency| Money::from_minor_units(minor, currency).unwrap());
        Formula::Flat {
            amounts: amounts.to_vec(),
            per: FlatPer::Line,
        }
    });
    let percent = (0i64..=1_000_000).prop_map(|millionths| {
        let rate = rust_decimal::Decimal::new(millionths, 6);
        percentage(&rate.to_string())
    });
    prop_oneof![1 => flat, 3 => percent].prop_map(move |formula| Rule::new(terms(number, formula)).unwrap())
}

/// Shares that leave a rest or none, with distinct ranks in any order.
fn any_shares() -> impl Strategy<Value = Vec<(u32, i32)>> {
    (
        proptest::collection::vec(0u32..=10_000, 1..6),
        any::<bool>(),
        any::<u64>(),
    )
        .prop_map(|(mut cuts, all, turn)| {
            cuts.sort_unstable();
            if all && let Some(last) = cuts.last_mut() {
                *last = 10_000;
            }
            let count = cuts.len();
            let mut previous = 0;
            let share = |(index, cut): (usize, u32)| {
                let basis_points = cut - previous;
                previous = cut;
                (basis_points, ((index + turn as usize % count) % count) as i32)
            };
            cuts.into_iter().enumerate().map(share).collect()
        })
}

#[derive(Debug, Clone)]
struct Case {
    currency: Currency,
    rules: Vec<Rule>,
    shares: Vec<(u32, i32)>,
    rounding: Rounding,
    net: i128,
    total: i128,
    /// The cumulative payments in rising order, the last of which is the total.
    payments: Vec<i128>,
}

impl Case {
    fn money(&self, minor_units: i128) -> Money {
        Money::from_minor_units(minor_units, self.currency).unwrap()
    }

    /// Parties of which every second follows the second rule.
    fn parties(&self) -> Vec<Party<'_>> {
        let party = |(index, &(basis_points, rank)): (usize, &(u32, i32))| {
            let rule = &self.rules[index % self.rules.len()];
            Party {
                already_posted: self.money(0),
                ..party(rank, basis_points, rule)
            }
        };
        self.shares.iter().enumerate().map(party).collect()
    }

    fn input(&self) -> LineInput<'_> {
        LineInput {
            goods: Goods::default(),
            service: None,
            component: Component::Base,
            net: self.money(self.net),
            invoice_total: self.money(self.total),
            paid_before: self.money(0),
            paid_after: self.money(self.total),
            rounding: self.rounding,
            parties: self.parties(),
        }
    }

    /// Posts the payments one after the other: the postings of each party, with what was paid.
    fn post_payments(&self) -> Vec<Vec<(Money, Money)>> {
        let mut input = self.input();
        let mut postings = vec![Vec::new(); input.parties.len()];
        let mut paid = self.money(0);
        for cumulative in &self.payments {
            input.paid_before = paid;
            input.paid_after = self.money(*cumulative);
            let accruals = accrue_line(&input).unwrap();
            let payment = input.paid_after.checked_sub(paid).unwrap();
            for (index, accrual) in accruals.iter().enumerate() {
                assert_eq!(recompute(&accrual.explanation), Ok(accrual.amount));
                let posted = &mut input.parties[index].already_posted;
                *posted = posted.checked_add(accrual.amount).unwrap();
                postings[index].push((accrual.amount, payment));
            }
            paid = input.paid_after;
        }
        postings
    }
}

prop_compose! {
    fn any_case()(
        currency in any_currency(),
        rules in (any_rule(1), any_rule(2), any::<bool>()),
        shares in any_shares(),
        rounding in any_rounding(),
        net in prop_oneof![1i128..500, -1_000i128..1_000_000_000, Just(10i128.pow(15) - 1)],
        total in prop_oneof![1i128..500, 1i128..1_000_000_000, Just(10i128.pow(15) - 1)],
        cuts in proptest::collection::vec(0u32..=1_000_000, 0..5),
    ) -> Case {
        let mut payments: Vec<i128> = cuts.iter().map(|cut| total * i128::from(*cut) / 1_000_000).collect();
        payments.push(total);
        payments.sort_unstable();
        let (first, second, both) = rules;
        let rules = if both { vec![first, second] } else { vec![first] };
        Case { currency, rules, shares, rounding, net, total, payments }
    }
}

fn sum(amounts: impl IntoIterator<Item = Money>) -> i128 {
    amounts.into_iter().map(Money::minor_units).sum()
}

proptest! {
    #[test]
    fn shares_add_up_to_the_pool_and_each_is_within_one_unit(case in any_case()) {
        let accruals = accrue_line(&case.input()).unwrap();
        for (accrual, (basis_points, _)) in accruals.iter().zip(&case.shares) {
            let pool = whole(accrual.rule.unwrap(), case.money(case.net), case.rounding).unwrap();
            prop_assert!(pool.minor_units() <= case.net.max(0) && !pool.is_negative());
            let exact = pool.minor_units() * i128::from(*basis_points);
            prop_assert!((accrual.amount.minor_units() * 10_000 - exact).abs() < 10_000);
        }
        let given: u32 = case.shares.iter().map(|share| share.0).sum();
        if case.rules.len() == 1 && given == 10_000 {
            let pool = whole(&case.rules[0], case.money(case.net), case.rounding);
            prop_assert_eq!(sum(accruals.iter().map(|accrual| accrual.amount)), pool.unwrap().minor_units());
        }
    }

    #[test]
    fn the_order_of_the_parties_does_not_matter(case in any_case(), turn in 0usize..6) {
        let by_rank = |input: &LineInput<'_>| {
            let accruals = accrue_line(input).unwrap();
            let mut amounts: Vec<_> = input.parties.iter().map(|party| party.rank).zip(accruals.iter().map(|accrual| accrual.amount)).collect();
            amounts.sort_unstable_by_key(|pair| pair.0);
            amounts
        };
        let straight = case.input();
        let mut turned = case.input();
        let count = turned.parties.len();
        turned.parties.rotate_left(turn % count);
        turned.parties.reverse();
        prop_assert_eq!(by_rank(&straight), by_rank(&turned));
    }

    #[test]
    fn any_partition_of_payments_accrues_the_same_total(case in any_case()) {
        let whole = amounts(&case.input());
        for (postings, whole) in case.post_payments().into_iter().zip(whole) {
            prop_assert!(postings.iter().all(|(amount, _)| !amount.is_negative()));
            prop_assert_eq!(sum(postings.into_iter().map(|(amount, _)| amount)), whole.minor_units());
        }
    }

    #[test]
    fn accruing_and_refunding_everything_is_the_identity(case in any_case(), cut in 0u32..=1_000_000) {
        for postings in case.post_payments() {
            let mut balance = 0;
            for (original, payment) in postings.into_iter().filter(|(_, payment)| payment.is_positive()) {
                balance += original.minor_units();
                let part = case.money(payment.minor_units() * i128::from(cut) / 1_000_000);
                let mut taken = case.money(0);
                for refunded in [part, payment] {
                    let entry = clawback(Refunded::More, original, payment, refunded, taken, case.rounding).unwrap();
                    prop_assert_eq!(recompute(&entry.explanation), Ok(entry.amount));
                    taken = taken.checked_add(entry.amount).unwrap();
                }
                prop_assert_eq!(taken, original);
                balance -= taken.minor_units();
            }
            prop_assert_eq!(balance, 0);
        }
    }

    /// However money goes and comes, what was taken is what is due on what stays refunded.
    #[test]
    fn whatever_goes_back_and_comes_in_again_what_is_taken_is_what_is_due(
        original in 0i128..1_000_000, base in 1i128..1_000_000,
        stays in proptest::collection::vec(0u32..=1_000_000, 1..12), rounding in any_rounding(),
    ) {
        let (mut refunded, mut taken) = (0, cents(0));
        for part in stays.into_iter().chain([0]) {
            let next = base * i128::from(part) / 1_000_000;
            let went = Refunded::by(cents(next - refunded));
            refunded = next;
            let entry = clawback(went, cents(original), cents(base), cents(refunded), taken, rounding).unwrap();
            prop_assert_eq!(recompute(&entry.explanation), Ok(entry.amount));
            taken = taken.checked_add(entry.amount).unwrap();
            prop_assert!(rounds_to(rounding, original * refunded, base, taken.minor_units()));
        }
        prop_assert_eq!(taken, cents(0));
    }

    #[test]
    fn any_partition_of_refunds_takes_back_at_most_the_commission(
        original in 0i128..1_000_000, base in 1i128..1_000_000,
        mut refunds in proptest::collection::vec(-10i128..1_200_000, 1..8), rounding in any_rounding(),
    ) {
        let full = refunds.iter().any(|refund| *refund >= base);
        refunds.sort_unstable();
        let mut taken = cents(0);
        for refunded in refunds {
            let entry = clawback(Refunded::More, cents(original), cents(base), cents(refunded), taken, rounding).unwrap();
            prop_assert!(!entry.amount.is_negative());
            taken = taken.checked_add(entry.amount).unwrap();
            prop_assert!(taken.minor_units() <= original);
            let exact = original * refunded.clamp(0, base);
            prop_assert!(rounds_to(rounding, exact, base, taken.minor_units()));
        }
        if full {
            prop_assert_eq!(taken, cents(original));
        }
    }

    #[test]
    fn a_credit_of_the_whole_line_mirrors_its_accrual(case in any_case()) {
        let accruals = accrue_line(&case.input()).unwrap();
        let credit = CreditInput {
            service: None,
            component: Component::Base,
            credit: case.money(case.net),
            rounding: case.rounding,
            parties: case.parties(),
        };
        for (line, accrual) in credit_note_lines(&credit).unwrap().iter().zip(&accruals) {
            prop_assert_eq!(recompute(&line.explanation), Ok(line.amount));
            let flat = matches!(accrual.rule.unwrap().terms().formula, Formula::Flat { .. });
            let expected = if flat { case.money(0) } else { accrual.amount.checked_neg().unwrap() };
            prop_assert_eq!(line.amount, expected);
        }
    }

    #[test]
    fn the_same_snapshot_gives_the_same_result_and_survives_storage(case in any_case()) {
        let (once, again) = (accrue_line(&case.input()).unwrap(), accrue_line(&case.input()).unwrap());
        for (one, other) in once.iter().zip(&again) {
            prop_assert_eq!(&one.explanation, &other.explanation);
            let stored = serde_json::to_value(&one.explanation).unwrap();
            let read: Explanation = serde_json::from_value(stored).unwrap();
            prop_assert_eq!(&read, &one.explanation);
            prop_assert_eq!(recompute(&read), Ok(one.amount));
            prop_assert_eq!(read.amount(), Ok(one.amount));
            let rebuilt = Rule::new(one.rule.unwrap().terms().clone()).unwrap();
            prop_assert_eq!(rebuilt.hash(), one.rule.unwrap().hash());
            prop_assert_eq!(one.amount.is_zero(), one.ineligible == Some(IneligibleReason::ZeroAmount));
        }
    }

    #[test]
    fn values_at_the_edge_of_the_type_never_wrap(
        minors in proptest::array::uniform5(prop_oneof![
            Just(10i128.pow(17) - 1), Just(1 - 10i128.pow(17)), Just(0i128), Just(1), -10i128.pow(17) + 1..10i128.pow(17),
        ]),
        rule in any_rule(1),
        rounding in any_rounding(),
    ) {
        let [net, total, before, after, posted] = minors.map(cents);
        let mut input = line(net, vec![Party { already_posted: posted, ..party(1, 10_000, &rule) }]);
        (input.invoice_total, input.paid_before, input.paid_after, input.rounding) = (total, before, after, rounding);
        if let Ok(accruals) = accrue_line(&input) {
            let pool = accruals[0].entitled.minor_units();
            prop_assert!((0..=net.minor_units().max(0)).contains(&pool));
            let target = accruals[0].amount.minor_units() + posted.minor_units();
            prop_assert!((0..=pool).contains(&target), "target {target} of {pool}");
        }
        if let Ok(entry) = clawback(Refunded::More, net, total, before, after, rounding) {
            prop_assert!(!entry.amount.is_negative());
            let left = net.minor_units() - after.minor_units();
            prop_assert!(entry.amount.minor_units() <= left.max(0));
        }
    }
}
