//! Which actions there are, what they are good for, and in which order they are done best.

mod operations;
mod sentences;

pub use operations::Operation;

use crate::kernel::money::Money;
use crate::kernel::permission::Permission;
use crate::kernel::subject;
use crate::kernel::word::word_enum;
use chrono::{DateTime, TimeDelta, Utc};
use std::cmp::Reverse;
use uuid::Uuid;

/// How many actions a caller is shown at most.
pub const MOST_ACTIONS: usize = 20;

/// From how long before its deadline on an action comes before everything that can wait.
const URGENT_WITHIN: TimeDelta = TimeDelta::days(2);

word_enum! {
    /// What is to be done. Those that cannot wait aside, the first of them are the most useful.
    NextActionKind, "next action" {
        /// A partner mends a registration that was sent back, and submits it again.
        ResubmitRegistration = "resubmit_registration",
        /// A partner says what speaks for its claim.
        GiveEvidence = "give_evidence",
        /// A partner answers what was asked about its dispute.
        AnswerDispute = "answer_dispute",
        /// A partner asks for more time for a claim that ends soon.
        ExtendProtection = "extend_protection",
        /// A partner accepts the newest terms.
        AcceptTerms = "accept_terms",
        /// A partner hands in what a program asks for and is not on file.
        HandInDocument = "hand_in_document",
        /// A partner says how it is paid what waits for it.
        AddPayoutMethod = "add_payout_method",
        /// A partner says how else it is paid, after a payment came back.
        MendPayoutMethod = "mend_payout_method",
        /// A partner submits a registration that is still a draft.
        SubmitDraft = "submit_draft",
        /// A partner hands over its first lead in a program.
        SubmitFirstReferral = "submit_first_referral",
        /// A partner registers its first deal in a program.
        RegisterFirstDeal = "register_first_deal",
        /// A partner makes its first link in a program.
        MakeFirstLink = "make_first_link",
        /// A partner says whom to talk to.
        AddContact = "add_contact",
        /// The organization answers a lead.
        AnswerReferral = "answer_referral",
        /// The organization begins to look at a registration.
        ReviewRegistration = "review_registration",
        /// The organization decides about a registration that it looks at.
        DecideRegistration = "decide_registration",
        /// The organization decides between claims.
        DecideConflict = "decide_conflict",
        /// The organization begins to look into a dispute.
        ReviewDispute = "review_dispute",
        /// Somebody decides a dispute that is about nothing of their own.
        DecideDispute = "decide_dispute",
        /// The organization answers a request for more time.
        AnswerExtension = "answer_extension",
        /// The organization confirms credit that is claimed.
        ConfirmCredit = "confirm_credit",
        /// Somebody approves commissions, in a program that asks for it.
        ApproveCommissions = "approve_commissions",
        /// Somebody drafts a payout run for what was approved since the last one.
        DraftPayoutRun = "draft_payout_run",
        /// A second person approves a payout run.
        ApprovePayoutRun = "approve_payout_run",
        /// An approved payout run is sent on its way.
        ProcessPayoutRun = "process_payout_run",
        /// Somebody says what became of the payouts that were sent.
        SettlePayoutRun = "settle_payout_run",
        /// A second person confirms how a partner is paid.
        ConfirmPayoutMethod = "confirm_payout_method",
        /// The organization looks at what a partner handed in.
        VerifyDocument = "verify_document",
        /// A second person approves an adjustment.
        ApproveAdjustment = "approve_adjustment",
        /// The organization answers a company that applies.
        ReviewPartner = "review_partner",
        /// The organization lets a partner take part in a program.
        ActivateEnrollment = "activate_enrollment",
        /// A person decides whether two accounts are one company.
        DecideMatch = "decide_match",
    }
}

use NextActionKind as Kind;

impl NextActionKind {
    /// The method of every operation here: they are moves and new records.
    pub const METHOD: &'static str = "POST";

