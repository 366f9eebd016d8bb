//! Enrollments in Postgres. Every query takes the caller's scope.

use super::domain::{Enrollment, EnrollmentStatus};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{EnrollmentId, PartnerId, ProgramId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::enrollments;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Seen, Tx};
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use std::str::FromStr;
use uuid::Uuid;

/// Which enrollments a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct EnrollmentFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<EnrollmentStatus>,
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// In this program.
    pub program_id: Option<ProgramId>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Made at or after this instant.
    pub created_at_gte: Option<DateTime<Utc>>,
    /// Made before this instant.
    pub created_at_lt: Option<DateTime<Utc>>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    pub order: EnrollmentOrder,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EnrollmentOrder {
    /// Newest first. Ids are made from the time, so that their order is that of creation.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = enrollments, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct EnrollmentRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    partner_id: Uuid,
    program_id: Uuid,
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

/// One enrollment.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: EnrollmentId) -> Result<Option<Enrollment>, Problem> {
    let query = enrollments::table
        .filter(enrollments::organization_id.eq(scope.organization_id.uuid()))
        .filter(enrollments::id.eq(id.uuid()))
        .select(EnrollmentRow::as_select());
    let row = match Seen::partners(scope, enrollments::partner_id) {
        None => query.first(tx.connection()),
        Some(seen) => query.filter(seen).first(tx.connection()),
    };
    row.optional()?.map(Enrollment::try_from).transpose()
}

/// One enrollment, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: EnrollmentId) -> Result<Option<Enrollment>, Problem> {
    let row = enrollments::table
        .filter(enrollments::organization_id.eq(scope.organization_id.uuid()))
        .filter(enrollments::id.eq(id.uuid()))
        .select(EnrollmentRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    own(scope, row)
}

/// Several enrollments in the order of their ids.
pub fn several(tx: &mut Tx<'_>, scope: &Scope, ids: &[EnrollmentId]) -> Result<Vec<Enrollment>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let mut query = enrollments::table
        .filter(enrollments::organization_id.eq(scope.organization_id.uuid()))
        .filter(enrollments::id.eq_any(ids))
        .select(EnrollmentRow::as_select())
        .order(enrollments::id.asc())
        .into_boxed();
    if let Some(seen) = Seen::partners(scope, enrollments::partner_id) {
        query = query.filter(seen);
    }
    let rows: Vec<EnrollmentRow> = query.load(tx.connection())?;
    rows.into_iter().map(Enrollment::try_from).collect()
}

/// Whether a partner is active in a program; a partner's caller asks about its own.
pub fn is_active(
    tx: &mut Tx<'_>,
    scope: &Scope,
    partner_id: PartnerId,
    program_id: ProgramId,
) -> Result<bool, Problem> {
    if scope.partner_id.is_some_and(|own| own != partner_id) {
        return Ok(false);
    }
    let active = enrollments::table
        .filter(enrollments::organization_id.eq(scope.organization_id.uuid()))
        .filter(enrollments::partner_id.eq(partner_id.uuid()))
        .filter(enrollments::program_id.eq(program_id.uuid()))
        .filter(enrollments::status.eq(EnrollmentStatus::Active.as_str()));
    Ok(diesel::select(exists(active)).get_result(tx.connection())?)
}

/// A page of enrollments.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &EnrollmentFilter,
    page: &PageRequest,
) -> Result<Page<Enrollment>, Problem> {
    let mut query = enrollments::table
        .filter(enrollments::organization_id.eq(scope.organization_id.uuid()))
        .select(EnrollmentRow::as_select())
        .into_boxed();
    if let Some(seen) = Seen::partners(scope, enrollments::partner_id) {
        query = query.filter(seen);
    }
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(enrollments::status.eq_any(statuses));
    }
    if let Some(partner_id) = filter.partner_id {
        query = query.filter(enrollments::partner_id.eq(partner_id.uuid()));
    }
    if let Some(program_id) = filter.program_id {
        query = query.filter(enrollments::program_id.eq(program_id.uuid()));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(enrollments::external_id.eq(external_id));
    }
    if let Some(instant) = filter.created_at_gte {
        query = query.filter(enrollments::created_at.ge(instant));
    }
    if let Some(instant) = filter.created_at_lt {
        query = query.filter(enrollments::created_at.lt(instant));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(enrollments::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(enrollments::updated_at.lt(instant));
    }
    query = match filter.order {
        EnrollmentOrder::Newest => query.order(enrollments::id.desc()),
        EnrollmentOrder::Oldest => query.order(enrollments::id.asc()),
    };
    if let Some(last) = &page.after {
        query = match filter.order {
            EnrollmentOrder::Newest => query.filter(enrollments::id.lt(last.id)),
            EnrollmentOrder::Oldest => query.filter(enrollments::id.gt(last.id)),
        };
    }
    let rows: Vec<EnrollmentRow> = page.rows_of(query).load(tx.connection())?;
    let enrollments = rows
        .into_iter()
        .map(Enrollment::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(enrollments, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new enrollment.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, enrollment: &Enrollment) -> Result<(), Problem> {
    let row = EnrollmentRow::of(scope, enrollment);
    Prepared(diesel::insert_into(enrollments::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed enrollment.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, enrollment: &Enrollment) -> Result<(), Problem> {
    let row = EnrollmentRow::of(scope, enrollment);
    let target = enrollments::table
        .filter(enrollments::organization_id.eq(scope.organization_id.uuid()))
        .filter(enrollments::id.eq(enrollment.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// A partner's caller changes its own enrollments at most, whatever it sees.
fn own(scope: &Scope, row: Option<EnrollmentRow>) -> Result<Option<Enrollment>, Problem> {
    let row = row.filter(|row| scope.partner_id.is_none_or(|own| own.uuid() == row.partner_id));
    row.map(Enrollment::try_from).transpose()
}

impl EnrollmentRow {
    fn of(scope: &Scope, enrollment: &Enrollment) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: enrollment.id.uuid(),
            external_id: enrollment.external_id.clone(),
            partner_id: enrollment.partner_id.uuid(),
            program_id: enrollment.program_id.uuid(),
            status: enrollment.status.as_str().to_owned(),
            status_reason: enrollment.status_reason.clone(),
            tier: enrollment.tier.clone(),
            terms_version: enrollment.terms_version.clone(),
            activated_at: enrollment.activated_at,
            ended_at: enrollment.ended_at,
            row_version: enrollment.row_version,
            created_at: enrollment.created_at,
            updated_at: enrollment.updated_at,
        }
    }
}

impl TryFrom<EnrollmentRow> for Enrollment {
    type Error = Problem;

    fn try_from(row: EnrollmentRow) -> Result<Self, Problem> {
        Ok(Self {
            id: EnrollmentId::from_uuid(row.id),
            external_id: row.external_id,
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: ProgramId::from_uuid(row.program_id),
            status: EnrollmentStatus::from_str(&row.status).map_err(Problem::damaged)?,
            status_reason: row.status_reason,
            tier: row.tier,
            terms_version: row.terms_version,
            activated_at: row.activated_at,
            ended_at: row.ended_at,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
