//! Reading and verifying a JSON Web Token (RFC 7519, RFC 8725).
//!
//! Nothing in a token's header leads anywhere: `jku`, `x5u`, `jwk` and `x5c` are not looked at, `kid` only chooses
//! among the keys that are known for the issuer, and the algorithm must be one that the issuer was registered with.

use super::keys::KeySet;
use super::refusal::RefusalReason;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use serde_json::{Map, Value};

/// The longest token, in bytes.
const MOST_BYTES: usize = 16 * 1024;
/// By how much the clocks of others may differ from ours.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// A token as it was presented; nothing in it is proven yet.
#[derive(Debug, Clone)]
pub struct Presented {
    header: Header,
    claims: Map<String, Value>,
}

impl Presented {
    /// Reads a token that may be one. A header that demands to be understood (`crit`) is not.
    pub fn read(token: &str) -> Option<Self> {
        if token.len() > MOST_BYTES || token.bytes().filter(|byte| *byte == b'.').count() != 2 {
            return None;
        }
        let header = decode_header(token).ok()?;
        let claims: Map<String, Value> = insecure_decode_claims(token).ok()?;
        header.crit.is_none().then_some(Self { header, claims })
    }

    /// Who says to have issued it.
    pub fn issuer(&self) -> Option<&str> {
        self.claims
            .get("iss")?
            .as_str()
            .filter(|text| !text.contains('\0'))
    }

    /// What it says in a claim that is a text; proven by nothing yet.
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    /// For whom it says to be.
    pub fn audiences(&self) -> Vec<String> {
        let text = |value: &Value| {
            let text = value.as_str().filter(|text| !text.contains('\0'));
            text.map(str::to_owned)
        };
        match self.claims.get("aud") {
            Some(Value::Array(all)) => all.iter().take(20).filter_map(text).collect(),
            Some(one) => text(one).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Which key it says to be signed with.
    pub fn key_id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// Whether one of these keys could have signed it.
    pub fn may_be_signed_by(&self, keys: &KeySet) -> bool {
        !keys.candidates(self.key_id(), self.header.alg).is_empty()
    }

    /// Whether it is signed as one of these algorithms says.
    pub fn is_signed_by_any(&self, algorithms: &[Algorithm]) -> bool {
        algorithms.contains(&self.header.alg)
    }
}

/// What a token says, proven to come from its issuer and to be good at the moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// A claim that is a text. One with a NUL, which Postgres cannot store, is none.
    pub fn text(&self, name: &str) -> Option<&str> {
        let text = self.0.get(name)?.as_str()?;
        (!text.is_empty() && !text.contains('\0')).then_some(text)
    }

    /// Whether a claim is there, whatever it holds.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether a claim is true. Some providers write it as a text.
    pub fn is_true(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }

    /// Whether a claim is one of these texts, or a list with one of them in it.
    pub fn has_any(&self, name: &str, texts: &[String]) -> bool {
        let named = |value: &Value| {
            value
                .as_str()
                .is_some_and(|text| texts.iter().any(|one| one == text))
        };
        match self.0.get(name) {
            Some(Value::Array(values)) => values.iter().any(named),
            Some(value) => named(value),
            None => false,
        }
    }

    /// When the token ends.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.instant("exp").ok().flatten()
    }

    /// A claim that is an instant (`NumericDate`: seconds, maybe with a fraction, which is cut off).
    fn instant(&self, name: &str) -> Result<Option<DateTime<Utc>>, RefusalReason> {
        let malformed = RefusalReason::ClaimsMalformed;
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let text = match value {
            Value::Number(number) => number.to_string(),
            _ => return Err(malformed),
        };
        let whole = text.split('.').next().unwrap_or_default();
        let seconds: i64 = whole.parse().map_err(|_| malformed)?;
        DateTime::from_timestamp(seconds, 0).map(Some).ok_or(malformed)
    }

    /// Checks the times against this clock and none other.
    fn check_times(&self, now: DateTime<Utc>) -> Result<(), RefusalReason> {
        let expires_at = self.instant("exp")?.ok_or(RefusalReason::TokenExpired)?;
        if expires_at <= now - LEEWAY {
            return Err(RefusalReason::TokenExpired);
        }
        for name in ["nbf", "iat"] {
            if self.instant(name)?.is_some_and(|start| start > now + LEEWAY) {
                return Err(RefusalReason::TokenNotYetValid);
            }
        }
        Ok(())
    }
}

/// Verifies the signature by one of these keys and algorithms, and the times.
pub fn verify(
    token: &str,
    presented: &Presented,
    keys: &KeySet,
    algorithms: &[Algorithm],
    now: DateTime<Utc>,
) -> Result<Claims, RefusalReason> {
    let algorithm = presented.header.alg;
    if !algorithms.contains(&algorithm) {
        return Err(RefusalReason::AlgorithmNotAllowed);
    }
    let candidates = keys.candidates(presented.key_id(), algorithm);
    if candidates.is_empty() {
        return Err(RefusalReason::KeyUnknown);
    }
    let mut only_the_signature = Validation::new(algorithm);
    only_the_signature.validate_exp = false;
    only_the_signature.validate_aud = false;
    only_the_signature.required_spec_claims.clear();
    let mut verified = candidates
        .into_iter()
        .filter_map(|key| decode::<Map<String, Value>>(token, key, &only_the_signature).ok());
    let claims = Claims(verified.next().ok_or(RefusalReason::SignatureInvalid)?.claims);
    claims.check_times(now)?;
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_000_000, 0).unwrap()
    }

    fn times(claims: Value) -> Result<(), RefusalReason> {
        Claims(claims.as_object().unwrap().clone()).check_times(now())
    }

    #[test]
    fn times_are_checked_with_a_little_leeway() {
        let at = |seconds: i64| now().timestamp() + seconds;
        assert_eq!(times(json!({ "exp": at(1) })), Ok(()));
        assert_eq!(times(json!({ "exp": at(-29) })), Ok(()));
        assert_eq!(times(json!({ "exp": at(-30) })), Err(RefusalReason::TokenExpired));
        assert_eq!(times(json!({})), Err(RefusalReason::TokenExpired));
        for name in ["nbf", "iat"] {
            assert_eq!(times(json!({ "exp": at(60), name: at(30) })), Ok(()));
            let early = times(json!({ "exp": at(60), name: at(31) }));
            assert_eq!(early, Err(RefusalReason::TokenNotYetValid));
        }
        assert_eq!(times(json!({ "exp": 1_772_000_100.75 })), Ok(()));
        for strange in [json!("soon"), json!(null), json!(1e300), json!([1])] {
            let outcome = times(json!({ "exp": strange }));
            assert_eq!(outcome, Err(RefusalReason::ClaimsMalformed));
        }
    }

    #[test]
    fn what_is_no_token_is_not_read() {
        for text in ["", "a.b", "a.b.c", "..", "a.b.c.d", "{}.{}.{}"] {
            assert!(Presented::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_claim_is_found_alone_or_in_a_list() {
        let claims = Claims(
            json!({ "amr": ["pwd", "otp"], "acr": "2" })
                .as_object()
                .unwrap()
                .clone(),
        );
        assert!(claims.has_any("amr", &["otp".to_owned()]));
        assert!(claims.has_any("acr", &["1".to_owned(), "2".to_owned()]));
        assert!(!claims.has_any("amr", &["mfa".to_owned()]));
        assert!(!claims.has_any("missing", &["otp".to_owned()]));
    }
}
