//! What a commission is and how it moves.

use crate::kernel::commission::{Component, Explanation, IneligibleReason};
use crate::kernel::exchange::FxPolicy;
use crate::kernel::id::{
    AttributionId, ClawbackId, CommissionId, CommissionRuleVersionId, CreditNoteId, DealId, DisputeId,
    InvoiceId, InvoiceLineId, PartnerId, PaymentId, ProgramId, RefundId,
};
use crate::kernel::money::{Currency, Money, MoneyError};
use crate::kernel::motion::Role;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

word_enum! {
    /// Where an earned line stands.
    CommissionStatus, "commission status" {
        /// The hold runs.
        Pending = "pending",
        /// The hold is over; somebody has to approve it.
        Due = "due",
        /// It goes into the next payout.
        Approved = "approved",
        /// It is in a payout that is not settled yet.
        InPayout = "in_payout",
        /// It was paid.
        Paid = "paid",
        /// All of it was taken back before it was approved.
        Reversed = "reversed",
        /// It earns nothing, for the reason that stands with it.
        Ineligible = "ineligible",
    }
}

word_enum! {
    /// What a line comes from.
    CommissionKind, "commission kind" {
        /// Money was received.
        Accrual = "accrual",
        /// A credit note without an invoice: a negative line.
        CreditNote = "credit_note",
    }
}

word_enum! {
    /// What a clawback does.
    ClawbackKind, "clawback kind" {
        /// Money went back, and is taken back.
        Clawback = "clawback",
        /// Money came in again, and what was taken back is given back.
        Reinstatement = "reinstatement",
    }
}

word_enum! {
    /// Where a clawback stands.
    ClawbackStatus, "clawback status" {
        /// It lowered the line itself, before that was approved.
        Netted = "netted",
        /// It goes into the next payout as a negative line.
        Payable = "payable",
        /// It is in a payout that is not settled yet.
        InPayout = "in_payout",
        /// It was settled by a payout.
        Paid = "paid",
    }
}

word_enum! {
    /// The account that a clawback was taken from.
    TakenFrom, "account" {
        /// The hold was running.
        Held = "held",
        /// The hold was over and nobody had approved the line.
        Released = "released",
        /// The line was approved, in a payout or paid.
        Payable = "payable",
    }
}

word_enum! {
    /// Why a clawback took or gave back nothing.
    ZeroReason, "zero reason" {
        /// The program's clawback window was over.
        WindowPassed = "clawback_window_passed",
        /// The part of the commission comes to less than half a unit, or all was taken back before.
        NothingLeft = "nothing_to_take",
    }
}

impl TakenFrom {
    /// The account on which a line lay before it was approved, as far as it has come.
    pub const fn before_approval(self) -> Self {
        match self {
            Self::Held => Self::Held,
            Self::Released | Self::Payable => Self::Released,
        }
    }
}

impl CommissionStatus {
    /// The verbs that this state allows a caller.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::Due => &["approve"],
            _ => &[],
        }
    }

    /// The account on which a line in this state lies.
    pub const fn account(self) -> TakenFrom {
        match self {
            Self::Pending => TakenFrom::Held,
            Self::Due => TakenFrom::Released,
            _ => TakenFrom::Payable,
        }
    }
}

