//! The steps of a partner's start in a program.

use crate::kernel::id::{EnrollmentId, PartnerId, ProgramId};
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};

word_enum! {
    /// What belongs to the start in a program.
    OnboardingStep, "onboarding step" {
        /// The newest terms of the program are accepted.
        TermsAccepted = "terms_accepted",
        /// There is somebody to talk to.
        ContactGiven = "contact_given",
        /// A second person confirmed how the partner is paid.
        PayoutMethodConfirmed = "payout_method_confirmed",
        /// The partner was useful for the first time in the program's motion.
        FirstUsefulAction = "first_useful_action",
    }
}

/// What is known of the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The enrollment.
    pub enrollment_id: EnrollmentId,
    /// The partner.
    pub partner_id: PartnerId,
    /// The program.
    pub program_id: ProgramId,
    /// Whether the program has written terms.
    pub has_terms: bool,
    /// When the newest of them were accepted.
    pub terms_accepted_at: Option<DateTime<Utc>>,
    /// When the first of the contacts that there are was given.
    pub contact_given_at: Option<DateTime<Utc>>,
    /// When the first of the payout methods that are in force was confirmed.
    pub payout_method_confirmed_at: Option<DateTime<Utc>>,
    /// When the partner was useful for the first time in the program's motion.
    pub first_useful_action_at: Option<DateTime<Utc>>,
}

impl Start {
    /// The steps that this program asks for, each with when it was done.
    pub fn steps(&self) -> Vec<(OnboardingStep, Option<DateTime<Utc>>)> {
        let asked = OnboardingStep::ALL.iter().copied();
        let asked = asked.filter(|step| self.has_terms || *step != OnboardingStep::TermsAccepted);
        asked.map(|step| (step, self.done_at(step))).collect()
    }

    const fn done_at(&self, step: OnboardingStep) -> Option<DateTime<Utc>> {
        match step {
            OnboardingStep::TermsAccepted => self.terms_accepted_at,
            OnboardingStep::ContactGiven => self.contact_given_at,
            OnboardingStep::PayoutMethodConfirmed => self.payout_method_confirmed_at,
            OnboardingStep::FirstUsefulAction => self.first_useful_action_at,
        }
    }
}
