//! The entries of what people give, take and give up.

use super::{EntryKind, LedgerAccount, NewEntry};
use crate::kernel::id::{AdjustmentId, PartnerId, ProgramId};
use crate::kernel::money::Money;
use chrono::{DateTime, Utc};

impl NewEntry {
    /// An adjustment was approved: an amount above zero is given to the partner, one below is taken from it. The entry is
    /// over its magnitude.
    pub fn adjustment(
        adjustment_id: AdjustmentId,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        let (kind, debit, credit) = if amount.is_negative() {
            (
                EntryKind::AdjustmentDown,
                LedgerAccount::Payable,
                LedgerAccount::AdjustmentExpense,
            )
        } else {
            (
                EntryKind::AdjustmentUp,
                LedgerAccount::AdjustmentExpense,
                LedgerAccount::Payable,
            )
        };
        Self {
            kind,
            source_id: adjustment_id.uuid(),
            step: 0,
            debit,
            credit,
            partner_id,
            program_id,
            amount: amount.abs(),
            occurred_at,
        }
    }

    /// What the partner owed was given up: the balance comes up by as much.
    pub fn write_off(
        adjustment_id: AdjustmentId,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::WriteOff,
            debit: LedgerAccount::WriteoffExpense,
            credit: LedgerAccount::Payable,
            ..Self::adjustment(adjustment_id, partner_id, program_id, amount, occurred_at)
        }
    }
}
