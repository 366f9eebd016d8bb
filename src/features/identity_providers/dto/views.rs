//! What is answered about identity providers.

use super::super::domain::{
    IdentityProvider, IdentityProviderStatus, KeySource, Provisioning, SigningAlgorithm,
};
use super::claims::{ClaimNamesBody, ClaimText, EmailDomain, claim_texts};
use crate::kernel::id::{IdentityProviderId, PartnerId, RoleId};
use crate::page_of;
use crate::platform::tokens::keys::KeySet;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// An identity provider: where people come from.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = IdentityProvider, examples(json!({"id": "idp_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": null, "name": "Nordlicht staff", "issuer": "https://login.nordlicht.example", "audiences": ["copartner"], "jwks_url": "https://login.nordlicht.example/jwks.json", "jwks": null, "algorithms": ["RS256", "ES256", "EdDSA"], "claims": {"subject": "sub", "email": "email", "name": "name", "partner": null}, "email_domains": ["nordlicht.example"], "accepts_unverified_email": false, "provisioning": "known_people", "default_role_ids": [], "second_factor_methods": ["mfa"], "second_factor_classes": [], "status": "active", "status_reason": null, "keys_read_at": "2026-03-01T08:00:05Z", "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:00Z"})))]
pub struct IdentityProviderView {
    /// Its id.
    pub id: IdentityProviderId,
    /// The partner whose provider it is; `null` for your own.
    #[schema(required)]
    pub partner_id: Option<PartnerId>,
    /// Its name.
    #[schema(max_length = 255)]
    pub name: String,
    /// Who issues its tokens.
    #[schema(max_length = 255)]
    pub issuer: String,
    /// For whom its tokens are.
    #[schema(max_items = 10)]
    pub audiences: Vec<ClaimText>,
    /// Where its public keys are.
    #[schema(required, max_length = 1024)]
    pub jwks_url: Option<String>,
    /// Its public keys, where they were handed over.
    #[schema(required, value_type = Option<Object>)]
    pub jwks: Option<Value>,
    /// How its tokens are signed.
    #[schema(max_items = 9)]
    pub algorithms: Vec<SigningAlgorithm>,
    /// In which claims it says what.
    pub claims: ClaimNamesBody,
    /// Of which domains its people's e-mail addresses are; empty is any.
    #[schema(max_items = 50)]
    pub email_domains: Vec<EmailDomain>,
    /// Whether an e-mail address counts though the claim `email_verified` is not true.
    pub accepts_unverified_email: bool,
    /// Whom it may let in.
    pub provisioning: Provisioning,
    /// The roles of users who are made at their first arrival.
    #[schema(max_items = 20)]
    pub default_role_ids: Vec<RoleId>,
    /// Values of the claim `amr` that are a second factor.
    #[schema(max_items = 20)]
    pub second_factor_methods: Vec<ClaimText>,
    /// Values of the claim `acr` that are a second factor.
    #[schema(max_items = 20)]
    pub second_factor_classes: Vec<ClaimText>,
    /// Where it stands: active or suspended.
    pub status: IdentityProviderStatus,
    /// Why it was suspended.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// When its keys were last read at their address.
    #[schema(required)]
    pub keys_read_at: Option<DateTime<Utc>>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<IdentityProvider> for IdentityProviderView {
    fn from(provider: IdentityProvider) -> Self {
        let (jwks_url, jwks) = match provider.keys {
            KeySource::JwksUrl(url) => (Some(url), None),
            KeySource::Jwks(document) => (None, Some(document)),
        };
        Self {
            id: provider.id,
            partner_id: provider.partner_id,
            name: provider.name,
            issuer: provider.issuer,
            audiences: claim_texts(provider.audiences),
            jwks_url,
            jwks,
            algorithms: provider.algorithms,
            claims: provider.claims.into(),
            email_domains: provider.email_domains.into_iter().map(EmailDomain).collect(),
            accepts_unverified_email: provider.accepts_unverified_email,
            provisioning: provider.provisioning,
            default_role_ids: provider.default_role_ids,
            second_factor_methods: claim_texts(provider.second_factor_methods),
            second_factor_classes: claim_texts(provider.second_factor_classes),
            status: provider.status,
            status_reason: provider.status_reason,
            keys_read_at: provider.keys_read_at,
            created_at: provider.created_at,
            updated_at: provider.updated_at,
        }
    }
}

page_of!(IdentityProviderPage, IdentityProviderView, "identity providers");

/// What came of reading a provider's keys.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = IdentityProviderKeysRead, examples(json!({"readable": true, "usable_keys": 2, "read_at": "2026-03-01T08:00:05Z"})))]
pub struct KeysReadView {
    /// Whether a set with usable keys was read, or is remembered from before.
    pub readable: bool,
    /// How many keys are usable: public, for signatures, of a known kind and long enough.
    #[schema(minimum = 0, maximum = 100)]
    pub usable_keys: usize,
    /// When.
    pub read_at: DateTime<Utc>,
}

impl KeysReadView {
    /// What was read.
    pub fn new(keys: Option<&KeySet>, read_at: DateTime<Utc>) -> Self {
        Self {
            readable: keys.is_some(),
            usable_keys: keys.map_or(0, KeySet::len),
            read_at,
        }
    }
}
