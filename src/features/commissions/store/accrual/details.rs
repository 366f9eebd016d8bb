//! What only some rules ask for: goods, service, country, tier, and the distributor above a partner.

use super::super::super::accrual::Source;
use super::{Detail, Details, Distributor, Holder};
use crate::features::compliance_documents;
use crate::kernel::commission::{Goods, LineKind};
use crate::kernel::ctx::Scope;
use crate::kernel::gate::GatedStep;
use crate::kernel::id::{AttributionId, PartnerId};
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{Array, Bool, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use std::str::FromStr;
use uuid::Uuid;

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = SqlUuid)]
    source_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    line_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    attribution_id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Nullable<Numeric>)]
    cost: Option<Decimal>,
    #[diesel(sql_type = Nullable<Date>)]
    starts_on: Option<NaiveDate>,
    #[diesel(sql_type = Bool)]
    is_first_invoice: bool,
    #[diesel(sql_type = Nullable<Text>)]
    country: Option<String>,
    #[diesel(sql_type = Array<Text>)]
    closed_gates: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    above_closed_gates: Vec<String>,
    #[diesel(sql_type = Nullable<Text>)]
    tier: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    enrolled_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    above_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    above_status: Option<String>,
    #[diesel(sql_type = Bool)]
    above_enrolled: bool,
    #[diesel(sql_type = Nullable<Text>)]
    above_tier: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    above_enrolled_at: Option<DateTime<Utc>>,
}

/// What both queries ask of deal, credit, enrollment and distributor. Tiers and countries are those of the lock
/// point: what became of a partner or a customer since the deal was promised changes nothing of the promise. What was not
/// known of the customer then may become known later.
fn party(moved_at: &str, family: &str) -> String {
    let lock_at = format!(
        "CASE g.lock_point WHEN 'invoice_paid' THEN {moved_at} ELSE coalesce(d.won_at, {moved_at}) END"
    );
    let country =
        "CASE g.lock_point WHEN 'invoice_paid' THEN c.country ELSE coalesce(d.won_country, c.country) END";
    let closed = |partner| {
        compliance_documents::closed_gates_of(GatedStep::Accruing, "g", partner, [&lock_at, family, country])
    };
    format!(
        "a.id AS attribution_id, {country} AS country, tier_as_of($1, n.id, d.program_id, {lock_at}) AS tier, \
         e.activated_at AS enrolled_at, n.parent_id AS above_id, u.status AS above_status, \
         f.id IS NOT NULL AS above_enrolled, tier_as_of($1, u.id, d.program_id, {lock_at}) AS above_tier, \
         f.activated_at AS above_enrolled_at, {own} AS closed_gates, {above} AS above_closed_gates",
        own = closed("n.id"),
        above = closed("u.id"),
    )
}

const JOINS: &str = "JOIN programs g ON g.organization_id = $1 AND g.id = d.program_id \
    JOIN accounts c ON c.organization_id = $1 AND c.id = d.account_id \
    JOIN attributions a ON a.organization_id = $1 AND a.deal_id = d.id AND a.status = 'confirmed' \
    JOIN partners n ON n.organization_id = $1 AND n.id = a.partner_id \
    LEFT JOIN enrollments e ON e.organization_id = $1 AND e.partner_id = n.id AND e.program_id = d.program_id \
        AND e.status <> 'ended' \
    LEFT JOIN partners u ON u.organization_id = $1 AND u.id = n.parent_id \
    LEFT JOIN enrollments f ON f.organization_id = $1 AND f.partner_id = u.id AND f.program_id = d.program_id \
        AND f.status = 'active'";

/// Reads the details of everything in the source.
pub fn details(tx: &mut Tx<'_>, scope: &Scope, source: Source<'_>) -> Result<Details, Problem> {
    let mut details = Details::default();
    match source {
        Source::Payments(ids) => {
            let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
            read(tx, scope, &payments("p.id = ANY($2)"), &ids, &mut details)?;
        }
        Source::CreditNotes(ids) => {
            let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
            read(tx, scope, &credits("k.id = ANY($2)"), &ids, &mut details)?;
        }
        Source::Deals(ids) => {
            let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
            read(tx, scope, &payments("d.id = ANY($2)"), &ids, &mut details)?;
            read(tx, scope, &credits("d.id = ANY($2)"), &ids, &mut details)?;
        }
    }
    Ok(details)
}

fn payments(which: &str) -> String {
    let party = party("p.paid_at", "coalesce(l.product_family_id, d.product_family_id)");
    format!(
        "SELECT p.id AS source_id, l.id AS line_id, l.kind, l.quantity, l.cost_amount AS cost, \
             coalesce(i.service_starts_on, i.issued_on) AS starts_on, \
             NOT EXISTS (SELECT FROM invoices x WHERE x.organization_id = $1 AND x.deal_id = d.id AND x.id < i.id \
                 AND x.status <> 'void') AS is_first_invoice, {party} \
         FROM payments p \
         JOIN invoices i ON i.organization_id = $1 AND i.id = p.invoice_id \
         JOIN invoice_lines l ON l.organization_id = $1 AND l.invoice_id = i.id \
         JOIN deals d ON d.organization_id = $1 AND d.id = i.deal_id {JOINS} \
         WHERE p.organization_id = $1 AND {which}"
    )
}

fn credits(which: &str) -> String {
    let party = party("k.issued_at", "d.product_family_id");
    format!(
        "SELECT k.id AS source_id, k.id AS line_id, 'product' AS kind, 1::numeric AS quantity, NULL::numeric AS cost, \
             NULL::date AS starts_on, true AS is_first_invoice, {party} \
         FROM credit_notes k \
         JOIN deals d ON d.organization_id = $1 AND d.id = k.deal_id {JOINS} \
         WHERE k.organization_id = $1 AND {which} AND k.invoice_id IS NULL"
    )
}

fn read(
    tx: &mut Tx<'_>,
    scope: &Scope,
    text: &str,
    ids: &[Uuid],
    details: &mut Details,
) -> Result<(), Problem> {
    let query = sql_query(text)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Array<SqlUuid>, _>(ids);
    let rows: Vec<Raw> = Prepared(query).load(tx.connection())?;
    for row in rows {
        let line = (row.source_id, row.line_id);
        let attribution_id = AttributionId::from_uuid(row.attribution_id);
        details.insert(line, attribution_id, row.try_into()?);
    }
    Ok(())
}

impl TryFrom<Raw> for Detail {
    type Error = Problem;

    fn try_from(raw: Raw) -> Result<Self, Problem> {
        let above = raw.above_id.zip(raw.above_status);
        Ok(Self {
            goods: Goods {
                kind: LineKind::from_str(&raw.kind).map_err(Problem::damaged)?,
                quantity: raw.quantity.normalize(),
                cost: raw.cost,
            },
            starts_on: raw.starts_on,
            is_first_invoice: raw.is_first_invoice,
            country: raw.country,
            closed_gates: raw.closed_gates,
            holder: Holder {
                tier: raw.tier,
                enrolled_at: raw.enrolled_at,
            },
            distributor: above.map(|(id, partner_status)| Distributor {
                partner_id: PartnerId::from_uuid(id),
                partner_status,
                enrolled: raw.above_enrolled,
                closed_gates: raw.above_closed_gates,
                holder: Holder {
                    tier: raw.above_tier,
                    enrolled_at: raw.above_enrolled_at,
                },
            }),
        })
    }
}
