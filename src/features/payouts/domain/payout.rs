//! Payouts, the lines they consist of, and what was left for later.

use crate::features::commissions::SettledLines;
use crate::kernel::id::{
    AdjustmentId, ClawbackId, CommissionId, PartnerId, PayoutCarryForwardId, PayoutId, PayoutItemId,
    PayoutMethodId, PayoutRunId, ProgramId,
};
use crate::kernel::money::{Money, Total};
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::Serialize;

word_enum! {
    /// Where a payout stands.
    PayoutStatus, "payout status" {
        /// Its run is not yet being processed.
        Pending = "pending",
        /// It is being paid.
        Processing = "processing",
        /// It was paid.
        Paid = "paid",
        /// It could not be paid; its lines are free for a later run.
        Failed = "failed",
        /// It was paid and came back; its lines are free for a later run.
        Returned = "returned",
        /// Its run was cancelled.
        Cancelled = "cancelled",
    }
}

impl PayoutStatus {
    /// The verbs that this state allows. A pending payout moves with its run only.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::Processing => &["confirm", "fail"],
            Self::Paid => &["return"],
            Self::Pending | Self::Failed | Self::Returned | Self::Cancelled => &[],
        }
    }

    /// Whether the partner sees a payout in this state: only what is really being paid, or was.
    pub const fn is_open_to_partners(self) -> bool {
        match self {
            Self::Processing | Self::Paid | Self::Failed | Self::Returned => true,
            Self::Pending | Self::Cancelled => false,
        }
    }
}

/// One partner's payment in a run, per program and currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Payout {
    /// Its id.
    pub id: PayoutId,
    /// The run it belongs to.
    pub payout_run_id: PayoutRunId,
    /// Who is paid.
    pub partner_id: PartnerId,
    /// For which program.
    pub program_id: ProgramId,
    /// Where it stands.
    pub status: PayoutStatus,
    /// Why it stands there, where a reason was given.
    pub status_reason: Option<String>,
    /// How much is paid.
    pub amount: Money,
    /// Where the money goes, where the rail needs to know. What a method says never changes, and neither does this.
    pub payout_method_id: Option<PayoutMethodId>,
    /// The payment's reference at the bank.
    pub reference: Option<String>,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What is known of a payment that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// Its reference at the bank.
    pub reference: Option<String>,
    /// When it was made.
    pub paid_at: DateTime<Utc>,
}

impl Confirmation {
    /// A payment that was made now or before.
    pub fn new(
        reference: Option<String>,
        paid_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        let paid_at = past("/paid_at", paid_at, now)?;
        Ok(Self { reference, paid_at })
    }
}

/// The instant that the caller gave, or now; what happened cannot lie in the future.
fn past(pointer: &str, given: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<DateTime<Utc>, Problem> {
    match given {
        Some(instant) if instant > now => Err(Problem::field(
            pointer,
            "in_future",
            "The instant must not be in the future.",
        )),
        Some(instant) => Ok(instant),
        None => Ok(now),
    }
}

impl Payout {
    /// Begins to pay it.
    pub fn process(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            PayoutStatus::Pending => Ok(self.moved(PayoutStatus::Processing, None, now)),
            _ => Err(self.refuse("process")),
        }
    }

    /// The payment was made.
    pub fn confirm(self, confirmation: &Confirmation, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            PayoutStatus::Processing => Ok(Self {
                reference: confirmation.reference.clone(),
                paid_at: Some(confirmation.paid_at),
                ..self.moved(PayoutStatus::Paid, None, now)
            }),
            _ => Err(self.refuse("confirm")),
        }
    }

    /// It goes on being paid, but nobody knows whether it was.
    pub fn question(self, why: &str, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            PayoutStatus::Processing => Ok(self.moved(PayoutStatus::Processing, Some(why.to_owned()), now)),
            _ => Err(self.refuse("question")),
        }
    }

    /// The payment could not be made.
    pub fn fail(self, reason: &str, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            PayoutStatus::Processing => Ok(self.moved(PayoutStatus::Failed, Some(reason.to_owned()), now)),
            _ => Err(self.refuse("fail")),
        }
    }

    /// The payment came back.
    pub fn bounce(self, reason: &str, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            PayoutStatus::Paid => Ok(self.moved(PayoutStatus::Returned, Some(reason.to_owned()), now)),
            _ => Err(self.refuse("return")),
        }
    }

    /// When the payment came back: not before it was made, and not in the future.
    pub fn returned_at(
        &self,
        given: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, Problem> {
        let returned_at = past("/returned_at", given, now)?;
        if self.paid_at.is_some_and(|paid_at| returned_at < paid_at) {
            return Err(Problem::field(
                "/returned_at",
                "before_payment",
                "A payment cannot come back before it was made.",
            ));
        }
        Ok(returned_at)
    }

    /// Its run is given up.
    pub fn cancel(self, reason: &str, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            PayoutStatus::Pending => Ok(self.moved(PayoutStatus::Cancelled, Some(reason.to_owned()), now)),
            _ => Err(self.refuse("cancel")),
        }
    }

    fn moved(self, status: PayoutStatus, status_reason: Option<String>, now: DateTime<Utc>) -> Self {
        Self {
            status,
            status_reason,
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }

    fn refuse(&self, verb: &str) -> Problem {
        Problem::wrong_state(verb, self.status.as_str(), self.status.moves())
    }
}

