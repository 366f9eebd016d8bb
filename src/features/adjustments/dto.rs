//! Adjustments on the wire.

use super::domain::{Adjustment, AdjustmentReason, AdjustmentStatus, NewAdjustment};
use super::store::AdjustmentFilter;
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{
    AdjustmentId, AttributionId, BacktestId, CommissionId, DealId, DisputeId, PartnerId, ProgramId,
};
use crate::kernel::money::Total;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::{Fields, MoneyBody, TotalBody};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// An adjustment to propose.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = AdjustmentCreate, examples(json!({"external_id": "adj-2026-04", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "amount": {"amount": "-25.00", "currency": "USD"}, "reason_code": "correction", "reason": "The deal was registered twice."})))]
#[serde(deny_unknown_fields)]
pub struct NewAdjustmentBody {
    /// Your own key for the adjustment; unique among your adjustments.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "adj-2026-04"
    )]
    pub external_id: Option<String>,
    /// The partner who is given to or taken from.
    pub partner_id: PartnerId,
    /// The program whose balance changes and whose payout pays it or sets it off.
    pub program_id: ProgramId,
    /// The commission that it is about; one of the partner in the program, in the same currency.
    #[schema(nullable = false)]
    pub commission_id: Option<CommissionId>,
    /// The deal that it is about.
    #[schema(nullable = false)]
    pub deal_id: Option<DealId>,
    /// How much: above zero is given to the partner, below zero is taken from it.
    pub amount: MoneyBody,
    /// Why, in a word: correction, bonus, goodwill, dispute, penalty, advance or other; or `write_off`, which gives up
    /// what the partner owes, at most as much as its balance in the program is below zero.
    pub reason_code: AdjustmentReason,
    /// Why, for a person. The partner reads it once the adjustment is approved.
    #[schema(
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The deal was registered twice."
    )]
    pub reason: String,
}

/// Which proposed adjustments to approve.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ProposedAdjustmentsApproval, examples(json!({"backtest_id": "bkt_01j9zq4y8k7m5n3p2r1s0t6v4w"})))]
#[serde(deny_unknown_fields)]
pub struct ApproveProposedBody {
    /// The recalculation that proposed them.
    pub backtest_id: BacktestId,
}

/// What was approved of what a recalculation proposed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ProposedAdjustmentsApprovalResult, examples(json!({"approved": 2, "totals": [{"amount": "7.50", "currency": "USD"}]})))]
pub struct ApprovedAdjustmentsView {
    /// How many adjustments were approved.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub approved: i64,
    /// Their sum, in each currency.
    #[schema(max_items = 200)]
    pub totals: Vec<TotalBody>,
}

impl ApprovedAdjustmentsView {
    /// Counts and adds up what was approved.
    pub fn new(approved: &[Adjustment]) -> Result<Self, Problem> {
        let amounts = approved.iter().map(|adjustment| adjustment.amount);
        let totals = Total::by_currency(amounts).map_err(Problem::damaged)?;
        Ok(Self {
            approved: i64::try_from(approved.len()).map_err(Problem::damaged)?,
            totals: totals.into_iter().map(TotalBody::from).collect(),
        })
    }
}

impl NewAdjustmentBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> Result<NewAdjustment, Problem> {
        let Self {
            external_id,
            partner_id,
            program_id,
            commission_id,
            deal_id,
            amount,
            reason_code,
            reason,
        } = self;
        let mut fields = Fields::new();
        let amount = fields.money("/amount", amount);
        fields.require(
            amount.is_none_or(|amount| !amount.is_zero()),
            "/amount/amount",
            "zero",
            "Nothing is nothing to adjust.",
        );
        let is_write_off = *reason_code == AdjustmentReason::WriteOff;
        fields.require(
            !is_write_off || amount.is_none_or(|amount| !amount.is_negative()),
            "/amount/amount",
            "not_positive",
            "A write-off gives up what is owed, so that its amount is above zero.",
        );
        for (is_named, pointer) in [
            (commission_id.is_some(), "/commission_id"),
            (deal_id.is_some(), "/deal_id"),
        ] {
            fields.require(
                !is_write_off || !is_named,
                pointer,
                "not_of_write_off",
                "A write-off is about a balance, and about no commission or deal.",
            );
        }
        let terms = amount.map(|amount| NewAdjustment {
            external_id: external_id.clone(),
            partner_id: *partner_id,
            program_id: *program_id,
            commission_id: *commission_id,
            deal_id: *deal_id,
            backtest_id: None,
            attribution_id: None,
            dispute_id: None,
            reason_code: *reason_code,
            reason: reason.clone(),
            amount,
        });
        fields.finish(terms)
    }
}

