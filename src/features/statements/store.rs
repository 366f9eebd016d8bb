//! Statements in Postgres. Every query takes the caller's scope.

use super::domain::{Statement, StatementLine, StatementMonth};
use crate::features::ledger::EntryKind;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{PartnerId, StatementId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::statements;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::str::FromStr;
use uuid::Uuid;

/// Which statements a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct StatementFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// In this currency.
    pub currency: Option<String>,
    /// Of the month that begins on this day.
    pub month: Option<NaiveDate>,
}

#[derive(Debug, Clone, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = statements, check_for_backend(diesel::pg::Pg))]
struct StatementRow {
    id: Uuid,
    partner_id: Uuid,
    currency: String,
    number: i32,
    month: NaiveDate,
    time_zone: String,
    opening: Decimal,
    earned: Decimal,
    reversed: Decimal,
    adjusted: Decimal,
    exchanged: Decimal,
    paid: Decimal,
    closing: Decimal,
    previous_hash: Option<String>,
    hash: String,
    issued_at: DateTime<Utc>,
}

/// What is read of a text.
#[derive(Debug, Deserialize)]
struct Document {
    lines: Vec<DocumentLine>,
}

#[derive(Debug, Deserialize)]
struct DocumentLine {
    ledger_entry_id: Uuid,
    kind: String,
    source_id: Uuid,
    program_id: Uuid,
    amount: String,
    occurred_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    is_late: bool,
}

#[derive(QueryableByName)]
struct Earliest {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    recorded_at: Option<DateTime<Utc>>,
}

/// Postings that change what is owed and stand on no statement.
const UNSTATED: &str = "FROM ledger_entries e \
    WHERE e.organization_id = $1 AND statement_effect(e.kind, 1) IS NOT NULL \
        AND NOT EXISTS (SELECT FROM statement_lines l WHERE l.organization_id = $1 AND l.ledger_entry_id = e.id)";

/// Lets one caller at a time issue statements of an organization.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope) -> Result<(), Problem> {
    let query = sql_query("SELECT pg_advisory_xact_lock(hashtextextended('statements ' || $1::text, 0))")
        .bind::<SqlUuid, _>(scope.organization_id.uuid());
    Ok(Prepared(query).execute(tx.connection())?)
}

/// When the first posting was recorded that stands on no statement.
pub fn earliest_unstated(tx: &mut Tx<'_>, scope: &Scope) -> Result<Option<DateTime<Utc>>, Problem> {
    let query = sql_query(format!("SELECT min(e.recorded_at) AS recorded_at {UNSTATED}"))
        .bind::<SqlUuid, _>(scope.organization_id.uuid());
    let found: Earliest = tx.without_nested_loops(|tx| Ok(Prepared(query).get_result(tx.connection())?))?;
    Ok(found.recorded_at)
}

