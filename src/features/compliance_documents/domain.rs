//! What a compliance document is and how it moves.

use crate::kernel::gate::DocumentKind;
use crate::kernel::id::{ComplianceDocumentId, PartnerId, ProductFamilyId};
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::collections::BTreeSet;

word_enum! {
    /// Where a compliance document stands.
    ComplianceDocumentStatus, "compliance document status" {
        /// Nobody has looked at it.
        Submitted = "submitted",
        /// The organization takes it for good.
        Verified = "verified",
        /// It is not taken for good, or no longer.
        Revoked = "revoked",
    }
}

/// Every move there is: from, verb, to.
pub const MOVES: &[(ComplianceDocumentStatus, &str, ComplianceDocumentStatus)] = {
    use ComplianceDocumentStatus::{Revoked, Submitted, Verified};
    &[
        (Submitted, "verify", Verified),
        (Submitted, "revoke", Revoked),
        (Verified, "revoke", Revoked),
    ]
};

impl ComplianceDocumentStatus {
    /// The verbs that this state allows.
    pub fn moves(self) -> Vec<&'static str> {
        let from_here = MOVES.iter().filter(|(from, ..)| *from == self);
        from_here.map(|(_, verb, _)| *verb).collect()
    }

    fn after(self, verb: &str) -> Result<Self, Problem> {
        let found = MOVES
            .iter()
            .find(|(from, name, _)| *from == self && *name == verb);
        found
            .map(|(.., to)| *to)
            .ok_or_else(|| Problem::wrong_state(verb, self.as_str(), &self.moves()))
    }
}

/// A document that a partner has on file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComplianceDocument {
    /// Its id.
    pub id: ComplianceDocumentId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// What it is.
    pub kind: DocumentKind,
    /// Which one of its kind.
    pub name: String,
    /// The number by which whoever issued it knows it.
    pub reference: Option<String>,
    /// Where it can be read.
    pub link: Option<String>,
    /// The product family that it is for; none is for all.
    pub product_family_id: Option<ProductFamilyId>,
    /// The countries that it is for, ISO 3166-1 alpha-2; empty is for all.
    pub countries: BTreeSet<String>,
    /// The first day on which it is valid.
    pub valid_from: NaiveDate,
    /// The last day on which it is valid; none is without end.
    pub valid_until: Option<NaiveDate>,
    /// Where it stands.
    pub status: ComplianceDocumentStatus,
    /// Why it was revoked.
    pub status_reason: Option<String>,
    /// When it was taken for good.
    pub verified_at: Option<DateTime<Utc>>,
    /// From when on it is no longer.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new document is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewComplianceDocument {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Whose it is; a partner's caller need not say.
    pub partner_id: Option<PartnerId>,
    /// What it is.
    pub kind: DocumentKind,
    /// Which one of its kind.
    pub name: String,
    /// The number by which whoever issued it knows it.
    pub reference: Option<String>,
    /// Where it can be read.
    pub link: Option<String>,
    /// The product family that it is for.
    pub product_family_id: Option<ProductFamilyId>,
    /// The countries that it is for.
    pub countries: BTreeSet<String>,
    /// The first day on which it is valid.
    pub valid_from: NaiveDate,
    /// The last day on which it is valid.
    pub valid_until: Option<NaiveDate>,
}

impl ComplianceDocument {
    /// A document that was handed in, and that nobody has looked at.
    pub fn submit(new: NewComplianceDocument, partner_id: PartnerId, now: DateTime<Utc>) -> Self {
        Self {
            id: ComplianceDocumentId::new(now),
            external_id: new.external_id,
            partner_id,
            kind: new.kind,
            name: new.name,
            reference: new.reference,
            link: new.link,
            product_family_id: new.product_family_id,
            countries: new.countries,
            valid_from: new.valid_from,
            valid_until: new.valid_until,
            status: ComplianceDocumentStatus::Submitted,
            status_reason: None,
            verified_at: None,
            revoked_at: None,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// Takes it for good.
    pub fn verify(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        Ok(Self {
            status: self.status.after("verify")?,
            verified_at: Some(now),
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        })
    }

    /// Takes it for good no longer.
    pub fn revoke(self, reason: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        Ok(Self {
            status: self.status.after("revoke")?,
            status_reason: Some(reason),
            revoked_at: Some(now),
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verb_moves_from_its_states_only() {
        let now: DateTime<Utc> = "2026-03-02T09:30:00Z".parse().unwrap();
        let new = NewComplianceDocument {
            external_id: None,
            partner_id: None,
            kind: DocumentKind::TaxForm,
            name: "W-8BEN-E".to_owned(),
            reference: None,
            link: None,
            product_family_id: None,
            countries: BTreeSet::new(),
            valid_from: now.date_naive(),
            valid_until: None,
        };
        let submitted = ComplianceDocument::submit(new, PartnerId::new(now), now);
        for status in ComplianceDocumentStatus::ALL {
            let document = || ComplianceDocument {
                status: *status,
                ..submitted.clone()
            };
            let verified = document().verify(now);
            assert_eq!(verified.is_ok(), status.moves().contains(&"verify"), "{status}");
            let revoked = document().revoke("Expired.".to_owned(), now);
            assert_eq!(revoked.is_ok(), status.moves().contains(&"revoke"), "{status}");
        }
        let verified = submitted.verify(now).unwrap();
        assert_eq!((verified.verified_at, verified.row_version), (Some(now), 2));
    }
}
