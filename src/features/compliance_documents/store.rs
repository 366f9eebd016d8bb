//! Compliance documents in Postgres. Every query takes the caller's scope.

use super::domain::{ComplianceDocument, ComplianceDocumentStatus};
use crate::kernel::ctx::Scope;
use crate::kernel::gate::{DocumentKind, GatedStep};
use crate::kernel::id::{ComplianceDocumentId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::compliance_documents;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use std::str::FromStr;
use uuid::Uuid;

/// Which documents a list shows.
#[derive(Debug, Clone, Default)]
pub struct DocumentFilter {
    /// Those of this partner.
    pub partner_id: Option<PartnerId>,
    /// Those of this key of the caller's.
    pub external_id: Option<String>,
    /// Those that stand there.
    pub status: Option<ComplianceDocumentStatus>,
}

/// What a partner is about to register, for the gates before it.
#[derive(Debug, Clone, Copy)]
pub struct Registering<'a> {
    /// Who goes through them.
    pub partner_id: PartnerId,
    /// With which product family, where that is known.
    pub product_family_id: Option<ProductFamilyId>,
    /// For a customer in which country, where that is known.
    pub country: Option<&'a str>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = compliance_documents, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct DocumentRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    partner_id: Uuid,
    kind: String,
    name: String,
    reference: Option<String>,
    link: Option<String>,
    product_family_id: Option<Uuid>,
    countries: Vec<String>,
    valid_from: NaiveDate,
    valid_until: Option<NaiveDate>,
    status: String,
    status_reason: Option<String>,
    verified_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// One document.
pub fn find(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: ComplianceDocumentId,
) -> Result<Option<ComplianceDocument>, Problem> {
    let row = compliance_documents::table
        .filter(compliance_documents::organization_id.eq(scope.organization_id.uuid()))
        .filter(compliance_documents::id.eq(id.uuid()))
        .select(DocumentRow::as_select())
        .first(tx.connection())
        .optional()?;
    own(scope, row)
}

/// One document, locked until the transaction ends.
pub fn lock(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: ComplianceDocumentId,
) -> Result<Option<ComplianceDocument>, Problem> {
    let row = compliance_documents::table
        .filter(compliance_documents::organization_id.eq(scope.organization_id.uuid()))
        .filter(compliance_documents::id.eq(id.uuid()))
        .select(DocumentRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    own(scope, row)
}

/// A page of documents, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &DocumentFilter,
    page: &PageRequest,
) -> Result<Page<ComplianceDocument>, Problem> {
    let mut query = compliance_documents::table
        .filter(compliance_documents::organization_id.eq(scope.organization_id.uuid()))
        .select(DocumentRow::as_select())
        .order(compliance_documents::id.desc())
        .into_boxed();
    for partner_id in scope.partner_id.iter().chain(&filter.partner_id) {
        query = query.filter(compliance_documents::partner_id.eq(partner_id.uuid()));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(compliance_documents::external_id.eq(external_id));
    }
    if let Some(status) = filter.status {
        query = query.filter(compliance_documents::status.eq(status.as_str()));
    }
    if let Some(last) = &page.after {
        query = query.filter(compliance_documents::id.lt(last.id));
    }
    let rows: Vec<DocumentRow> = page.rows_of(query).load(tx.connection())?;
    let found = rows
        .into_iter()
        .map(ComplianceDocument::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(found, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new document.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, document: &ComplianceDocument) -> Result<(), Problem> {
    let row = DocumentRow::of(scope, document);
    Prepared(diesel::insert_into(compliance_documents::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed document.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, document: &ComplianceDocument) -> Result<(), Problem> {
    let row = DocumentRow::of(scope, document);
    let target = compliance_documents::table
        .filter(compliance_documents::organization_id.eq(scope.organization_id.uuid()))
        .filter(compliance_documents::id.eq(document.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

#[derive(QueryableByName)]
struct Closed {
    #[diesel(sql_type = Array<Text>)]
    closed: Vec<String>,
}

/// The gates that are closed to whoever registers this now.
pub fn closed_gates(
    tx: &mut Tx<'_>,
    scope: &Scope,
    program_id: ProgramId,
    registering: &Registering<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<String>, Problem> {
    let query = diesel::sql_query("SELECT closed_gates($1, $2, $3, $4, $5, $6, $7) AS closed")
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<SqlUuid, _>(program_id.uuid())
        .bind::<SqlUuid, _>(registering.partner_id.uuid())
        .bind::<Text, _>(GatedStep::Registering.as_str())
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<SqlUuid>, _>(registering.product_family_id.map(ProductFamilyId::uuid))
        .bind::<Nullable<Text>, _>(registering.country);
    let found: Closed = Prepared(query).get_result(tx.connection())?;
    Ok(found.closed)
}

/// The SQL for the gates before a step that are closed to a partner, looked for where the program has any: `$1` is the
/// organization, `program` the name of a table's row, the rest are expressions: the partner, and the instant, the product
/// family and the customer's country.
pub fn closed_gates_of(step: GatedStep, program: &str, partner: &str, about: [&str; 3]) -> String {
    let [at, family, country] = about;
    format!(
        "CASE WHEN {program}.gates @> '[{{\"blocks\": \"{step}\"}}]' \
             THEN closed_gates($1, {program}.id, {partner}, '{step}', {at}, {family}, {country}) ELSE '{{}}' END"
    )
}

/// The SQL for the first day after an instant on which what is on file, and valid only later, opens all gates before paying:
/// `$1` is the organization, `program` the name of a table's row.
pub fn opens_before_paying_on(program: &str, partner: &str, at: &str) -> String {
    let step = GatedStep::Paying;
    format!(
        "(SELECT min(d.valid_from) FROM compliance_documents d \
             WHERE d.organization_id = $1 AND d.partner_id = {partner} AND d.verified_at IS NOT NULL \
                 AND d.revoked_at IS NULL AND d.valid_from > ({at} AT TIME ZONE {program}.time_zone)::date \
                 AND closed_gates($1, {program}.id, {partner}, '{step}', \
                     d.valid_from::timestamp AT TIME ZONE {program}.time_zone, NULL, NULL) = '{{}}')"
    )
}

/// A partner's caller meets the documents of its own company and no other's.
fn own(scope: &Scope, row: Option<DocumentRow>) -> Result<Option<ComplianceDocument>, Problem> {
    let row = row.filter(|row| scope.partner_id.is_none_or(|own| own.uuid() == row.partner_id));
    row.map(ComplianceDocument::try_from).transpose()
}

impl DocumentRow {
    fn of(scope: &Scope, document: &ComplianceDocument) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: document.id.uuid(),
            external_id: document.external_id.clone(),
            partner_id: document.partner_id.uuid(),
            kind: document.kind.as_str().to_owned(),
            name: document.name.clone(),
            reference: document.reference.clone(),
            link: document.link.clone(),
            product_family_id: document.product_family_id.map(ProductFamilyId::uuid),
            countries: document.countries.iter().cloned().collect(),
            valid_from: document.valid_from,
            valid_until: document.valid_until,
            status: document.status.as_str().to_owned(),
            status_reason: document.status_reason.clone(),
            verified_at: document.verified_at,
            revoked_at: document.revoked_at,
            row_version: document.row_version,
            created_at: document.created_at,
            updated_at: document.updated_at,
        }
    }
}

impl TryFrom<DocumentRow> for ComplianceDocument {
    type Error = Problem;

    fn try_from(row: DocumentRow) -> Result<Self, Problem> {
        Ok(Self {
            id: ComplianceDocumentId::from_uuid(row.id),
            external_id: row.external_id,
            partner_id: PartnerId::from_uuid(row.partner_id),
            kind: DocumentKind::from_str(&row.kind).map_err(Problem::damaged)?,
            name: row.name,
            reference: row.reference,
            link: row.link,
            product_family_id: row.product_family_id.map(ProductFamilyId::from_uuid),
            countries: row.countries.into_iter().collect(),
            valid_from: row.valid_from,
            valid_until: row.valid_until,
            status: ComplianceDocumentStatus::from_str(&row.status).map_err(Problem::damaged)?,
            status_reason: row.status_reason,
            verified_at: row.verified_at,
            revoked_at: row.revoked_at,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
