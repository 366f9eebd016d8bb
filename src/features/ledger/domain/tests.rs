//! Every kind of entry, once.

use super::*;
use crate::kernel::money::Currency;
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// One entry of every kind and, for clawbacks, of every account that they take from.
fn every_entry() -> Vec<NewEntry> {
    let id = Uuid::from_u128(7);
    let (commission, payout, clawback, adjustment, dispute) = (
        CommissionId::from_uuid(id),
        PayoutId::from_uuid(id),
        ClawbackId::from_uuid(id),
        AdjustmentId::from_uuid(id),
        DisputeId::from_uuid(id),
    );
    let (partner, program) = (PartnerId::from_uuid(id), ProgramId::from_uuid(id));
    let (amount, at) = (
        Money::parse("-5.00", Currency::USD).unwrap(),
        DateTime::UNIX_EPOCH,
    );
    vec![
        NewEntry::accrual(commission, partner, program, amount, at),
        NewEntry::hold_release(commission, partner, program, amount, at),
        NewEntry::approval(commission, partner, program, amount, at),
        NewEntry::reserve(payout, partner, program, amount, at),
        NewEntry::reserve_cancelled(payout, partner, program, amount, at),
        NewEntry::payout_paid(payout, partner, program, amount, at),
        NewEntry::payout_failed(payout, partner, program, amount, at),
        NewEntry::payout_returned(payout, partner, program, amount, at),
        NewEntry::clawback(clawback, TakenFrom::Held, partner, program, amount, at),
        NewEntry::clawback(clawback, TakenFrom::Released, partner, program, amount, at),
        NewEntry::clawback(clawback, TakenFrom::Payable, partner, program, amount, at),
        NewEntry::reinstatement(clawback, TakenFrom::Held, partner, program, amount, at),
        NewEntry::reinstatement(clawback, TakenFrom::Payable, partner, program, amount, at),
        NewEntry::credit_note(commission, partner, program, amount, at),
        NewEntry::adjustment(adjustment, partner, program, amount.abs(), at),
        NewEntry::adjustment(adjustment, partner, program, amount, at),
        NewEntry::write_off(adjustment, partner, program, amount.abs(), at),
        NewEntry::freeze(dispute, partner, program, amount, at),
        NewEntry::thaw(dispute, partner, program, amount, at),
        NewEntry::exchange_out(commission, TakenFrom::Held, partner, program, amount, at),
        NewEntry::exchange_in(commission, TakenFrom::Released, partner, program, amount, at),
        NewEntry::clawback_exchange_out(clawback, TakenFrom::Payable, partner, program, amount, at),
        NewEntry::clawback_exchange_in(clawback, TakenFrom::Held, partner, program, amount, at),
    ]
}

#[test]
fn each_kind_moves_between_its_own_accounts() {
    let moves: Vec<String> = every_entry()
        .iter()
        .map(|entry| format!("{} {} {}", entry.kind(), entry.debit(), entry.credit()))
        .collect();
    let table = [
        "accrual commission_expense held",
        "hold_release held released",
        "approval released payable",
        "reserve payable in_payout",
        "reserve_cancelled in_payout payable",
        "payout_paid in_payout payout_clearing",
        "payout_failed in_payout payable",
        "payout_returned payout_clearing payable",
        "clawback held commission_expense",
        "clawback released commission_expense",
        "clawback payable commission_expense",
        "reinstatement commission_expense held",
        "reinstatement commission_expense payable",
        "credit_note payable commission_expense",
        "adjustment_up adjustment_expense payable",
        "adjustment_down payable adjustment_expense",
        "write_off writeoff_expense payable",
        "freeze payable disputed",
        "thaw disputed payable",
        "exchange_out held fx_clearing",
        "exchange_in fx_clearing released",
        "clawback_exchange_out payable fx_clearing",
        "clawback_exchange_in fx_clearing held",
    ];
    assert_eq!(moves, table);
}

