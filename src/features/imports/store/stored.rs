//! The rows that imports write: each as Postgres keeps it and as events tell it, written a batch at a time.

use crate::kernel::ctx::Scope;
use crate::kernel::id::{
    AccountId, AttributionId, CreditNoteId, DealId, EnrollmentId, InvoiceId, InvoiceLineId, PartnerId,
    PaymentId, PipelineStageId, ProductFamilyId, ProgramId, TouchpointId,
};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::schema::{
    accounts, attributions, credit_notes, deals, enrollments, invoice_lines, invoices, partners, payments,
    product_families,
};
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use rust_decimal::Decimal;
use serde::Serialize;
use serde::ser::SerializeMap;
use uuid::Uuid;

/// A row of a table.
pub trait Stored: Serialize {
    /// The table.
    const TABLE: &'static str;
    /// Its columns besides the key.
    const COLUMNS: &'static [&'static str];
    /// The singular noun of the resource.
    const NOUN: &'static str;

    /// The row's id.
    fn id(&self) -> Uuid;

    /// The row as events tell it, as JSON.
    fn told(&self) -> Result<String, Problem>;
}

/// Writes new rows in one statement.
pub fn insert<S: Stored>(tx: &mut Tx<'_>, rows: &[S]) -> Result<(), Problem> {
    if rows.is_empty() {
        return Ok(());
    }
    let table = S::TABLE;
    let query =
        format!("INSERT INTO {table} SELECT n.* FROM json_populate_recordset(NULL::{table}, $1::json) AS n");
    let written = Prepared(sql_query(query).bind::<Text, _>(json(&rows)?)).execute(tx.connection());
    match written.map_err(Problem::from) {
        Ok(_) => Ok(()),
        // Somebody else made a record with one of these keys since we looked: look again.
        Err(problem) if matches!(problem.code, Code::ExternalIdTaken | Code::AlreadyExists) => {
            Err(Problem::new(Code::WriteConflict))
        }
        Err(problem) => Err(problem),
    }
}

/// Writes changed rows in one statement, each one version further; when somebody else changed one of them since it was
/// read, nothing is written and the work is done again.
pub fn update<S: Stored>(tx: &mut Tx<'_>, rows: &[S]) -> Result<(), Problem> {
    if rows.is_empty() {
        return Ok(());
    }
    let (table, columns) = (S::TABLE, S::COLUMNS);
    let sets: Vec<String> = columns.iter().map(|name| format!("{name} = n.{name}")).collect();
    let query = format!(
        "UPDATE {table} t SET {} FROM json_populate_recordset(NULL::{table}, $1::json) AS n \
         WHERE t.organization_id = n.organization_id AND t.id = n.id AND t.row_version = n.row_version - 1",
        sets.join(", ")
    );
    let written = sql_query(query)
        .bind::<Text, _>(json(&rows)?)
        .execute(tx.connection())?;
    if written == rows.len() {
        Ok(())
    } else {
        Err(Problem::new(Code::WriteConflict))
    }
}

/// A value as JSON text.
pub fn json(value: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(value).map_err(Problem::damaged)
}

/// An id column, which may be empty.
trait IdColumn {
    fn told<Id>(self, turn: fn(Uuid) -> Id) -> Option<Id>;
}

impl IdColumn for Uuid {
    fn told<Id>(self, turn: fn(Uuid) -> Id) -> Option<Id> {
        Some(turn(self))
    }
}

impl IdColumn for Option<Uuid> {
    fn told<Id>(self, turn: fn(Uuid) -> Id) -> Option<Id> {
        self.map(turn)
    }
}

/// An amount as the wire writes it.
#[derive(Serialize)]
struct ToldMoney<'a> {
    amount: String,
    currency: &'a str,
}

fn told_money<'a>(amount: &Decimal, currency: &'a str) -> ToldMoney<'a> {
    let money = Currency::from_code(currency).and_then(|currency| Money::new(*amount, currency));
    ToldMoney {
        amount: money.map_or_else(|_| amount.normalize().to_string(), Money::amount_text),
        currency,
    }
}

/// Declares a table's row. `as SomeId` tells a column as a typed id, `as money` with the row's currency.
macro_rules! stored {
    ($(#[$meta:meta])* $name:ident in $table:ident as $noun:literal, $id:ident {
        $($column:ident: $type:ty $(as $told:ident)?,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable)]
        #[diesel(table_name = $table, check_for_backend(diesel::pg::Pg))]
        pub struct $name {
            pub organization_id: Uuid,
            pub id: Uuid,
            $(pub $column: $type,)*
        }

        impl Stored for $name {
            const TABLE: &'static str = stringify!($table);
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),*];
            const NOUN: &'static str = $noun;

            fn id(&self) -> Uuid {
                self.id
            }

            fn told(&self) -> Result<String, Problem> {
                struct Told<'a>(&'a $name);
                impl Serialize for Told<'_> {
                    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                        let row = self.0;
                        let mut map = serializer.serialize_map(None)?;
                        map.serialize_entry("id", &$id::from_uuid(row.id))?;
                        $(map.serialize_entry(stringify!($column), &stored!(@told row $column $($told)?))?;)*
                        map.end()
                    }
                }
                json(&Told(self))
            }
        }
    };
    (@told $row:ident $column:ident) => { $row.$column };
    (@told $row:ident $column:ident money) => { told_money(&$row.$column, &$row.currency) };
    (@told $row:ident $column:ident touchpoints) => {
        $row.$column.iter().flatten().map(|id| TouchpointId::from_uuid(*id)).collect::<Vec<_>>()
    };
    (@told $row:ident $column:ident $id:ident) => { $row.$column.told($id::from_uuid) };
}