word_enum! {
    /// What a line of a payout is.
    PayoutItemKind, "payout item kind" {
        /// An earned line, or the negative one of a credit note.
        Commission = "commission",
        /// What a refund takes back.
        Clawback = "clawback",
        /// What a person gave or took.
        Adjustment = "adjustment",
    }
}

word_enum! {
    /// Whether a line of a payout holds what it stands for.
    PayoutItemStatus, "payout item status" {
        /// Its run is a draft.
        Proposed = "proposed",
        /// It is paid by this payout and by no other.
        Live = "live",
        /// It is free for a later run.
        Released = "released",
    }
}

/// A line of a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutItem {
    /// Its id.
    pub id: PayoutItemId,
    /// The payout it belongs to.
    pub payout_id: PayoutId,
    /// Who is paid.
    pub partner_id: PartnerId,
    /// The commission, if it stands for one.
    pub commission_id: Option<CommissionId>,
    /// The clawback, if it stands for one.
    pub clawback_id: Option<ClawbackId>,
    /// The adjustment, if it stands for one.
    pub adjustment_id: Option<AdjustmentId>,
    /// What it adds to the payout; clawbacks, credit notes and some adjustments are negative.
    pub amount: Money,
    /// Whether it holds what it stands for.
    pub status: PayoutItemStatus,
}

impl PayoutItem {
    /// What it is.
    pub const fn kind(&self) -> PayoutItemKind {
        match (self.clawback_id, self.adjustment_id) {
            (Some(_), _) => PayoutItemKind::Clawback,
            (None, Some(_)) => PayoutItemKind::Adjustment,
            (None, None) => PayoutItemKind::Commission,
        }
    }
}

word_enum! {
    /// Why an amount waits for a later run.
    CarryForwardReason, "carry-forward reason" {
        /// Nothing is left above zero.
        NotPositive = "not_positive",
        /// It is less than the program pays out.
        BelowMinimum = "below_minimum",
        /// The partner is not approved at present.
        PartnerNotPayable = "partner_not_payable",
        /// The program asks for something before it pays that the partner does not have on file.
        GateClosed = "gate_closed",
        /// The rail does not pay in this currency.
        CurrencyNotSupported = "currency_not_supported",
        /// It is more than the rail pays at once, or than an amount can be.
        AmountNotSupported = "amount_not_supported",
        /// The partner has no confirmed bank account in the currency.
        PayoutMethodMissing = "payout_method_missing",
        /// The account was confirmed too short a time ago.
        PayoutMethodCoolingOff = "payout_method_cooling_off",
        /// The rail does not reach the account.
        PayoutMethodNotSupported = "payout_method_not_supported",
        /// It is to be exchanged, and no rate is known.
        MissingRate = "missing_rate",
    }
}

/// What payouts consist of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PayoutLines {
    /// What was earned and taken back.
    pub settled: SettledLines,
    /// What people gave and took.
    pub adjustments: Vec<AdjustmentId>,
}

/// What a run left for a later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarryForward {
    /// Its id.
    pub id: PayoutCarryForwardId,
    /// The run that left it.
    pub payout_run_id: PayoutRunId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// How much; below zero the partner owes it.
    pub amount: Total,
    /// Why it waits.
    pub reason: CarryForwardReason,
    /// What the program asked for, where that is why.
    pub closed_gates: Vec<String>,
}
