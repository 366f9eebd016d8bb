//! Callers with a token of the service's own.

use super::key::{networks_of, rights_of};
use super::refusals::{Refused, RefusedCaller};
use super::{Credential, Credentials, Visit, hash_of};
use crate::kernel::ctx::Actor;
use crate::kernel::id::{ApiKeyId, IdentityProviderId, OrganizationId, PartnerId, SessionId, UserId};
use crate::kernel::permission::Permission;
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::{Db, Prepared};
use crate::platform::tokens::jwt::Presented;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Interval, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

#[derive(QueryableByName)]
struct SessionRow {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    partner_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Array<Text>>)]
    permissions: Option<Vec<String>>,
    #[diesel(sql_type = Timestamptz)]
    expires_at: DateTime<Utc>,
    #[diesel(sql_type = Bool)]
    second_factor: bool,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    api_key_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Array<Text>>)]
    key_permissions: Option<Vec<String>>,
    #[diesel(sql_type = Array<Text>)]
    allowed_networks: Vec<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    person_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    identity_provider_id: Option<Uuid>,
    #[diesel(sql_type = BigInt)]
    access_version: i64,
    #[diesel(sql_type = Array<Text>)]
    built_in: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    person_permissions: Vec<String>,
    #[diesel(sql_type = Bool)]
    is_lent: bool,
    #[diesel(sql_type = Interval)]
    clock_offset: TimeDelta,
}

/// What nobody does with a session that the organization lent to a partner: make keys, people or ways in that would be
/// there when the session is not any more, or say where money goes.
const NEVER_LENT: &[Permission] = &[
    Permission::ApiKeysWrite,
    Permission::UsersWrite,
    Permission::IdentityProvidersWrite,
    Permission::SessionsWrite,
    Permission::PayoutMethodsWrite,
];

fn find(
    connection: &mut PgConnection,
    organization_id: OrganizationId,
    session_id: SessionId,
) -> QueryResult<Option<SessionRow>> {
    let query = sql_query(
        "SELECT partner_id, permissions, expires_at, second_factor, api_key_id, key_permissions, allowed_networks, \
             person_id, identity_provider_id, access_version, built_in, person_permissions, is_lent, \
             clock_offset_of($1) AS clock_offset \
         FROM authenticate_session($1, $2)",
    )
    .bind::<SqlUuid, _>(organization_id.uuid())
    .bind::<SqlUuid, _>(session_id.uuid());
    Prepared(query).get_result(connection).optional()
}

impl SessionRow {
    /// What the key was made for, its owner or the user may do, and the session is narrowed to.
    fn rights(&self) -> Vec<Permission> {
        let of_person = rights_of(&self.built_in, &self.person_permissions);
        let within = |names: &Option<Vec<String>>, permission: Permission| {
            names
                .as_ref()
                .is_none_or(|names| names.iter().any(|name| name == permission.name()))
        };
        let all = Permission::ALL.iter().copied();
        all.filter(|permission| self.person_id.is_none() || of_person.contains(permission))
            .filter(|permission| within(&self.key_permissions, *permission))
            .filter(|permission| within(&self.permissions, *permission))
            .filter(|permission| self.partner_id.is_none() || permission.open_to_partners())
            .filter(|permission| !self.is_lent || !NEVER_LENT.contains(permission))
            .collect()
    }

    fn actor(&self) -> Result<Actor, Problem> {
        let key = self.api_key_id.map(|id| Actor::ApiKey(ApiKeyId::from_uuid(id)));
        let user = self.person_id.map(|id| Actor::User(UserId::from_uuid(id)));
        key.or(user).ok_or_else(Problem::internal)
    }
}

impl Credentials {
    pub(super) async fn by_session(
        &self,
        db: &Db,
        organization_id: OrganizationId,
        token: &str,
        presented: &Presented,
        visit: &Visit,
    ) -> Result<Credential, Problem> {
        let unauthorized = || Problem::new(Code::Unauthorized);
        let claims = self
            .signer
            .verify(db, organization_id, token, presented, visit.now)
            .await?
            .ok_or_else(unauthorized)?;
        let session_id: SessionId = claims
            .text("sid")
            .and_then(|text| text.parse().ok())
            .ok_or_else(unauthorized)?;
        let row = db
            .outside(move |connection| Ok(find(connection, organization_id, session_id)?))
            .await?;
        let Some(row) = row else {
            let refused = RefusedCaller {
                organization_id: Some(organization_id),
                session_id: Some(session_id),
                ..RefusedCaller::default()
            };
            self.refusals.note(db, Refused::Caller(Box::new(refused)), visit);
            return Err(unauthorized());
        };
        let end_of_token = claims.expires_at().ok_or_else(unauthorized)?;
        Ok(Credential {
            organization_id,
            actor: row.actor()?,
            person: row.person_id.map(UserId::from_uuid),
            session_id: Some(session_id),
            identity_provider_id: row.identity_provider_id.map(IdentityProviderId::from_uuid),
            second_factor: row.second_factor,
            access_version: row.access_version,
            admission_id: None,
            clock_offset: row.clock_offset,
            partner_id: row.partner_id.map(PartnerId::from_uuid),
            expires_at: Some(end_of_token.min(row.expires_at)),
            seen_until: None,
            rights: row.rights().into(),
            allowed_networks: networks_of(&row.allowed_networks),
            hash: hash_of(token),
        })
    }
}
