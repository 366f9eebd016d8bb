//! What a contact is.

use crate::kernel::id::{PartnerContactId, PartnerId};
use crate::kernel::patch::Patch;
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeSet;

word_enum! {
    /// What a contact is to be asked about.
    ContactRole, "contact role" {
        /// The first one to ask.
        Primary = "primary",
        /// Money.
        Billing = "billing",
        /// What is sold, and how it works.
        Technical = "technical",
        /// Deals and customers.
        Sales = "sales",
        /// What is said in public.
        Marketing = "marketing",
        /// Terms and contracts.
        Legal = "legal",
    }
}

/// Somebody at a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerContact {
    /// Its id.
    pub id: PartnerContactId,
    /// The company.
    pub partner_id: PartnerId,
    /// The person's name.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
    /// What the person does there.
    pub job_title: Option<String>,
    /// What the person is to be asked about.
    pub roles: BTreeSet<ContactRole>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new contact is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContact {
    /// The company; a partner's caller need not name its own.
    pub partner_id: Option<PartnerId>,
    /// The person's name.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
    /// What the person does there.
    pub job_title: Option<String>,
    /// What the person is to be asked about.
    pub roles: BTreeSet<ContactRole>,
}

/// What may be changed of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactPatch {
    /// The person's name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Patch<String>,
    /// The phone number.
    pub phone: Patch<String>,
    /// What the person does there.
    pub job_title: Patch<String>,
    /// What the person is to be asked about.
    pub roles: Option<BTreeSet<ContactRole>>,
}

/// What is told of a contact where it is never forgotten: nothing of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToldContact {
    /// Its id.
    pub id: PartnerContactId,
    /// The company.
    pub partner_id: PartnerId,
    /// What the person is to be asked about.
    pub roles: BTreeSet<ContactRole>,
    /// The fields that changed.
    pub changed_fields: Vec<&'static str>,
}

impl PartnerContact {
    /// A new contact of this partner.
    pub fn new(new: NewContact, partner_id: PartnerId, now: DateTime<Utc>) -> Self {
        Self {
            id: PartnerContactId::new(now),
            partner_id,
            name: new.name,
            email: new.email,
            phone: new.phone,
            job_title: new.job_title,
            roles: new.roles,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The contact with the patch applied.
    #[must_use]
    pub fn patched(mut self, patch: ContactPatch, now: DateTime<Utc>) -> Self {
        self.name = patch.name.unwrap_or(self.name);
        patch.email.apply_to(&mut self.email);
        patch.phone.apply_to(&mut self.phone);
        patch.job_title.apply_to(&mut self.job_title);
        self.roles = patch.roles.unwrap_or(self.roles);
        self.row_version += 1;
        self.updated_at = now;
        self
    }

    /// What is told of it, compared with what it was.
    pub fn told(&self, before: Option<&Self>) -> ToldContact {
        let fields = [
            ("name", before.map(|one| one.name == self.name)),
            ("email", before.map(|one| one.email == self.email)),
            ("phone", before.map(|one| one.phone == self.phone)),
            ("job_title", before.map(|one| one.job_title == self.job_title)),
            ("roles", before.map(|one| one.roles == self.roles)),
        ];
        let changed = fields.into_iter().filter(|(_, is_same)| *is_same == Some(false));
        ToldContact {
            id: self.id,
            partner_id: self.partner_id,
            roles: self.roles.clone(),
            changed_fields: changed.map(|(name, _)| name).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_names_fields_and_no_person() {
        let now: DateTime<Utc> = "2026-03-02T09:30:00Z".parse().unwrap();
        let new = NewContact {
            partner_id: None,
            name: "Jonas Petersen".to_owned(),
            email: Some("jonas@example.com".to_owned()),
            phone: None,
            job_title: None,
            roles: BTreeSet::from([ContactRole::Primary]),
        };
        let before = PartnerContact::new(new, PartnerId::new(now), now);
        let patch = ContactPatch {
            email: Patch::Clear,
            roles: Some(BTreeSet::from([ContactRole::Billing])),
            ..ContactPatch::default()
        };
        let after = before.clone().patched(patch, now);
        let told = serde_json::to_string(&after.told(Some(&before))).unwrap();
        assert!(told.contains(r#""changed_fields":["email","roles"]"#), "{told}");
        assert!(!told.contains("Jonas") && !told.contains("jonas"), "{told}");
        assert_eq!(before.told(None).changed_fields, [""; 0]);
    }
}
