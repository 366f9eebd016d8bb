//! Refunds in Postgres; they are written once, but for what is reinstated of them.

use super::{created_at, currency_of, money_of};
use crate::features::invoices::domain::{Refund, RefundKind};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{CreditNoteId, InvoiceId, PaymentId, RefundId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::refunds;
use crate::platform::db::{Page, PageRequest, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use std::str::FromStr;
use uuid::Uuid;

/// Which refunds a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct RefundFilter {
    /// Of any of these kinds; empty is all.
    pub kinds: Vec<RefundKind>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Of this invoice.
    pub invoice_id: Option<InvoiceId>,
    /// Of this payment.
    pub payment_id: Option<PaymentId>,
    /// Caused by this credit note.
    pub credit_note_id: Option<CreditNoteId>,
    /// Reinstating this refund.
    pub reinstates_id: Option<RefundId>,
    /// Went back at or after this instant.
    pub refunded_at_gte: Option<DateTime<Utc>>,
    /// Went back before this instant.
    pub refunded_at_lt: Option<DateTime<Utc>>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    pub order: RefundOrder,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefundOrder {
    /// Recorded last first.
    #[default]
    Newest,
    /// Recorded first first.
    Oldest,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = refunds, check_for_backend(diesel::pg::Pg))]
struct RefundRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    invoice_id: Uuid,
    payment_id: Uuid,
    credit_note_id: Option<Uuid>,
    kind: String,
    currency: String,
    amount: Decimal,
    cumulative_amount: Decimal,
    reason: Option<String>,
    refunded_at: DateTime<Utc>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    reinstates_id: Option<Uuid>,
    reinstated_amount: Decimal,
    went_back_at: DateTime<Utc>,
    payment_version: i64,
}

/// One refund.
pub fn find_refund(tx: &mut Tx<'_>, scope: &Scope, id: RefundId) -> Result<Option<Refund>, Problem> {
    let row = refunds::table
        .filter(refunds::organization_id.eq(scope.organization_id.uuid()))
        .filter(refunds::id.eq(id.uuid()))
        .select(RefundRow::as_select())
        .first(tx.connection())
        .optional()?;
    row.map(Refund::try_from).transpose()
}

