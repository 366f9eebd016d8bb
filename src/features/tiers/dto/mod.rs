//! Ladders, standings and moves on the wire.

mod ladder;

pub use ladder::{PatchTierLadderBody, TierLadderView};

use super::domain::{
    Figure, Foreseen, ManualMove, Overview, Progress, SpanFigures, StandingMetric, Tally, TierMove,
    TierMoveCause, TierOutcome, progress,
};
use super::store::MoveFilter;
use crate::kernel::ctx::{ActorId, Ctx, Scope};
use crate::kernel::id::{EnrollmentId, PartnerId, ProgramId, TierMoveId};
use crate::kernel::money::Currency;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// What a review came to.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TierReview, examples(json!({"program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "reviewed": 120, "promoted": 4, "demoted": 1, "endangered": 6, "secured": 2, "reviewed_at": "2026-07-01T08:00:00Z"})))]
pub struct TierReviewView {
    /// The program.
    pub program_id: ProgramId,
    /// How many active enrollments were looked at.
    #[schema(minimum = 0)]
    pub reviewed: i64,
    /// How many moved up.
    #[schema(minimum = 0)]
    pub promoted: i64,
    /// How many moved down, their grace being over.
    #[schema(minimum = 0)]
    pub demoted: i64,
    /// For how many the grace began.
    #[schema(minimum = 0)]
    pub endangered: i64,
    /// For how many the grace ended, because the figures recovered.
    #[schema(minimum = 0)]
    pub secured: i64,
    /// When.
    pub reviewed_at: DateTime<Utc>,
}

impl TierReviewView {
    /// What a review of a program came to.
    pub fn of(program_id: ProgramId, tally: Tally, reviewed_at: DateTime<Utc>) -> Self {
        Self {
            program_id,
            reviewed: tally.reviewed,
            promoted: tally.promoted,
            demoted: tally.demoted,
            endangered: tally.endangered,
            secured: tally.secured,
            reviewed_at,
        }
    }
}

/// What a review would do to an enrollment.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TierPreview, examples(json!({"enrollment_id": "enr_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "outcome": "endangered", "from_tier": "gold", "to_tier": "silver", "falls_at": "2026-08-15T00:00:00Z"})))]
pub struct TierPreviewView {
    /// The enrollment.
    pub enrollment_id: EnrollmentId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// What would happen: promoted, endangered, secured or demoted.
    pub outcome: TierOutcome,
    /// The tier that it is in.
    #[schema(required, max_length = 64)]
    pub from_tier: Option<String>,
    /// The tier that the figures give.
    #[schema(required, max_length = 64)]
    pub to_tier: Option<String>,
    /// When the tier would fall, where the grace would begin.
    #[schema(required)]
    pub falls_at: Option<DateTime<Utc>>,
}

impl From<Foreseen> for TierPreviewView {
    fn from(foreseen: Foreseen) -> Self {
        Self {
            enrollment_id: foreseen.enrollment_id,
            partner_id: foreseen.partner_id,
            outcome: foreseen.outcome,
            from_tier: foreseen.from_tier,
            to_tier: foreseen.to_tier,
            falls_at: foreseen.falls_at,
        }
    }
}

page_of!(TierPreviewPage, TierPreviewView, "what a review would do");

/// How far a partner has come with one criterion.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TierProgress, examples(json!({"metric": "paid_revenue", "currency": "EUR", "threshold": "20000.00", "reached": "2000.00", "missing": "18000.00"})))]
pub struct ProgressView {
    /// What is counted.
    pub metric: StandingMetric,
    /// ISO 4217 code, where it is money.
    #[schema(required, max_length = 3)]
    pub currency: Option<String>,
    /// What must be reached.
    #[schema(max_length = 32)]
    pub threshold: String,
    /// How much of it there is.
    #[schema(max_length = 32)]
    pub reached: String,
    /// How much is missing; nothing when it is met.
    #[schema(max_length = 32)]
    pub missing: String,
}

impl From<Progress> for ProgressView {
    fn from(progress: Progress) -> Self {
        let currency = progress.criterion.currency;
        Self {
            metric: progress.criterion.metric,
            currency: code(currency),
            threshold: written(progress.criterion.threshold, currency),
            reached: written(progress.reached, currency),
            missing: written(progress.missing(), currency),
        }
    }
}

