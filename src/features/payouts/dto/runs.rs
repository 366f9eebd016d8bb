//! Payout runs and what they left for later, on the wire.

use super::super::domain::{
    CarryForward, CarryForwardReason, NewPayoutRun, PayoutRail, PayoutRunStatus, Report, StatusCounts,
};
use super::super::store::{CarryForwardFilter, PayoutRunFilter};
use super::Sort;
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{PartnerId, PayoutCarryForwardId, PayoutRunId, ProgramId};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::{ClosedGate, TotalBody};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A payout run to draft.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = PayoutRunCreate, examples(json!({"external_id": "payouts-2026-03", "cut_off_at": "2026-04-01T00:00:00Z", "rail": "manual"})))]
#[serde(deny_unknown_fields)]
pub struct NewPayoutRunBody {
    /// Your own key for the run; unique among your runs.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "payouts-2026-03"
    )]
    pub external_id: Option<String>,
    /// The only program to pay; without it all programs are paid.
    #[schema(nullable = false)]
    pub program_id: Option<ProgramId>,
    /// The only partners to pay; without them all are paid.
    #[schema(nullable = false, min_items = 1, max_items = 1000, example = json!(["ptn_01j9zq4y8k7m5n3p2r1s0t6v4w"]))]
    pub partner_ids: Option<Vec<PartnerId>>,
    /// Partners to leave out.
    #[schema(nullable = false, max_items = 1000, example = json!([]))]
    pub excluded_partner_ids: Option<Vec<PartnerId>>,
    /// What was released until this instant is paid; not in the future.
    pub cut_off_at: DateTime<Utc>,
    /// How the money gets to the partners: manual, where a person pays; csv or sepa, where a person hands the run's file
    /// to a bank and confirms what was paid; stripe, where the service itself makes transfers to connected accounts.
    pub rail: PayoutRail,
}

impl NewPayoutRunBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> NewPayoutRun {
        let Self {
            external_id,
            program_id,
            partner_ids,
            excluded_partner_ids,
            cut_off_at,
            rail,
        } = self.clone();
        NewPayoutRun {
            external_id,
            program_id,
            partner_ids: partner_ids.unwrap_or_default(),
            excluded_partner_ids: excluded_partner_ids.unwrap_or_default(),
            rail,
            cut_off_at,
        }
    }
}

/// How many payouts of a run stand where.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = PayoutCounts, examples(json!({"pending": 0, "processing": 2, "paid": 9, "failed": 1, "returned": 0, "cancelled": 0})))]
pub struct PayoutCountsView {
    /// Not yet being paid.
    #[schema(minimum = 0)]
    pub pending: i64,
    /// Being paid.
    #[schema(minimum = 0)]
    pub processing: i64,
    /// Paid.
    #[schema(minimum = 0)]
    pub paid: i64,
    /// Not paid; their lines wait for a later run.
    #[schema(minimum = 0)]
    pub failed: i64,
    /// Paid and come back; their lines wait for a later run.
    #[schema(minimum = 0)]
    pub returned: i64,
    /// Given up with the run.
    #[schema(minimum = 0)]
    pub cancelled: i64,
}

impl From<StatusCounts> for PayoutCountsView {
    fn from(counts: StatusCounts) -> Self {
        Self {
            pending: counts.pending,
            processing: counts.processing,
            paid: counts.paid,
            failed: counts.failed,
            returned: counts.returned,
            cancelled: counts.cancelled,
        }
    }
}

