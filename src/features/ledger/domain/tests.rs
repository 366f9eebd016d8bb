//! Every kind of entry, once.

use super::*;
use crate::kernel::money::Currency;

/// One entry of every kind and, for clawbacks, of every account that they take from.
fn every_entry() -> Vec<NewEntry> {
    let id = Uuid::from_u128(7);
    let (commission, payout, clawback, adjustment) = (
        CommissionId::from_uuid(id),
        PayoutId::from_uuid(id),
        ClawbackId::from_uuid(id),
        AdjustmentId::from_uuid(id),
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
        NewEntry::credit_note(commission, partner, program, amount, at),
        NewEntry::adjustment(adjustment, partner, program, amount.abs(), at),
        NewEntry::adjustment(adjustment, partner, program, amount, at),
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
        "credit_note payable commission_expense",
        "adjustment_up adjustment_expense payable",
        "adjustment_down payable adjustment_expense",
    ];
    assert_eq!(moves, table);
}

#[test]
fn each_kind_names_the_record_that_caused_it() {
    let id = Uuid::from_u128(7);
    for entry in every_entry() {
        let source = entry.kind().source(entry.source_id());
        let expected = match entry.kind() {
            EntryKind::Clawback => Source::Clawback(ClawbackId::from_uuid(id)),
            EntryKind::Accrual | EntryKind::HoldRelease | EntryKind::Approval | EntryKind::CreditNote => {
                Source::Commission(CommissionId::from_uuid(id))
            }
            EntryKind::AdjustmentUp | EntryKind::AdjustmentDown => {
                Source::Adjustment(AdjustmentId::from_uuid(id))
            }
            _ => Source::Payout(PayoutId::from_uuid(id)),
        };
        assert_eq!((source, entry.step()), (expected, 0), "{}", entry.kind());
    }
}

#[test]
fn only_what_may_be_negative_is_posted_by_its_magnitude() {
    for entry in every_entry() {
        let turned = matches!(
            entry.kind(),
            EntryKind::CreditNote | EntryKind::AdjustmentUp | EntryKind::AdjustmentDown
        );
        assert_eq!(entry.amount().is_positive(), turned, "{}", entry.kind());
    }
    let later = every_entry().remove(0).at_step(2);
    assert_eq!(later.step(), 2);
}
