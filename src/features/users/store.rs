//! Users in Postgres. Every query takes the caller's scope.

use super::domain::{User, UserStatus};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{PartnerId, RoleId, UserId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{user_roles, users};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Uuid as SqlUuid};
use std::collections::HashMap;
use std::str::FromStr;
use uuid::Uuid;

/// Which users a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<UserStatus>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// The e-mail address, in any case.
    pub email: Option<String>,
    /// The partner's people.
    pub partner_id: Option<PartnerId>,
    /// Who holds this role.
    pub role_id: Option<RoleId>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true, check_for_backend(Pg))]
struct UserRow {
    organization_id: Uuid,
    id: Uuid,
    partner_id: Option<Uuid>,
    external_id: Option<String>,
    email: String,
    name: String,
    status: String,
    status_reason: Option<String>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

type UserQuery<'a> = users::BoxedQuery<'a, Pg, diesel::dsl::SqlTypeOf<diesel::dsl::AsSelect<UserRow, Pg>>>;

/// A partner's caller sees its own partner's people alone.
fn visible(scope: &Scope) -> UserQuery<'static> {
    let query = users::table
        .filter(users::organization_id.eq(scope.organization_id.uuid()))
        .select(UserRow::as_select())
        .into_boxed();
    match scope.partner_id {
        Some(partner_id) => query.filter(users::partner_id.eq(partner_id.uuid())),
        None => query,
    }
}

/// One user.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: UserId) -> Result<Option<User>, Problem> {
    let query = visible(scope).filter(users::id.eq(id.uuid()));
    let row: Option<UserRow> = query.first(tx.connection()).optional()?;
    Ok(with_roles(tx, scope, row.into_iter().collect())?.pop())
}

/// One user, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: UserId) -> Result<Option<User>, Problem> {
    let row: Option<UserRow> = users::table
        .filter(users::organization_id.eq(scope.organization_id.uuid()))
        .filter(users::id.eq(id.uuid()))
        .select(UserRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    let row = row.filter(|row| {
        scope
            .partner_id
            .is_none_or(|own| row.partner_id == Some(own.uuid()))
    });
    Ok(with_roles(tx, scope, row.into_iter().collect())?.pop())
}

/// Everybody who has this e-mail address (in lower case) and is not gone.
pub fn with_email(tx: &mut Tx<'_>, scope: &Scope, email: &str) -> Result<Vec<User>, Problem> {
    let query = visible(scope)
        .filter(users::email.eq(email.to_owned()))
        .filter(users::status.ne(UserStatus::Terminated.as_str()))
        .order(users::id);
    let rows: Vec<UserRow> = query.load(tx.connection())?;
    with_roles(tx, scope, rows)
}

/// Everybody who is left of a partner, locked until the transaction ends.
pub fn lock_of_partner(tx: &mut Tx<'_>, scope: &Scope, partner_id: PartnerId) -> Result<Vec<User>, Problem> {
    let rows: Vec<UserRow> = users::table
        .filter(users::organization_id.eq(scope.organization_id.uuid()))
        .filter(users::partner_id.eq(partner_id.uuid()))
        .filter(users::status.ne(UserStatus::Terminated.as_str()))
        .order(users::id)
        .select(UserRow::as_select())
        .for_no_key_update()
        .load(tx.connection())?;
    with_roles(tx, scope, rows)
}

