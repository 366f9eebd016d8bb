//! Statements in Postgres. Every query takes the caller's scope.

use super::domain::{Letterhead, Statement, StatementLine, StatementMonth, UnsignedText, WrittenStatement};
use crate::features::ledger::EntryKind;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{DealId, InvoiceId, PartnerId, StatementId};
use crate::kernel::money::{Currency, Money, UNIT_LIMIT};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{statement_signatures, statements};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Date, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
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
    organization_name: Option<String>,
    partner_name: Option<String>,
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
    deal_id: Option<Uuid>,
    invoice_id: Option<Uuid>,
    reference: Option<String>,
}

#[derive(QueryableByName)]
struct UnsignedRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = Text)]
    document: String,
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

/// Texts that are signed in one go; few, because a text may be long.
const SIGNED_AT_ONCE: &str = "10";

/// What a line is about, as far as its partner may know: a deal by its name where the credit is the partner's own, and not
/// where it earns on the deal of somebody below it.
const TOLD: &str = "SELECT e.*, jsonb_strip_nulls(jsonb_build_object('deal_id', coalesce(c.deal_id, a.deal_id), \
        'invoice_id', c.invoice_id, 'reference', coalesce(d.name, a.reason, p.reference))) AS details \
    FROM entries e \
    LEFT JOIN clawbacks b ON b.organization_id = $1 AND b.id = e.source_id AND b.partner_id = e.partner_id \
    LEFT JOIN commissions c ON c.organization_id = $1 AND c.id = coalesce(b.commission_id, e.source_id) \
        AND c.partner_id = e.partner_id \
    LEFT JOIN attributions t ON t.organization_id = $1 AND t.id = c.attribution_id AND t.partner_id = e.partner_id \
    LEFT JOIN deals d ON d.organization_id = $1 AND d.id = t.deal_id \
    LEFT JOIN adjustments a ON a.organization_id = $1 AND a.id = e.source_id AND a.partner_id = e.partner_id \
    LEFT JOIN payouts p ON p.organization_id = $1 AND p.id = e.source_id AND p.partner_id = e.partner_id";

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
/// later one gets none. Their texts stay where they are: together they are as long as the month.
pub fn issue(
    tx: &mut Tx<'_>,
    scope: &Scope,
    at: StatementMonth,
    now: DateTime<Utc>,
) -> Result<Vec<Statement>, Problem> {
    let period = at.period();
    let query = sql_query(format!(
        "WITH entries AS MATERIALIZED (SELECT e.* {UNSTATED} AND e.recorded_at < $4), \
         told AS ({TOLD}), \
         heads AS (\
             SELECT DISTINCT ON (partner_id, currency) partner_id, currency, number, month, closing, hash \
             FROM statements WHERE organization_id = $1 ORDER BY partner_id, currency, number DESC), \
         sums AS (\
             SELECT partner_id, currency, \
                 coalesce(sum(amount) FILTER (WHERE kind = 'accrual'), 0) AS earned, \
                 coalesce(-sum(statement_effect(kind, amount)) \
                     FILTER (WHERE kind IN ('clawback', 'credit_note', 'reinstatement')), 0) AS reversed, \
                 coalesce(sum(statement_effect(kind, amount)) \
                     FILTER (WHERE kind IN ('adjustment_up', 'adjustment_down', 'write_off')), 0) AS adjusted, \
                 coalesce(sum(statement_effect(kind, amount)) \
                     FILTER (WHERE kind LIKE '%exchange%'), 0) AS exchanged, \
                 coalesce(-sum(statement_effect(kind, amount)) \
                     FILTER (WHERE kind IN ('payout_paid', 'payout_returned')), 0) AS paid, \
                 jsonb_agg(statement_line(id, kind, source_id, program_id, amount, occurred_at, recorded_at, $3) \
                     || details ORDER BY recorded_at, id) AS lines \
             FROM told GROUP BY partner_id, currency), \
         drafts AS (\
             SELECT s.*, ordered_uuid($5, row_number() OVER (ORDER BY s.partner_id, s.currency)) AS id, \
                 coalesce(h.number, 0) + 1 AS number, coalesce(h.closing, 0) AS opening, h.hash AS previous_hash, \
                 coalesce(h.closing, 0) + s.earned - s.reversed + s.adjusted + s.exchanged - s.paid AS closing \
             FROM sums s LEFT JOIN heads h USING (partner_id, currency) \
             WHERE h.month IS NULL OR h.month < $2), \
         written AS (\
             SELECT d.*, statement_document(d.id, d.partner_id, d.currency, d.number, $2, $6, \
                 ARRAY[opening, earned, reversed, adjusted, paid, closing, exchanged], $5, jsonb_build_object(\
                     'organization_id', o.organization_id, 'organization_name', o.name, 'partner_name', n.name, \
                     'previous_hash', previous_hash), lines) AS document \
             FROM drafts d JOIN organizations o ON o.organization_id = $1 \
             JOIN partners n ON n.organization_id = $1 AND n.id = d.partner_id \
             WHERE greatest(abs(opening), abs(earned), abs(reversed), abs(adjusted), abs(exchanged), abs(paid), \
                 abs(closing)) < {UNIT_LIMIT}), \
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
         SELECT id, partner_id, currency, number, month, time_zone, opening, earned, reversed, adjusted, exchanged, paid, \
             closing, previous_hash, hash, issued_at \
         FROM made ORDER BY id"
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

/// The next statements after this one that are not signed, by their ids.
pub fn unsigned(tx: &mut Tx<'_>, scope: &Scope, after: Option<Uuid>) -> Result<Vec<UnsignedText>, Problem> {
    let query = sql_query(format!(
        "SELECT s.id, s.partner_id, s.document FROM statements s \
         WHERE s.organization_id = $1 AND s.id > $2 AND NOT EXISTS (SELECT FROM statement_signatures g \
             WHERE g.organization_id = $1 AND g.statement_id = s.id) \
         ORDER BY s.id LIMIT {SIGNED_AT_ONCE}"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(after.unwrap_or_default());
    let rows: Vec<UnsignedRow> = Prepared(query).load(tx.connection())?;
    let texts = rows.into_iter().map(|row| UnsignedText {
        id: StatementId::from_uuid(row.id),
        partner_id: PartnerId::from_uuid(row.partner_id),
        text: row.document,
    });
    Ok(texts.collect())
}

/// Keeps the public half of a key, for ever. It may be there already.
pub fn keep_key(
    tx: &mut Tx<'_>,
    scope: &Scope,
    key_id: &str,
    public_half: &Value,
    made_at: DateTime<Utc>,
) -> Result<(), Problem> {
    let query = sql_query(
        "INSERT INTO statement_keys (organization_id, key_id, public_key, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Text, _>(key_id)
    .bind::<Jsonb, _>(public_half)
    .bind::<Timestamptz, _>(made_at);
    Ok(Prepared(query).execute(tx.connection())?)
}

/// Keeps the signatures of these texts, in their order.
pub fn sign(
    tx: &mut Tx<'_>,
    scope: &Scope,
    key_id: &str,
    texts: &[UnsignedText],
    signatures: &[String],
) -> Result<(), Problem> {
    let ids: Vec<Uuid> = texts.iter().map(|text| text.id.uuid()).collect();
    let partners: Vec<Uuid> = texts.iter().map(|text| text.partner_id.uuid()).collect();
    let query = sql_query(
        "INSERT INTO statement_signatures (organization_id, statement_id, partner_id, key_id, signature) \
         SELECT $1, id, partner, $2, signature FROM unnest($3, $4, $5) AS s (id, partner, signature)",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Text, _>(key_id)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(partners)
    .bind::<Array<Text>, _>(signatures);
    Ok(Prepared(query).execute(tx.connection())?)
}

/// A statement as it was written down, if the caller may see it.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: StatementId) -> Result<Option<WrittenStatement>, Problem> {
    let mut query = statements::table
        .left_join(
            statement_signatures::table.on(statement_signatures::organization_id
                .eq(statements::organization_id)
                .and(statement_signatures::statement_id.eq(statements::id))),
        )
        .filter(statements::organization_id.eq(scope.organization_id.uuid()))
        .filter(statements::id.eq(id.uuid()))
        .select((
            StatementRow::as_select(),
            statements::document,
            statement_signatures::signature.nullable(),
        ))
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        query = query.filter(statements::partner_id.eq(partner_id.uuid()));
    }
    let found: Option<(StatementRow, String, Option<String>)> = query.first(tx.connection()).optional()?;
    let Some((row, document, signature)) = found else {
        return Ok(None);
    };
    let statement = Statement {
        signature,
        ..Statement::try_from(row)?
    };
    let document: Document = serde_json::from_str(&document).map_err(Problem::damaged)?;
    let currency = statement.closing.currency();
    let letterhead = document.organization_name.zip(document.partner_name);
    let lines = document.lines.into_iter().map(|line| line.read(currency));
    Ok(Some(WrittenStatement {
        statement,
        letterhead: letterhead.map(|(organization_name, partner_name)| Letterhead {
            organization_name,
            partner_name,
        }),
        lines: lines.collect::<Result<_, _>>()?,
    }))
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
        .left_join(
            statement_signatures::table.on(statement_signatures::organization_id
                .eq(statements::organization_id)
                .and(statement_signatures::statement_id.eq(statements::id))),
        )
        .filter(statements::organization_id.eq(scope.organization_id.uuid()))
        .select((
            StatementRow::as_select(),
            statement_signatures::signature.nullable(),
        ))
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
    let rows: Vec<(StatementRow, Option<String>)> = query.limit(page.fetch()).load(tx.connection())?;
    let signed = |(row, signature)| {
        Ok::<_, Problem>(Statement {
            signature,
            ..Statement::try_from(row)?
        })
    };
    let found: Vec<Statement> = rows.into_iter().map(signed).collect::<Result<_, _>>()?;
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
            signature: None,
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
            deal_id: self.deal_id.map(DealId::from_uuid),
            invoice_id: self.invoice_id.map(InvoiceId::from_uuid),
            reference: self.reference,
        })
    }
}
