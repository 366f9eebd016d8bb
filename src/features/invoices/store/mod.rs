//! Invoices in Postgres. Every query takes the caller's scope.

mod lines;
mod payments;
mod refunds;

pub use lines::{insert_lines, lines};
pub use payments::{
    PaymentFilter, PaymentOrder, find_payment, insert_payment, list_payments, lock_payment, lock_payments_of,
    update_payment,
};
pub use refunds::{
    RefundFilter, RefundOrder, find_refund, insert_refund, list_refunds, lock_refund, update_refund,
};

use super::domain::{Invoice, InvoiceStatus};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{DealId, InvoiceId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::invoices;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use std::str::FromStr;
use uuid::Uuid;

/// Which invoices a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct InvoiceFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<InvoiceStatus>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Of this deal.
    pub deal_id: Option<DealId>,
    /// Issued on or after this day.
    pub issued_on_gte: Option<NaiveDate>,
    /// Issued before this day.
    pub issued_on_lt: Option<NaiveDate>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    pub order: InvoiceOrder,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InvoiceOrder {
    /// Newest first. Ids are made from the time, so that their order is that of creation.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = invoices, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct InvoiceRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    deal_id: Uuid,
    status: String,
    status_reason: Option<String>,
    currency: String,
    total_amount: Decimal,
    net_amount: Decimal,
    paid_amount: Decimal,
    refunded_amount: Decimal,
    credited_amount: Decimal,
    issued_on: NaiveDate,
    due_on: Option<NaiveDate>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    service_starts_on: Option<NaiveDate>,
}

/// One invoice.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: InvoiceId) -> Result<Option<Invoice>, Problem> {
    let row = invoices::table
        .filter(invoices::organization_id.eq(scope.organization_id.uuid()))
        .filter(invoices::id.eq(id.uuid()))
        .select(InvoiceRow::as_select())
        .first(tx.connection())
        .optional()?;
    row.map(Invoice::try_from).transpose()
}

/// One invoice, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: InvoiceId) -> Result<Option<Invoice>, Problem> {
    let row = invoices::table
        .filter(invoices::organization_id.eq(scope.organization_id.uuid()))
        .filter(invoices::id.eq(id.uuid()))
        .select(InvoiceRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(Invoice::try_from).transpose()
}

/// A page of invoices.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &InvoiceFilter,
    page: &PageRequest,
) -> Result<Page<Invoice>, Problem> {
    let mut query = invoices::table
        .filter(invoices::organization_id.eq(scope.organization_id.uuid()))
        .select(InvoiceRow::as_select())
        .into_boxed();
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(invoices::status.eq_any(statuses));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(invoices::external_id.eq(external_id));
    }
    if let Some(deal_id) = filter.deal_id {
        query = query.filter(invoices::deal_id.eq(deal_id.uuid()));
    }
    if let Some(day) = filter.issued_on_gte {
        query = query.filter(invoices::issued_on.ge(day));
    }
    if let Some(day) = filter.issued_on_lt {
        query = query.filter(invoices::issued_on.lt(day));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(invoices::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(invoices::updated_at.lt(instant));
    }
    let after = page.after.as_ref().map(|last| last.id);
    query = match filter.order {
        InvoiceOrder::Newest => query.order(invoices::id.desc()),
        InvoiceOrder::Oldest => query.order(invoices::id.asc()),
    };
    query = match (filter.order, after) {
        (_, None) => query,
        (InvoiceOrder::Newest, Some(last)) => query.filter(invoices::id.lt(last)),
        (InvoiceOrder::Oldest, Some(last)) => query.filter(invoices::id.gt(last)),
    };
    let rows: Vec<InvoiceRow> = page.rows_of(query).load(tx.connection())?;
    let found = rows
        .into_iter()
        .map(Invoice::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(found, |last| created_at(last.id.uuid())))
}

/// Writes a new invoice.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, invoice: &Invoice) -> Result<(), Problem> {
    let row = InvoiceRow::of(scope, invoice);
    Prepared(diesel::insert_into(invoices::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed invoice.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, invoice: &Invoice) -> Result<(), Problem> {
    let row = InvoiceRow::of(scope, invoice);
    let target = invoices::table
        .filter(invoices::organization_id.eq(scope.organization_id.uuid()))
        .filter(invoices::id.eq(invoice.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// The position in an order by creation: the id says it all.
fn created_at(id: Uuid) -> Position {
    Position {
        key: String::new(),
        id,
    }
}

/// A stored currency.
fn currency_of(code: &str) -> Result<Currency, Problem> {
    Currency::from_code(code).map_err(Problem::damaged)
}

/// A stored amount.
fn money_of(amount: Decimal, currency: Currency) -> Result<Money, Problem> {
    Money::new(amount, currency).map_err(Problem::damaged)
}

impl InvoiceRow {
    fn of(scope: &Scope, invoice: &Invoice) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: invoice.id.uuid(),
            external_id: invoice.external_id.clone(),
            deal_id: invoice.deal_id.uuid(),
            status: invoice.status.as_str().to_owned(),
            status_reason: invoice.status_reason.clone(),
            currency: invoice.currency().code().to_owned(),
            total_amount: invoice.total_amount.amount(),
            net_amount: invoice.net_amount.amount(),
            paid_amount: invoice.paid_amount.amount(),
            refunded_amount: invoice.refunded_amount.amount(),
            credited_amount: invoice.credited_amount.amount(),
            issued_on: invoice.issued_on,
            due_on: invoice.due_on,
            row_version: invoice.row_version,
            created_at: invoice.created_at,
            updated_at: invoice.updated_at,
            service_starts_on: invoice.service_starts_on,
        }
    }
}

impl TryFrom<InvoiceRow> for Invoice {
    type Error = Problem;

    fn try_from(row: InvoiceRow) -> Result<Self, Problem> {
        let currency = currency_of(&row.currency)?;
        Ok(Self {
            id: InvoiceId::from_uuid(row.id),
            external_id: row.external_id,
            deal_id: DealId::from_uuid(row.deal_id),
            status: InvoiceStatus::from_str(&row.status).map_err(Problem::damaged)?,
            status_reason: row.status_reason,
            net_amount: money_of(row.net_amount, currency)?,
            total_amount: money_of(row.total_amount, currency)?,
            paid_amount: money_of(row.paid_amount, currency)?,
            refunded_amount: money_of(row.refunded_amount, currency)?,
            credited_amount: money_of(row.credited_amount, currency)?,
            issued_on: row.issued_on,
            due_on: row.due_on,
            service_starts_on: row.service_starts_on,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
