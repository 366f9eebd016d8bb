//! Comments and requests for more time. Whoever lists them has found the registration in its own scope before.

use super::concerns;
use crate::features::deal_registrations::domain::{Comment, CommentVisibility, Extension, ExtensionStatus};
use crate::kernel::ctx::{ActorId, Scope};
use crate::kernel::id::{DealRegistrationId, PartnerId, RegistrationCommentId, RegistrationExtensionId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{deal_registrations, registration_comments, registration_extensions};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use std::str::FromStr;
use uuid::Uuid;

/// Which comments a list shows, oldest first.
#[derive(Debug, Clone, Default)]
pub struct CommentFilter {
    /// About this registration.
    pub deal_registration_id: Option<DealRegistrationId>,
    /// Those that these read.
    pub visibility: Option<CommentVisibility>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = registration_comments, check_for_backend(Pg))]
struct CommentRow {
    organization_id: Uuid,
    id: Uuid,
    deal_registration_id: Uuid,
    visibility: String,
    body: String,
    created_by: Uuid,
    created_by_type: String,
    created_at: DateTime<Utc>,
}

/// Writes a comment.
pub fn insert_comment(tx: &mut Tx<'_>, scope: &Scope, comment: &Comment) -> Result<(), Problem> {
    let row = CommentRow {
        organization_id: scope.organization_id.uuid(),
        id: comment.id.uuid(),
        deal_registration_id: comment.deal_registration_id.uuid(),
        visibility: comment.visibility.as_str().to_owned(),
        body: comment.body.clone(),
        created_by: comment.created_by.uuid(),
        created_by_type: comment.created_by.kind().to_owned(),
        created_at: comment.created_at,
    };
    Prepared(diesel::insert_into(registration_comments::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// A page of comments, oldest first. A partner's caller reads what partners read, on the registrations that it sees.
pub fn list_comments(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &CommentFilter,
    page: &PageRequest,
) -> Result<Page<Comment>, Problem> {
    let mut query = registration_comments::table
        .filter(registration_comments::organization_id.eq(scope.organization_id.uuid()))
        .select(CommentRow::as_select())
        .order(registration_comments::id.asc())
        .into_boxed();
    if let Some(own) = scope.partner_id {
        let seen = seen(scope, own);
        query = query.filter(registration_comments::deal_registration_id.eq_any(seen));
        query = query.filter(registration_comments::visibility.eq(CommentVisibility::Partner.as_str()));
    }
    if let Some(id) = filter.deal_registration_id {
        query = query.filter(registration_comments::deal_registration_id.eq(id.uuid()));
    }
    if let Some(visibility) = filter.visibility {
        query = query.filter(registration_comments::visibility.eq(visibility.as_str()));
    }
    if let Some(last) = &page.after {
        query = query.filter(registration_comments::id.gt(last.id));
    }
    let rows: Vec<CommentRow> = page.rows_of(query).load(tx.connection())?;
    let comments = rows
        .into_iter()
        .map(Comment::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(comments, |last: &Comment| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = registration_extensions, treat_none_as_null = true, check_for_backend(Pg))]
struct ExtensionRow {
    organization_id: Uuid,
    id: Uuid,
    deal_registration_id: Uuid,
    status: String,
    reason: Option<String>,
    evidence: String,
    respond_by: Option<DateTime<Utc>>,
    decided_at: Option<DateTime<Utc>>,
    created_by: Uuid,
    created_by_type: String,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// The registration that a request is about; for the organization, which answers it.
pub fn registration_of_extension(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: RegistrationExtensionId,
) -> Result<Option<DealRegistrationId>, Problem> {
    if scope.partner_id.is_some() {
        return Ok(None);
    }
    let found: Option<Uuid> = registration_extensions::table
        .filter(registration_extensions::organization_id.eq(scope.organization_id.uuid()))
        .filter(registration_extensions::id.eq(id.uuid()))
        .select(registration_extensions::deal_registration_id)
        .first(tx.connection())
        .optional()?;
    Ok(found.map(DealRegistrationId::from_uuid))
}

/// The requests for these registrations that nobody has answered, locked.
pub fn lock_requested(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[DealRegistrationId],
) -> Result<Vec<Extension>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<ExtensionRow> = registration_extensions::table
        .filter(registration_extensions::organization_id.eq(scope.organization_id.uuid()))
        .filter(registration_extensions::deal_registration_id.eq_any(ids))
        .filter(registration_extensions::status.eq(ExtensionStatus::Requested.as_str()))
        .order(registration_extensions::id)
        .select(ExtensionRow::as_select())
        .for_no_key_update()
        .load(tx.connection())?;
    rows.into_iter().map(Extension::try_from).collect()
}

/// One request, locked until the transaction ends.
pub fn lock_extension(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: RegistrationExtensionId,
) -> Result<Option<Extension>, Problem> {
    let row: Option<ExtensionRow> = registration_extensions::table
        .filter(registration_extensions::organization_id.eq(scope.organization_id.uuid()))
        .filter(registration_extensions::id.eq(id.uuid()))
        .select(ExtensionRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(Extension::try_from).transpose()
}

/// A page of the requests for more time, for one registration or for all that the caller sees, oldest first.
pub fn list_extensions(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: Option<DealRegistrationId>,
    page: &PageRequest,
) -> Result<Page<Extension>, Problem> {
    let mut query = registration_extensions::table
        .filter(registration_extensions::organization_id.eq(scope.organization_id.uuid()))
        .select(ExtensionRow::as_select())
        .order(registration_extensions::id.asc())
        .into_boxed();
    if let Some(own) = scope.partner_id {
        let seen = seen(scope, own);
        query = query.filter(registration_extensions::deal_registration_id.eq_any(seen));
    }
    if let Some(id) = id {
        query = query.filter(registration_extensions::deal_registration_id.eq(id.uuid()));
    }
    if let Some(last) = &page.after {
        query = query.filter(registration_extensions::id.gt(last.id));
    }
    let rows: Vec<ExtensionRow> = page.rows_of(query).load(tx.connection())?;
    let found = rows
        .into_iter()
        .map(Extension::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(found, |last: &Extension| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// How many requests for a registration were granted.
pub fn count_granted(tx: &mut Tx<'_>, scope: &Scope, id: DealRegistrationId) -> Result<i64, Problem> {
    let granted = registration_extensions::table
        .filter(registration_extensions::organization_id.eq(scope.organization_id.uuid()))
        .filter(registration_extensions::deal_registration_id.eq(id.uuid()))
        .filter(registration_extensions::status.eq(ExtensionStatus::Approved.as_str()))
        .count()
        .get_result(tx.connection())?;
    Ok(granted)
}

/// Writes a new request.
pub fn insert_extension(tx: &mut Tx<'_>, scope: &Scope, extension: &Extension) -> Result<(), Problem> {
    let row = ExtensionRow::of(scope, extension);
    Prepared(diesel::insert_into(registration_extensions::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a request that was answered.
pub fn update_extension(tx: &mut Tx<'_>, scope: &Scope, extension: &Extension) -> Result<(), Problem> {
    let row = ExtensionRow::of(scope, extension);
    let target = registration_extensions::table
        .filter(registration_extensions::organization_id.eq(scope.organization_id.uuid()))
        .filter(registration_extensions::id.eq(extension.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// The registrations that a partner sees.
fn seen<'a>(
    scope: &Scope,
    own: PartnerId,
) -> deal_registrations::BoxedQuery<'a, Pg, diesel::sql_types::Uuid> {
    deal_registrations::table
        .filter(concerns(scope, own))
        .select(deal_registrations::id)
        .into_boxed()
}

impl ExtensionRow {
    fn of(scope: &Scope, extension: &Extension) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: extension.id.uuid(),
            deal_registration_id: extension.deal_registration_id.uuid(),
            status: extension.status.as_str().to_owned(),
            reason: extension.reason.clone(),
            evidence: extension.evidence.clone(),
            respond_by: extension.respond_by,
            decided_at: extension.decided_at,
            created_by: extension.created_by.uuid(),
            created_by_type: extension.created_by.kind().to_owned(),
            row_version: extension.row_version,
            created_at: extension.created_at,
            updated_at: extension.updated_at,
        }
    }
}

impl TryFrom<CommentRow> for Comment {
    type Error = Problem;

    fn try_from(row: CommentRow) -> Result<Self, Problem> {
        Ok(Self {
            id: RegistrationCommentId::from_uuid(row.id),
            deal_registration_id: DealRegistrationId::from_uuid(row.deal_registration_id),
            visibility: CommentVisibility::from_str(&row.visibility).map_err(Problem::damaged)?,
            body: row.body,
            created_by: author(&row.created_by_type, row.created_by)?,
            created_at: row.created_at,
        })
    }
}

impl TryFrom<ExtensionRow> for Extension {
    type Error = Problem;

    fn try_from(row: ExtensionRow) -> Result<Self, Problem> {
        Ok(Self {
            id: RegistrationExtensionId::from_uuid(row.id),
            deal_registration_id: DealRegistrationId::from_uuid(row.deal_registration_id),
            status: ExtensionStatus::from_str(&row.status).map_err(Problem::damaged)?,
            reason: row.reason,
            evidence: row.evidence,
            respond_by: row.respond_by,
            decided_at: row.decided_at,
            created_by: author(&row.created_by_type, row.created_by)?,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

fn author(kind: &str, id: Uuid) -> Result<ActorId, Problem> {
    ActorId::of_columns(Some(kind), Some(id)).ok_or_else(|| Problem::damaged("an author is missing"))
}
