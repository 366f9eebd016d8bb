//! What accrual needs to know: one query per source, and one for the programs.

use super::super::super::accrual::Source;
use super::super::money;
use super::{Before, CreditRow, Inputs, PaymentRow, PoolParty, ProgramTerms};
use crate::kernel::commission::{Component, IneligibleReason};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{
    AttributionId, CreditNoteId, DealId, InvoiceId, InvoiceLineId, PartnerId, PaymentId, ProductFamilyId,
    ProgramId,
};
use crate::kernel::money::Rounding;
use crate::kernel::motion::{DealType, Motion, Role};
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;
use uuid::Uuid;

#[derive(QueryableByName)]
struct RawPayment {
    #[diesel(sql_type = SqlUuid)]
    payment_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    invoice_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    invoice_line_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    deal_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    program_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    product_family_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    deal_type: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    won_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    paid_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Bool)]
    other_goods: bool,
    #[diesel(sql_type = Numeric)]
    net: Decimal,
    #[diesel(sql_type = Numeric)]
    invoice_total: Decimal,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Numeric)]
    paid_after: Decimal,
    #[diesel(embed)]
    party: RawParty,
    #[diesel(sql_type = Bool)]
    is_new: bool,
}

#[derive(QueryableByName)]
struct RawCredit {
    #[diesel(sql_type = SqlUuid)]
    credit_note_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    deal_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    program_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    product_family_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    deal_type: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    won_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    issued_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    credit: Decimal,
    #[diesel(embed)]
    party: RawParty,
    #[diesel(sql_type = Bool)]
    is_new: bool,
    #[diesel(sql_type = Jsonb)]
    before: Value,
}

#[derive(Deserialize)]
struct RawBefore {
    component: Component,
    partner_id: Uuid,
    has_earned: bool,
    #[serde(with = "rust_decimal::serde::str")]
    kept: Decimal,
    was_barred: bool,
}

#[derive(QueryableByName)]
struct RawParty {
    #[diesel(sql_type = SqlUuid)]
    attribution_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Integer)]
    basis_points: i32,
    #[diesel(sql_type = Integer)]
    rank: i32,
    #[diesel(sql_type = Text)]
    partner_status: String,
    #[diesel(sql_type = Bool)]
    enrolled: bool,
}

#[derive(QueryableByName)]
struct RawProgram {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    motion: String,
    #[diesel(sql_type = Text)]
    time_zone: String,
    #[diesel(sql_type = Text)]
    rounding: String,
    #[diesel(sql_type = Bool)]
    approves_by_itself: bool,
    #[diesel(sql_type = Bool)]
    locks_when_paid: bool,
    #[diesel(sql_type = Bool)]
    has_gates: bool,
}

/// The credit's columns, in both queries.
const PARTY: &str = "a.id AS attribution_id, a.partner_id, a.role, a.share_basis_points AS basis_points, \
    a.allocation_rank AS rank, n.status AS partner_status, \
    EXISTS (SELECT FROM enrollments e WHERE e.organization_id = $1 AND e.partner_id = a.partner_id \
        AND e.program_id = d.program_id AND e.status = 'active') AS enrolled";

/// The deal's credits, in both queries: money follows the confirmed shares.
const CREDITS: &str = "JOIN programs g ON g.organization_id = $1 AND g.id = d.program_id \
    JOIN attributions a ON a.organization_id = $1 AND a.deal_id = d.id AND a.status = 'confirmed' \
    JOIN partners n ON n.organization_id = $1 AND n.id = a.partner_id";

/// Reads what the source earned; lines that exist already come along with `is_new` false, because they have a share.
pub fn inputs(tx: &mut Tx<'_>, scope: &Scope, source: Source<'_>) -> Result<Inputs, Problem> {
    let ids: Vec<Uuid> = match source {
        Source::Payments(ids) => ids.iter().map(|id| id.uuid()).collect(),
        Source::Deals(ids) => ids.iter().map(|id| id.uuid()).collect(),
        Source::CreditNotes(ids) => ids.iter().map(|id| id.uuid()).collect(),
    };
    super::super::deals::hold(tx, scope, source, &ids)?;
    let mut inputs = match source {
        Source::Payments(_) => payments(tx, scope, "p.id = ANY($2)", &ids)?,
        Source::CreditNotes(_) => credits(tx, scope, "k.id = ANY($2)", &ids)?,
        Source::Deals(_) => {
            let earned = payments(tx, scope, "d.id = ANY($2)", &ids)?;
            Inputs {
                credits: credits(tx, scope, "d.id = ANY($2)", &ids)?.credits,
                ..earned
            }
        }
    };
    let of_payments = inputs.payments.iter().map(|row| row.program_id);
    let of_credits = inputs.credits.iter().map(|row| row.program_id);
    let of_both: BTreeSet<Uuid> = of_payments.chain(of_credits).map(ProgramId::uuid).collect();
    inputs.programs = programs(tx, scope, of_both)?;
    Ok(inputs)
}

