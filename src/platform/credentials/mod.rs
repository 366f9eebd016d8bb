//! Who calls: what comes of an API key, of an identity provider's token, or of a token of the service's own.
//!
//! What a credential stands for is remembered here, but whether it is still good is asked of Postgres by every
//! statement (see `scope_organization` in the migrations): a revoked key or session, a suspended user, partner or
//! provider is refused at the next request, whatever a token says about its end.

mod identity;
mod key;
mod refusals;
mod session;

pub use identity::{Arrival, Welcome};
pub use key::{KeyHash, NewSecret, hash_of, rights_of};

use super::db::{Db, Prepared};
use super::outbound::Outbound;
use super::tokens::jwt::Presented;
use super::tokens::key_cache::KeyCache;
use super::tokens::signing::Signer;
use crate::kernel::ctx::Actor;
use crate::kernel::id::{
    ApiKeyId, IdentityProviderId, OrganizationId, PartnerId, RequestId, SessionId, UserId,
};
use crate::kernel::permission::Permission;
use crate::kernel::problem::{Code, Problem};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_query;
use diesel::sql_types::{Array, Timestamptz, Uuid as SqlUuid};
use ipnet::IpNet;
use refusals::{Refusals, Refused};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use uuid::Uuid;

/// Credentials remembered at most; beyond it the memory starts anew.
const REMEMBERED: usize = 10_000;
/// The longest API key that is looked up, in bytes.
const LONGEST_KEY: usize = 128;

/// What a caller came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// Who acts with it.
    pub actor: Actor,
    /// The person behind it, where there is one.
    pub person: Option<UserId>,
    /// The session, where the caller came with a token of the service's own.
    pub session_id: Option<SessionId>,
    /// The identity provider by whose word the person is let in.
    pub identity_provider_id: Option<IdentityProviderId>,
    /// Whether the person proved itself by a second factor.
    pub second_factor: bool,
    /// Counts the changes of what its bearer may do.
    pub access_version: i64,
    /// What a key is let in by as long as nothing changes on which it rests.
    pub admission_id: Option<Uuid>,
    /// How far the organization's clock was ahead of the machine's; an advance changes `access_version`.
    pub clock_offset: TimeDelta,
    /// The partner to which it is confined.
    pub partner_id: Option<PartnerId>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// Until when what was seen of it counts; then it is looked at anew.
    seen_until: Option<DateTime<Utc>>,
    /// What its bearer may do.
    pub rights: Arc<[Permission]>,
    /// The networks that it may be used from; empty is all.
    allowed_networks: Vec<IpNet>,
    hash: KeyHash,
}

impl Credential {
    /// When the secret of the key ends that the caller came with, where it is one that ends.
    pub fn key_ends_at(&self) -> Option<DateTime<Utc>> {
        self.expires_at.filter(|_| matches!(self.actor, Actor::ApiKey(_)))
    }

    /// Whether it may be used now and from this address.
    pub fn is_good(&self, now: DateTime<Utc>, address: Option<IpAddr>) -> bool {
        let within = |address: IpAddr| self.allowed_networks.iter().any(|net| net.contains(&address));
        self.expires_at.is_none_or(|end| now < end)
            && (self.allowed_networks.is_empty() || address.is_some_and(|one| within(one.to_canonical())))
    }

    /// Whether it has to be looked at anew: the key that signed a provider's token may have left the provider's set.
    fn is_stale(&self, now: DateTime<Utc>) -> bool {
        self.seen_until.is_some_and(|end| now >= end)
    }

    /// Whether its bearer may do this.
    pub fn holds(&self, permission: Permission) -> bool {
        self.rights.contains(&permission)
    }

    /// Whose requests are counted together: those of a session apart from those of the key that it was made with.
    pub fn counted_as(&self) -> Uuid {
        let session = self.session_id.map(SessionId::uuid);
        session.or_else(|| self.actor.id()).unwrap_or_default()
    }
}

/// The circumstances in which a credential is presented.
#[derive(Debug, Clone, Copy)]
pub struct Visit {
    /// When.
    pub now: DateTime<Utc>,
    /// From which network address.
    pub address: Option<IpAddr>,
    /// By which request.
    pub request_id: RequestId,
    /// The organization that the caller means, where it named one.
    pub organization_id: Option<OrganizationId>,
}

type Presentation = (KeyHash, Option<OrganizationId>);

/// Who holds which credential.
pub struct Credentials {
    known: RwLock<HashMap<Presentation, Arc<Credential>>>,
    /// When keys were last used, as far as Postgres was not told yet.
    uses: Mutex<HashMap<(OrganizationId, ApiKeyId), DateTime<Utc>>>,
    refusals: Refusals,
    keys: KeyCache,
    signer: Arc<Signer>,
    welcome: Welcome,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// Nobody known yet. `welcome` decides about people whom a provider vouches for and who were never here.
    pub fn new(outbound: Outbound, signer: Arc<Signer>, welcome: Welcome) -> Self {
        Self {
            known: RwLock::default(),
            uses: Mutex::default(),
            refusals: Refusals::default(),
            keys: KeyCache::new(outbound),
            signer,
            welcome,
        }
    }

