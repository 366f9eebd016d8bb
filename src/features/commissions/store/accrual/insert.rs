//! What accrual writes: many lines in one statement.

use super::super::super::domain::{CommissionStatus, Earned};
use crate::kernel::commission::IneligibleReason;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CommissionId, CreditNoteId};
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use uuid::Uuid;

/// Rows written in one statement at most.
const BATCH: usize = 5_000;

/// New lines turned by ninety degrees, as `unnest` wants them.
#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    kinds: Vec<&'static str>,
    partners: Vec<Uuid>,
    programs: Vec<Uuid>,
    deals: Vec<Uuid>,
    attributions: Vec<Uuid>,
    roles: Vec<&'static str>,
    components: Vec<&'static str>,
    invoices: Vec<Option<Uuid>>,
    invoice_lines: Vec<Option<Uuid>>,
    payments: Vec<Option<Uuid>>,
    credit_notes: Vec<Option<Uuid>>,
    rule_versions: Vec<Option<Uuid>>,
    statuses: Vec<&'static str>,
    reasons: Vec<Option<&'static str>>,
    currencies: Vec<&'static str>,
    bases: Vec<Decimal>,
    amounts: Vec<Decimal>,
    earned: Vec<DateTime<Utc>>,
    released: Vec<DateTime<Utc>>,
    approved: Vec<Option<DateTime<Utc>>>,
    explanations: Vec<String>,
}

/// What the partner is paid in, when that is exchanged, and the clawback window are frozen with the line. The answer is those that are to be
/// exchanged as they were earned.
const INSERT: &str = "WITH written AS (\
     INSERT INTO commissions (organization_id, id, kind, partner_id, program_id, deal_id, attribution_id, \
     role, component, invoice_id, invoice_line_id, payment_id, credit_note_id, rule_version_id, status, \
     ineligible_reason, currency, base_amount, amount, reversed_amount, netted_amount, earned_at, release_at, \
     approved_at, explanation, payout_currency, fx_policy, clawback_window_days, row_version, created_at, updated_at) \
     SELECT $1, n.id, n.kind, n.partner_id, n.program_id, n.deal_id, n.attribution_id, n.role, n.component, \
         n.invoice_id, n.invoice_line_id, n.payment_id, n.credit_note_id, n.rule_version_id, n.status, n.reason, \
         n.currency, n.base, n.amount, 0, 0, n.earned_at, n.release_at, n.approved_at, n.explanation::jsonb, \
         p.payout_currency, CASE WHEN p.id IS NOT NULL THEN g.fx_policy END, g.clawback_window_days, 1, $2, $2 \
     FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24) \
         AS n (id, kind, partner_id, program_id, deal_id, attribution_id, role, component, invoice_id, invoice_line_id, \
             payment_id, credit_note_id, rule_version_id, status, reason, currency, base, amount, earned_at, \
             release_at, approved_at, explanation) \
     LEFT JOIN partners p ON p.organization_id = $1 AND p.id = n.partner_id AND p.payout_currency <> n.currency \
         AND n.amount <> 0 \
     LEFT JOIN programs g ON g.organization_id = $1 AND g.id = n.program_id \
     RETURNING id, fx_policy) \
     SELECT id FROM written WHERE fx_policy = 'at_accrual'";

#[derive(QueryableByName)]
struct Written {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Writes new lines; which of them are to be exchanged as they were earned.
pub fn insert(tx: &mut Tx<'_>, ctx: &Ctx, earned: &[Earned]) -> Result<Vec<CommissionId>, Problem> {
    let mut to_exchange = Vec::new();
    for batch in earned.chunks(BATCH) {
        to_exchange.extend(Columns::of(batch, ctx.now)?.insert(tx, ctx)?);
    }
    Ok(to_exchange)
}

impl Columns {
    fn of(batch: &[Earned], now: DateTime<Utc>) -> Result<Self, Problem> {
        let mut columns = Self::default();
        for line in batch {
            columns.push(line, now)?;
        }
        Ok(columns)
    }

    fn push(&mut self, line: &Earned, now: DateTime<Utc>) -> Result<(), Problem> {
        let (invoice, invoice_line, payment) = match line.origin.paid {
            Some((invoice, line, payment)) => (Some(invoice.uuid()), Some(line.uuid()), Some(payment.uuid())),
            None => (None, None, None),
        };
        self.ids.push(line.id.uuid());
        self.kinds.push(line.kind.as_str());
        self.partners.push(line.partner_id.uuid());
        self.programs.push(line.origin.program_id.uuid());
        self.deals.push(line.origin.deal_id.uuid());
        self.attributions.push(line.attribution_id.uuid());
        self.roles.push(line.role.as_str());
        self.components.push(line.component.as_str());
        self.invoices.push(invoice);
        self.invoice_lines.push(invoice_line);
        self.payments.push(payment);
        self.credit_notes
            .push(line.origin.credit_note_id.map(CreditNoteId::uuid));
        self.rule_versions.push(
            line.rule_version_id
                .map(crate::kernel::id::CommissionRuleVersionId::uuid),
        );
        self.statuses.push(line.status.as_str());
        self.reasons
            .push(line.ineligible_reason.map(IneligibleReason::as_str));
        self.currencies.push(line.amount.currency().code());
        self.bases.push(line.base.amount());
        self.amounts.push(line.amount.amount());
        self.earned.push(line.earned_at);
        self.released.push(line.release_at);
        self.approved
            .push((line.status == CommissionStatus::Approved).then_some(now));
        self.explanations
            .push(serde_json::to_string(&line.explanation).map_err(Problem::damaged)?);
        Ok(())
    }

    fn insert(&self, tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Vec<CommissionId>, Problem> {
        let statement = sql_query(INSERT)
            .bind::<SqlUuid, _>(ctx.organization_id().uuid())
            .bind::<Timestamptz, _>(ctx.now)
            .bind::<Array<SqlUuid>, _>(&self.ids)
            .bind::<Array<Text>, _>(&self.kinds)
            .bind::<Array<SqlUuid>, _>(&self.partners)
            .bind::<Array<SqlUuid>, _>(&self.programs)
            .bind::<Array<SqlUuid>, _>(&self.deals)
            .bind::<Array<SqlUuid>, _>(&self.attributions)
            .bind::<Array<Text>, _>(&self.roles)
            .bind::<Array<Text>, _>(&self.components)
            .bind::<Array<Nullable<SqlUuid>>, _>(&self.invoices)
            .bind::<Array<Nullable<SqlUuid>>, _>(&self.invoice_lines)
            .bind::<Array<Nullable<SqlUuid>>, _>(&self.payments)
            .bind::<Array<Nullable<SqlUuid>>, _>(&self.credit_notes)
            .bind::<Array<Nullable<SqlUuid>>, _>(&self.rule_versions)
            .bind::<Array<Text>, _>(&self.statuses)
            .bind::<Array<Nullable<Text>>, _>(&self.reasons)
            .bind::<Array<Text>, _>(&self.currencies)
            .bind::<Array<Numeric>, _>(&self.bases)
            .bind::<Array<Numeric>, _>(&self.amounts)
            .bind::<Array<Timestamptz>, _>(&self.earned)
            .bind::<Array<Timestamptz>, _>(&self.released)
            .bind::<Array<Nullable<Timestamptz>>, _>(&self.approved)
            .bind::<Array<Text>, _>(&self.explanations);
        let written: Vec<Written> = Prepared(statement).load(tx.connection())?;
        let ids = written.into_iter().map(|row| CommissionId::from_uuid(row.id));
        Ok(ids.collect())
    }
}
