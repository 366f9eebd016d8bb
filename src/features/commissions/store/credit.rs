//! What one credit has earned.

use crate::kernel::commission::Explanation;
use crate::kernel::ctx::{Ctx, Scope};
use crate::kernel::exchange::LineExchange;
use crate::kernel::id::{AttributionId, CommissionId, PartnerId, ProgramId, RefundId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::platform::db::schema::commissions;
use crate::platform::db::{Prepared, Tx};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Bool, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use uuid::Uuid;

/// A line that a credit earned.
#[derive(Debug, Clone)]
pub struct CreditLine {
    /// The line.
    pub id: CommissionId,
    /// The payment and the line of the invoice that it was earned on, or twice the credit note.
    pub money: (Uuid, Uuid),
    /// Whose it is: of whoever has the credit, or of the distributor above.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// Whether it is on hold, disputed or not approved; for one that earned nothing, whether it would be on hold.
    pub waits: bool,
    /// The share with which it was earned, in basis points.
    pub share: i32,
    /// What was earned, as it is owed: in the currency that the partner is paid in, once the line was exchanged.
    pub earned: Money,
    /// What is left of it, less what was taken back.
    pub kept: Money,
    /// The same in the currency of the invoice.
    pub kept_of_invoice: Decimal,
    /// What the amount follows from.
    pub explanation: Explanation,
    /// How it was exchanged, if it was.
    pub exchange: Option<LineExchange>,
    /// Whether it is still to be exchanged.
    pub is_unexchanged: bool,
}

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    money: Uuid,
    #[diesel(sql_type = SqlUuid)]
    money_line: Uuid,
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    program_id: Uuid,
    #[diesel(sql_type = Bool)]
    waits: bool,
    #[diesel(sql_type = Integer)]
    share: i32,
    #[diesel(sql_type = Text)]
    owed_currency: String,
    #[diesel(sql_type = Numeric)]
    owed_amount: Decimal,
    #[diesel(sql_type = Numeric)]
    owed_reversed: Decimal,
    #[diesel(sql_type = Numeric)]
    kept_of_invoice: Decimal,
    #[diesel(sql_type = Jsonb)]
    explanation: serde_json::Value,
    #[diesel(sql_type = Nullable<Jsonb>)]
    exchange: Option<serde_json::Value>,
    #[diesel(sql_type = Bool)]
    is_unexchanged: bool,
}

impl CreditLine {
    /// Whether it was earned, rather than taken by a credit note.
    pub fn is_accrual(&self) -> bool {
        matches!(self.explanation, Explanation::Accrual(_))
    }
}

impl Raw {
    fn line(self) -> Result<CreditLine, Problem> {
        let exchange = self.exchange.map(serde_json::from_value).transpose();
        Ok(CreditLine {
            id: CommissionId::from_uuid(self.id),
            money: (self.money, self.money_line),
            partner_id: PartnerId::from_uuid(self.partner_id),
            program_id: ProgramId::from_uuid(self.program_id),
            waits: self.waits,
            share: self.share,
            earned: super::money(self.owed_amount, &self.owed_currency)?,
            kept: super::money(self.owed_amount - self.owed_reversed, &self.owed_currency)?,
            kept_of_invoice: self.kept_of_invoice.normalize(),
            explanation: serde_json::from_value(self.explanation).map_err(Problem::damaged)?,
            exchange: exchange.map_err(Problem::damaged)?,
            is_unexchanged: self.is_unexchanged,
        })
    }
}

/// The lines of a credit, oldest first.
pub fn lines_of_credit(tx: &mut Tx<'_>, ctx: &Ctx, id: AttributionId) -> Result<Vec<CreditLine>, Problem> {
    let query = sql_query(
        "SELECT id, coalesce(payment_id, credit_note_id) AS money, coalesce(invoice_line_id, credit_note_id) AS money_line, \
             partner_id, program_id, owed_currency, owed_amount, owed_reversed, \
             amount - reversed_amount AS kept_of_invoice, \
             (explanation #>> '{entitlement,share,basis_points}')::integer AS share, explanation, exchange, \
             payout_currency IS NOT NULL AND exchange IS NULL \
                 AND status NOT IN ('ineligible', 'reversed') AS is_unexchanged, \
             status IN ('pending', 'due') OR dispute_id IS NOT NULL AND kind = 'accrual' \
                 OR status = 'ineligible' AND release_at > $4 AS waits \
         FROM commissions WHERE organization_id = $1 AND attribution_id = $2 \
             AND ($3::uuid IS NULL OR partner_id = $3) ORDER BY id",
    )
    .bind::<SqlUuid, _>(ctx.organization_id().uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Nullable<SqlUuid>, _>(ctx.scope.partner_id.map(PartnerId::uuid))
    .bind::<Timestamptz, _>(ctx.now);
    let rows: Vec<Raw> = Prepared(query).load(tx.connection())?;
    rows.into_iter().map(Raw::line).collect()
}

/// Locks the lines of a credit until the transaction ends, in the order of their ids, so that nothing is taken from them or
/// given back meanwhile.
pub fn lock_lines_of_credit(tx: &mut Tx<'_>, scope: &Scope, id: AttributionId) -> Result<(), Problem> {
    let query = sql_query(
        "SELECT FROM commissions WHERE organization_id = $1 AND attribution_id = $2 ORDER BY id FOR NO KEY UPDATE",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(id.uuid());
    Prepared(query).execute(tx.connection())?;
    Ok(())
}

/// The credits that earned these lines.
pub fn credits_of(
    tx: &mut Tx<'_>,
    scope: &Scope,
    lines: &[CommissionId],
) -> Result<Vec<AttributionId>, Problem> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = lines.iter().map(|id| id.uuid()).collect();
    let query = commissions::table
        .filter(commissions::organization_id.eq(scope.organization_id.uuid()))
        .filter(commissions::id.eq_any(ids))
        .select(commissions::attribution_id)
        .distinct();
    let found: Vec<Uuid> = Prepared(query).load(tx.connection())?;
    Ok(found.into_iter().map(AttributionId::from_uuid).collect())
}

#[derive(QueryableByName)]
struct CreditRaw {
    #[diesel(sql_type = SqlUuid)]
    attribution_id: Uuid,
}

/// The credits that earned with the payments of these refunds.
pub fn credits_of_refunds(
    tx: &mut Tx<'_>,
    scope: &Scope,
    refunds: &[RefundId],
) -> Result<Vec<AttributionId>, Problem> {
    let ids: Vec<Uuid> = refunds.iter().map(|id| id.uuid()).collect();
    let query = sql_query(
        "SELECT DISTINCT c.attribution_id FROM commissions c WHERE c.organization_id = $1 AND c.payment_id IN \
             (SELECT r.payment_id FROM refunds r WHERE r.organization_id = $1 AND r.id = ANY($2))",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(ids);
    let found: Vec<CreditRaw> = Prepared(query).load(tx.connection())?;
    Ok(found
        .into_iter()
        .map(|row| AttributionId::from_uuid(row.attribution_id))
        .collect())
}
