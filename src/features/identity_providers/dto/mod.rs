//! Identity providers on the wire.

mod claims;
mod views;

pub use views::{IdentityProviderPage, IdentityProviderView, KeysReadView};

use super::domain::{
    IdentityProviderPatch, IdentityProviderStatus, KeySource, NewIdentityProvider, Provisioning,
    SigningAlgorithm,
};
use super::store::IdentityProviderFilter;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{IdentityProviderId, PartnerId, RoleId};
use crate::kernel::problem::Problem;
use crate::platform::db::PageRequest;
use crate::platform::tokens::keys::KeySet;
use crate::platform::web::Fields;
use claims::{
    ClaimNamesBody, ClaimText, EmailDomain, domains, known_people, multi_factor, texts, usual_algorithms,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// Members of a key that nobody but its owner may know (RFC 7518).
const PRIVATE: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// An identity provider to connect. Its keys are at `jwks_url` or in `jwks`.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = IdentityProviderCreate, examples(json!({"name": "Nordlicht staff", "issuer": "https://login.nordlicht.example", "audiences": ["copartner"], "jwks_url": "https://login.nordlicht.example/jwks.json"})))]
#[serde(deny_unknown_fields)]
pub struct NewIdentityProviderBody {
    /// The partner whose provider this is; without it, your own.
    #[schema(nullable = false)]
    pub partner_id: Option<PartnerId>,
    /// Its name.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Nordlicht staff"
    )]
    pub name: String,
    /// Who issues its tokens: exactly what stands in their claim `iss`.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^https?://[^\s\x00]+$",
        example = "https://login.nordlicht.example"
    )]
    pub issuer: String,
    /// For whom its tokens are: one of these stands in their claim `aud`. Often the client id of your application.
    #[schema(min_items = 1, max_items = 10)]
    pub audiences: Vec<ClaimText>,
    /// Where its public keys are (JSON Web Key Set, RFC 7517).
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 1024,
        pattern = r"^https?://[^\s\x00]+$",
        example = "https://login.nordlicht.example/jwks.json"
    )]
    pub jwks_url: Option<String>,
    /// Its public keys themselves (JSON Web Key Set, RFC 7517), where there is no address. Never private ones.
    #[schema(nullable = false, value_type = Option<Object>)]
    pub jwks: Option<Value>,
    /// How its tokens are signed: in one of these ways.
    #[serde(default = "usual_algorithms")]
    #[schema(default = json!(["RS256", "ES256", "EdDSA"]), min_items = 1, max_items = 9)]
    pub algorithms: Vec<SigningAlgorithm>,
    /// In which claims it says what.
    #[serde(default)]
    pub claims: ClaimNamesBody,
    /// Of which domains its people's e-mail addresses are; empty is any.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub email_domains: Vec<EmailDomain>,
    /// Whether an e-mail address counts though the claim `email_verified` is not true. Only where people cannot choose
    /// their address themselves.
    #[serde(default)]
    #[schema(default = false)]
    pub accepts_unverified_email: bool,
    /// Whom it may let in.
    #[serde(default = "known_people")]
    #[schema(default = "known_people")]
    pub provisioning: Provisioning,
    /// The roles of users who are made at their first arrival.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub default_role_ids: Vec<RoleId>,
    /// Values of the claim `amr` that are a second factor (RFC 8176).
    #[serde(default = "multi_factor")]
    #[schema(default = json!(["mfa"]), max_items = 20)]
    pub second_factor_methods: Vec<ClaimText>,
    /// Values of the claim `acr` that are a second factor.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub second_factor_classes: Vec<ClaimText>,
}

impl NewIdentityProviderBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> Result<NewIdentityProvider, Problem> {
        let body = self.clone();
        let keys = key_source(body.jwks_url, body.jwks)?.ok_or_else(|| {
            let message = "Say where the keys are, or give them in jwks.";
            Problem::field("/jwks_url", "missing", message)
        })?;
        Ok(NewIdentityProvider {
            partner_id: body.partner_id,
            name: body.name,
            issuer: body.issuer,
            audiences: texts(&body.audiences),
            keys,
            algorithms: body.algorithms,
            claims: body.claims.into(),
            email_domains: domains(&body.email_domains),
            accepts_unverified_email: body.accepts_unverified_email,
            provisioning: body.provisioning,
            default_role_ids: body.default_role_ids,
            second_factor_methods: texts(&body.second_factor_methods),
            second_factor_classes: texts(&body.second_factor_classes),
        })
    }
}

