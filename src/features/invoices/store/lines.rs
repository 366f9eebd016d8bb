//! The lines of invoices; they are written once.

use super::money_of;
use crate::features::invoices::domain::{Invoice, InvoiceLine};
use crate::kernel::commission::{Goods, LineKind};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{InvoiceLineId, ProductFamilyId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use crate::platform::db::schema::invoice_lines;
use diesel::prelude::*;
use rust_decimal::Decimal;
use std::str::FromStr;
use uuid::Uuid;

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = invoice_lines, check_for_backend(diesel::pg::Pg))]
struct InvoiceLineRow {
    organization_id: Uuid,
    id: Uuid,
    invoice_id: Uuid,
    position: i32,
    product_family_id: Option<Uuid>,
    description: Option<String>,
    net_amount: Decimal,
    tax_amount: Decimal,
    kind: String,
    quantity: Decimal,
    cost_amount: Option<Decimal>,
    list_amount: Option<Decimal>,
}

/// The lines of an invoice, in order.
pub fn lines(tx: &mut Tx<'_>, scope: &Scope, invoice: &Invoice) -> Result<Vec<InvoiceLine>, Problem> {
    let rows: Vec<InvoiceLineRow> = invoice_lines::table
        .filter(invoice_lines::organization_id.eq(scope.organization_id.uuid()))
        .filter(invoice_lines::invoice_id.eq(invoice.id.uuid()))
        .order(invoice_lines::position.asc())
        .select(InvoiceLineRow::as_select())
        .load(tx.connection())?;
    rows.into_iter()
        .map(|row| row.in_currency(invoice.currency()))
        .collect()
}

/// Writes the lines of a new invoice, in one round trip.
pub fn insert_lines(
    tx: &mut Tx<'_>,
    scope: &Scope,
    invoice: &Invoice,
    lines: &[InvoiceLine],
) -> Result<(), Problem> {
    let rows: Vec<InvoiceLineRow> = lines
        .iter()
        .map(|line| InvoiceLineRow::of(scope, invoice, line))
        .collect();
    diesel::insert_into(invoice_lines::table)
        .values(rows)
        .execute(tx.connection())?;
    Ok(())
}

impl InvoiceLineRow {
    fn of(scope: &Scope, invoice: &Invoice, line: &InvoiceLine) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: line.id.uuid(),
            invoice_id: invoice.id.uuid(),
            position: line.position,
            product_family_id: line.product_family_id.map(ProductFamilyId::uuid),
            description: line.description.clone(),
            net_amount: line.net_amount.amount(),
            tax_amount: line.tax_amount.amount(),
            kind: line.goods.kind.as_str().to_owned(),
            quantity: line.goods.quantity,
            cost_amount: line.goods.cost,
            list_amount: line.list_amount.map(Money::amount),
        }
    }

    fn in_currency(self, currency: Currency) -> Result<InvoiceLine, Problem> {
        Ok(InvoiceLine {
            id: InvoiceLineId::from_uuid(self.id),
            position: self.position,
            product_family_id: self.product_family_id.map(ProductFamilyId::from_uuid),
            description: self.description,
            net_amount: money_of(self.net_amount, currency)?,
            tax_amount: money_of(self.tax_amount, currency)?,
            goods: Goods {
                kind: LineKind::from_str(&self.kind).map_err(Problem::damaged)?,
                quantity: self.quantity.normalize(),
                cost: self.cost_amount,
            },
            list_amount: self.list_amount.map(|list| money_of(list, currency)).transpose()?,
        })
    }
}
