//! Sessions on the wire.

use super::domain::{NewSession, REFRESH_IS_GOOD_FOR, RevokedBecause, Session};
use super::store::SessionFilter;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{ApiKeyId, IdentityProviderId, OrganizationId, PartnerId, SessionId, UserId};
use crate::kernel::permission::{Permission, PermissionName};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::credentials::NewSecret;
use crate::platform::db::PageRequest;
use crate::platform::tokens::signing::{AccessToken, SigningKey};
use crate::platform::web::Fields;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

const fn quarter_of_an_hour() -> u32 {
    900
}

/// A session to make.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = SessionCreate, examples(json!({"partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "permissions": ["deals:read"], "expires_in_seconds": 300})))]
#[serde(deny_unknown_fields)]
pub struct NewSessionBody {
    /// The partner to which the session is confined.
    #[schema(nullable = false)]
    pub partner_id: Option<PartnerId>,
    /// What the session is narrowed to; without it, all that you may do.
    #[schema(nullable = false, min_items = 1, max_items = 200)]
    pub permissions: Option<Vec<PermissionName>>,
    /// For how long an access token is good.
    #[serde(default = "quarter_of_an_hour")]
    #[schema(default = 900, minimum = 60, maximum = 3600, example = 900)]
    pub expires_in_seconds: u32,
    /// Whether there are refresh tokens, each good for 14 days, for 30 days in all. Not for a session that is lent to a
    /// partner.
    #[serde(default)]
    #[schema(default = false)]
    pub refreshable: bool,
}

impl NewSessionBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> Result<NewSession, Problem> {
        let mut fields = Fields::new();
        let mut named = Vec::new();
        for (place, name) in self.permissions.iter().flatten().enumerate() {
            match Permission::from_name(&name.0) {
                Some(permission) => named.push(permission),
                None => fields.refuse(
                    format!("/permissions/{place}"),
                    "unknown_permission",
                    "There is no such permission.",
                ),
            }
        }
        fields.finish(Some(NewSession {
            partner_id: self.partner_id,
            permissions: self.permissions.is_some().then_some(named),
            access: TimeDelta::seconds(i64::from(self.expires_in_seconds)),
            refreshable: self.refreshable,
        }))
    }
}

/// A refresh token to exchange.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[schema(as = SessionRefresh, examples(json!({"refresh_token": "cpr_3q2-7wEjRWeJq83vASNFZ4mrze8BI0Vnias3vASNFZ4"})))]
#[serde(deny_unknown_fields)]
pub struct RefreshBody {
    /// The refresh token.
    #[schema(
        min_length = 47,
        max_length = 47,
        pattern = "^cpr_[A-Za-z0-9_-]{43}$",
        example = "cpr_3q2-7wEjRWeJq83vASNFZ4mrze8BI0Vnias3vASNFZ4"
    )]
    pub refresh_token: String,
    /// For how long the new access token is good.
    #[serde(default = "quarter_of_an_hour")]
    #[schema(default = 900, minimum = 60, maximum = 3600, example = 900)]
    pub expires_in_seconds: u32,
}

impl std::fmt::Debug for RefreshBody {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RefreshBody").finish_non_exhaustive()
    }
}

/// A session: what a credential was exchanged for.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Session, examples(json!({"id": "ses_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "api_key_id": "key_01j9zq4y8k7m5n3p2r1s0t6v4w", "user_id": null, "identity_provider_id": null, "permissions": ["deals:read"], "second_factor": false, "address": "203.0.113.7", "revoked_at": null, "revoked_because": null, "expires_at": "2026-03-01T08:05:00Z", "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:00Z"})))]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// The partner to which it is confined.
    #[schema(required)]
    pub partner_id: Option<PartnerId>,
    /// The key that it was made with.
    #[schema(required)]
    pub api_key_id: Option<ApiKeyId>,
    /// The user whose it is.
    #[schema(required)]
    pub user_id: Option<UserId>,
    /// The identity provider that vouched for the user.
    #[schema(required)]
    pub identity_provider_id: Option<IdentityProviderId>,
    /// What it is narrowed to; `null` for all that its bearer may do.
    #[schema(required, max_items = 200)]
    pub permissions: Option<Vec<PermissionName>>,
    /// Whether the user proved itself by a second factor.
    pub second_factor: bool,
    /// The network address that it was made from.
    #[schema(required, max_length = 64)]
    pub address: Option<String>,
    /// When it was revoked.
    #[schema(required)]
    pub revoked_at: Option<DateTime<Utc>>,
    /// Why it was revoked.
    #[schema(required)]
    pub revoked_because: Option<RevokedBecause>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Session> for SessionView {
    fn from(session: Session) -> Self {
        let names = |names: Vec<String>| names.into_iter().map(PermissionName).collect();
        Self {
            id: session.id,
            partner_id: session.partner_id,
            api_key_id: session.api_key_id,
            user_id: session.user_id,
            identity_provider_id: session.identity_provider_id,
            permissions: session.permissions.map(names),
            second_factor: session.second_factor,
            address: session.address,
            revoked_at: session.revoked_at,
            revoked_because: session.revoked_because,
            expires_at: session.expires_at,
            created_at: session.created_at,
            updated_at: session.updated_at,
        }
    }
}

page_of!(SessionPage, SessionView, "sessions");

