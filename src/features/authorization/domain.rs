//! Why somebody may do something, or may not.

use crate::kernel::ctx::ActorId;
use crate::kernel::id::PartnerId;
use crate::kernel::permission::Permission;
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};

word_enum! {
    /// The rule that decides.
    Rule, "rule" {
        /// A role of the user, or the key itself, holds the permission, and nothing else is in the way.
        Granted = "granted",
        /// The key was revoked.
        KeyRevoked = "key_revoked",
        /// The key has ended by itself.
        KeyExpired = "key_expired",
        /// The user is suspended or gone.
        UserNotActive = "user_not_active",
        /// The user whom the key belongs to is suspended or gone.
        OwnerNotActive = "owner_not_active",
        /// The partner is suspended or terminated.
        PartnerNotActive = "partner_not_active",
        /// Neither a role of the user nor the key holds the permission.
        PermissionMissing = "permission_missing",
        /// The key holds the permission, but the user whom it belongs to does not.
        OwnerLacksPermission = "owner_lacks_permission",
        /// The record is not the partner's own and not shared with it.
        RecordOutOfReach = "record_out_of_reach",
    }
}

/// What is asked: may this actor do this, with this record?
#[derive(Debug, Clone)]
pub struct Question {
    /// Who.
    pub actor_id: ActorId,
    /// What.
    pub permission: Permission,
    /// With which record.
    pub record_id: Option<String>,
}

/// Somebody as the rules see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The partner to which they are confined.
    pub partner_id: Option<PartnerId>,
    /// Whether that partner is suspended or terminated.
    pub partner_is_out: bool,
    /// Of a key: when it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Of a key: when it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// Of a key: what it was made for.
    pub scopes: Option<Vec<String>>,
    /// What the person may do: the user, or the owner of the key. `None` when there is no person.
    pub person: Option<Person>,
}

/// The person behind an actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Whether it is let in.
    pub is_active: bool,
    /// What its roles hold.
    pub rights: Vec<Permission>,
}

impl Subject {
    /// The first rule that refuses, or the one that grants. Where the actor has the right, `reaches` says whether the
    /// record is within reach.
    pub fn decide(&self, permission: Permission, now: DateTime<Utc>, reaches: bool) -> Rule {
        let scoped = self
            .scopes
            .as_ref()
            .is_none_or(|scopes| scopes.iter().any(|name| name == permission.name()));
        let person = self.person.as_ref();
        let is_key = self.scopes.is_some();
        if self.revoked_at.is_some() {
            Rule::KeyRevoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            Rule::KeyExpired
        } else if person.is_some_and(|person| !person.is_active) {
            if is_key {
                Rule::OwnerNotActive
            } else {
                Rule::UserNotActive
            }
        } else if self.partner_is_out {
            Rule::PartnerNotActive
        } else if !scoped {
            Rule::PermissionMissing
        } else if person.is_some_and(|person| !person.rights.contains(&permission)) {
            if is_key {
                Rule::OwnerLacksPermission
            } else {
                Rule::PermissionMissing
            }
        } else if !reaches {
            Rule::RecordOutOfReach
        } else {
            Rule::Granted
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_000_000, 0).unwrap()
    }

    fn user(rights: &[Permission]) -> Subject {
        Subject {
            partner_id: None,
            partner_is_out: false,
            revoked_at: None,
            expires_at: None,
            scopes: None,
            person: Some(Person {
                is_active: true,
                rights: rights.to_vec(),
            }),
        }
    }

    fn key(scopes: &[Permission], owner: Option<&[Permission]>) -> Subject {
        Subject {
            scopes: Some(scopes.iter().map(|one| one.name().to_owned()).collect()),
            person: owner.and_then(|rights| user(rights).person),
            ..user(&[])
        }
    }

    const READ: Permission = Permission::DealsRead;

    #[test]
    fn the_first_rule_that_refuses_is_named() {
        let decide = |subject: &Subject| subject.decide(READ, now(), true);
        assert_eq!(decide(&user(&[READ])), Rule::Granted);
        assert_eq!(decide(&user(&[])), Rule::PermissionMissing);
        assert_eq!(decide(&key(&[READ], None)), Rule::Granted);
        assert_eq!(decide(&key(&[], None)), Rule::PermissionMissing);
        assert_eq!(decide(&key(&[READ], Some(&[]))), Rule::OwnerLacksPermission);
        assert_eq!(user(&[READ]).decide(READ, now(), false), Rule::RecordOutOfReach);
        let mut gone = key(&[READ], Some(&[READ]));
        gone.person.as_mut().unwrap().is_active = false;
        assert_eq!(decide(&gone), Rule::OwnerNotActive);
        gone.expires_at = Some(now());
        assert_eq!(decide(&gone), Rule::KeyExpired);
        gone.revoked_at = Some(now());
        assert_eq!(decide(&gone), Rule::KeyRevoked);
        let mut out = user(&[READ]);
        out.partner_is_out = true;
        assert_eq!(decide(&out), Rule::PartnerNotActive);
    }
}
