//! Next actions on the wire.

use super::domain::{NextAction, NextActionKind};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// Something that you may do now, and why you should.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = NextAction, examples(json!({"kind": "answer_referral", "why": "25000.00 EUR: Nordlicht Consulting referred Hansa Logistik 2 days ago; the answer is 3 hours late.", "operation_id": "acceptReferral", "method": "POST", "path": "/v1/referrals/ref_01j9zq4y8k7m5n3p2r1s0t6v4w/accept", "subject_type": "referral", "subject_id": "ref_01j9zq4y8k7m5n3p2r1s0t6v4w", "due_at": "2026-03-04T12:00:00Z"})))]
pub struct NextActionView {
    /// What is to be done.
    pub kind: NextActionKind,
    /// Why, with the figures, for a person.
    #[schema(max_length = 2000)]
    pub why: String,
    /// The operation that does it, by its name in this document. Where there are others, such as to reject rather than to
    /// accept, it is the one that moves things on.
    #[schema(max_length = 64, pattern = "^[a-zA-Z]+$")]
    pub operation_id: String,
    /// Its method.
    #[schema(max_length = 6, pattern = "^[A-Z]+$")]
    pub method: String,
    /// Its path, with the ids filled in.
    #[schema(max_length = 200, pattern = r"^/v1/[a-z0-9_/-]+$")]
    pub path: String,
    /// The noun of the record that it is about.
    #[schema(max_length = 64, pattern = "^[a-z_]+$")]
    pub subject_type: String,
    /// The record that it is about.
    #[schema(max_length = 64, pattern = "^[a-z]+_[0-9a-z]{26}$")]
    pub subject_id: String,
    /// By when it is to be done, where there is a deadline.
    #[schema(required)]
    pub due_at: Option<DateTime<Utc>>,
}

impl From<NextAction> for NextActionView {
    fn from(action: NextAction) -> Self {
        let NextAction {
            kind,
            why,
            path,
            subject_id,
            due_at,
        } = action;
        Self {
            kind,
            why,
            operation_id: kind.operation().id.to_owned(),
            method: NextActionKind::METHOD.to_owned(),
            path,
            subject_type: kind.subject().to_owned(),
            subject_id,
            due_at,
        }
    }
}

/// What you do best now.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = NextActions, examples(json!({"next_action": {"kind": "extend_protection", "why": "The protection of Hansa Logistik ends in 6 days; 1 extension is left.", "operation_id": "createRegistrationExtension", "method": "POST", "path": "/v1/deal-registrations/reg_01j9zq4y8k7m5n3p2r1s0t6v4w/extensions", "subject_type": "deal_registration", "subject_id": "reg_01j9zq4y8k7m5n3p2r1s0t6v4w", "due_at": "2026-03-08T00:00:00Z"}, "later_actions": []})))]
pub struct NextActionsView {
    /// The most useful action; `null` where there is nothing to do.
    #[schema(required)]
    pub next_action: Option<NextActionView>,
    /// The others, in the order in which they are done best.
    #[schema(max_items = 19)]
    pub later_actions: Vec<NextActionView>,
}

impl NextActionsView {
    /// The actions, the most useful one first.
    pub fn of(actions: Vec<NextAction>) -> Self {
        let mut views = actions.into_iter().map(NextActionView::from);
        Self {
            next_action: views.next(),
            later_actions: views.collect(),
        }
    }
}
