//! What an adjustment is and how it moves.

use crate::features::commissions::{Commission, LineMove};
use crate::kernel::ctx::ActorId;
use crate::kernel::id::{
    AdjustmentId, AttributionId, BacktestId, CommissionId, DealId, DisputeId, PartnerId, ProgramId,
};
use crate::kernel::money::{Money, Total};
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::Serialize;

word_enum! {
    /// Where an adjustment stands.
    AdjustmentStatus, "adjustment status" {
        /// It counts for nothing yet.
        Proposed = "proposed",
        /// A second person approved it; it waits for a payout.
        Approved = "approved",
        /// It is set aside for a payout.
        InPayout = "in_payout",
        /// It was paid, or set off.
        Paid = "paid",
        /// It was not approved.
        Refused = "refused",
        /// It was taken back.
        Withdrawn = "withdrawn",
    }
}

impl AdjustmentStatus {
    /// The verbs that this state allows.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::Proposed => &["approve", "refuse", "withdraw"],
            Self::Approved | Self::InPayout | Self::Paid | Self::Refused | Self::Withdrawn => &[],
        }
    }

    /// Whether the partner sees an adjustment in this state: only what was approved.
    pub const fn is_open_to_partners(self) -> bool {
        match self {
            Self::Approved | Self::InPayout | Self::Paid => true,
            Self::Proposed | Self::Refused | Self::Withdrawn => false,
        }
    }

    /// Where a payout takes it: from, to.
    pub const fn settled(line_move: LineMove) -> (Self, Self) {
        match line_move {
            LineMove::Reserve => (Self::Approved, Self::InPayout),
            LineMove::Pay { .. } => (Self::InPayout, Self::Paid),
            LineMove::GiveBack => (Self::InPayout, Self::Approved),
            LineMove::TakeBack => (Self::Paid, Self::Approved),
        }
    }
}

word_enum! {
    /// Why an amount is given or taken.
    AdjustmentReason, "adjustment reason" {
        /// Something was computed or recorded wrongly.
        Correction = "correction",
        /// Something was promised besides the rules.
        Bonus = "bonus",
        /// Nothing was owed.
        Goodwill = "goodwill",
        /// A disagreement was settled.
        Dispute = "dispute",
        /// An obligation was not met.
        Penalty = "penalty",
        /// The text says it.
        Other = "other",
        /// What the partner owes will not be paid back: it is given up.
        WriteOff = "write_off",
        /// Paid before it is earned, or taken back when it is.
        Advance = "advance",
    }
}

/// An adjustment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Adjustment {
    /// Its id.
    pub id: AdjustmentId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Who is given to or taken from.
    pub partner_id: PartnerId,
    /// In which program: balances and payouts are of one.
    pub program_id: ProgramId,
    /// The commission that it is about.
    pub commission_id: Option<CommissionId>,
    /// The deal that it is about.
    pub deal_id: Option<DealId>,
    /// The recalculation that it comes from.
    pub backtest_id: Option<BacktestId>,
    /// The credit whose correction it follows from.
    pub attribution_id: Option<AttributionId>,
    /// The dispute of which what was given is worth more or less since.
    pub dispute_id: Option<DisputeId>,
    /// Where it stands.
    pub status: AdjustmentStatus,
    /// Why it was refused.
    pub status_reason: Option<String>,
    /// Why, in a word.
    pub reason_code: AdjustmentReason,
    /// Why, for a person.
    pub reason: String,
    /// How much: given above zero, taken below.
    pub amount: Money,
    /// Who proposed it.
    pub created_by: ActorId,
    /// Who approved it.
    pub approved_by: Option<ActorId>,
    /// When it was approved.
    pub approved_at: Option<DateTime<Utc>>,
    /// What the partner owed when a write-off was approved.
    pub debt: Option<Money>,
    /// When it was paid or set off.
    pub paid_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What proposes by itself what people then approve.
#[derive(Debug, Clone, Copy)]
pub enum Proposer<'a> {
    /// Recalculations of the same money.
    Recalculations(&'a [BacktestId]),
    /// The corrections of a credit.
    Credit(AttributionId),
    /// What was given on a dispute.
    Dispute(DisputeId),
}

