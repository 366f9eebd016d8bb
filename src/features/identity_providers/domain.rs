//! What an identity provider is and how it moves.

use crate::kernel::id::{IdentityProviderId, PartnerId, RoleId};
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

word_enum! {
    /// Where an identity provider stands.
    IdentityProviderStatus, "identity provider status" {
        /// Its people are let in.
        Active = "active",
        /// Its people are refused for now.
        Suspended = "suspended",
    }
}

word_enum! {
    /// How an identity provider's tokens are signed (RFC 7518, RFC 8037); nothing symmetric, and never `none`.
    SigningAlgorithm, "signing algorithm" {
        /// RSA PKCS #1 with SHA-256.
        Rs256 = "RS256",
        /// RSA PKCS #1 with SHA-384.
        Rs384 = "RS384",
        /// RSA PKCS #1 with SHA-512.
        Rs512 = "RS512",
        /// RSA PSS with SHA-256.
        Ps256 = "PS256",
        /// RSA PSS with SHA-384.
        Ps384 = "PS384",
        /// RSA PSS with SHA-512.
        Ps512 = "PS512",
        /// P-256 with SHA-256.
        Es256 = "ES256",
        /// P-384 with SHA-384.
        Es384 = "ES384",
        /// Ed25519.
        EdDsa = "EdDSA",
    }
}

word_enum! {
    /// Whom a provider may let in.
    Provisioning, "provisioning" {
        /// Only people who are users here already; at their first arrival they are known by their e-mail address.
        KnownPeople = "known_people",
        /// Whoever it vouches for: a user is made at the first arrival.
        JustInTime = "just_in_time",
    }
}

/// Where the public keys of a provider are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// At an address.
    JwksUrl(String),
    /// As they were handed over.
    Jwks(Value),
}

/// In which claims a provider says what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClaimNames {
    /// Who somebody is, for good.
    pub subject: String,
    /// The e-mail address.
    pub email: String,
    /// The name.
    pub name: String,
    /// The partner whose person it is; only of the organization's own provider.
    pub partner: Option<String>,
}

/// An identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IdentityProvider {
    /// Its id.
    pub id: IdentityProviderId,
    /// The partner whose provider it is; `None` for the organization's own.
    pub partner_id: Option<PartnerId>,
    /// Its name.
    pub name: String,
    /// Who issues its tokens.
    pub issuer: String,
    /// For whom its tokens are: one of these.
    pub audiences: Vec<String>,
    /// Where its public keys are.
    pub keys: KeySource,
    /// How its tokens are signed: in one of these ways.
    pub algorithms: Vec<SigningAlgorithm>,
    /// In which claims it says what.
    pub claims: ClaimNames,
    /// Of which domains e-mail addresses are; empty is any.
    pub email_domains: Vec<String>,
    /// Whether an e-mail address counts that the provider does not vouch for (`email_verified`).
    pub accepts_unverified_email: bool,
    /// Whom it may let in.
    pub provisioning: Provisioning,
    /// The roles of users who are made at their first arrival.
    pub default_role_ids: Vec<RoleId>,
    /// Values of `amr` that are a second factor (RFC 8176).
    pub second_factor_methods: Vec<String>,
    /// Values of `acr` that are a second factor.
    pub second_factor_classes: Vec<String>,
    /// Where it stands.
    pub status: IdentityProviderStatus,
    /// Why it stands there, where a reason was given.
    pub status_reason: Option<String>,
    /// When its keys were last read at their address.
    pub keys_read_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new provider is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIdentityProvider {
    /// The partner whose provider it is.
    pub partner_id: Option<PartnerId>,
    /// Its name.
    pub name: String,
    /// Who issues its tokens.
    pub issuer: String,
    /// For whom its tokens are.
    pub audiences: Vec<String>,
    /// Where its public keys are.
    pub keys: KeySource,
    /// How its tokens are signed.
    pub algorithms: Vec<SigningAlgorithm>,
    /// In which claims it says what.
    pub claims: ClaimNames,
    /// Of which domains e-mail addresses are.
    pub email_domains: Vec<String>,
    /// Whether an e-mail address counts that the provider does not vouch for.
    pub accepts_unverified_email: bool,
    /// Whom it may let in.
    pub provisioning: Provisioning,
    /// The roles of users who are made at their first arrival.
    pub default_role_ids: Vec<RoleId>,
    /// Values of `amr` that are a second factor.
    pub second_factor_methods: Vec<String>,
    /// Values of `acr` that are a second factor.
    pub second_factor_classes: Vec<String>,
}