/// Where an enrollment stands on the ladder of its program, and what is ahead.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TierStanding, examples(json!({"enrollment_id": "enr_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "tier": "silver", "earned_tier": "silver", "next_tier": "gold", "forecast": "18,000.00 EUR and one deal short of Gold by 30 September.", "starts_on": "2026-07-01", "ends_on": "2026-09-30", "to_keep": [], "to_rise": [{"metric": "paid_revenue", "currency": "EUR", "threshold": "20000.00", "reached": "2000.00", "missing": "18000.00"}], "falls_at": null, "falls_to": null, "pinned_until": null, "pin_reason": null, "reviewed_at": "2026-08-15T00:00:00Z"})))]
pub struct TierStandingView {
    /// The enrollment.
    pub enrollment_id: EnrollmentId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// The program.
    pub program_id: ProgramId,
    /// The tier that it is in.
    #[schema(required, max_length = 64)]
    pub tier: Option<String>,
    /// The tier that the figures of this period, or of the one before, give.
    #[schema(required, max_length = 64)]
    pub earned_tier: Option<String>,
    /// The tier above.
    #[schema(required, max_length = 64)]
    pub next_tier: Option<String>,
    /// What is ahead, in a sentence or two.
    #[schema(max_length = 4000)]
    pub forecast: String,
    /// The first day of the present period.
    #[schema(required)]
    pub starts_on: Option<NaiveDate>,
    /// Its last day.
    #[schema(required)]
    pub ends_on: Option<NaiveDate>,
    /// What the tier asks for, and how much of it there is in the present period.
    #[schema(max_items = 10)]
    pub to_keep: Vec<ProgressView>,
    /// What the tier above asks for, and how much of it there is in the present period.
    #[schema(max_items = 10)]
    pub to_rise: Vec<ProgressView>,
    /// When the tier falls, unless the figures recover.
    #[schema(required)]
    pub falls_at: Option<DateTime<Utc>>,
    /// The tier that it would fall to as of now.
    #[schema(required, max_length = 64)]
    pub falls_to: Option<String>,
    /// Until when reviews leave the tier as it is.
    #[schema(required)]
    pub pinned_until: Option<DateTime<Utc>>,
    /// Why.
    #[schema(required, max_length = 1000)]
    pub pin_reason: Option<String>,
    /// When it was last reviewed.
    #[schema(required)]
    pub reviewed_at: Option<DateTime<Utc>>,
}

impl From<Overview> for TierStandingView {
    fn from(overview: Overview) -> Self {
        let Overview {
            enrollment,
            standing,
            ladder,
            rank,
            earned,
            present,
            forecast,
        } = overview;
        let far = |rank: usize| {
            let found = ladder.tier(rank).zip(present.as_ref());
            let all = found.map(|(tier, span)| progress(tier, span)).unwrap_or_default();
            all.into_iter().map(ProgressView::from).collect()
        };
        Self {
            enrollment_id: enrollment.id,
            partner_id: enrollment.partner_id,
            program_id: enrollment.program_id,
            earned_tier: ladder.code(earned),
            next_tier: ladder.code(rank + 1),
            forecast,
            starts_on: present.as_ref().map(|span| span.starts_on),
            ends_on: present.as_ref().map(|span| span.ends_on),
            to_keep: far(rank),
            to_rise: far(rank + 1),
            falls_to: standing.falls_at.and(ladder.code(earned)),
            tier: enrollment.tier,
            falls_at: standing.falls_at,
            pinned_until: standing.pinned_until,
            pin_reason: standing.pin_reason,
            reviewed_at: standing.reviewed_at,
        }
    }
}

/// Where a person moves an enrollment.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = EnrollmentTierMove, examples(json!({"tier": "gold", "reason": "Promised for the launch.", "pinned_until": "2027-01-01T00:00:00Z"})))]
#[serde(deny_unknown_fields)]
pub struct MoveTierBody {
    /// The code of the tier; `null` takes the partner out of all tiers.
    #[schema(
        required,
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "gold"
    )]
    pub tier: Option<String>,
    /// Why. The partner reads it.
    #[schema(
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Promised for the launch."
    )]
    pub reason: String,
    /// Until when reviews leave it there; without it the next review goes by the figures, whatever was pinned before.
    #[schema(nullable = false)]
    pub pinned_until: Option<DateTime<Utc>>,
}

impl MoveTierBody {
    /// The body as business speaks of it.
    pub fn wanted(&self) -> ManualMove {
        ManualMove {
            tier: self.tier.clone(),
            reason: self.reason.clone(),
            pinned_until: self.pinned_until,
        }
    }
}

/// Until when reviews leave a tier as it is.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = EnrollmentTierPin, examples(json!({"pinned_until": "2027-01-01T00:00:00Z", "reason": "Agreed in the contract."})))]
#[serde(deny_unknown_fields)]
pub struct PinTierBody {
    /// Until when; still to come.
    pub pinned_until: DateTime<Utc>,
    /// Why. The partner reads it.
    #[schema(
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Agreed in the contract."
    )]
    pub reason: String,
}

