//! What a referral is and how it moves.

#[cfg(test)]
mod tests;

use crate::features::accounts::Candidate;
use crate::features::deal_rules::{DealRules, Qualification};
use crate::kernel::id::{DealId, PartnerId, ProductFamilyId, ProgramId, ReferralId, UserId};
use crate::kernel::matching::Company;
use crate::kernel::money::Money;
use crate::kernel::patch::Patch;
use crate::kernel::problem::{FieldProblem, Problem};
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeSet;

word_enum! {
    /// Where a referral stands.
    ReferralStatus, "referral status" {
        /// It waits for an answer.
        Submitted = "submitted",
        /// The organization takes it up.
        Accepted = "accepted",
        /// The organization does not take it up.
        Rejected = "rejected",
        /// It is the same as another one.
        Duplicate = "duplicate",
        /// The partner took it back.
        Withdrawn = "withdrawn",
        /// Nobody answered for too long.
        Expired = "expired",
        /// It became a deal.
        Converted = "converted",
    }
}

use ReferralStatus::{Accepted, Converted, Duplicate, Expired, Rejected, Submitted, Withdrawn};

/// The moves of a referral that somebody makes: from where, by which verb, to where. The service itself expires it.
pub const MOVES: &[(ReferralStatus, &str, ReferralStatus)] = &[
    (Submitted, "accept", Accepted),
    (Submitted, "reject", Rejected),
    (Submitted, "mark-duplicate", Duplicate),
    (Submitted, "withdraw", Withdrawn),
    (Accepted, "convert", Converted),
];

impl ReferralStatus {
    /// The verbs that this state allows.
    pub fn moves(self) -> Vec<&'static str> {
        let own = MOVES.iter().filter(|(from, _, _)| *from == self);
        own.map(|(_, verb, _)| *verb).collect()
    }
}

word_enum! {
    /// Why a referral is not taken up.
    RejectionCode, "rejection code" {
        /// The company is a customer already.
        ExistingCustomer = "existing_customer",
        /// The organization is in talks with the company already.
        AlreadyInPipeline = "already_in_pipeline",
        /// There is no need, budget or time.
        NotQualified = "not_qualified",
        /// The organization does not sell there.
        OutsideTerritory = "outside_territory",
        /// Nobody could be reached.
        Unreachable = "unreachable",
        /// The company asked not to be contacted.
        NotInterested = "not_interested",
        /// Anything else, as the reason says.
        Other = "other",
    }
}

impl RejectionCode {
    /// What it means, for a person.
    pub const fn title(self) -> &'static str {
        match self {
            Self::ExistingCustomer => "The company is a customer already.",
            Self::AlreadyInPipeline => "We are in talks with the company already.",
            Self::NotQualified => "There is no need, budget or time.",
            Self::OutsideTerritory => "We do not sell there.",
            Self::Unreachable => "Nobody could be reached.",
            Self::NotInterested => "The company asked not to be contacted.",
            Self::Other => "Another reason, as the text says.",
        }
    }
}

word_enum! {
    /// Who moved a referral.
    MovedBy, "mover" {
        /// The partner.
        Partner = "partner",
        /// The organization.
        Organization = "organization",
        /// The service, by the rules of the program.
        Service = "service",
    }
}

/// A referral.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Referral {
    /// Its id.
    pub id: ReferralId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Who hands it over.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// Where it stands.
    pub status: ReferralStatus,
    /// Why it stands there, in words.
    pub status_reason: Option<String>,
    /// Why it was rejected.
    pub rejection_code: Option<RejectionCode>,
    /// What was handed over.
    #[serde(flatten)]
    pub lead: Lead,
    /// By when an answer was promised.
    pub respond_by: Option<DateTime<Utc>>,
    /// When it was answered.
    pub first_response_at: Option<DateTime<Utc>>,
    /// When the promise was broken, if it was.
    pub response_breached_at: Option<DateTime<Utc>>,
    /// When it expires without an answer.
    pub expires_at: DateTime<Utc>,
    /// The referral that it is the same as.
    pub duplicate_of_id: Option<ReferralId>,
    /// The deal that it became.
    pub deal_id: Option<DealId>,
    /// Whether the partners above its own do not see it.
    pub hidden_from_parent: bool,
    /// Counts its changes.
    pub row_version: i64,
    /// When it was submitted.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a partner hands over; it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lead {
    /// The name of the company.
    pub company_name: String,
    /// Its internet domain.
    pub company_domain: Option<String>,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Whom to talk to.
    pub contact_name: Option<String>,
    /// The person's e-mail address.
    pub contact_email: Option<String>,
    /// What the company needs.
    pub product_family_id: Option<ProductFamilyId>,
    /// What the deal may be worth.
    pub amount: Option<Money>,
    /// Whether it is put out to public tender.
    pub is_public_tender: bool,
    /// What the program asks.
    pub qualification: Qualification,
    /// What else there is to say.
    pub note: Option<String>,
}

impl Lead {
    /// What matching compares.
    pub fn company(&self) -> Company {
        let candidate = Candidate {
            name: Some(self.company_name.clone()),
            website: self.company_domain.clone(),
            email: self.contact_email.clone(),
            country: self.country.clone(),
            ..Candidate::default()
        };
        candidate.company()
    }
}

/// What a new referral is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReferral {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Who hands it over; a partner's caller need not say.
    pub partner_id: Option<PartnerId>,
    /// In which program.
    pub program_id: ProgramId,
    /// What is handed over.
    pub lead: Lead,
    /// Whether the partners above its own do not see it.
    pub hidden_from_parent: bool,
}

/// What may be changed of a referral.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReferralPatch {
    /// The caller's key for it.
    pub external_id: Patch<String>,
    /// Who answers it.
    pub owner_id: Option<UserId>,
}

