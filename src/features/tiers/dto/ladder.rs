//! Ladders on the wire.

use super::{code, written};
use crate::features::tiers::domain::{
    Criterion, StandingMetric, Tier, TierLadder, TierLadderPatch, TierPeriod, contradictions,
};
use crate::kernel::id::ProgramId;
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::platform::web::Fields;
use crate::platform::web::fields::money_code;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use utoipa::ToSchema;
use validator::Validate;

/// One thing that a tier asks for.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = TierCriterionInput, examples(json!({"metric": "paid_revenue", "threshold": "20000.00", "currency": "EUR"})))]
#[serde(deny_unknown_fields)]
pub struct CriterionBody {
    /// What is counted within the period.
    pub metric: StandingMetric,
    /// What must be reached: a positive amount, or a positive whole number where no money is counted.
    #[schema(
        max_length = 32,
        pattern = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$",
        example = "20000.00"
    )]
    pub threshold: String,
    /// ISO 4217 code, for money only; money in other currencies does not count.
    #[schema(nullable = false, max_length = 3, pattern = "^[A-Z]{3}$", example = "EUR")]
    pub currency: Option<String>,
}

/// A step of a ladder.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = TierInput, examples(json!({"code": "gold", "name": "Gold", "criteria": [{"metric": "paid_revenue", "threshold": "20000.00", "currency": "EUR"}, {"metric": "won_deals", "threshold": "3"}]})))]
#[serde(deny_unknown_fields)]
pub struct TierBody {
    /// What enrollments carry and commission rules name; unique on the ladder.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "gold"
    )]
    pub code: String,
    /// What a person calls it.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Gold"
    )]
    pub name: String,
    /// Your own key for it; unique among the tiers of all your programs.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "crm-gold"
    )]
    pub external_id: Option<String>,
    /// What it asks for, all of it; with none, everybody is in it.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub criteria: Vec<CriterionBody>,
}

/// Changes of a ladder: absent leaves a field as it is.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = TierLadderUpdate, min_properties = 1, examples(json!({"period": "quarter", "grace_days": 30, "tiers": [{"code": "silver", "name": "Silver"}, {"code": "gold", "name": "Gold", "criteria": [{"metric": "paid_revenue", "threshold": "20000.00", "currency": "EUR"}, {"metric": "won_deals", "threshold": "3"}]}]})))]
#[serde(deny_unknown_fields)]
pub struct PatchTierLadderBody {
    /// How long a tier is earned for, by the calendar of the program.
    #[schema(nullable = false)]
    pub period: Option<TierPeriod>,
    /// How many months, for a rolling period only.
    #[schema(nullable = false, minimum = 1, maximum = 36, example = 12)]
    pub period_months: Option<i32>,
    /// Days between the review that finds a tier lost and the fall; with 0 it falls at once.
    #[schema(nullable = false, minimum = 0, maximum = 365, example = 30)]
    pub grace_days: Option<i32>,
    /// All tiers, the lowest first, in place of those before.
    #[schema(nullable = false, max_items = 20)]
    pub tiers: Option<Vec<TierBody>>,
}

impl PatchTierLadderBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> Result<TierLadderPatch, Problem> {
        let mut fields = Fields::new();
        let tiers = self.tiers.as_ref().map(|tiers| {
            let tiers: Vec<Tier> = (0..)
                .zip(tiers)
                .map(|(place, body)| body.tier(&mut fields, place))
                .collect();
            for fault in contradictions(&tiers) {
                fields.refuse(fault.pointer, &fault.code, fault.message);
            }
            tiers
        });
        fields.finish(Some(TierLadderPatch {
            period: self.period,
            period_months: self.period_months,
            grace_days: self.grace_days,
            tiers,
        }))
    }
}

impl TierBody {
    fn tier(&self, fields: &mut Fields, place: usize) -> Tier {
        let criteria = (0_usize..).zip(&self.criteria).filter_map(|(number, body)| {
            body.criterion(fields, &format!("/tiers/{place}/criteria/{number}"))
        });
        Tier {
            code: self.code.clone(),
            name: self.name.clone(),
            criteria: criteria.collect(),
            external_id: self.external_id.clone(),
        }
    }
}

impl CriterionBody {
    fn criterion(&self, fields: &mut Fields, pointer: &str) -> Option<Criterion> {
        let currency = self.currency(fields, pointer)?;
        let at = format!("{pointer}/threshold");
        let threshold = self.threshold(fields, &at, currency)?;
        if threshold.is_zero() {
            fields.refuse(at, "not_positive", "A threshold is above zero.");
            return None;
        }
        Some(Criterion {
            metric: self.metric,
            threshold,
            currency,
        })
    }

