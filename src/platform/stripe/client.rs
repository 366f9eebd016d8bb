//! Requests to Stripe, and what their answers mean.

use super::settings::{KeyMode, Secret, StripeSettings, StripeSettingsError};
use super::signature::{self, SignatureError};
use super::transfer::{Transfer, TransferOrder};
use crate::kernel::iban::masked;
use crate::kernel::id::OrganizationId;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body};

/// The version of the API that is spoken, so that a change at Stripe changes nothing here.
const VERSION: &str = "2025-04-30.basil";
/// The largest answer, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;
/// The longest message of Stripe's that is kept, in characters.
const LONGEST_MESSAGE: usize = 400;

/// The way to the one Stripe account that the service pays from. Cheap to clone.
#[derive(Clone)]
pub struct Stripe(Arc<Account>);

struct Account {
    agent: Agent,
    base: String,
    key: Secret,
    mode: KeyMode,
    fingerprint: String,
    webhook_secret: Option<Secret>,
    organization_id: OrganizationId,
}

/// It prints nothing of its secrets.
impl fmt::Debug for Stripe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Stripe")
            .field("organization_id", &self.0.organization_id)
            .field("mode", &self.0.mode)
            .finish_non_exhaustive()
    }
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// The transfer was made, now or when the same order came before.
    Yes(Transfer),
    /// It was not, and will not be by this key: Stripe's code and message.
    No(String),
    /// This request did nothing, whatever an earlier one may have done. It can be sent again.
    NotNow(String),
    /// Nobody knows: the answer was lost, or says nothing.
    Unknown(String),
}

#[derive(Deserialize)]
struct Transfers {
    data: Vec<Transfer>,
    has_more: bool,
}

#[derive(Default, Deserialize)]
struct Refused {
    error: Reason,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reason {
    #[serde(rename = "type")]
    kind: String,
    code: Option<String>,
    message: Option<String>,
}

impl Stripe {
    /// The account that the settings name; none where they name none.
    pub fn new(settings: &StripeSettings) -> Result<Option<Self>, StripeSettingsError> {
        let Some((key, mode, organization_id)) = settings.account()? else {
            return Ok(None);
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_millis(settings.stripe_wait_ms)))
            .proxy(None)
            .user_agent("copartner")
            .accept("application/json")
            .build();
        Ok(Some(Self(Arc::new(Account {
            agent: config.into(),
            base: settings.base()?.to_owned(),
            key: key.clone(),
            mode,
            fingerprint: fingerprint(key),
            webhook_secret: settings.stripe_webhook_secret.clone(),
            organization_id,
        }))))
    }

    /// The organization that it pays for.
    pub fn organization_id(&self) -> OrganizationId {
        self.0.organization_id
    }

    /// Whether money really moves, for an organization that it pays for.
    pub fn mode_for(&self, organization_id: OrganizationId) -> Option<KeyMode> {
        (self.0.organization_id == organization_id).then_some(self.0.mode)
    }

    /// Tells whether two requests went out with the same secret key, and nothing else of it.
    pub fn fingerprint(&self) -> &str {
        &self.0.fingerprint
    }

    /// Takes a body for one that Stripe sent, or not.
    pub fn verify(&self, header: &str, body: &[u8], now: DateTime<Utc>) -> Result<(), SignatureError> {
        signature::verify(self.0.webhook_secret.as_ref(), header, body, now)
    }

    /// Orders a transfer. The same order has the same key, by which Stripe makes one transfer of any number of them, for
    /// 24 hours.
    pub fn order(&self, order: &TransferOrder) -> Made {
        let request = self
            .0
            .agent
            .post(format!("{}/v1/transfers", self.0.base))
            .header("Authorization", format!("Bearer {}", self.0.key.reveal()))
            .header("Stripe-Version", VERSION)
            .header("Idempotency-Key", order.key());
        match request.send_form(order.form()) {
            Ok(response) => judge(response, &order.destination),
            Err(error) => Made::Unknown(error.to_string()),
        }
    }

    /// The transfers that were made of an order, whatever became of its key. An error says why nobody knows.
    pub fn find(&self, order: &TransferOrder) -> Result<Vec<Transfer>, String> {
        let request = self
            .0
            .agent
            .get(format!("{}/v1/transfers", self.0.base))
            .query("transfer_group", order.group())
            .query("limit", "100")
            .header("Authorization", format!("Bearer {}", self.0.key.reveal()))
            .header("Stripe-Version", VERSION);
        let mut response = request.call().map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(format!("Stripe answered {status}"));
        }
        let bytes = read(&mut response)?;
        let found: Transfers = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        if found.has_more {
            return Err("there are more transfers of one payout than can be".to_owned());
        }
        Ok(found.data)
    }
}

