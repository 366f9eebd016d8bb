//! What an account is.

use crate::kernel::id::AccountId;
use crate::kernel::patch::Patch;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its internet domain, in lower case.
    pub domain: Option<String>,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The account that it was merged into: whatever is said of this one goes there.
    pub merged_into_id: Option<AccountId>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new account is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its internet domain.
    pub domain: Option<String>,
    /// Its country.
    pub country: Option<String>,
}

/// What may be changed of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountPatch {
    /// The caller's key for it.
    pub external_id: Patch<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its internet domain.
    pub domain: Patch<String>,
    /// Its country.
    pub country: Patch<String>,
}

impl Account {
    /// A new account.
    pub fn create(new: NewAccount, now: DateTime<Utc>) -> Self {
        let NewAccount {
            external_id,
            name,
            domain,
            country,
        } = new;
        Self {
            id: AccountId::new(now),
            external_id,
            name,
            domain: domain.map(normalized),
            country,
            merged_into_id: None,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The account with the patch applied.
    #[must_use]
    pub fn patched(mut self, patch: AccountPatch, now: DateTime<Utc>) -> Self {
        let AccountPatch {
            external_id,
            name,
            domain,
            country,
        } = patch;
        external_id.apply_to(&mut self.external_id);
        match domain {
            Patch::Set(domain) => self.domain = Some(normalized(domain)),
            other => other.apply_to(&mut self.domain),
        }
        country.apply_to(&mut self.country);
        Self {
            name: name.unwrap_or(self.name),
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }
}

/// A domain as it is kept and compared: domains know no difference between upper and lower case.
pub fn normalized(domain: String) -> String {
    domain.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn hafen() -> Account {
        let new = NewAccount {
            external_id: Some("crm-7".to_owned()),
            name: "Hafen Logistik".to_owned(),
            domain: Some("Hafen.Example".to_owned()),
            country: Some("DE".to_owned()),
        };
        Account::create(new, at(100))
    }

    #[test]
    fn a_new_account_has_its_domain_in_lower_case() {
        let account = hafen();
        assert_eq!(
            (account.row_version, account.name.as_str()),
            (1, "Hafen Logistik")
        );
        assert_eq!(account.domain.as_deref(), Some("hafen.example"));
        assert_eq!((account.created_at, account.updated_at), (at(100), at(100)));
    }

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let renamed = hafen().patched(
            AccountPatch {
                name: Some("Hafen Logistik SE".to_owned()),
                domain: Patch::Set("HAFEN-SE.example".to_owned()),
                ..AccountPatch::default()
            },
            at(200),
        );
        assert_eq!(renamed.name, "Hafen Logistik SE");
        assert_eq!(renamed.domain.as_deref(), Some("hafen-se.example"));
        assert_eq!(
            (renamed.external_id.as_deref(), renamed.country.as_deref()),
            (Some("crm-7"), Some("DE"))
        );
        assert_eq!(
            (renamed.row_version, renamed.created_at, renamed.updated_at),
            (2, at(100), at(200))
        );

        let cleared = renamed.patched(
            AccountPatch {
                external_id: Patch::Clear,
                domain: Patch::Clear,
                country: Patch::Clear,
                ..AccountPatch::default()
            },
            at(300),
        );
        assert_eq!(
            (cleared.external_id, cleared.domain, cleared.country),
            (None, None, None)
        );
        assert_eq!(cleared.name, "Hafen Logistik SE");
    }
}
