//! What an entry is, and between which accounts each kind of it moves.

mod adjustment;
mod balance;
mod exchange;
#[cfg(test)]
mod tests;

pub use balance::{AccountTotal, Balance};

use crate::kernel::id::{
    AdjustmentId, ClawbackId, CommissionId, DisputeId, LedgerEntryId, PartnerId, PayoutId, ProgramId,
};
use crate::kernel::money::Money;
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use uuid::Uuid;

word_enum! {
    /// What an entry stands for.
    EntryKind, "ledger entry kind" {
        /// Something was earned; it is held.
        Accrual = "accrual",
        /// The hold is over.
        HoldRelease = "hold_release",
        /// It was approved for payout.
        Approval = "approval",
        /// It was set aside for a payout.
        Reserve = "reserve",
        /// The payout that it was set aside for was cancelled.
        ReserveCancelled = "reserve_cancelled",
        /// The payout was confirmed.
        PayoutPaid = "payout_paid",
        /// The payout failed.
        PayoutFailed = "payout_failed",
        /// The payout came back after it was confirmed.
        PayoutReturned = "payout_returned",
        /// A refund took something back.
        Clawback = "clawback",
        /// Money came in again, so that what a refund took back is given back.
        Reinstatement = "reinstatement",
        /// A credit note on a deal took something back.
        CreditNote = "credit_note",
        /// Somebody gave an amount to the partner.
        AdjustmentUp = "adjustment_up",
        /// Somebody took an amount from the partner.
        AdjustmentDown = "adjustment_down",
        /// What the partner owed was given up.
        WriteOff = "write_off",
        /// A dispute holds it up.
        Freeze = "freeze",
        /// The dispute is over.
        Thaw = "thaw",
        /// What was earned leaves a currency: it is exchanged.
        ExchangeOut = "exchange_out",
        /// What was earned comes into a currency: it was exchanged.
        ExchangeIn = "exchange_in",
        /// What is taken back leaves the currency that the partner is paid in; or, given back, the one it was earned in.
        ClawbackExchangeOut = "clawback_exchange_out",
        /// What is taken back comes into the currency that it was earned in; or, given back, the one the partner is paid in.
        ClawbackExchangeIn = "clawback_exchange_in",
    }
}

word_enum! {
    /// An account of the journal. `held`, `released`, `payable`, `disputed` and `in_payout` are owed to the partner.
    LedgerAccount, "ledger account" {
        /// What commissions cost the organization.
        CommissionExpense = "commission_expense",
        /// What adjustments cost the organization.
        AdjustmentExpense = "adjustment_expense",
        /// What was given up of what partners owed.
        WriteoffExpense = "writeoff_expense",
        /// Earned, within the hold.
        Held = "held",
        /// Earned, the hold is over.
        Released = "released",
        /// Approved for payout.
        Payable = "payable",
        /// Approved for payout, but disputed.
        Disputed = "disputed",
        /// Set aside for a payout.
        InPayout = "in_payout",
        /// Paid out.
        PayoutClearing = "payout_clearing",
        /// Exchanged: what left the one currency and came into the other.
        FxClearing = "fx_clearing",
    }
}

word_enum! {
    /// The account that a clawback takes from, or gives back to.
    TakenFrom, "account of a clawback" {
        /// The commission was still held.
        Held = "held",
        /// The commission was released but not approved.
        Released = "released",
        /// The commission was approved, or paid already.
        Payable = "payable",
    }
}

impl TakenFrom {
    /// The account of this name.
    pub const fn account(self) -> LedgerAccount {
        match self {
            Self::Held => LedgerAccount::Held,
            Self::Released => LedgerAccount::Released,
            Self::Payable => LedgerAccount::Payable,
        }
    }
}

/// An entry to post. Made by the constructor of its kind alone, so that a wrong pair of accounts cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    kind: EntryKind,
    source_id: Uuid,
    step: i32,
    debit: LedgerAccount,
    credit: LedgerAccount,
    partner_id: PartnerId,
    program_id: ProgramId,
    amount: Money,
    occurred_at: DateTime<Utc>,
}

