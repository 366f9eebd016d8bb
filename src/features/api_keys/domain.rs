//! What an API key is.

use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{ApiKeyId, PartnerId, UserId};
use crate::kernel::patch::Patch;
use crate::kernel::permission::Permission;
use crate::kernel::problem::{FieldProblem, Problem};
use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use serde::Serialize;
use uuid::Uuid;

/// An API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// The partner to which it is confined.
    pub partner_id: Option<PartnerId>,
    /// What it is for.
    pub name: String,
    /// The beginning of the key, to tell keys apart.
    pub prefix: String,
    /// The names of its permissions.
    pub permissions: Vec<String>,
    /// The user whom it belongs to; it may do what its owner still may, and ends when the owner goes.
    pub owner_id: Option<UserId>,
    /// Who made it.
    pub created_by: Option<ActorId>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The networks that it may be used from; empty is all.
    pub allowed_networks: Vec<String>,
    /// When it was last used, give or take some seconds.
    #[serde(skip)]
    pub last_used_at: Option<DateTime<Utc>>,
    /// Until when the secret before the present one is good.
    pub previous_secret_until: Option<DateTime<Utc>>,
    /// Who may know the present secret besides its holder: users, and keys.
    #[serde(skip)]
    pub secret_makers: Vec<Uuid>,
    /// Who may know the secret before.
    #[serde(skip)]
    pub previous_secret_makers: Vec<Uuid>,
    /// Counts the changes of what it lets in.
    #[serde(skip)]
    pub access_version: i64,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new key is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// What it is for.
    pub name: String,
    /// The partner to which it is confined.
    pub partner_id: Option<PartnerId>,
    /// The user whom it belongs to.
    pub owner_id: Option<UserId>,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// The networks that it may be used from; empty is all.
    pub allowed_networks: Vec<String>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What may be changed of a key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApiKeyPatch {
    /// What it is for.
    pub name: Option<String>,
    /// The networks that it may be used from.
    pub allowed_networks: Option<Vec<String>>,
    /// When it ends by itself.
    pub expires_at: Patch<DateTime<Utc>>,
}

impl NewApiKey {
    /// Refuses what the caller may not give.
    pub fn check(&self, ctx: &Ctx) -> Result<(), Problem> {
        let mut problems = Vec::new();
        for (index, permission) in self.permissions.iter().enumerate() {
            let pointer = format!("/permissions/{index}");
            if !ctx.holds(*permission) {
                problems.push(FieldProblem::new(
                    pointer,
                    "not_held",
                    "You cannot give a permission that you do not hold.",
                ));
            } else if self.partner_id.is_some() && !permission.open_to_partners() {
                problems.push(FieldProblem::new(
                    pointer,
                    "not_for_partners",
                    "A partner's key cannot hold this permission.",
                ));
            }
        }
        if self.expires_at.is_some_and(|end| end <= ctx.wall_now) {
            problems.push(FieldProblem::new(
                "/expires_at",
                "in_the_past",
                "The key would never be valid.",
            ));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Problem::fields(problems))
        }
    }
}

impl ApiKey {
    /// The key with the patch applied. What it may do never changes.
    pub fn patched(mut self, patch: ApiKeyPatch, now: DateTime<Utc>) -> Result<Self, Problem> {
        if self.revoked_at.is_some() {
            return Err(Problem::wrong_state("update", "revoked", &[]));
        }
        patch.expires_at.apply_to(&mut self.expires_at);
        Ok(Self {
            name: patch.name.unwrap_or(self.name),
            allowed_networks: patch.allowed_networks.unwrap_or(self.allowed_networks),
            access_version: self.access_version + 1,
            updated_at: now,
            row_version: self.row_version + 1,
            ..self
        })
    }

    /// The key with another secret, which these may know; the present one stays good for this long.
    pub fn rotated(
        self,
        prefix: String,
        overlap: TimeDelta,
        makers: Vec<Uuid>,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        if self.revoked_at.is_some() {
            return Err(Problem::wrong_state("rotate", "revoked", &[]));
        }
        Ok(Self {
            prefix,
            previous_secret_until: Some(now + overlap),
            secret_makers: makers,
            previous_secret_makers: self.secret_makers,
            access_version: self.access_version + 1,
            updated_at: now,
            row_version: self.row_version + 1,
            ..self
        })
    }

    /// Whether the caller holds everything that the key was made for, and so may handle its secret.
    pub fn may_be_given_by(&self, ctx: &Ctx) -> bool {
        let permissions = self.permissions.iter();
        permissions
            .filter_map(|name| Permission::from_name(name))
            .all(|permission| ctx.holds(permission))
    }

    /// Refuses to let this key be good for longer, or from elsewhere, than the key of whoever makes or changes it: else
    /// a key that is confined would be worth as much as one that is not.
    pub fn require_within(&self, maker: &Self) -> Result<(), Problem> {
        let mut problems = Vec::new();
        if let Some(end) = maker.expires_at
            && self.expires_at.is_none_or(|own| own > end)
        {
            let message = format!(
                "The key cannot outlive yours, which ends at {}.",
                end.to_rfc3339()
            );
            problems.push(FieldProblem::new("/expires_at", "beyond_own", message));
        }
        let (own, outer) = (parsed(&self.allowed_networks), parsed(&maker.allowed_networks));
        let within = |network: &IpNet| outer.iter().any(|outer| outer.contains(network));
        if !outer.is_empty() && (own.is_empty() || !own.iter().all(within)) {
            let message =
                "The key cannot be used from elsewhere than yours; name networks within those of your key.";
            problems.push(FieldProblem::new("/allowed_networks", "beyond_own", message));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Problem::fields(problems))
        }
    }

    /// Ends the key for good.
    pub fn revoke(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.revoked_at {
            None => Ok(Self {
                revoked_at: Some(now),
                updated_at: now,
                row_version: self.row_version + 1,
                ..self
            }),
            Some(_) => Err(Problem::wrong_state("revoke", "revoked", &[])),
        }
    }
}

/// The networks of texts that were checked when they came in.
fn parsed(networks: &[String]) -> Vec<IpNet> {
    networks.iter().filter_map(|text| text.parse().ok()).collect()
}
