use super::*;
use crate::kernel::money::MoneyError;

fn taken_back(original: i128, base: i128, refunded: i128, already: i128) -> i128 {
    let reversal = clawback(
        Refunded::More,
        cents(original),
        cents(base),
        cents(refunded),
        cents(already),
        Rounding::HalfUp,
    )
    .unwrap();
    assert_eq!(recompute(&reversal.explanation), Ok(reversal.amount));
    reversal.amount.minor_units()
}

#[test]
fn eighty_cents_are_not_taken_back_from_79() {
    let first = taken_back(79, 1_000, 400, 0);
    let second = taken_back(79, 1_000, 1_000, first);
    assert_eq!((first, second), (32, 47));
    assert_eq!(first + second, 79);
}

#[test]
fn a_partial_refund_does_not_void_the_whole_commission() {
    assert_eq!(taken_back(10_000, 100_000, 30_000, 0), 3_000);
}

#[test]
fn minus_five_splits_as_three_and_two_of_the_same_partners() {
    let rule = rule(1, "1");
    let parties = || vec![party(1, 7_000, &rule), party(2, 3_000, &rule)];
    assert_eq!(amounts(&line(cents(5), parties())), [cents(4), cents(1)]);
    let credit = CreditInput {
        service: None,
        component: Component::Base,
        credit: cents(5),
        rounding: Rounding::HalfUp,
        parties: parties(),
    };
    let lines: Vec<_> = credit_note_lines(&credit)
        .unwrap()
        .iter()
        .map(|line| line.amount)
        .collect();
    assert_eq!(lines, [cents(-4), cents(-1)]);
}

#[test]
fn the_same_refund_twice_takes_back_once() {
    assert_eq!(taken_back(79, 1_000, 400, 32), 0);
    assert_eq!(taken_back(79, 1_000, 1_000, 79), 0);
}

#[test]
fn more_refunded_than_paid_takes_back_no_more_than_was_earned() {
    assert_eq!(taken_back(79, 1_000, 5_000, 0), 79);
    assert_eq!(taken_back(79, 1_000, 5_000, 78), 1);
    assert_eq!(taken_back(79, 1_000, 5_000, 80), 0);
}

#[test]
fn a_refund_that_shrinks_re_instates_nothing() {
    assert_eq!(taken_back(79, 1_000, 100, 32), 0);
}

#[test]
fn nothing_is_taken_back_from_a_line_of_nothing_or_less() {
    assert_eq!(taken_back(0, 1_000, 1_000, 0), 0);
    assert_eq!(taken_back(-50, 1_000, 1_000, 0), 0);
    assert_eq!(taken_back(79, 1_000, 0, 0), 0);
    assert_eq!(taken_back(79, 1_000, -5, 0), 0);
}

#[test]
fn a_refund_of_no_payment_is_refused() {
    let refused = |base: Money, refunded: Money| {
        clawback(
            Refunded::More,
            usd("1"),
            base,
            refunded,
            usd("0"),
            Rounding::HalfUp,
        )
        .unwrap_err()
    };
    assert_eq!(
        refused(usd("0"), usd("0")),
        CommissionError::Money(MoneyError::DivisionByZero)
    );
    assert_eq!(
        refused(usd("-1"), usd("1")),
        CommissionError::Money(MoneyError::OutOfRange)
    );
    assert_eq!(
        refused(money("1", "EUR"), usd("1")),
        CommissionError::Money(MoneyError::CurrencyMismatch)
    );
    assert_eq!(
        refused(usd("1"), money("1", "EUR")),
        CommissionError::Money(MoneyError::CurrencyMismatch)
    );
}

#[test]
fn a_credit_note_takes_back_under_the_same_rule() {
    let (percent, flat) = (rule(1, "0.1"), flat_rule(2, &[usd("50")]));
    let mut suspended = party(3, 1_000, &flat);
    suspended.eligible = Err(IneligibleReason::PartnerSuspended);
    let credit = CreditInput {
        service: None,
        component: Component::Base,
        credit: usd("200.00"),
        rounding: Rounding::HalfUp,
        parties: vec![party(1, 6_000, &percent), party(2, 3_000, &flat), suspended],
    };
    let lines = credit_note_lines(&credit).unwrap();
    let seen: Vec<_> = lines.iter().map(|line| (line.amount, line.ineligible)).collect();
    assert_eq!(
        seen,
        [
            (usd("-12.00"), None),
            (usd("0"), Some(IneligibleReason::FlatRuleNotCredited)),
            (usd("0"), Some(IneligibleReason::PartnerSuspended)),
        ]
    );
    for line in &lines {
        assert_eq!(recompute(&line.explanation), Ok(line.amount));
    }
}

#[test]
fn cumulative_credits_add_up_to_one_credit_of_the_sum() {
    let rule = rule(1, "0.1");
    let credit = |credit: Money, already_posted: Money| {
        let parties = vec![Party {
            already_posted,
            ..party(1, 10_000, &rule)
        }];
        let input = CreditInput {
            service: None,
            component: Component::Base,
            credit,
            rounding: Rounding::HalfUp,
            parties,
        };
        credit_note_lines(&input).unwrap()[0].amount
    };
    assert_eq!(credit(usd("0.05"), usd("0")), usd("-0.01"));
    assert_eq!(credit(usd("0.10"), usd("-0.01")), usd("0"));
}

#[test]
fn what_comes_in_again_is_given_back_and_no_more() {
    let back = |original: i128, refunded: i128, already: i128| {
        let given = clawback(
            Refunded::Less,
            cents(original),
            cents(1_000),
            cents(refunded),
            cents(already),
            Rounding::HalfUp,
        )
        .unwrap();
        assert_eq!(recompute(&given.explanation), Ok(given.amount));
        given.amount.minor_units()
    };
    assert_eq!(back(79, 400, 79), -47);
    assert_eq!(back(79, 0, 32), -32);
    assert_eq!(back(79, 0, 0), 0);
    // Less was taken than is due: what stays refunded takes nothing more when money comes in.
    assert_eq!(back(79, 900, 10), 0);
}
