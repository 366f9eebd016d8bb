//! Back-tests on the wire.

use super::domain::{Backtest, BacktestError, BacktestStatus, Difference, Figures, Recalculation};
use crate::kernel::ctx::ActorId;
use crate::kernel::id::{
    BacktestId, CommissionId, CommissionRuleId, CommissionRuleVersionId, CreditNoteId, DealId, PartnerId,
    PaymentId, ProgramId,
};
use crate::kernel::problem::Problem;
use crate::platform::web::{Fields, MoneyBody, TotalBody};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// What to find out.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = BacktestCreate, examples(json!({"rule_version_id": "rlv_01j9zq4y8k7m5n3p2r1s0t6v4w", "from_on": "2026-01-01", "until_on": "2026-04-01"})))]
#[serde(deny_unknown_fields)]
pub struct NewBacktestBody {
    /// A version of the rule: a draft, or any other.
    pub rule_version_id: CommissionRuleVersionId,
    /// The first day of the period, in the program's time zone.
    pub from_on: NaiveDate,
    /// The day after the period's last.
    pub until_on: NaiveDate,
}

/// What to recalculate, and why.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = RecalculationCreate, examples(json!({"rule_version_id": "rlv_01j9zq4y8k7m5n3p2r1s0t6v4w", "from_on": "2026-01-01", "until_on": "2026-04-01", "reason": "The new rates were promised from the first of January."})))]
#[serde(deny_unknown_fields)]
pub struct NewRecalculationBody {
    /// A version of the rule that was activated.
    pub rule_version_id: CommissionRuleVersionId,
    /// The first day of the period, in the program's time zone.
    pub from_on: NaiveDate,
    /// The day after the period's last.
    pub until_on: NaiveDate,
    /// Why, for a person. Partners read it with what is approved.
    #[schema(
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The new rates were promised from the first of January."
    )]
    pub reason: String,
}

impl NewBacktestBody {
    /// The period.
    pub fn days(&self) -> Result<(NaiveDate, NaiveDate), Problem> {
        days(self.from_on, self.until_on)
    }
}

impl NewRecalculationBody {
    /// The period.
    pub fn days(&self) -> Result<(NaiveDate, NaiveDate), Problem> {
        days(self.from_on, self.until_on)
    }
}

fn days(from_on: NaiveDate, until_on: NaiveDate) -> Result<(NaiveDate, NaiveDate), Problem> {
    let mut fields = Fields::new();
    fields.require(
        from_on < until_on,
        "/until_on",
        "empty_period",
        "The period must end after it begins.",
    );
    fields.finish(Some((from_on, until_on)))
}

/// What was paid in a currency, and what would have been.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BacktestTotal, examples(json!({"lines": 412, "was": {"amount": "48120.00", "currency": "EUR"}, "would_be": {"amount": "51004.50", "currency": "EUR"}, "difference": {"amount": "2884.50", "currency": "EUR"}})))]
pub struct BacktestTotalView {
    /// Pieces of money that were earned on, each for one partner.
    #[schema(minimum = 0)]
    pub lines: i64,
    /// What was paid or is to be: earned, less what was taken back.
    pub was: TotalBody,
    /// What would have been.
    pub would_be: TotalBody,
    /// How much more; below zero is less.
    pub difference: TotalBody,
}

/// What a partner was paid in a currency, and what it would have been.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BacktestPartner, examples(json!({"partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "lines": 12, "was": {"amount": "1250.00", "currency": "EUR"}, "would_be": {"amount": "1500.00", "currency": "EUR"}, "difference": {"amount": "250.00", "currency": "EUR"}})))]
pub struct BacktestPartnerView {
    /// The partner.
    pub partner_id: PartnerId,
    /// Pieces of money that it earned on.
    #[schema(minimum = 0)]
    pub lines: i64,
    /// What it was paid or is to be.
    pub was: TotalBody,
    /// What it would have been.
    pub would_be: TotalBody,
    /// How much more; below zero is less.
    pub difference: TotalBody,
}

