//! Formulas on the wire.

use super::clauses_dto::amounts;
use crate::kernel::commission::{FlatPer, Formula, Tier, TierMetric, TierMode, TierScope, Tiers};
use crate::kernel::money::plain_decimal;
use crate::kernel::rate::Rate;
use crate::platform::web::{Fields, MoneyBody};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a rule turns the net money received for an invoice line into an amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CommissionFormula, examples(json!({"type": "percentage", "rate": "0.1000"})))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FormulaBody {
    /// A share of the money.
    Percentage(PercentageFormulaBody),
    /// One amount per invoice line, or per unit, and currency.
    Flat(FlatFormulaBody),
    /// By a table of tiers.
    Tiered(TieredFormulaBody),
    /// A flat amount and a percentage or tiers on top of it.
    Hybrid(HybridFormulaBody),
}

/// A share of the net money received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PercentageFormula, examples(json!({"type": "percentage", "rate": "0.1000"})))]
#[serde(deny_unknown_fields)]
pub struct PercentageFormulaBody {
    /// The share as a decimal from 0 to 1 with at most six decimals: `0.1000` is 10%.
    #[schema(
        pattern = r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$",
        max_length = 8,
        example = "0.1000"
    )]
    pub rate: String,
}

/// One amount, in the currency of the invoice; it is never converted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FlatFormula, examples(json!({"type": "flat", "amounts": [{"amount": "100.00", "currency": "USD"}], "per": "line"})))]
#[serde(deny_unknown_fields)]
pub struct FlatFormulaBody {
    /// The amounts, at most one per currency. A line in another currency earns nothing.
    #[schema(min_items = 1, max_items = 50)]
    pub amounts: Vec<MoneyBody>,
    /// What it is paid for: `line` (the default) or `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub per: Option<FlatPer>,
}

/// A table of tiers, in one currency. Only lower bounds are written: a band reaches up to the next bound, which belongs to
/// the higher band.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TieredFormula, examples(json!({"type": "tiered", "currency": "USD", "tier_mode": "marginal", "tier_scope": "quarter", "tier_metric": "net_paid_base", "tiers": [{"from": "0", "rate": "0.0500"}, {"from": "100000", "rate": "0.0600"}]})))]
#[serde(deny_unknown_fields)]
pub struct TieredFormulaBody {
    /// The currency of bounds and amounts, ISO 4217. A line in another currency earns nothing.
    #[schema(max_length = 3, pattern = "^[A-Z]{3}$", example = "USD")]
    pub currency: String,
    /// How the table is read: `marginal` (each part by its own band), `slab_per_line` (the line's amount picks the band),
    /// `slab_prospective` (the volume so far picks the band of this line) or `slab_retroactive` (of everything in the scope).
    pub tier_mode: TierMode,
    /// What the volume is counted over.
    pub tier_scope: TierScope,
    /// What bounds are compared with: `net_paid_base` (the default) or `count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tier_metric: Option<TierMetric>,
    /// The bands, in rising order, the first from 0.
    #[schema(min_items = 1, max_items = 50)]
    pub tiers: Vec<TierBody>,
}

/// A band of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CommissionTier, examples(json!({"from": "100000", "rate": "0.0600"})))]
#[serde(deny_unknown_fields)]
pub struct TierBody {
    /// The lower bound, which belongs to the band.
    #[schema(
        max_length = 20,
        pattern = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$",
        example = "100000"
    )]
    pub from: String,
    /// The share of the money; none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        pattern = r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$",
        max_length = 8,
        example = "0.0600"
    )]
    pub rate: Option<String>,
    /// An amount that the band pays once: on entering it (`marginal`), else with the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 20,
        pattern = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$",
        example = "50.00"
    )]
    pub amount: Option<String>,
    /// An amount for each unit; for tiers that count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 20,
        pattern = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$",
        example = "5.00"
    )]
    pub unit_amount: Option<String>,
}

/// A flat amount and something on top of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = HybridFormula, examples(json!({"type": "hybrid", "amounts": [{"amount": "2.00", "currency": "USD"}], "plus": {"type": "percentage", "rate": "0.0299"}})))]
#[serde(deny_unknown_fields)]
pub struct HybridFormulaBody {
    /// The flat amounts, at most one per currency. A line in another currency earns nothing.
    #[schema(min_items = 1, max_items = 50)]
    pub amounts: Vec<MoneyBody>,
    /// What they are paid for: `line` (the default) or `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub per: Option<FlatPer>,
    /// What is added.
    pub plus: PlusBody,
}

/// What a hybrid adds to its flat amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = HybridPlus, examples(json!({"type": "percentage", "rate": "0.0299"})))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PlusBody {
    /// A share of the money.
    Percentage(PercentageFormulaBody),
    /// By a table of tiers.
    Tiered(TieredFormulaBody),
}