    /// What signs the service's own tokens.
    pub fn signer(&self) -> &Arc<Signer> {
        &self.signer
    }

    /// The keys of identity providers.
    pub fn keys(&self) -> &KeyCache {
        &self.keys
    }

    /// Who holds this token in these circumstances; `known` is what [`Self::known`] said of it. Unknown, expired and
    /// revoked ones look the same from outside.
    pub async fn authenticate(
        &self,
        db: &Db,
        token: &str,
        known: Option<Arc<Credential>>,
        visit: &Visit,
    ) -> Result<Arc<Credential>, Problem> {
        #[cfg(feature = "bench-open-doors")]
        if let Some(whoever) = known {
            return Ok(whoever);
        }
        match known {
            // What is remembered may have been allowed more since; what it may no longer do is told by Postgres.
            Some(credential)
                if credential.is_stale(visit.now) || !credential.is_good(visit.now, visit.address) =>
            {
                self.renew(db, &credential, token, visit).await
            }
            Some(credential) => self.admit(db, credential, visit),
            None => {
                let credential = self.look_up(db, token, visit).await?;
                self.admit(db, credential, visit)
            }
        }
    }

    fn admit(&self, db: &Db, credential: Arc<Credential>, visit: &Visit) -> Result<Arc<Credential>, Problem> {
        let is_meant = visit
            .organization_id
            .is_none_or(|id| id == credential.organization_id);
        if is_meant && credential.is_good(visit.now, visit.address) {
            self.note_use(&credential, visit.now);
            return Ok(credential);
        }
        if is_meant {
            self.refused(db, &credential, visit);
        }
        Err(Problem::new(Code::Unauthorized))
    }

    /// Who holds this token, as far as it is remembered.
    pub fn known(&self, token: &str, organization_id: Option<OrganizationId>) -> Option<Arc<Credential>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        #[cfg(feature = "bench-open-doors")]
        if let Some(whoever) = known.values().next() {
            return Some(Arc::clone(whoever));
        }
        known.get(&(hash_of(token), organization_id)).cloned()
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

    /// Forgets a credential that Postgres refused.
    pub fn forget(&self, credential: &Credential) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.remove(&(credential.hash, None));
        known.remove(&(credential.hash, Some(credential.organization_id)));
    }

    /// Notes in the login history that a known caller was refused.
    pub fn refused(&self, db: &Db, credential: &Credential, visit: &Visit) {
        self.refusals.note(db, Refused::caller(credential), visit);
    }

    /// Waits until the login history is complete, as far as this process writes it.
    pub async fn settle(&self) {
        self.refusals.settle().await;
    }

    /// The credential as it is at the moment, where what is remembered of it may be old.
    pub async fn renew(
        &self,
        db: &Db,
        credential: &Credential,
        token: &str,
        visit: &Visit,
    ) -> Result<Arc<Credential>, Problem> {
        self.forget(credential);
        let credential = self.look_up(db, token, visit).await?;
        self.admit(db, credential, visit)
    }

    async fn look_up(&self, db: &Db, token: &str, visit: &Visit) -> Result<Arc<Credential>, Problem> {
        let credential = if token.starts_with(key::PREFIX) {
            self.by_key(db, token, visit).await?
        } else {
            let presented = Presented::read(token).ok_or_else(|| Problem::new(Code::Unauthorized))?;
            let own = presented
                .issuer()
                .and_then(|issuer| self.signer.organization_of(issuer));
            match own {
                Some(organization_id) => {
                    self.by_session(db, organization_id, token, &presented, visit)
                        .await?
                }
                None => self.by_identity(db, token, &presented, visit).await?,
            }
        };
        let credential = Arc::new(credential);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert((credential.hash, visit.organization_id), Arc::clone(&credential));
        Ok(credential)
    }

    async fn by_key(&self, db: &Db, token: &str, visit: &Visit) -> Result<Credential, Problem> {
        let unauthorized = || Problem::new(Code::Unauthorized);
        if token.len() > LONGEST_KEY {
            return Err(unauthorized());
        }
        let hash = hash_of(token);
        let row = db
            .outside(move |connection| Ok(key::find(connection, hash)?))
            .await?;
        match row {
            Some(row) => Ok(row.credential(hash)),
            None => {
                self.refusals.note(db, Refused::Secret(hash), visit);
                Err(unauthorized())
            }
        }
    }
}
