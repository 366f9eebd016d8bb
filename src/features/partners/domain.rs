//! What a partner is and how it moves.

use crate::kernel::id::PartnerId;
use crate::kernel::money::Currency;
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeSet;

word_enum! {
    /// Where a partner stands.
    PartnerStatus, "partner status" {
        /// It asked to become a partner.
        Applied = "applied",
        /// It may act, earn and be paid.
        Approved = "approved",
        /// It was not taken.
        Declined = "declined",
        /// It may neither act nor earn for now.
        Suspended = "suspended",
        /// It is gone for good.
        Terminated = "terminated",
    }
}

impl PartnerStatus {
    /// The verbs that this state allows.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::Applied => &["approve", "decline"],
            Self::Approved => &["suspend", "terminate"],
            Self::Suspended => &["reinstate", "terminate"],
            Self::Declined | Self::Terminated => &[],
        }
    }
}

word_enum! {
    /// Why a partner is not taken, stopped, or let go.
    PartnerReasonCode, "partner reason code" {
        /// It does not fit the programs.
        NotAFit = "not_a_fit",
        /// It works where the organization needs no partner.
        OutsideTerritory = "outside_territory",
        /// It did not send what was asked for.
        IncompleteApplication = "incomplete_application",
        /// It works for a competitor, or against a customer.
        ConflictOfInterest = "conflict_of_interest",
        /// Papers are missing or have run out.
        MissingDocuments = "missing_documents",
        /// It owes money.
        OverduePayment = "overdue_payment",
        /// Something is being looked into.
        UnderInvestigation = "under_investigation",
        /// It broke the terms.
        BreachOfTerms = "breach_of_terms",
        /// Nothing came of it for too long.
        Inactive = "inactive",
        /// It wants to be partner no more.
        EndedByPartner = "ended_by_partner",
        /// There is no such company any more.
        CompanyClosed = "company_closed",
        /// Anything else, as the reason says.
        Other = "other",
    }
}

impl PartnerReasonCode {
    /// What it means, for a person.
    pub const fn title(self) -> &'static str {
        match self {
            Self::NotAFit => "The company does not fit our programs.",
            Self::OutsideTerritory => "We need no partner where the company works.",
            Self::IncompleteApplication => "The application lacks what was asked for.",
            Self::ConflictOfInterest => "The company works for a competitor, or against a customer.",
            Self::MissingDocuments => "Papers are missing or have run out.",
            Self::OverduePayment => "The company owes us money.",
            Self::UnderInvestigation => "Something is being looked into.",
            Self::BreachOfTerms => "The company broke the terms.",
            Self::Inactive => "Nothing came of the partnership for too long.",
            Self::EndedByPartner => "The company wants to be our partner no more.",
            Self::CompanyClosed => "There is no such company any more.",
            Self::Other => "Another reason, as the text says.",
        }
    }

    /// The verbs that it is a reason for.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::NotAFit | Self::OutsideTerritory | Self::IncompleteApplication => &["decline"],
            Self::MissingDocuments | Self::OverduePayment | Self::UnderInvestigation => &["suspend"],
            Self::Inactive | Self::EndedByPartner | Self::CompanyClosed => &["terminate"],
            Self::ConflictOfInterest => &["decline", "terminate"],
            Self::BreachOfTerms => &["suspend", "terminate"],
            Self::Other => &["decline", "suspend", "terminate"],
        }
    }
}

/// Why a partner is moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// By code.
    pub code: PartnerReasonCode,
    /// In words.
    pub text: String,
}

impl Why {
    fn require(&self, verb: &str) -> Result<(), Problem> {
        if self.code.moves().contains(&verb) {
            return Ok(());
        }
        let of_verb = PartnerReasonCode::ALL
            .iter()
            .filter(|code| code.moves().contains(&verb));
        let codes: Vec<&str> = of_verb.map(|code| code.as_str()).collect();
        let message = format!("It is no reason to {verb}; these are: {}.", codes.join(", "));
        Err(Problem::field("/reason_code", "not_for_this_move", message))
    }
}

/// A partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Partner {
    /// Its id.
    pub id: PartnerId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The partner above it (a distributor above a reseller).
    pub parent_id: Option<PartnerId>,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub status: PartnerStatus,
    /// Why it stands there, by code, where one was given.
    pub status_reason_code: Option<PartnerReasonCode>,
    /// Why it stands there, where a reason was given.
    pub status_reason: Option<String>,
    /// Its internet domain.
    pub domain: Option<String>,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The countries of the customers that it may bring, where a program asks; none is all.
    pub territories: BTreeSet<String>,
    /// Whether the partners above it see neither it nor what is below it.
    pub hidden_from_parent: bool,
    /// The currency that it is paid in, whatever the currency of the invoices; none is theirs.
    pub payout_currency: Option<Currency>,
    /// When it was approved.
    pub approved_at: Option<DateTime<Utc>>,
    /// When it was terminated.
    pub terminated_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new partner is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPartner {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The partner above it.
    pub parent_id: Option<PartnerId>,
    /// Its name.
    pub name: String,
    /// Its internet domain.
    pub domain: Option<String>,
    /// Its country.
    pub country: Option<String>,
    /// The countries of the customers that it may bring, where a program asks; none is all.
    pub territories: BTreeSet<String>,
    /// Whether it is hidden from the partners above it.
    pub hidden_from_parent: bool,
    /// The currency that it is paid in; none is that of the invoices.
    pub payout_currency: Option<Currency>,
}

