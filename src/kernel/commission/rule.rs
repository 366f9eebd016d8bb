//! Commission rules: the immutable terms of one version, and their hash.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::shared::Shared;
use crate::kernel::id::{CommissionRuleId, CommissionRuleVersionId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::money::{Currency, Money, MoneyError, Rounding};
use crate::kernel::motion::{Motion, Role};
use crate::kernel::rate::Rate;
use crate::kernel::word::word_enum;

word_enum! {
    /// The part of the compensation that a rule pays; components of one line add up.
    Component, "component" {
        /// The commission itself.
        Base = "base",
        /// Something on top.
        Bonus = "bonus",
        /// What a distributor earns on those below it.
        Override = "override",
    }
}

/// How a rule turns a base into an amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Formula {
    /// One amount per invoice line and currency, never converted.
    Flat {
        /// At most one amount per currency. On the wire an object from currency code to amount.
        #[serde(serialize_with = "write_flat_amounts", deserialize_with = "read_flat_amounts")]
        amounts: Vec<Money>,
    },
    /// A share of the base.
    Percentage {
        /// The share.
        rate: Rate,
    },
}

/// What must be true of a line for a rule to apply. An empty list admits anything; the dimensions
/// are joined by AND, the entries of one dimension by OR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditions {
    /// The program that the rule belongs to.
    pub program_id: ProgramId,
    /// The motions.
    pub motions: Vec<Motion>,
    /// The roles of the attribution.
    pub roles: Vec<Role>,
    /// The partners.
    pub partners: Vec<PartnerId>,
    /// The product families of the line.
    pub product_families: Vec<ProductFamilyId>,
    /// The currencies of the invoice.
    pub currencies: Vec<Currency>,
}

/// The terms of one version of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleTerms {
    /// The rule.
    pub rule_id: CommissionRuleId,
    /// The version of the rule.
    pub version_id: CommissionRuleVersionId,
    /// The number of the version, counted from 1.
    pub version: i32,
    /// What the rule pays.
    pub component: Component,
    /// How much it pays.
    pub formula: Formula,
    /// When it pays.
    pub conditions: Conditions,
    /// The higher wins among rules that are equally specific.
    pub priority: i32,
    /// Days from the payment to the release of the commission.
    pub hold_days: u32,
    /// The first instant at which the version is in force.
    pub effective_from: DateTime<Utc>,
    /// The first instant at which it is no longer in force; none for no end.
    pub effective_to: Option<DateTime<Utc>>,
}

/// A version whose terms have been checked and hashed once, ready to decide many lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    terms: RuleTerms,
    snapshot: Shared<RuleSnapshot>,
}

/// What an explanation keeps of the rule that decided it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSnapshot {
    /// The rule.
    pub rule_id: CommissionRuleId,
    /// The version of the rule.
    pub version_id: CommissionRuleVersionId,
    /// The number of the version.
    pub version: i32,
    /// The hash of all its terms.
    pub hash: String,
    /// What the rule pays.
    pub component: Component,
    /// How much it pays.
    pub formula: Formula,
}

/// Why terms make no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RuleError {
    /// A flat rule without an amount.
    #[error("a flat rule needs at least one amount")]
    NoFlatAmount,
    /// A flat rule with two amounts in one currency.
    #[error("a flat rule has at most one amount per currency")]
    DuplicateFlatCurrency,
    /// A flat rule with an amount below zero.
    #[error("a flat amount is not negative")]
    NegativeFlatAmount,
    /// The version ends before it begins, or at once.
    #[error("a version ends after it begins")]
    EmptyEffectivePeriod,
}

impl Rule {
    /// Checks and hashes the terms, and brings flat amounts into the order of their currencies.
    pub fn new(mut terms: RuleTerms) -> Result<Self, RuleError> {
        if terms.effective_to.is_some_and(|to| to <= terms.effective_from) {
            return Err(RuleError::EmptyEffectivePeriod);
        }
        terms.formula.check()?;
        if let Formula::Flat { amounts } = &mut terms.formula {
            amounts.sort_unstable_by_key(|amount| amount.currency());
        }
        let snapshot = Shared::new(RuleSnapshot {
            rule_id: terms.rule_id,
            version_id: terms.version_id,
            version: terms.version,
            hash: terms.hash(),
            component: terms.component,
            formula: terms.formula.clone(),
        });
        Ok(Self { terms, snapshot })
    }