    /// Whether it is a partner's to do, and else the organization's.
    pub const fn is_of_partners(self) -> bool {
        matches!(
            self,
            Self::ResubmitRegistration
                | Self::GiveEvidence
                | Self::ExtendProtection
                | Self::AcceptTerms
                | Self::HandInDocument
                | Self::AddPayoutMethod
                | Self::MendPayoutMethod
                | Self::SubmitDraft
                | Self::SubmitFirstReferral
                | Self::RegisterFirstDeal
                | Self::MakeFirstLink
                | Self::AddContact
                | Self::AnswerDispute
        )
    }

    /// Whether it is for somebody else than who made what it is about.
    pub const fn takes_a_second_person(self) -> bool {
        matches!(
            self,
            Self::ApprovePayoutRun
                | Self::ConfirmPayoutMethod
                | Self::ApproveAdjustment
                | Self::DecideDispute
        )
    }

    /// The noun of the record that it is about.
    pub const fn subject(self) -> &'static str {
        match self {
            Self::ResubmitRegistration
            | Self::ExtendProtection
            | Self::SubmitDraft
            | Self::ReviewRegistration
            | Self::DecideRegistration => "deal_registration",
            Self::GiveEvidence | Self::DecideConflict => "registration_conflict",
            Self::AcceptTerms
            | Self::HandInDocument
            | Self::SubmitFirstReferral
            | Self::RegisterFirstDeal
            | Self::MakeFirstLink
            | Self::ActivateEnrollment => "enrollment",
            Self::AddPayoutMethod | Self::AddContact | Self::ReviewPartner => "partner",
            Self::AnswerDispute | Self::ReviewDispute | Self::DecideDispute => "dispute",
            Self::AnswerReferral => "referral",
            Self::AnswerExtension => "registration_extension",
            Self::ConfirmCredit => "attribution",
            Self::ApproveCommissions | Self::DraftPayoutRun => "program",
            Self::ApprovePayoutRun | Self::ProcessPayoutRun | Self::SettlePayoutRun => "payout_run",
            Self::MendPayoutMethod => "payout",
            Self::ConfirmPayoutMethod => "payout_method",
            Self::VerifyDocument => "compliance_document",
            Self::ApproveAdjustment => "adjustment",
            Self::DecideMatch => "account_match",
        }
    }

    /// The noun of the record that the operation's path names.
    const fn target(self) -> &'static str {
        match self {
            Self::AcceptTerms => "program_terms",
            _ => self.subject(),
        }
    }
}

/// The kinds of actions that a caller with these rights may do.
pub fn kinds_of(is_partner: bool, holds: impl Fn(Permission) -> bool) -> Vec<NextActionKind> {
    let all = Kind::ALL.iter().copied();
    let own = all.filter(|kind| kind.is_of_partners() == is_partner);
    own.filter(|kind| {
        let operation = kind.operation();
        holds(operation.permission) && holds(operation.reading)
    })
    .collect()
}

/// Something to be done, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is to be done.
    pub kind: NextActionKind,
    /// The record that it is about.
    pub subject_id: Uuid,
    /// The record that the operation's path names.
    pub target_id: Uuid,
    /// What it is called: an account, a company, a program.
    pub name: String,
    /// Something about it, as the kind of action has it.
    pub detail: Option<String>,
    /// Who or what else has to do with it.
    pub other: Option<String>,
    /// A count, a share or a score, as the kind of action has it.
    pub figure: i64,
    /// What it is worth.
    pub amount: Option<Money>,
    /// Since when it waits.
    pub since: DateTime<Utc>,
    /// By when it is to be done.
    pub due_at: Option<DateTime<Utc>>,
}

/// Something to be done, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextAction {
    /// What is to be done.
    pub kind: NextActionKind,
    /// Why, with the figures.
    pub why: String,
    /// The path of the operation that does it, with ids.
    pub path: String,
    /// The id of the record that it is about.
    pub subject_id: String,
    /// By when.
    pub due_at: Option<DateTime<Utc>>,
}

