//! What a user is and how it moves.

use crate::kernel::id::{PartnerId, RoleId, UserId};
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::Serialize;

word_enum! {
    /// Where a user stands.
    UserStatus, "user status" {
        /// May come in.
        Active = "active",
        /// Is refused for now.
        Suspended = "suspended",
        /// Is gone for good.
        Terminated = "terminated",
    }
}

impl UserStatus {
    /// The verbs that this state allows.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::Active => &["suspend", "terminate"],
            Self::Suspended => &["reinstate", "terminate"],
            Self::Terminated => &[],
        }
    }
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The partner whose user it is; `None` for the organization's own people.
    pub partner_id: Option<PartnerId>,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The e-mail address.
    pub email: String,
    /// The name.
    pub name: String,
    /// The roles that it holds, in the order of their ids.
    pub role_ids: Vec<RoleId>,
    /// Where it stands.
    pub status: UserStatus,
    /// Why it stands there, where a reason was given.
    pub status_reason: Option<String>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new user is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// The partner whose user it is.
    pub partner_id: Option<PartnerId>,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The e-mail address.
    pub email: String,
    /// The name.
    pub name: String,
    /// The roles that it holds.
    pub role_ids: Vec<RoleId>,
}

/// What may be changed of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserPatch {
    /// The caller's key for it.
    pub external_id: Patch<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The roles that it holds.
    pub role_ids: Option<Vec<RoleId>>,
}

impl User {
    /// A new user, who may come in at once.
    pub fn welcome(new: NewUser, now: DateTime<Utc>) -> Self {
        Self {
            id: UserId::new(now),
            partner_id: new.partner_id,
            external_id: new.external_id,
            email: new.email,
            name: new.name,
            role_ids: each_once(new.role_ids),
            status: UserStatus::Active,
            status_reason: None,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The user with the patch applied. Whoever is gone is not changed any more.
    pub fn patched(mut self, patch: UserPatch, now: DateTime<Utc>) -> Result<Self, Problem> {
        if self.status == UserStatus::Terminated {
            return Err(self.refuse("update"));
        }
        patch.external_id.apply_to(&mut self.external_id);
        self.email = patch.email.unwrap_or(self.email);
        self.name = patch.name.unwrap_or(self.name);
        self.role_ids = patch.role_ids.map_or(self.role_ids, each_once);
        Ok(Self {
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        })
    }

    /// Refuses the user for now.
    pub fn suspend(self, reason: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            UserStatus::Active => Ok(self.moved(UserStatus::Suspended, Some(reason), now)),
            _ => Err(self.refuse("suspend")),
        }
    }

    /// Lets the user in again.
    pub fn reinstate(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            UserStatus::Suspended => Ok(self.moved(UserStatus::Active, None, now)),
            _ => Err(self.refuse("reinstate")),
        }
    }

    /// Sees the user off for good.
    pub fn terminate(self, reason: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            UserStatus::Active | UserStatus::Suspended => {
                Ok(self.moved(UserStatus::Terminated, Some(reason), now))
            }
            UserStatus::Terminated => Err(self.refuse("terminate")),
        }
    }

    fn moved(self, status: UserStatus, status_reason: Option<String>, now: DateTime<Utc>) -> Self {
        Self {
            status,
            status_reason,
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }

    fn refuse(&self, verb: &str) -> Problem {
        Problem::wrong_state(verb, self.status.as_str(), self.status.moves())
    }
}

fn each_once(mut role_ids: Vec<RoleId>) -> Vec<RoleId> {
    role_ids.sort_unstable_by_key(|id| id.uuid());
    role_ids.dedup();
    role_ids
}