/// What may be changed of a partner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartnerPatch {
    /// The caller's key for it.
    pub external_id: Patch<String>,
    /// The partner above it.
    pub parent_id: Patch<PartnerId>,
    /// Its name.
    pub name: Option<String>,
    /// Its internet domain.
    pub domain: Patch<String>,
    /// Its country.
    pub country: Patch<String>,
    /// The countries of the customers that it may bring.
    pub territories: Option<BTreeSet<String>>,
    /// Whether it is hidden from the partners above it.
    pub hidden_from_parent: Option<bool>,
    /// The currency that it is paid in.
    pub payout_currency: Patch<Currency>,
}

impl Partner {
    /// A company that asks to become a partner.
    pub fn apply(new: NewPartner, now: DateTime<Utc>) -> Self {
        let NewPartner {
            external_id,
            parent_id,
            name,
            domain,
            country,
            territories,
            hidden_from_parent,
            payout_currency,
        } = new;
        Self {
            id: PartnerId::new(now),
            external_id,
            parent_id,
            name,
            status: PartnerStatus::Applied,
            status_reason_code: None,
            status_reason: None,
            domain,
            country,
            territories,
            hidden_from_parent,
            payout_currency,
            approved_at: None,
            terminated_at: None,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The partner with the patch applied.
    pub fn patched(mut self, patch: PartnerPatch, now: DateTime<Utc>) -> Result<Self, Problem> {
        let PartnerPatch {
            external_id,
            parent_id,
            name,
            domain,
            country,
            territories,
            hidden_from_parent,
            payout_currency,
        } = patch;
        if parent_id == Patch::Set(self.id) {
            return Err(Problem::field(
                "/parent_id",
                "own_parent",
                "A partner cannot be its own parent.",
            ));
        }
        external_id.apply_to(&mut self.external_id);
        parent_id.apply_to(&mut self.parent_id);
        self.name = name.unwrap_or(self.name);
        domain.apply_to(&mut self.domain);
        country.apply_to(&mut self.country);
        payout_currency.apply_to(&mut self.payout_currency);
        self.territories = territories.unwrap_or(self.territories);
        self.hidden_from_parent = hidden_from_parent.unwrap_or(self.hidden_from_parent);
        Ok(self.changed(now))
    }

    /// Takes it as a partner.
    pub fn approve(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            PartnerStatus::Applied => Ok(Self {
                status: PartnerStatus::Approved,
                approved_at: Some(now),
                ..self.changed(now)
            }),
            _ => Err(self.refuse("approve")),
        }
    }

    /// Does not take it.
    pub fn decline(self, why: Why, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            PartnerStatus::Applied => {
                why.require("decline")?;
                Ok(self.moved(PartnerStatus::Declined, Some(why), now))
            }
            _ => Err(self.refuse("decline")),
        }
    }

    /// Stops it from acting and earning for now.
    pub fn suspend(self, why: Why, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            PartnerStatus::Approved => {
                why.require("suspend")?;
                Ok(self.moved(PartnerStatus::Suspended, Some(why), now))
            }
            _ => Err(self.refuse("suspend")),
        }
    }

    /// Lets it act and earn again.
    pub fn reinstate(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            PartnerStatus::Suspended => Ok(self.moved(PartnerStatus::Approved, None, now)),
            _ => Err(self.refuse("reinstate")),
        }
    }

    /// Ends the partnership for good.
    pub fn terminate(self, why: Why, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            PartnerStatus::Approved | PartnerStatus::Suspended => {
                why.require("terminate")?;
                let gone = self.moved(PartnerStatus::Terminated, Some(why), now);
                Ok(Self {
                    terminated_at: Some(now),
                    ..gone
                })
            }
            _ => Err(self.refuse("terminate")),
        }
    }

    fn moved(self, status: PartnerStatus, why: Option<Why>, now: DateTime<Utc>) -> Self {
        let (status_reason_code, status_reason) = why.map(|why| (why.code, why.text)).unzip();
        Self {
            status,
            status_reason_code,
            status_reason,
            ..self.changed(now)
        }
    }

    fn changed(self, now: DateTime<Utc>) -> Self {
        Self {
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }

    fn refuse(&self, verb: &str) -> Problem {
        Problem::wrong_state(verb, self.status.as_str(), self.status.moves())
    }
}