fn fingerprint(key: &Secret) -> String {
    let digest = Sha256::new()
        .chain_update("copartner stripe key ")
        .chain_update(key.reveal())
        .finalize();
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn read(response: &mut Response<Body>) -> Result<Vec<u8>, String> {
    let body = response.body_mut().with_config().limit(MOST_BYTES);
    body.read_to_vec().map_err(|error| error.to_string())
}

fn judge(mut response: Response<Body>, destination: &str) -> Made {
    let status = response.status().as_u16();
    let bytes = match read(&mut response) {
        Ok(bytes) => bytes,
        Err(error) => return Made::Unknown(error),
    };
    if status == 200 {
        return match serde_json::from_slice(&bytes) {
            Ok(transfer) => Made::Yes(transfer),
            Err(error) => Made::Unknown(format!("an answer that is no transfer: {error}")),
        };
    }
    let reason = serde_json::from_slice::<Refused>(&bytes)
        .unwrap_or_default()
        .error;
    meaning(status, &reason, destination)
}

/// What an answer other than `200` means. Only what Stripe says of the order itself is a refusal.
fn meaning(status: u16, reason: &Reason, destination: &str) -> Made {
    let said = format!("Stripe answered {status}: {}", reason.said(destination));
    match status {
        // Neither got as far as the order: the key of the account is not good, or it asks too often.
        401 | 403 | 429 => Made::NotNow(said),
        // The same order is under way, took too long, or met a failure somewhere else.
        408 | 409 | 424 => Made::Unknown(said),
        // The key was used for another order, which tells nothing of this one.
        400..500 if reason.kind == "idempotency_error" => Made::Unknown(said),
        // Whoever answers so without an error of Stripe's is not Stripe.
        400..500 if reason.kind.is_empty() => Made::Unknown(said),
        400..500 => Made::No(reason.said(destination)),
        _ => Made::Unknown(said),
    }
}

impl Reason {
    /// Stripe's code and message, without the whole of the account.
    fn said(&self, destination: &str) -> String {
        let code = self.code.as_deref().unwrap_or(&self.kind);
        let message = self.message.as_deref().unwrap_or_default();
        let told = match (code, message) {
            ("", "") => "no reason".to_owned(),
            (code, "") => code.to_owned(),
            ("", message) => message.to_owned(),
            (code, message) => format!("{code}: {message}"),
        };
        let told = told.replace(destination, &masked(destination));
        let plain = told.chars().filter(|letter| !letter.is_control());
        plain.take(LONGEST_MESSAGE).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(kind: &str, code: Option<&str>) -> Reason {
        Reason {
            kind: kind.to_owned(),
            code: code.map(str::to_owned),
            message: Some("No such destination: 'acct_1MTfjCQ9PRzxEwkZ'".to_owned()),
        }
    }

    fn of(status: u16, kind: &str) -> Made {
        meaning(
            status,
            &reason(kind, Some("account_invalid")),
            "acct_1MTfjCQ9PRzxEwkZ",
        )
    }

    #[test]
    fn only_what_is_said_of_the_order_is_a_refusal() {
        for status in [400, 402, 404, 405, 422] {
            let said = "account_invalid: No such destination: '****EwkZ'".to_owned();
            assert_eq!(of(status, "invalid_request_error"), Made::No(said), "{status}");
        }
        for status in [401, 403, 429] {
            assert!(
                matches!(of(status, "invalid_request_error"), Made::NotNow(_)),
                "{status}"
            );
        }
        for status in [100, 204, 302, 408, 409, 424, 500, 502, 503, 504, 599] {
            assert!(matches!(of(status, "api_error"), Made::Unknown(_)), "{status}");
        }
        assert!(matches!(of(400, "idempotency_error"), Made::Unknown(_)));
        // A page of some machine in between.
        let page = meaning(404, &Reason::default(), "acct_1MTfjCQ9PRzxEwkZ");
        assert!(matches!(page, Made::Unknown(_)), "{page:?}");
    }

    #[test]
    fn a_fingerprint_is_of_one_key_and_tells_nothing_of_it() {
        let of = |text: &str| fingerprint(&text.parse().unwrap());
        assert_eq!(of("sk_live_abcdefgh"), of("sk_live_abcdefgh"));
        assert_ne!(of("sk_live_abcdefgh"), of("sk_live_abcdefgi"));
        assert_eq!(of("sk_live_abcdefgh").len(), 16);
    }
}