impl Finding {
    fn action(self, now: DateTime<Utc>) -> NextAction {
        let path = self.kind.operation().path;
        let target = subject::id_text(self.kind.target(), self.target_id);
        NextAction {
            kind: self.kind,
            why: self.why(now),
            path: filled(path, &target),
            subject_id: subject::id_text(self.kind.subject(), self.subject_id),
            due_at: self.due_at,
        }
    }

    fn is_urgent(&self, now: DateTime<Utc>) -> bool {
        self.due_at.is_some_and(|due| due <= now + URGENT_WITHIN)
    }
}

/// The path with the id in the place of its parameter, if it has one.
fn filled(path: &str, id: &str) -> String {
    let parameter = path
        .split_once('{')
        .and_then(|(start, rest)| rest.split_once('}').map(|(_, end)| (start, end)));
    match parameter {
        Some((start, end)) => format!("{start}{id}{end}"),
        None => path.to_owned(),
    }
}

/// The actions in the order in which they are done best: what is late or soon will be, by its deadline; then what is the
/// most useful, of which the earliest deadline and the longest wait come first.
pub fn in_order(mut found: Vec<Finding>, now: DateTime<Utc>) -> Vec<NextAction> {
    found.sort_by_key(|one| {
        let due = one.due_at.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let is_urgent = one.is_urgent(now);
        let first = is_urgent.then_some(due);
        (
            Reverse(is_urgent),
            first,
            one.kind,
            due,
            one.since,
            one.subject_id,
        )
    });
    let first = found.into_iter().take(MOST_ACTIONS);
    first.map(|one| one.action(now)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::permission::Permission as May;

    fn now() -> DateTime<Utc> {
        "2026-03-02T09:00:00Z".parse().unwrap()
    }

    fn finding(kind: NextActionKind, number: u128, due_in_hours: Option<i64>) -> Finding {
        Finding {
            kind,
            subject_id: Uuid::from_u128(number),
            target_id: Uuid::from_u128(number),
            name: "Hansa Logistik".to_owned(),
            detail: None,
            other: None,
            figure: 2,
            amount: None,
            since: now() - TimeDelta::days(3),
            due_at: due_in_hours.map(|hours| now() + TimeDelta::hours(hours)),
        }
    }

    #[test]
    fn what_cannot_wait_comes_first_and_then_what_is_most_useful() {
        let found = vec![
            finding(Kind::ReviewPartner, 1, None),
            finding(Kind::DecideConflict, 2, Some(49)),
            finding(Kind::AnswerExtension, 3, Some(48)),
            finding(Kind::AnswerReferral, 4, Some(100)),
            finding(Kind::AnswerReferral, 5, None),
            finding(Kind::ReviewRegistration, 6, Some(-5)),
        ];
        let kinds: Vec<_> = in_order(found, now())
            .into_iter()
            .map(|one| (one.kind, one.due_at.is_some()))
            .collect();
        assert_eq!(
            kinds,
            [
                (Kind::ReviewRegistration, true),
                (Kind::AnswerExtension, true),
                (Kind::AnswerReferral, true),
                (Kind::AnswerReferral, false),
                (Kind::DecideConflict, true),
                (Kind::ReviewPartner, false),
            ]
        );
    }

    #[test]
    fn no_more_are_shown_than_can_be_read() {
        let many = (0..50).map(|number| finding(Kind::ReviewPartner, number, None));
        assert_eq!(in_order(many.collect(), now()).len(), MOST_ACTIONS);
    }

    #[test]
    fn an_action_is_of_partners_or_of_the_organization() {
        let everything = |is_partner| kinds_of(is_partner, |_| true);
        assert_eq!(everything(true).len() + everything(false).len(), Kind::ALL.len());
        for kind in everything(true) {
            let operation = kind.operation();
            assert!(operation.permission.open_to_partners(), "{kind}");
            assert!(operation.reading.open_to_partners(), "{kind}");
        }
        assert_eq!(kinds_of(false, |one| one == May::ReferralsReview), []);
        let may = |one| matches!(one, May::ReferralsReview | May::ReferralsRead);
        assert_eq!(kinds_of(false, may), [Kind::AnswerReferral]);
    }
}