stored! {
    /// A product family.
    ProductFamilyRow in product_families as "product_family", ProductFamilyId {
        external_id: Option<String>,
        name: String,
        row_version: i64,
        created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
    }
}

stored! {
    /// An account.
    AccountRow in accounts as "account", AccountId {
        external_id: Option<String>,
        name: String,
        domain: Option<String>,
        country: Option<String>,
        merged_into_id: Option<Uuid> as AccountId,
        row_version: i64,
        created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
    }
}

stored! {
    /// A partner.
    PartnerRow in partners as "partner", PartnerId {
        external_id: Option<String>,
        parent_id: Option<Uuid> as PartnerId,
        name: String,
        status: String,
        status_reason_code: Option<String>,
        status_reason: Option<String>,
        domain: Option<String>,
        country: Option<String>,
        territories: Vec<String>,
        approved_at: Option<DateTime<Utc>>,
        terminated_at: Option<DateTime<Utc>>,
        hidden_from_parent: bool,
        payout_currency: Option<String>,
        row_version: i64,
        created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
    }
}

stored! {
    /// An enrollment.
    EnrollmentRow in enrollments as "enrollment", EnrollmentId {
        external_id: Option<String>,
        partner_id: Uuid as PartnerId,
        program_id: Uuid as ProgramId,
        status: String,
        status_reason: Option<String>,
        tier: Option<String>,
        terms_version: Option<String>,
        activated_at: Option<DateTime<Utc>>,
        ended_at: Option<DateTime<Utc>>,
        row_version: i64,
        created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
    }
}

stored! {
    /// A deal.
    DealRow in deals as "deal", DealId {
        external_id: Option<String>,
        name: String,
        account_id: Uuid as AccountId,
        program_id: Option<Uuid> as ProgramId,
        partner_id: Option<Uuid> as PartnerId,
        product_family_id: Option<Uuid> as ProductFamilyId,
        stage_id: Option<Uuid> as PipelineStageId,
        deal_type: String,
        status: String,
        amount: Decimal as money,
        currency: String,
        opened_on: NaiveDate,
        expected_close_on: Option<NaiveDate>,
        won_at: Option<DateTime<Utc>>,
        lost_at: Option<DateTime<Utc>>,
        lost_reason: Option<String>,
        hidden_from_parent: bool,
        crm_partner_source: Option<String>,
        crm_partner_influence: Option<String>,
        row_version: i64,
        created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
    }
}

stored! {
    /// An attribution.
    AttributionRow in attributions as "attribution", AttributionId {
        external_id: Option<String>,
        deal_id: Uuid as DealId,
        partner_id: Uuid as PartnerId,
        role: String,
        share_basis_points: i32,
        allocation_rank: i32,
        status: String,
        status_reason: Option<String>,
        confirmed_at: Option<DateTime<Utc>>,
        settled_at: Option<DateTime<Utc>>,
        touchpoint_ids: Vec<Option<Uuid>> as touchpoints,
        row_version: i64,
        created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
    }
}

stored! {
    /// An invoice.
    InvoiceRow in invoices as "invoice", InvoiceId {
        external_id: Option<String>,
        deal_id: Uuid as DealId,
        status: String,
        currency: String,
        total_amount: Decimal as money,
        net_amount: Decimal as money,
        paid_amount: Decimal as money,
        refunded_amount: Decimal as money,
        credited_amount: Decimal as money,
        issued_on: NaiveDate,
        due_on: Option<NaiveDate>,
        row_version: i64,
        created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
    }
}

stored! {
    /// A line of an invoice.
    InvoiceLineRow in invoice_lines as "invoice_line", InvoiceLineId {
        invoice_id: Uuid as InvoiceId,
        position: i32,
        product_family_id: Option<Uuid> as ProductFamilyId,
        description: Option<String>,
        net_amount: Decimal,
        tax_amount: Decimal,
        kind: String,
        quantity: Decimal,
        cost_amount: Option<Decimal>,
        list_amount: Option<Decimal>,
    }
}