fn payments(tx: &mut Tx<'_>, scope: &Scope, which: &str, ids: &[Uuid]) -> Result<Inputs, Problem> {
    let text = format!(
        "SELECT p.id AS payment_id, p.invoice_id, l.id AS invoice_line_id, i.deal_id, d.program_id, \
             coalesce(l.product_family_id, d.product_family_id) AS product_family_id, d.deal_type, d.won_at, p.paid_at, \
             i.currency, l.kind <> 'product' OR l.quantity <> 1 AS other_goods, \
             l.net_amount AS net, i.total_amount AS invoice_total, p.amount, p.cumulative_amount AS paid_after, {PARTY}, \
             NOT EXISTS (SELECT FROM commissions c WHERE c.organization_id = $1 AND c.payment_id = p.id \
                 AND c.invoice_line_id = l.id AND c.attribution_id = a.id) AS is_new \
         FROM payments p \
         JOIN invoices i ON i.organization_id = $1 AND i.id = p.invoice_id \
         JOIN invoice_lines l ON l.organization_id = $1 AND l.invoice_id = i.id \
         JOIN deals d ON d.organization_id = $1 AND d.id = i.deal_id {CREDITS} \
         WHERE p.organization_id = $1 AND {which} AND (d.status = 'won' OR g.lock_point = 'invoice_paid') \
         ORDER BY p.paid_at, p.invoice_id, p.id, l.position, a.role, a.allocation_rank"
    );
    let query = sql_query(text)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Array<SqlUuid>, _>(ids);
    let rows: Vec<RawPayment> = Prepared(query).load(tx.connection())?;
    let payments = rows
        .into_iter()
        .map(PaymentRow::try_from)
        .collect::<Result<_, _>>()?;
    Ok(Inputs {
        payments,
        ..Inputs::default()
    })
}

fn credits(tx: &mut Tx<'_>, scope: &Scope, which: &str, ids: &[Uuid]) -> Result<Inputs, Problem> {
    let text = format!(
        "SELECT k.id AS credit_note_id, k.deal_id, d.program_id, d.product_family_id, d.deal_type, d.won_at, k.issued_at, \
             k.currency, k.amount AS credit, {PARTY}, \
             NOT EXISTS (SELECT FROM commissions c WHERE c.organization_id = $1 AND c.credit_note_id = k.id \
                 AND c.attribution_id = a.id) AS is_new, \
             coalesce((SELECT jsonb_agg(b) FROM (SELECT c.component, c.partner_id, bool_or(c.amount > 0) AS has_earned, \
                     sum(c.amount - c.reversed_amount)::text AS kept, \
                     bool_or(coalesce(c.ineligible_reason = ANY ($3) AND c.payment_id IS NOT NULL, false)) AS was_barred \
                 FROM commissions c WHERE c.organization_id = $1 AND c.deal_id = d.id AND c.attribution_id = a.id \
                     AND c.currency = k.currency GROUP BY 1, 2) b), '[]') AS before \
         FROM credit_notes k \
         JOIN deals d ON d.organization_id = $1 AND d.id = k.deal_id {CREDITS} \
         WHERE k.organization_id = $1 AND {which} AND k.invoice_id IS NULL \
             AND (d.status = 'won' OR g.lock_point = 'invoice_paid') \
         ORDER BY k.issued_at, k.id, a.role, a.allocation_rank"
    );
    let reasons = IneligibleReason::OF_THE_PARTNER.iter();
    let barring: Vec<&str> = reasons.map(|reason| reason.as_str()).collect();
    let query = sql_query(text)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Array<Text>, _>(barring);
    let rows: Vec<RawCredit> = Prepared(query).load(tx.connection())?;
    let credits = rows
        .into_iter()
        .map(CreditRow::try_from)
        .collect::<Result<_, _>>()?;
    Ok(Inputs {
        credits,
        ..Inputs::default()
    })
}

