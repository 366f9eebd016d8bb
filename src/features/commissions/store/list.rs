//! Reading lines and clawbacks.

use super::super::domain::{
    ClawbackKind, ClawbackStatus, Commission, CommissionKind, CommissionStatus, Owed, TakenFrom, ZeroReason,
};
use super::money;
use crate::kernel::commission::{Component, Explanation, IneligibleReason};
use crate::kernel::ctx::{Ctx, Scope};
use crate::kernel::exchange::FxPolicy;
use crate::kernel::id::{
    AttributionId, ClawbackId, CommissionId, CommissionRuleVersionId, CreditNoteId, DealId, DisputeId,
    InvoiceId, InvoiceLineId, PartnerId, PaymentId, ProgramId, RefundId,
};
use crate::kernel::money::{Currency, Money, Total};
use crate::kernel::motion::Role;
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{clawbacks, commissions};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::dsl::{AsSelect, sql};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Numeric, Text, Timestamptz};
use rust_decimal::Decimal;
use std::str::FromStr;
use uuid::Uuid;

/// Which lines a list shows.
#[derive(Debug, Clone, Default)]
pub struct CommissionFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// Under this program.
    pub program_id: Option<ProgramId>,
    /// On this deal.
    pub deal_id: Option<DealId>,
    /// From this invoice.
    pub invoice_id: Option<InvoiceId>,
    /// From this payment.
    pub payment_id: Option<PaymentId>,
    /// From this credit note.
    pub credit_note_id: Option<CreditNoteId>,
    /// In any of these states; empty is all.
    pub statuses: Vec<CommissionStatus>,
    /// Earned at or after this instant.
    pub earned_at_gte: Option<DateTime<Utc>>,
    /// Earned before this instant.
    pub earned_at_lt: Option<DateTime<Utc>>,
    /// Oldest first rather than newest first.
    pub oldest_first: bool,
}

/// Which clawbacks a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct ClawbackFilter {
    /// From this partner.
    pub partner_id: Option<PartnerId>,
    /// Of this line.
    pub commission_id: Option<CommissionId>,
    /// Caused by this refund.
    pub refund_id: Option<RefundId>,
}

/// What was taken back from one line, as it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Clawback {
    /// Its id.
    pub id: ClawbackId,
    /// The line.
    pub commission_id: CommissionId,
    /// The refund that caused it.
    pub refund_id: RefundId,
    /// From whom.
    pub partner_id: PartnerId,
    /// Under which program.
    pub program_id: ProgramId,
    /// Where it stands.
    pub status: ClawbackStatus,
    /// How much; below zero what was given back.
    pub amount: Money,
    /// The same as it is owed: in the currency that the partner is paid in, once the line was exchanged.
    pub owed: Money,
    /// From which account.
    pub taken_from: Option<TakenFrom>,
    /// Why nothing was taken.
    pub zero_reason: Option<ZeroReason>,
    /// What the amount follows from.
    pub explanation: Explanation,
    /// What the amount that is owed follows from, where the line was exchanged.
    pub exchange: Option<Explanation>,
    /// When the money went back.
    pub occurred_at: DateTime<Utc>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = commissions, check_for_backend(diesel::pg::Pg))]
