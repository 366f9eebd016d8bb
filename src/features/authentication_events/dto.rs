//! Authentication events on the wire.

use super::domain::{AuthenticationEvent, AuthenticationEventType};
use super::store::AuthenticationEventFilter;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{
    ApiKeyId, AuthenticationEventId, IdentityProviderId, PartnerId, RequestId, SessionId, UserId,
};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::tokens::refusal::RefusalReason;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Something that happened at the door.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuthenticationEvent, examples(json!({"id": "aue_01j9zq4y8k7m5n3p2r1s0t6v4w", "type": "refused", "reason": "user_not_active", "partner_id": null, "api_key_id": null, "user_id": "usr_01j9zq4y8k7m5n3p2r1s0t6v4w", "identity_provider_id": "idp_01j9zq4y8k7m5n3p2r1s0t6v4w", "session_id": null, "subject": "248289761001", "address": "203.0.113.7", "request_id": "req_01j9zq4y8k7m5n3p2r1s0t6v4w", "occurred_at": "2026-03-02T09:30:00Z"})))]
pub struct AuthenticationEventView {
    /// Its id.
    pub id: AuthenticationEventId,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: AuthenticationEventType,
    /// Why somebody was refused.
    #[schema(required)]
    pub reason: Option<RefusalReason>,
    /// The partner whom it concerns.
    #[schema(required)]
    pub partner_id: Option<PartnerId>,
    /// The key.
    #[schema(required)]
    pub api_key_id: Option<ApiKeyId>,
    /// The user.
    #[schema(required)]
    pub user_id: Option<UserId>,
    /// The provider that vouched for the user.
    #[schema(required)]
    pub identity_provider_id: Option<IdentityProviderId>,
    /// The session.
    #[schema(required)]
    pub session_id: Option<SessionId>,
    /// Who it was to the provider.
    #[schema(required, max_length = 255)]
    pub subject: Option<String>,
    /// The network address that the request came from.
    #[schema(required, max_length = 64)]
    pub address: Option<String>,
    /// The request.
    #[schema(required)]
    pub request_id: Option<RequestId>,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
}

impl From<AuthenticationEvent> for AuthenticationEventView {
    fn from(event: AuthenticationEvent) -> Self {
        Self {
            id: event.id,
            event_type: event.event_type,
            reason: event.reason,
            partner_id: event.partner_id,
            api_key_id: event.api_key_id,
            user_id: event.user_id,
            identity_provider_id: event.identity_provider_id,
            session_id: event.session_id,
            subject: event.subject,
            address: event.address,
            request_id: event.request_id,
            occurred_at: event.occurred_at,
        }
    }
}

page_of!(
    AuthenticationEventPage,
    AuthenticationEventView,
    "authentication events"
);

/// What a list of authentication events is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuthenticationEventsQuery {
    /// Only events of this type.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    pub event_type: Option<AuthenticationEventType>,
    /// Only this user's.
    pub user_id: Option<UserId>,
    /// Only what happened at or after this instant.
    pub occurred_at_gte: Option<DateTime<Utc>>,
    /// Only what happened before this instant.
    pub occurred_at_lt: Option<DateTime<Utc>>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl AuthenticationEventsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> AuthenticationEventFilter {
        AuthenticationEventFilter {
            event_type: self.event_type,
            user_id: self.user_id,
            occurred_at_gte: self.occurred_at_gte,
            occurred_at_lt: self.occurred_at_lt,
        }
    }
}