/// A page of refunds.
pub fn list_refunds(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &RefundFilter,
    page: &PageRequest,
) -> Result<Page<Refund>, Problem> {
    let mut query = refunds::table
        .filter(refunds::organization_id.eq(scope.organization_id.uuid()))
        .select(RefundRow::as_select())
        .into_boxed();
    if !filter.kinds.is_empty() {
        let kinds: Vec<&str> = filter.kinds.iter().map(|kind| kind.as_str()).collect();
        query = query.filter(refunds::kind.eq_any(kinds));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(refunds::external_id.eq(external_id));
    }
    if let Some(invoice_id) = filter.invoice_id {
        query = query.filter(refunds::invoice_id.eq(invoice_id.uuid()));
    }
    if let Some(payment_id) = filter.payment_id {
        query = query.filter(refunds::payment_id.eq(payment_id.uuid()));
    }
    if let Some(credit_note_id) = filter.credit_note_id {
        query = query.filter(refunds::credit_note_id.eq(credit_note_id.uuid()));
    }
    if let Some(reinstates_id) = filter.reinstates_id {
        query = query.filter(refunds::reinstates_id.eq(reinstates_id.uuid()));
    }
    if let Some(instant) = filter.refunded_at_gte {
        query = query.filter(refunds::refunded_at.ge(instant));
    }
    if let Some(instant) = filter.refunded_at_lt {
        query = query.filter(refunds::refunded_at.lt(instant));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(refunds::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(refunds::updated_at.lt(instant));
    }
    let after = page.after.as_ref().map(|last| last.id);
    query = match filter.order {
        RefundOrder::Newest => query.order(refunds::id.desc()),
        RefundOrder::Oldest => query.order(refunds::id.asc()),
    };
    query = match (filter.order, after) {
        (_, None) => query,
        (RefundOrder::Newest, Some(last)) => query.filter(refunds::id.lt(last)),
        (RefundOrder::Oldest, Some(last)) => query.filter(refunds::id.gt(last)),
    };
    let rows: Vec<RefundRow> = page.rows_of(query).load(tx.connection())?;
    let found = rows
        .into_iter()
        .map(Refund::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(found, |last| created_at(last.id.uuid())))
}

/// Writes a new refund.
pub fn insert_refund(tx: &mut Tx<'_>, scope: &Scope, refund: &Refund) -> Result<(), Problem> {
    let row = RefundRow::of(scope, refund);
    Prepared(diesel::insert_into(refunds::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// One refund, held until the transaction ends.
pub fn lock_refund(tx: &mut Tx<'_>, scope: &Scope, id: RefundId) -> Result<Option<Refund>, Problem> {
    let query = refunds::table
        .filter(refunds::organization_id.eq(scope.organization_id.uuid()))
        .filter(refunds::id.eq(id.uuid()))
        .for_no_key_update()
        .select(RefundRow::as_select());
    let row = query.first(tx.connection()).optional()?;
    row.map(Refund::try_from).transpose()
}

/// Notes what was reinstated of a refund.
pub fn update_refund(tx: &mut Tx<'_>, scope: &Scope, refund: &Refund) -> Result<(), Problem> {
    let query = diesel::update(refunds::table)
        .filter(refunds::organization_id.eq(scope.organization_id.uuid()))
        .filter(refunds::id.eq(refund.id.uuid()))
        .set((
            refunds::reinstated_amount.eq(refund.reinstated_amount.amount()),
            refunds::row_version.eq(refund.row_version),
            refunds::updated_at.eq(refund.updated_at),
        ));
    Prepared(query).execute(tx.connection())?;
    Ok(())
}

impl RefundRow {
    fn of(scope: &Scope, refund: &Refund) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: refund.id.uuid(),
            external_id: refund.external_id.clone(),
            invoice_id: refund.invoice_id.uuid(),
            payment_id: refund.payment_id.uuid(),
            credit_note_id: refund.credit_note_id.map(CreditNoteId::uuid),
            kind: refund.kind.as_str().to_owned(),
            currency: refund.amount.currency().code().to_owned(),
            amount: refund.amount.amount(),
            cumulative_amount: refund.cumulative_amount.amount(),
            reason: refund.reason.clone(),
            refunded_at: refund.refunded_at,
            row_version: refund.row_version,
            created_at: refund.created_at,
            updated_at: refund.updated_at,
            reinstates_id: refund.reinstates_id.map(RefundId::uuid),
            reinstated_amount: refund.reinstated_amount.amount(),
            went_back_at: refund.went_back_at,
            payment_version: refund.payment_version,
        }
    }
}

impl TryFrom<RefundRow> for Refund {
    type Error = Problem;

    fn try_from(row: RefundRow) -> Result<Self, Problem> {
        let currency = currency_of(&row.currency)?;
        Ok(Self {
            id: RefundId::from_uuid(row.id),
            external_id: row.external_id,
            invoice_id: InvoiceId::from_uuid(row.invoice_id),
            payment_id: PaymentId::from_uuid(row.payment_id),
            credit_note_id: row.credit_note_id.map(CreditNoteId::from_uuid),
            reinstates_id: row.reinstates_id.map(RefundId::from_uuid),
            kind: RefundKind::from_str(&row.kind).map_err(Problem::damaged)?,
            amount: money_of(row.amount, currency)?,
            reinstated_amount: money_of(row.reinstated_amount, currency)?,
            payment_version: row.payment_version,
            went_back_at: row.went_back_at,
            cumulative_amount: money_of(row.cumulative_amount, currency)?,
            reason: row.reason,
            refunded_at: row.refunded_at,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
