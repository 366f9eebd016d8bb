//! The audit trail on the wire.

use super::domain::{ActorType, AuditChain, AuditEvent, ChainStatus, FaultKind, KnownHead};
use super::store::AuditFilter;
use crate::features::events::{SubjectType, SubjectView};
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{AuditEventId, PartnerId, RequestId, SessionId, UserId};
use crate::kernel::problem::Problem;
use crate::kernel::subject;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Something that somebody did.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuditEvent, examples(json!({"id": "aud_01j9zq4y8k7m5n3p2r1s0t6v4w", "action": "partner.suspended", "subject": {"type": "partner", "id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w"}, "actor_type": "api_key", "actor_id": "key_01j9zq4y8k7m5n3p2r1s0t6v4w", "user_id": null, "session_id": null, "partner_id": null, "changes": {"status": {"before": "approved", "after": "suspended"}}, "reason": "Under review.", "request_id": "req_01j9zq4y8k7m5n3p2r1s0t6v4w", "address": "203.0.113.7", "occurred_at": "2026-03-02T09:30:00Z"})))]
pub struct AuditEventView {
    /// Its id.
    pub id: AuditEventId,
    /// What was done: a noun and what happened to it.
    #[schema(max_length = 100, pattern = r"^[a-z_]+\.[a-z_]+$")]
    pub action: String,
    /// What it was done to.
    pub subject: SubjectView,
    /// Who acted: an API key, a user, or the service itself.
    pub actor_type: ActorType,
    /// The key or user that acted; `null` for the service itself.
    #[schema(required)]
    pub actor_id: Option<ActorId>,
    /// The person on whose behalf: the user itself, or the owner of the key.
    #[schema(required)]
    pub user_id: Option<UserId>,
    /// The session in which it was done, where there was one.
    #[schema(required)]
    pub session_id: Option<SessionId>,
    /// The partner to which whoever acted was confined: for whom a partner's caller, or a session lent to it, acted.
    #[schema(required)]
    pub partner_id: Option<PartnerId>,
    /// The changed fields, each with its value before and after.
    #[schema(value_type = Object)]
    pub changes: Value,
    /// Why, where a reason was given.
    #[schema(required, max_length = 1000)]
    pub reason: Option<String>,
    /// The request that did it.
    #[schema(required)]
    pub request_id: Option<RequestId>,
    /// The network address that the request came from.
    #[schema(required, max_length = 64)]
    pub address: Option<String>,
    /// When it was done.
    pub occurred_at: DateTime<Utc>,
}

impl From<AuditEvent> for AuditEventView {
    fn from(entry: AuditEvent) -> Self {
        Self {
            id: entry.id,
            action: entry.action,
            subject: SubjectView::new(entry.subject_type, entry.subject_id),
            actor_type: entry.actor_type,
            actor_id: entry.actor_id,
            user_id: entry.user_id,
            session_id: entry.session_id,
            partner_id: entry.partner_id,
            changes: entry.changes,
            reason: entry.reason,
            request_id: entry.request_id,
            address: entry.address,
            occurred_at: entry.occurred_at,
        }
    }
}

page_of!(AuditEventPage, AuditEventView, "entries of the audit trail");

/// What a list of audit events is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditEventsQuery {
    /// Only what was done to this record.
    #[param(max_length = 64, pattern = "^[a-z]+_[0-9a-z]{26}$")]
    pub subject_id: Option<String>,
    /// Only what was done to records of this noun.
    pub subject_type: Option<SubjectType>,
    /// Only what this API key or user did.
    pub actor_id: Option<ActorId>,
    /// Only what was done by this person or by a key of theirs.
    pub user_id: Option<UserId>,
    /// Only this action, such as `partner.suspended`.
    #[param(max_length = 100, pattern = r"^[a-z_]+\.[a-z_]+$")]
    pub action: Option<String>,
    /// Only what was done at or after this instant.
    pub occurred_at_gte: Option<DateTime<Utc>>,
    /// Only what was done before this instant.
    pub occurred_at_lt: Option<DateTime<Utc>>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl AuditEventsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it; an id that names no resource is refused.
    pub fn filter(&self) -> Result<AuditFilter, Problem> {
        let unknown = || Problem::field("?subject_id", "invalid_id", "This is the id of no resource.");
        let subject_id = self.subject_id.as_deref();
        let subject_id = subject_id
            .map(|text| subject::parse_id(text).ok_or_else(unknown))
            .transpose()?;
        Ok(AuditFilter {
            subject_id,
            subject_type: self.subject_type.as_ref().map(|noun| noun.0.clone()),
            actor_id: self.actor_id,
            user_id: self.user_id,
            action: self.action.clone(),
            occurred_at_gte: self.occurred_at_gte,
            occurred_at_lt: self.occurred_at_lt,
        })
    }
}

/// The chain that seals the audit trail, and whether it holds.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuditChain, examples(json!({"status": "intact", "sealed": 4711, "unsealed": 0, "head_position": 4711, "head_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "known_head_kept": true, "fault": null, "fault_position": null, "fault_audit_event_id": null})))]
pub struct AuditChainView {
    /// Whether every sealed entry is as it was.
    pub status: ChainStatus,
    /// How many entries are sealed.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub sealed: i64,
    /// How many entries wait for their seal, which they get within a second.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub unsealed: i64,
    /// The position of the last link; 0 before the first one.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub head_position: i64,
    /// The hash of the last link; keep it with its position where nobody of this service can reach it.
    #[schema(min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$")]
    pub head_hash: String,
    /// Whether the chain still holds the head that you asked about.
    #[schema(required)]
    pub known_head_kept: Option<bool>,
    /// The first thing that is wrong.
    #[schema(required)]
    pub fault: Option<FaultKind>,
    /// Where in the chain it is wrong; entries beside it have no position.
    #[schema(required, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub fault_position: Option<i64>,
    /// The entry that is wrong.
    #[schema(required)]
    pub fault_audit_event_id: Option<AuditEventId>,
}

impl From<AuditChain> for AuditChainView {
    fn from(chain: AuditChain) -> Self {
        Self {
            status: chain.status(),
            sealed: chain.sealed,
            unsealed: chain.unsealed,
            head_position: chain.head.position,
            head_hash: chain.head.hash,
            known_head_kept: chain.known_head_kept,
            fault: chain.fault.as_ref().map(|fault| fault.kind),
            fault_position: chain.fault.as_ref().and_then(|fault| fault.position),
            fault_audit_event_id: chain.fault.and_then(|fault| fault.audit_event_id),
        }
    }
}

/// A head of the chain that you kept.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditChainQuery {
    /// The position of a head that you kept; goes with `known_hash`.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub known_position: Option<i64>,
    /// The hash of that head.
    #[param(min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$")]
    pub known_hash: Option<String>,
}

impl AuditChainQuery {
    /// The head that the caller kept; half of one is refused.
    pub fn known_head(&self) -> Result<Option<KnownHead>, Problem> {
        let missing = |pointer| Problem::field(pointer, "missing", "A head is a position and a hash.");
        match (self.known_position, &self.known_hash) {
            (None, None) => Ok(None),
            (Some(position), Some(hash)) => Ok(Some(KnownHead {
                position,
                hash: hash.clone(),
            })),
            (None, Some(_)) => Err(missing("?known_position")),
            (Some(_), None) => Err(missing("?known_hash")),
        }
    }
}