impl NewEntry {
    /// A commission was earned: it is held.
    pub fn accrual(
        commission_id: CommissionId,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::Accrual,
            source_id: commission_id.uuid(),
            step: 0,
            debit: LedgerAccount::CommissionExpense,
            credit: LedgerAccount::Held,
            partner_id,
            program_id,
            amount,
            occurred_at,
        }
    }

    /// The hold of a commission is over.
    pub fn hold_release(
        commission_id: CommissionId,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::HoldRelease,
            debit: LedgerAccount::Held,
            credit: LedgerAccount::Released,
            ..Self::accrual(commission_id, partner_id, program_id, amount, occurred_at)
        }
    }

    /// A commission was approved for payout.
    pub fn approval(
        commission_id: CommissionId,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::Approval,
            debit: LedgerAccount::Released,
            credit: LedgerAccount::Payable,
            ..Self::accrual(commission_id, partner_id, program_id, amount, occurred_at)
        }
    }

    /// The amount of a payout was set aside.
    pub fn reserve(
        payout_id: PayoutId,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::Reserve,
            source_id: payout_id.uuid(),
            step: 0,
            debit: LedgerAccount::Payable,
            credit: LedgerAccount::InPayout,
            partner_id,
            program_id,
            amount,
            occurred_at,
        }
    }

    /// The payout was cancelled; its amount can be paid by another one.
    pub fn reserve_cancelled(
        payout_id: PayoutId,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::ReserveCancelled,
            debit: LedgerAccount::InPayout,
            credit: LedgerAccount::Payable,
            ..Self::reserve(payout_id, partner_id, program_id, amount, occurred_at)
        }
    }

    /// The payout was confirmed.
    pub fn payout_paid(
        payout_id: PayoutId,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::PayoutPaid,
            debit: LedgerAccount::InPayout,
            credit: LedgerAccount::PayoutClearing,
            ..Self::reserve(payout_id, partner_id, program_id, amount, occurred_at)
        }
    }

    /// The payout failed; its amount can be paid by another one.
    pub fn payout_failed(
        payout_id: PayoutId,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::PayoutFailed,
            debit: LedgerAccount::InPayout,
            credit: LedgerAccount::Payable,
            ..Self::reserve(payout_id, partner_id, program_id, amount, occurred_at)
        }
    }

    /// The payout came back after it was confirmed; its amount can be paid by another one.
    pub fn payout_returned(
        payout_id: PayoutId,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::PayoutReturned,
            debit: LedgerAccount::PayoutClearing,
            credit: LedgerAccount::Payable,
            ..Self::reserve(payout_id, partner_id, program_id, amount, occurred_at)
        }
    }

    /// A refund took something back from a commission.
    pub fn clawback(
        clawback_id: ClawbackId,
        from: TakenFrom,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::Clawback,
            source_id: clawback_id.uuid(),
            step: 0,
            debit: from.account(),
            credit: LedgerAccount::CommissionExpense,
            partner_id,
            program_id,
            amount,
            occurred_at,
        }
    }

    /// Money came in again: what was taken back from a commission is given back.
    pub fn reinstatement(
        clawback_id: ClawbackId,
        to: TakenFrom,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::Reinstatement,
            debit: LedgerAccount::CommissionExpense,
            credit: to.account(),
            ..Self::clawback(clawback_id, to, partner_id, program_id, amount, occurred_at)
        }
    }

    /// A credit note on a deal took something back. The line of a credit note is negative, the entry is not: only the
    /// magnitude of the amount counts.
    pub fn credit_note(
        commission_id: CommissionId,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::CreditNote,
            debit: LedgerAccount::Payable,
            credit: LedgerAccount::CommissionExpense,
            ..Self::accrual(commission_id, partner_id, program_id, amount.abs(), occurred_at)
        }
    }

    /// A dispute was opened about an approved line: the line's amount waits until it is over. Each line of a dispute is
    /// a step of it.
    pub fn freeze(
        dispute_id: DisputeId,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::Freeze,
            source_id: dispute_id.uuid(),
            step: 0,
            debit: LedgerAccount::Payable,
            credit: LedgerAccount::Disputed,
            partner_id,
            program_id,
            amount,
            occurred_at,
        }
    }

    /// The dispute is over: what waited can be paid.
    pub fn thaw(
        dispute_id: DisputeId,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::Thaw,
            debit: LedgerAccount::Disputed,
            credit: LedgerAccount::Payable,
            ..Self::freeze(dispute_id, partner_id, program_id, amount, occurred_at)
        }
    }

    /// The same entry as a later step of its source; the first one is step 0.
    #[must_use]
    pub fn at_step(self, step: i32) -> Self {
        Self { step, ..self }
    }

    /// What it stands for.
    pub const fn kind(&self) -> EntryKind {
        self.kind
    }

    /// The commission, clawback, adjustment, dispute or payout that caused it.
    pub const fn source_id(&self) -> Uuid {
        self.source_id
    }

    /// Which step of its source it is, counted from 0.
    pub const fn step(&self) -> i32 {
        self.step
    }

    /// The account that is debited.
    pub const fn debit(&self) -> LedgerAccount {
        self.debit
    }

    /// The account that is credited.
    pub const fn credit(&self) -> LedgerAccount {
        self.credit
    }

    /// Whose entry it is.
    pub const fn partner_id(&self) -> PartnerId {
        self.partner_id
    }

    /// In which program.
    pub const fn program_id(&self) -> ProgramId {
        self.program_id
    }

    /// How much moves.
    pub const fn amount(&self) -> Money {
        self.amount
    }

    /// When it happened in business, which may be long before it is recorded.
    pub const fn occurred_at(&self) -> DateTime<Utc> {
        self.occurred_at
    }
}