impl FormulaBody {
    /// The formula, or what is wrong with it.
    pub fn read(&self, pointer: &str, fields: &mut Fields) -> Option<Formula> {
        match self {
            Self::Percentage(body) => body.read(pointer, fields),
            Self::Tiered(body) => body.read(pointer, fields),
            Self::Flat(body) => Some(Formula::Flat {
                amounts: amounts(&format!("{pointer}/amounts"), &body.amounts, fields),
                per: body.per.unwrap_or_default(),
            }),
            Self::Hybrid(body) => {
                let pointer_of_plus = format!("{pointer}/plus");
                let amounts = amounts(&format!("{pointer}/amounts"), &body.amounts, fields);
                let plus = match &body.plus {
                    PlusBody::Percentage(plus) => plus.read(&pointer_of_plus, fields),
                    PlusBody::Tiered(plus) => plus.read(&pointer_of_plus, fields),
                };
                plus.map(|plus| Formula::Hybrid {
                    amounts,
                    per: body.per.unwrap_or_default(),
                    plus: Box::new(plus),
                })
            }
        }
    }
}

impl PercentageFormulaBody {
    fn read(&self, pointer: &str, fields: &mut Fields) -> Option<Formula> {
        let rate: Option<Rate> = fields.keep(&format!("{pointer}/rate"), "invalid_rate", self.rate.parse());
        rate.map(|rate| Formula::Percentage { rate })
    }
}

impl TieredFormulaBody {
    fn read(&self, pointer: &str, fields: &mut Fields) -> Option<Formula> {
        let currency = fields.currency(&format!("{pointer}/currency"), &self.currency);
        let tiers: Vec<Option<Tier>> = self
            .tiers
            .iter()
            .enumerate()
            .map(|(index, tier)| tier.read(&format!("{pointer}/tiers/{index}"), fields))
            .collect();
        let tiers: Option<Vec<Tier>> = tiers.into_iter().collect();
        Some(Formula::Tiered(Tiers {
            currency: currency?,
            tier_mode: self.tier_mode,
            tier_scope: self.tier_scope,
            tier_metric: self.tier_metric.unwrap_or(TierMetric::NetPaidBase),
            tiers: tiers?,
        }))
    }
}

impl TierBody {
    fn read(&self, pointer: &str, fields: &mut Fields) -> Option<Tier> {
        let rate = match &self.rate {
            Some(text) => fields.keep(&format!("{pointer}/rate"), "invalid_rate", text.parse()),
            None => Some(Rate::ZERO),
        };
        // The contract has checked the form of these texts.
        let decimal = |text: Option<&String>| text.map_or(Some(Decimal::ZERO), |text| plain_decimal(text));
        Some(Tier {
            from: decimal(Some(&self.from))?.normalize(),
            rate: rate?,
            amount: decimal(self.amount.as_ref())?.normalize(),
            unit_amount: decimal(self.unit_amount.as_ref())?.normalize(),
        })
    }
}

impl From<Formula> for FormulaBody {
    fn from(formula: Formula) -> Self {
        let flat = |amounts: Vec<_>| amounts.into_iter().map(MoneyBody::from).collect();
        match formula {
            Formula::Percentage { rate } => Self::Percentage(rate.into()),
            Formula::Tiered(tiers) => Self::Tiered(tiers.into()),
            Formula::Flat { amounts, per } => Self::Flat(FlatFormulaBody {
                amounts: flat(amounts),
                per: Some(per),
            }),
            Formula::Hybrid { amounts, per, plus } => {
                let plus = match (plus.rate(), plus.tiers()) {
                    (_, Some(tiers)) => PlusBody::Tiered(tiers.clone().into()),
                    (rate, None) => PlusBody::Percentage(rate.unwrap_or(Rate::ZERO).into()),
                };
                Self::Hybrid(HybridFormulaBody {
                    amounts: flat(amounts),
                    per: Some(per),
                    plus,
                })
            }
        }
    }
}

impl From<Rate> for PercentageFormulaBody {
    fn from(rate: Rate) -> Self {
        Self {
            rate: rate.to_string(),
        }
    }
}

impl From<Tiers> for TieredFormulaBody {
    fn from(tiers: Tiers) -> Self {
        let amount = |amount: Decimal| (!amount.is_zero()).then(|| amount.to_string());
        let tier = |tier: Tier| TierBody {
            from: tier.from.to_string(),
            rate: Some(tier.rate.to_string()),
            amount: amount(tier.amount),
            unit_amount: amount(tier.unit_amount),
        };
        Self {
            currency: tiers.currency.code().to_owned(),
            tier_mode: tiers.tier_mode,
            tier_scope: tiers.tier_scope,
            tier_metric: Some(tiers.tier_metric),
            tiers: tiers.tiers.into_iter().map(tier).collect(),
        }
    }
}
