//! Payouts and their lines on the wire.

use super::super::domain::{
    Confirmation, Payout, PayoutItem, PayoutItemKind, PayoutItemStatus, PayoutStatus,
};
use super::super::store::{PayoutFilter, PayoutItemFilter};
use super::Sort;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{
    AdjustmentId, ClawbackId, CommissionId, PartnerId, PayoutId, PayoutItemId, PayoutMethodId, PayoutRunId,
    ProgramId,
};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::MoneyBody;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A payment that was made.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = PayoutConfirmation, examples(json!({"reference": "SEPA-2026-04-03-017", "paid_at": "2026-04-03T10:00:00Z"})))]
#[serde(deny_unknown_fields)]
pub struct ConfirmPayoutBody {
    /// The payment's reference at the bank.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*\S[^\x00]*$",
        example = "SEPA-2026-04-03-017"
    )]
    pub reference: Option<String>,
    /// When it was paid; now, unless it is said. Not in the future, and not more than a day before the cut-off of its
    /// run.
    #[schema(nullable = false)]
    pub paid_at: Option<DateTime<Utc>>,
}

impl ConfirmPayoutBody {
    /// The body as business speaks of it.
    pub fn confirmation(&self, now: DateTime<Utc>) -> Result<Confirmation, Problem> {
        Confirmation::new(self.reference.clone(), self.paid_at, now)
    }
}

/// A payment that came back.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = PayoutReturn, examples(json!({"reason": "The bank account is closed.", "returned_at": "2026-04-07T09:00:00Z"})))]
#[serde(deny_unknown_fields)]
pub struct ReturnPayoutBody {
    /// Why it came back.
    #[schema(
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*\S[^\x00]*$",
        example = "The bank account is closed."
    )]
    pub reason: String,
    /// When it came back; now, unless it is said. Not in the future and not before it was paid.
    #[schema(nullable = false)]
    pub returned_at: Option<DateTime<Utc>>,
}

/// A payout: one partner's payment in a run, per program and currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Payout, examples(json!({"id": "pyt_01j9zq4y8k7m5n3p2r1s0t6v4w", "payout_run_id": "run_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "status": "paid", "status_reason": null, "amount": {"amount": "1250.00", "currency": "USD"}, "payout_method_id": null, "reference": "SEPA-2026-04-03-017", "paid_at": "2026-04-03T10:00:00Z", "created_at": "2026-04-02T08:00:00Z", "updated_at": "2026-04-03T10:00:00Z"})))]
pub struct PayoutView {
    /// Its id.
    pub id: PayoutId,
    /// The run it belongs to.
    pub payout_run_id: PayoutRunId,
    /// Who is paid.
    pub partner_id: PartnerId,
    /// For which program.
    pub program_id: ProgramId,
    /// Where it stands: pending, processing, paid, failed, returned or cancelled.
    pub status: PayoutStatus,
    /// Why it failed, came back or was cancelled, or that somebody looks into it.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// How much is paid: the sum of its items.
    pub amount: MoneyBody,
    /// Where the money goes, if the run's rail pays by payout methods: the method as it was when the run was drafted.
    #[schema(required)]
    pub payout_method_id: Option<PayoutMethodId>,
    /// The payment's reference at the bank, or the transfer's id at Stripe.
    #[schema(required, max_length = 255)]
    pub reference: Option<String>,
    /// When it was paid.
    #[schema(required)]
    pub paid_at: Option<DateTime<Utc>>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Payout> for PayoutView {
    fn from(payout: Payout) -> Self {
        Self {
            id: payout.id,
            payout_run_id: payout.payout_run_id,
            partner_id: payout.partner_id,
            program_id: payout.program_id,
            status: payout.status,
            status_reason: payout.status_reason,
            amount: payout.amount.into(),
            payout_method_id: payout.payout_method_id,
            reference: payout.reference,
            paid_at: payout.paid_at,
            created_at: payout.created_at,
            updated_at: payout.updated_at,
        }
    }
}

page_of!(PayoutPage, PayoutView, "payouts");

/// What a list of payouts is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PayoutsQuery {
    /// Only payouts of this run.
    pub payout_run_id: Option<PayoutRunId>,
    /// Only payouts to this partner.
    pub partner_id: Option<PartnerId>,
    /// Only payouts for this program.
    pub program_id: Option<ProgramId>,
    /// Only payouts in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 6)]
    pub status: Vec<PayoutStatus>,
    /// Only payouts in this currency, ISO 4217.
    #[param(max_length = 3, pattern = "^[A-Z]{3}$")]
    pub currency: Option<String>,
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

impl PayoutsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> PayoutFilter {
        PayoutFilter {
            statuses: self.status.clone(),
            payout_run_id: self.payout_run_id,
            partner_id: self.partner_id,
            program_id: self.program_id,
            currency: self.currency.clone(),
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            order: self.sort.into(),
        }
    }
}

