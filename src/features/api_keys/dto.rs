//! API keys on the wire.

use super::domain::{ApiKey, ApiKeyPatch, NewApiKey};
use super::store::ApiKeyFilter;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{ApiKeyId, PartnerId, UserId};
use crate::kernel::patch::Patch;
use crate::kernel::permission::PermissionName;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::{Fields, permissions_of};
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A key to make.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ApiKeyCreate, examples(json!({"name": "Finance approver", "permissions": ["payout_runs:read", "payout_runs:approve"]})))]
#[serde(deny_unknown_fields)]
pub struct NewApiKeyBody {
    /// What the key is for.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Finance approver"
    )]
    pub name: String,
    /// What it may do: permissions that you hold yourself.
    #[schema(min_items = 1, max_items = 100)]
    pub permissions: Vec<PermissionName>,
    /// Confines the key to this partner; without it, to the partner of its owner.
    #[schema(nullable = false)]
    pub partner_id: Option<PartnerId>,
    /// The user whom it belongs to: it may do what its owner still may, and ends when the owner goes. Without this it
    /// belongs to you, if you are a person or have a key of one.
    #[schema(nullable = false)]
    pub owner_id: Option<UserId>,
    /// The networks that it may be used from, as CIDR; empty is all.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub allowed_networks: Vec<NetworkText>,
    /// When it ends by itself.
    #[schema(nullable = false)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// A network in CIDR notation, IPv4 or IPv6.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, max_length = 50, pattern = "^[0-9a-fA-F:.]+/[0-9]{1,3}$", example = "203.0.113.0/24")]
pub struct NetworkText(pub String);

/// The networks of these texts in `/allowed_networks`, without the bits that a mask takes away.
fn networks(texts: &[NetworkText]) -> Result<Vec<String>, Problem> {
    let mut fields = Fields::new();
    let mut networks = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        match text.0.parse::<IpNet>() {
            Ok(network) => networks.push(network.trunc().to_string()),
            Err(_) => fields.refuse(
                format!("/allowed_networks/{index}"),
                "invalid_network",
                "This is no network in CIDR notation.",
            ),
        }
    }
    fields.finish(Some(networks))
}

/// Changes of a key: absent leaves a field as it is, `null` clears it. What it may do never changes.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ApiKeyUpdate, min_properties = 1, examples(json!({"allowed_networks": ["203.0.113.0/24"], "expires_at": null})))]
#[serde(deny_unknown_fields)]
pub struct PatchApiKeyBody {
    /// What the key is for.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Finance approver"
    )]
    pub name: Option<String>,
    /// The networks that it may be used from, as CIDR; empty is all.
    #[schema(nullable = false, max_items = 50)]
    pub allowed_networks: Option<Vec<NetworkText>>,
    /// When it ends by itself.
    #[serde(default)]
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub expires_at: Patch<DateTime<Utc>>,
}

impl PatchApiKeyBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> Result<ApiKeyPatch, Problem> {
        Ok(ApiKeyPatch {
            name: self.name.clone(),
            allowed_networks: self.allowed_networks.as_deref().map(networks).transpose()?,
            expires_at: self.expires_at.clone(),
        })
    }
}

/// How to rotate a key.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ApiKeyRotation, examples(json!({"overlap_seconds": 86400})))]
#[serde(deny_unknown_fields)]
pub struct RotateApiKeyBody {
    /// For how many seconds the present secret stays good beside the new one; 0 ends it at once.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 2592000, default = 0, example = 86400)]
    pub overlap_seconds: u32,
}

impl NewApiKeyBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> Result<NewApiKey, Problem> {
        let (name, partner_id, expires_at) = (self.name.clone(), self.partner_id, self.expires_at);
        Ok(NewApiKey {
            name,
            partner_id,
            owner_id: self.owner_id,
            allowed_networks: networks(&self.allowed_networks)?,
            permissions: permissions_of(&self.permissions)?,
            expires_at,
        })
    }
}

