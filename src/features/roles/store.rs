//! Roles in Postgres. What a built-in role holds is written in the service, not in its row.

use super::domain::Role;
use crate::kernel::ctx::Scope;
use crate::kernel::id::RoleId;
use crate::kernel::problem::Problem;
use crate::kernel::role::BuiltInRole;
use crate::platform::db::schema::roles;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use uuid::Uuid;

/// Which roles a list shows, oldest first.
#[derive(Debug, Clone, Default)]
pub struct RoleFilter {
    /// For partners' people, or for the organization's own.
    pub for_partners: Option<bool>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = roles, treat_none_as_null = true, check_for_backend(Pg))]
struct RoleRow {
    organization_id: Uuid,
    id: Uuid,
    name: String,
    built_in: Option<String>,
    for_partners: bool,
    permissions: Vec<String>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

type RoleQuery<'a> = roles::BoxedQuery<'a, Pg, diesel::dsl::SqlTypeOf<diesel::dsl::AsSelect<RoleRow, Pg>>>;

/// A partner's caller sees the roles for partners alone.
fn visible(scope: &Scope) -> RoleQuery<'static> {
    let query = roles::table
        .filter(roles::organization_id.eq(scope.organization_id.uuid()))
        .select(RoleRow::as_select())
        .into_boxed();
    match scope.partner_id {
        Some(_) => query.filter(roles::for_partners.eq(true)),
        None => query,
    }
}

/// One role.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: RoleId) -> Result<Option<Role>, Problem> {
    let query = visible(scope).filter(roles::id.eq(id.uuid()));
    query
        .first(tx.connection())
        .optional()?
        .map(Role::try_from)
        .transpose()
}

/// Several roles at once.
pub fn several(tx: &mut Tx<'_>, scope: &Scope, ids: &[RoleId]) -> Result<Vec<Role>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<RoleRow> = visible(scope)
        .filter(roles::id.eq_any(ids))
        .load(tx.connection())?;
    rows.into_iter().map(Role::try_from).collect()
}

/// One role, locked until the transaction ends. A partner changes none.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: RoleId) -> Result<Option<Role>, Problem> {
    if scope.partner_id.is_some() {
        return Ok(None);
    }
    let row: Option<RoleRow> = roles::table
        .filter(roles::organization_id.eq(scope.organization_id.uuid()))
        .filter(roles::id.eq(id.uuid()))
        .select(RoleRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(Role::try_from).transpose()
}

/// A page of roles, oldest first.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &RoleFilter,
    page: &PageRequest,
) -> Result<Page<Role>, Problem> {
    let mut query = visible(scope).order(roles::id.asc());
    if let Some(for_partners) = filter.for_partners {
        query = query.filter(roles::for_partners.eq(for_partners));
    }
    if let Some(last) = &page.after {
        query = query.filter(roles::id.gt(last.id));
    }
    let rows: Vec<RoleRow> = page.rows_of(query).load(tx.connection())?;
    let roles = rows
        .into_iter()
        .map(Role::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(roles, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new role.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, role: &Role) -> Result<(), Problem> {
    Prepared(diesel::insert_into(roles::table).values(RoleRow::of(scope, role))).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed role.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, role: &Role) -> Result<(), Problem> {
    let target = roles::table
        .filter(roles::organization_id.eq(scope.organization_id.uuid()))
        .filter(roles::id.eq(role.id.uuid()));
    Prepared(diesel::update(target).set(RoleRow::of(scope, role))).execute(tx.connection())?;
    Ok(())
}

impl RoleRow {
    fn of(scope: &Scope, role: &Role) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: role.id.uuid(),
            name: role.name.clone(),
            built_in: role.built_in.map(|role| role.as_str().to_owned()),
            for_partners: role.for_partners,
            permissions: match role.built_in {
                Some(_) => Vec::new(),
                None => role.permissions.clone(),
            },
            row_version: role.row_version,
            created_at: role.created_at,
            updated_at: role.updated_at,
        }
    }
}

impl TryFrom<RoleRow> for Role {
    type Error = Problem;

    fn try_from(row: RoleRow) -> Result<Self, Problem> {
        let built_in = row.built_in.as_deref().map(str::parse::<BuiltInRole>).transpose();
        let built_in = built_in.map_err(Problem::damaged)?;
        let permissions = match built_in {
            Some(role) => role
                .permissions()
                .iter()
                .map(|one| one.name().to_owned())
                .collect(),
            None => row.permissions,
        };
        Ok(Self {
            id: RoleId::from_uuid(row.id),
            name: row.name,
            built_in,
            for_partners: row.for_partners,
            permissions,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
