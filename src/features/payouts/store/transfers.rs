//! Transfers of payouts in Postgres.

use super::super::domain::{Payout, PayoutTransfer, TransferStatus};
use crate::kernel::ctx::Scope;
use crate::kernel::id::PayoutId;
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::payout_transfers;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use std::str::FromStr;
use uuid::Uuid;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = payout_transfers, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct TransferRow {
    organization_id: Uuid,
    payout_id: Uuid,
    status: String,
    attempts: i32,
    next_attempt_at: Option<DateTime<Utc>>,
    uncertain_since: Option<DateTime<Utc>>,
    sent_with: Option<String>,
    transfer_id: Option<String>,
    amount_reversed: Decimal,
}

/// Writes new transfers.
pub fn insert_transfers(tx: &mut Tx<'_>, scope: &Scope, transfers: &[PayoutTransfer]) -> Result<(), Problem> {
    let rows: Vec<TransferRow> = transfers.iter().map(|one| TransferRow::of(scope, one)).collect();
    diesel::insert_into(payout_transfers::table)
        .values(rows)
        .execute(tx.connection())?;
    Ok(())
}

/// The payout of the transfer that has been due for the longest and that nobody else is at; its transfer is locked until the
/// transaction ends.
pub fn lock_due_transfer(
    tx: &mut Tx<'_>,
    scope: &Scope,
    wall_now: DateTime<Utc>,
) -> Result<Option<PayoutId>, Problem> {
    let due: Option<Uuid> = payout_transfers::table
        .filter(payout_transfers::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_transfers::next_attempt_at.le(wall_now))
        .order((payout_transfers::next_attempt_at, payout_transfers::payout_id))
        .select(payout_transfers::payout_id)
        .for_no_key_update()
        .skip_locked()
        .first(tx.connection())
        .optional()?;
    Ok(due.map(PayoutId::from_uuid))
}

/// The transfer of a payout, locked until the transaction ends.
pub fn lock_transfer(
    tx: &mut Tx<'_>,
    scope: &Scope,
    payout: &Payout,
) -> Result<Option<PayoutTransfer>, Problem> {
    let row: Option<TransferRow> = payout_transfers::table
        .filter(payout_transfers::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_transfers::payout_id.eq(payout.id.uuid()))
        .select(TransferRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(|row| row.transfer(payout.amount.currency())).transpose()
}

/// Writes a changed transfer.
pub fn update_transfer(tx: &mut Tx<'_>, scope: &Scope, transfer: &PayoutTransfer) -> Result<(), Problem> {
    let row = TransferRow::of(scope, transfer);
    let target = payout_transfers::table
        .filter(payout_transfers::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_transfers::payout_id.eq(transfer.payout_id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

impl TransferRow {
    fn of(scope: &Scope, transfer: &PayoutTransfer) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            payout_id: transfer.payout_id.uuid(),
            status: transfer.status.as_str().to_owned(),
            attempts: transfer.attempts,
            next_attempt_at: transfer.next_attempt_at,
            uncertain_since: transfer.uncertain_since,
            sent_with: transfer.sent_with.clone(),
            transfer_id: transfer.transfer_id.clone(),
            amount_reversed: transfer.reversed.amount(),
        }
    }

    fn transfer(self, currency: Currency) -> Result<PayoutTransfer, Problem> {
        Ok(PayoutTransfer {
            payout_id: PayoutId::from_uuid(self.payout_id),
            status: TransferStatus::from_str(&self.status).map_err(Problem::damaged)?,
            attempts: self.attempts,
            next_attempt_at: self.next_attempt_at,
            uncertain_since: self.uncertain_since,
            sent_with: self.sent_with,
            transfer_id: self.transfer_id,
            reversed: Money::new(self.amount_reversed, currency).map_err(Problem::damaged)?,
        })
    }
}
