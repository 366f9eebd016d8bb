//! Commission rules: the immutable terms of one version, and their hash.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::clauses::Clauses;
use super::formula::Formula;
use super::shared::Shared;
use super::tiers::Tiers;
use crate::kernel::id::{CommissionRuleId, CommissionRuleVersionId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::motion::{Motion, Role};
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
    /// What else the terms say.
    pub clauses: Clauses,
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
    /// What else the terms say.
    #[serde(default, skip_serializing_if = "Clauses::is_plain")]
    pub clauses: Clauses,
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
    /// A table of tiers that is empty or does not start at zero.
    #[error("the first tier starts at 0")]
    TiersStartAboveZero,
    /// A table of tiers whose bounds do not rise.
    #[error("the bounds of tiers rise")]
    TiersNotRising,
    /// A tier with an amount below zero.
    #[error("an amount of a tier is not negative")]
    NegativeTierAmount,
    /// A table that each line reads for itself, with a scope beyond the line.
    #[error("slab_per_line has the scope line")]
    PerLineBeyondLine,
    /// Rates in a marginal table of counts, or amounts per unit in a table of money.
    #[error("a marginal tier of counts pays amounts per unit, a tier of money pays rates")]
    TierMetricMismatch,
    /// A hybrid of something else than flat amounts with a percentage or tiers.
    #[error("a hybrid adds a percentage or tiers to flat amounts")]
    NotAHybrid,
    /// A minimum, floor or cap below zero.
    #[error("a minimum, floor or cap is not negative")]
    NegativeLimit,
    /// Two minimums, floors or caps in one currency.
    #[error("there is at most one minimum, floor or cap per currency")]
    DuplicateLimitCurrency,
    /// A floor above the cap.
    #[error("a floor is at most the cap")]
    FloorAboveCap,
    /// A period cap over a line.
    #[error("a cap of a period needs a period; use line_caps for lines")]
    CapWithoutPeriod,
    /// Rates of later years that do not rise by year, or start with the first.
    #[error("rates of renewals are in rising order of years, from 1")]
    RenewalsNotRising,
    /// Rates of later years where the formula has no rate.
    #[error("rates of renewals need a percentage")]
    RenewalWithoutRate,
    /// A window of no months.
    #[error("a window has at least one month")]
    EmptyWindow,
    /// A window or rates of later years where there is only one invoice.
    #[error("what is paid once has no months and no renewals")]
    OneTimeRecurs,
}

impl Rule {
    /// Checks and hashes the terms, and brings flat amounts into the order of their currencies.
    pub fn new(mut terms: RuleTerms) -> Result<Self, RuleError> {
        if terms.effective_to.is_some_and(|to| to <= terms.effective_from) {
            return Err(RuleError::EmptyEffectivePeriod);
        }
        terms.formula.check()?;
        terms.clauses.check(terms.formula.has_rate())?;
        terms.formula.sort();
        terms.clauses.sort();
        let snapshot = Shared::new(RuleSnapshot {
            rule_id: terms.rule_id,
            version_id: terms.version_id,
            version: terms.version,
            hash: terms.hash(),
            component: terms.component,
            formula: terms.formula.clone(),
            clauses: terms.clauses.clone(),
        });
        Ok(Self { terms, snapshot })
    }

    /// The terms.
    pub const fn terms(&self) -> &RuleTerms {
        &self.terms
    }

    /// Whether what it pays depends on what was counted or paid before: such lines are worked out one after another.
    pub fn accumulates(&self) -> bool {
        self.snapshot.accumulates()
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

impl RuleSnapshot {
    pub(super) fn accumulates(&self) -> bool {
        self.formula.tiers().is_some_and(Tiers::accumulates) || self.clauses.period_cap.is_some()
    }
}

impl RuleTerms {
    /// Whether the version is in force at this instant.
    pub fn is_in_force(&self, at: DateTime<Utc>) -> bool {
        self.effective_from <= at && !self.is_over(at)
    }

    /// Whether the version is no longer in force at this instant.
    pub fn is_over(&self, at: DateTime<Utc>) -> bool {
        self.effective_to.is_some_and(|end| end <= at)
    }

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

    /// The terms as JSON in one fixed form: fields by name, lists sorted and without repeats,
    /// decimals as text, instants in microseconds as the database keeps them.
    pub fn canonical_text(&self) -> String {
        let conditions = &self.conditions;
        let mut text = json!({
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
        });
        // Terms of versions that said nothing else keep the hash that they had before there was anything else to say.
        if !self.clauses.is_plain() {
            text["clauses"] = json!(self.clauses);
        }
        text.to_string()
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

/// Amounts of which there is at most one per currency: on the wire an object from currency code to amount.
pub(super) mod by_currency {
    use super::{BTreeMap, Currency, Deserialize, Deserializer, Money, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        amounts: &[Money],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            amounts
                .iter()
                .map(|amount| (amount.currency(), amount.amount_text())),
        )
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Money>, D::Error> {
        let texts = BTreeMap::<Currency, String>::deserialize(deserializer)?;
        let read = |(currency, text): (Currency, String)| Money::parse(&text, currency);
        texts
            .into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(serde::de::Error::custom)
    }
}