/// An earned line.
#[derive(Debug, Clone, PartialEq)]
pub struct Commission {
    /// Its id.
    pub id: CommissionId,
    /// What it comes from.
    pub kind: CommissionKind,
    /// Who earns it.
    pub partner_id: PartnerId,
    /// Under which program.
    pub program_id: ProgramId,
    /// On which deal.
    pub deal_id: DealId,
    /// For which credit.
    pub attribution_id: AttributionId,
    /// In which role.
    pub role: Role,
    /// Which part of the compensation.
    pub component: Component,
    /// The invoice, for an accrual.
    pub invoice_id: Option<InvoiceId>,
    /// The invoice's line, for an accrual.
    pub invoice_line_id: Option<InvoiceLineId>,
    /// The payment, for an accrual.
    pub payment_id: Option<PaymentId>,
    /// The credit note, for a negative line.
    pub credit_note_id: Option<CreditNoteId>,
    /// The version of the rule that decided it.
    pub rule_version_id: Option<CommissionRuleVersionId>,
    /// Where it stands.
    pub status: CommissionStatus,
    /// Why it earns nothing.
    pub ineligible_reason: Option<IneligibleReason>,
    /// The money that it was earned on.
    pub base: Money,
    /// What was earned.
    pub amount: Money,
    /// What was taken back in all.
    pub reversed: Money,
    /// What was taken back before approval.
    pub netted: Money,
    /// In which currency the partner is paid, where that is another one, and when it is exchanged.
    pub paid_in: Option<(Currency, FxPolicy)>,
    /// What is owed of it, and when it was exchanged into that.
    pub owed: Owed,
    /// The living dispute that holds it up.
    pub dispute_id: Option<DisputeId>,
    /// When the money came in.
    pub earned_at: DateTime<Utc>,
    /// When the hold is over.
    pub release_at: DateTime<Utc>,
    /// When it was approved.
    pub approved_at: Option<DateTime<Utc>>,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What is owed of a line: in the currency of the invoice, until it is exchanged into the one that the partner is paid in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    /// What was earned.
    pub amount: Money,
    /// What was taken back in all.
    pub reversed: Money,
    /// What was taken back before approval.
    pub netted: Money,
    /// When it was exchanged.
    pub exchanged_at: Option<DateTime<Utc>>,
}

impl Owed {
    /// What the partner keeps of it.
    pub fn kept(&self) -> Result<Money, MoneyError> {
        kept(self.amount, self.reversed)
    }
}

fn kept(amount: Money, reversed: Money) -> Result<Money, MoneyError> {
    if amount.is_negative() {
        return Ok(amount);
    }
    amount.checked_sub(reversed)
}

impl Commission {
    /// What is left of what was earned, in the currency of the invoice.
    pub fn net(&self) -> Result<Money, MoneyError> {
        kept(self.amount, self.reversed)
    }

    /// What the partner keeps of it, as it is owed.
    pub fn kept(&self) -> Result<Money, MoneyError> {
        self.owed.kept()
    }

    /// What of it is payable, or would be: the line less what was netted with it, as it is owed.
    pub fn payable(&self) -> Result<Money, MoneyError> {
        self.owed.amount.checked_sub(self.owed.netted)
    }

    /// What became of it since it was earned, in a sentence; nothing where all of it is left.
    pub fn taken_back(&self) -> Result<Option<String>, MoneyError> {
        let (reversed, kept) = (self.owed.reversed, self.kept()?);
        let is_taken = reversed.is_positive();
        Ok(is_taken.then(|| format!("{reversed} of it was taken back since, so {kept} is left.")))
    }

    /// Refuses unless the line may be approved now.
    pub fn may_be_approved(&self) -> Result<(), Problem> {
        match self.status {
            CommissionStatus::Pending => Err(Problem::new(Code::WrongState).because(format!(
                "It is held until {}, and approved after that.",
                self.release_at.format("%Y-%m-%dT%H:%M:%SZ")
            ))),
            CommissionStatus::Due if self.dispute_id.is_some() => {
                Err(Problem::new(Code::WrongState).because("The line is disputed; decide the dispute first."))
            }
            CommissionStatus::Due => Ok(()),
            status => Err(Problem::wrong_state("approve", status.as_str(), status.moves())),
        }
    }
}

/// What had become of a line by an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownMoves {
    /// Whether its hold was over, by the journal.
    pub was_released: bool,
    /// Whether it was approved, by the journal.
    pub was_approved: bool,
    /// Where its last payout had brought it, and when that was paid.
    pub payout: Option<(CommissionStatus, Option<DateTime<Utc>>)>,
    /// Taken back in all.
    pub reversed: Money,
    /// The part of it taken before approval.
    pub netted: Money,
    /// What was taken back since of what is owed in another currency, and the part of it taken before approval.
    pub owed_since: (Decimal, Decimal),
    /// The dispute that held it up.
    pub dispute_id: Option<DisputeId>,
}