    /// The currency where there has to be one; the outer `None` is a refusal.
    #[allow(
        clippy::option_option,
        reason = "no currency is right where no money is counted"
    )]
    fn currency(&self, fields: &mut Fields, pointer: &str) -> Option<Option<Currency>> {
        let at = format!("{pointer}/currency");
        match (self.metric.is_money(), &self.currency) {
            (true, Some(code)) => fields.currency(&at, code).map(Some),
            (false, None) => Some(None),
            (true, None) => {
                fields.refuse(at, "missing", "Money needs its currency.");
                None
            }
            (false, Some(_)) => {
                fields.refuse(at, "not_money", "This metric counts no money.");
                None
            }
        }
    }

    fn threshold(&self, fields: &mut Fields, at: &str, currency: Option<Currency>) -> Option<Decimal> {
        match currency {
            Some(currency) => match Money::parse(&self.threshold, currency) {
                Ok(money) => Some(money.amount()),
                Err(error) => {
                    fields.refuse(at, money_code(&error), error.to_string());
                    None
                }
            },
            None => {
                let number = u32::from_str(&self.threshold).ok();
                if number.is_none() {
                    fields.refuse(
                        at,
                        "not_a_whole_number",
                        "This metric is counted in whole numbers.",
                    );
                }
                number.map(Decimal::from)
            }
        }
    }
}

/// One thing that a tier asks for.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TierCriterion, examples(json!({"metric": "paid_revenue", "threshold": "20000.00", "currency": "EUR"})))]
pub struct CriterionView {
    /// What is counted within the period.
    pub metric: StandingMetric,
    /// What must be reached.
    #[schema(max_length = 32)]
    pub threshold: String,
    /// ISO 4217 code, where it is money.
    #[schema(required, max_length = 3)]
    pub currency: Option<String>,
}

impl From<Criterion> for CriterionView {
    fn from(criterion: Criterion) -> Self {
        Self {
            metric: criterion.metric,
            threshold: written(criterion.threshold, criterion.currency),
            currency: code(criterion.currency),
        }
    }
}

/// A step of a ladder.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Tier, examples(json!({"rank": 2, "code": "gold", "name": "Gold", "external_id": null, "criteria": [{"metric": "won_deals", "threshold": "3", "currency": null}]})))]
pub struct TierView {
    /// Its place on the ladder, from 1 for the lowest.
    #[schema(minimum = 1, maximum = 20)]
    pub rank: i32,
    /// What enrollments carry and commission rules name.
    #[schema(max_length = 64)]
    pub code: String,
    /// What a person calls it.
    #[schema(max_length = 255)]
    pub name: String,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// What it asks for, all of it.
    #[schema(max_items = 10)]
    pub criteria: Vec<CriterionView>,
}

/// The tiers of a program, the lowest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TierLadder, examples(json!({"program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "period": "quarter", "period_months": null, "grace_days": 30, "tiers": [{"rank": 1, "code": "gold", "name": "Gold", "external_id": null, "criteria": [{"metric": "won_deals", "threshold": "3", "currency": null}]}], "created_at": "2026-01-05T08:00:00Z", "updated_at": "2026-01-05T08:00:00Z"})))]
pub struct TierLadderView {
    /// The program.
    pub program_id: ProgramId,
    /// How long a tier is earned for: month, quarter, year or rolling.
    pub period: TierPeriod,
    /// How many months, where the period is rolling.
    #[schema(required, minimum = 1, maximum = 36)]
    pub period_months: Option<i32>,
    /// Days between the review that finds a tier lost and the fall.
    #[schema(minimum = 0, maximum = 365)]
    pub grace_days: i32,
    /// The tiers, the lowest first.
    #[schema(max_items = 20)]
    pub tiers: Vec<TierView>,
    /// When the ladder came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<TierLadder> for TierLadderView {
    fn from(ladder: TierLadder) -> Self {
        let tiers = (1..).zip(ladder.tiers).map(|(rank, tier)| TierView {
            rank,
            code: tier.code,
            name: tier.name,
            external_id: tier.external_id,
            criteria: tier.criteria.into_iter().map(CriterionView::from).collect(),
        });
        Self {
            program_id: ladder.program_id,
            period: ladder.period,
            period_months: ladder.period_months,
            grace_days: ladder.grace_days,
            tiers: tiers.collect(),
            created_at: ladder.created_at,
            updated_at: ladder.updated_at,
        }
    }
}
