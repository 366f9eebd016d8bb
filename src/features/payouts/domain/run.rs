//! Payout runs.

use super::payout::{Confirmation, PayoutStatus};
use super::rail::PayoutRail;
use crate::features::organizations::{Debtor, OrganizationMode};
use crate::kernel::ctx::ActorId;
use crate::kernel::id::{PartnerId, PayoutRunId, ProgramId};
use crate::kernel::money::Total;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::word::word_enum;
use crate::platform::stripe::KeyMode;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

word_enum! {
    /// Where a payout run stands.
    PayoutRunStatus, "payout run status" {
        /// It is proposed; nothing is reserved.
        Draft = "draft",
        /// A second person took it; its lines are reserved.
        Approved = "approved",
        /// Its payouts are being paid.
        Processing = "processing",
        /// None of its payouts is open any more.
        Completed = "completed",
        /// It was given up before it was processed.
        Cancelled = "cancelled",
    }
}

impl PayoutRunStatus {
    /// The verbs that this state allows.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::Draft => &["approve", "cancel"],
            Self::Approved => &["process", "cancel"],
            Self::Processing => &["confirm"],
            Self::Completed | Self::Cancelled => &[],
        }
    }
}

/// A batch of payouts at a cut-off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PayoutRun {
    /// Its id.
    pub id: PayoutRunId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The only program it pays; `None` is all of them.
    pub program_id: Option<ProgramId>,
    /// The only partners whom it pays; none is all of them.
    pub partner_ids: Vec<PartnerId>,
    /// The partners whom it leaves out.
    pub excluded_partner_ids: Vec<PartnerId>,
    /// Where it stands.
    pub status: PayoutRunStatus,
    /// How it pays.
    pub rail: PayoutRail,
    /// From which account it pays, where its rail needs to know; as it was when the run was drafted.
    pub debtor: Option<Debtor>,
    /// What was released until this instant is in it.
    pub cut_off_at: DateTime<Utc>,
    /// Who drafted it.
    pub created_by: Option<ActorId>,
    /// Who made the secret of the key that it was drafted with, and so may have drafted it.
    #[serde(skip)]
    pub drafter_secret_makers: Vec<Uuid>,
    /// Who approved it.
    pub approved_by: Option<ActorId>,
    /// When it was approved.
    pub approved_at: Option<DateTime<Utc>>,
    /// When it began to pay.
    pub processed_at: Option<DateTime<Utc>>,
    /// When the last of its payouts was settled.
    pub completed_at: Option<DateTime<Utc>>,
    /// When it was cancelled.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// Counts its changes and those of its payouts.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it or a payout of it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Who takes a step on a run, and who may have taken it in their name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signature {
    /// The person, or the key that belongs to nobody.
    pub by: Option<ActorId>,
    /// Who made the secret of the key that was used.
    pub secret_makers: Vec<Uuid>,
}

/// What a new run is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayoutRun {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The only program it pays.
    pub program_id: Option<ProgramId>,
    /// The only partners whom it pays; none is all of them.
    pub partner_ids: Vec<PartnerId>,
    /// The partners whom it leaves out.
    pub excluded_partner_ids: Vec<PartnerId>,
    /// How it pays.
    pub rail: PayoutRail,
    /// What was released until this instant is in it.
    pub cut_off_at: DateTime<Utc>,
}

impl NewPayoutRun {
    /// Refuses a run that the service would have to pay itself and cannot, or must not: what is tried out in a sandbox moves
    /// no money.
    pub fn refuse_unready(&self, key: Option<KeyMode>, mode: OrganizationMode) -> Result<(), Problem> {
        let refuse = |code, message| Err(Problem::field("/rail", code, message));
        match (self.rail.rail().is_by_service(), key, mode) {
            (false, ..) => Ok(()),
            (true, None, _) => refuse(
                "rail_not_set_up",
                "The service has no Stripe key for this organization: whoever runs it sets COPARTNER_STRIPE_SECRET_KEY and \
                 COPARTNER_STRIPE_ORGANIZATION_ID.",
            ),
            (true, Some(KeyMode::Live), OrganizationMode::Sandbox) => refuse(
                "live_key_in_sandbox",
                "This organization is a sandbox, and the service's Stripe key is a live one: real money would move.",
            ),
            (true, Some(_), _) => Ok(()),
        }
    }
}

impl PayoutRun {
    /// Refuses a payment that was made more than a day before the cut-off: what it pays was not known to be owed until then.
    /// A bank tells of days, and each begins somewhere else.
    pub fn refuse_early(&self, confirmation: &Confirmation) -> Result<(), Problem> {
        if confirmation.paid_at >= self.cut_off_at - TimeDelta::days(1) {
            return Ok(());
        }
        let cut_off = self.cut_off_at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let message = format!(
            "A payment cannot have been made more than a day before the cut-off of its run, {cut_off}."
        );
        Err(Problem::field("/paid_at", "before_cut_off", message))
    }

