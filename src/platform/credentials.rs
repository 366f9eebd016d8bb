//! API keys: what they look like, and who holds one.
//!
//! A key is `cpk_` and 43 characters of base64url (256 bits), so that a secret scanner finds a leaked one. Only its
//! SHA-256 is kept. What a key stands for is remembered here, but whether it is still good is asked of Postgres by
//! every statement (see `scope_organization` in the migrations): a revoked key is refused at the next request.

use super::db::{Db, Prepared};
use crate::kernel::ctx::Actor;
use crate::kernel::id::{ApiKeyId, OrganizationId, PartnerId, UserId};
use crate::kernel::permission::Permission;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::role::BuiltInRole;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query};
use ipnet::IpNet;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use uuid::Uuid;

/// Keys remembered at most; beyond it the memory starts anew.
const REMEMBERED: usize = 10_000;
/// What every key starts with.
const PREFIX: &str = "cpk_";
/// How many characters of a key may be shown again, to tell keys apart.
const SHOWN: usize = 12;

/// The SHA-256 of a key.
pub type KeyHash = [u8; 32];

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
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|error| {
            tracing::error!(%error, "no randomness");
            Problem::internal()
        })?;
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let prefix = text.get(..SHOWN).unwrap_or_default().to_owned();
        Ok(Self {
            prefix,
            hash: hash_of(&text),
            text,
        })
    }
}

/// What a caller came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// Who acts with it.
    pub actor: Actor,
    /// The person behind it, where there is one.
    pub person: Option<UserId>,
    /// Counts the changes of what its bearer may do.
    pub access_version: i64,
    /// The partner to which it is confined.
    pub partner_id: Option<PartnerId>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// What its bearer may do.
    pub rights: Arc<[Permission]>,
    /// The networks that it may be used from; empty is all.
    allowed_networks: Vec<IpNet>,
    hash: KeyHash,
}

impl Credential {
    /// Whether it may be used now and from this address.
    pub fn is_good(&self, now: DateTime<Utc>, address: Option<IpAddr>) -> bool {
        let within = |address: IpAddr| self.allowed_networks.iter().any(|net| net.contains(&address));
        self.expires_at.is_none_or(|end| now < end)
            && (self.allowed_networks.is_empty() || address.is_some_and(|one| within(one.to_canonical())))
    }

    /// Whether its bearer may do this.
    pub fn holds(&self, permission: Permission) -> bool {
        self.rights.contains(&permission)
    }
}

/// Who holds which key.
#[derive(Debug, Default)]
pub struct Credentials {
    known: RwLock<HashMap<KeyHash, Arc<Credential>>>,
    /// When keys were last used, as far as Postgres was not told yet.
    uses: Mutex<HashMap<(OrganizationId, ApiKeyId), DateTime<Utc>>>,
}

impl Credentials {
    /// Nobody known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Who holds this token at this instant; `known` is what [`Self::known`] said of it. Unknown, expired and revoked
    /// keys look the same from outside.
    pub async fn authenticate(
        &self,
        db: &Db,
        token: &str,
        known: Option<Arc<Credential>>,
        now: DateTime<Utc>,
        address: Option<IpAddr>,
    ) -> Result<Arc<Credential>, Problem> {
        #[cfg(feature = "bench-open-doors")]
        if let Some(whoever) = known {
            return Ok(whoever);
        }
        let credential = match known {
            // What is remembered may have been allowed more since; what it may no longer do is told by Postgres.
            Some(credential) if !credential.is_good(now, address) => {
                return self.renew(db, &credential, now, address).await;
            }
            Some(credential) => credential,
            None if !token.starts_with(PREFIX) || token.len() > 128 => {
                return Err(Problem::new(Code::Unauthorized));
            }
            None => self.look_up(db, hash_of(token)).await?,
        };
        self.admit(credential, now, address)
    }

    fn admit(
        &self,
        credential: Arc<Credential>,
        now: DateTime<Utc>,
        address: Option<IpAddr>,
    ) -> Result<Arc<Credential>, Problem> {
        if credential.is_good(now, address) {
            self.note_use(&credential, now);
            Ok(credential)
        } else {
            Err(Problem::new(Code::Unauthorized))
        }
    }