/// The payout that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PayoutPath {
    /// The payout.
    pub payout_id: PayoutId,
}

/// A line of a payout: a commission, what a refund takes back, or an adjustment.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PayoutItem, examples(json!({"id": "pyi_01j9zq4y8k7m5n3p2r1s0t6v4w", "payout_id": "pyt_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "kind": "commission", "commission_id": "com_01j9zq4y8k7m5n3p2r1s0t6v4w", "clawback_id": null, "adjustment_id": null, "amount": {"amount": "125.00", "currency": "USD"}, "status": "live"})))]
pub struct PayoutItemView {
    /// Its id.
    pub id: PayoutItemId,
    /// The payout it belongs to.
    pub payout_id: PayoutId,
    /// Who is paid.
    pub partner_id: PartnerId,
    /// What it is: commission, clawback or adjustment.
    pub kind: PayoutItemKind,
    /// The commission, if it is one.
    #[schema(required)]
    pub commission_id: Option<CommissionId>,
    /// The clawback, if it is one.
    #[schema(required)]
    pub clawback_id: Option<ClawbackId>,
    /// The adjustment, if it is one.
    #[schema(required)]
    pub adjustment_id: Option<AdjustmentId>,
    /// What it adds to the payout; credit notes, some adjustments, and clawbacks unless they give back, are negative.
    pub amount: MoneyBody,
    /// Whether it is proposed, live (paid by this payout and no other) or released for a later run.
    pub status: PayoutItemStatus,
}

impl From<PayoutItem> for PayoutItemView {
    fn from(item: PayoutItem) -> Self {
        Self {
            kind: item.kind(),
            id: item.id,
            payout_id: item.payout_id,
            partner_id: item.partner_id,
            commission_id: item.commission_id,
            clawback_id: item.clawback_id,
            adjustment_id: item.adjustment_id,
            amount: item.amount.into(),
            status: item.status,
        }
    }
}

page_of!(PayoutItemPage, PayoutItemView, "payout items");

/// What a list of payout items is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PayoutItemsQuery {
    /// Only items of this payout.
    pub payout_id: Option<PayoutId>,
    /// Only items of payouts to this partner.
    pub partner_id: Option<PartnerId>,
    /// Only items that stand for this commission.
    pub commission_id: Option<CommissionId>,
    /// Only items that stand for this clawback.
    pub clawback_id: Option<ClawbackId>,
    /// Only items that stand for this adjustment.
    pub adjustment_id: Option<AdjustmentId>,
    /// Only items in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 3)]
    pub status: Vec<PayoutItemStatus>,
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

impl PayoutItemsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> PayoutItemFilter {
        PayoutItemFilter {
            payout_id: self.payout_id,
            partner_id: self.partner_id,
            commission_id: self.commission_id,
            clawback_id: self.clawback_id,
            adjustment_id: self.adjustment_id,
            statuses: self.status.clone(),
            order: self.sort.into(),
        }
    }
}