#[test]
fn each_kind_names_the_record_that_caused_it() {
    let id = Uuid::from_u128(7);
    for entry in every_entry() {
        let source = entry.kind().source(entry.source_id());
        let expected = match entry.kind() {
            EntryKind::Clawback
            | EntryKind::Reinstatement
            | EntryKind::ClawbackExchangeOut
            | EntryKind::ClawbackExchangeIn => Source::Clawback(ClawbackId::from_uuid(id)),
            EntryKind::Accrual
            | EntryKind::HoldRelease
            | EntryKind::Approval
            | EntryKind::CreditNote
            | EntryKind::ExchangeOut
            | EntryKind::ExchangeIn => Source::Commission(CommissionId::from_uuid(id)),
            EntryKind::AdjustmentUp | EntryKind::AdjustmentDown | EntryKind::WriteOff => {
                Source::Adjustment(AdjustmentId::from_uuid(id))
            }
            EntryKind::Freeze | EntryKind::Thaw => Source::Dispute(DisputeId::from_uuid(id)),
            _ => Source::Payout(PayoutId::from_uuid(id)),
        };
        assert_eq!((source, entry.step()), (expected, 0), "{}", entry.kind());
    }
}

/// What entries make of the accounts, credited less debited.
fn sums(entries: &[NewEntry]) -> BTreeMap<&'static str, Decimal> {
    let mut sums = BTreeMap::new();
    for entry in entries {
        *sums.entry(entry.credit().as_str()).or_default() += entry.amount().amount();
        *sums.entry(entry.debit().as_str()).or_default() -= entry.amount().amount();
    }
    sums.retain(|_, sum: &mut Decimal| !sum.is_zero());
    sums
}

proptest! {
    /// Whatever is frozen in whatever steps, and thawed in whatever order, leaves every balance as it was.
    #[test]
    fn freeze_then_thaw_is_the_identity_on_all_balances(
        earned in prop::collection::vec(1_i64..10_000_000, 1..20), turned in any::<bool>()
    ) {
        let id = Uuid::from_u128(7);
        let (partner, program, dispute) =
            (PartnerId::from_uuid(id), ProgramId::from_uuid(id), DisputeId::from_uuid(id));
        let at = DateTime::UNIX_EPOCH;
        let amount = |minor: &i64| Money::new(Decimal::new(*minor, 2), Currency::USD).unwrap();
        let commission = CommissionId::from_uuid(id);
        let approval = |minor| NewEntry::approval(commission, partner, program, amount(minor), at);
        let mut entries: Vec<NewEntry> = earned.iter().map(approval).collect();
        let before = sums(&entries);
        let freeze = |(step, minor)| NewEntry::freeze(dispute, partner, program, amount(minor), at).at_step(step);
        entries.extend((0..).zip(&earned).map(freeze));
        let frozen = sums(&entries);
        prop_assert_eq!(frozen.get("payable"), None);
        prop_assert_eq!(frozen.get("disputed"), before.get("payable"));
        let thaw = |(step, minor)| NewEntry::thaw(dispute, partner, program, amount(minor), at).at_step(step);
        let mut thawed: Vec<NewEntry> = (0..).zip(&earned).map(thaw).collect();
        if turned {
            thawed.reverse();
        }
        entries.extend(thawed);
        prop_assert_eq!(sums(&entries), before);
    }
}

#[test]
fn only_what_may_be_negative_is_posted_by_its_magnitude() {
    for entry in every_entry() {
        let turned = matches!(
            entry.kind(),
            EntryKind::CreditNote | EntryKind::AdjustmentUp | EntryKind::AdjustmentDown | EntryKind::WriteOff
        );
        assert_eq!(entry.amount().is_positive(), turned, "{}", entry.kind());
    }
    let later = every_entry().remove(0).at_step(2);
    assert_eq!(later.step(), 2);
}