/// An API key, without its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ApiKey, examples(json!({"id": "key_01j9zq4y8k7m5n3p2r1s0t6v4w", "name": "Finance approver", "prefix": "cpk_x7Yd2kQ1", "permissions": ["payout_runs:read", "payout_runs:approve"], "partner_id": null, "owner_id": null, "expires_at": null, "revoked_at": null, "allowed_networks": [], "last_used_at": "2026-03-02T09:30:00Z", "previous_secret_until": null, "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:00Z"})))]
pub struct ApiKeyView {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is for.
    #[schema(max_length = 255)]
    pub name: String,
    /// The beginning of the key, to tell keys apart.
    #[schema(max_length = 32)]
    pub prefix: String,
    /// What it may do.
    #[schema(max_items = 100)]
    pub permissions: Vec<PermissionName>,
    /// The partner to which it is confined.
    #[schema(required)]
    pub partner_id: Option<PartnerId>,
    /// The user whom it belongs to; `null` for a machine's own key.
    #[schema(required)]
    pub owner_id: Option<UserId>,
    /// When it ends by itself.
    #[schema(required)]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    #[schema(required)]
    pub revoked_at: Option<DateTime<Utc>>,
    /// The networks that it may be used from, as CIDR; empty is all.
    #[schema(max_items = 50)]
    pub allowed_networks: Vec<NetworkText>,
    /// When it was last used, give or take some seconds.
    #[schema(required)]
    pub last_used_at: Option<DateTime<Utc>>,
    /// Until when the secret before the present one is good; `null` when it was never rotated.
    #[schema(required)]
    pub previous_secret_until: Option<DateTime<Utc>>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            prefix: key.prefix,
            permissions: key.permissions.into_iter().map(PermissionName).collect(),
            partner_id: key.partner_id,
            owner_id: key.owner_id,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            allowed_networks: key.allowed_networks.into_iter().map(NetworkText).collect(),
            last_used_at: key.last_used_at,
            previous_secret_until: key.previous_secret_until,
            created_at: key.created_at,
            updated_at: key.updated_at,
        }
    }
}

/// A new API key with its secret, which is never shown again.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ApiKeySecret, examples(json!({"id": "key_01j9zq4y8k7m5n3p2r1s0t6v4w", "name": "Finance approver", "secret": "cpk_x7Yd2kQ1mZ0aT5vB8nC3wE6rU9pL4sJ7gH2fD1kXyz", "prefix": "cpk_x7Yd2kQ1", "permissions": ["payout_runs:approve"], "partner_id": null, "owner_id": null, "expires_at": null, "created_at": "2026-03-01T08:00:00Z"})))]
pub struct ApiKeySecretView {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is for.
    #[schema(max_length = 255)]
    pub name: String,
    /// The whole key. Keep it: it is shown this one time, and `null` when the answer is given again.
    #[schema(required, max_length = 128, pattern = "^cpk_[A-Za-z0-9_-]+$")]
    pub secret: Option<String>,
    /// The beginning of the key, to tell keys apart.
    #[schema(max_length = 32)]
    pub prefix: String,
    /// What it may do.
    #[schema(max_items = 100)]
    pub permissions: Vec<PermissionName>,
    /// The partner to which it is confined.
    #[schema(required)]
    pub partner_id: Option<PartnerId>,
    /// The user whom it belongs to; `null` for a machine's own key.
    #[schema(required)]
    pub owner_id: Option<UserId>,
    /// When it ends by itself.
    #[schema(required)]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
}

impl ApiKeySecretView {
    /// The key with its secret.
    pub fn new(key: ApiKey, secret: Option<String>) -> Self {
        Self {
            id: key.id,
            name: key.name,
            secret,
            prefix: key.prefix,
            permissions: key.permissions.into_iter().map(PermissionName).collect(),
            partner_id: key.partner_id,
            owner_id: key.owner_id,
            expires_at: key.expires_at,
            created_at: key.created_at,
        }
    }
}

page_of!(ApiKeyPage, ApiKeyView, "API keys");

/// What a list of keys is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ApiKeysQuery {
    /// Only keys confined to this partner.
    pub partner_id: Option<PartnerId>,
    /// Only keys of this user.
    pub owner_id: Option<UserId>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl ApiKeysQuery {
    /// The page that is asked for.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> ApiKeyFilter {
        ApiKeyFilter {
            partner_id: self.partner_id,
            owner_id: self.owner_id,
        }
    }
}

/// The key that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ApiKeyPath {
    /// The API key.
    pub api_key_id: ApiKeyId,
}
