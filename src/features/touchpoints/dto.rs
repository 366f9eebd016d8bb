//! Touchpoints on the wire.

use super::domain::{NewTouchpoint, Recorder, Touchpoint, TouchpointKind, TouchpointStatus};
use super::store::TouchpointFilter;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{DealId, PartnerId, TouchpointId};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// What a partner did for a deal.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = TouchpointCreate, examples(json!({"deal_id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "kind": "opened_the_door", "occurred_at": "2026-02-11T13:00:00Z", "contact": "Head of fleet operations", "note": "Brought us to the table after two years without an answer."})))]
#[serde(deny_unknown_fields)]
pub struct NewTouchpointBody {
    /// Your own key for the touchpoint; unique among your touchpoints. Not for a partner's caller.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "crm-activity-4711"
    )]
    pub external_id: Option<String>,
    /// The deal.
    pub deal_id: DealId,
    /// The partner. A partner's own caller need not name it.
    #[schema(nullable = false)]
    pub partner_id: Option<PartnerId>,
    /// What the partner did, such as introduction, meeting, demo, opened_the_door or unblocked_legal.
    pub kind: TouchpointKind,
    /// When; not in the future, and now when left out.
    #[schema(nullable = false)]
    pub occurred_at: Option<DateTime<Utc>>,
    /// With whom at the customer.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Head of fleet operations"
    )]
    pub contact: Option<String>,
    /// What there is to say about it.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 2000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Brought us to the table after two years without an answer."
    )]
    pub note: Option<String>,
    /// Where more is to be found: an address on the web.
    #[schema(
        nullable = false,
        min_length = 9,
        max_length = 2000,
        pattern = r"^https?://[^\s\x00]+$",
        example = "https://files.example.com/minutes/2026-02-11"
    )]
    pub link: Option<String>,
}

impl NewTouchpointBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> NewTouchpoint {
        let Self {
            external_id,
            deal_id,
            partner_id,
            kind,
            occurred_at,
            contact,
            note,
            link,
        } = self.clone();
        NewTouchpoint {
            external_id,
            deal_id,
            partner_id,
            kind,
            occurred_at,
            contact,
            note,
            link,
        }
    }
}

/// A touchpoint: dated evidence of what a partner did for a deal.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Touchpoint, examples(json!({"id": "tch_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": null, "deal_id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "kind": "opened_the_door", "occurred_at": "2026-02-11T13:00:00Z", "contact": "Head of fleet operations", "note": "Brought us to the table after two years without an answer.", "link": null, "recorded_by": "partner", "status": "recorded", "status_reason": null, "voided_at": null, "created_at": "2026-02-12T08:15:00Z", "updated_at": "2026-02-12T08:15:00Z"})))]
pub struct TouchpointView {
    /// Its id.
    pub id: TouchpointId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// The deal.
    pub deal_id: DealId,
    /// The partner.
    pub partner_id: PartnerId,
    /// What the partner did.
    pub kind: TouchpointKind,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// With whom at the customer.
    #[schema(required, max_length = 255)]
    pub contact: Option<String>,
    /// What there is to say about it.
    #[schema(required, max_length = 2000)]
    pub note: Option<String>,
    /// Where more is to be found.
    #[schema(required, max_length = 2000)]
    pub link: Option<String>,
    /// Who recorded it: organization or partner.
    pub recorded_by: Recorder,
    /// Where it stands: recorded or voided.
    pub status: TouchpointStatus,
    /// Why it was voided.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// When it was voided.
    #[schema(required)]
    pub voided_at: Option<DateTime<Utc>>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Touchpoint> for TouchpointView {
    fn from(touchpoint: Touchpoint) -> Self {
        Self {
            id: touchpoint.id,
            external_id: touchpoint.external_id,
            deal_id: touchpoint.deal_id,
            partner_id: touchpoint.partner_id,
            kind: touchpoint.kind,
            occurred_at: touchpoint.occurred_at,
            contact: touchpoint.contact,
            note: touchpoint.note,
            link: touchpoint.link,
            recorded_by: touchpoint.recorded_by,
            status: touchpoint.status,
            status_reason: touchpoint.status_reason,
            voided_at: touchpoint.voided_at,
            created_at: touchpoint.created_at,
            updated_at: touchpoint.updated_at,
        }
    }
}

page_of!(TouchpointPage, TouchpointView, "touchpoints");

/// What a list of touchpoints is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TouchpointsQuery {
    /// Only touchpoints for this deal.
    pub deal_id: Option<DealId>,
    /// Only touchpoints of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only touchpoints of one of these kinds; repeat for several.
    #[serde(default)]
    #[param(max_items = 11)]
    pub kind: Vec<TouchpointKind>,
    /// Only touchpoints in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 2)]
    pub status: Vec<TouchpointStatus>,
    /// Only the touchpoint with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl TouchpointsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> TouchpointFilter {
        TouchpointFilter {
            deal_id: self.deal_id,
            partner_id: self.partner_id,
            kinds: self.kind.clone(),
            statuses: self.status.clone(),
            external_id: self.external_id.clone(),
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
        }
    }
}

/// The touchpoint that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TouchpointPath {
    /// The touchpoint.
    pub touchpoint_id: TouchpointId,
}
