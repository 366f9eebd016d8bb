//! Payments in Postgres.

use super::{created_at, currency_of, money_of};
use crate::features::invoices::domain::Payment;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{InvoiceId, PaymentId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::payments;
use crate::platform::db::{Page, PageRequest, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

/// Which payments a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct PaymentFilter {
    /// The caller's key.
    pub external_id: Option<String>,
    /// Of this invoice.
    pub invoice_id: Option<InvoiceId>,
    /// Received at or after this instant.
    pub paid_at_gte: Option<DateTime<Utc>>,
    /// Received before this instant.
    pub paid_at_lt: Option<DateTime<Utc>>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    pub order: PaymentOrder,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PaymentOrder {
    /// Recorded last first.
    #[default]
    Newest,
    /// Recorded first first.
    Oldest,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = payments, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct PaymentRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    invoice_id: Uuid,
    currency: String,
    amount: Decimal,
    cumulative_amount: Decimal,
    refunded_amount: Decimal,
    paid_at: DateTime<Utc>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// One payment.
pub fn find_payment(tx: &mut Tx<'_>, scope: &Scope, id: PaymentId) -> Result<Option<Payment>, Problem> {
    let row = payments::table
        .filter(payments::organization_id.eq(scope.organization_id.uuid()))
        .filter(payments::id.eq(id.uuid()))
        .select(PaymentRow::as_select())
        .first(tx.connection())
        .optional()?;
    row.map(Payment::try_from).transpose()
}

/// One payment, locked until the transaction ends. Lock its invoice first.
pub fn lock_payment(tx: &mut Tx<'_>, scope: &Scope, id: PaymentId) -> Result<Option<Payment>, Problem> {
    let row = payments::table
        .filter(payments::organization_id.eq(scope.organization_id.uuid()))
        .filter(payments::id.eq(id.uuid()))
        .select(PaymentRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(Payment::try_from).transpose()
}

/// The payments of an invoice of which something is left, locked until the transaction ends. Lock the invoice first.
pub fn lock_payments_of(
    tx: &mut Tx<'_>,
    scope: &Scope,
    invoice_id: InvoiceId,
) -> Result<Vec<Payment>, Problem> {
    let rows: Vec<PaymentRow> = payments::table
        .filter(payments::organization_id.eq(scope.organization_id.uuid()))
        .filter(payments::invoice_id.eq(invoice_id.uuid()))
        .filter(payments::refunded_amount.lt(payments::amount))
        .order(payments::id.asc())
        .select(PaymentRow::as_select())
        .for_no_key_update()
        .load(tx.connection())?;
    rows.into_iter().map(Payment::try_from).collect()
}

/// A page of payments.
pub fn list_payments(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &PaymentFilter,
    page: &PageRequest,
) -> Result<Page<Payment>, Problem> {
    let mut query = payments::table
        .filter(payments::organization_id.eq(scope.organization_id.uuid()))
        .select(PaymentRow::as_select())
        .into_boxed();
    if let Some(external_id) = &filter.external_id {
        query = query.filter(payments::external_id.eq(external_id));
    }
    if let Some(invoice_id) = filter.invoice_id {
        query = query.filter(payments::invoice_id.eq(invoice_id.uuid()));
    }
    if let Some(instant) = filter.paid_at_gte {
        query = query.filter(payments::paid_at.ge(instant));
    }
    if let Some(instant) = filter.paid_at_lt {
        query = query.filter(payments::paid_at.lt(instant));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(payments::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(payments::updated_at.lt(instant));
    }
    let after = page.after.as_ref().map(|last| last.id);
    query = match filter.order {
        PaymentOrder::Newest => query.order(payments::id.desc()),
        PaymentOrder::Oldest => query.order(payments::id.asc()),
    };
    query = match (filter.order, after) {
        (_, None) => query,
        (PaymentOrder::Newest, Some(last)) => query.filter(payments::id.lt(last)),
        (PaymentOrder::Oldest, Some(last)) => query.filter(payments::id.gt(last)),
    };
    let rows: Vec<PaymentRow> = page.rows_of(query).load(tx.connection())?;
    let found = rows
        .into_iter()
        .map(Payment::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(found, |last| created_at(last.id.uuid())))
}

/// Writes a new payment.
pub fn insert_payment(tx: &mut Tx<'_>, scope: &Scope, payment: &Payment) -> Result<(), Problem> {
    let row = PaymentRow::of(scope, payment);
    Prepared(diesel::insert_into(payments::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed payment.
pub fn update_payment(tx: &mut Tx<'_>, scope: &Scope, payment: &Payment) -> Result<(), Problem> {
    let row = PaymentRow::of(scope, payment);
    let target = payments::table
        .filter(payments::organization_id.eq(scope.organization_id.uuid()))
        .filter(payments::id.eq(payment.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

impl PaymentRow {
    fn of(scope: &Scope, payment: &Payment) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: payment.id.uuid(),
            external_id: payment.external_id.clone(),
            invoice_id: payment.invoice_id.uuid(),
            currency: payment.amount.currency().code().to_owned(),
            amount: payment.amount.amount(),
            cumulative_amount: payment.cumulative_amount.amount(),
            refunded_amount: payment.refunded_amount.amount(),
            paid_at: payment.paid_at,
            row_version: payment.row_version,
            created_at: payment.created_at,
            updated_at: payment.updated_at,
        }
    }
}

impl TryFrom<PaymentRow> for Payment {
    type Error = Problem;

    fn try_from(row: PaymentRow) -> Result<Self, Problem> {
        let currency = currency_of(&row.currency)?;
        Ok(Self {
            id: PaymentId::from_uuid(row.id),
            external_id: row.external_id,
            invoice_id: InvoiceId::from_uuid(row.invoice_id),
            amount: money_of(row.amount, currency)?,
            cumulative_amount: money_of(row.cumulative_amount, currency)?,
            refunded_amount: money_of(row.refunded_amount, currency)?,
            paid_at: row.paid_at,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
