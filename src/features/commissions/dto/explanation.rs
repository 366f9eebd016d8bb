//! Why a line has its amount, on the wire.

use super::super::domain::Commission;
use crate::features::exchange_rates::LegView;
use crate::kernel::commission::{
    CommissionError, Considered, Entitlement, Explanation, Outcome, Step, recompute, sentence,
};
use crate::kernel::ctx::Scope;
use crate::kernel::exchange::{Direction, FxPolicy, LineExchange};
use crate::kernel::id::{CommissionId, CommissionRuleId, CommissionRuleVersionId};
use crate::kernel::money::{Currency, Money, Rounding};
use crate::kernel::problem::Problem;
use crate::platform::web::{ClosedGate, MoneyBody};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

/// Why a commission has its amount: everything it follows from, step by step, as a person and a program read it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommissionExplanation)]
pub struct ExplanationView {
    /// The commission.
    pub commission_id: CommissionId,
    /// The whole in one English sentence.
    #[schema(
        max_length = 2000,
        example = "Earned 125.00 USD: 10% of 1250.00, a share of 100%, paid in full."
    )]
    pub sentence: String,
    /// The amount that was posted.
    pub amount: MoneyBody,
    /// How amounts were rounded: `half_up`, `half_even` or `down`.
    pub rounding: Rounding,
    /// The amounts that went in.
    #[schema(max_items = 20)]
    pub inputs: Vec<InputView>,
    /// The rule version that decided, by its stored terms; empty when none did.
    #[schema(max_items = 1)]
    pub rule: Vec<DecidingRuleView>,
    /// What the program asked for and the partner did not have, where nothing was earned for that.
    #[schema(max_items = 50)]
    pub closed_gates: Vec<ClosedGate>,
    /// The partner's share of its pool, in basis points.
    #[schema(minimum = 0, maximum = 10000)]
    pub share_basis_points: i64,
    /// The rules that were looked at and what became of each. A partner sees the one that decided.
    #[schema(max_items = 1000)]
    pub considered: Vec<ConsideredView>,
    /// The arithmetic, in order, with exact decimals.
    #[schema(max_items = 20)]
    pub steps: Vec<StepView>,
    /// How it was exchanged into the currency that the partner is paid in; empty when it was not.
    #[schema(max_items = 1)]
    pub exchange: Vec<LineExchangeView>,
}

/// How a commission was exchanged.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ExplanationExchange)]
pub struct LineExchangeView {
    /// When it was exchanged: when it was earned, or when it was paid.
    pub policy: FxPolicy,
    /// The day whose rate was asked for.
    pub on: NaiveDate,
    /// `direct`: multiplied by one rate; `inverse`: divided by one; `cross`: by two, by way of the euro.
    pub direction: Direction,
    /// The rates, each with its day and source, in the order in which they were gone through.
    #[schema(max_items = 2)]
    pub legs: Vec<LegView>,
    /// The arithmetic, exact and before it was rounded once.
    #[schema(max_length = 500, example = "100.00 USD / 1.1172")]
    pub expression: String,
    /// What it comes to, rounded.
    pub result: MoneyBody,
}

impl LineExchangeView {
    /// The exchange as it goes out.
    pub(super) fn new(exchange: &LineExchange) -> Result<Self, Problem> {
        Ok(Self {
            policy: exchange.policy,
            on: exchange.on,
            direction: exchange.exchange.direction(),
            legs: exchange.exchange.legs.iter().map(LegView::from).collect(),
            expression: exchange.expression().map_err(Problem::damaged)?,
            result: exchange.result().map_err(Problem::damaged)?.into(),
        })
    }
}

/// An amount that went into a calculation.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ExplanationInput)]
pub struct InputView {
    /// What it is.
    #[schema(max_length = 64, pattern = "^[a-z_]+$", example = "net")]
    pub name: String,
    /// How much.
    pub amount: MoneyBody,
}

/// The rule version that decided a line, as it was then.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ExplanationRule)]
pub struct DecidingRuleView {
    /// The rule.
    pub commission_rule_id: CommissionRuleId,
    /// Its version.
    pub commission_rule_version_id: CommissionRuleVersionId,
    /// The number of the version.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    pub version: i32,
    /// SHA-256 of its terms: the same terms have the same hash.
    #[schema(
        max_length = 64,
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    pub terms_hash: String,
    /// What the rule pays: `flat`, `percentage`, `tiered` or `hybrid`.
    #[schema(max_length = 64, pattern = "^[a-z_]+$", example = "percentage")]
    pub formula: String,
}