/// An adjustment: an amount that a person gives to a partner or takes from it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Adjustment, examples(json!({"id": "adj_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "adj-2026-04", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "commission_id": null, "deal_id": null, "backtest_id": null, "attribution_id": null, "dispute_id": null, "status": "approved", "status_reason": null, "amount": {"amount": "-25.00", "currency": "USD"}, "reason_code": "correction", "reason": "The deal was registered twice.", "created_by": "usr_01j9zq4y8k7m5n3p2r1s0t6v4w", "approved_by": "usr_01j9zq4y8k7m5n3p2r1s0t6v4x", "approved_at": "2026-04-02T09:30:00Z", "debt": null, "paid_at": null, "created_at": "2026-04-01T08:00:00Z", "updated_at": "2026-04-02T09:30:00Z"})))]
pub struct AdjustmentView {
    /// Its id.
    pub id: AdjustmentId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// The partner who is given to or taken from.
    pub partner_id: PartnerId,
    /// The program whose balance changes.
    pub program_id: ProgramId,
    /// The commission that it is about.
    #[schema(required)]
    pub commission_id: Option<CommissionId>,
    /// The deal that it is about.
    #[schema(required)]
    pub deal_id: Option<DealId>,
    /// The recalculation that proposed it.
    #[schema(required)]
    pub backtest_id: Option<BacktestId>,
    /// The credit whose correction it follows from.
    #[schema(required)]
    pub attribution_id: Option<AttributionId>,
    /// The dispute of which what was given on its commissions is worth more or less since, because they keep more or less.
    #[schema(required)]
    pub dispute_id: Option<DisputeId>,
    /// Where it stands: proposed, approved, in_payout, paid, refused or withdrawn.
    pub status: AdjustmentStatus,
    /// Why it was refused.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// How much: above zero is given to the partner, below zero is taken from it.
    pub amount: MoneyBody,
    /// Why, in a word.
    pub reason_code: AdjustmentReason,
    /// Why, for a person.
    #[schema(max_length = 1000)]
    pub reason: String,
    /// Who proposed it.
    pub created_by: ActorId,
    /// Who approved it.
    #[schema(required)]
    pub approved_by: Option<ActorId>,
    /// When it was approved.
    #[schema(required)]
    pub approved_at: Option<DateTime<Utc>>,
    /// What the partner owed when a write-off was approved; `null` for anything else.
    #[schema(required)]
    pub debt: Option<MoneyBody>,
    /// When it was paid or set off.
    #[schema(required)]
    pub paid_at: Option<DateTime<Utc>>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Adjustment> for AdjustmentView {
    fn from(adjustment: Adjustment) -> Self {
        Self {
            id: adjustment.id,
            external_id: adjustment.external_id,
            partner_id: adjustment.partner_id,
            program_id: adjustment.program_id,
            commission_id: adjustment.commission_id,
            deal_id: adjustment.deal_id,
            backtest_id: adjustment.backtest_id,
            attribution_id: adjustment.attribution_id,
            dispute_id: adjustment.dispute_id,
            status: adjustment.status,
            status_reason: adjustment.status_reason,
            amount: adjustment.amount.into(),
            reason_code: adjustment.reason_code,
            reason: adjustment.reason,
            created_by: adjustment.created_by,
            approved_by: adjustment.approved_by,
            approved_at: adjustment.approved_at,
            debt: adjustment.debt.map(MoneyBody::from),
            paid_at: adjustment.paid_at,
            created_at: adjustment.created_at,
            updated_at: adjustment.updated_at,
        }
    }
}

page_of!(AdjustmentPage, AdjustmentView, "adjustments");

/// What a list of adjustments is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AdjustmentsQuery {
    /// Only adjustments of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only adjustments in this program.
    pub program_id: Option<ProgramId>,
    /// Only adjustments about this commission.
    pub commission_id: Option<CommissionId>,
    /// Only adjustments about this deal.
    pub deal_id: Option<DealId>,
    /// Only adjustments that this recalculation proposed.
    pub backtest_id: Option<BacktestId>,
    /// Only adjustments in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 6)]
    pub status: Vec<AdjustmentStatus>,
    /// Only the adjustment with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl AdjustmentsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> AdjustmentFilter {
        AdjustmentFilter {
            statuses: self.status.clone(),
            partner_id: self.partner_id,
            program_id: self.program_id,
            commission_id: self.commission_id,
            deal_id: self.deal_id,
            backtest_id: self.backtest_id,
            external_id: self.external_id.clone(),
        }
    }
}

/// The adjustment that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AdjustmentPath {
    /// The adjustment.
    pub adjustment_id: AdjustmentId,
}
