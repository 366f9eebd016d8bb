//! What a commission rule is, and how its versions move.

#![allow(
    clippy::disallowed_types,
    reason = "serde buffers what is flattened in a type that knows floats; no field is one"
)]

use crate::kernel::commission::{Clauses, Component, Conditions, Formula, Rule, RuleError, RuleTerms};
use crate::kernel::id::{CommissionRuleId, CommissionRuleVersionId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::money::Currency;
use crate::kernel::motion::{Motion, Role};
use crate::kernel::patch::Patch;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::word::word_enum;
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};

word_enum! {
    /// Where a version of a rule stands.
    RuleVersionStatus, "commission rule version status" {
        /// It is being written and decides nothing.
        Draft = "draft",
        /// It decides what is earned in its period.
        Active = "active",
        /// It has an end that will not change; it still decides its period.
        Retired = "retired",
    }
}

impl RuleVersionStatus {
    /// The verbs that this state allows.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::Draft => &["update", "activate"],
            Self::Active => &["retire"],
            Self::Retired => &[],
        }
    }
}

/// A commission rule: the name under which its versions follow one another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommissionRule {
    /// Its id.
    pub id: CommissionRuleId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The program that it belongs to.
    pub program_id: ProgramId,
    /// Its name.
    pub name: String,
    /// The part of the compensation that it pays.
    pub component: Component,
    /// Its version 1.
    #[serde(skip)]
    pub first_version_id: CommissionRuleVersionId,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// The terms of a version. An empty list of conditions admits anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionTerms {
    /// How much it pays.
    pub formula: Formula,
    /// The motions.
    pub motions: Vec<Motion>,
    /// The roles.
    pub roles: Vec<Role>,
    /// The partners.
    pub partner_ids: Vec<PartnerId>,
    /// The product families.
    pub product_family_ids: Vec<ProductFamilyId>,
    /// The currencies.
    pub currencies: Vec<Currency>,
    /// What else the terms say.
    #[serde(default, skip_serializing_if = "Clauses::is_plain")]
    pub clauses: Clauses,
    /// The higher wins among rules that are equally specific.
    pub priority: i32,
    /// Days from the payment to the release of the commission.
    pub hold_days: u32,
    /// The first instant at which it is in force.
    pub effective_from: DateTime<Utc>,
    /// The first instant at which it is no longer in force; none for no end.
    pub effective_to: Option<DateTime<Utc>>,
}

/// A version of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissionRuleVersion {
    /// Its id.
    pub id: CommissionRuleVersionId,
    /// The rule.
    pub commission_rule_id: CommissionRuleId,
    /// The program of the rule.
    pub program_id: ProgramId,
    /// What the rule pays.
    pub component: Component,
    /// Its number, counted from 1.
    pub version: i32,
    /// Where it stands.
    pub status: RuleVersionStatus,
    /// Its terms.
    #[serde(flatten)]
    pub terms: VersionTerms,
    /// The hash of its terms, as explanations of commissions carry it.
    pub terms_hash: String,
    /// When it was activated.
    pub activated_at: Option<DateTime<Utc>>,
    /// When it was retired.
    pub retired_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new rule is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommissionRule {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The program that it belongs to.
    pub program_id: ProgramId,
    /// Its name.
    pub name: String,
    /// What it pays.
    pub component: Component,
    /// The terms of its first version.
    pub terms: VersionTerms,
}

/// What may be changed of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommissionRulePatch {
    /// The caller's key for it.
    pub external_id: Patch<String>,
    /// Its name.
    pub name: Option<String>,
}