/// A piece of money for which a partner would have got something else.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BacktestDifference, examples(json!({"commission_id": "com_01j9zq4y8k7m5n3p2r1s0t6v4w", "deal_id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w", "payment_id": "pay_01j9zq4y8k7m5n3p2r1s0t6v4w", "credit_note_id": null, "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "was": {"amount": "125.00", "currency": "EUR"}, "would_be": {"amount": "150.00", "currency": "EUR"}, "difference": {"amount": "25.00", "currency": "EUR"}, "rule_version_id": "rlv_01j9zq4y8k7m5n3p2r1s0t6v4w", "would_be_rule_version_id": "rlv_01j9zq4y8k7m5n3p2r1s0t6v4w"})))]
pub struct BacktestDifferenceView {
    /// The line that was earned with it, where to find the whole explanation.
    pub commission_id: CommissionId,
    /// The deal.
    pub deal_id: DealId,
    /// The payment, if it was one.
    #[schema(required)]
    pub payment_id: Option<PaymentId>,
    /// The credit note, if it was one.
    #[schema(required)]
    pub credit_note_id: Option<CreditNoteId>,
    /// Who would have got something else.
    pub partner_id: PartnerId,
    /// What it got, of all components.
    pub was: MoneyBody,
    /// What it would have got.
    pub would_be: MoneyBody,
    /// How much more; below zero is less.
    pub difference: MoneyBody,
    /// The version that decided the base component, if one did.
    #[schema(required)]
    pub rule_version_id: Option<CommissionRuleVersionId>,
    /// The version that would have.
    #[schema(required)]
    pub would_be_rule_version_id: Option<CommissionRuleVersionId>,
}

/// What a version of a rule would have paid in a past period, beside what was paid.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Backtest, examples(json!({"id": "bkt_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "commission_rule_id": "rule_01j9zq4y8k7m5n3p2r1s0t6v4w", "rule_version_id": "rlv_01j9zq4y8k7m5n3p2r1s0t6v4w", "terms_hash": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752", "from_on": "2026-01-01", "until_on": "2026-04-01", "status": "succeeded", "lines_done": 412, "error": null, "recalculation_reason": null, "adjustments_proposed": null, "totals": [{"lines": 412, "was": {"amount": "48120.00", "currency": "EUR"}, "would_be": {"amount": "51004.50", "currency": "EUR"}, "difference": {"amount": "2884.50", "currency": "EUR"}}], "partners": [], "largest_differences": [], "created_by": "key_01j9zq4y8k7m5n3p2r1s0t6v4w", "started_at": "2026-04-02T08:00:01Z", "finished_at": "2026-04-02T08:00:02Z", "created_at": "2026-04-02T08:00:00Z", "updated_at": "2026-04-02T08:00:02Z"})))]
pub struct BacktestView {
    /// Its id.
    pub id: BacktestId,
    /// The program of the rule.
    pub program_id: ProgramId,
    /// The rule.
    pub commission_rule_id: CommissionRuleId,
    /// The version.
    pub rule_version_id: CommissionRuleVersionId,
    /// The hash of the version's terms when it was asked.
    #[schema(max_length = 64)]
    pub terms_hash: String,
    /// The first day of the period.
    pub from_on: NaiveDate,
    /// The day after the period's last.
    pub until_on: NaiveDate,
    /// Where it stands: queued, running, succeeded or failed.
    pub status: BacktestStatus,
    /// Lines that were worked out so far; also those before the period, where tiers or caps count on.
    #[schema(minimum = 0)]
    pub lines_done: i64,
    /// Why it failed: terms_changed, rules_tie or internal_error.
    #[schema(required)]
    pub error: Option<BacktestError>,
    /// Why it is recalculated, where it is; `null` for a mere back-test. What a recalculation finds is proposed as
    /// adjustments.
    #[schema(required, max_length = 1000)]
    pub recalculation_reason: Option<String>,
    /// How many adjustments a recalculation proposed, once it has succeeded; 0 where nothing differs, or an earlier one
    /// proposed the whole difference. `null` for a mere back-test.
    #[schema(required, minimum = 0)]
    pub adjustments_proposed: Option<i64>,
    /// In all, by currency; empty until it has succeeded.
    #[schema(max_items = 200)]
    pub totals: Vec<BacktestTotalView>,
    /// By partner and currency, the biggest difference first; at most 10,000.
    #[schema(max_items = 10000)]
    pub partners: Vec<BacktestPartnerView>,
    /// The 25 biggest differences of each currency, the biggest first.
    #[schema(max_items = 5000)]
    pub largest_differences: Vec<BacktestDifferenceView>,
    /// Who asked.
    #[schema(required)]
    pub created_by: Option<ActorId>,
    /// When a worker took it up.
    #[schema(required)]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[schema(required)]
    pub finished_at: Option<DateTime<Utc>>,
    /// When it was asked for; what was recorded later does not count.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<Backtest> for BacktestView {
    type Error = Problem;