/// The usable keys of a set.
pub fn key_set(document: &Value) -> Option<Arc<KeySet>> {
    KeySet::read(document)
        .filter(|keys| !keys.is_empty())
        .map(Arc::new)
}

fn key_source(url: Option<String>, document: Option<Value>) -> Result<Option<KeySource>, Problem> {
    match (url, document) {
        (Some(_), Some(_)) => {
            let message = "The keys are at an address or in the body, not both.";
            Err(Problem::field("/jwks", "too_many", message))
        }
        (Some(url), None) => Ok(Some(KeySource::JwksUrl(url))),
        (None, Some(document)) => {
            let mut fields = Fields::new();
            // Whatever else stands in the document is not asked for, and may be a secret.
            let document = json!({ "keys": document.get("keys") });
            let keys = document["keys"].as_array();
            let is_private = |key: &Value| PRIVATE.iter().any(|member| key.get(member).is_some());
            let leaks = keys.is_some_and(|keys| keys.iter().any(is_private));
            fields.require(!leaks, "/jwks", "private_key", "Give the public keys alone.");
            let usable = key_set(&document).is_some();
            fields.require(
                usable,
                "/jwks",
                "no_usable_key",
                "There is no usable public key in it.",
            );
            fields.finish(Some(Some(KeySource::Jwks(document))))
        }
        (None, None) => Ok(None),
    }
}

/// Changes of an identity provider: absent leaves a field as it is.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = IdentityProviderUpdate, min_properties = 1, examples(json!({"provisioning": "just_in_time", "email_domains": ["nordlicht.example"]})))]
#[serde(deny_unknown_fields)]
pub struct PatchIdentityProviderBody {
    /// Its name.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Nordlicht staff"
    )]
    pub name: Option<String>,
    /// For whom its tokens are.
    #[schema(nullable = false, min_items = 1, max_items = 10)]
    pub audiences: Option<Vec<ClaimText>>,
    /// Where its public keys are from now on.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 1024,
        pattern = r"^https?://[^\s\x00]+$",
        example = "https://login.nordlicht.example/jwks.json"
    )]
    pub jwks_url: Option<String>,
    /// Its public keys from now on.
    #[schema(nullable = false, value_type = Option<Object>)]
    pub jwks: Option<Value>,
    /// How its tokens are signed.
    #[schema(nullable = false, min_items = 1, max_items = 9)]
    pub algorithms: Option<Vec<SigningAlgorithm>>,
    /// Of which domains its people's e-mail addresses are; empty is any.
    #[schema(nullable = false, max_items = 50)]
    pub email_domains: Option<Vec<EmailDomain>>,
    /// Whether an e-mail address counts though the claim `email_verified` is not true.
    #[schema(nullable = false)]
    pub accepts_unverified_email: Option<bool>,
    /// Whom it may let in.
    #[schema(nullable = false)]
    pub provisioning: Option<Provisioning>,
    /// The roles of users who are made at their first arrival.
    #[schema(nullable = false, max_items = 20)]
    pub default_role_ids: Option<Vec<RoleId>>,
    /// Values of the claim `amr` that are a second factor.
    #[schema(nullable = false, max_items = 20)]
    pub second_factor_methods: Option<Vec<ClaimText>>,
    /// Values of the claim `acr` that are a second factor.
    #[schema(nullable = false, max_items = 20)]
    pub second_factor_classes: Option<Vec<ClaimText>>,
}

impl PatchIdentityProviderBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> Result<IdentityProviderPatch, Problem> {
        let body = self.clone();
        Ok(IdentityProviderPatch {
            name: body.name,
            audiences: body.audiences.as_deref().map(texts),
            keys: key_source(body.jwks_url, body.jwks)?,
            algorithms: body.algorithms,
            email_domains: body.email_domains.as_deref().map(domains),
            accepts_unverified_email: body.accepts_unverified_email,
            provisioning: body.provisioning,
            default_role_ids: body.default_role_ids,
            second_factor_methods: body.second_factor_methods.as_deref().map(texts),
            second_factor_classes: body.second_factor_classes.as_deref().map(texts),
        })
    }
}

/// What a list of identity providers is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct IdentityProvidersQuery {
    /// Only providers in this state.
    pub status: Option<IdentityProviderStatus>,
    /// Only this partner's.
    pub partner_id: Option<PartnerId>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl IdentityProvidersQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> IdentityProviderFilter {
        IdentityProviderFilter {
            status: self.status,
            partner_id: self.partner_id,
        }
    }
}

/// The identity provider that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct IdentityProviderPath {
    /// The identity provider.
    pub identity_provider_id: IdentityProviderId,
}
