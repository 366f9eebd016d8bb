//! What an entry of the audit trail is.

use crate::kernel::ctx::ActorId;
use crate::kernel::id::{AuditEventId, RequestId, UserId};
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

word_enum! {
    /// Who acted.
    ActorType, "actor type" {
        /// A machine with an API key.
        ApiKey = "api_key",
        /// A person.
        User = "user",
        /// The service itself.
        System = "system",
    }
}

/// Something that somebody did.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// Its id.
    pub id: AuditEventId,
    /// What was done; the type of the event that goes with it.
    pub action: String,
    /// The noun of the record that it was done to.
    pub subject_type: String,
    /// The id of that record.
    pub subject_id: Uuid,
    /// Who acted.
    pub actor_type: ActorType,
    /// The key or user that acted; the service itself has none.
    pub actor_id: Option<ActorId>,
    /// The person on whose behalf: the user itself, or the owner of the key.
    pub user_id: Option<UserId>,
    /// The changed fields, each with its value before and after.
    pub changes: Value,
    /// Why, where a reason was given.
    pub reason: Option<String>,
    /// The request that did it.
    pub request_id: Option<RequestId>,
    /// The network address that the request came from.
    pub address: Option<String>,
    /// When it was done.
    pub occurred_at: DateTime<Utc>,
}
