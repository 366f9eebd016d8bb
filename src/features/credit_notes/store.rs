//! Credit notes in Postgres; they are written once. Every query takes the caller's scope.

use super::domain::CreditNote;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{CreditNoteId, DealId, InvoiceId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::credit_notes;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

/// Which credit notes a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct CreditNoteFilter {
    /// The caller's key.
    pub external_id: Option<String>,
    /// On this deal.
    pub deal_id: Option<DealId>,
    /// On this invoice.
    pub invoice_id: Option<InvoiceId>,
    /// Issued at or after this instant.
    pub issued_at_gte: Option<DateTime<Utc>>,
    /// Issued before this instant.
    pub issued_at_lt: Option<DateTime<Utc>>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    pub order: CreditNoteOrder,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CreditNoteOrder {
    /// Recorded last first.
    #[default]
    Newest,
    /// Recorded first first.
    Oldest,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = credit_notes, check_for_backend(diesel::pg::Pg))]
struct CreditNoteRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    deal_id: Uuid,
    invoice_id: Option<Uuid>,
    currency: String,
    amount: Decimal,
    reason: Option<String>,
    issued_at: DateTime<Utc>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// One credit note.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: CreditNoteId) -> Result<Option<CreditNote>, Problem> {
    let row = credit_notes::table
        .filter(credit_notes::organization_id.eq(scope.organization_id.uuid()))
        .filter(credit_notes::id.eq(id.uuid()))
        .select(CreditNoteRow::as_select())
        .first(tx.connection())
        .optional()?;
    row.map(CreditNote::try_from).transpose()
}

/// A page of credit notes.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &CreditNoteFilter,
    page: &PageRequest,
) -> Result<Page<CreditNote>, Problem> {
    let mut query = credit_notes::table
        .filter(credit_notes::organization_id.eq(scope.organization_id.uuid()))
        .select(CreditNoteRow::as_select())
        .into_boxed();
    if let Some(external_id) = &filter.external_id {
        query = query.filter(credit_notes::external_id.eq(external_id));
    }
    if let Some(deal_id) = filter.deal_id {
        query = query.filter(credit_notes::deal_id.eq(deal_id.uuid()));
    }
    if let Some(invoice_id) = filter.invoice_id {
        query = query.filter(credit_notes::invoice_id.eq(invoice_id.uuid()));
    }
    if let Some(instant) = filter.issued_at_gte {
        query = query.filter(credit_notes::issued_at.ge(instant));
    }
    if let Some(instant) = filter.issued_at_lt {
        query = query.filter(credit_notes::issued_at.lt(instant));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(credit_notes::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(credit_notes::updated_at.lt(instant));
    }
    let after = page.after.as_ref().map(|last| last.id);
    query = match filter.order {
        CreditNoteOrder::Newest => query.order(credit_notes::id.desc()),
        CreditNoteOrder::Oldest => query.order(credit_notes::id.asc()),
    };
    query = match (filter.order, after) {
        (_, None) => query,
        (CreditNoteOrder::Newest, Some(last)) => query.filter(credit_notes::id.lt(last)),
        (CreditNoteOrder::Oldest, Some(last)) => query.filter(credit_notes::id.gt(last)),
    };
    let rows: Vec<CreditNoteRow> = page.rows_of(query).load(tx.connection())?;
    let found = rows
        .into_iter()
        .map(CreditNote::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(found, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new credit note.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, credit_note: &CreditNote) -> Result<(), Problem> {
    let row = CreditNoteRow::of(scope, credit_note);
    Prepared(diesel::insert_into(credit_notes::table).values(row)).execute(tx.connection())?;
    Ok(())
}

impl CreditNoteRow {
    fn of(scope: &Scope, credit_note: &CreditNote) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: credit_note.id.uuid(),
            external_id: credit_note.external_id.clone(),
            deal_id: credit_note.deal_id.uuid(),
            invoice_id: credit_note.invoice_id.map(InvoiceId::uuid),
            currency: credit_note.amount.currency().code().to_owned(),
            amount: credit_note.amount.amount(),
            reason: credit_note.reason.clone(),
            issued_at: credit_note.issued_at,
            row_version: credit_note.row_version,
            created_at: credit_note.created_at,
            updated_at: credit_note.updated_at,
        }
    }
}

impl TryFrom<CreditNoteRow> for CreditNote {
    type Error = Problem;

    fn try_from(row: CreditNoteRow) -> Result<Self, Problem> {
        let currency = Currency::from_code(&row.currency).map_err(Problem::damaged)?;
        Ok(Self {
            id: CreditNoteId::from_uuid(row.id),
            external_id: row.external_id,
            deal_id: DealId::from_uuid(row.deal_id),
            invoice_id: row.invoice_id.map(InvoiceId::from_uuid),
            amount: Money::new(row.amount, currency).map_err(Problem::damaged)?,
            reason: row.reason,
            issued_at: row.issued_at,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