/// What caused an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A commission: it was earned, released, approved, or credited.
    Commission(CommissionId),
    /// A payout.
    Payout(PayoutId),
    /// A clawback.
    Clawback(ClawbackId),
    /// An adjustment.
    Adjustment(AdjustmentId),
    /// A dispute.
    Dispute(DisputeId),
}

impl EntryKind {
    /// The record that causes entries of this kind, by its id.
    pub const fn source(self, id: Uuid) -> Source {
        match self {
            Self::Accrual
            | Self::HoldRelease
            | Self::Approval
            | Self::CreditNote
            | Self::ExchangeOut
            | Self::ExchangeIn => Source::Commission(CommissionId::from_uuid(id)),
            Self::Clawback | Self::Reinstatement | Self::ClawbackExchangeOut | Self::ClawbackExchangeIn => {
                Source::Clawback(ClawbackId::from_uuid(id))
            }
            Self::AdjustmentUp | Self::AdjustmentDown | Self::WriteOff => {
                Source::Adjustment(AdjustmentId::from_uuid(id))
            }
            Self::Freeze | Self::Thaw => Source::Dispute(DisputeId::from_uuid(id)),
            Self::Reserve
            | Self::ReserveCancelled
            | Self::PayoutPaid
            | Self::PayoutFailed
            | Self::PayoutReturned => Source::Payout(PayoutId::from_uuid(id)),
        }
    }
}

/// An entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Its id.
    pub id: LedgerEntryId,
    /// What it stands for.
    pub kind: EntryKind,
    /// What caused it.
    pub source: Source,
    /// Which step of its source it is, counted from 0.
    pub step: i32,
    /// The account that is debited.
    pub debit: LedgerAccount,
    /// The account that is credited.
    pub credit: LedgerAccount,
    /// Whose entry it is.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// How much moves.
    pub amount: Money,
    /// When it happened in business.
    pub occurred_at: DateTime<Utc>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}