    /// The terms.
    pub const fn terms(&self) -> &RuleTerms {
        &self.terms
    }

    /// What explanations keep of the rule, shared among them.
    pub fn snapshot(&self) -> Shared<RuleSnapshot> {
        self.snapshot.clone()
    }

    /// The hash of the terms, worked out once.
    pub fn hash(&self) -> &str {
        &self.snapshot.hash
    }
}

impl Formula {
    /// The whole commission on a base, rounded once: never above the base, and nothing when the base
    /// is nothing or less. None when a flat rule has no amount in the currency of the base.
    pub fn pool(&self, base: Money, rounding: Rounding) -> Result<Option<Money>, MoneyError> {
        let amount = match self {
            Self::Flat { .. } => self.flat_amount(base.currency()),
            Self::Percentage { rate } => Some(base.at_rate(*rate, rounding)?),
        };
        match amount {
            Some(_) if !base.is_positive() => Ok(Some(Money::zero(base.currency()))),
            Some(amount) => amount.min(base).map(Some),
            None => Ok(None),
        }
    }

    /// The amount of a flat rule in a currency.
    pub fn flat_amount(&self, currency: Currency) -> Option<Money> {
        match self {
            Self::Flat { amounts } => amounts
                .iter()
                .copied()
                .find(|amount| amount.currency() == currency),
            Self::Percentage { .. } => None,
        }
    }

    /// Whether a line in the currency can be computed at all.
    pub fn covers(&self, currency: Currency) -> bool {
        match self {
            Self::Flat { .. } => self.flat_amount(currency).is_some(),
            Self::Percentage { .. } => true,
        }
    }

    fn check(&self) -> Result<(), RuleError> {
        let Self::Flat { amounts } = self else {
            return Ok(());
        };
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

    fn canonical(&self) -> Value {
        match self {
            Self::Flat { amounts } => {
                let sorted: BTreeMap<_, _> = amounts
                    .iter()
                    .map(|amount| (amount.currency(), amount.amount_text()))
                    .collect();
                let amounts: Vec<_> = sorted
                    .into_iter()
                    .map(|(currency, text)| json!([currency.code(), text]))
                    .collect();
                json!({ "type": "flat", "amounts": amounts })
            }
            Self::Percentage { rate } => json!({ "type": "percentage", "rate": rate.to_string() }),
        }
    }
}

impl RuleTerms {
    /// The SHA-256 of the canonical text of the terms, in lower-case hexadecimal.
    ///
    /// The end is not part of it: a version is ended long after its activation, and a commission's snapshot must
    /// still match the version that decided it.
    pub fn hash(&self) -> String {
        use std::fmt::Write;

        let digest = Sha256::digest(self.canonical_text().as_bytes());
        digest.iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing into a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The terms as JSON in one fixed form: fields in this order, lists sorted and without repeats,
    /// decimals as text, instants in microseconds as the database keeps them.
    pub fn canonical_text(&self) -> String {
        let conditions = &self.conditions;
        json!({
            "rule_id": self.rule_id.to_string(),
            "version_id": self.version_id.to_string(),
            "version": self.version,
            "component": self.component.as_str(),
            "formula": self.formula.canonical(),
            "conditions": {
                "program_id": conditions.program_id.to_string(),
                "motions": canonical_set(&conditions.motions),
                "roles": canonical_set(&conditions.roles),
                "partners": canonical_set(&conditions.partners),
                "product_families": canonical_set(&conditions.product_families),
                "currencies": canonical_set(&conditions.currencies),
            },
            "priority": self.priority,
            "hold_days": self.hold_days,
            "effective_from": canonical_instant(self.effective_from),
        })
        .to_string()
    }
}

fn canonical_set<T: ToString>(entries: &[T]) -> Vec<String> {
    let mut texts: Vec<String> = entries.iter().map(ToString::to_string).collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

fn canonical_instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn write_flat_amounts<S: Serializer>(amounts: &[Money], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(
        amounts
            .iter()
            .map(|amount| (amount.currency(), amount.amount_text())),
    )
}

fn read_flat_amounts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Money>, D::Error> {
    let texts = BTreeMap::<Currency, String>::deserialize(deserializer)?;
    let read = |(currency, text): (Currency, String)| Money::parse(&text, currency);
    texts
        .into_iter()
        .map(read)
        .collect::<Result<_, _>>()
        .map_err(serde::de::Error::custom)
}
