//! A partner's start on the wire.

use super::domain::{OnboardingStep, Start};
use crate::kernel::id::{EnrollmentId, PartnerId, ProgramId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One step of a partner's start in a program.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OnboardingItem, examples(json!({"step": "contact_given", "is_done": true, "done_at": "2026-03-02T09:00:00Z"})))]
pub struct OnboardingStepView {
    /// What belongs to it.
    pub step: OnboardingStep,
    /// Whether it is done. A step can come undone, as when new terms are published.
    pub is_done: bool,
    /// When it was done.
    #[schema(required)]
    pub done_at: Option<DateTime<Utc>>,
}

/// How far a partner's start in a program is.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Onboarding, examples(json!({"enrollment_id": "enr_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "is_complete": false, "steps": [{"step": "contact_given", "is_done": true, "done_at": "2026-03-02T09:00:00Z"}, {"step": "payout_method_confirmed", "is_done": false, "done_at": null}, {"step": "first_useful_action", "is_done": false, "done_at": null}]})))]
pub struct OnboardingView {
    /// The enrollment.
    pub enrollment_id: EnrollmentId,
    /// The partner.
    pub partner_id: PartnerId,
    /// The program.
    pub program_id: ProgramId,
    /// Whether all steps are done.
    pub is_complete: bool,
    /// The steps that this program asks for, in their order; one without written terms asks for none to be accepted.
    #[schema(max_items = 4)]
    pub steps: Vec<OnboardingStepView>,
}

impl From<Start> for OnboardingView {
    fn from(start: Start) -> Self {
        let steps: Vec<_> = start
            .steps()
            .into_iter()
            .map(|(step, done_at)| OnboardingStepView {
                step,
                is_done: done_at.is_some(),
                done_at,
            })
            .collect();
        Self {
            enrollment_id: start.enrollment_id,
            partner_id: start.partner_id,
            program_id: start.program_id,
            is_complete: steps.iter().all(|one| one.is_done),
            steps,
        }
    }
}

/// The enrollment that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct OnboardingPath {
    /// The enrollment.
    pub enrollment_id: EnrollmentId,
}