/// What was counted when a move was decided.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TierFigure, examples(json!({"starts_on": "2026-07-01", "ends_on": "2026-09-30", "metric": "paid_revenue", "currency": "EUR", "value": "20000.00"})))]
pub struct FigureView {
    /// The first day that counted.
    pub starts_on: NaiveDate,
    /// The last one.
    pub ends_on: NaiveDate,
    /// What was counted.
    pub metric: StandingMetric,
    /// ISO 4217 code, where it is money.
    #[schema(required, max_length = 3)]
    pub currency: Option<String>,
    /// How much.
    #[schema(max_length = 32)]
    pub value: String,
}

impl FigureView {
    fn of(span: &SpanFigures, figure: &Figure) -> Self {
        Self {
            starts_on: span.starts_on,
            ends_on: span.ends_on,
            metric: figure.metric,
            currency: code(figure.currency),
            value: written(figure.value, figure.currency),
        }
    }
}

/// A move from tier to tier.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TierMove, examples(json!({"id": "tmv_01j9zq4y8k7m5n3p2r1s0t6v4w", "enrollment_id": "enr_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "from_tier": "silver", "to_tier": "gold", "cause": "review", "reason": "The figures give Gold.", "moved_by": null, "figures": [{"starts_on": "2026-07-01", "ends_on": "2026-09-30", "metric": "paid_revenue", "currency": "EUR", "value": "20000.00"}], "moved_at": "2026-08-15T00:00:00Z"})))]
pub struct TierMoveView {
    /// Its id.
    pub id: TierMoveId,
    /// The enrollment.
    pub enrollment_id: EnrollmentId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// The program.
    pub program_id: ProgramId,
    /// From which tier.
    #[schema(required, max_length = 64)]
    pub from_tier: Option<String>,
    /// To which tier.
    #[schema(required, max_length = 64)]
    pub to_tier: Option<String>,
    /// What moved it: a review or a person.
    pub cause: TierMoveCause,
    /// Why.
    #[schema(max_length = 1000)]
    pub reason: String,
    /// Who did, or asked for the review; nobody for the daily one. Partners are not told.
    #[schema(required)]
    pub moved_by: Option<ActorId>,
    /// The figures of that moment: of the period and of the one before.
    #[schema(max_items = 40)]
    pub figures: Vec<FigureView>,
    /// When.
    pub moved_at: DateTime<Utc>,
}

impl TierMoveView {
    /// The move as the caller may see it.
    pub fn of(turn: TierMove, scope: &Scope) -> Self {
        let spans = turn.figures.iter();
        let figures = spans.flat_map(|span| span.figures.iter().map(|one| FigureView::of(span, one)));
        Self {
            figures: figures.collect(),
            id: turn.id,
            enrollment_id: turn.enrollment_id,
            partner_id: turn.partner_id,
            program_id: turn.program_id,
            from_tier: turn.from_tier,
            to_tier: turn.to_tier,
            cause: turn.cause,
            reason: turn.reason,
            moved_by: turn.moved_by.filter(|_| scope.partner_id.is_none()),
            moved_at: turn.moved_at,
        }
    }
}

page_of!(TierMovePage, TierMoveView, "moves from tier to tier");

/// What a list of moves is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TierMovesQuery {
    /// Only those of this enrollment.
    pub enrollment_id: Option<EnrollmentId>,
    /// Only those of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only those in this program.
    pub program_id: Option<ProgramId>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl TierMovesQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> MoveFilter {
        MoveFilter {
            enrollment_id: self.enrollment_id,
            partner_id: self.partner_id,
            program_id: self.program_id,
        }
    }
}

/// Which part of a preview is asked for.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TierPreviewQuery {
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl TierPreviewQuery {
    /// The page that is asked for, of this program's preview.
    pub fn page(&self, ctx: &Ctx, program_id: ProgramId) -> Result<PageRequest, Problem> {
        PageRequest::new(
            ctx,
            self.limit,
            self.cursor.as_deref(),
            &(program_id, "tier preview"),
        )
    }
}

/// The program that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TierProgramPath {
    /// The program.
    pub program_id: ProgramId,
}

/// The enrollment that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TierEnrollmentPath {
    /// The enrollment.
    pub enrollment_id: EnrollmentId,
}

fn code(currency: Option<Currency>) -> Option<String> {
    currency.map(|currency| currency.code().to_owned())
}

/// A figure with the decimals of its currency, or none.
fn written(value: Decimal, currency: Option<Currency>) -> String {
    let decimals = currency.map_or(0, Currency::exponent);
    let decimals = usize::try_from(decimals).unwrap_or_default();
    format!("{value:.decimals$}")
}