/// What was proposed to a partner in a program and currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposed {
    /// To whom.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// How much in all, of what was neither refused nor withdrawn.
    pub amount: Total,
    /// How much of it was approved.
    pub approved: Total,
}

/// What a new adjustment is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAdjustment {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Who is given to or taken from.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// The commission that it is about.
    pub commission_id: Option<CommissionId>,
    /// The deal that it is about.
    pub deal_id: Option<DealId>,
    /// The recalculation that it comes from.
    pub backtest_id: Option<BacktestId>,
    /// The credit whose correction it follows from.
    pub attribution_id: Option<AttributionId>,
    /// The dispute of which what was given is worth more or less since.
    pub dispute_id: Option<DisputeId>,
    /// Why, in a word.
    pub reason_code: AdjustmentReason,
    /// Why, for a person.
    pub reason: String,
    /// How much, not zero.
    pub amount: Money,
}

impl NewAdjustment {
    /// Refuses a commission that is about something else.
    pub fn check_commission(&self, commission: &Commission) -> Result<(), Problem> {
        let refuse = |pointer, message| Some(FieldProblem::new(pointer, "not_of_commission", message));
        let wrong = [
            (commission.partner_id != self.partner_id)
                .then(|| refuse("/partner_id", "The commission is another partner's.")),
            (commission.program_id != self.program_id)
                .then(|| refuse("/program_id", "The commission is of another program.")),
            self.deal_id
                .is_some_and(|deal_id| deal_id != commission.deal_id)
                .then(|| refuse("/deal_id", "The commission is of another deal.")),
            (commission.amount.currency() != self.amount.currency())
                .then(|| refuse("/amount/currency", "The commission is in another currency.")),
        ];
        let errors: Vec<FieldProblem> = wrong.into_iter().flatten().flatten().collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::fields(errors))
        }
    }
}

impl Adjustment {
    /// A proposal, which counts for nothing.
    pub fn propose(new: NewAdjustment, created_by: ActorId, now: DateTime<Utc>) -> Self {
        let NewAdjustment {
            external_id,
            partner_id,
            program_id,
            commission_id,
            deal_id,
            backtest_id,
            attribution_id,
            dispute_id,
            reason_code,
            reason,
            amount,
        } = new;
        Self {
            id: AdjustmentId::new(now),
            external_id,
            partner_id,
            program_id,
            commission_id,
            deal_id,
            backtest_id,
            attribution_id,
            dispute_id,
            status: AdjustmentStatus::Proposed,
            status_reason: None,
            reason_code,
            reason,
            amount,
            created_by,
            approved_by: None,
            approved_at: None,
            debt: None,
            paid_at: None,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// Lets it count; whoever proposed it cannot.
    pub fn approve(self, approved_by: ActorId, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            AdjustmentStatus::Proposed if approved_by == self.created_by => {
                Err(Problem::new(Code::SecondPersonRequired))
            }
            AdjustmentStatus::Proposed => Ok(Self {
                approved_by: Some(approved_by),
                approved_at: Some(now),
                ..self.moved(AdjustmentStatus::Approved, None, now)
            }),
            _ => Err(self.refusal("approve")),
        }
    }

    /// Whether it gives up what the partner owes.
    pub fn is_write_off(&self) -> bool {
        self.reason_code == AdjustmentReason::WriteOff
    }

    /// Refuses a write-off of more than what the partner owes.
    pub fn check_debt(&self, debt: Money) -> Result<(), Problem> {
        let left = debt.checked_sub(self.amount).map_err(Problem::damaged)?;
        if left.is_negative() {
            let detail = format!(
                "The partner owes {debt} in the program; {} cannot be written off.",
                self.amount
            );
            return Err(Problem::new(Code::WriteOffExceedsDebt).because(detail));
        }
        Ok(())
    }

    /// A write-off of some of what the partner owes at this moment.
    pub fn of_debt(self, debt: Money) -> Result<Self, Problem> {
        self.check_debt(debt)?;
        Ok(Self {
            debt: Some(debt),
            ..self
        })
    }

    /// Does not let it count.
    pub fn refuse(self, reason: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            AdjustmentStatus::Proposed => Ok(self.moved(AdjustmentStatus::Refused, Some(reason), now)),
            _ => Err(self.refusal("refuse")),
        }
    }

