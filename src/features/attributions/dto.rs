//! Credits on the wire.

use super::domain::{Attribution, AttributionPatch, AttributionStatus, NewAttribution};
use super::store::{AttributionFilter, AttributionOrder};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AttributionId, DealId, PartnerId, TouchpointId};
use crate::kernel::motion::Role;
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// Credit of one partner for one deal in one role.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = AttributionCreate, examples(json!({"deal_id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "role": "sourced", "share_basis_points": 10000})))]
#[serde(deny_unknown_fields)]
pub struct NewAttributionBody {
    /// Your own key for the credit; unique among your credits. Not for a partner's caller.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "crm-credit-31"
    )]
    pub external_id: Option<String>,
    /// The deal.
    pub deal_id: DealId,
    /// The partner to credit; it must be approved. A partner's own caller need not name it.
    #[schema(nullable = false)]
    pub partner_id: Option<PartnerId>,
    /// What the partner did: sourced, influenced or delivered.
    pub role: Role,
    /// The partner's share of the role, in basis points: 10,000 is the whole.
    #[schema(minimum = 1, maximum = 10000, example = 10000)]
    pub share_basis_points: i32,
    /// The touchpoints that the claim rests on: of this partner, for this deal, none of them voided.
    #[serde(default)]
    #[schema(max_items = 50, default = json!([]))]
    pub touchpoint_ids: Vec<TouchpointId>,
    /// Whether to confirm it in the same step; needs the permission `attributions:review` as well.
    #[serde(default)]
    #[schema(default = false)]
    pub confirm: bool,
}

impl NewAttributionBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> NewAttribution {
        let Self {
            external_id,
            deal_id,
            partner_id,
            role,
            share_basis_points,
            touchpoint_ids,
            confirm,
        } = self.clone();
        NewAttribution {
            external_id,
            deal_id,
            partner_id,
            role,
            share_basis_points,
            touchpoint_ids,
            confirm,
        }
    }
}

/// Changes of a credit: absent leaves a field as it is, `null` clears it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = AttributionUpdate, min_properties = 1, examples(json!({"share_basis_points": 4000})))]
#[serde(deny_unknown_fields)]
pub struct PatchAttributionBody {
    /// Your own key for the credit.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"^[^\x00]+$", example = "crm-credit-31")]
    pub external_id: Patch<String>,
    /// The partner's share of the role, in basis points; only while claimed.
    #[schema(nullable = false, minimum = 1, maximum = 10000, example = 4000)]
    pub share_basis_points: Option<i32>,
    /// The touchpoints that the claim rests on, all of them; only while claimed.
    #[schema(nullable = false, max_items = 50)]
    pub touchpoint_ids: Option<Vec<TouchpointId>>,
}

impl PatchAttributionBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> AttributionPatch {
        let Self {
            external_id,
            share_basis_points,
            touchpoint_ids,
        } = self.clone();
        AttributionPatch {
            external_id,
            share_basis_points,
            touchpoint_ids,
        }
    }
}

/// With which share a claim counts.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[schema(as = AttributionConfirm, examples(json!({"share_basis_points": 6000})))]
#[serde(deny_unknown_fields)]
pub struct ConfirmAttributionBody {
    /// The partner's share of the role, in basis points; the one that is claimed when left out.
    #[schema(nullable = false, minimum = 1, maximum = 10000, example = 6000)]
    pub share_basis_points: Option<i32>,
}

/// What is corrected of a credit on a won deal, and why.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = AttributionCorrect, examples(json!({"reason": "Both partners agreed on it on 3 March.", "share_basis_points": 6000})))]
#[serde(deny_unknown_fields)]
pub struct CorrectAttributionBody {
    /// Why, for a person; kept in the audit trail.
    #[schema(
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Both partners agreed on it on 3 March."
    )]
    pub reason: String,
    /// The partner's share of the role from now on, in basis points. For a claim: the one that is claimed when left out.
    /// For settled credit: another one, and 0 takes the credit away.
    #[schema(nullable = false, minimum = 0, maximum = 10000, example = 6000)]
    pub share_basis_points: Option<i32>,
}