/// What may be changed of a provider. Not its issuer and its claims: they are who its people are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdentityProviderPatch {
    /// Its name.
    pub name: Option<String>,
    /// For whom its tokens are.
    pub audiences: Option<Vec<String>>,
    /// Where its public keys are.
    pub keys: Option<KeySource>,
    /// How its tokens are signed.
    pub algorithms: Option<Vec<SigningAlgorithm>>,
    /// Of which domains e-mail addresses are.
    pub email_domains: Option<Vec<String>>,
    /// Whether an e-mail address counts that the provider does not vouch for.
    pub accepts_unverified_email: Option<bool>,
    /// Whom it may let in.
    pub provisioning: Option<Provisioning>,
    /// The roles of users who are made at their first arrival.
    pub default_role_ids: Option<Vec<RoleId>>,
    /// Values of `amr` that are a second factor.
    pub second_factor_methods: Option<Vec<String>>,
    /// Values of `acr` that are a second factor.
    pub second_factor_classes: Option<Vec<String>>,
}

impl IdentityProvider {
    /// A new provider, whose people may come in at once.
    pub fn connect(new: NewIdentityProvider, now: DateTime<Utc>) -> Self {
        Self {
            id: IdentityProviderId::new(now),
            partner_id: new.partner_id,
            name: new.name,
            issuer: new.issuer,
            audiences: new.audiences,
            keys: new.keys,
            algorithms: new.algorithms,
            claims: new.claims,
            email_domains: new.email_domains,
            accepts_unverified_email: new.accepts_unverified_email,
            provisioning: new.provisioning,
            default_role_ids: new.default_role_ids,
            second_factor_methods: new.second_factor_methods,
            second_factor_classes: new.second_factor_classes,
            status: IdentityProviderStatus::Active,
            status_reason: None,
            keys_read_at: None,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The provider with the patch applied.
    pub fn patched(self, patch: IdentityProviderPatch, now: DateTime<Utc>) -> Self {
        Self {
            name: patch.name.unwrap_or(self.name),
            audiences: patch.audiences.unwrap_or(self.audiences),
            keys: patch.keys.unwrap_or(self.keys),
            algorithms: patch.algorithms.unwrap_or(self.algorithms),
            email_domains: patch.email_domains.unwrap_or(self.email_domains),
            accepts_unverified_email: patch
                .accepts_unverified_email
                .unwrap_or(self.accepts_unverified_email),
            provisioning: patch.provisioning.unwrap_or(self.provisioning),
            default_role_ids: patch.default_role_ids.unwrap_or(self.default_role_ids),
            second_factor_methods: patch.second_factor_methods.unwrap_or(self.second_factor_methods),
            second_factor_classes: patch.second_factor_classes.unwrap_or(self.second_factor_classes),
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }

    /// Refuses its people for now.
    pub fn suspend(self, reason: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            IdentityProviderStatus::Active => {
                Ok(self.moved(IdentityProviderStatus::Suspended, Some(reason), now))
            }
            IdentityProviderStatus::Suspended => Err(self.refuse("suspend", "reinstate")),
        }
    }

    /// Lets its people in again.
    pub fn reinstate(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            IdentityProviderStatus::Suspended => Ok(self.moved(IdentityProviderStatus::Active, None, now)),
            IdentityProviderStatus::Active => Err(self.refuse("reinstate", "suspend")),
        }
    }

    fn moved(self, status: IdentityProviderStatus, reason: Option<String>, now: DateTime<Utc>) -> Self {
        Self {
            status,
            status_reason: reason,
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }

    fn refuse(&self, verb: &str, allowed: &'static str) -> Problem {
        Problem::wrong_state(verb, self.status.as_str(), &[allowed])
    }
}

/// Who somebody is to a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The provider.
    pub identity_provider_id: IdentityProviderId,
    /// Its subject.
    pub subject: String,
}