/// The tokens of a session; the only moment at which their texts exist.
#[derive(Clone)]
pub struct Tokens {
    access: String,
    access_expires_at: DateTime<Utc>,
    refresh: Option<(String, DateTime<Utc>)>,
}

impl Tokens {
    /// Signs an access token that is good for this long, but not longer than the session.
    pub fn sign(
        key: &SigningKey,
        session: &Session,
        access: TimeDelta,
        refresh: Option<&NewSecret>,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        let access_expires_at = session.expires_at.min(now + access);
        let access = key.sign(&AccessToken {
            session_id: session.id,
            subject: &session.subject(),
            issued_at: now,
            expires_at: access_expires_at,
        })?;
        let refresh_expires_at = session.expires_at.min(now + REFRESH_IS_GOOD_FOR);
        Ok(Self {
            access,
            access_expires_at,
            refresh: refresh.map(|secret| (secret.text.clone(), refresh_expires_at)),
        })
    }
}

/// A session with its tokens.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = OpenedSession, examples(json!({"session": {"id": "ses_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": null, "api_key_id": null, "user_id": "usr_01j9zq4y8k7m5n3p2r1s0t6v4w", "identity_provider_id": "idp_01j9zq4y8k7m5n3p2r1s0t6v4w", "permissions": null, "second_factor": true, "address": "203.0.113.7", "revoked_at": null, "revoked_because": null, "expires_at": "2026-03-31T08:00:00Z", "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:00Z"}, "token_type": "Bearer", "access_token": "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3IifQ.c2lnbmF0dXJl", "access_expires_at": "2026-03-01T08:15:00Z", "refresh_token": "cpr_3q2-7wEjRWeJq83vASNFZ4mrze8BI0Vnias3vASNFZ4", "refresh_expires_at": "2026-03-15T08:00:00Z"})))]
pub struct OpenedSessionView {
    /// The session.
    pub session: SessionView,
    /// How the access token is sent: `Authorization: Bearer ...`.
    #[schema(max_length = 16, pattern = "^Bearer$")]
    pub token_type: &'static str,
    /// The access token; shown this one time.
    #[schema(required, max_length = 4096)]
    pub access_token: Option<String>,
    /// When the access token ends.
    #[schema(required)]
    pub access_expires_at: Option<DateTime<Utc>>,
    /// The refresh token, where the session has one; shown this one time.
    #[schema(required, max_length = 64)]
    pub refresh_token: Option<String>,
    /// When the refresh token ends.
    #[schema(required)]
    pub refresh_expires_at: Option<DateTime<Utc>>,
}

impl OpenedSessionView {
    /// A session with the tokens that are shown now, or without.
    pub fn new(session: Session, tokens: Option<Tokens>) -> Self {
        let access_expires_at = tokens.as_ref().map(|tokens| tokens.access_expires_at);
        let (access, refresh) = tokens.map(|tokens| (tokens.access, tokens.refresh)).unzip();
        let (refresh_token, refresh_expires_at) = refresh.flatten().unzip();
        Self {
            session: session.into(),
            token_type: "Bearer",
            access_token: access,
            access_expires_at,
            refresh_token,
            refresh_expires_at,
        }
    }
}

/// A public key (RFC 8037) with its id.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PublicKey, examples(json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "3q2-7wEjRWeJq83vASNFZ4", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})))]
pub struct PublicKeyView {
    /// Its type.
    #[schema(max_length = 16)]
    pub kty: String,
    /// Its curve.
    #[schema(max_length = 16)]
    pub crv: String,
    /// What it signs by.
    #[schema(max_length = 16)]
    pub alg: String,
    /// What it is for.
    #[serde(rename = "use")]
    #[schema(max_length = 16)]
    pub purpose: String,
    /// Its id.
    #[schema(max_length = 64)]
    pub kid: String,
    /// The key itself.
    #[schema(max_length = 64)]
    pub x: String,
}

/// Public keys (JSON Web Key Set, RFC 7517).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PublicKeySet, examples(json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "3q2-7wEjRWeJq83vASNFZ4", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})))]
pub struct KeySetView {
    /// The keys: those of tokens, newest first, then those of statements.
    #[schema(max_items = 10_000)]
    pub keys: Vec<PublicKeyView>,
}

impl KeySetView {
    /// The keys as they were published: the set of those of tokens, and those of statements.
    pub fn new(of_tokens: &Value, of_statements: &[Value]) -> Self {
        let text = |key: &Value, member: &str| key[member].as_str().unwrap_or_default().to_owned();
        let view = |key: &Value| PublicKeyView {
            kty: text(key, "kty"),
            crv: text(key, "crv"),
            alg: text(key, "alg"),
            purpose: text(key, "use"),
            kid: text(key, "kid"),
            x: text(key, "x"),
        };
        Self {
            keys: of_tokens["keys"]
                .as_array()
                .into_iter()
                .flatten()
                .chain(of_statements)
                .map(view)
                .collect(),
        }
    }
}

/// What a list of sessions is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SessionsQuery {
    /// Only this user's.
    pub user_id: Option<UserId>,
    /// Only those made with this key.
    pub api_key_id: Option<ApiKeyId>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl SessionsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> SessionFilter {
        SessionFilter {
            user_id: self.user_id,
            api_key_id: self.api_key_id,
        }
    }
}

/// The session that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SessionPath {
    /// The session.
    pub session_id: SessionId,
}

/// The issuer that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct IssuerPath {
    /// The organization.
    pub organization_id: OrganizationId,
}
