//! What accrual once started from, read back from what it wrote: shares and whether a partner could earn stand in the
//! explanations, tiers in their history.

use super::super::money;
use super::{
    CreditRow, Detail, Details, Distributor, EarnedBefore, Holder, MoneyBefore, PaymentRow, PoolParty,
    ProgramTerms,
};
use crate::features::commissions::domain::CommissionKind;
use crate::kernel::commission::{Entitlement, Explanation, Goods, IneligibleReason, LineKind};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{
    AttributionId, CommissionId, CommissionRuleVersionId, CreditNoteId, DealId, InvoiceId, InvoiceLineId,
    PartnerId, PaymentId, ProductFamilyId, ProgramId,
};
use crate::kernel::money::{Money, Part, Rounding};
use crate::kernel::motion::{DealType, Role};
use crate::kernel::problem::Problem;
use crate::kernel::time::Period;
use crate::platform::db::Tx;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{
    BigInt, Bool, Date, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde_json::Value;
use std::str::FromStr;
use uuid::Uuid;

/// Lines that are worked out at a time.
pub const BATCH: usize = 500;

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Integer)]
    counting_share: i32,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    payment_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    invoice_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    invoice_line_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    credit_note_id: Option<Uuid>,
    #[diesel(sql_type = SqlUuid)]
    deal_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    attribution_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Timestamptz)]
    earned_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    rule_version_id: Option<Uuid>,
    #[diesel(sql_type = Jsonb)]
    explanation: Value,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    product_family_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    deal_type: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    won_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    goods_kind: String,
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
    #[diesel(sql_type = Bool)]
    above_decided: bool,
    #[diesel(sql_type = Nullable<Text>)]
    above_reason: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    above_closed_gates: Option<Value>,
    #[diesel(sql_type = Nullable<Text>)]
    above_tier: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    above_enrolled_at: Option<DateTime<Utc>>,
}

/// The gates that were closed to whoever a line is for.
const CLOSED: &str = "c.explanation #> '{entitlement,closed_gates}'";

/// The instant whose terms a line goes by; tiers and countries are those of then, as accrual has them.
const LOCK_AT: &str =
    "CASE g.lock_point WHEN 'invoice_paid' THEN b.earned_at ELSE coalesce(d.won_at, b.earned_at) END";

/// The enrollment that a partner had when a line was worked out.
fn enrollment_of(name: &str, partner: &str) -> String {
    format!(
        "LEFT JOIN LATERAL (SELECT e.status, e.activated_at \
             FROM enrollments e WHERE e.organization_id = $1 AND e.partner_id = {partner} \
                 AND e.program_id = b.program_id AND e.created_at <= b.created_at \
             ORDER BY e.created_at DESC, e.id DESC LIMIT 1) {name} ON true"
    )
}

