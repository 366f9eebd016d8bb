//! Signatures of documents that stay: detached JSON Web Signatures (RFC 7515, appendix F) with Ed25519 (RFC 8037).
//!
//! A detached signature is `header..signature`: whoever has the document puts its base64url form between the two dots and
//! has a JWS that every library verifies. The document is encoded for signing, as RFC 7515 has it; the option of RFC 7797
//! to leave it as it is (`b64`) is not used.
//!
//! As with tokens, a private key never leaves the memory of the replica that made it. Its public half is kept by whoever
//! keeps the document, with the first document that it signs, and stays for as long as documents do. Tokens are signed
//! with other keys, so that nothing that is signed here can be taken for a token.

use super::signing::KeyPair;
use crate::kernel::id::OrganizationId;
use crate::kernel::problem::Problem;
use crate::platform::db::{Db, Prepared};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Jsonb, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// For how long a key seals, so that what is found out about one is about a quarter's documents.
const SEALS_FOR: TimeDelta = TimeDelta::days(90);

/// A key that signs documents of one organization.
pub struct Seal {
    id: String,
    private_half: EncodingKey,
    public_half: Value,
    made_at: DateTime<Utc>,
}

impl fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Seal")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Seal {
    /// A new one.
    pub fn make(now: DateTime<Utc>) -> Result<Self, Problem> {
        let pair = KeyPair::make()?;
        Ok(Self {
            id: pair.id,
            private_half: pair.private_half,
            public_half: pair.public_half,
            made_at: now,
        })
    }

    /// By which it is found among others.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What a signature is checked with (RFC 7517).
    pub const fn public_half(&self) -> &Value {
        &self.public_half
    }

    /// When it was made.
    pub const fn made_at(&self) -> DateTime<Utc> {
        self.made_at
    }

    /// The detached signature of a document; the same for the same document.
    pub fn sign(&self, document: &[u8]) -> Result<String, Problem> {
        let header = json!({ "alg": "EdDSA", "kid": self.id });
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let message = message(&header, document);
        let signature = crypto::sign(message.as_bytes(), &self.private_half, Algorithm::EdDSA);
        let signature = signature.map_err(|error| {
            tracing::error!(%error, "a document cannot be signed");
            Problem::internal()
        })?;
        Ok(format!("{header}..{signature}"))
    }
}

/// What the signature is over.
fn message(header: &str, document: &[u8]) -> String {
    format!("{header}.{}", URL_SAFE_NO_PAD.encode(document))
}

/// Whether this is the detached signature of a document by this key, which it must name.
pub fn is_signed(document: &[u8], detached: &str, public_half: &Value) -> bool {
    verified(document, detached, public_half) == Some(true)
}

fn verified(document: &[u8], detached: &str, public_half: &Value) -> Option<bool> {
    let (encoded, signature) = detached.split_once("..")?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()?;
    let is_plain = header["alg"] == "EdDSA" && header.get("crit").is_none() && header.get("b64").is_none();
    if !is_plain || !header["kid"].is_string() || header["kid"] != public_half["kid"] {
        return None;
    }
    let key: Jwk = serde_json::from_value(public_half.clone()).ok()?;
    let key = DecodingKey::from_jwk(&key).ok()?;
    let message = message(encoded, document);
    crypto::verify(signature, message.as_bytes(), &key, Algorithm::EdDSA).ok()
}

/// What each organization's documents are sealed with, in this process.
#[derive(Debug, Default)]
pub struct Seals(Mutex<HashMap<OrganizationId, Arc<Seal>>>);

impl Seals {
    /// The seal of an organization at this instant; made when there is none yet.
    pub fn of(&self, organization_id: OrganizationId, now: DateTime<Utc>) -> Result<Arc<Seal>, Problem> {
        let mut seals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let good = |seal: &&Arc<Seal>| now >= seal.made_at && now < seal.made_at + SEALS_FOR;
        if let Some(seal) = seals.get(&organization_id).filter(good) {
            return Ok(Arc::clone(seal));
        }
        let seal = Arc::new(Seal::make(now)?);
        seals.insert(organization_id, Arc::clone(&seal));
        Ok(seal)
    }
}

#[derive(QueryableByName)]
struct PublicKeyRow {
    #[diesel(sql_type = Jsonb)]
    public_key: Value,
}

/// The public keys of an organization's statements, newest first; none when there is no such organization.
pub async fn published(db: &Db, organization_id: OrganizationId) -> Result<Vec<Value>, Problem> {
    let rows: Vec<PublicKeyRow> = db
        .outside(move |connection| {
            let query = sql_query("SELECT public_key FROM published_statement_keys($1)")
                .bind::<SqlUuid, _>(organization_id.uuid());
            Ok(Prepared(query).load(connection)?)
        })
        .await?;
    Ok(rows.into_iter().map(|row| row.public_key).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_000_000, 0).unwrap()
    }

    #[test]
    fn a_signature_is_of_one_document_and_one_key() {
        let seal = Seal::make(now()).unwrap();
        let signature = seal.sign(b"so it was").unwrap();
        assert_eq!(
            signature,
            seal.sign(b"so it was").unwrap(),
            "it is the same again"
        );
        assert!(is_signed(b"so it was", &signature, seal.public_half()));
        assert!(!is_signed(b"so it is", &signature, seal.public_half()));
        let other = Seal::make(now()).unwrap();
        assert!(!is_signed(b"so it was", &signature, other.public_half()));
        // Even a key that says to be the one that is named.
        let mut posing = other.public_half().clone();
        posing["kid"] = json!(seal.id());
        assert!(!is_signed(b"so it was", &signature, &posing));
    }

    #[test]
    fn what_is_no_plain_signature_is_none() {
        let seal = Seal::make(now()).unwrap();
        let signature = seal.sign(b"text").unwrap();
        let (_, value) = signature.split_once("..").unwrap();
        let with = |header: Value| format!("{}..{value}", URL_SAFE_NO_PAD.encode(header.to_string()));
        let kid = seal.id();
        for strange in [
            String::new(),
            "..".to_owned(),
            signature.replace("..", "."),
            with(json!({ "alg": "none", "kid": kid })),
            with(json!({ "alg": "HS256", "kid": kid })),
            with(json!({ "alg": "EdDSA" })),
            with(json!({ "alg": "EdDSA", "kid": kid, "b64": false, "crit": ["b64"] })),
        ] {
            assert!(!is_signed(b"text", &strange, seal.public_half()), "{strange}");
        }
    }

    #[test]
    fn an_organization_has_a_seal_for_a_quarter() {
        let seals = Seals::default();
        let [here, there] = [1, 2].map(|seconds| OrganizationId::new(now() + TimeDelta::seconds(seconds)));
        let id = |whose, days| {
            seals
                .of(whose, now() + TimeDelta::days(days))
                .unwrap()
                .id()
                .to_owned()
        };
        let first = id(here, 0);
        assert_eq!(id(here, 89), first);
        assert_ne!(id(there, 0), first);
        assert_ne!(id(here, 90), first);
    }
}
