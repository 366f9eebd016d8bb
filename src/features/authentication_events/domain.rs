//! What an authentication event is.

use crate::kernel::ctx::Ctx;
use crate::kernel::id::{
    ApiKeyId, AuthenticationEventId, IdentityProviderId, PartnerId, RequestId, SessionId, UserId,
};
use crate::kernel::word::word_enum;
use crate::platform::tokens::refusal::RefusalReason;
use chrono::{DateTime, Utc};

word_enum! {
    /// What happened at the door.
    AuthenticationEventType, "authentication event type" {
        /// Somebody came in with a token of an identity provider, for the first time with that token.
        LoggedIn = "logged_in",
        /// A credential was exchanged for a session.
        SessionCreated = "session_created",
        /// A refresh token was exchanged for another one.
        SessionRefreshed = "session_refreshed",
        /// A session was ended before its time.
        SessionRevoked = "session_revoked",
        /// A refresh token came a second time, which ended its session.
        RefreshTokenReused = "refresh_token_reused",
        /// Somebody was refused who is known by a key, a session or a provider.
        Refused = "refused",
    }
}

/// Something that happened at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticationEvent {
    /// Its id.
    pub id: AuthenticationEventId,
    /// The partner whom it concerns.
    pub partner_id: Option<PartnerId>,
    /// What happened.
    pub event_type: AuthenticationEventType,
    /// Why somebody was refused.
    pub reason: Option<RefusalReason>,
    /// The key.
    pub api_key_id: Option<ApiKeyId>,
    /// The user.
    pub user_id: Option<UserId>,
    /// The provider that vouched for the user.
    pub identity_provider_id: Option<IdentityProviderId>,
    /// The session.
    pub session_id: Option<SessionId>,
    /// Who it was to the provider.
    pub subject: Option<String>,
    /// From which network address.
    pub address: Option<String>,
    /// By which request.
    pub request_id: Option<RequestId>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Whose session something happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bearer {
    /// The session.
    pub session_id: SessionId,
    /// The partner to which it is confined.
    pub partner_id: Option<PartnerId>,
    /// The key that it was made with.
    pub api_key_id: Option<ApiKeyId>,
    /// The user.
    pub user_id: Option<UserId>,
    /// The provider that vouched for the user.
    pub identity_provider_id: Option<IdentityProviderId>,
}

impl AuthenticationEvent {
    /// Something that happened to a session.
    pub fn of(ctx: &Ctx, event_type: AuthenticationEventType, bearer: Bearer) -> Self {
        Self {
            id: AuthenticationEventId::new(ctx.wall_now),
            partner_id: bearer.partner_id,
            event_type,
            reason: None,
            api_key_id: bearer.api_key_id,
            user_id: bearer.user_id,
            identity_provider_id: bearer.identity_provider_id,
            session_id: Some(bearer.session_id),
            subject: None,
            address: ctx.address.clone(),
            request_id: Some(ctx.request_id),
            occurred_at: ctx.wall_now,
        }
    }
}