/// The lines of the base component in the order in which they were worked out, after one of them and up to another.
pub fn earned_before(
    tx: &mut Tx<'_>,
    scope: &Scope,
    program: &ProgramTerms,
    (after, last): (Option<CommissionId>, CommissionId),
    period: Option<&Period>,
) -> Result<Vec<EarnedBefore>, Problem> {
    let text = format!(
        "WITH b AS (SELECT c.* FROM commissions c \
             WHERE c.organization_id = $1 AND c.program_id = $2 AND c.component = 'base' \
                 AND ($3 IS NULL OR c.id > $3) AND c.id <= $4 \
                 AND ($5 IS NULL OR c.earned_at >= $5) AND ($6 IS NULL OR c.earned_at < $6) \
             ORDER BY c.id LIMIT $7) \
         SELECT b.id, b.kind, b.payment_id, b.invoice_id, b.invoice_line_id, b.credit_note_id, b.deal_id, \
             b.attribution_id, CASE t.status WHEN 'confirmed' THEN t.share_basis_points ELSE 0 END AS counting_share, b.partner_id, b.role, b.currency, b.earned_at, b.created_at, b.rule_version_id, \
             b.explanation, coalesce(l.product_family_id, d.product_family_id) AS product_family_id, d.deal_type, \
             d.won_at, coalesce(l.kind, 'product') AS goods_kind, coalesce(l.quantity, 1) AS quantity, \
             l.cost_amount AS cost, coalesce(i.service_starts_on, i.issued_on) AS starts_on, \
             i.id IS NULL OR NOT EXISTS (SELECT FROM invoices x WHERE x.organization_id = $1 \
                 AND x.deal_id = b.deal_id AND x.id < i.id AND x.status <> 'void') AS is_first_invoice, \
             CASE g.lock_point WHEN 'invoice_paid' THEN a.country ELSE coalesce(d.won_country, a.country) END AS country, \
             tier_as_of($1, n.id, b.program_id, {LOCK_AT}) AS tier, e.activated_at AS enrolled_at, u.id AS above_id, u.status AS above_status, \
             coalesce(f.status = 'active', false) AS above_enrolled, o.partner_id IS NOT NULL AS above_decided, \
             o.ineligible_reason AS above_reason, o.closed_gates AS above_closed_gates, tier_as_of($1, u.id, b.program_id, {LOCK_AT}) AS above_tier, \
             f.activated_at AS above_enrolled_at \
         FROM b \
         JOIN attributions t ON t.organization_id = $1 AND t.id = b.attribution_id \
         JOIN programs g ON g.organization_id = $1 AND g.id = b.program_id \
         JOIN deals d ON d.organization_id = $1 AND d.id = b.deal_id \
         JOIN accounts a ON a.organization_id = $1 AND a.id = d.account_id \
         JOIN partners n ON n.organization_id = $1 AND n.id = b.partner_id \
         LEFT JOIN invoices i ON i.organization_id = $1 AND i.id = b.invoice_id \
         LEFT JOIN invoice_lines l ON l.organization_id = $1 AND l.id = b.invoice_line_id \
         {} \
         LEFT JOIN LATERAL (SELECT c.partner_id, c.ineligible_reason, {CLOSED} AS closed_gates FROM commissions c WHERE c.organization_id = $1 \
             AND c.payment_id = b.payment_id AND c.invoice_line_id = b.invoice_line_id \
             AND c.attribution_id = b.attribution_id AND c.component = 'override' \
             UNION ALL SELECT c.partner_id, c.ineligible_reason, {CLOSED} FROM commissions c WHERE c.organization_id = $1 \
             AND c.credit_note_id = b.credit_note_id AND c.attribution_id = b.attribution_id \
             AND c.component = 'override') o ON true \
         LEFT JOIN partners u ON u.organization_id = $1 AND u.id = coalesce(o.partner_id, n.parent_id) \
         {} \
         ORDER BY b.id",
        enrollment_of("e", "b.partner_id"),
        enrollment_of("f", "u.id"),
    );
    let rows: Vec<Raw> = sql_query(text)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<SqlUuid, _>(program.id.uuid())
        .bind::<Nullable<SqlUuid>, _>(after.map(CommissionId::uuid))
        .bind::<SqlUuid, _>(last.uuid())
        .bind::<Nullable<Timestamptz>, _>(period.map(|period| period.from))
        .bind::<Nullable<Timestamptz>, _>(period.map(|period| period.to))
        .bind::<BigInt, _>(i64::try_from(BATCH).unwrap_or(i64::MAX))
        .load(tx.connection())?;
    rows.into_iter().map(|raw| raw.line(program)).collect()
}

/// Whether a partner could earn, as the reason of a line tells: this is asked before anything else is.
fn status_of(reason: Option<IneligibleReason>) -> (&'static str, bool) {
    match reason {
        Some(IneligibleReason::PartnerSuspended) => ("suspended", true),
        Some(IneligibleReason::PartnerTerminated) => ("terminated", true),
        Some(IneligibleReason::EnrollmentNotActive) => ("approved", false),
        _ => ("approved", true),
    }
}

impl Raw {
    fn line(self, program: &ProgramTerms) -> Result<EarnedBefore, Problem> {
        let explanation: Explanation =
            serde_json::from_value(self.explanation.clone()).map_err(Problem::damaged)?;
        let (entitlement, rounding) = match &explanation {
            Explanation::Accrual(accrual) => (&accrual.entitlement, accrual.rounding),
            Explanation::Credit(credit) => (&credit.entitlement, credit.rounding),
            Explanation::Clawback(_) => return Err(Problem::damaged("an earned line that is a clawback")),
        };
        let parties = self.parties(entitlement)?;
        let money = match (CommissionKind::from_str(&self.kind), &explanation) {
            (Ok(CommissionKind::Accrual), Explanation::Accrual(accrual)) => {
                let amounts = [
                    accrual.net,
                    accrual.invoice_total,
                    accrual.paid_before,
                    accrual.paid_after,
                ];
                self.payments(parties, amounts, program.id)?
            }
            (Ok(CommissionKind::CreditNote), Explanation::Credit(credit)) => {
                self.credits(parties, credit.credit, program.id)?
            }
            _ => return Err(Problem::damaged("an earned line with another explanation")),
        };
        let mut details = Details::default();
        details.insert(
            self.place(),
            AttributionId::from_uuid(self.attribution_id),
            self.detail(entitlement)?,
        );
        Ok(EarnedBefore {
            id: CommissionId::from_uuid(self.id),
            deal_id: DealId::from_uuid(self.deal_id),
            partner_id: PartnerId::from_uuid(self.partner_id),
            attribution_id: AttributionId::from_uuid(self.attribution_id),
            corrected_share: self.corrected_share(entitlement),
            rule_version_id: self.rule_version_id.map(CommissionRuleVersionId::from_uuid),
            earned_at: self.earned_at,
            created_at: self.created_at,
            program: with_rounding(program, rounding),
            money,
            details,
        })
    }

