//! The signature of what Stripe sends: `t=<seconds>,v1=<HMAC-SHA256 of "seconds.body" in hexadecimal>`.

use super::settings::Secret;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use thiserror::Error;

/// How far the instant of a signature may be from the present, either way.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// Signatures in one header at most: while a secret is being rolled there are two.
const MOST_SIGNATURES: usize = 8;

/// Why a message is not taken for one of Stripe's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// There is no signing secret, so that nobody can be believed.
    #[error("no signing secret is set")]
    NoSecret,
    /// The header is missing or has another form.
    #[error("the Stripe-Signature header is missing or cannot be read")]
    Unreadable,
    /// It was signed too long ago, or ahead of time.
    #[error("the signature is not of the last five minutes")]
    NotRecent,
    /// None of the signatures is that of the message.
    #[error("the signature is not that of the body")]
    Wrong,
}

/// The instant and the signatures of a header. What has another name, such as an older scheme, is not looked at.
fn read(header: &str) -> Option<(i64, Vec<[u8; 32]>)> {
    let (mut signed_at, mut signatures) = (None, Vec::new());
    for part in header.split(',') {
        match part.trim().split_once('=')? {
            ("t", seconds) => signed_at = Some(seconds.parse().ok()?),
            ("v1", signature) if signatures.len() < MOST_SIGNATURES => signatures.push(bytes(signature)?),
            _ => {}
        }
    }
    Some((signed_at?, signatures))
}

fn bytes(hexadecimal: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let is_hexadecimal = hexadecimal.bytes().all(|digit| digit.is_ascii_hexdigit());
    if hexadecimal.len() != 64 || !is_hexadecimal {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hexadecimal.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// Takes the body for one of Stripe's, or not. The comparison takes as long whatever differs.
pub(super) fn verify(
    secret: Option<&Secret>,
    header: &str,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(), SignatureError> {
    let secret = secret.ok_or(SignatureError::NoSecret)?;
    let (seconds, signatures) = read(header).ok_or(SignatureError::Unreadable)?;
    let signed_at = DateTime::from_timestamp(seconds, 0).ok_or(SignatureError::Unreadable)?;
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).map_err(|_| SignatureError::NoSecret)?;
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let is_of = |signature: &[u8; 32]| mac.clone().verify_slice(signature).is_ok();
    if !signatures.iter().any(is_of) {
        return Err(SignatureError::Wrong);
    }
    if now.signed_duration_since(signed_at).abs() > TOLERANCE {
        return Err(SignatureError::NotRecent);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BODY: &[u8] = b"{\"id\":\"evt_1\"}";
    /// HMAC-SHA256 of `1767225600.{"id":"evt_1"}` under `whsec_test_secret`, computed elsewhere.
    const SIGNATURE: &str = "f6ef300ec2c3f1ea8e4bc6d2a62975f58477d6fcd4bd03529a148873f625b1ca";
    const SIGNED_AT: i64 = 1_767_225_600;

    fn secret(text: &str) -> Secret {
        text.parse().unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn judge(header: &str, body: &[u8], now: i64) -> Result<(), SignatureError> {
        verify(Some(&secret("whsec_test_secret")), header, body, at(now))
    }

    #[test]
    fn what_was_signed_elsewhere_is_taken() {
        let header = format!("t={SIGNED_AT},v1={SIGNATURE}");
        assert_eq!(judge(&header, BODY, SIGNED_AT), Ok(()));
        // While a secret is being rolled, one of two is enough; older schemes are not looked at.
        let rolled = format!("t={SIGNED_AT},v1={},v1={SIGNATURE},v0=abc", "0".repeat(64));
        assert_eq!(judge(&rolled, BODY, SIGNED_AT), Ok(()));
    }

    #[test]
    fn it_is_good_for_five_minutes_either_way() {
        let header = format!("t={SIGNED_AT},v1={SIGNATURE}");
        for (seconds, outcome) in [
            (300, Ok(())),
            (-300, Ok(())),
            (301, Err(SignatureError::NotRecent)),
            (-301, Err(SignatureError::NotRecent)),
        ] {
            assert_eq!(judge(&header, BODY, SIGNED_AT + seconds), outcome, "{seconds}");
        }
        // Another instant is another signature.
        let moved = format!("t={},v1={SIGNATURE}", SIGNED_AT + 1);
        assert_eq!(judge(&moved, BODY, SIGNED_AT), Err(SignatureError::Wrong));
    }

    #[test]
    fn another_secret_or_none_is_refused() {
        let header = format!("t={SIGNED_AT},v1={SIGNATURE}");
        let other = secret("whsec_other_secret");
        let now = at(SIGNED_AT);
        assert_eq!(
            verify(Some(&other), &header, BODY, now),
            Err(SignatureError::Wrong)
        );
        assert_eq!(verify(None, &header, BODY, now), Err(SignatureError::NoSecret));
    }

    #[test]
    fn what_has_another_form_is_refused() {
        for header in [
            "",
            "t=",
            "v1=",
            "t=now,v1=00",
            &format!("v1={SIGNATURE}"),
            &format!("t={SIGNED_AT},v1={}", &SIGNATURE[1..]),
            &format!("t={SIGNED_AT},v1={}é", &SIGNATURE[2..]),
            &format!("t=99999999999999999,v1={SIGNATURE}"),
        ] {
            assert_eq!(
                judge(header, BODY, SIGNED_AT),
                Err(SignatureError::Unreadable),
                "{header}"
            );
        }
        let none = format!("t={SIGNED_AT}");
        assert_eq!(judge(&none, BODY, SIGNED_AT), Err(SignatureError::Wrong));
    }

    proptest! {
        #[test]
        fn another_body_is_refused(body in any::<Vec<u8>>()) {
            prop_assume!(body != BODY);
            let header = format!("t={SIGNED_AT},v1={SIGNATURE}");
            prop_assert_eq!(judge(&header, &body, SIGNED_AT), Err(SignatureError::Wrong));
        }

        #[test]
        fn no_header_is_too_strange(header in any::<String>()) {
            prop_assert!(judge(&header, BODY, SIGNED_AT).is_err());
        }
    }
}