stored! {
    /// A payment.
    PaymentRow in payments as "payment", PaymentId {
        external_id: Option<String>,
        invoice_id: Uuid as InvoiceId,
        currency: String,
        amount: Decimal as money,
        cumulative_amount: Decimal as money,
        refunded_amount: Decimal as money,
        paid_at: DateTime<Utc>,
        row_version: i64,
        created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
    }
}

stored! {
    /// A credit note.
    CreditNoteRow in credit_notes as "credit_note", CreditNoteId {
        external_id: Option<String>,
        deal_id: Uuid as DealId,
        invoice_id: Option<Uuid> as InvoiceId,
        currency: String,
        amount: Decimal as money,
        reason: Option<String>,
        issued_at: DateTime<Utc>,
        row_version: i64,
        created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
    }
}

/// Loads the rows of a table whose key is among these, locked, by their key.
macro_rules! by_external_id {
    ($table:ident, $row:ident, $tx:expr, $scope:expr, $keys:expr) => {{
        let rows: Vec<$row> = $table::table
            .filter($table::organization_id.eq($scope.organization_id.uuid()))
            .filter($table::external_id.eq_any($keys))
            .order($table::id)
            .select($row::as_select())
            .for_no_key_update()
            .load($tx.connection())?;
        let keyed = rows
            .into_iter()
            .filter_map(|row| Some((row.external_id.clone()?, row)));
        Ok(keyed.collect())
    }};
}

/// The rows of a table by the caller's key.
pub type ByKey<Row> = std::collections::HashMap<String, Row>;

/// The product families with these keys.
pub fn product_families_by_key(
    tx: &mut Tx<'_>,
    scope: &Scope,
    keys: &[&str],
) -> Result<ByKey<ProductFamilyRow>, Problem> {
    by_external_id!(product_families, ProductFamilyRow, tx, scope, keys)
}

/// The accounts with these keys.
pub fn accounts_by_key(tx: &mut Tx<'_>, scope: &Scope, keys: &[&str]) -> Result<ByKey<AccountRow>, Problem> {
    by_external_id!(accounts, AccountRow, tx, scope, keys)
}

/// The partners with these keys.
pub fn partners_by_key(tx: &mut Tx<'_>, scope: &Scope, keys: &[&str]) -> Result<ByKey<PartnerRow>, Problem> {
    by_external_id!(partners, PartnerRow, tx, scope, keys)
}

/// The deals with these keys.
pub fn deals_by_key(tx: &mut Tx<'_>, scope: &Scope, keys: &[&str]) -> Result<ByKey<DealRow>, Problem> {
    by_external_id!(deals, DealRow, tx, scope, keys)
}

/// The invoices with these keys.
pub fn invoices_by_key(tx: &mut Tx<'_>, scope: &Scope, keys: &[&str]) -> Result<ByKey<InvoiceRow>, Problem> {
    by_external_id!(invoices, InvoiceRow, tx, scope, keys)
}

/// The payments with these keys.
pub fn payments_by_key(tx: &mut Tx<'_>, scope: &Scope, keys: &[&str]) -> Result<ByKey<PaymentRow>, Problem> {
    by_external_id!(payments, PaymentRow, tx, scope, keys)
}

/// The credit notes with these keys.
pub fn credit_notes_by_key(
    tx: &mut Tx<'_>,
    scope: &Scope,
    keys: &[&str],
) -> Result<ByKey<CreditNoteRow>, Problem> {
    by_external_id!(credit_notes, CreditNoteRow, tx, scope, keys)
}

/// All credits of these deals, the rejected ones too, since they keep their rank.
pub fn attributions_of(
    tx: &mut Tx<'_>,
    scope: &Scope,
    deals: &[Uuid],
) -> Result<Vec<AttributionRow>, Problem> {
    Ok(attributions::table
        .filter(attributions::organization_id.eq(scope.organization_id.uuid()))
        .filter(attributions::deal_id.eq_any(deals))
        .order(attributions::id)
        .select(AttributionRow::as_select())
        .for_no_key_update()
        .load(tx.connection())?)
}

/// The first lines of these invoices.
pub fn first_lines_of(
    tx: &mut Tx<'_>,
    scope: &Scope,
    invoices: &[Uuid],
) -> Result<Vec<InvoiceLineRow>, Problem> {
    Ok(invoice_lines::table
        .filter(invoice_lines::organization_id.eq(scope.organization_id.uuid()))
        .filter(invoice_lines::invoice_id.eq_any(invoices))
        .filter(invoice_lines::position.eq(1))
        .select(InvoiceLineRow::as_select())
        .load(tx.connection())?)
}

/// The enrollments of these partners, those that ended as well, as (partner, program).
pub fn enrollments_of(
    tx: &mut Tx<'_>,
    scope: &Scope,
    partners: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>, Problem> {
    Ok(enrollments::table
        .filter(enrollments::organization_id.eq(scope.organization_id.uuid()))
        .filter(enrollments::partner_id.eq_any(partners))
        .select((enrollments::partner_id, enrollments::program_id))
        .load(tx.connection())?)
}