/// A rule that was looked at.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ExplanationCandidate)]
pub struct ConsideredView {
    /// The rule.
    pub commission_rule_id: CommissionRuleId,
    /// The number of the version.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    pub version: i32,
    /// What became of it: `chosen`, or why it lost.
    #[schema(max_length = 64, pattern = "^[a-z_]+$", example = "chosen")]
    pub outcome: String,
    /// The rule that it lost to, or that it ties with.
    #[schema(required)]
    pub other_rule_id: Option<CommissionRuleId>,
}

/// One step of the arithmetic.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ExplanationStep)]
pub struct StepView {
    /// What the step works out.
    #[schema(max_length = 64, pattern = "^[a-z_]+$", example = "pool")]
    pub name: String,
    /// The arithmetic, exact and before rounding.
    #[schema(max_length = 500, example = "1250.00 x 0.1000 = 125.000000")]
    pub expression: String,
    /// The result, rounded.
    pub result: MoneyBody,
}

impl ExplanationView {
    /// The stored explanation as it goes out to a caller of this scope.
    pub fn new(
        line: &Commission,
        explanation: &Explanation,
        exchange: Option<&LineExchange>,
        scope: &Scope,
    ) -> Result<Self, Problem> {
        let exchanged = exchange.map(LineExchange::sentence).transpose();
        let exchanged = exchanged.map_err(Problem::damaged)?;
        let taken_back = line.taken_back().map_err(Problem::damaged)?;
        let sentences = [Some(sentence(explanation)), exchanged, taken_back];
        let parts = Parts::of(explanation);
        let is_partner = scope.partner_id.is_some();
        let entitlement = parts.entitlement;
        let considered = entitlement
            .map(|one| one.considered.iter().copied().collect::<Vec<_>>())
            .unwrap_or_default();
        let visible = considered
            .into_iter()
            .filter(|one| !is_partner || one.outcome == Outcome::Chosen);
        Ok(Self {
            commission_id: line.id,
            sentence: sentences.into_iter().flatten().collect::<Vec<_>>().join(" "),
            amount: explanation.amount().map_err(Problem::damaged)?.into(),
            rounding: parts.rounding,
            inputs: inputs(&parts)?,
            rule: entitlement.and_then(deciding_rule).into_iter().collect(),
            closed_gates: entitlement
                .map(|one| one.closed_gates.iter().cloned().map(ClosedGate).collect())
                .unwrap_or_default(),
            share_basis_points: entitlement.map_or(10_000, |one| i64::from(one.share.basis_points)),
            considered: visible.map(ConsideredView::from).collect(),
            steps: parts
                .steps
                .iter()
                .map(|step| step_view(step, parts.currency))
                .collect::<Result<_, _>>()?,
            exchange: exchange
                .map(LineExchangeView::new)
                .transpose()?
                .into_iter()
                .collect(),
        })
    }
}

/// What the three kinds of explanations have in common.
struct Parts<'a> {
    currency: Currency,
    rounding: Rounding,
    inputs: Vec<(&'static str, Decimal)>,
    entitlement: Option<&'a Entitlement>,
    steps: &'a [Step],
}

impl<'a> Parts<'a> {
    fn of(explanation: &'a Explanation) -> Self {
        match explanation {
            Explanation::Accrual(one) => Self {
                currency: one.currency,
                rounding: one.rounding,
                inputs: vec![
                    ("net", one.net),
                    ("invoice_total", one.invoice_total),
                    ("paid_before", one.paid_before),
                    ("paid_after", one.paid_after),
                    ("already_posted", one.already_posted),
                ],
                entitlement: Some(&one.entitlement),
                steps: &one.steps,
            },
            Explanation::Credit(one) => Self {
                currency: one.currency,
                rounding: one.rounding,
                inputs: vec![("credit", one.credit), ("already_posted", one.already_posted)],
                entitlement: Some(&one.entitlement),
                steps: &one.steps,
            },
            Explanation::Clawback(one) => Self {
                currency: one.currency,
                rounding: one.rounding,
                inputs: vec![
                    ("original", one.original),
                    ("base", one.base),
                    ("refunded_cumulative", one.refunded_cumulative),
                    ("already_clawed", one.already_clawed),
                ],
                entitlement: None,
                steps: &one.steps,
            },
        }
    }
}

