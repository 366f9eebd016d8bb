//! Who asks, for whom, when: what every service function is told and none of them looks up.

use super::id::{ApiKeyId, IdentityProviderId, OrganizationId, PartnerId, RequestId, SessionId, UserId};
use super::permission::Permission;
use super::problem::{Code, Problem};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
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
    /// A person.
    User(UserId),
    /// The service itself: a worker, or the first start.
    System,
}

impl Actor {
    /// The name of the kind in the audit trail.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::ApiKey(_) => "api_key",
            Self::User(_) => "user",
            Self::System => "system",
        }
    }

    /// The id of the acting record; the service itself has none.
    pub fn id(self) -> Option<Uuid> {
        match self {
            Self::ApiKey(id) => Some(id.uuid()),
            Self::User(id) => Some(id.uuid()),
            Self::System => None,
        }
    }

    /// The acting record.
    pub fn record(self) -> Option<ActorId> {
        match self {
            Self::ApiKey(id) => Some(ActorId::ApiKey(id)),
            Self::User(id) => Some(ActorId::User(id)),
            Self::System => None,
        }
    }
}

/// The id of somebody who acts: a key's or a user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActorId {
    /// A machine.
    ApiKey(ApiKeyId),
    /// A person.
    User(UserId),
}

impl ActorId {
    /// The id without its kind.
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::ApiKey(id) => id.uuid(),
            Self::User(id) => id.uuid(),
        }
    }

    /// The kind, as the database keeps it beside the id.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::ApiKey(_) => "api_key",
            Self::User(_) => "user",
        }
    }

    /// The id of a kind, as the database keeps both side by side.
    pub fn of_columns(kind: Option<&str>, id: Option<Uuid>) -> Option<Self> {
        match (kind, id) {
            (Some("api_key"), Some(id)) => Some(Self::ApiKey(ApiKeyId::from_uuid(id))),
            (Some("user"), Some(id)) => Some(Self::User(UserId::from_uuid(id))),
            _ => None,
        }
    }
}

impl From<ActorId> for Actor {
    fn from(id: ActorId) -> Self {
        match id {
            ActorId::ApiKey(id) => Self::ApiKey(id),
            ActorId::User(id) => Self::User(id),
        }
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiKey(id) => id.fmt(formatter),
            Self::User(id) => id.fmt(formatter),
        }
    }
}

impl Serialize for ActorId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ActorId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let key = text.parse().map(Self::ApiKey);
        key.or_else(|_| text.parse().map(Self::User))
            .map_err(|_| serde::de::Error::custom("an id `key_...` or `usr_...` is needed"))
    }
}

impl utoipa::PartialSchema for ActorId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^(key|usr)_[0-9a-z]{10,60}$"))
            .max_length(Some(64))
            .description(Some("The id of somebody who acts: an API key's or a user's."))
            .examples([serde_json::json!("usr_01j9zq4y8k7m5n3p2r1s0t6v4w")])
            .into()
    }
}

impl utoipa::ToSchema for ActorId {}

/// The circumstances of one request or one worker's step.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// Who acts.
    pub actor: Actor,
    /// The person behind the actor, where there is one: the user, or the owner of the key.
    pub person: Option<UserId>,
    /// The session that the actor acts in, where it came with a token of the service's own.
    pub session_id: Option<SessionId>,
    /// The identity provider by whose word the person is let in.
    pub identity_provider_id: Option<IdentityProviderId>,
    /// Whether the person proved itself by a second factor.
    pub second_factor: bool,
    /// Counts the changes of what the actor may do, as it was let in; `None` goes by the rights of the moment.
    pub access_version: Option<i64>,
    /// When the secret ends with which the actor's key came, where it is known to end.
    pub key_ends_at: Option<DateTime<Utc>>,
    /// The admission that the actor's key was let in with: as long as the key has it, nothing has changed on which the
    /// key rests. `None` has everything looked at.
    pub admission_id: Option<Uuid>,
    /// What the actor may do.
    pub rights: Arc<[Permission]>,
    /// On which rows.
    pub scope: Scope,
    /// The instant at which everything in this step happens, by the organization's clock.
    pub now: DateTime<Utc>,
    /// The same instant by the machine's clock, behind that of a sandbox whose clock was moved. What lets callers in, and
    /// what replicas agree on among themselves, goes by it: ends of keys and sessions, kept answers, leases, seals.
    pub wall_now: DateTime<Utc>,
    /// The request that caused it.
    pub request_id: RequestId,
    /// The network address the request came from.
    pub address: Option<String>,
}

impl Ctx {
    /// The circumstances of a step that the service takes by itself, where the organization's clock is the machine's.
    pub fn system(organization_id: OrganizationId, now: DateTime<Utc>) -> Self {
        Self {
            actor: Actor::System,
            person: None,
            session_id: None,
            identity_provider_id: None,
            second_factor: false,
            access_version: None,
            key_ends_at: None,
            admission_id: None,
            rights: Arc::from(Permission::ALL),
            scope: Scope {
                organization_id,
                partner_id: None,
            },
            now,
            wall_now: now,
            request_id: RequestId::new(now),
            address: None,
        }
    }

    /// The step at the same moment, where the organization's clock is this much ahead of the machine's.
    #[must_use]
    pub fn ahead_by(self, offset: TimeDelta) -> Self {
        Self {
            now: self.wall_now + offset,
            ..self
        }
    }

    /// The tenant of the step.
    pub fn organization_id(&self) -> OrganizationId {
        self.scope.organization_id
    }

    /// Whether the actor may do this.
    pub fn holds(&self, permission: Permission) -> bool {
        self.rights.contains(&permission)
    }

    /// Refuses an actor who may not do this.
    pub fn require(&self, permission: Permission) -> Result<(), Problem> {
        if self.holds(permission) {
            return Ok(());
        }
        let detail = format!("This needs the permission {}.", permission.name());
        Err(Problem::new(Code::PermissionDenied).because(detail))
    }

    /// The partner to which a new record of the caller belongs, where the caller may have named one. A partner's caller
    /// names its own or none; for it there is no other.
    pub fn partner_of_new(&self, named: Option<PartnerId>) -> Result<Option<PartnerId>, Problem> {
        match (self.scope.partner_id, named) {
            (Some(own), Some(named)) if own != named => Err(Problem::field(
                "/partner_id",
                "unknown_reference",
                "There is no such record.",
            )),
            (own, named) => Ok(own.or(named)),
        }
    }

    /// Who answers for what is done: the person where there is one, else the machine. Two keys of one person are one
    /// where a second person is asked for.
    pub fn responsible(&self) -> Option<ActorId> {
        self.person.map(ActorId::User).or_else(|| self.actor.record())
    }
}