    fn try_from(backtest: Backtest) -> Result<Self, Problem> {
        let findings = backtest.findings.unwrap_or_default();
        let partner = |(partner_id, figures): &_| BacktestPartnerView::new(*partner_id, figures);
        let recalculation = backtest.recalculation;
        Ok(Self {
            id: backtest.id,
            program_id: backtest.program_id,
            commission_rule_id: backtest.commission_rule_id,
            rule_version_id: backtest.rule_version_id,
            terms_hash: backtest.terms_hash,
            from_on: backtest.from_on,
            until_on: backtest.until_on,
            status: backtest.status,
            lines_done: backtest.lines_done,
            error: backtest.error,
            adjustments_proposed: recalculation.as_ref().and_then(|one| one.adjustments_proposed),
            recalculation_reason: recalculation.map(|Recalculation { reason, .. }| reason),
            totals: findings
                .totals
                .iter()
                .map(BacktestTotalView::new)
                .collect::<Result<_, _>>()?,
            partners: findings.partners.iter().map(partner).collect::<Result<_, _>>()?,
            largest_differences: findings
                .largest
                .iter()
                .map(BacktestDifferenceView::new)
                .collect::<Result<_, _>>()?,
            created_by: backtest.created_by,
            started_at: backtest.started_at,
            finished_at: backtest.finished_at,
            created_at: backtest.created_at,
            updated_at: backtest.updated_at,
        })
    }
}

impl BacktestTotalView {
    fn new(figures: &Figures) -> Result<Self, Problem> {
        Ok(Self {
            lines: figures.lines,
            was: figures.was.into(),
            would_be: figures.would_be.into(),
            difference: figures.difference().map_err(Problem::damaged)?.into(),
        })
    }
}

impl BacktestPartnerView {
    fn new(partner_id: PartnerId, figures: &Figures) -> Result<Self, Problem> {
        Ok(Self {
            partner_id,
            lines: figures.lines,
            was: figures.was.into(),
            would_be: figures.would_be.into(),
            difference: figures.difference().map_err(Problem::damaged)?.into(),
        })
    }
}

impl BacktestDifferenceView {
    fn new(difference: &Difference) -> Result<Self, Problem> {
        Ok(Self {
            commission_id: difference.commission_id,
            deal_id: difference.deal_id,
            payment_id: difference.payment_id,
            credit_note_id: difference.credit_note_id,
            partner_id: difference.partner_id,
            was: difference.was.into(),
            would_be: difference.would_be.into(),
            difference: difference.difference().map_err(Problem::damaged)?.into(),
            rule_version_id: difference.rule_version_id,
            would_be_rule_version_id: difference.would_be_rule_version_id,
        })
    }
}

/// The rule that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BacktestedRulePath {
    /// The commission rule.
    pub commission_rule_id: CommissionRuleId,
}

/// The back-test that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BacktestPath {
    /// The back-test.
    pub backtest_id: BacktestId,
}