impl CommissionRule {
    /// A new rule.
    pub fn new(new: &NewCommissionRule, now: DateTime<Utc>) -> Self {
        Self {
            id: CommissionRuleId::new(now),
            external_id: new.external_id.clone(),
            program_id: new.program_id,
            name: new.name.clone(),
            component: new.component,
            first_version_id: CommissionRuleVersionId::new(now),
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The rule with the patch applied.
    pub fn patched(mut self, patch: CommissionRulePatch, now: DateTime<Utc>) -> Self {
        let CommissionRulePatch { external_id, name } = patch;
        external_id.apply_to(&mut self.external_id);
        self.name = name.unwrap_or(self.name);
        Self {
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }

    /// A draft of this rule with these terms.
    pub fn draft(
        &self,
        version: i32,
        terms: VersionTerms,
        now: DateTime<Utc>,
    ) -> Result<CommissionRuleVersion, Problem> {
        let id = match version {
            1 => self.first_version_id,
            _ => CommissionRuleVersionId::new(now),
        };
        let draft = CommissionRuleVersion {
            id,
            commission_rule_id: self.id,
            program_id: self.program_id,
            component: self.component,
            version,
            status: RuleVersionStatus::Draft,
            terms,
            terms_hash: String::new(),
            activated_at: None,
            retired_at: None,
            row_version: 1,
            created_at: now,
            updated_at: now,
        };
        draft.hashed()
    }
}

impl CommissionRuleVersion {
    /// The terms as the engine takes them.
    pub fn engine_terms(&self) -> RuleTerms {
        let terms = self.terms.clone();
        RuleTerms {
            rule_id: self.commission_rule_id,
            version_id: self.id,
            version: self.version,
            component: self.component,
            formula: terms.formula,
            conditions: Conditions {
                program_id: self.program_id,
                motions: terms.motions,
                roles: terms.roles,
                partners: terms.partner_ids,
                product_families: terms.product_family_ids,
                currencies: terms.currencies,
            },
            clauses: terms.clauses,
            priority: terms.priority,
            hold_days: terms.hold_days,
            effective_from: terms.effective_from,
            effective_to: terms.effective_to,
        }
    }

    /// The version as the engine decides by it.
    pub fn rule(&self) -> Result<Rule, RuleError> {
        Rule::new(self.engine_terms())
    }

    /// The draft with other terms.
    pub fn rewritten(self, terms: VersionTerms, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            RuleVersionStatus::Draft => Self {
                terms,
                ..self.changed(now)
            }
            .hashed(),
            _ => Err(self.refuse("update")),
        }
    }

    /// Puts the version in force for its period.
    pub fn activate(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            RuleVersionStatus::Draft => Ok(Self {
                status: RuleVersionStatus::Active,
                activated_at: Some(now),
                ..self.changed(now)
            }),
            _ => Err(self.refuse("activate")),
        }
    }

    /// Ends an active version where its successor begins.
    pub fn succeeded(self, by: &Self, now: DateTime<Utc>) -> Self {
        Self {
            terms: VersionTerms {
                effective_to: Some(by.terms.effective_from),
                ..self.terms.clone()
            },
            ..self.changed(now)
        }
    }

    /// Ends the version for good: now, or at `end`. `last_use` is the latest instant at which it decided a commission.
    pub fn retire(
        self,
        end: Option<DateTime<Utc>>,
        last_use: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        if self.status != RuleVersionStatus::Active {
            return Err(self.refuse("retire"));
        }
        let end = match (end, self.terms.effective_to) {
            (Some(end), _) => end,
            (None, Some(set)) => set.min(now),
            (None, None) => now,
        }
        .trunc_subsecs(6);
        if end <= self.terms.effective_from {
            return Err(Problem::field(
                "/effective_to",
                "before_effective_from",
                "A version ends after it begins.",
            ));
        }
        if self.terms.effective_to.is_some_and(|set| end > set) {
            return Err(Problem::field(
                "/effective_to",
                "after_effective_to",
                "A version that has an end cannot be made to last longer.",
            ));
        }
        if let Some(instant) = last_use.filter(|instant| *instant >= end) {
            return Err(Problem::new(Code::RuleBackdated).because(format!(
                "The version decided a commission under the terms of {}; end after it.",
                instant.to_rfc3339()
            )));
        }
        Ok(Self {
            status: RuleVersionStatus::Retired,
            retired_at: Some(now),
            terms: VersionTerms {
                effective_to: Some(end),
                ..self.terms.clone()
            },
            ..self.changed(now)
        })
    }

    /// Whether this version has no end so far and ends where its successor begins.
    pub fn ends_with(&self, successor: &Self) -> bool {
        self.commission_rule_id == successor.commission_rule_id
            && self.status == RuleVersionStatus::Active
            && self.terms.effective_to.is_none()
            && self.terms.effective_from < successor.terms.effective_from
    }

    /// Whether the two are in force at some common instant.
    pub fn overlaps(&self, other: &Self) -> bool {
        let begins_before_end =
            |a: &Self, b: &Self| b.terms.effective_to.is_none_or(|to| a.terms.effective_from < to);
        begins_before_end(self, other) && begins_before_end(other, self)
    }

    fn hashed(mut self) -> Result<Self, Problem> {
        self.terms_hash = self.rule().map_err(refused_terms)?.hash().to_owned();
        Ok(self)
    }

    fn changed(self, now: DateTime<Utc>) -> Self {
        Self {
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }

    fn refuse(&self, verb: &str) -> Problem {
        Problem::wrong_state(verb, self.status.as_str(), self.status.moves())
    }
}

/// What the engine refuses, at the field that it is about.
fn refused_terms(error: RuleError) -> Problem {
    let (pointer, code) = match error {
        RuleError::NoFlatAmount => ("/terms/formula/amounts", "too_few_items"),
        RuleError::DuplicateFlatCurrency => ("/terms/formula/amounts", "duplicate_currency"),
        RuleError::NegativeFlatAmount => ("/terms/formula/amounts", "negative_amount"),
        RuleError::EmptyEffectivePeriod => ("/terms/effective_to", "before_effective_from"),
        RuleError::TiersStartAboveZero => ("/terms/formula/tiers", "does_not_start_at_zero"),
        RuleError::TiersNotRising => ("/terms/formula/tiers", "not_rising"),
        RuleError::NegativeTierAmount => ("/terms/formula/tiers", "negative_amount"),
        RuleError::PerLineBeyondLine => ("/terms/formula/tier_scope", "not_line"),
        RuleError::TierMetricMismatch => ("/terms/formula/tiers", "metric_mismatch"),
        RuleError::NotAHybrid => ("/terms/formula/plus", "not_a_hybrid"),
        RuleError::NegativeLimit => ("/terms/limits", "negative_amount"),
        RuleError::DuplicateLimitCurrency => ("/terms/limits", "duplicate_currency"),
        RuleError::FloorAboveCap => ("/terms/limits/floors", "above_cap"),
        RuleError::CapWithoutPeriod => ("/terms/limits/period_cap/period", "not_a_period"),
        RuleError::RenewalsNotRising => ("/terms/recurrence/renewal_rates", "not_rising"),
        RuleError::RenewalWithoutRate => ("/terms/recurrence/renewal_rates", "formula_without_rate"),
        RuleError::EmptyWindow => ("/terms/recurrence/months", "too_small"),
        RuleError::OneTimeRecurs => ("/terms/recurrence/kind", "recurs"),
    };
    Problem::field(pointer, code, format!("{error}."))
}