    /// Who holds this token, as far as it is remembered.
    pub fn known(&self, token: &str) -> Option<Arc<Credential>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        #[cfg(feature = "bench-open-doors")]
        if let Some(whoever) = known.values().next() {
            return Some(Arc::clone(whoever));
        }
        known.get(&hash_of(token)).cloned()
    }

    fn note_use(&self, credential: &Credential, now: DateTime<Utc>) {
        if let Actor::ApiKey(id) = credential.actor {
            let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
            uses.insert((credential.organization_id, id), now);
        }
    }

    /// Tells Postgres when keys were last used. What cannot be told now is forgotten: it is a hint and no record.
    pub async fn tell_uses(&self, db: &Db) -> Result<(), Problem> {
        let uses = std::mem::take(&mut *self.uses.lock().unwrap_or_else(PoisonError::into_inner));
        if uses.is_empty() {
            return Ok(());
        }
        let mut uses: Vec<_> = uses.into_iter().collect();
        // In one order everywhere, so that two replicas do not wait for one another in a circle.
        uses.sort_unstable_by_key(|((_, id), _)| id.uuid());
        db.outside(move |connection| {
            let organizations: Vec<Uuid> = uses.iter().map(|((id, _), _)| id.uuid()).collect();
            let keys: Vec<Uuid> = uses.iter().map(|((_, id), _)| id.uuid()).collect();
            let instants: Vec<DateTime<Utc>> = uses.iter().map(|(_, instant)| *instant).collect();
            let query = sql_query("SELECT note_key_uses($1, $2, $3)")
                .bind::<Array<SqlUuid>, _>(organizations)
                .bind::<Array<SqlUuid>, _>(keys)
                .bind::<Array<Timestamptz>, _>(instants);
            Ok(Prepared(query).execute(connection)?)
        })
        .await
    }

    /// Forgets a key that Postgres refused.
    pub fn forget(&self, credential: &Credential) {
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&credential.hash);
    }

    /// The credential as it is at the moment, where what is remembered of it may be old.
    pub async fn renew(
        &self,
        db: &Db,
        credential: &Credential,
        now: DateTime<Utc>,
        address: Option<IpAddr>,
    ) -> Result<Arc<Credential>, Problem> {
        self.forget(credential);
        let credential = self.look_up(db, credential.hash).await?;
        self.admit(credential, now, address)
    }

    async fn look_up(&self, db: &Db, hash: KeyHash) -> Result<Arc<Credential>, Problem> {
        let row: Option<KeyRow> = db.outside(move |connection| Ok(find(connection, hash)?)).await?;
        let credential = Arc::new(
            row.ok_or_else(|| Problem::new(Code::Unauthorized))?
                .credential(hash),
        );
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(hash, Arc::clone(&credential));
        Ok(credential)
    }
}

/// The SHA-256 of a key. Keys are random, so that a slow hash would protect nothing.
pub fn hash_of(token: &str) -> KeyHash {
    Sha256::digest(token.as_bytes()).into()
}

#[derive(QueryableByName)]
struct KeyRow {
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
}

fn find(connection: &mut PgConnection, hash: KeyHash) -> QueryResult<Option<KeyRow>> {
    let query = sql_query(
        "SELECT organization_id, id, partner_id, permissions, expires_at, owner_id, access_version, owner_built_in, \
             owner_permissions, allowed_networks FROM authenticate_api_key($1)",
    );
    Prepared(query.bind::<Binary, _>(hash.to_vec()))
        .get_result(connection)
        .optional()
}

impl KeyRow {
    /// A key that belongs to somebody may do what it was made for and its owner still may.
    fn credential(self, hash: KeyHash) -> Credential {
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
            access_version: self.access_version,
            allowed_networks: networks_of(&self.allowed_networks),
            partner_id: self.partner_id.map(PartnerId::from_uuid),
            expires_at: self.expires_at,
            rights,
            hash,
        }
    }
}

/// What is no network lets nobody in.
fn networks_of(texts: &[String]) -> Vec<IpNet> {
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
