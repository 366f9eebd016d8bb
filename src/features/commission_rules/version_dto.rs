//! Versions of commission rules on the wire.

use super::domain::{CommissionRuleVersion, RuleVersionStatus};
use super::dto::RuleSort;
use super::store::RuleVersionFilter;
use super::terms_dto::{TermsBody, TermsView};
use crate::kernel::commission::Component;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CommissionRuleId, CommissionRuleVersionId, ProgramId};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// Another version of a rule, as a draft.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = CommissionRuleVersionCreate, examples(json!({"terms": {"formula": {"type": "percentage", "rate": "0.1200"}, "hold_days": 30, "effective_from": "2027-01-01T00:00:00Z"}})))]
#[serde(deny_unknown_fields)]
pub struct NewVersionBody {
    /// Its terms.
    pub terms: TermsBody,
}

/// Other terms for a draft.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = CommissionRuleVersionUpdate, min_properties = 1, examples(json!({"terms": {"formula": {"type": "percentage", "rate": "0.1250"}, "hold_days": 30, "effective_from": "2027-01-01T00:00:00Z"}})))]
#[serde(deny_unknown_fields)]
pub struct PatchVersionBody {
    /// Its terms; they replace those before as a whole.
    pub terms: TermsBody,
}

/// When a version ends.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[schema(as = CommissionRuleVersionRetire, examples(json!({"effective_to": "2027-01-01T00:00:00Z"})))]
#[serde(deny_unknown_fields)]
pub struct RetireBody {
    /// The first instant at which it is no longer in force; absent is now.
    #[schema(nullable = false)]
    pub effective_to: Option<DateTime<Utc>>,
}

/// A version of a commission rule.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommissionRuleVersion, examples(json!({"id": "rlv_01j9zq4y8k7m5n3p2r1s0t6v4w", "commission_rule_id": "rule_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "component": "base", "version": 1, "status": "active", "terms": {"formula": {"type": "percentage", "rate": "0.1000"}, "conditions": {"motions": [], "roles": ["sourced"], "partner_ids": [], "product_family_ids": [], "currencies": [], "tiers": [], "deal_types": [], "countries": [], "minimum_amounts": []}, "priority": 0, "recurrence": {"kind": "recurring", "months": null, "renewal_rates": []}, "base": {"measure": "net", "include_shipping": false, "include_fees": false}, "limits": {"floors": [], "line_caps": [], "period_cap": null}, "hold_days": 30, "hold_start": "payment", "effective_from": "2026-01-01T00:00:00Z", "effective_to": null}, "terms_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "sentence": "10% of net money received on sourced deals of any partner, paid after a hold of 30 days, from 1 January 2026.", "activated_at": "2026-01-01T08:00:00Z", "retired_at": null, "created_at": "2026-01-01T08:00:00Z", "updated_at": "2026-01-01T08:00:00Z"})))]
pub struct CommissionRuleVersionView {
    /// Its id.
    pub id: CommissionRuleVersionId,
    /// The rule.
    pub commission_rule_id: CommissionRuleId,
    /// The program of the rule.
    pub program_id: ProgramId,
    /// What the rule pays: base, bonus or override.
    pub component: Component,
    /// Its number within the rule, counted from 1.
    #[schema(minimum = 1, maximum = 2147483647)]
    pub version: i32,
    /// Where it stands: draft, active or retired.
    pub status: RuleVersionStatus,
    /// Its terms.
    pub terms: TermsView,
    /// The hash of its terms without their end: explanations of commissions carry it.
    #[schema(max_length = 64, pattern = "^[0-9a-f]{64}$")]
    pub terms_hash: String,
    /// Its terms as one English sentence.
    #[schema(max_length = 4000)]
    pub sentence: String,
    /// When it was activated.
    #[schema(required)]
    pub activated_at: Option<DateTime<Utc>>,
    /// When it was retired.
    #[schema(required)]
    pub retired_at: Option<DateTime<Utc>>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<CommissionRuleVersion> for CommissionRuleVersionView {
    fn from(version: CommissionRuleVersion) -> Self {
        Self {
            sentence: version.sentence(),
            id: version.id,
            commission_rule_id: version.commission_rule_id,
            program_id: version.program_id,
            component: version.component,
            version: version.version,
            status: version.status,
            terms: version.terms.into(),
            terms_hash: version.terms_hash,
            activated_at: version.activated_at,
            retired_at: version.retired_at,
            created_at: version.created_at,
            updated_at: version.updated_at,
        }
    }
}

page_of!(
    CommissionRuleVersionPage,
    CommissionRuleVersionView,
    "versions of commission rules"
);

/// What a list of versions is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CommissionRuleVersionsQuery {
    /// Only versions of this rule.
    pub commission_rule_id: Option<CommissionRuleId>,
    /// Only versions of rules of this program.
    pub program_id: Option<ProgramId>,
    /// Only versions in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 3)]
    pub status: Vec<RuleVersionStatus>,
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

impl CommissionRuleVersionsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> RuleVersionFilter {
        RuleVersionFilter {
            commission_rule_id: self.commission_rule_id,
            program_id: self.program_id,
            statuses: self.status.clone(),
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            oldest_first: self.sort == RuleSort::Oldest,
        }
    }
}

/// The version that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct CommissionRuleVersionPath {
    /// The version of a commission rule.
    pub commission_rule_version_id: CommissionRuleVersionId,
}
