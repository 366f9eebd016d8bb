//! The journal in Postgres. Every query takes the caller's scope.

use super::domain::NewEntry;
use crate::kernel::ctx::Scope;
use crate::kernel::id::LedgerEntryId;
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use uuid::Uuid;

const INSERT: &str = "INSERT INTO ledger_entries (organization_id, recorded_at, id, kind, source_id, step, \
         debit_account, credit_account, partner_id, program_id, currency, amount, occurred_at) \
     SELECT $1, $2, * FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

/// Writes new entries, all of them in one statement.
pub fn insert(
    tx: &mut Tx<'_>,
    scope: &Scope,
    entries: &[&NewEntry],
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let ids: Vec<Uuid> = entries.iter().map(|_| LedgerEntryId::new(now).uuid()).collect();
    let kinds = column(entries, |entry| entry.kind().as_str());
    let source_ids: Vec<Uuid> = column(entries, NewEntry::source_id);
    let steps: Vec<i32> = column(entries, NewEntry::step);
    let debits = column(entries, |entry| entry.debit().as_str());
    let credits = column(entries, |entry| entry.credit().as_str());
    let partner_ids: Vec<Uuid> = column(entries, |entry| entry.partner_id().uuid());
    let program_ids: Vec<Uuid> = column(entries, |entry| entry.program_id().uuid());
    let currencies = column(entries, |entry| entry.amount().currency().code());
    let amounts: Vec<Decimal> = column(entries, |entry| entry.amount().amount());
    let instants = column(entries, NewEntry::occurred_at);
    let statement = diesel::sql_query(INSERT)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Timestamptz, _>(now)
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Array<Text>, _>(kinds)
        .bind::<Array<SqlUuid>, _>(source_ids)
        .bind::<Array<Integer>, _>(steps)
        .bind::<Array<Text>, _>(debits)
        .bind::<Array<Text>, _>(credits)
        .bind::<Array<SqlUuid>, _>(partner_ids)
        .bind::<Array<SqlUuid>, _>(program_ids)
        .bind::<Array<Text>, _>(currencies)
        .bind::<Array<Numeric>, _>(amounts)
        .bind::<Array<Timestamptz>, _>(instants);
    Prepared(statement).execute(tx.connection())?;
    Ok(())
}

/// The entries turned by ninety degrees, as `unnest` wants them.
fn column<T>(entries: &[&NewEntry], value: impl Fn(&NewEntry) -> T) -> Vec<T> {
    entries.iter().map(|entry| value(entry)).collect()
}
