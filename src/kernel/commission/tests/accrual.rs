use super::*;
use crate::kernel::money::MoneyError;

#[test]
fn a_payment_in_full_earns_the_whole_commission() {
    let rule = rule(1, "0.125");
    let input = line(usd("1000.00"), vec![party(1, 10_000, &rule)]);
    let accruals = accrue_line(&input).unwrap();
    assert_eq!(accruals.len(), 1);
    assert_eq!(
        (accruals[0].entitled, accruals[0].amount),
        (usd("125.00"), usd("125.00"))
    );
    assert_eq!(accruals[0].ineligible, None);
    assert_eq!(accruals[0].rule.unwrap().terms().hold_days, 30);
}

#[test]
fn a_part_payment_earns_in_proportion_to_the_invoice() {
    let rule = rule(1, "0.1");
    let mut input = line(usd("1000.00"), vec![party(1, 10_000, &rule)]);
    input.invoice_total = usd("1190.00");
    input.paid_after = usd("595.00");
    assert_eq!(amounts(&input), [usd("50.00")]);
    input.paid_before = usd("595.00");
    input.paid_after = usd("1190.00");
    input.parties[0].already_posted = usd("50.00");
    assert_eq!(amounts(&input), [usd("50.00")]);
}

#[test]
fn more_money_than_the_invoice_earns_no_more() {
    let rule = rule(1, "0.1");
    let mut input = line(usd("100.00"), vec![party(1, 10_000, &rule)]);
    input.paid_after = usd("150.00");
    assert_eq!(amounts(&input), [usd("10.00")]);
}

#[test]
fn an_invoice_of_nothing_earns_at_once_and_a_negative_one_never() {
    let rule = rule(1, "0.1");
    let mut input = line(usd("100.00"), vec![party(1, 10_000, &rule)]);
    (input.invoice_total, input.paid_after) = (usd("0"), usd("0"));
    assert_eq!(amounts(&input), [usd("10.00")]);
    input.invoice_total = usd("-5.00");
    assert_eq!(amounts(&input), [usd("0.00")]);
}

#[test]
fn a_line_of_nothing_or_less_is_a_zero_line_with_the_reason() {
    let rules = [rule(1, "0.1"), flat_rule(2, &[usd("5")])];
    for rule in &rules {
        for net in ["0", "-20.00"] {
            let mut input = line(usd(net), vec![party(1, 10_000, rule)]);
            (input.invoice_total, input.paid_after) = (usd("100"), usd("100"));
            let accruals = accrue_line(&input).unwrap();
            assert_eq!(accruals[0].amount, usd("0"));
            assert_eq!(accruals[0].ineligible, Some(IneligibleReason::ZeroAmount));
        }
    }
}

#[test]
fn a_flat_amount_is_that_of_the_currency_and_at_most_the_base() {
    let rule = flat_rule(1, &[usd("50"), money("45", "EUR")]);
    assert_eq!(
        amounts(&line(usd("1000"), vec![party(1, 10_000, &rule)])),
        [usd("50")]
    );
    assert_eq!(
        amounts(&line(usd("30"), vec![party(1, 10_000, &rule)])),
        [usd("30")]
    );
    let mut yen = party(1, 10_000, &rule);
    yen.already_posted = money("0", "JPY");
    let accruals = accrue_line(&line(money("9000", "JPY"), vec![yen])).unwrap();
    assert_eq!(accruals[0].amount, money("0", "JPY"));
    assert_eq!(
        accruals[0].ineligible,
        Some(IneligibleReason::NoFlatAmountInCurrency)
    );
}

