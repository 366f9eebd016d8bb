//! Formulas: how a rule turns a base into an amount.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clauses::in_currency;
use super::rule::RuleError;
use super::tiers::{Tiers, product};
use crate::kernel::money::{Currency, Money, MoneyError, Rounding};
use crate::kernel::rate::Rate;
use crate::kernel::word::word_enum;

word_enum! {
    /// What a flat amount is paid for.
    #[derive(Default)]
    FlatPer, "flat per" {
        /// For each invoice line.
        #[default]
        Line = "line",
        /// For each unit of it.
        Unit = "unit",
    }
}

/// How a rule turns a base into an amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Formula {
    /// One amount per invoice line, or per unit of it, and currency, never converted.
    Flat {
        /// At most one amount per currency. On the wire an object from currency code to amount.
        #[serde(with = "super::rule::by_currency")]
        amounts: Vec<Money>,
        /// What it is paid for.
        #[serde(default, skip_serializing_if = "is_per_line")]
        per: FlatPer,
    },
    /// A share of the base.
    Percentage {
        /// The share.
        rate: Rate,
    },
    /// By a table of tiers, on the partner's own base.
    Tiered(Tiers),
    /// A flat amount and something on top of it.
    Hybrid {
        /// At most one amount per currency.
        #[serde(with = "super::rule::by_currency")]
        amounts: Vec<Money>,
        /// What the flat amount is paid for.
        #[serde(default, skip_serializing_if = "is_per_line")]
        per: FlatPer,
        /// A percentage or tiers.
        plus: Box<Formula>,
    },
}

impl Formula {
    /// The whole commission on a base, rounded once and before any limit; for formulas without tiers. None when there
    /// is no flat amount in the currency of the base.
    pub(super) fn pool(
        &self,
        base: Money,
        quantity: Decimal,
        renewal: Option<Rate>,
        rounding: Rounding,
    ) -> Result<Option<Money>, MoneyError> {
        let share = |rate: Rate| base.at_rate(renewal.unwrap_or(rate), rounding);
        match self {
            Self::Flat { .. } => self.flat(base.currency(), quantity, rounding),
            Self::Percentage { rate } => share(*rate).map(Some),
            Self::Tiered(_) => Ok(None),
            Self::Hybrid { plus, .. } => {
                let Some(flat) = self.flat(base.currency(), quantity, rounding)? else {
                    return Ok(None);
                };
                match plus.rate() {
                    // A sum of a rounded share and an exact amount is rounded once.
                    Some(rate) => flat.checked_add(share(rate)?).map(Some),
                    None => Ok(None),
                }
            }
        }
    }

    /// The flat part in a currency, for a quantity.
    pub(super) fn flat(
        &self,
        currency: Currency,
        quantity: Decimal,
        rounding: Rounding,
    ) -> Result<Option<Money>, MoneyError> {
        let (Self::Flat { per, .. } | Self::Hybrid { per, .. }) = self else {
            return Ok(None);
        };
        match (self.flat_amount(currency), per) {
            (None, _) => Ok(None),
            (Some(amount), FlatPer::Line) => Ok(Some(amount)),
            (Some(amount), FlatPer::Unit) => {
                Money::rounded(product(amount.amount(), quantity)?, currency, rounding).map(Some)
            }
        }
    }

    /// The flat amount in a currency.
    pub fn flat_amount(&self, currency: Currency) -> Option<Money> {
        match self {
            Self::Flat { amounts, .. } | Self::Hybrid { amounts, .. } => in_currency(amounts, currency),
            Self::Percentage { .. } | Self::Tiered(_) => None,
        }
    }

    /// The tiers, of a tiered formula or of a hybrid with tiers.
    pub fn tiers(&self) -> Option<&Tiers> {
        match self {
            Self::Tiered(tiers) => Some(tiers),
            Self::Hybrid { plus, .. } => plus.tiers(),
            Self::Flat { .. } | Self::Percentage { .. } => None,
        }
    }