/// One step of a referral's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferralMove {
    /// Where it stood from then on.
    pub status: ReferralStatus,
    /// Who moved it.
    pub moved_by: MovedBy,
    /// Why, by code.
    pub reason_code: Option<RejectionCode>,
    /// Why, in words.
    pub reason: Option<String>,
    /// When.
    pub moved_at: DateTime<Utc>,
}

/// To whom referrals go that fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferralRoute {
    /// Companies in these countries; none is all.
    pub countries: BTreeSet<String>,
    /// What they need; none is all.
    pub product_family_ids: BTreeSet<ProductFamilyId>,
    /// Worth this much at least.
    pub minimum_amount: Option<Money>,
    /// Who answers, one after the other.
    pub owner_ids: Vec<UserId>,
}

impl Referral {
    /// A lead is handed over, if it is what the program asks for; everything that is not is named at once, with the gates
    /// that are `closed` to the partner.
    pub fn submit(
        new: NewReferral,
        (partner_id, territories): (PartnerId, &BTreeSet<String>),
        rules: &DealRules,
        closed: Option<FieldProblem>,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        let mut problems = problems(&new.lead, rules);
        problems.extend(closed);
        let country = new.lead.country.as_deref();
        problems.extend(rules.partner_territory_problem(territories, country, "/country"));
        if !problems.is_empty() {
            return Err(Problem::fields(problems));
        }
        Ok(Self {
            id: ReferralId::new(now),
            external_id: new.external_id,
            partner_id,
            program_id: new.program_id,
            status: Submitted,
            status_reason: None,
            rejection_code: None,
            lead: new.lead,
            respond_by: rules.respond_by(now),
            first_response_at: None,
            response_breached_at: None,
            expires_at: rules.referral_expires_at(now),
            duplicate_of_id: None,
            deal_id: None,
            hidden_from_parent: new.hidden_from_parent,
            row_version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// The referral with the patch applied.
    #[must_use]
    pub fn patched(mut self, patch: ReferralPatch, now: DateTime<Utc>) -> Self {
        patch.external_id.apply_to(&mut self.external_id);
        self.changed(now)
    }

    /// The organization takes it up.
    pub fn accept(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        Ok(self.moved("accept", now)?.answered(now))
    }

    /// The organization does not take it up.
    pub fn reject(
        self,
        code: RejectionCode,
        reason: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        Ok(Self {
            rejection_code: Some(code),
            status_reason: reason,
            ..self.moved("reject", now)?.answered(now)
        })
    }

    /// It is the same as another one.
    pub fn mark_duplicate(self, of: ReferralId, now: DateTime<Utc>) -> Result<Self, Problem> {
        let id = self.id;
        let moved = self.moved("mark-duplicate", now)?.answered(now);
        if of == id {
            let message = "A referral is no duplicate of itself.";
            return Err(Problem::field("/duplicate_of_id", "itself", message));
        }
        Ok(Self {
            duplicate_of_id: Some(of),
            ..moved
        })
    }

    /// The partner takes it back.
    pub fn withdraw(self, reason: Option<String>, now: DateTime<Utc>) -> Result<Self, Problem> {
        Ok(Self {
            status_reason: reason,
            ..self.moved("withdraw", now)?
        })
    }

    /// It became a deal.
    pub fn convert(self, deal_id: DealId, now: DateTime<Utc>) -> Result<Self, Problem> {
        Ok(Self {
            deal_id: Some(deal_id),
            ..self.moved("convert", now)?
        })
    }

    /// Refuses a referral that cannot become a deal.
    pub fn require_convertible(&self) -> Result<(), Problem> {
        if self.status == Accepted {
            Ok(())
        } else {
            Err(self.refuse("convert"))
        }
    }

    /// What time alone makes of it: a broken promise, an end. Nothing where nothing has come.
    pub fn aged(self, now: DateTime<Utc>) -> Option<Self> {
        if self.status != Submitted {
            return None;
        }
        let (is_over, is_late) = (self.expires_at <= now, self.is_late(now));
        if !is_over && (!is_late || self.response_breached_at.is_some()) {
            return None;
        }
        let breached_at = if is_late {
            self.respond_by
        } else {
            self.response_breached_at
        };
        let status = if is_over { Expired } else { self.status };
        Some(Self {
            status,
            response_breached_at: breached_at,
            ..self.changed(now)
        })
    }

    fn is_late(&self, now: DateTime<Utc>) -> bool {
        self.respond_by.is_some_and(|by| by <= now)
    }

    fn answered(self, now: DateTime<Utc>) -> Self {
        let late = if self.is_late(now) { self.respond_by } else { None };
        Self {
            first_response_at: Some(now),
            response_breached_at: self.response_breached_at.or(late),
            ..self
        }
    }

    fn moved(self, verb: &str, now: DateTime<Utc>) -> Result<Self, Problem> {
        let found = MOVES
            .iter()
            .find(|(from, one, _)| *from == self.status && *one == verb);
        match found {
            Some((_, _, to)) => Ok(Self {
                status: *to,
                ..self.changed(now)
            }),
            None => Err(self.refuse(verb)),
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
        Problem::wrong_state(verb, self.status.as_str(), &self.status.moves())
    }
}

/// Everything in a lead that is not what the program asks for.
fn problems(lead: &Lead, rules: &DealRules) -> Vec<FieldProblem> {
    let mut found = rules.qualification_problems(&lead.qualification, "/qualification");
    found.extend(rules.size_problem(lead.amount, "/amount"));
    found.extend(rules.territory_problem(lead.country.as_deref(), "/country"));
    found.extend(rules.product_problem(lead.product_family_id, "/product_family_id"));
    found.extend(rules.tender_problem(lead.is_public_tender, "/is_public_tender"));
    found
}