    fn corrected_share(&self, entitlement: &Entitlement) -> Option<i32> {
        let earned_with = i32::try_from(entitlement.share.basis_points).ok();
        Some(self.counting_share).filter(|share| Some(*share) != earned_with)
    }

    /// The party itself, and beside it the other shares of its pool, whosever they are; alone where its own was corrected,
    /// because those of the others may have been, too.
    fn parties(&self, entitlement: &Entitlement) -> Result<Vec<PoolParty>, Problem> {
        let role = Role::from_str(&self.role).map_err(Problem::damaged)?;
        let (partner_status, enrolled) = status_of(entitlement.ineligible);
        let party = |attribution_id: Uuid, share: Part| PoolParty {
            attribution_id: AttributionId::from_uuid(attribution_id),
            partner_id: PartnerId::from_uuid(self.partner_id),
            role,
            basis_points: share.basis_points,
            rank: share.rank,
            partner_status: partner_status.to_owned(),
            enrolled,
        };
        let others = entitlement
            .shares
            .iter()
            .filter(|share| **share != entitlement.share);
        let corrected = self.corrected_share(entitlement);
        if let Some(share) = corrected.map(u32::try_from) {
            let share = Part {
                basis_points: share.map_err(Problem::damaged)?,
                ..entitlement.share
            };
            return Ok(vec![party(self.attribution_id, share)]);
        }
        let own = party(self.attribution_id, entitlement.share);
        Ok([own]
            .into_iter()
            .chain(others.map(|share| party(Uuid::nil(), *share)))
            .collect())
    }

    fn payments(
        &self,
        parties: Vec<PoolParty>,
        amounts: [Decimal; 4],
        program_id: ProgramId,
    ) -> Result<MoneyBefore, Problem> {
        let [net, invoice_total, paid_before, paid_after] = amounts;
        let (Some(payment_id), Some(invoice_id), Some(line_id)) =
            (self.payment_id, self.invoice_id, self.invoice_line_id)
        else {
            return Err(Problem::damaged("an earned line without its payment"));
        };
        let first = PaymentRow {
            payment_id: PaymentId::from_uuid(payment_id),
            invoice_id: InvoiceId::from_uuid(invoice_id),
            invoice_line_id: InvoiceLineId::from_uuid(line_id),
            deal_id: DealId::from_uuid(self.deal_id),
            program_id,
            product_family_id: self.product_family_id.map(ProductFamilyId::from_uuid),
            deal_type: DealType::from_str(&self.deal_type).map_err(Problem::damaged)?,
            other_goods: !self.goods()?.is_plain(),
            won_at: self.won_at,
            paid_at: self.earned_at,
            net: money(net, &self.currency)?,
            invoice_total: money(invoice_total, &self.currency)?,
            paid_before: money(paid_before, &self.currency)?,
            paid_after: money(paid_after, &self.currency)?,
            party: parties[0].clone(),
            is_new: true,
        };
        let row = |(index, party): (usize, PoolParty)| PaymentRow {
            party,
            is_new: index == 0,
            ..first.clone()
        };
        Ok(MoneyBefore::Payment(
            parties.into_iter().enumerate().map(row).collect(),
        ))
    }

    fn credits(
        &self,
        parties: Vec<PoolParty>,
        credit: Decimal,
        program_id: ProgramId,
    ) -> Result<MoneyBefore, Problem> {
        let Some(credit_note_id) = self.credit_note_id else {
            return Err(Problem::damaged("a credited line without its credit note"));
        };
        let first = CreditRow {
            credit_note_id: CreditNoteId::from_uuid(credit_note_id),
            deal_id: DealId::from_uuid(self.deal_id),
            program_id,
            product_family_id: self.product_family_id.map(ProductFamilyId::from_uuid),
            deal_type: DealType::from_str(&self.deal_type).map_err(Problem::damaged)?,
            won_at: self.won_at,
            issued_at: self.earned_at,
            credit: money(credit, &self.currency)?,
            party: parties[0].clone(),
            is_new: true,
            before: Vec::new(),
        };
        let row = |(index, party): (usize, PoolParty)| CreditRow {
            party,
            is_new: index == 0,
            ..first.clone()
        };
        Ok(MoneyBefore::Credit(
            parties.into_iter().enumerate().map(row).collect(),
        ))
    }

    /// Where accrual looks for the details of the line.
    fn place(&self) -> (Uuid, Uuid) {
        let note = self.credit_note_id.unwrap_or_default();
        self.payment_id.zip(self.invoice_line_id).unwrap_or((note, note))
    }

