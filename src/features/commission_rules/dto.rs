//! Commission rules on the wire.

use super::domain::{CommissionRule, CommissionRulePatch, NewCommissionRule};
use super::store::CommissionRuleFilter;
use super::terms_dto::TermsBody;
use crate::kernel::commission::Component;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CommissionRuleId, CommissionRuleVersionId, ProgramId};
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A commission rule to write, with the terms of its first version.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = CommissionRuleCreate, examples(json!({"program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "name": "Referral commission", "component": "base", "terms": {"formula": {"type": "percentage", "rate": "0.1000"}, "conditions": {"roles": ["sourced"]}, "hold_days": 30, "effective_from": "2026-01-01T00:00:00Z"}})))]
#[serde(deny_unknown_fields)]
pub struct NewCommissionRuleBody {
    /// Your own key for the rule; unique among your rules.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "referral-2026"
    )]
    pub external_id: Option<String>,
    /// The program in which it decides.
    pub program_id: ProgramId,
    /// Its name.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Referral commission"
    )]
    pub name: String,
    /// What it pays: base (the default) and bonus go to the partner that is credited, and add up; override goes to the partner
    /// above it (`parent_id`), which must take part in the program itself.
    #[schema(nullable = false)]
    pub component: Option<Component>,
    /// The terms of version 1.
    pub terms: TermsBody,
}

impl NewCommissionRuleBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> Result<NewCommissionRule, Problem> {
        Ok(NewCommissionRule {
            external_id: self.external_id.clone(),
            program_id: self.program_id,
            name: self.name.clone(),
            component: self.component.unwrap_or(Component::Base),
            terms: self.terms.terms()?,
        })
    }
}

/// Changes of a commission rule: absent leaves a field as it is, `null` clears it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = CommissionRuleUpdate, min_properties = 1, examples(json!({"name": "Referral commission"})))]
#[serde(deny_unknown_fields)]
pub struct PatchCommissionRuleBody {
    /// Your own key for the rule.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"^[^\x00]+$", example = "referral-2026")]
    pub external_id: Patch<String>,
    /// Its name.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Referral commission"
    )]
    pub name: Option<String>,
}

impl PatchCommissionRuleBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> CommissionRulePatch {
        let Self { external_id, name } = self.clone();
        CommissionRulePatch { external_id, name }
    }
}

/// A commission rule: the name under which versions of terms follow one another.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommissionRule, examples(json!({"id": "rule_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "referral-2026", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "name": "Referral commission", "component": "base", "first_version_id": "rlv_01j9zq4y8k7m5n3p2r1s0t6v4w", "created_at": "2026-01-01T08:00:00Z", "updated_at": "2026-01-01T08:00:00Z"})))]
pub struct CommissionRuleView {
    /// Its id.
    pub id: CommissionRuleId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// The program in which it decides.
    pub program_id: ProgramId,
    /// Its name.
    #[schema(max_length = 255)]
    pub name: String,
    /// What it pays: base, bonus or override.
    pub component: Component,
    /// Its version 1: of a new rule the draft that is to be activated.
    pub first_version_id: CommissionRuleVersionId,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<CommissionRule> for CommissionRuleView {
    fn from(rule: CommissionRule) -> Self {
        Self {
            id: rule.id,
            external_id: rule.external_id,
            program_id: rule.program_id,
            name: rule.name,
            component: rule.component,
            first_version_id: rule.first_version_id,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
        }
    }
}

page_of!(CommissionRulePage, CommissionRuleView, "commission rules");

/// The order of a list of rules or of versions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum RuleSort {
    /// Newest first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "created_at")]
    Oldest,
}

/// What a list of rules is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CommissionRulesQuery {
    /// Only rules of this program.
    pub program_id: Option<ProgramId>,
    /// Only rules that pay this.
    pub component: Option<Component>,
    /// Only the rule with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: RuleSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl CommissionRulesQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> CommissionRuleFilter {
        CommissionRuleFilter {
            program_id: self.program_id,
            component: self.component,
            external_id: self.external_id.clone(),
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            oldest_first: self.sort == RuleSort::Oldest,
        }
    }
}

/// The rule that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct CommissionRulePath {
    /// The commission rule.
    pub commission_rule_id: CommissionRuleId,
}
