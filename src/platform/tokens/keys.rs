//! Public keys as providers publish them (RFC 7517).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde_json::Value;
use std::fmt;

/// Keys that are looked at in one set.
const MOST_KEYS: usize = 100;
/// Keys of one id that a signature is checked with.
const MOST_CANDIDATES: usize = 4;
/// The greatest length of an RSA modulus, in bytes: 4,096 bits.
const MOST_RSA_BYTES: usize = 512;
/// The least length of an RSA modulus, in bytes: 2,048 bits.
const LEAST_RSA_BYTES: usize = 256;

/// One public key.
#[derive(Clone)]
struct PublicKey {
    id: Option<String>,
    algorithm: Option<Algorithm>,
    key: DecodingKey,
}

/// The keys of one signer, as far as a signature may be checked with them.
#[derive(Clone, Default)]
pub struct KeySet(Vec<PublicKey>);

impl fmt::Debug for KeySet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_list()
            .entries(self.0.iter().map(|key| &key.id))
            .finish()
    }
}

impl KeySet {
    /// The usable keys of a JSON Web Key Set; `None` when the document is none. Symmetric keys, keys for encryption,
    /// short ones and those of unknown kinds are left out, as RFC 7517 section 5 asks.
    pub fn read(document: &Value) -> Option<Self> {
        let keys = document.get("keys")?.as_array()?;
        Some(Self(keys.iter().take(MOST_KEYS).filter_map(public_key).collect()))
    }

    /// How many keys are usable.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no key is usable.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys that a token of this algorithm and key id may be signed with. A token that names no key may be signed
    /// with the only one of its kind.
    pub fn candidates(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<&DecodingKey> {
        let suits = |key: &&PublicKey| {
            key.key.family() == algorithm.family() && key.algorithm.is_none_or(|own| own == algorithm)
        };
        let of_kind = self.0.iter().filter(suits);
        match id {
            Some(id) => of_kind
                .filter(|key| key.id.as_deref() == Some(id))
                .map(|key| &key.key)
                .take(MOST_CANDIDATES)
                .collect(),
            None => {
                let all: Vec<_> = of_kind.map(|key| &key.key).collect();
                if all.len() == 1 { all } else { Vec::new() }
            }
        }
    }
}

fn public_key(document: &Value) -> Option<PublicKey> {
    let jwk: Jwk = serde_json::from_value(document.clone()).ok()?;
    let for_signatures = jwk.common.public_key_use.as_ref();
    let long_enough = match &jwk.algorithm {
        AlgorithmParameters::RSA(parameters) => {
            (LEAST_RSA_BYTES..=MOST_RSA_BYTES).contains(&modulus_bytes(&parameters.n)?)
        }
        AlgorithmParameters::EllipticCurve(_) | AlgorithmParameters::OctetKeyPair(_) => true,
        _ => false,
    };
    let usable = for_signatures.is_none_or(|purpose| *purpose == PublicKeyUse::Signature) && long_enough;
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    let algorithm = match jwk.common.key_algorithm {
        Some(named) => Some(Algorithm::try_from(named).ok()?),
        None => None,
    };
    (usable && key.family() != AlgorithmFamily::Hmac).then_some(PublicKey {
        id: jwk.common.key_id,
        algorithm,
        key,
    })
}

fn modulus_bytes(text: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Some(bytes.len() - zeros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rsa(bytes: usize) -> Value {
        json!({ "kty": "RSA", "kid": "r", "n": URL_SAFE_NO_PAD.encode(vec![255; bytes]), "e": "AQAB" })
    }

    fn ed(id: &str) -> Value {
        let x = URL_SAFE_NO_PAD.encode([7; 32]);
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": x })
    }

    #[test]
    fn only_public_keys_for_signatures_are_used() {
        let count = |key: Value| KeySet::read(&json!({ "keys": [key] })).unwrap().len();
        assert_eq!(count(rsa(256)), 1);
        assert_eq!(count(rsa(255)), 0);
        assert_eq!(count(ed("a")), 1);
        assert_eq!(count(json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "s" })), 0);
        assert_eq!(count(json!({ "kty": "strange" })), 0);
        assert_eq!(count(json!("nothing")), 0);
        let mut for_encryption = ed("a");
        for_encryption["use"] = json!("enc");
        assert_eq!(count(for_encryption), 0);
        let mut for_something_else = ed("a");
        for_something_else["alg"] = json!("RSA-OAEP");
        assert_eq!(count(for_something_else), 0);
        assert!(KeySet::read(&json!({})).is_none());
        assert!(KeySet::read(&json!([])).is_none());
    }

    #[test]
    fn a_token_without_a_key_id_takes_the_only_key_of_its_kind() {
        let one = KeySet::read(&json!({ "keys": [ed("a"), rsa(256)] })).unwrap();
        assert_eq!(one.candidates(None, Algorithm::EdDSA).len(), 1);
        assert_eq!(one.candidates(Some("a"), Algorithm::EdDSA).len(), 1);
        assert_eq!(one.candidates(Some("a"), Algorithm::RS256).len(), 0);
        assert_eq!(one.candidates(Some("../../a"), Algorithm::EdDSA).len(), 0);
        assert_eq!(one.candidates(None, Algorithm::HS256).len(), 0);
        let two = KeySet::read(&json!({ "keys": [ed("a"), ed("b")] })).unwrap();
        assert_eq!(two.candidates(None, Algorithm::EdDSA).len(), 0);
    }
}