    /// A proposal. The cut-off must have passed, because what comes until then is not known before; and a rail that
    /// pays from an account of the organization needs to know it.
    pub fn draft(
        new: NewPayoutRun,
        debtor: Option<Debtor>,
        drafter: Signature,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        let NewPayoutRun {
            external_id,
            program_id,
            partner_ids,
            excluded_partner_ids,
            rail,
            cut_off_at,
        } = new;
        if cut_off_at > now {
            return Err(Problem::field(
                "/cut_off_at",
                "in_future",
                "The cut-off must not be in the future.",
            ));
        }
        let debtor = debtor.filter(|_| rail.rail().needs_debtor());
        if rail.rail().needs_debtor() && debtor.is_none() {
            return Err(Problem::field(
                "/rail",
                "debtor_missing",
                "The organization names no account to pay from: set payout_debtor_name and payout_debtor_iban.",
            ));
        }
        Ok(Self {
            id: PayoutRunId::new(now),
            external_id,
            program_id,
            partner_ids,
            excluded_partner_ids,
            status: PayoutRunStatus::Draft,
            rail,
            debtor,
            cut_off_at,
            created_by: drafter.by,
            drafter_secret_makers: drafter.secret_makers,
            approved_by: None,
            approved_at: None,
            processed_at: None,
            completed_at: None,
            cancelled_at: None,
            row_version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// Takes the proposal; whoever drafted it, or may know the secret of either key, cannot.
    pub fn approve(self, approver: &Signature, now: DateTime<Utc>) -> Result<Self, Problem> {
        if self.status != PayoutRunStatus::Draft {
            return Err(self.refuse("approve"));
        }
        self.refuse_same_hand(approver)?;
        Ok(Self {
            status: PayoutRunStatus::Approved,
            approved_by: approver.by,
            approved_at: Some(now),
            ..self.changed(now)
        })
    }

    fn refuse_same_hand(&self, approver: &Signature) -> Result<(), Problem> {
        let knows = |by: Option<ActorId>, makers: &[Uuid]| by.is_some_and(|by| makers.contains(&by.uuid()));
        let detail = if approver.by == self.created_by {
            "You created this run. Somebody else approves it: another person, or a key that belongs to nobody and that \
             you did not make."
        } else if knows(self.created_by, &approver.secret_makers) {
            "The secret of your key was made by whoever created this run, who may know it. Come with a key that was \
             made or last rotated by somebody else, such as yourself."
        } else if knows(approver.by, &self.drafter_secret_makers) {
            "You made the secret of the key with which this run was created, so it may be your own. Somebody else \
             approves it."
        } else {
            return Ok(());
        };
        Err(Problem::new(Code::SecondPersonRequired).because(detail))
    }

    /// Begins to pay.
    pub fn process(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            PayoutRunStatus::Approved => Ok(Self {
                status: PayoutRunStatus::Processing,
                processed_at: Some(now),
                ..self.changed(now)
            }),
            _ => Err(self.refuse("process")),
        }
    }

    /// Gives it up, which nobody can once it is being paid.
    pub fn cancel(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            PayoutRunStatus::Draft | PayoutRunStatus::Approved => Ok(Self {
                status: PayoutRunStatus::Cancelled,
                cancelled_at: Some(now),
                ..self.changed(now)
            }),
            _ => Err(self.refuse("cancel")),
        }
    }

    /// Whether all its open payouts may be confirmed at once.
    pub fn may_confirm(&self) -> Result<(), Problem> {
        match self.status {
            PayoutRunStatus::Processing => Ok(()),
            _ => Err(self.refuse("confirm")),
        }
    }

    /// The run after one or more of its payouts moved: completed when that was the last open one. A payout that comes
    /// back later leaves the run completed.
    #[must_use]
    pub fn settled(self, open_payouts: i64, now: DateTime<Utc>) -> Self {
        match self.status {
            PayoutRunStatus::Processing if open_payouts == 0 => Self {
                status: PayoutRunStatus::Completed,
                completed_at: Some(now),
                ..self.changed(now)
            },
            _ => self.changed(now),
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

/// What a run adds up to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PayoutRunFigures {
    /// How many payouts it has.
    pub payout_count: i64,
    /// What its payouts add up to, per currency.
    pub totals: Vec<Total>,
    /// How many payouts stand where.
    pub by_status: StatusCounts,
}

/// A run and what it adds up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The run.
    pub run: PayoutRun,
    /// What it adds up to.
    pub figures: PayoutRunFigures,
}

/// How many payouts stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusCounts {
    /// Not yet being paid.
    pub pending: i64,
    /// Being paid.
    pub processing: i64,
    /// Paid.
    pub paid: i64,
    /// Not paid.
    pub failed: i64,
    /// Paid and come back.
    pub returned: i64,
    /// Given up with the run.
    pub cancelled: i64,
}

impl PayoutRunFigures {
    /// Adds payouts of one state and currency; those of one currency come one after the other.
    pub fn add(&mut self, status: PayoutStatus, count: i64, sum: Total) -> Result<(), Problem> {
        self.payout_count += count;
        *self.by_status.of(status) += count;
        match self.totals.last_mut() {
            Some(total) if total.currency() == sum.currency() => {
                *total = total.checked_add(sum).map_err(Problem::damaged)?;
            }
            _ => self.totals.push(sum),
        }
        Ok(())
    }
}

impl StatusCounts {
    fn of(&mut self, status: PayoutStatus) -> &mut i64 {
        match status {
            PayoutStatus::Pending => &mut self.pending,
            PayoutStatus::Processing => &mut self.processing,
            PayoutStatus::Paid => &mut self.paid,
            PayoutStatus::Failed => &mut self.failed,
            PayoutStatus::Returned => &mut self.returned,
            PayoutStatus::Cancelled => &mut self.cancelled,
        }
    }
}
