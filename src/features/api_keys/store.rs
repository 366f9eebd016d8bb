//! API keys in Postgres. The hash goes in and never comes out.

use super::domain::ApiKey;
use crate::kernel::ctx::{ActorId, Ctx, Scope};
use crate::kernel::id::{ApiKeyId, PartnerId, UserId};
use crate::kernel::problem::Problem;
use crate::platform::credentials::KeyHash;
use crate::platform::db::schema::api_keys;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// Which keys a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct ApiKeyFilter {
    /// Keys confined to this partner.
    pub partner_id: Option<PartnerId>,
    /// Keys of this user.
    pub owner_id: Option<UserId>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys, check_for_backend(diesel::pg::Pg))]
struct ApiKeyRow {
    organization_id: Uuid,
    id: Uuid,
    partner_id: Option<Uuid>,
    name: String,
    prefix: String,
    permissions: Vec<String>,
    owner_id: Option<Uuid>,
    created_by: Option<Uuid>,
    created_by_type: Option<String>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    allowed_networks: Vec<String>,
    last_used_at: Option<DateTime<Utc>>,
    previous_secret_until: Option<DateTime<Utc>>,
    access_version: i64,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    secret_makers: Vec<Uuid>,
    previous_secret_makers: Vec<Uuid>,
}

/// One key.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: ApiKeyId) -> Result<Option<ApiKey>, Problem> {
    let row: Option<ApiKeyRow> = api_keys::table
        .filter(api_keys::organization_id.eq(scope.organization_id.uuid()))
        .filter(api_keys::id.eq(id.uuid()))
        .select(ApiKeyRow::as_select())
        .first(tx.connection())
        .optional()?;
    Ok(within(scope, row))
}

/// One key, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: ApiKeyId) -> Result<Option<ApiKey>, Problem> {
    let row: Option<ApiKeyRow> = api_keys::table
        .filter(api_keys::organization_id.eq(scope.organization_id.uuid()))
        .filter(api_keys::id.eq(id.uuid()))
        .select(ApiKeyRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    Ok(within(scope, row))
}

/// The keys of a user that are not revoked, locked until the transaction ends.
pub fn lock_of_owner(tx: &mut Tx<'_>, scope: &Scope, owner_id: UserId) -> Result<Vec<ApiKey>, Problem> {
    let rows: Vec<ApiKeyRow> = api_keys::table
        .filter(api_keys::organization_id.eq(scope.organization_id.uuid()))
        .filter(api_keys::owner_id.eq(owner_id.uuid()))
        .filter(api_keys::revoked_at.is_null())
        .order(api_keys::id)
        .select(ApiKeyRow::as_select())
        .for_no_key_update()
        .load(tx.connection())?;
    Ok(rows.into_iter().map(ApiKey::from).collect())
}

/// The keys of a partner that are not revoked, locked until the transaction ends.
pub fn lock_of_partner(
    tx: &mut Tx<'_>,
    scope: &Scope,
    partner_id: PartnerId,
) -> Result<Vec<ApiKey>, Problem> {
    let rows: Vec<ApiKeyRow> = api_keys::table
        .filter(api_keys::organization_id.eq(scope.organization_id.uuid()))
        .filter(api_keys::partner_id.eq(partner_id.uuid()))
        .filter(api_keys::revoked_at.is_null())
        .order(api_keys::id)
        .select(ApiKeyRow::as_select())
        .for_no_key_update()
        .load(tx.connection())?;
    Ok(rows.into_iter().map(ApiKey::from).collect())
}

