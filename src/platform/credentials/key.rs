//! API keys: what they look like, and who holds one.
//!
//! A key is `cpk_` and 43 characters of base64url (256 bits), so that a secret scanner finds a leaked one. Only its
//! SHA-256 is kept.

use super::Credential;
use crate::kernel::ctx::Actor;
use crate::kernel::id::{ApiKeyId, OrganizationId, PartnerId, UserId};
use crate::kernel::permission::Permission;
use crate::kernel::problem::Problem;
use crate::kernel::role::BuiltInRole;
use crate::platform::db::Prepared;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Array, BigInt, Binary, Interval, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query};
use ipnet::IpNet;
use sha2::{Digest, Sha256};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// What every key starts with.
pub(super) const PREFIX: &str = "cpk_";
/// What every refresh token starts with.
const REFRESH_PREFIX: &str = "cpr_";
/// How many characters of a key may be shown again, to tell keys apart.
const SHOWN: usize = 12;

/// The SHA-256 of a key. How long two take to be compared tells nothing of either.
#[derive(Clone, Copy, Eq)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Its bytes, as they are kept.
    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl PartialEq for KeyHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Hash for KeyHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyHash(..)")
    }
}

/// A new key: the only moment at which its text exists.
#[derive(Clone)]
pub struct NewSecret {
    /// The whole key; shown once.
    pub text: String,
    /// Its beginning, to tell keys apart.
    pub prefix: String,
    /// What is kept of it.
    pub hash: KeyHash,
}

impl fmt::Debug for NewSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NewSecret")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl NewSecret {
    /// Makes a key from the operating system's randomness.
    pub fn generate() -> Result<Self, Problem> {
        Self::starting_with(PREFIX)
    }

    /// Makes a refresh token likewise.
    pub fn generate_refresh() -> Result<Self, Problem> {
        Self::starting_with(REFRESH_PREFIX)
    }

    fn starting_with(start: &str) -> Result<Self, Problem> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|error| {
            tracing::error!(%error, "no randomness");
            Problem::internal()
        })?;
        let text = format!("{start}{}", URL_SAFE_NO_PAD.encode(bytes));
        let prefix = text.get(..SHOWN).unwrap_or_default().to_owned();
        Ok(Self {
            prefix,
            hash: hash_of(&text),
            text,
        })
    }
}

/// The SHA-256 of a key. Keys are random, so that a slow hash would protect nothing.
pub fn hash_of(token: &str) -> KeyHash {
    KeyHash(Sha256::digest(token.as_bytes()).into())
}

#[derive(QueryableByName)]
pub(super) struct KeyRow {
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    partner_id: Option<Uuid>,
    #[diesel(sql_type = Array<Text>)]
    permissions: Vec<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    expires_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    owner_id: Option<Uuid>,
    #[diesel(sql_type = BigInt)]
    access_version: i64,
    #[diesel(sql_type = Array<Text>)]
    owner_built_in: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    owner_permissions: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    allowed_networks: Vec<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    admission_id: Option<Uuid>,
    #[diesel(sql_type = Interval)]
    clock_offset: TimeDelta,
}

/// Who holds the key of this hash.
pub(super) fn find(connection: &mut PgConnection, hash: KeyHash) -> QueryResult<Option<KeyRow>> {
    let query = sql_query(
        "SELECT organization_id, id, partner_id, permissions, expires_at, owner_id, access_version, owner_built_in, \
             owner_permissions, allowed_networks, admission_id, clock_offset_of(organization_id) AS clock_offset \
         FROM authenticate_api_key($1)",
    );
    Prepared(query.bind::<Binary, _>(hash.to_vec()))
        .get_result(connection)
        .optional()
}

impl KeyRow {
    /// A key that belongs to somebody may do what it was made for and its owner still may.
    pub(super) fn credential(self, hash: KeyHash) -> Credential {
        let of_owner = rights_of(&self.owner_built_in, &self.owner_permissions);
        let scopes = self.permissions.iter();
        let rights = scopes
            .filter_map(|name| Permission::from_name(name))
            .filter(|permission| self.owner_id.is_none() || of_owner.contains(permission))
            .collect();
        Credential {
            organization_id: OrganizationId::from_uuid(self.organization_id),
            actor: Actor::ApiKey(ApiKeyId::from_uuid(self.id)),
            person: self.owner_id.map(UserId::from_uuid),
            session_id: None,
            identity_provider_id: None,
            second_factor: false,
            access_version: self.access_version,
            admission_id: self.admission_id,
            clock_offset: self.clock_offset,
            allowed_networks: networks_of(&self.allowed_networks),
            partner_id: self.partner_id.map(PartnerId::from_uuid),
            expires_at: self.expires_at,
            seen_until: None,
            rights,
            hash,
        }
    }
}

/// What is no network lets nobody in.
pub(super) fn networks_of(texts: &[String]) -> Vec<IpNet> {
    let nowhere = IpNet::from(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    texts.iter().map(|text| text.parse().unwrap_or(nowhere)).collect()
}

/// What somebody may do who holds these built-in roles and, from other roles, these permissions.
pub fn rights_of(built_in: &[String], permissions: &[String]) -> Vec<Permission> {
    let roles: Vec<BuiltInRole> = built_in.iter().filter_map(|name| name.parse().ok()).collect();
    let named: Vec<Permission> = permissions
        .iter()
        .filter_map(|name| Permission::from_name(name))
        .collect();
    let all = Permission::ALL.iter().copied();
    all.filter(|permission| named.contains(permission) || roles.iter().any(|role| role.holds(*permission)))
        .collect()
}