/// A page of users, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &UserFilter,
    page: &PageRequest,
) -> Result<Page<User>, Problem> {
    let mut query = narrowed(visible(scope), scope, filter).order(users::id.desc());
    if let Some(last) = &page.after {
        query = query.filter(users::id.lt(last.id));
    }
    let rows: Vec<UserRow> = page.rows_of(query).load(tx.connection())?;
    let users = with_roles(tx, scope, rows)?;
    Ok(page.page(users, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

fn narrowed<'a>(mut query: UserQuery<'a>, scope: &Scope, filter: &'a UserFilter) -> UserQuery<'a> {
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(users::status.eq_any(statuses));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(users::external_id.eq(external_id));
    }
    if let Some(email) = &filter.email {
        query = query.filter(users::email.eq(email.to_lowercase()));
    }
    if let Some(partner_id) = filter.partner_id {
        query = query.filter(users::partner_id.eq(partner_id.uuid()));
    }
    if let Some(role_id) = filter.role_id {
        let holders = user_roles::table
            .filter(user_roles::organization_id.eq(scope.organization_id.uuid()))
            .filter(user_roles::role_id.eq(role_id.uuid()))
            .select(user_roles::user_id);
        query = query.filter(users::id.eq_any(holders));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(users::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(users::updated_at.lt(instant));
    }
    query
}

/// Writes a new user.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, user: &User) -> Result<(), Problem> {
    Prepared(diesel::insert_into(users::table).values(UserRow::of(scope, user))).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed user.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, user: &User) -> Result<(), Problem> {
    let target = users::table
        .filter(users::organization_id.eq(scope.organization_id.uuid()))
        .filter(users::id.eq(user.id.uuid()));
    Prepared(diesel::update(target).set(UserRow::of(scope, user))).execute(tx.connection())?;
    Ok(())
}

/// Gives roles to a user.
pub fn give_roles(tx: &mut Tx<'_>, scope: &Scope, id: UserId, roles: &[RoleId]) -> Result<(), Problem> {
    if roles.is_empty() {
        return Ok(());
    }
    let query = diesel::sql_query(
        "INSERT INTO user_roles (organization_id, user_id, role_id) SELECT $1, $2, unnest($3)",
    );
    let query = query
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Array<SqlUuid>, _>(uuids(roles));
    Ok(Prepared(query).execute(tx.connection())?)
}

/// Takes roles from a user.
pub fn take_roles(tx: &mut Tx<'_>, scope: &Scope, id: UserId, roles: &[RoleId]) -> Result<(), Problem> {
    if roles.is_empty() {
        return Ok(());
    }
    let query = diesel::sql_query(
        "DELETE FROM user_roles WHERE organization_id = $1 AND user_id = $2 AND role_id = ANY($3)",
    );
    let query = query
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Array<SqlUuid>, _>(uuids(roles));
    Ok(Prepared(query).execute(tx.connection())?)
}

fn uuids(roles: &[RoleId]) -> Vec<Uuid> {
    roles.iter().map(|role| role.uuid()).collect()
}

/// The users with the roles that they hold, in one more round trip for all of them.
fn with_roles(tx: &mut Tx<'_>, scope: &Scope, rows: Vec<UserRow>) -> Result<Vec<User>, Problem> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let held: Vec<(Uuid, Uuid)> = user_roles::table
        .filter(user_roles::organization_id.eq(scope.organization_id.uuid()))
        .filter(user_roles::user_id.eq_any(ids))
        .order(user_roles::role_id)
        .select((user_roles::user_id, user_roles::role_id))
        .load(tx.connection())?;
    let mut roles: HashMap<Uuid, Vec<RoleId>> = HashMap::new();
    for (user, role) in held {
        roles.entry(user).or_default().push(RoleId::from_uuid(role));
    }
    let users = rows.into_iter().map(|row| {
        let role_ids = roles.remove(&row.id).unwrap_or_default();
        row.user(role_ids)
    });
    users.collect()
}

impl UserRow {
    fn of(scope: &Scope, user: &User) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: user.id.uuid(),
            partner_id: user.partner_id.map(PartnerId::uuid),
            external_id: user.external_id.clone(),
            email: user.email.clone(),
            name: user.name.clone(),
            status: user.status.as_str().to_owned(),
            status_reason: user.status_reason.clone(),
            row_version: user.row_version,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }

    fn user(self, role_ids: Vec<RoleId>) -> Result<User, Problem> {
        Ok(User {
            id: UserId::from_uuid(self.id),
            partner_id: self.partner_id.map(PartnerId::from_uuid),
            external_id: self.external_id,
            email: self.email,
            name: self.name,
            role_ids,
            status: UserStatus::from_str(&self.status).map_err(Problem::damaged)?,
            status_reason: self.status_reason,
            row_version: self.row_version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}
