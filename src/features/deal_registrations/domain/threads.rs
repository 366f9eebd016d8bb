//! What hangs on a registration: comments, and requests for more time.

use crate::kernel::ctx::ActorId;
use crate::kernel::id::{DealRegistrationId, RegistrationCommentId, RegistrationExtensionId};
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::Serialize;

word_enum! {
    /// Who reads a comment.
    CommentVisibility, "comment visibility" {
        /// The partner and the organization.
        Partner = "partner",
        /// The organization alone.
        Internal = "internal",
    }
}

/// Something that was said about a registration; it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comment {
    /// Its id.
    pub id: RegistrationCommentId,
    /// What it is about.
    pub deal_registration_id: DealRegistrationId,
    /// Who reads it.
    pub visibility: CommentVisibility,
    /// What was said.
    pub body: String,
    /// Who said it.
    pub created_by: ActorId,
    /// When.
    pub created_at: DateTime<Utc>,
}

word_enum! {
    /// Where a request for more time stands.
    ExtensionStatus, "extension status" {
        /// It waits for an answer.
        Requested = "requested",
        /// The protection was extended.
        Approved = "approved",
        /// It was not.
        Refused = "refused",
        /// The protection ended before it was answered.
        Lapsed = "lapsed",
    }
}

impl ExtensionStatus {
    /// The verbs that this state allows.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::Requested => &["approve", "refuse"],
            Self::Approved | Self::Refused | Self::Lapsed => &[],
        }
    }
}

/// A request for more time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Extension {
    /// Its id.
    pub id: RegistrationExtensionId,
    /// What is to be protected for longer.
    pub deal_registration_id: DealRegistrationId,
    /// Where it stands.
    pub status: ExtensionStatus,
    /// Why it was refused.
    pub reason: Option<String>,
    /// What speaks for it.
    pub evidence: String,
    /// By when an answer is promised; after that the clock of the protection stands still.
    pub respond_by: Option<DateTime<Utc>>,
    /// When it was answered.
    pub decided_at: Option<DateTime<Utc>>,
    /// Who asked.
    pub created_by: ActorId,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Extension {
    /// Grants the request, or refuses it for a reason.
    pub fn decide(self, refused: Option<String>, now: DateTime<Utc>) -> Result<Self, Problem> {
        let (verb, status) = match refused {
            None => ("approve", ExtensionStatus::Approved),
            Some(_) => ("refuse", ExtensionStatus::Refused),
        };
        match self.status {
            ExtensionStatus::Requested => Ok(Self {
                reason: refused,
                decided_at: Some(now),
                ..self.moved(status, now)
            }),
            decided => Err(Problem::wrong_state(verb, decided.as_str(), decided.moves())),
        }
    }

    /// The protection ended before the request was answered.
    pub fn lapse(self, now: DateTime<Utc>) -> Self {
        self.moved(ExtensionStatus::Lapsed, now)
    }

    fn moved(self, status: ExtensionStatus, now: DateTime<Utc>) -> Self {
        Self {
            status,
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }
}