    fn goods(&self) -> Result<Goods, Problem> {
        Ok(Goods {
            kind: LineKind::from_str(&self.goods_kind).map_err(Problem::damaged)?,
            quantity: self.quantity.normalize(),
            cost: self.cost,
        })
    }

    fn detail(&self, entitlement: &Entitlement) -> Result<Detail, Problem> {
        let reason = self.above_reason.as_deref().map(IneligibleReason::from_str);
        let reason = reason.transpose().map_err(Problem::damaged)?;
        let decided = self.above_decided.then(|| status_of(reason));
        let above = self.above_id.zip(self.above_status.clone());
        let closed = self.above_closed_gates.clone().map(serde_json::from_value);
        let above_closed_gates = closed.transpose().map_err(Problem::damaged)?;
        Ok(Detail {
            goods: self.goods()?,
            starts_on: self.starts_on,
            is_first_invoice: self.is_first_invoice,
            country: self.country.clone(),
            closed_gates: entitlement.closed_gates.clone(),
            holder: Holder {
                tier: self.tier.clone(),
                enrolled_at: self.enrolled_at,
            },
            distributor: above.map(|(id, status)| Distributor {
                partner_id: PartnerId::from_uuid(id),
                partner_status: decided.map_or(status, |(then, _)| then.to_owned()),
                enrolled: decided.map_or(self.above_enrolled, |(_, then)| then),
                closed_gates: above_closed_gates.unwrap_or_default(),
                holder: Holder {
                    tier: self.above_tier.clone(),
                    enrolled_at: self.above_enrolled_at,
                },
            }),
        })
    }
}

fn with_rounding(program: &ProgramTerms, rounding: Rounding) -> ProgramTerms {
    ProgramTerms {
        rounding,
        ..program.clone()
    }
}

#[derive(QueryableByName)]
struct RawLast {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// The last line of the program that was earned in the period and worked out before an id could be made.
pub fn last_of(
    tx: &mut Tx<'_>,
    scope: &Scope,
    program_id: ProgramId,
    period: &Period,
    horizon: CommissionId,
) -> Result<Option<CommissionId>, Problem> {
    let rows: Vec<RawLast> = sql_query(
        "SELECT c.id FROM commissions c WHERE c.organization_id = $1 AND c.program_id = $2 AND c.component = 'base' \
             AND c.earned_at >= $3 AND c.earned_at < $4 AND c.id < $5 ORDER BY c.id DESC LIMIT 1",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(program_id.uuid())
    .bind::<Timestamptz, _>(period.from)
    .bind::<Timestamptz, _>(period.to)
    .bind::<SqlUuid, _>(horizon.uuid())
    .load(tx.connection())?;
    Ok(rows.first().map(|row| CommissionId::from_uuid(row.id)))
}

#[derive(QueryableByName)]
struct RawKept {
    #[diesel(sql_type = SqlUuid)]
    base_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    kept: Decimal,
}

/// What everybody kept of what belongs to these lines, of all components, as far as it had been taken back before the
/// horizon, and as it had been exchanged by that instant.
pub fn kept(
    tx: &mut Tx<'_>,
    scope: &Scope,
    lines: &[Uuid],
    (horizon, as_of): (Uuid, DateTime<Utc>),
) -> Result<Vec<(CommissionId, PartnerId, Money)>, Problem> {
    let kept = "SELECT b.id AS base_id, c.partner_id, \
            CASE WHEN c.exchanged_at <= $4 THEN c.payout_currency ELSE c.currency END AS currency, \
            sum(CASE WHEN c.exchanged_at <= $4 THEN c.exchanged_amount ELSE c.amount END - coalesce((SELECT \
                sum(CASE WHEN c.exchanged_at <= $4 THEN k.exchanged_amount ELSE k.amount END) \
                FROM clawbacks k WHERE k.organization_id = $1 AND k.commission_id = c.id AND k.id < $3), 0)) AS kept \
        FROM commissions b JOIN commissions c ON c.organization_id = $1 AND c.attribution_id = b.attribution_id";
    let these = "WHERE b.organization_id = $1 AND b.id = ANY($2) GROUP BY 1, 2, 3";
    let rows: Vec<RawKept> = sql_query(format!(
        "{kept} AND c.payment_id = b.payment_id AND c.invoice_line_id = b.invoice_line_id {these} \
         UNION ALL {kept} AND c.credit_note_id = b.credit_note_id {these}"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<diesel::sql_types::Array<SqlUuid>, _>(lines)
    .bind::<SqlUuid, _>(horizon)
    .bind::<Timestamptz, _>(as_of)
    .load(tx.connection())?;
    rows.into_iter()
        .map(|row| {
            let kept = money(row.kept, &row.currency)?;
            let base_id = CommissionId::from_uuid(row.base_id);
            Ok((base_id, PartnerId::from_uuid(row.partner_id), kept))
        })
        .collect()
}