#[test]
fn whoever_may_not_earn_gets_zero_and_leaves_the_others_alone() {
    let rule = rule(1, "0.1");
    let mut suspended = party(1, 5_000, &rule);
    suspended.eligible = Err(IneligibleReason::PartnerSuspended);
    let mut without_rule = party(2, 3_000, &rule);
    without_rule.rule = None;
    let accruals = accrue_line(&line(
        usd("1000"),
        vec![suspended, without_rule, party(3, 2_000, &rule)],
    ))
    .unwrap();
    let lines: Vec<_> = accruals
        .iter()
        .map(|accrual| (accrual.amount, accrual.ineligible))
        .collect();
    assert_eq!(
        lines,
        [
            (usd("0"), Some(IneligibleReason::PartnerSuspended)),
            (usd("0"), Some(IneligibleReason::NoRule)),
            (usd("20"), None),
        ]
    );
}

#[test]
fn each_partner_takes_its_share_of_the_pool_of_its_own_rule() {
    let (ten, twenty) = (rule(1, "0.1"), rule(2, "0.2"));
    let together = line(usd("0.25"), vec![party(1, 5_000, &ten), party(2, 5_000, &twenty)]);
    // Pools of 3 and 5 cents; rank 1 takes the spare cent of the first, rank 2 none of the second.
    assert_eq!(amounts(&together), [cents(2), cents(2)]);
    let same_for_the_first = line(usd("0.25"), vec![party(1, 5_000, &ten), party(2, 5_000, &ten)]);
    assert_eq!(amounts(&same_for_the_first), [cents(2), cents(1)]);
}

#[test]
fn spare_cents_do_not_go_to_whoever_is_listed_first() {
    let rule = rule(1, "1");
    let (first, second) = (party(1, 5_000, &rule), party(2, 5_000, &rule));
    assert_eq!(
        amounts(&line(cents(5), vec![first.clone(), second.clone()])),
        [cents(3), cents(2)]
    );
    assert_eq!(
        amounts(&line(cents(5), vec![second, first])),
        [cents(2), cents(3)]
    );
}

#[test]
fn an_edited_rule_changes_no_line_that_keeps_its_version() {
    let promised = rule(1, "0.1");
    let mut input = line(usd("100"), vec![party(1, 10_000, &promised)]);
    input.paid_after = usd("50");
    let first = accrue_line(&input).unwrap();
    let later = {
        let mut terms = promised.terms().clone();
        (terms.version, terms.formula) = (2, percentage("0.3"));
        terms.effective_from = at("2026-07-01T00:00:00Z");
        Rule::new(terms).unwrap()
    };
    let rules = [later];
    assert!(
        select(&rules, &facts(), at("2026-06-01T00:00:00Z"))
            .chosen(Component::Base)
            .is_none()
    );
    assert_eq!(recompute(&first[0].explanation), Ok(usd("5")));
    (input.paid_before, input.paid_after) = (usd("50"), usd("100"));
    input.parties[0].already_posted = usd("5");
    assert_eq!(amounts(&input), [usd("5")]);
}

#[test]
fn wrong_input_is_an_error_and_not_a_wrong_amount() {
    let rule = rule(1, "0.1");
    let refused = |input: &LineInput<'_>| accrue_line(input).unwrap_err();
    let mut input = line(usd("100"), vec![party(1, 6_000, &rule), party(2, 5_000, &rule)]);
    assert_eq!(
        refused(&input),
        CommissionError::Money(MoneyError::SharesExceedTotal)
    );
    input.parties[1] = party(1, 4_000, &rule);
    assert_eq!(refused(&input), CommissionError::Money(MoneyError::DuplicateRank));
    input.parties.pop();
    input.component = Component::Bonus;
    assert_eq!(refused(&input), CommissionError::WrongComponent);
    input.component = Component::Base;
    input.parties[0].already_posted = money("0", "EUR");
    assert_eq!(
        refused(&input),
        CommissionError::Money(MoneyError::CurrencyMismatch)
    );
    input.parties[0].already_posted = usd("0");
    input.paid_after = money("100", "EUR");
    assert_eq!(
        refused(&input),
        CommissionError::Money(MoneyError::CurrencyMismatch)
    );
    input.paid_after = usd("100");
    input.parties[0].already_posted = usd("-999999999999999.99");
    assert_eq!(refused(&input), CommissionError::Money(MoneyError::OutOfRange));
}
