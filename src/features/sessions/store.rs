//! Sessions in Postgres. Every query takes the caller's scope.

use super::domain::{REFRESH_IS_GOOD_FOR, RefreshToken, RevokedBecause, Session};
use crate::kernel::ctx::{Ctx, Scope};
use crate::kernel::id::{ApiKeyId, IdentityProviderId, OrganizationId, PartnerId, SessionId, UserId};
use crate::kernel::problem::Problem;
use crate::platform::credentials::KeyHash;
use crate::platform::db::schema::{refresh_tokens, sessions};
use crate::platform::db::{Db, Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Binary, Bool, Interval, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use std::net::IpAddr;
use std::str::FromStr;
use uuid::Uuid;

const IS_LET_IN: &str = "SELECT EXISTS (SELECT FROM authenticate_session($1, $2) a WHERE a.expires_at > $3 \
    AND (a.allowed_networks = '{}' OR EXISTS (\
        SELECT FROM unnest(a.allowed_networks) AS n (net) WHERE $4::inet <<= n.net::inet))) AS is_let_in";

/// Which sessions a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// This user's.
    pub user_id: Option<UserId>,
    /// Made with this key.
    pub api_key_id: Option<ApiKeyId>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sessions, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct SessionRow {
    organization_id: Uuid,
    id: Uuid,
    partner_id: Option<Uuid>,
    api_key_id: Option<Uuid>,
    user_id: Option<Uuid>,
    identity_provider_id: Option<Uuid>,
    permissions: Option<Vec<String>>,
    second_factor: bool,
    address: Option<String>,
    revoked_at: Option<DateTime<Utc>>,
    revoked_because: Option<String>,
    expires_at: DateTime<Utc>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct WhoseRow {
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    session_id: Uuid,
    #[diesel(sql_type = Interval)]
    clock_offset: TimeDelta,
}

#[derive(QueryableByName)]
struct LetInRow {
    #[diesel(sql_type = Bool)]
    is_let_in: bool,
}

/// The session that a refresh token belongs to, and how far its organization's clock is ahead; asked before any scope is
/// known.
pub async fn of_refresh_token(
    db: &Db,
    hash: KeyHash,
) -> Result<Option<(OrganizationId, SessionId, TimeDelta)>, Problem> {
    let row: Option<WhoseRow> = db
        .outside(move |connection| {
            let query = sql_query(
                "SELECT organization_id, session_id, clock_offset_of(organization_id) AS clock_offset \
                 FROM session_of_refresh_token($1)",
            )
            .bind::<Binary, _>(hash.to_vec());
            Ok(Prepared(query).get_result(connection).optional()?)
        })
        .await?;
    Ok(row.map(|row| {
        (
            OrganizationId::from_uuid(row.organization_id),
            SessionId::from_uuid(row.session_id),
            row.clock_offset,
        )
    }))
}

/// One session.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: SessionId) -> Result<Option<Session>, Problem> {
    let row: Option<SessionRow> = sessions::table
        .filter(sessions::organization_id.eq(scope.organization_id.uuid()))
        .filter(sessions::id.eq(id.uuid()))
        .select(SessionRow::as_select())
        .first(tx.connection())
        .optional()?;
    within(scope, row)
}

/// One session, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: SessionId) -> Result<Option<Session>, Problem> {
    let row: Option<SessionRow> = sessions::table
        .filter(sessions::organization_id.eq(scope.organization_id.uuid()))
        .filter(sessions::id.eq(id.uuid()))
        .select(SessionRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    within(scope, row)
}

fn within(scope: &Scope, row: Option<SessionRow>) -> Result<Option<Session>, Problem> {
    let is_own = |row: &SessionRow| {
        scope
            .partner_id
            .is_none_or(|own| row.partner_id == Some(own.uuid()))
    };
    row.filter(is_own).map(Session::try_from).transpose()
}

/// A page of sessions, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &SessionFilter,
    page: &PageRequest,
) -> Result<Page<Session>, Problem> {
    let mut query = sessions::table
        .filter(sessions::organization_id.eq(scope.organization_id.uuid()))
        .select(SessionRow::as_select())
        .order(sessions::id.desc())
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        query = query.filter(sessions::partner_id.eq(partner_id.uuid()));
    }
    if let Some(user_id) = filter.user_id {
        query = query.filter(sessions::user_id.eq(user_id.uuid()));
    }
    if let Some(api_key_id) = filter.api_key_id {
        query = query.filter(sessions::api_key_id.eq(api_key_id.uuid()));
    }
    if let Some(last) = &page.after {
        query = query.filter(sessions::id.lt(last.id));
    }
    let rows: Vec<SessionRow> = page.rows_of(query).load(tx.connection())?;
    let found: Vec<Session> = rows
        .into_iter()
        .map(Session::try_from)
        .collect::<Result<_, _>>()?;
    Ok(page.page(found, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new session.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, session: &Session) -> Result<(), Problem> {
    let row = SessionRow::of(scope, session);
    Prepared(diesel::insert_into(sessions::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed session.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, session: &Session) -> Result<(), Problem> {
    let target = sessions::table
        .filter(sessions::organization_id.eq(scope.organization_id.uuid()))
        .filter(sessions::id.eq(session.id.uuid()));
    Prepared(diesel::update(target).set(SessionRow::of(scope, session))).execute(tx.connection())?;
    Ok(())
}

/// Whether the key, the user and the provider that the session comes from are still let in, from this address.
pub fn is_let_in(tx: &mut Tx<'_>, ctx: &Ctx, id: SessionId) -> Result<bool, Problem> {
    let address = ctx.address.as_ref().and_then(|text| text.parse::<IpAddr>().ok());
    let query = sql_query(IS_LET_IN)
        .bind::<SqlUuid, _>(ctx.organization_id().uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Timestamptz, _>(ctx.wall_now)
        .bind::<Nullable<Text>, _>(address.map(|address| address.to_canonical().to_string()));
    let row: LetInRow = Prepared(query).get_result(tx.connection())?;
    Ok(row.is_let_in)
}

/// The refresh token of this hash, if it is one of this session.
pub fn refresh_token(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: SessionId,
    hash: &KeyHash,
) -> Result<Option<RefreshToken>, Problem> {
    let row: Option<(i32, DateTime<Utc>, Option<DateTime<Utc>>)> = refresh_tokens::table
        .filter(refresh_tokens::organization_id.eq(scope.organization_id.uuid()))
        .filter(refresh_tokens::session_id.eq(id.uuid()))
        .filter(refresh_tokens::token_hash.eq(hash.to_vec()))
        .select((
            refresh_tokens::number,
            refresh_tokens::expires_at,
            refresh_tokens::used_at,
        ))
        .first(tx.connection())
        .optional()?;
    Ok(row.map(|(number, expires_at, used_at)| RefreshToken {
        number,
        expires_at,
        is_used: used_at.is_some(),
    }))
}

/// Writes the session's next refresh token.
pub fn add_refresh_token(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: SessionId,
    number: i32,
    hash: &KeyHash,
) -> Result<(), Problem> {
    let values = (
        refresh_tokens::organization_id.eq(ctx.organization_id().uuid()),
        refresh_tokens::session_id.eq(id.uuid()),
        refresh_tokens::number.eq(number),
        refresh_tokens::token_hash.eq(hash.to_vec()),
        refresh_tokens::created_at.eq(ctx.wall_now),
        refresh_tokens::expires_at.eq(ctx.wall_now + REFRESH_IS_GOOD_FOR),
    );
    Prepared(diesel::insert_into(refresh_tokens::table).values(values)).execute(tx.connection())?;
    Ok(())
}

/// Writes that a refresh token was exchanged.
pub fn use_refresh_token(tx: &mut Tx<'_>, ctx: &Ctx, id: SessionId, number: i32) -> Result<(), Problem> {
    let target = refresh_tokens::table
        .filter(refresh_tokens::organization_id.eq(ctx.organization_id().uuid()))
        .filter(refresh_tokens::session_id.eq(id.uuid()))
        .filter(refresh_tokens::number.eq(number));
    let used = refresh_tokens::used_at.eq(ctx.wall_now);
    Prepared(diesel::update(target).set(used)).execute(tx.connection())?;
    Ok(())
}

impl SessionRow {
    fn of(scope: &Scope, session: &Session) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: session.id.uuid(),
            partner_id: session.partner_id.map(PartnerId::uuid),
            api_key_id: session.api_key_id.map(ApiKeyId::uuid),
            user_id: session.user_id.map(UserId::uuid),
            identity_provider_id: session.identity_provider_id.map(IdentityProviderId::uuid),
            permissions: session.permissions.clone(),
            second_factor: session.second_factor,
            address: session.address.clone(),
            revoked_at: session.revoked_at,
            revoked_because: session.revoked_because.map(|because| because.as_str().to_owned()),
            expires_at: session.expires_at,
            row_version: session.row_version,
            created_at: session.created_at,
            updated_at: session.updated_at,
        }
    }
}

impl TryFrom<SessionRow> for Session {
    type Error = Problem;

    fn try_from(row: SessionRow) -> Result<Self, Problem> {
        let because = row.revoked_because.as_deref().map(RevokedBecause::from_str);
        Ok(Self {
            id: SessionId::from_uuid(row.id),
            partner_id: row.partner_id.map(PartnerId::from_uuid),
            api_key_id: row.api_key_id.map(ApiKeyId::from_uuid),
            user_id: row.user_id.map(UserId::from_uuid),
            identity_provider_id: row.identity_provider_id.map(IdentityProviderId::from_uuid),
            permissions: row.permissions,
            second_factor: row.second_factor,
            address: row.address,
            revoked_at: row.revoked_at,
            revoked_because: because.transpose().map_err(Problem::damaged)?,
            expires_at: row.expires_at,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