    /// Takes the proposal back.
    pub fn withdraw(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            AdjustmentStatus::Proposed => Ok(self.moved(AdjustmentStatus::Withdrawn, None, now)),
            _ => Err(self.refusal("withdraw")),
        }
    }

    fn moved(self, status: AdjustmentStatus, status_reason: Option<String>, now: DateTime<Utc>) -> Self {
        Self {
            status,
            status_reason,
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }

    fn refusal(&self, verb: &str) -> Problem {
        Problem::wrong_state(verb, self.status.as_str(), self.status.moves())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::id::{ApiKeyId, UserId};
    use crate::kernel::money::Currency;
    use uuid::Uuid;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_225_600, 0).unwrap()
    }

    fn author() -> ActorId {
        ActorId::User(UserId::from_uuid(Uuid::from_u128(1)))
    }

    fn second() -> ActorId {
        ActorId::ApiKey(ApiKeyId::from_uuid(Uuid::from_u128(2)))
    }

    fn adjustment(status: AdjustmentStatus) -> Adjustment {
        let new = NewAdjustment {
            external_id: None,
            partner_id: PartnerId::new(now()),
            program_id: ProgramId::new(now()),
            commission_id: None,
            deal_id: None,
            backtest_id: None,
            attribution_id: None,
            dispute_id: None,
            reason_code: AdjustmentReason::Bonus,
            reason: "For the webinar.".to_owned(),
            amount: Money::parse("-5.00", Currency::USD).unwrap(),
        };
        let proposed = Adjustment::propose(new, author(), now());
        Adjustment { status, ..proposed }
    }

    #[test]
    fn each_verb_moves_from_its_states_only() {
        for &status in AdjustmentStatus::ALL {
            let moves = [
                ("approve", adjustment(status).approve(second(), now())),
                ("refuse", adjustment(status).refuse("No.".to_owned(), now())),
                ("withdraw", adjustment(status).withdraw(now())),
            ];
            for (verb, outcome) in moves {
                assert_eq!(outcome.is_ok(), status.moves().contains(&verb), "{status} {verb}");
            }
        }
    }

    #[test]
    fn another_person_approves() {
        let proposed = adjustment(AdjustmentStatus::Proposed);
        let refused = proposed.clone().approve(author(), now()).unwrap_err();
        assert_eq!(refused.code, Code::SecondPersonRequired);
        let approved = proposed.approve(second(), now()).unwrap();
        assert_eq!(
            (approved.approved_by, approved.approved_at),
            (Some(second()), Some(now()))
        );
    }

    #[test]
    fn no_more_is_written_off_than_is_owed() {
        let money = |text| Money::parse(text, Currency::USD).unwrap();
        let write_off = Adjustment {
            reason_code: AdjustmentReason::WriteOff,
            amount: money("5.00"),
            ..adjustment(AdjustmentStatus::Proposed)
        };
        for (debt, is_allowed) in [("0.00", false), ("4.99", false), ("5.00", true), ("5.01", true)] {
            let outcome = write_off.clone().of_debt(money(debt));
            assert_eq!(outcome.is_ok(), is_allowed, "{debt}");
            match outcome {
                Ok(made) => assert_eq!(made.debt, Some(money(debt))),
                Err(problem) => assert_eq!(problem.code, Code::WriteOffExceedsDebt),
            }
        }
    }

    #[test]
    fn a_payout_moves_what_was_approved_and_back() {
        let paid_at = now();
        let there = [
            LineMove::Reserve,
            LineMove::Pay { paid_at },
            LineMove::TakeBack,
            LineMove::Reserve,
            LineMove::GiveBack,
        ];
        let mut stands = AdjustmentStatus::Approved;
        for line_move in there {
            let (from, to) = AdjustmentStatus::settled(line_move);
            assert_eq!(from, stands);
            assert!(to.is_open_to_partners());
            stands = to;
        }
        assert_eq!(stands, AdjustmentStatus::Approved);
    }
}