/// An attribution: credit of one partner for one deal in one role.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Attribution, examples(json!({"id": "att_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "crm-credit-31", "deal_id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "role": "sourced", "share_basis_points": 10000, "allocation_rank": 1, "status": "confirmed", "status_reason": null, "confirmed_at": "2026-03-04T10:00:00Z", "settled_at": null, "touchpoint_ids": ["tch_01j9zq4y8k7m5n3p2r1s0t6v4w"], "created_at": "2026-03-03T16:20:00Z", "updated_at": "2026-03-04T10:00:00Z"})))]
pub struct AttributionView {
    /// Its id.
    pub id: AttributionId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// The deal.
    pub deal_id: DealId,
    /// The partner that is credited.
    pub partner_id: PartnerId,
    /// What the partner did: sourced, influenced or delivered.
    pub role: Role,
    /// The partner's share of the role, in basis points: 10,000 is the whole.
    #[schema(minimum = 1, maximum = 10000)]
    pub share_basis_points: i32,
    /// Its place among the credits of the same deal and role, given once; a tie in a split of money goes to the lower. A
    /// partner's own caller reads `null`.
    #[schema(required, minimum = 1, maximum = 2147483647)]
    pub allocation_rank: Option<i32>,
    /// Where it stands: claimed, confirmed or rejected.
    pub status: AttributionStatus,
    /// Why it was rejected.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// When it was confirmed.
    #[schema(required)]
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When it was settled by the deal being won.
    #[schema(required)]
    pub settled_at: Option<DateTime<Utc>>,
    /// The touchpoints that it rests on. A partner above the credited one reads their ids and not the
    /// touchpoints.
    #[schema(max_items = 50)]
    pub touchpoint_ids: Vec<TouchpointId>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl AttributionView {
    /// The credit as this caller reads it: a partner does not learn how many others there are.
    pub fn new(ctx: &Ctx, attribution: Attribution) -> Self {
        Self {
            id: attribution.id,
            external_id: attribution.external_id,
            deal_id: attribution.deal_id,
            partner_id: attribution.partner_id,
            role: attribution.role,
            share_basis_points: attribution.share_basis_points,
            allocation_rank: ctx
                .scope
                .partner_id
                .is_none()
                .then_some(attribution.allocation_rank),
            status: attribution.status,
            status_reason: attribution.status_reason,
            confirmed_at: attribution.confirmed_at,
            settled_at: attribution.settled_at,
            touchpoint_ids: attribution.touchpoint_ids,
            created_at: attribution.created_at,
            updated_at: attribution.updated_at,
        }
    }
}

page_of!(AttributionPage, AttributionView, "attributions");

/// The order of a list of attributions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum AttributionSort {
    /// Newest first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "created_at")]
    Oldest,
}

/// What a list of attributions is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AttributionsQuery {
    /// Only credits for this deal.
    pub deal_id: Option<DealId>,
    /// Only credits of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only credits in one of these roles; repeat for several.
    #[serde(default)]
    #[param(max_items = 3)]
    pub role: Vec<Role>,
    /// Only credits in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 3)]
    pub status: Vec<AttributionStatus>,
    /// Only the credit with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only what was created at or after this instant.
    pub created_at_gte: Option<DateTime<Utc>>,
    /// Only what was created before this instant.
    pub created_at_lt: Option<DateTime<Utc>>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: AttributionSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl AttributionsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> AttributionFilter {
        AttributionFilter {
            deal_id: self.deal_id,
            partner_id: self.partner_id,
            roles: self.role.clone(),
            statuses: self.status.clone(),
            external_id: self.external_id.clone(),
            created_at_gte: self.created_at_gte,
            created_at_lt: self.created_at_lt,
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            order: match self.sort {
                AttributionSort::Newest => AttributionOrder::Newest,
                AttributionSort::Oldest => AttributionOrder::Oldest,
            },
        }
    }
}

/// The attribution that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AttributionPath {
    /// The attribution.
    pub attribution_id: AttributionId,
}
