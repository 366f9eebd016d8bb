//! Program terms in Postgres. Every query takes the caller's scope.

use super::domain::{ProgramTerms, TermsAcceptance};
use crate::kernel::ctx::{ActorId, Scope};
use crate::kernel::id::{EnrollmentId, PartnerId, ProgramId, ProgramTermsId, TermsAcceptanceId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{program_terms, terms_acceptances};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::prelude::*;
use uuid::Uuid;

/// Which versions a list shows.
#[derive(Debug, Clone, Default)]
pub struct TermsFilter {
    /// Of this program.
    pub program_id: Option<ProgramId>,
    /// Of these programs and no others.
    pub confined_to: Option<Vec<ProgramId>>,
}

/// Which acceptances a list shows.
#[derive(Debug, Clone, Default)]
pub struct AcceptanceFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// For this enrollment.
    pub enrollment_id: Option<EnrollmentId>,
    /// Of this version.
    pub program_terms_id: Option<ProgramTermsId>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = program_terms, check_for_backend(diesel::pg::Pg))]
struct TermsRow {
    organization_id: Uuid,
    id: Uuid,
    program_id: Uuid,
    number: i32,
    version: String,
    document_url: String,
    summary: Option<String>,
    created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = terms_acceptances, check_for_backend(diesel::pg::Pg))]
struct AcceptanceRow {
    organization_id: Uuid,
    id: Uuid,
    program_terms_id: Uuid,
    enrollment_id: Uuid,
    partner_id: Uuid,
    accepted_by: Uuid,
    accepted_by_type: String,
    created_at: DateTime<Utc>,
}

/// One version; whether the caller sees its program is asked elsewhere.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: ProgramTermsId) -> Result<Option<ProgramTerms>, Problem> {
    let row: Option<TermsRow> = program_terms::table
        .filter(program_terms::organization_id.eq(scope.organization_id.uuid()))
        .filter(program_terms::id.eq(id.uuid()))
        .select(TermsRow::as_select())
        .first(tx.connection())
        .optional()?;
    Ok(row.map(ProgramTerms::from))
}

/// A page of versions, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &TermsFilter,
    page: &PageRequest,
) -> Result<Page<ProgramTerms>, Problem> {
    let mut query = program_terms::table
        .filter(program_terms::organization_id.eq(scope.organization_id.uuid()))
        .select(TermsRow::as_select())
        .order(program_terms::id.desc())
        .into_boxed();
    if let Some(program_id) = filter.program_id {
        query = query.filter(program_terms::program_id.eq(program_id.uuid()));
    }
    if let Some(programs) = &filter.confined_to {
        let ids: Vec<Uuid> = programs.iter().map(|id| id.uuid()).collect();
        query = query.filter(program_terms::program_id.eq_any(ids));
    }
    if let Some(last) = &page.after {
        query = query.filter(program_terms::id.lt(last.id));
    }
    let rows: Vec<TermsRow> = page.rows_of(query).load(tx.connection())?;
    let terms = rows.into_iter().map(ProgramTerms::from).collect();
    Ok(page.page(terms, |last: &ProgramTerms| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// The number of the newest version of a program; zero when it has none.
pub fn newest(tx: &mut Tx<'_>, scope: &Scope, program_id: ProgramId) -> Result<i32, Problem> {
    let newest: Option<i32> = program_terms::table
        .filter(program_terms::organization_id.eq(scope.organization_id.uuid()))
        .filter(program_terms::program_id.eq(program_id.uuid()))
        .select(max(program_terms::number))
        .first(tx.connection())?;
    Ok(newest.unwrap_or_default())
}

/// Writes a new version.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, terms: &ProgramTerms) -> Result<(), Problem> {
    let row = TermsRow {
        organization_id: scope.organization_id.uuid(),
        id: terms.id.uuid(),
        program_id: terms.program_id.uuid(),
        number: terms.number,
        version: terms.version.clone(),
        document_url: terms.document_url.clone(),
        summary: terms.summary.clone(),
        created_at: terms.created_at,
    };
    Prepared(diesel::insert_into(program_terms::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes that a version was accepted.
pub fn insert_acceptance(
    tx: &mut Tx<'_>,
    scope: &Scope,
    acceptance: &TermsAcceptance,
) -> Result<(), Problem> {
    let row = AcceptanceRow {
        organization_id: scope.organization_id.uuid(),
        id: acceptance.id.uuid(),
        program_terms_id: acceptance.program_terms_id.uuid(),
        enrollment_id: acceptance.enrollment_id.uuid(),
        partner_id: acceptance.partner_id.uuid(),
        accepted_by: acceptance.accepted_by.uuid(),
        accepted_by_type: acceptance.accepted_by.kind().to_owned(),
        created_at: acceptance.created_at,
    };
    Prepared(diesel::insert_into(terms_acceptances::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// A page of acceptances, newest first.
pub fn acceptances(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &AcceptanceFilter,
    page: &PageRequest,
) -> Result<Page<TermsAcceptance>, Problem> {
    let mut query = terms_acceptances::table
        .filter(terms_acceptances::organization_id.eq(scope.organization_id.uuid()))
        .select(AcceptanceRow::as_select())
        .order(terms_acceptances::id.desc())
        .into_boxed();
    for partner_id in scope.partner_id.iter().chain(&filter.partner_id) {
        query = query.filter(terms_acceptances::partner_id.eq(partner_id.uuid()));
    }
    if let Some(enrollment_id) = filter.enrollment_id {
        query = query.filter(terms_acceptances::enrollment_id.eq(enrollment_id.uuid()));
    }
    if let Some(id) = filter.program_terms_id {
        query = query.filter(terms_acceptances::program_terms_id.eq(id.uuid()));
    }
    if let Some(last) = &page.after {
        query = query.filter(terms_acceptances::id.lt(last.id));
    }
    let rows: Vec<AcceptanceRow> = page.rows_of(query).load(tx.connection())?;
    let found = rows
        .into_iter()
        .map(TermsAcceptance::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(found, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

impl From<TermsRow> for ProgramTerms {
    fn from(row: TermsRow) -> Self {
        Self {
            id: ProgramTermsId::from_uuid(row.id),
            program_id: ProgramId::from_uuid(row.program_id),
            number: row.number,
            version: row.version,
            document_url: row.document_url,
            summary: row.summary,
            created_at: row.created_at,
        }
    }
}

impl TryFrom<AcceptanceRow> for TermsAcceptance {
    type Error = Problem;

    fn try_from(row: AcceptanceRow) -> Result<Self, Problem> {
        let by = ActorId::of_columns(Some(&row.accepted_by_type), Some(row.accepted_by));
        Ok(Self {
            id: TermsAcceptanceId::from_uuid(row.id),
            program_terms_id: ProgramTermsId::from_uuid(row.program_terms_id),
            enrollment_id: EnrollmentId::from_uuid(row.enrollment_id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            accepted_by: by.ok_or_else(|| Problem::damaged("an acceptance lacks who made it"))?,
            created_at: row.created_at,
        })
    }
}
