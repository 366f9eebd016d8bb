//! Entries of exchanges: each is in one currency, so that an exchange is two of them, by way of the clearing of exchanges.

use super::{EntryKind, LedgerAccount, NewEntry, TakenFrom};
use crate::kernel::id::{ClawbackId, CommissionId, PartnerId, ProgramId};
use crate::kernel::money::Money;
use chrono::{DateTime, Utc};

impl NewEntry {
    /// What is owed with a commission leaves a currency.
    pub fn exchange_out(
        commission_id: CommissionId,
        account: TakenFrom,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::ExchangeOut,
            source_id: commission_id.uuid(),
            step: 0,
            debit: account.account(),
            credit: LedgerAccount::FxClearing,
            partner_id,
            program_id,
            amount,
            occurred_at,
        }
    }

    /// What is owed with a commission comes into a currency.
    pub fn exchange_in(
        commission_id: CommissionId,
        account: TakenFrom,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::ExchangeIn,
            source_id: commission_id.uuid(),
            step: 0,
            debit: LedgerAccount::FxClearing,
            credit: account.account(),
            partner_id,
            program_id,
            amount,
            occurred_at,
        }
    }

    /// What is taken back leaves the currency that the partner is paid in, and what is given back the one it was earned in.
    pub fn clawback_exchange_out(
        clawback_id: ClawbackId,
        account: TakenFrom,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::ClawbackExchangeOut,
            source_id: clawback_id.uuid(),
            step: 0,
            debit: account.account(),
            credit: LedgerAccount::FxClearing,
            partner_id,
            program_id,
            amount,
            occurred_at,
        }
    }

    /// What is taken back comes into the currency that it was earned in, and what is given back into the one the partner is
    /// paid in.
    pub fn clawback_exchange_in(
        clawback_id: ClawbackId,
        account: TakenFrom,
        partner_id: PartnerId,
        program_id: ProgramId,
        amount: Money,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind: EntryKind::ClawbackExchangeIn,
            source_id: clawback_id.uuid(),
            step: 0,
            debit: LedgerAccount::FxClearing,
            credit: account.account(),
            partner_id,
            program_id,
            amount,
            occurred_at,
        }
    }
}
