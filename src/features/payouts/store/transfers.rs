//! Transfers of payouts in Postgres.

use super::super::domain::{Payout, PayoutTransfer, Told, TransferStatus};
use crate::kernel::ctx::Scope;
use crate::kernel::id::PayoutId;
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::payout_transfers;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use std::collections::HashMap;
use std::str::FromStr;
use uuid::Uuid;

#[derive(Debug, Clone, Queryable, Selectable, AsChangeset)]
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
    is_ambiguous: bool,
    told_transfer_id: Option<String>,
    told_reversed: Option<Decimal>,
}

/// Writes new transfers, in one statement however many they are.
pub fn insert_transfers(tx: &mut Tx<'_>, scope: &Scope, transfers: &[PayoutTransfer]) -> Result<(), Problem> {
    let ids: Vec<Uuid> = transfers.iter().map(|one| one.payout_id.uuid()).collect();
    let statuses: Vec<&str> = transfers.iter().map(|one| one.status.as_str()).collect();
    let due: Vec<Option<DateTime<Utc>>> = transfers.iter().map(|one| one.next_attempt_at).collect();
    let query = sql_query(
        "INSERT INTO payout_transfers (organization_id, payout_id, status, attempts, next_attempt_at, amount_reversed) \
         SELECT $1, t.payout_id, t.status, 0, t.due, 0 FROM unnest($2, $3, $4) AS t (payout_id, status, due)",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(statuses)
    .bind::<Array<Nullable<Timestamptz>>, _>(due);
    Ok(Prepared(query).execute(tx.connection())?)
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
    Ok(lock_transfers(tx, scope, std::slice::from_ref(payout))?.pop())
}

/// The transfers of payouts, locked until the transaction ends.
pub fn lock_transfers(
    tx: &mut Tx<'_>,
    scope: &Scope,
    payouts: &[Payout],
) -> Result<Vec<PayoutTransfer>, Problem> {
    let currencies: HashMap<Uuid, Currency> = payouts
        .iter()
        .map(|payout| (payout.id.uuid(), payout.amount.currency()))
        .collect();
    let ids: Vec<Uuid> = payouts.iter().map(|payout| payout.id.uuid()).collect();
    let rows: Vec<TransferRow> = payout_transfers::table
        .filter(payout_transfers::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_transfers::payout_id.eq_any(ids))
        .order(payout_transfers::payout_id)
        .select(TransferRow::as_select())
        .for_no_key_update()
        .load(tx.connection())?;
    let found = rows.into_iter().filter_map(|row| {
        let currency = currencies.get(&row.payout_id)?;
        Some(row.transfer(*currency))
    });
    found.collect()
}

/// Notes that a person decided what became of these payouts.
pub fn close_transfers(tx: &mut Tx<'_>, scope: &Scope, payouts: &[PayoutId]) -> Result<(), Problem> {
    let ids: Vec<Uuid> = payouts.iter().map(|id| id.uuid()).collect();
    let target = payout_transfers::table
        .filter(payout_transfers::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_transfers::payout_id.eq_any(ids));
    let closed = (
        payout_transfers::status.eq(TransferStatus::Closed.as_str()),
        payout_transfers::next_attempt_at.eq(None::<DateTime<Utc>>),
    );
    Prepared(diesel::update(target).set(closed)).execute(tx.connection())?;
    Ok(())
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
            is_ambiguous: transfer.is_ambiguous,
            told_transfer_id: transfer.told.as_ref().map(|told| told.transfer_id.clone()),
            told_reversed: transfer.told.as_ref().map(|told| told.reversed.amount()),
        }
    }

    fn transfer(self, currency: Currency) -> Result<PayoutTransfer, Problem> {
        let money = |amount| Money::new(amount, currency).map_err(Problem::damaged);
        let told = self.told_transfer_id.zip(self.told_reversed);
        let told = told.map(|(transfer_id, reversed)| {
            Ok::<_, Problem>(Told {
                transfer_id,
                reversed: money(reversed)?,
            })
        });
        Ok(PayoutTransfer {
            payout_id: PayoutId::from_uuid(self.payout_id),
            status: TransferStatus::from_str(&self.status).map_err(Problem::damaged)?,
            attempts: self.attempts,
            next_attempt_at: self.next_attempt_at,
            uncertain_since: self.uncertain_since,
            sent_with: self.sent_with,
            transfer_id: self.transfer_id,
            reversed: money(self.amount_reversed)?,
            is_ambiguous: self.is_ambiguous,
            told: told.transpose()?,
        })
    }
}