/// The terms of these programs.
pub fn programs(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: BTreeSet<Uuid>,
) -> Result<HashMap<ProgramId, ProgramTerms>, Problem> {
    let query = sql_query(
        "SELECT id, motion, time_zone, rounding, commission_approval = 'automatic' AS approves_by_itself, \
             lock_point = 'invoice_paid' AS locks_when_paid, gates @> '[{\"blocks\": \"accruing\"}]' AS has_gates \
         FROM programs WHERE organization_id = $1 AND id = ANY($2)",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(ids.into_iter().collect::<Vec<_>>());
    let rows: Vec<RawProgram> = Prepared(query).load(tx.connection())?;
    rows.into_iter()
        .map(|row| ProgramTerms::try_from(row).map(|terms| (terms.id, terms)))
        .collect()
}

/// The terms of one program.
pub fn program(tx: &mut Tx<'_>, scope: &Scope, id: ProgramId) -> Result<Option<ProgramTerms>, Problem> {
    Ok(programs(tx, scope, BTreeSet::from([id.uuid()]))?.remove(&id))
}

impl TryFrom<RawParty> for PoolParty {
    type Error = Problem;

    fn try_from(raw: RawParty) -> Result<Self, Problem> {
        Ok(Self {
            attribution_id: AttributionId::from_uuid(raw.attribution_id),
            partner_id: PartnerId::from_uuid(raw.partner_id),
            role: Role::from_str(&raw.role).map_err(Problem::damaged)?,
            basis_points: u32::try_from(raw.basis_points).map_err(Problem::damaged)?,
            rank: raw.rank,
            partner_status: raw.partner_status,
            enrolled: raw.enrolled,
        })
    }
}

impl TryFrom<RawPayment> for PaymentRow {
    type Error = Problem;

    fn try_from(raw: RawPayment) -> Result<Self, Problem> {
        let money = |amount: Decimal| money(amount, &raw.currency);
        let paid_after = money(raw.paid_after)?;
        let paid_before = paid_after
            .checked_sub(money(raw.amount)?)
            .map_err(Problem::damaged)?;
        Ok(Self {
            payment_id: PaymentId::from_uuid(raw.payment_id),
            invoice_id: InvoiceId::from_uuid(raw.invoice_id),
            invoice_line_id: InvoiceLineId::from_uuid(raw.invoice_line_id),
            deal_id: DealId::from_uuid(raw.deal_id),
            program_id: ProgramId::from_uuid(raw.program_id),
            product_family_id: raw.product_family_id.map(ProductFamilyId::from_uuid),
            deal_type: DealType::from_str(&raw.deal_type).map_err(Problem::damaged)?,
            other_goods: raw.other_goods,
            won_at: raw.won_at,
            paid_at: raw.paid_at,
            net: money(raw.net)?,
            invoice_total: money(raw.invoice_total)?,
            paid_before,
            paid_after,
            party: raw.party.try_into()?,
            is_new: raw.is_new,
        })
    }
}

impl TryFrom<RawCredit> for CreditRow {
    type Error = Problem;

    fn try_from(raw: RawCredit) -> Result<Self, Problem> {
        let before: Vec<RawBefore> = serde_json::from_value(raw.before).map_err(Problem::damaged)?;
        let before = before.into_iter().map(|one| {
            Ok(Before {
                component: one.component,
                partner_id: PartnerId::from_uuid(one.partner_id),
                has_earned: one.has_earned,
                kept: money(one.kept, &raw.currency)?,
                was_barred: one.was_barred,
            })
        });
        let before = before.collect::<Result<_, Problem>>()?;
        Ok(Self {
            credit_note_id: CreditNoteId::from_uuid(raw.credit_note_id),
            deal_id: DealId::from_uuid(raw.deal_id),
            program_id: ProgramId::from_uuid(raw.program_id),
            product_family_id: raw.product_family_id.map(ProductFamilyId::from_uuid),
            deal_type: DealType::from_str(&raw.deal_type).map_err(Problem::damaged)?,
            won_at: raw.won_at,
            issued_at: raw.issued_at,
            credit: money(raw.credit, &raw.currency)?,
            party: raw.party.try_into()?,
            is_new: raw.is_new,
            before,
        })
    }
}

impl TryFrom<RawProgram> for ProgramTerms {
    type Error = Problem;

    fn try_from(raw: RawProgram) -> Result<Self, Problem> {
        Ok(Self {
            id: ProgramId::from_uuid(raw.id),
            motion: Motion::from_str(&raw.motion).map_err(Problem::damaged)?,
            zone: raw.time_zone.parse().map_err(Problem::damaged)?,
            rounding: Rounding::from_str(&raw.rounding).map_err(Problem::damaged)?,
            approves_by_itself: raw.approves_by_itself,
            locks_when_paid: raw.locks_when_paid,
            has_gates: raw.has_gates,
        })
    }
}