/// Issues the statements of a month for all partners and currencies in one statement. Whoever has one of this month or a
/// later one gets none.
pub fn issue(
    tx: &mut Tx<'_>,
    scope: &Scope,
    at: StatementMonth,
    now: DateTime<Utc>,
) -> Result<Vec<Statement>, Problem> {
    let period = at.period();
    let query = sql_query(format!(
        "WITH entries AS MATERIALIZED (SELECT e.* {UNSTATED} AND e.recorded_at < $4), \
         heads AS (\
             SELECT DISTINCT ON (partner_id, currency) partner_id, currency, number, month, closing, hash \
             FROM statements WHERE organization_id = $1 ORDER BY partner_id, currency, number DESC), \
         sums AS (\
             SELECT partner_id, currency, \
                 coalesce(sum(amount) FILTER (WHERE kind = 'accrual'), 0) AS earned, \
                 coalesce(sum(amount) FILTER (WHERE kind IN ('clawback', 'credit_note')), 0) AS reversed, \
                 coalesce(sum(statement_effect(kind, amount)) \
                     FILTER (WHERE kind IN ('adjustment_up', 'adjustment_down')), 0) AS adjusted, \
                 coalesce(sum(statement_effect(kind, amount)) \
                     FILTER (WHERE kind LIKE '%exchange%'), 0) AS exchanged, \
                 coalesce(-sum(statement_effect(kind, amount)) \
                     FILTER (WHERE kind IN ('payout_paid', 'payout_returned')), 0) AS paid, \
                 jsonb_agg(statement_line(id, kind, source_id, program_id, amount, occurred_at, recorded_at, $3) \
                     ORDER BY recorded_at, id) AS lines \
             FROM entries GROUP BY partner_id, currency), \
         drafts AS (\
             SELECT s.*, ordered_uuid($5, row_number() OVER (ORDER BY s.partner_id, s.currency)) AS id, \
                 coalesce(h.number, 0) + 1 AS number, coalesce(h.closing, 0) AS opening, h.hash AS previous_hash, \
                 coalesce(h.closing, 0) + s.earned - s.reversed + s.adjusted + s.exchanged - s.paid AS closing \
             FROM sums s LEFT JOIN heads h USING (partner_id, currency) \
             WHERE h.month IS NULL OR h.month < $2), \
         written AS (\
             SELECT d.*, statement_document(id, partner_id, currency, number, $2, $6, \
                 ARRAY[opening, earned, reversed, adjusted, paid, closing, exchanged], $5, lines) AS document FROM drafts d), \
         made AS (\
             INSERT INTO statements (organization_id, id, partner_id, currency, number, month, time_zone, starts_at, \
                 ends_at, opening, earned, reversed, adjusted, exchanged, paid, closing, document, previous_hash, hash, \
                 issued_at) \
             SELECT $1, id, partner_id, currency, number, $2, $6, $3, $4, opening, earned, reversed, adjusted, exchanged, \
                 paid, closing, document, previous_hash, \
                 encode(sha256(convert_to(coalesce(previous_hash, '') || document, 'UTF8')), 'hex'), $5 \
             FROM written ON CONFLICT DO NOTHING RETURNING *), \
         lines AS (\
             INSERT INTO statement_lines (organization_id, ledger_entry_id, statement_id, partner_id) \
             SELECT $1, e.id, m.id, e.partner_id FROM entries e JOIN made m USING (partner_id, currency)) \
         SELECT * FROM made ORDER BY id"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Date, _>(at.month.first_day())
    .bind::<Timestamptz, _>(period.from)
    .bind::<Timestamptz, _>(period.to)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(at.zone.name());
    let rows: Vec<StatementRow> = tx.without_nested_loops(|tx| Ok(Prepared(query).load(tx.connection())?))?;
    rows.into_iter().map(Statement::try_from).collect()
}

/// A statement with its lines, if the caller may see it.
pub fn find(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: StatementId,
) -> Result<Option<(Statement, Vec<StatementLine>)>, Problem> {
    let mut query = statements::table
        .filter(statements::organization_id.eq(scope.organization_id.uuid()))
        .filter(statements::id.eq(id.uuid()))
        .select((StatementRow::as_select(), statements::document))
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        query = query.filter(statements::partner_id.eq(partner_id.uuid()));
    }
    let found: Option<(StatementRow, String)> = query.first(tx.connection()).optional()?;
    let Some((row, document)) = found else {
        return Ok(None);
    };
    let statement = Statement::try_from(row)?;
    let document: Document = serde_json::from_str(&document).map_err(Problem::damaged)?;
    let currency = statement.closing.currency();
    let lines = document.lines.into_iter().map(|line| line.read(currency));
    let lines = lines.collect::<Result<_, _>>()?;
    Ok(Some((statement, lines)))
}

/// The text of a statement, if the caller may see it.
pub fn text(tx: &mut Tx<'_>, scope: &Scope, id: StatementId) -> Result<Option<String>, Problem> {
    let mut query = statements::table
        .filter(statements::organization_id.eq(scope.organization_id.uuid()))
        .filter(statements::id.eq(id.uuid()))
        .select(statements::document)
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        query = query.filter(statements::partner_id.eq(partner_id.uuid()));
    }
    Ok(query.first(tx.connection()).optional()?)
}

/// A page of the statements that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &StatementFilter,
    page: &PageRequest,
) -> Result<Page<Statement>, Problem> {
    let mut query = statements::table
        .filter(statements::organization_id.eq(scope.organization_id.uuid()))
        .select(StatementRow::as_select())
        .order(statements::id.desc())
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        query = query.filter(statements::partner_id.eq(partner_id.uuid()));
    }
    if let Some(partner_id) = filter.partner_id {
        query = query.filter(statements::partner_id.eq(partner_id.uuid()));
    }
    if let Some(currency) = &filter.currency {
        query = query.filter(statements::currency.eq(currency));
    }
    if let Some(month) = filter.month {
        query = query.filter(statements::month.eq(month));
    }
    if let Some(last) = &page.after {
        query = query.filter(statements::id.lt(last.id));
    }
    let rows: Vec<StatementRow> = query.limit(page.fetch()).load(tx.connection())?;
    let found: Vec<Statement> = rows
        .into_iter()
        .map(Statement::try_from)
        .collect::<Result<_, _>>()?;
    Ok(page.page(found, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

impl TryFrom<StatementRow> for Statement {
    type Error = Problem;

    fn try_from(row: StatementRow) -> Result<Self, Problem> {
        let currency = Currency::from_code(&row.currency).map_err(Problem::damaged)?;
        let money = |amount| Money::new(amount, currency).map_err(Problem::damaged);
        Ok(Self {
            id: StatementId::from_uuid(row.id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            number: row.number,
            month: row.month.format("%Y-%m").to_string(),
            time_zone: row.time_zone,
            opening: money(row.opening)?,
            earned: money(row.earned)?,
            reversed: money(row.reversed)?,
            adjusted: money(row.adjusted)?,
            exchanged: money(row.exchanged)?,
            paid: money(row.paid)?,
            closing: money(row.closing)?,
            previous_hash: row.previous_hash,
            hash: row.hash,
            issued_at: row.issued_at,
        })
    }
}

impl DocumentLine {
    fn read(self, currency: Currency) -> Result<StatementLine, Problem> {
        let amount = Decimal::from_str(&self.amount).map_err(Problem::damaged)?;
        Ok(StatementLine {
            ledger_entry_id: self.ledger_entry_id,
            kind: EntryKind::from_str(&self.kind).map_err(Problem::damaged)?,
            source_id: self.source_id,
            program_id: self.program_id,
            amount: Money::new(amount, currency).map_err(Problem::damaged)?,
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
            is_late: self.is_late,
        })
    }
}
