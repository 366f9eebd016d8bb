//! What a dispute is and how it moves.

mod award;
mod machine;
mod stake;
mod subject;

pub use award::Award;
pub use machine::{DisputeOutcome, DisputeStatus, MOVES};
pub use stake::Stake;
pub use subject::{DisputeReason, DisputedId, SubjectType};

use crate::kernel::ctx::ActorId;
use crate::kernel::id::{AdjustmentId, CommissionId, DisputeCommentId, DisputeId, PartnerId, ProgramId};
use crate::kernel::money::Money;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

word_enum! {
    /// Who reads a comment.
    Readers, "dispute comment visibility" {
        /// The partner and the organization.
        Partner = "partner",
        /// The organization alone.
        Internal = "internal",
    }
}

word_enum! {
    /// What a dispute does to a commission.
    Effect, "effect of a dispute" {
        /// It was approved: its amount lies on the account `disputed` until the dispute is over.
        Frozen = "frozen",
        /// It is not released, approved or set aside for a payout until the dispute is over.
        Withheld = "withheld",
        /// It is in a payout or paid, or there is nothing to freeze.
        LeftAlone = "left_alone",
    }
}

/// A document that lies elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it is.
    pub name: String,
    /// Where it is.
    pub url: String,
}

/// Both calculations of the money that is disputed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Amounts {
    /// What the service computed, less what was taken back, when the dispute was opened.
    #[serde(rename = "computed_amount")]
    pub computed: Money,
    /// What it should come to, as the partner says.
    #[serde(rename = "claimed_amount")]
    pub claimed: Money,
}

/// A dispute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dispute {
    /// Its id.
    pub id: DisputeId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// Under which program, where there is one.
    pub program_id: Option<ProgramId>,
    /// What kind of thing is disputed.
    pub subject_type: SubjectType,
    /// What is disputed.
    pub subject_ids: Vec<DisputedId>,
    /// Where it stands.
    pub status: DisputeStatus,
    /// What is asked for, or why it ended so.
    pub status_reason: Option<String>,
    /// Why it is disputed, in a word.
    pub reason_code: DisputeReason,
    /// Why, for a person: the grounds.
    pub statement: String,
    /// What speaks for it.
    pub evidence: Vec<Evidence>,
    /// Both calculations, where money is disputed.
    #[serde(flatten)]
    pub amounts: Option<Amounts>,
    /// The share that the partner claims, where credit is disputed.
    pub claimed_share_basis_points: Option<i32>,
    /// By when an answer is promised.
    pub respond_by: DateTime<Utc>,
    /// When it was noted that the answer did not come in time.
    pub overdue_at: Option<DateTime<Utc>>,
    /// When it was decided or withdrawn.
    pub decided_at: Option<DateTime<Utc>>,
    /// The adjustment that its outcome posted.
    pub adjustment_id: Option<AdjustmentId>,
    /// Who opened it.
    pub created_by: ActorId,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new dispute is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDispute {
    /// Whose it is, where it does not follow from the subject.
    pub partner_id: Option<PartnerId>,
    /// What is disputed, all of one kind.
    pub subject_ids: Vec<DisputedId>,
    /// Why, in a word.
    pub reason_code: DisputeReason,
    /// Why, for a person.
    pub statement: String,
    /// What speaks for it.
    pub evidence: Vec<Evidence>,
    /// What the money should come to.
    pub claimed_amount: Option<Money>,
    /// The share that the credit should have.
    pub claimed_share_basis_points: Option<i32>,
}

/// What was found about the subject of a new dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Whose dispute it is.
    pub partner_id: PartnerId,
    /// Under which program, where there is one.
    pub program_id: Option<ProgramId>,
    /// Both calculations, where money is disputed.
    pub amounts: Option<Amounts>,
    /// By when an answer is promised.
    pub respond_by: DateTime<Utc>,
}

/// A commission that is disputed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeLine {
    /// The dispute.
    pub dispute_id: DisputeId,
    /// Its place among the lines of the dispute, from 0.
    pub position: i32,
    /// The commission.
    pub commission_id: CommissionId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// Under which program.
    pub program_id: ProgramId,
    /// What the service computed, less what was taken back, when the dispute was opened.
    pub amount: Money,
    /// How the service came to that.
    pub explanation: String,
    /// What the dispute does to it.
    pub effect: Effect,
    /// How much of it is frozen.
    pub frozen: Money,
}

