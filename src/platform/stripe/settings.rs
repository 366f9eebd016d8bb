//! What the service has to know to pay by Stripe.

use crate::kernel::id::OrganizationId;
use clap::Args;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use ureq::http::Uri;

/// What nobody may see.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself; for requests and signatures alone.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

/// Any text is taken here and judged later, because a refusal on the command line repeats what it refuses.
impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

/// Whether money really moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMode {
    /// It does.
    Live,
    /// It does not: a key for trying out.
    Test,
}

/// The one Stripe account that the service pays from, and the one organization that it pays for.
#[derive(Debug, Clone, Args)]
pub struct StripeSettings {
    /// Secret key, or better a restricted one that may write transfers, of the Stripe account to pay from. Without it nobody
    /// is paid by Stripe.
    #[arg(long, env = "COPARTNER_STRIPE_SECRET_KEY", hide_env_values = true)]
    pub stripe_secret_key: Option<Secret>,
    /// The organization whose payouts that account pays, and no other's.
    #[arg(long, env = "COPARTNER_STRIPE_ORGANIZATION_ID")]
    pub stripe_organization_id: Option<OrganizationId>,
    /// Signing secret of the webhook endpoint at which Stripe tells of transfers that came back. Without it no event is taken.
    #[arg(long, env = "COPARTNER_STRIPE_WEBHOOK_SECRET", hide_env_values = true)]
    pub stripe_webhook_secret: Option<Secret>,
    /// Where Stripe's API is; by https, or on this machine.
    #[arg(long, env = "COPARTNER_STRIPE_API_BASE", default_value = Self::API_BASE)]
    pub stripe_api_base: String,
    /// Milliseconds that a request to Stripe may take; an answer that comes later is lost and looked for.
    #[arg(long, env = "COPARTNER_STRIPE_WAIT_MS", default_value = "30000", value_parser = clap::value_parser!(u64).range(100..=30_000))]
    pub stripe_wait_ms: u64,
}

/// Why the service cannot pay by Stripe with these settings. No secret is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StripeSettingsError {
    /// The key is something else.
    #[error("COPARTNER_STRIPE_SECRET_KEY must begin with sk_live_, sk_test_, rk_live_ or rk_test_")]
    Key,
    /// Nobody knows whose payouts are paid.
    #[error(
        "COPARTNER_STRIPE_SECRET_KEY needs COPARTNER_STRIPE_ORGANIZATION_ID: the organization that it pays for"
    )]
    NoOrganization,
    /// There is nothing to pay with.
    #[error(
        "COPARTNER_STRIPE_ORGANIZATION_ID and COPARTNER_STRIPE_WEBHOOK_SECRET need COPARTNER_STRIPE_SECRET_KEY"
    )]
    NoKey,
    /// The signing secret is something else.
    #[error("COPARTNER_STRIPE_WEBHOOK_SECRET must begin with whsec_")]
    WebhookSecret,
    /// The secret key would go out in the clear.
    #[error(
        "COPARTNER_STRIPE_API_BASE is an https:// address without a path, or an http:// one on this machine"
    )]
    ApiBase,
}

impl StripeSettings {
    /// Where Stripe's API is.
    pub const API_BASE: &'static str = "https://api.stripe.com";

    /// Nobody is paid by Stripe.
    pub fn none() -> Self {
        Self {
            stripe_secret_key: None,
            stripe_organization_id: None,
            stripe_webhook_secret: None,
            stripe_api_base: Self::API_BASE.to_owned(),
            stripe_wait_ms: 30_000,
        }
    }

    /// The key and whom it pays for; nothing where nothing is set.
    pub(super) fn account(&self) -> Result<Option<(&Secret, KeyMode, OrganizationId)>, StripeSettingsError> {
        let Some(key) = &self.stripe_secret_key else {
            let is_empty = self.stripe_organization_id.is_none() && self.stripe_webhook_secret.is_none();
            return if is_empty {
                Ok(None)
            } else {
                Err(StripeSettingsError::NoKey)
            };
        };
        let mode = mode(key).ok_or(StripeSettingsError::Key)?;
        let organization_id = self
            .stripe_organization_id
            .ok_or(StripeSettingsError::NoOrganization)?;
        let is_signing = |secret: &Secret| {
            secret
                .0
                .strip_prefix("whsec_")
                .is_some_and(|rest| rest.len() >= 8)
        };
        if !self.stripe_webhook_secret.iter().all(is_signing) {
            return Err(StripeSettingsError::WebhookSecret);
        }
        Ok(Some((key, mode, organization_id)))
    }

