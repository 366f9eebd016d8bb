//! The service's own tokens: short-lived, signed with Ed25519 (RFC 8037).
//!
//! A private key never leaves the memory of the replica that made it: each replica makes its own for each organization
//! and puts the public half into Postgres, where the other replicas and everybody else find it. A key signs for a day;
//! its public half stays until the last token that it signed has ended.

use super::jwt::{self, Claims, Presented};
use super::keys::KeySet;
use super::seals::{Seal, Seals};
use crate::kernel::id::{OrganizationId, SessionId};
use crate::kernel::problem::Problem;
use crate::platform::db::{Db, Prepared};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The longest that an access token is good.
pub const LONGEST_ACCESS: TimeDelta = TimeDelta::hours(1);
/// For how long a key signs.
const SIGNS_FOR: TimeDelta = TimeDelta::hours(24);
/// What comes before the 32 bytes of a private key in PKCS #8 (RFC 8410).
const PKCS8_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// What an access token says.
#[derive(Debug, Clone)]
pub struct AccessToken<'a> {
    /// The session that it is for.
    pub session_id: SessionId,
    /// Who bears it: the id of a user or of a key.
    pub subject: &'a str,
    /// When it begins.
    pub issued_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// A key that signs the tokens of one organization.
pub struct SigningKey {
    id: String,
    key: EncodingKey,
    issuer: String,
    signs_until: DateTime<Utc>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SigningKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Signs a token.
    pub fn sign(&self, token: &AccessToken<'_>) -> Result<String, Problem> {
        let header = Header {
            typ: Some("at+jwt".to_owned()),
            kid: Some(self.id.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        let claims = json!({
            "iss": self.issuer,
            "aud": self.issuer,
            "sub": token.subject,
            "sid": token.session_id,
            "iat": token.issued_at.timestamp(),
            "exp": token.expires_at.timestamp(),
        });
        encode(&header, &claims, &self.key).map_err(|error| {
            tracing::error!(%error, "a token cannot be signed");
            Problem::internal()
        })
    }
}

#[derive(Debug, Clone)]
struct PublicHalves {
    keys: Arc<KeySet>,
    read_at: DateTime<Utc>,
}

/// Makes, publishes and finds the keys of the service's own tokens.
pub struct Signer {
    /// Where clients reach the service; the issuers begin with it.
    public_url: String,
    own: Mutex<HashMap<OrganizationId, Arc<SigningKey>>>,
    seals: Seals,
    published: Mutex<HashMap<OrganizationId, PublicHalves>>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Signer")
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

#[derive(QueryableByName)]
struct PublicKeyRow {
    #[diesel(sql_type = Jsonb)]
    public_key: Value,
}

impl Signer {
    /// Nothing made yet.
    pub fn new(public_url: &str) -> Self {
        Self {
            public_url: public_url.trim_end_matches('/').to_owned(),
            own: Mutex::default(),
            seals: Seals::default(),
            published: Mutex::default(),
        }
    }

    /// Who issues the tokens of an organization. Its keys stand at `<issuer>/jwks.json`.
    pub fn issuer(&self, organization_id: OrganizationId) -> String {
        format!("{}/v1/issuers/{organization_id}", self.public_url)
    }

    /// The organization whose own token this says to be.
    pub fn organization_of(&self, issuer: &str) -> Option<OrganizationId> {
        let path = issuer.strip_prefix(&self.public_url)?;
        path.strip_prefix("/v1/issuers/")?.parse().ok()
    }

    /// Whether an issuer of this name would be the service itself.
    pub fn is_own(&self, issuer: &str) -> bool {
        issuer.trim_end_matches('/').starts_with(&self.public_url)
    }

    /// The key that signs at this instant; made and published when there is none yet.
    pub async fn key(
        &self,
        db: &Db,
        organization_id: OrganizationId,
        now: DateTime<Utc>,
    ) -> Result<Arc<SigningKey>, Problem> {
        let present = lock(&self.own).get(&organization_id).cloned();
        if let Some(key) = present.filter(|key| now < key.signs_until && now >= key.signs_until - SIGNS_FOR) {
            return Ok(key);
        }
        let (key, public_half) = make(self.issuer(organization_id), now)?;
        publish(db, organization_id, &key, public_half, now).await?;
        let key = Arc::new(key);
        lock(&self.own).insert(organization_id, Arc::clone(&key));
        Ok(key)
    }

    /// What the organization's documents are sealed with at this instant; nobody knows of its public half yet.
    pub fn seal(&self, organization_id: OrganizationId, now: DateTime<Utc>) -> Result<Arc<Seal>, Problem> {
        self.seals.of(organization_id, now)
    }

    /// The claims of a token of this organization's own, if it is one and good.
    pub async fn verify(
        &self,
        db: &Db,
        organization_id: OrganizationId,
        token: &str,
        presented: &Presented,
        now: DateTime<Utc>,
    ) -> Result<Option<Claims>, Problem> {
        let known = lock(&self.published).get(&organization_id).cloned();
        let known = known.filter(|halves| now - halves.read_at < SIGNS_FOR && now >= halves.read_at);
        let keys = match known.filter(|halves| presented.may_be_signed_by(&halves.keys)) {
            Some(halves) => halves.keys,
            None => self.read_published(db, organization_id, now).await?,
        };
        let claims = jwt::verify(token, presented, &keys, &[Algorithm::EdDSA], now).ok();
        let issuer = self.issuer(organization_id);
        Ok(claims.filter(|claims| {
            claims.text("iss") == Some(&issuer)
                && claims.text("aud") == Some(&issuer)
                && claims.expires_at().is_some_and(|end| now < end)
        }))
    }

    async fn read_published(
        &self,
        db: &Db,
        organization_id: OrganizationId,
        now: DateTime<Utc>,
    ) -> Result<Arc<KeySet>, Problem> {
        let document = published(db, organization_id, now).await?;
        let keys = Arc::new(KeySet::read(&document).unwrap_or_default());
        let halves = PublicHalves {
            keys: Arc::clone(&keys),
            read_at: now,
        };
        lock(&self.published).insert(organization_id, halves);
        Ok(keys)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The JSON Web Key Set of an organization's own tokens; empty when there is no such organization.
pub async fn published(
    db: &Db,
    organization_id: OrganizationId,
    now: DateTime<Utc>,
) -> Result<Value, Problem> {
    let rows: Vec<PublicKeyRow> = db
        .outside(move |connection| {
            let query = sql_query("SELECT public_key FROM published_signing_keys($1, $2)")
                .bind::<SqlUuid, _>(organization_id.uuid())
                .bind::<Timestamptz, _>(now);
            Ok(Prepared(query).load(connection)?)
        })
        .await?;
    let keys: Vec<Value> = rows.into_iter().map(|row| row.public_key).collect();
    Ok(json!({ "keys": keys }))
}

/// Both halves of a key, and its id.
pub(super) struct KeyPair {
    pub(super) id: String,
    pub(super) private_half: EncodingKey,
    pub(super) public_half: Value,
}

impl KeyPair {
    /// A key that nobody has ever seen.
    pub(super) fn make() -> Result<Self, Problem> {
        let failed = |error: &dyn fmt::Display| {
            tracing::error!(%error, "a signing key cannot be made");
            Problem::internal()
        };
        let mut bytes = [0_u8; 48];
        let (id, private) = bytes.split_at_mut(16);
        getrandom::fill(id).map_err(|error| failed(&error))?;
        getrandom::fill(private).map_err(|error| failed(&error))?;
        let id = URL_SAFE_NO_PAD.encode(id);
        let key = EncodingKey::from_ed_der(&[&PKCS8_HEAD, &*private].concat());
        let mut public_half =
            Jwk::from_encoding_key(&key, Algorithm::EdDSA).map_err(|error| failed(&error))?;
        public_half.common.key_id = Some(id.clone());
        public_half.common.public_key_use = Some(PublicKeyUse::Signature);
        let public_half = serde_json::to_value(public_half).map_err(|error| failed(&error))?;
        Ok(Self {
            id,
            private_half: key,
            public_half,
        })
    }
}

fn make(issuer: String, now: DateTime<Utc>) -> Result<(SigningKey, Value), Problem> {
    let pair = KeyPair::make()?;
    let key = SigningKey {
        id: pair.id,
        key: pair.private_half,
        issuer,
        signs_until: now + SIGNS_FOR,
    };
    Ok((key, pair.public_half))
}

async fn publish(
    db: &Db,
    organization_id: OrganizationId,
    key: &SigningKey,
    public_half: Value,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let (id, ends_at) = (key.id.clone(), key.signs_until + LONGEST_ACCESS);
    db.outside(move |connection| {
        let query = sql_query("SELECT publish_signing_key($1, $2, $3, $4, $5)")
            .bind::<SqlUuid, _>(organization_id.uuid())
            .bind::<Text, _>(&id)
            .bind::<Jsonb, _>(&public_half)
            .bind::<Timestamptz, _>(now)
            .bind::<Timestamptz, _>(ends_at);
        Ok(Prepared(query).execute(connection)?)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_verified_by_the_public_half_alone() {
        let now = DateTime::from_timestamp(1_772_000_000, 0).unwrap();
        let (key, public_half) = make("https://here.example/v1/issuers/x".to_owned(), now).unwrap();
        assert!(public_half.get("d").is_none(), "{public_half}");
        assert_eq!(public_half["crv"], "Ed25519");
        let token = key
            .sign(&AccessToken {
                session_id: SessionId::new(now),
                subject: "usr_1",
                issued_at: now,
                expires_at: now + TimeDelta::minutes(5),
            })
            .unwrap();
        let presented = Presented::read(&token).unwrap();
        let verify = |keys: Value, now| {
            let keys = KeySet::read(&keys).unwrap();
            jwt::verify(&token, &presented, &keys, &[Algorithm::EdDSA], now)
        };
        let claims = verify(json!({ "keys": [public_half] }), now).unwrap();
        assert_eq!(claims.text("sub"), Some("usr_1"));
        let (_, of_another) = make("https://here.example/v1/issuers/x".to_owned(), now).unwrap();
        assert!(verify(json!({ "keys": [of_another] }), now).is_err());
    }

    #[test]
    fn an_issuer_names_its_organization() {
        let signer = Signer::new("https://here.example/");
        let id = OrganizationId::new(DateTime::from_timestamp(1_772_000_000, 0).unwrap());
        let issuer = signer.issuer(id);
        assert_eq!(signer.organization_of(&issuer), Some(id));
        assert!(signer.is_own(&issuer));
        assert!(!signer.is_own("https://there.example"));
        for other in [
            "",
            "https://there.example/v1/issuers/x",
            "https://here.example/v1/issuers/",
        ] {
            assert_eq!(signer.organization_of(other), None, "{other}");
        }
    }
}
