//! The journal in Postgres. Every query takes the caller's scope.

use super::domain::{EntryKind, LedgerAccount, LedgerEntry, NewEntry};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{LedgerEntryId, PartnerId, ProgramId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::ledger_entries;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use std::str::FromStr;
use uuid::Uuid;

/// Which entries a list shows, in the order in which they were recorded.
#[derive(Debug, Clone, Default)]
pub struct EntryFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// Of this program.
    pub program_id: Option<ProgramId>,
    /// Any of these kinds; empty is all.
    pub kinds: Vec<EntryKind>,
    /// In this currency.
    pub currency: Option<String>,
    /// Caused by each of these records.
    pub source_ids: Vec<Uuid>,
    /// Happened at or after this instant.
    pub occurred_at_gte: Option<DateTime<Utc>>,
    /// Happened before this instant.
    pub occurred_at_lt: Option<DateTime<Utc>>,
    /// Oldest first rather than newest.
    pub oldest_first: bool,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = ledger_entries, check_for_backend(diesel::pg::Pg))]
struct EntryRow {
    id: Uuid,
    kind: String,
    source_id: Uuid,
    step: i32,
    debit_account: String,
    credit_account: String,
    partner_id: Uuid,
    program_id: Uuid,
    currency: String,
    amount: Decimal,
    occurred_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
}

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

/// One entry.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: LedgerEntryId) -> Result<Option<LedgerEntry>, Problem> {
    let row: Option<EntryRow> = ledger_entries::table
        .filter(ledger_entries::organization_id.eq(scope.organization_id.uuid()))
        .filter(ledger_entries::id.eq(id.uuid()))
        .select(EntryRow::as_select())
        .first(tx.connection())
        .optional()?;
    let row = row.filter(|row| scope.partner_id.is_none_or(|own| own.uuid() == row.partner_id));
    row.map(LedgerEntry::try_from).transpose()
}

/// A page of entries.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &EntryFilter,
    page: &PageRequest,
) -> Result<Page<LedgerEntry>, Problem> {
    let mut query = ledger_entries::table
        .filter(ledger_entries::organization_id.eq(scope.organization_id.uuid()))
        .select(EntryRow::as_select())
        .into_boxed();
    for partner_id in scope.partner_id.iter().chain(&filter.partner_id) {
        query = query.filter(ledger_entries::partner_id.eq(partner_id.uuid()));
    }
    if let Some(program_id) = filter.program_id {
        query = query.filter(ledger_entries::program_id.eq(program_id.uuid()));
    }
    if !filter.kinds.is_empty() {
        let kinds: Vec<&str> = filter.kinds.iter().map(|kind| kind.as_str()).collect();
        query = query.filter(ledger_entries::kind.eq_any(kinds));
    }
    if let Some(currency) = &filter.currency {
        query = query.filter(ledger_entries::currency.eq(currency));
    }
    for source_id in &filter.source_ids {
        query = query.filter(ledger_entries::source_id.eq(source_id));
    }
    if let Some(instant) = filter.occurred_at_gte {
        query = query.filter(ledger_entries::occurred_at.ge(instant));
    }
    if let Some(instant) = filter.occurred_at_lt {
        query = query.filter(ledger_entries::occurred_at.lt(instant));
    }
    let id = ledger_entries::id;
    query = match (filter.oldest_first, &page.after) {
        (false, None) => query.order(id.desc()),
        (false, Some(last)) => query.filter(id.lt(last.id)).order(id.desc()),
        (true, None) => query.order(id.asc()),
        (true, Some(last)) => query.filter(id.gt(last.id)).order(id.asc()),
    };
    let rows: Vec<EntryRow> = page.rows_of(query).load(tx.connection())?;
    let entries: Vec<LedgerEntry> = rows
        .into_iter()
        .map(LedgerEntry::try_from)
        .collect::<Result<_, _>>()?;
    Ok(page.page(entries, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

impl TryFrom<EntryRow> for LedgerEntry {
    type Error = Problem;

    fn try_from(row: EntryRow) -> Result<Self, Problem> {
        let kind = EntryKind::from_str(&row.kind).map_err(Problem::damaged)?;
        let currency = Currency::from_code(&row.currency).map_err(Problem::damaged)?;
        Ok(Self {
            id: LedgerEntryId::from_uuid(row.id),
            kind,
            source: kind.source(row.source_id),
            step: row.step,
            debit: LedgerAccount::from_str(&row.debit_account).map_err(Problem::damaged)?,
            credit: LedgerAccount::from_str(&row.credit_account).map_err(Problem::damaged)?,
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: ProgramId::from_uuid(row.program_id),
            amount: Money::new(row.amount, currency).map_err(Problem::damaged)?,
            occurred_at: row.occurred_at,
            recorded_at: row.recorded_at,
        })
    }
}