    /// The address without a slash at its end.
    pub(super) fn base(&self) -> Result<&str, StripeSettingsError> {
        let base = self.stripe_api_base.trim_end_matches('/');
        let uri: Uri = base.parse().map_err(|_| StripeSettingsError::ApiBase)?;
        let host = uri.host().unwrap_or_default();
        let is_here = matches!(host, "127.0.0.1" | "[::1]" | "localhost");
        let is_safe = match uri.scheme_str() {
            Some("https") => !host.is_empty(),
            Some("http") => is_here,
            _ => false,
        };
        let is_plain = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let has_password = uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'));
        if is_safe && is_plain && !has_password {
            Ok(base)
        } else {
            Err(StripeSettingsError::ApiBase)
        }
    }
}

fn mode(key: &Secret) -> Option<KeyMode> {
    let kind = key.0.strip_prefix("sk_").or_else(|| key.0.strip_prefix("rk_"))?;
    let (mode, rest) = kind.split_once('_')?;
    let is_token = rest.len() >= 8 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match mode {
        "live" if is_token => Some(KeyMode::Live),
        "test" if is_token => Some(KeyMode::Test),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn secret(text: &str) -> Option<Secret> {
        Some(Secret(text.to_owned()))
    }

    fn settings(key: &str) -> StripeSettings {
        StripeSettings {
            stripe_secret_key: secret(key),
            stripe_organization_id: Some(OrganizationId::new(DateTime::UNIX_EPOCH)),
            ..StripeSettings::none()
        }
    }

    #[test]
    fn keys_are_told_by_their_beginning() {
        for (key, mode) in [
            ("sk_live_abcdefgh", Some(KeyMode::Live)),
            ("rk_live_abcdefgh", Some(KeyMode::Live)),
            ("sk_test_abcdefgh", Some(KeyMode::Test)),
            ("rk_test_abcdefgh", Some(KeyMode::Test)),
            ("pk_live_abcdefgh", None),
            ("sk_live_", None),
            ("sk_live_abc defgh", None),
            ("", None),
        ] {
            let found = settings(key)
                .account()
                .map(|account| account.map(|(_, mode, _)| mode));
            assert_eq!(found, mode.map(Some).ok_or(StripeSettingsError::Key), "{key}");
        }
        assert_eq!(StripeSettings::none().account(), Ok(None));
    }

    #[test]
    fn what_belongs_together_comes_together() {
        let alone = StripeSettings {
            stripe_organization_id: None,
            ..settings("sk_test_abcdefgh")
        };
        assert_eq!(alone.account(), Err(StripeSettingsError::NoOrganization));
        let unsigned = StripeSettings {
            stripe_webhook_secret: secret("whsec_abcdefgh"),
            ..StripeSettings::none()
        };
        assert_eq!(unsigned.account(), Err(StripeSettingsError::NoKey));
        let other = StripeSettings {
            stripe_webhook_secret: secret("sk_test_abcdefgh"),
            ..settings("sk_test_abcdefgh")
        };
        assert_eq!(other.account(), Err(StripeSettingsError::WebhookSecret));
    }

    #[test]
    fn the_key_goes_out_by_tls_or_stays_on_this_machine() {
        let base = |text: &str| {
            let settings = StripeSettings {
                stripe_api_base: text.to_owned(),
                ..StripeSettings::none()
            };
            settings.base().map(str::to_owned)
        };
        for good in [
            "https://api.stripe.com",
            "https://api.stripe.com/",
            "http://127.0.0.1:4010",
            "http://[::1]:4010",
            "http://localhost:4010",
        ] {
            assert_eq!(base(good).as_deref(), Ok(good.trim_end_matches('/')));
        }
        for bad in [
            "http://api.stripe.com",
            "http://127.0.0.1.example",
            "https://",
            "api.stripe.com",
            "",
            "https://api.stripe.com/v1",
            "https://api.stripe.com?key=1",
            "https://name:secret@api.stripe.com",
            "file:///etc/passwd",
        ] {
            assert_eq!(base(bad), Err(StripeSettingsError::ApiBase), "{bad}");
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let settings = StripeSettings {
            stripe_webhook_secret: secret("whsec_abcdefgh"),
            ..settings("sk_live_abcdefgh")
        };
        let told = format!("{settings:?}");
        assert!(!told.contains("abcdefgh"), "{told}");
    }
}