struct CommissionRow {
    id: Uuid,
    kind: String,
    partner_id: Uuid,
    program_id: Uuid,
    deal_id: Uuid,
    attribution_id: Uuid,
    role: String,
    component: String,
    invoice_id: Option<Uuid>,
    invoice_line_id: Option<Uuid>,
    payment_id: Option<Uuid>,
    credit_note_id: Option<Uuid>,
    rule_version_id: Option<Uuid>,
    status: String,
    ineligible_reason: Option<String>,
    currency: String,
    base_amount: Decimal,
    amount: Decimal,
    reversed_amount: Decimal,
    netted_amount: Decimal,
    earned_at: DateTime<Utc>,
    release_at: DateTime<Utc>,
    approved_at: Option<DateTime<Utc>>,
    paid_at: Option<DateTime<Utc>>,
    dispute_id: Option<Uuid>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// What is owed of a line. These columns are named as text, since tables of more than 32 columns take Diesel too long.
#[derive(Debug, Clone, Queryable)]
struct OwedRow {
    payout_currency: Option<String>,
    fx_policy: Option<String>,
    currency: String,
    amount: Decimal,
    reversed: Decimal,
    netted: Decimal,
    exchanged_at: Option<DateTime<Utc>>,
}

/// A line with what is owed of it.
type WholeRow = (CommissionRow, OwedRow);

type OwedTypes = (
    Nullable<Text>,
    Nullable<Text>,
    Text,
    Numeric,
    Numeric,
    Numeric,
    Nullable<Timestamptz>,
);

/// The columns of a whole row.
fn whole() -> (AsSelect<CommissionRow, diesel::pg::Pg>, SqlLiteral<OwedTypes>) {
    let owed = "commissions.payout_currency, commissions.fx_policy, commissions.owed_currency, \
        commissions.owed_amount, commissions.owed_reversed, commissions.owed_netted, commissions.exchanged_at";
    (CommissionRow::as_select(), sql(owed))
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = clawbacks, check_for_backend(diesel::pg::Pg))]
struct ClawbackRow {
    id: Uuid,
    commission_id: Uuid,
    refund_id: Uuid,
    partner_id: Uuid,
    program_id: Uuid,
    status: String,
    currency: String,
    amount: Decimal,
    taken_from: Option<String>,
    zero_reason: Option<String>,
    explanation: serde_json::Value,
    exchange: Option<serde_json::Value>,
    occurred_at: DateTime<Utc>,
    row_version: i64,
    created_at: DateTime<Utc>,
    owed_currency: String,
    owed_amount: Decimal,
}

/// The rows of the scope.
macro_rules! scoped {
    ($table:ident, $scope:expr) => {{
        let mut query = $table::table
            .filter($table::organization_id.eq($scope.organization_id.uuid()))
            .into_boxed::<diesel::pg::Pg>();
        if let Some(partner_id) = $scope.partner_id {
            query = query.filter($table::partner_id.eq(partner_id.uuid()));
        }
        query
    }};
}

/// One line.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: CommissionId) -> Result<Option<Commission>, Problem> {
    let query = scoped!(commissions, scope)
        .filter(commissions::id.eq(id.uuid()))
        .select(whole());
    let row: Option<WholeRow> = Prepared(query).get_result(tx.connection()).optional()?;
    row.map(Commission::try_from).transpose()
}

/// Several lines, in no order.
pub fn several(tx: &mut Tx<'_>, scope: &Scope, ids: &[CommissionId]) -> Result<Vec<Commission>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let query = scoped!(commissions, scope)
        .filter(commissions::id.eq_any(ids))
        .select(whole());
    let rows: Vec<WholeRow> = query.load(tx.connection())?;
    rows.into_iter().map(Commission::try_from).collect()
}

/// One line, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: CommissionId) -> Result<Option<Commission>, Problem> {
    let row: Option<WholeRow> = commissions::table
        .filter(commissions::organization_id.eq(scope.organization_id.uuid()))
        .filter(commissions::id.eq(id.uuid()))
        .select(whole())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(Commission::try_from).transpose()
}

/// Several lines, locked until the transaction ends in the order of their ids, as everyone does who takes several.
pub fn lock_several(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[CommissionId],
) -> Result<Vec<Commission>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<WholeRow> = commissions::table
        .filter(commissions::organization_id.eq(scope.organization_id.uuid()))
        .filter(commissions::id.eq_any(ids))
        .order(commissions::id)
        .select(whole())
        .for_no_key_update()
        .load(tx.connection())?;
    rows.into_iter().map(Commission::try_from).collect()
}

/// What a partner has earned on a deal and kept, in this currency.
pub fn kept_on_deal(
    tx: &mut Tx<'_>,
    scope: &Scope,
    deal_id: DealId,
    partner_id: PartnerId,
    currency: Currency,
) -> Result<Total, Problem> {
    let rows: Vec<WholeRow> = scoped!(commissions, scope)
        .filter(commissions::deal_id.eq(deal_id.uuid()))
        .filter(commissions::partner_id.eq(partner_id.uuid()))
        .filter(sql::<Bool>("commissions.owed_currency = ").bind::<Text, _>(currency.code()))
        .select(whole())
        .load(tx.connection())?;
    let mut kept = Total::zero(currency);
    for row in rows {
        let line = Commission::try_from(row)?.kept().map_err(Problem::damaged)?;
        kept = kept.checked_add(line.into()).map_err(Problem::damaged)?;
    }
    Ok(kept)
}

