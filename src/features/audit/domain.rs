//! What an entry of the audit trail is, and the chain that seals the entries.

use crate::kernel::ctx::ActorId;
use crate::kernel::id::{AuditEventId, PartnerId, RequestId, SessionId, UserId};
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
    /// The session in which it was done.
    pub session_id: Option<SessionId>,
    /// The partner to which whoever acted was confined.
    pub partner_id: Option<PartnerId>,
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

word_enum! {
    /// What a check of the chain came to.
    ChainStatus, "chain status" {
        /// Everything that was sealed is as it was.
        Intact = "intact",
        /// Something is not.
        Broken = "broken",
    }
}

word_enum! {
    /// What is wrong with the trail.
    FaultKind, "fault of the audit trail" {
        /// An entry is another than was sealed.
        EntryChanged = "entry_changed",
        /// An entry is gone.
        EntryMissing = "entry_missing",
        /// An entry is neither sealed nor waits for it: it was put in, or its link was taken away.
        EntryUnknown = "entry_unknown",
        /// A link does not follow the one before it, or its own hash is not the one that the next link follows.
        LinkChanged = "link_changed",
        /// A link stands at another position than it was made for.
        LinkMisplaced = "link_misplaced",
        /// A position has no link.
        LinkMissing = "link_missing",
        /// The head that the caller remembers is not in the chain: its end was taken away or written anew.
        KnownHeadLost = "known_head_lost",
    }
}

/// The head of a chain as somebody remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownHead {
    /// Its position; `0` before the first link.
    pub position: i64,
    /// Its hash, 64 hexadecimal digits.
    pub hash: String,
}

/// The first thing that is wrong with a trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// Where in the chain; entries beside it have no position.
    pub position: Option<i64>,
    /// With which entry.
    pub audit_event_id: Option<AuditEventId>,
}

/// The chain of an organization's audit trail at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditChain {
    /// How many entries are sealed.
    pub sealed: i64,
    /// How many entries wait to be sealed.
    pub unsealed: i64,
    /// The last link, or what the first one will follow.
    pub head: KnownHead,
    /// The first thing that is wrong.
    pub fault: Option<Fault>,
    /// Whether the chain still holds the head that was asked about.
    pub known_head_kept: Option<bool>,
}

impl AuditChain {
    /// What the check came to.
    pub fn status(&self) -> ChainStatus {
        match self.fault {
            None => ChainStatus::Intact,
            Some(_) => ChainStatus::Broken,
        }
    }

    /// The same chain, compared with a head that the caller remembers. That it is lost is a fault too, if there is no
    /// other.
    #[must_use]
    pub fn compared(mut self, known: &KnownHead, is_kept: bool) -> Self {
        self.known_head_kept = Some(is_kept);
        if !is_kept && self.fault.is_none() {
            self.fault = Some(Fault {
                kind: FaultKind::KnownHeadLost,
                position: Some(known.position),
                audit_event_id: None,
            });
        }
        self
    }
}