impl Commission {
    /// The line as it stood at an instant after it was written.
    pub fn stood_at(self, known: KnownMoves, instant: DateTime<Utc>) -> Result<Self, MoneyError> {
        let before_payouts = match (self.kind, known.was_approved, known.was_released) {
            (CommissionKind::CreditNote, ..) | (_, true, _) => CommissionStatus::Approved,
            _ if !self.amount.is_zero() && known.netted == self.amount => CommissionStatus::Reversed,
            (_, false, true) => CommissionStatus::Due,
            (_, false, false) => CommissionStatus::Pending,
        };
        let (status, paid_at) = match (self.status, known.payout) {
            (CommissionStatus::Ineligible, _) => (CommissionStatus::Ineligible, None),
            (_, Some(payout)) => payout,
            (_, None) => (before_payouts, None),
        };
        let owed = match self.owed.exchanged_at {
            Some(exchanged_at) if exchanged_at <= instant => {
                let before = |now: Money, since: Decimal| now.checked_sub(Money::new(since, now.currency())?);
                Owed {
                    reversed: before(self.owed.reversed, known.owed_since.0)?,
                    netted: before(self.owed.netted, known.owed_since.1)?,
                    ..self.owed
                }
            }
            _ => Owed {
                amount: self.amount,
                reversed: known.reversed,
                netted: known.netted,
                exchanged_at: None,
            },
        };
        Ok(Self {
            status,
            paid_at,
            approved_at: self.approved_at.filter(|approved_at| *approved_at <= instant),
            reversed: known.reversed,
            netted: known.netted,
            owed,
            dispute_id: known.dispute_id,
            ..self
        })
    }
}

/// A new line, ready to be written and posted.
#[derive(Debug, Clone)]
pub struct Earned {
    /// Its id.
    pub id: CommissionId,
    /// What it comes from.
    pub kind: CommissionKind,
    /// Where it comes from, in records.
    pub origin: Origin,
    /// Who earns it.
    pub partner_id: PartnerId,
    /// For which credit.
    pub attribution_id: AttributionId,
    /// In which role.
    pub role: Role,
    /// Which part of the compensation.
    pub component: Component,
    /// The version of the rule that decided it.
    pub rule_version_id: Option<CommissionRuleVersionId>,
    /// Where it stands at once.
    pub status: CommissionStatus,
    /// Why it earns nothing.
    pub ineligible_reason: Option<IneligibleReason>,
    /// The money that it was earned on.
    pub base: Money,
    /// What was earned.
    pub amount: Money,
    /// When the money came in.
    pub earned_at: DateTime<Utc>,
    /// When the hold is over.
    pub release_at: DateTime<Utc>,
    /// Everything that the amount follows from.
    pub explanation: Explanation,
}

/// The records that a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Under which program.
    pub program_id: ProgramId,
    /// On which deal.
    pub deal_id: DealId,
    /// The invoice, its line and the payment, for an accrual.
    pub paid: Option<(InvoiceId, InvoiceLineId, PaymentId)>,
    /// The credit note, for a negative line.
    pub credit_note_id: Option<CreditNoteId>,
}

/// A line that moved on, as far as a posting needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The line.
    pub id: CommissionId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// Under which program.
    pub program_id: ProgramId,
    /// What moved: the line less what was netted with it.
    pub amount: Money,
    /// The business time of the move.
    pub at: DateTime<Utc>,
}

/// What was taken back from one line, or given back to it.
#[derive(Debug, Clone)]
pub struct ClawedBack {
    /// Its id.
    pub id: ClawbackId,
    /// The line.
    pub commission_id: CommissionId,
    /// The refund that caused it.
    pub refund_id: RefundId,
    /// From whom.
    pub partner_id: PartnerId,
    /// Under which program.
    pub program_id: ProgramId,
    /// How much; zero with a reason, below zero what is given back.
    pub amount: Money,
    /// How much in the currency that the partner is paid in, where the line was exchanged, and what that follows from.
    pub exchanged: Option<(Money, Explanation)>,
    /// Where the line stood: it is taken from there, or given back there.
    pub taken_from: TakenFrom,
    /// Why nothing was taken.
    pub zero_reason: Option<ZeroReason>,
    /// Everything that the amount follows from.
    pub explanation: Explanation,
    /// When the money went back.
    pub occurred_at: DateTime<Utc>,
}