/// What the organization alone knows of a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Review {
    /// Who made the disputed decision, where that can be told.
    pub contested_by: Option<ActorId>,
    /// Who looked into it last.
    pub reviewed_by: Option<ActorId>,
    /// Who made the secret of the reviewer's key.
    pub reviewer_secret_makers: Vec<Uuid>,
    /// What the reviewer says.
    pub note: Option<String>,
    /// What the money should come to, as the reviewer finds, and what it came to then.
    pub finding: Option<(Money, Money)>,
    /// What its commissions had kept when something was given on them.
    pub kept: Option<Money>,
    /// Who decided.
    pub decided_by: Option<ActorId>,
}

/// A dispute as it is read: with its lines, and for the organization with what it alone knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The dispute.
    pub dispute: Dispute,
    /// The commissions that it is about.
    pub lines: Vec<DisputeLine>,
    /// What the organization alone knows.
    pub review: Option<Review>,
}

/// Something that was said about a dispute; it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comment {
    /// Its id.
    pub id: DisputeCommentId,
    /// What it is about.
    pub dispute_id: DisputeId,
    /// Whose dispute it is.
    #[serde(skip)]
    pub partner_id: PartnerId,
    /// Who reads it.
    pub visibility: Readers,
    /// What was said.
    pub body: String,
    /// Who said it.
    pub created_by: ActorId,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl Dispute {
    /// A new dispute.
    pub fn open(
        new: NewDispute,
        found: Found,
        created_by: ActorId,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        let first = new.subject_ids.first().ok_or_else(Problem::internal)?;
        Ok(Self {
            id: DisputeId::new(now),
            partner_id: found.partner_id,
            program_id: found.program_id,
            subject_type: first.subject_type,
            subject_ids: new.subject_ids,
            status: DisputeStatus::Open,
            status_reason: None,
            reason_code: new.reason_code,
            statement: new.statement,
            evidence: new.evidence,
            amounts: found.amounts,
            claimed_share_basis_points: new.claimed_share_basis_points,
            respond_by: found.respond_by,
            overdue_at: None,
            decided_at: None,
            adjustment_id: None,
            created_by,
            row_version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// Somebody looks into it.
    pub fn review(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        self.moved("review", DisputeStatus::InReview, None, now)
    }

    /// The partner is asked for something.
    pub fn request_information(self, question: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        self.moved(
            "request_information",
            DisputeStatus::NeedsInformation,
            Some(question),
            now,
        )
    }

    /// The partner answers; from then on the organization has its time again.
    pub fn answer(
        mut self,
        evidence: Vec<Evidence>,
        respond_by: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        self.evidence.extend(evidence);
        Ok(Self {
            respond_by,
            overdue_at: None,
            ..self.moved("answer", DisputeStatus::InReview, None, now)?
        })
    }

    /// Ends it so.
    pub fn decide(
        self,
        outcome: DisputeOutcome,
        reason: String,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        Ok(Self {
            decided_at: Some(now),
            ..self.moved("decide", outcome.status(), Some(reason), now)?
        })
    }

    /// The partner takes it back, or whoever opened it for the partner.
    pub fn withdraw(self, reason: Option<String>, now: DateTime<Utc>) -> Result<Self, Problem> {
        Ok(Self {
            decided_at: Some(now),
            ..self.moved("withdraw", DisputeStatus::Withdrawn, reason, now)?
        })
    }

    /// The answer did not come in time.
    pub fn overdue(self, now: DateTime<Utc>) -> Self {
        Self {
            overdue_at: Some(now),
            ..self.changed(now)
        }
    }

    /// Refuses a verb that this state does not allow, before anything else is looked at.
    pub fn require(&self, verb: &str) -> Result<(), Problem> {
        if self.status.moves().contains(&verb) {
            Ok(())
        } else {
            Err(self.refusal(verb))
        }
    }

    fn moved(
        self,
        verb: &str,
        to: DisputeStatus,
        status_reason: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        if !self.status.leads(verb, to) {
            return Err(self.refusal(verb));
        }
        Ok(Self {
            status: to,
            status_reason,
            ..self.changed(now)
        })
    }

    fn changed(self, now: DateTime<Utc>) -> Self {
        Self {
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }

    fn refusal(&self, verb: &str) -> Problem {
        Problem::wrong_state(verb, self.status.as_str(), &self.status.moves())
    }
}

impl Review {
    /// What the adjustment of an upheld dispute comes to: what was found less what the lines come to. Wholly upheld is
    /// what the partner claims; in part is something between that and what the lines come to, so that nobody loses by a
    /// dispute that they won, nor wins more than they asked for.
    pub fn award(
        &self,
        outcome: DisputeOutcome,
        amounts: Amounts,
        computed: Money,
    ) -> Result<Money, Problem> {
        let Some((found, reviewed)) = self.finding else {
            let detail =
                "Nobody has found what is owed. Let somebody else review it and say so as found_amount.";
            return Err(Problem::new(Code::WrongState).because(detail));
        };
        if reviewed != computed {
            let detail = "What the commissions come to has changed since the review. Have it reviewed again.";
            return Err(Problem::new(Code::WrongState).because(detail));
        }
        let is_whole = found == amounts.claimed;
        let fits = match outcome {
            DisputeOutcome::Upheld => is_whole && found != computed,
            DisputeOutcome::PartiallyUpheld => is_between(found, computed, amounts.claimed),
            DisputeOutcome::Denied => false,
        };
        if !fits {
            let message = format!(
                "It is upheld when what was found is what the partner claims, and partially when it is between that and \
                 what it comes to: {found} was found, {} is claimed, and it comes to {computed}.",
                amounts.claimed
            );
            return Err(Problem::field("/outcome", "not_found_so", message));
        }
        found.checked_sub(computed).map_err(|_| {
            let message = "What was found is further from what it comes to than one amount can be.";
            Problem::field("/outcome", "out_of_range", message)
        })
    }
}

/// Whether an amount lies between two others and is neither.
fn is_between(amount: Money, one: Money, other: Money) -> bool {
    let (low, high) = (one.amount().min(other.amount()), one.amount().max(other.amount()));
    low < amount.amount() && amount.amount() < high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::money::Currency;

    fn money(text: &str) -> Money {
        Money::parse(text, Currency::USD).unwrap()
    }

    fn found(found: &str, reviewed: &str) -> Review {
        Review {
            finding: Some((money(found), money(reviewed))),
            ..Review::default()
        }
    }

    #[test]
    fn an_award_is_the_difference_and_fits_its_outcome() {
        use DisputeOutcome::{Denied, PartiallyUpheld, Upheld};
        let amounts = Amounts {
            computed: money("10.00"),
            claimed: money("15.00"),
        };
        for (outcome, finding, awarded) in [
            (Upheld, "15.00", Some("5.00")),
            (Upheld, "12.00", None),
            (PartiallyUpheld, "12.00", Some("2.00")),
            (PartiallyUpheld, "15.00", None),
            (PartiallyUpheld, "10.00", None),
            (PartiallyUpheld, "10.01", Some("0.01")),
            (PartiallyUpheld, "14.99", Some("4.99")),
            (PartiallyUpheld, "9.99", None),
            (PartiallyUpheld, "-1000.00", None),
            (PartiallyUpheld, "15.01", None),
            (PartiallyUpheld, "-999999999999999.99", None),
            (Denied, "12.00", None),
        ] {
            let award = found(finding, "10.00").award(outcome, amounts, money("10.00"));
            assert_eq!(award.ok(), awarded.map(money), "{outcome} {finding}");
        }
    }

    #[test]
    fn what_no_amount_can_be_is_refused() {
        let amounts = Amounts {
            computed: money("-600000000000000.00"),
            claimed: money("600000000000000.00"),
        };
        let review = found("600000000000000.00", "-600000000000000.00");
        let award = review.award(DisputeOutcome::Upheld, amounts, amounts.computed);
        assert_eq!(award.unwrap_err().code, Code::ValidationFailed);
    }

    #[test]
    fn a_finding_about_other_amounts_counts_for_nothing() {
        let amounts = Amounts {
            computed: money("10.00"),
            claimed: money("15.00"),
        };
        let stale = found("15.00", "10.00").award(DisputeOutcome::Upheld, amounts, money("8.00"));
        assert_eq!(stale.unwrap_err().code, Code::WrongState);
        let none = Review::default().award(DisputeOutcome::Upheld, amounts, money("10.00"));
        assert_eq!(none.unwrap_err().code, Code::WrongState);
    }

    #[test]
    fn each_reason_fits_something_and_other_fits_all() {
        for &reason in DisputeReason::ALL {
            assert!(
                SubjectType::ALL.iter().any(|&subject| reason.fits(subject)),
                "{reason}"
            );
        }
        for &subject in SubjectType::ALL {
            assert!(DisputeReason::Other.fits(subject));
        }
    }
}