/// A page of keys, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &ApiKeyFilter,
    page: &PageRequest,
) -> Result<Page<ApiKey>, Problem> {
    let mut query = api_keys::table
        .filter(api_keys::organization_id.eq(scope.organization_id.uuid()))
        .select(ApiKeyRow::as_select())
        .order(api_keys::id.desc())
        .into_boxed();
    for partner_id in scope.partner_id.iter().chain(&filter.partner_id) {
        query = query.filter(api_keys::partner_id.eq(partner_id.uuid()));
    }
    if let Some(owner_id) = filter.owner_id {
        query = query.filter(api_keys::owner_id.eq(owner_id.uuid()));
    }
    if let Some(last) = &page.after {
        query = query.filter(api_keys::id.lt(last.id));
    }
    let rows: Vec<ApiKeyRow> = page.rows_of(query).load(tx.connection())?;
    let keys = rows.into_iter().map(ApiKey::from).collect();
    Ok(page.page(keys, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new key.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, key: &ApiKey, hash: &KeyHash) -> Result<(), Problem> {
    let row = ApiKeyRow::of(scope, key);
    let values = (row, api_keys::secret_hash.eq(hash.to_vec()));
    Prepared(diesel::insert_into(api_keys::table).values(values)).execute(tx.connection())?;
    Ok(())
}

/// Writes what may change of a key.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, key: &ApiKey) -> Result<(), Problem> {
    let target = api_keys::table
        .filter(api_keys::organization_id.eq(scope.organization_id.uuid()))
        .filter(api_keys::id.eq(key.id.uuid()));
    let changes = (
        api_keys::name.eq(&key.name),
        api_keys::allowed_networks.eq(&key.allowed_networks),
        api_keys::expires_at.eq(key.expires_at),
        api_keys::access_version.eq(key.access_version),
        api_keys::revoked_at.eq(key.revoked_at),
        api_keys::row_version.eq(key.row_version),
        api_keys::updated_at.eq(key.updated_at),
    );
    Prepared(diesel::update(target).set(changes)).execute(tx.connection())?;
    Ok(())
}

/// A partner's caller sees the keys of its partner alone.
fn within(scope: &Scope, row: Option<ApiKeyRow>) -> Option<ApiKey> {
    let row = row.filter(|row| {
        scope
            .partner_id
            .is_none_or(|own| row.partner_id == Some(own.uuid()))
    });
    row.map(ApiKey::from)
}

/// Writes a key with another secret beside the present one.
pub fn rotate(tx: &mut Tx<'_>, scope: &Scope, key: &ApiKey, hash: &KeyHash) -> Result<(), Problem> {
    let query = sql_query(
        "UPDATE api_keys SET previous_secret_hash = secret_hash, previous_secret_until = $3, secret_hash = $4, \
             prefix = $5, access_version = $6, row_version = $7, updated_at = $8, secret_makers = $9, \
             previous_secret_makers = $10 \
         WHERE organization_id = $1 AND id = $2",
    );
    let query = query
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<SqlUuid, _>(key.id.uuid())
        .bind::<Nullable<Timestamptz>, _>(key.previous_secret_until)
        .bind::<Binary, _>(hash.to_vec())
        .bind::<Text, _>(&key.prefix)
        .bind::<BigInt, _>(key.access_version)
        .bind::<BigInt, _>(key.row_version)
        .bind::<Timestamptz, _>(key.updated_at)
        .bind::<Array<SqlUuid>, _>(&key.secret_makers)
        .bind::<Array<SqlUuid>, _>(&key.previous_secret_makers);
    Ok(Prepared(query).execute(tx.connection())?)
}

impl ApiKeyRow {
    fn of(scope: &Scope, key: &ApiKey) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: key.id.uuid(),
            partner_id: key.partner_id.map(PartnerId::uuid),
            name: key.name.clone(),
            prefix: key.prefix.clone(),
            permissions: key.permissions.clone(),
            owner_id: key.owner_id.map(UserId::uuid),
            created_by: key.created_by.map(ActorId::uuid),
            created_by_type: key.created_by.map(|by| by.kind().to_owned()),
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            allowed_networks: key.allowed_networks.clone(),
            last_used_at: key.last_used_at,
            previous_secret_until: key.previous_secret_until,
            access_version: key.access_version,
            row_version: key.row_version,
            created_at: key.created_at,
            updated_at: key.updated_at,
            secret_makers: key.secret_makers.clone(),
            previous_secret_makers: key.previous_secret_makers.clone(),
        }
    }
}

impl From<ApiKeyRow> for ApiKey {
    fn from(row: ApiKeyRow) -> Self {
        Self {
            id: ApiKeyId::from_uuid(row.id),
            partner_id: row.partner_id.map(PartnerId::from_uuid),
            name: row.name,
            prefix: row.prefix,
            permissions: row.permissions,
            owner_id: row.owner_id.map(UserId::from_uuid),
            created_by: ActorId::of_columns(row.created_by_type.as_deref(), row.created_by),
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            allowed_networks: row.allowed_networks,
            last_used_at: row.last_used_at,
            previous_secret_until: row.previous_secret_until,
            secret_makers: row.secret_makers,
            previous_secret_makers: row.previous_secret_makers,
            access_version: row.access_version,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Who may know a secret of the key that is good now, besides its holder; in house.
pub fn secret_makers(tx: &mut Tx<'_>, house: &Ctx, id: ApiKeyId) -> Result<Vec<Uuid>, Problem> {
    let (now, before, until): (Vec<Uuid>, Vec<Uuid>, Option<DateTime<Utc>>) = api_keys::table
        .filter(api_keys::organization_id.eq(house.organization_id().uuid()))
        .filter(api_keys::id.eq(id.uuid()))
        .select((
            api_keys::secret_makers,
            api_keys::previous_secret_makers,
            api_keys::previous_secret_until,
        ))
        .first(tx.connection())?;
    let is_good = until.is_some_and(|until| until > house.wall_now);
    let before = before.into_iter().filter(|_| is_good);
    Ok(now.into_iter().chain(before).collect())
}