fn inputs(parts: &Parts<'_>) -> Result<Vec<InputView>, Problem> {
    let input = |(name, amount): &(&'static str, Decimal)| {
        Ok(InputView {
            name: (*name).to_owned(),
            amount: wire(*amount, parts.currency)?,
        })
    };
    parts.inputs.iter().map(input).collect()
}

fn step_view(step: &Step, currency: Currency) -> Result<StepView, Problem> {
    let (name, expression) = (step.name.to_string(), step.expression.clone());
    Ok(StepView {
        name,
        expression,
        result: wire(step.result, currency)?,
    })
}

fn wire(amount: Decimal, currency: Currency) -> Result<MoneyBody, Problem> {
    Ok(Money::new(amount, currency).map_err(Problem::damaged)?.into())
}

fn deciding_rule(entitlement: &Entitlement) -> Option<DecidingRuleView> {
    let rule = entitlement.rule.as_deref()?;
    Some(DecidingRuleView {
        commission_rule_id: rule.rule_id,
        commission_rule_version_id: rule.version_id,
        version: rule.version,
        terms_hash: rule.hash.clone(),
        formula: rule.formula.kind().to_owned(),
    })
}

impl From<Considered> for ConsideredView {
    fn from(considered: Considered) -> Self {
        let (outcome, other_rule_id) = match considered.outcome {
            Outcome::Chosen => ("chosen", None),
            Outcome::NotEffective => ("not_effective", None),
            Outcome::OtherProgram => ("other_program", None),
            Outcome::MotionDiffers => ("motion_differs", None),
            Outcome::RoleDiffers => ("role_differs", None),
            Outcome::PartnerDiffers => ("partner_differs", None),
            Outcome::ProductFamilyDiffers => ("product_family_differs", None),
            Outcome::CurrencyDiffers => ("currency_differs", None),
            Outcome::NoFlatAmountInCurrency => ("no_flat_amount_in_currency", None),
            Outcome::TierDiffers => ("tier_differs", None),
            Outcome::DealTypeDiffers => ("deal_type_differs", None),
            Outcome::CountryDiffers => ("country_differs", None),
            Outcome::BelowMinimumAmount => ("below_minimum_amount", None),
            Outcome::LessSpecific { than } => ("less_specific", Some(than)),
            Outcome::Tied { with } => ("tied", Some(with)),
        };
        let (commission_rule_id, version) = (considered.rule_id, considered.version);
        Self {
            commission_rule_id,
            version,
            outcome: outcome.to_owned(),
            other_rule_id,
        }
    }
}

/// Whether the stored explanation of a commission still gives its posted amount, and that of its exchange what is owed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommissionVerification)]
pub struct VerificationView {
    /// The commission.
    pub commission_id: CommissionId,
    /// Whether the amounts agree.
    pub matches: bool,
    /// The amount that was posted.
    pub posted: MoneyBody,
    /// The amount computed again from the stored explanation alone.
    pub recomputed: MoneyBody,
    /// The amount that is owed: after the exchange, where there was one.
    pub owed: MoneyBody,
    /// The same computed again from the stored explanation of the exchange.
    pub owed_recomputed: MoneyBody,
}

impl VerificationView {
    /// Computes the amounts again and compares.
    pub fn new(
        line: &Commission,
        explanation: &Explanation,
        exchange: Option<&LineExchange>,
    ) -> Result<Self, Problem> {
        let recomputed = recompute(explanation).map_err(|error: CommissionError| Problem::damaged(error))?;
        let owed_recomputed = match exchange {
            Some(exchange) => exchange.recompute().map_err(Problem::damaged)?,
            None => recomputed,
        };
        Ok(Self {
            commission_id: line.id,
            matches: (recomputed, owed_recomputed) == (line.amount, line.owed.amount),
            posted: line.amount.into(),
            recomputed: recomputed.into(),
            owed: line.owed.amount.into(),
            owed_recomputed: owed_recomputed.into(),
        })
    }
}
