//! Who asks, for whom, when: what every service function is told and none of them looks up.

use super::id::{ApiKeyId, OrganizationId, PartnerId, RequestId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The rows a caller may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// The partner to which the caller is confined, if it is one.
    pub partner_id: Option<PartnerId>,
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A machine with an API key.
    ApiKey(ApiKeyId),
    /// The service itself: a worker, or the first start.
    System,
}

impl Actor {
    /// The name of the kind in the audit trail.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::ApiKey(_) => "api_key",
            Self::System => "system",
        }
    }

    /// The id of the acting record; the service itself has none.
    pub fn id(self) -> Option<Uuid> {
        match self {
            Self::ApiKey(id) => Some(id.uuid()),
            Self::System => None,
        }
    }
}

/// The circumstances of one request or one worker's step.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// Who acts.
    pub actor: Actor,
    /// On which rows.
    pub scope: Scope,
    /// The instant at which everything in this step happens.
    pub now: DateTime<Utc>,
    /// The request that caused it.
    pub request_id: RequestId,
    /// The network address the request came from.
    pub address: Option<String>,
}

impl Ctx {
    /// The circumstances of a step that the service takes by itself.
    pub fn system(organization_id: OrganizationId, now: DateTime<Utc>) -> Self {
        Self {
            actor: Actor::System,
            scope: Scope {
                organization_id,
                partner_id: None,
            },
            now,
            request_id: RequestId::new(now),
            address: None,
        }
    }

    /// The tenant of the step.
    pub fn organization_id(&self) -> OrganizationId {
        self.scope.organization_id
    }
}