    /// The rate, of a percentage or of a hybrid with one.
    pub fn rate(&self) -> Option<Rate> {
        match self {
            Self::Percentage { rate } => Some(*rate),
            Self::Hybrid { plus, .. } => plus.rate(),
            Self::Flat { .. } | Self::Tiered(_) => None,
        }
    }

    pub(super) fn has_rate(&self) -> bool {
        self.rate().is_some()
    }

    /// Whether a line in the currency can be computed at all.
    pub fn covers(&self, currency: Currency) -> bool {
        match self {
            Self::Percentage { .. } => true,
            Self::Flat { .. } => self.flat_amount(currency).is_some(),
            Self::Tiered(tiers) => tiers.currency == currency,
            Self::Hybrid { plus, .. } => self.flat_amount(currency).is_some() && plus.covers(currency),
        }
    }

    /// Whether it matters how many units were sold.
    pub fn depends_on_goods(&self) -> bool {
        match self {
            Self::Flat { per, .. } => *per == FlatPer::Unit,
            Self::Percentage { .. } => false,
            Self::Tiered(_) | Self::Hybrid { .. } => true,
        }
    }

    /// The currencies that it names; it covers no others, unless it names none.
    pub(super) fn currencies(&self) -> Vec<Currency> {
        match self {
            Self::Percentage { .. } => Vec::new(),
            Self::Tiered(tiers) => vec![tiers.currency],
            Self::Flat { amounts, .. } | Self::Hybrid { amounts, .. } => {
                amounts.iter().map(|amount| amount.currency()).collect()
            }
        }
    }

    /// The word of its kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Flat { .. } => "flat",
            Self::Percentage { .. } => "percentage",
            Self::Tiered(_) => "tiered",
            Self::Hybrid { .. } => "hybrid",
        }
    }

    pub(super) fn check(&self) -> Result<(), RuleError> {
        match self {
            Self::Percentage { .. } => Ok(()),
            Self::Tiered(tiers) => tiers.check(),
            Self::Flat { amounts, .. } => check_amounts(amounts),
            Self::Hybrid { amounts, plus, .. } => {
                check_amounts(amounts)?;
                match &**plus {
                    Self::Percentage { .. } | Self::Tiered(_) => plus.check(),
                    Self::Flat { .. } | Self::Hybrid { .. } => Err(RuleError::NotAHybrid),
                }
            }
        }
    }

    pub(super) fn sort(&mut self) {
        if let Self::Flat { amounts, .. } | Self::Hybrid { amounts, .. } = self {
            amounts.sort_unstable_by_key(|amount| amount.currency());
        }
    }

    pub(super) fn canonical(&self) -> Value {
        match self {
            Self::Flat { amounts, per } => {
                let sorted: BTreeMap<_, _> = amounts
                    .iter()
                    .map(|amount| (amount.currency(), amount.amount_text()))
                    .collect();
                let amounts: Vec<_> = sorted
                    .into_iter()
                    .map(|(currency, text)| json!([currency.code(), text]))
                    .collect();
                match per {
                    FlatPer::Line => json!({ "type": "flat", "amounts": amounts }),
                    FlatPer::Unit => json!({ "type": "flat", "amounts": amounts, "per": "unit" }),
                }
            }
            Self::Percentage { rate } => json!({ "type": "percentage", "rate": rate.to_string() }),
            Self::Tiered(_) | Self::Hybrid { .. } => json!(self),
        }
    }
}

fn check_amounts(amounts: &[Money]) -> Result<(), RuleError> {
    if amounts.is_empty() {
        return Err(RuleError::NoFlatAmount);
    }
    if amounts.iter().any(|amount| amount.is_negative()) {
        return Err(RuleError::NegativeFlatAmount);
    }
    let currencies: BTreeMap<_, _> = amounts.iter().map(|amount| (amount.currency(), ())).collect();
    if currencies.len() < amounts.len() {
        return Err(RuleError::DuplicateFlatCurrency);
    }
    Ok(())
}

fn is_per_line(per: &FlatPer) -> bool {
    *per == FlatPer::Line
}