/// A payout run: a batch of payouts at a cut-off.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PayoutRun, examples(json!({"id": "run_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "payouts-2026-03", "program_id": null, "partner_ids": [], "excluded_partner_ids": [], "status": "processing", "rail": "manual", "cut_off_at": "2026-04-01T00:00:00Z", "payout_count": 12, "totals": [{"amount": "18250.00", "currency": "USD"}], "by_status": {"pending": 0, "processing": 2, "paid": 9, "failed": 1, "returned": 0, "cancelled": 0}, "created_by": "key_01j9zq4y8k7m5n3p2r1s0t6v4w", "approved_by": "key_01j9zq4y8k7m5n3p2r1s0t6v5x", "approved_at": "2026-04-02T09:30:00Z", "processed_at": "2026-04-02T10:00:00Z", "completed_at": null, "cancelled_at": null, "created_at": "2026-04-02T08:00:00Z", "updated_at": "2026-04-03T10:00:00Z"})))]
pub struct PayoutRunView {
    /// Its id.
    pub id: PayoutRunId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// The only program it pays; `null` is all of them.
    #[schema(required)]
    pub program_id: Option<ProgramId>,
    /// The only partners whom it pays; none is all of them.
    #[schema(max_items = 1000)]
    pub partner_ids: Vec<PartnerId>,
    /// The partners whom it leaves out.
    #[schema(max_items = 1000)]
    pub excluded_partner_ids: Vec<PartnerId>,
    /// Where it stands: draft, approved, processing, completed or cancelled.
    pub status: PayoutRunStatus,
    /// How the money gets to the partners.
    pub rail: PayoutRail,
    /// What was released until this instant is in it.
    pub cut_off_at: DateTime<Utc>,
    /// How many payouts it has.
    #[schema(minimum = 0)]
    pub payout_count: i64,
    /// What all its payouts add up to, per currency.
    #[schema(max_items = 300)]
    pub totals: Vec<TotalBody>,
    /// How many of its payouts stand where.
    pub by_status: PayoutCountsView,
    /// The key that drafted it.
    #[schema(required)]
    pub created_by: Option<ActorId>,
    /// The key that approved it; never the one that drafted it.
    #[schema(required)]
    pub approved_by: Option<ActorId>,
    /// When it was approved.
    #[schema(required)]
    pub approved_at: Option<DateTime<Utc>>,
    /// When it began to pay.
    #[schema(required)]
    pub processed_at: Option<DateTime<Utc>>,
    /// When the last of its payouts was settled.
    #[schema(required)]
    pub completed_at: Option<DateTime<Utc>>,
    /// When it was cancelled.
    #[schema(required)]
    pub cancelled_at: Option<DateTime<Utc>>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it or one of its payouts last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Report> for PayoutRunView {
    fn from(report: Report) -> Self {
        let Report { run, figures } = report;
        Self {
            id: run.id,
            external_id: run.external_id,
            program_id: run.program_id,
            partner_ids: run.partner_ids,
            excluded_partner_ids: run.excluded_partner_ids,
            status: run.status,
            rail: run.rail,
            cut_off_at: run.cut_off_at,
            payout_count: figures.payout_count,
            totals: figures.totals.into_iter().map(TotalBody::from).collect(),
            by_status: figures.by_status.into(),
            created_by: run.created_by,
            approved_by: run.approved_by,
            approved_at: run.approved_at,
            processed_at: run.processed_at,
            completed_at: run.completed_at,
            cancelled_at: run.cancelled_at,
            created_at: run.created_at,
            updated_at: run.updated_at,
        }
    }
}

page_of!(PayoutRunPage, PayoutRunView, "payout runs");

/// What a list of payout runs is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PayoutRunsQuery {
    /// Only runs in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 5)]
    pub status: Vec<PayoutRunStatus>,
    /// Only runs that are limited to this program.
    pub program_id: Option<ProgramId>,
    /// Only the run with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: Sort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl PayoutRunsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> PayoutRunFilter {
        PayoutRunFilter {
            statuses: self.status.clone(),
            program_id: self.program_id,
            external_id: self.external_id.clone(),
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            order: self.sort.into(),
        }
    }
}

/// The payout run that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PayoutRunPath {
    /// The payout run.
    pub payout_run_id: PayoutRunId,
}

/// What a run left for a later one.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PayoutCarryForward, examples(json!({"id": "pcf_01j9zq4y8k7m5n3p2r1s0t6v4w", "payout_run_id": "run_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "amount": {"amount": "12.50", "currency": "USD"}, "reason": "below_minimum", "closed_gates": []})))]
pub struct CarryForwardView {
    /// Its id.
    pub id: PayoutCarryForwardId,
    /// The run that left it.
    pub payout_run_id: PayoutRunId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// How much; below zero the partner owes it.
    pub amount: TotalBody,
    /// Why it waits: not_positive, below_minimum, partner_not_payable, missing_rate, gate_closed, or amount_not_supported
    /// for more than an amount can be; for a rail that pays by payout methods also currency_not_supported,
    /// amount_not_supported for more than the rail pays at once, payout_method_missing, payout_method_cooling_off or
    /// payout_method_not_supported.
    pub reason: CarryForwardReason,
    /// What the program asked for before it pays and the partner did not have on file, for `gate_closed`.
    #[schema(max_items = 50)]
    pub closed_gates: Vec<ClosedGate>,
}

impl From<CarryForward> for CarryForwardView {
    fn from(carried: CarryForward) -> Self {
        Self {
            id: carried.id,
            payout_run_id: carried.payout_run_id,
            partner_id: carried.partner_id,
            program_id: carried.program_id,
            amount: carried.amount.into(),
            reason: carried.reason,
            closed_gates: carried.closed_gates.into_iter().map(ClosedGate).collect(),
        }
    }
}

page_of!(PayoutCarryForwardPage, CarryForwardView, "carry-forwards");

/// What a list of carry-forwards is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CarryForwardsQuery {
    /// Only what this run left.
    pub payout_run_id: Option<PayoutRunId>,
    /// Only what was left of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only what was left in this program.
    pub program_id: Option<ProgramId>,
    /// Only what was left for one of these reasons; repeat for several.
    #[serde(default)]
    #[param(max_items = 8)]
    pub reason: Vec<CarryForwardReason>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: Sort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl CarryForwardsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> CarryForwardFilter {
        CarryForwardFilter {
            payout_run_id: self.payout_run_id,
            partner_id: self.partner_id,
            program_id: self.program_id,
            reasons: self.reason.clone(),
            order: self.sort.into(),
        }
    }
}