/// Lets a dispute hold up these lines, or lets go of them.
pub fn set_dispute(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    ids: &[CommissionId],
    dispute_id: Option<DisputeId>,
) -> Result<(), Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let target = commissions::table
        .filter(commissions::organization_id.eq(ctx.organization_id().uuid()))
        .filter(commissions::id.eq_any(ids));
    let change = (
        commissions::dispute_id.eq(dispute_id.map(DisputeId::uuid)),
        commissions::row_version.eq(commissions::row_version + 1),
        commissions::updated_at.eq(ctx.now),
    );
    diesel::update(target).set(change).execute(tx.connection())?;
    Ok(())
}

/// A page of lines.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &CommissionFilter,
    page: &PageRequest,
) -> Result<Page<Commission>, Problem> {
    let mut query = scoped!(commissions, scope).select(whole());
    if let Some(id) = filter.partner_id {
        query = query.filter(commissions::partner_id.eq(id.uuid()));
    }
    if let Some(id) = filter.program_id {
        query = query.filter(commissions::program_id.eq(id.uuid()));
    }
    if let Some(id) = filter.deal_id {
        query = query.filter(commissions::deal_id.eq(id.uuid()));
    }
    if let Some(id) = filter.invoice_id {
        query = query.filter(commissions::invoice_id.eq(id.uuid()));
    }
    if let Some(id) = filter.payment_id {
        query = query.filter(commissions::payment_id.eq(id.uuid()));
    }
    if let Some(id) = filter.credit_note_id {
        query = query.filter(commissions::credit_note_id.eq(id.uuid()));
    }
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(commissions::status.eq_any(statuses));
    }
    if let Some(instant) = filter.earned_at_gte {
        query = query.filter(commissions::earned_at.ge(instant));
    }
    if let Some(instant) = filter.earned_at_lt {
        query = query.filter(commissions::earned_at.lt(instant));
    }
    if let Some(last) = &page.after {
        query = if filter.oldest_first {
            query.filter(commissions::id.gt(last.id))
        } else {
            query.filter(commissions::id.lt(last.id))
        };
    }
    query = if filter.oldest_first {
        query.order(commissions::id.asc())
    } else {
        query.order(commissions::id.desc())
    };
    let rows: Vec<WholeRow> = Prepared(page.rows_of(query)).load(tx.connection())?;
    let lines = rows
        .into_iter()
        .map(Commission::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(lines, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// One clawback.
pub fn find_clawback(tx: &mut Tx<'_>, scope: &Scope, id: ClawbackId) -> Result<Option<Clawback>, Problem> {
    let query = scoped!(clawbacks, scope)
        .filter(clawbacks::id.eq(id.uuid()))
        .select(ClawbackRow::as_select());
    query
        .first(tx.connection())
        .optional()?
        .map(Clawback::try_from)
        .transpose()
}

/// A page of clawbacks, newest first.
pub fn list_clawbacks(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &ClawbackFilter,
    page: &PageRequest,
) -> Result<Page<Clawback>, Problem> {
    let mut query = scoped!(clawbacks, scope)
        .select(ClawbackRow::as_select())
        .order(clawbacks::id.desc());
    if let Some(id) = filter.partner_id {
        query = query.filter(clawbacks::partner_id.eq(id.uuid()));
    }
    if let Some(id) = filter.commission_id {
        query = query.filter(clawbacks::commission_id.eq(id.uuid()));
    }
    if let Some(id) = filter.refund_id {
        query = query.filter(clawbacks::refund_id.eq(id.uuid()));
    }
    if let Some(last) = &page.after {
        query = query.filter(clawbacks::id.lt(last.id));
    }
    let rows: Vec<ClawbackRow> = page.rows_of(query).load(tx.connection())?;
    let clawbacks = rows
        .into_iter()
        .map(Clawback::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(clawbacks, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

impl TryFrom<OwedRow> for Owed {
    type Error = Problem;

    fn try_from(row: OwedRow) -> Result<Self, Problem> {
        let amount = |amount: Decimal| money(amount, &row.currency);
        Ok(Self {
            amount: amount(row.amount)?,
            reversed: amount(row.reversed)?,
            netted: amount(row.netted)?,
            exchanged_at: row.exchanged_at,
        })
    }
}

impl TryFrom<WholeRow> for Commission {
    type Error = Problem;

    fn try_from((row, owed): WholeRow) -> Result<Self, Problem> {
        let currency = owed
            .payout_currency
            .as_deref()
            .map(Currency::from_code)
            .transpose();
        let policy = owed.fx_policy.as_deref().map(FxPolicy::from_str).transpose();
        let paid_in = currency
            .map_err(Problem::damaged)?
            .zip(policy.map_err(Problem::damaged)?);
        let amount = |amount: Decimal| money(amount, &row.currency);
        let reason = row.ineligible_reason.as_deref().map(IneligibleReason::from_str);
        Ok(Self {
            id: CommissionId::from_uuid(row.id),
            kind: CommissionKind::from_str(&row.kind).map_err(Problem::damaged)?,
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: ProgramId::from_uuid(row.program_id),
            deal_id: DealId::from_uuid(row.deal_id),
            attribution_id: AttributionId::from_uuid(row.attribution_id),
            role: Role::from_str(&row.role).map_err(Problem::damaged)?,
            component: Component::from_str(&row.component).map_err(Problem::damaged)?,
            invoice_id: row.invoice_id.map(InvoiceId::from_uuid),
            invoice_line_id: row.invoice_line_id.map(InvoiceLineId::from_uuid),
            payment_id: row.payment_id.map(PaymentId::from_uuid),
            credit_note_id: row.credit_note_id.map(CreditNoteId::from_uuid),
            rule_version_id: row.rule_version_id.map(CommissionRuleVersionId::from_uuid),
            status: CommissionStatus::from_str(&row.status).map_err(Problem::damaged)?,
            ineligible_reason: reason.transpose().map_err(Problem::damaged)?,
            base: amount(row.base_amount)?,
            amount: amount(row.amount)?,
            reversed: amount(row.reversed_amount)?,
            netted: amount(row.netted_amount)?,
            paid_in,
            owed: owed.try_into()?,
            dispute_id: row.dispute_id.map(DisputeId::from_uuid),
            earned_at: row.earned_at,
            release_at: row.release_at,
            approved_at: row.approved_at,
            paid_at: row.paid_at,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl Clawback {
    /// Whether it takes or gives back.
    pub fn kind(&self) -> ClawbackKind {
        match &self.explanation {
            Explanation::Clawback(explained) if explained.reinstates => ClawbackKind::Reinstatement,
            _ => ClawbackKind::Clawback,
        }
    }
}

impl TryFrom<ClawbackRow> for Clawback {
    type Error = Problem;

    fn try_from(row: ClawbackRow) -> Result<Self, Problem> {
        let taken_from = row.taken_from.as_deref().map(TakenFrom::from_str).transpose();
        let zero_reason = row.zero_reason.as_deref().map(ZeroReason::from_str).transpose();
        let exchange = row.exchange.map(serde_json::from_value).transpose();
        Ok(Self {
            id: ClawbackId::from_uuid(row.id),
            commission_id: CommissionId::from_uuid(row.commission_id),
            refund_id: RefundId::from_uuid(row.refund_id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: ProgramId::from_uuid(row.program_id),
            status: ClawbackStatus::from_str(&row.status).map_err(Problem::damaged)?,
            amount: money(row.amount, &row.currency)?,
            owed: money(row.owed_amount, &row.owed_currency)?,
            taken_from: taken_from.map_err(Problem::damaged)?,
            zero_reason: zero_reason.map_err(Problem::damaged)?,
            explanation: serde_json::from_value(row.explanation).map_err(Problem::damaged)?,
            exchange: exchange.map_err(Problem::damaged)?,
            occurred_at: row.occurred_at,
            row_version: row.row_version,
            created_at: row.created_at,
        })
    }
}
