//! Partners on the wire.

use super::domain::{NewPartner, Partner, PartnerPatch, PartnerStatus};
use super::store::{PartnerFilter, PartnerOrder};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::PartnerId;
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A company that applies to become a partner.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = PartnerCreate, examples(json!({"name": "Nordlicht Consulting", "external_id": "crm-4711", "domain": "nordlicht.example", "country": "DE"})))]
#[serde(deny_unknown_fields)]
pub struct NewPartnerBody {
    /// Your own key for the partner; unique among your partners.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "crm-4711"
    )]
    pub external_id: Option<String>,
    /// The partner above it, such as the distributor above a reseller.
    #[schema(nullable = false)]
    pub parent_id: Option<PartnerId>,
    /// Its name.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Nordlicht Consulting"
    )]
    pub name: String,
    /// Its internet domain, in lower case.
    #[schema(
        nullable = false,
        max_length = 253,
        pattern = "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
        example = "nordlicht.example"
    )]
    pub domain: Option<String>,
    /// Its country, ISO 3166-1 alpha-2.
    #[schema(nullable = false, max_length = 2, pattern = "^[A-Z]{2}$", example = "DE")]
    pub country: Option<String>,
    /// Whether the partners above it see neither it, nor its deals, nor what is below it; not hidden when left out.
    #[schema(nullable = false)]
    pub hidden_from_parent: Option<bool>,
}

impl NewPartnerBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> NewPartner {
        let Self {
            external_id,
            parent_id,
            name,
            domain,
            country,
            hidden_from_parent,
        } = self.clone();
        NewPartner {
            external_id,
            parent_id,
            name,
            domain,
            country,
            hidden_from_parent: hidden_from_parent.unwrap_or(false),
        }
    }
}

/// Changes of a partner: absent leaves a field as it is, `null` clears it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = PartnerUpdate, min_properties = 1, examples(json!({"domain": "nordlicht.example", "country": null})))]
#[serde(deny_unknown_fields)]
pub struct PatchPartnerBody {
    /// Your own key for the partner.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"^[^\x00]+$", example = "crm-4711")]
    pub external_id: Patch<String>,
    /// The partner above it.
    #[serde(default)]
    #[schema(value_type = Option<PartnerId>)]
    pub parent_id: Patch<PartnerId>,
    /// Its name.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Nordlicht Consulting"
    )]
    pub name: Option<String>,
    /// Its internet domain, in lower case.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 253, pattern = "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", example = "nordlicht.example")]
    pub domain: Patch<String>,
    /// Its country, ISO 3166-1 alpha-2.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 2, pattern = "^[A-Z]{2}$", example = "DE")]
    pub country: Patch<String>,
    /// Whether the partners above it see neither it, nor its deals, nor what is below it.
    #[schema(nullable = false)]
    pub hidden_from_parent: Option<bool>,
}

impl PatchPartnerBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> PartnerPatch {
        let Self {
            external_id,
            parent_id,
            name,
            domain,
            country,
            hidden_from_parent,
        } = self.clone();
        PartnerPatch {
            external_id,
            parent_id,
            name,
            domain,
            country,
            hidden_from_parent,
        }
    }
}

/// A partner: a company that sells, refers, integrates or implements.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Partner, examples(json!({"id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "crm-4711", "parent_id": null, "name": "Nordlicht Consulting", "status": "approved", "status_reason": null, "domain": "nordlicht.example", "country": "DE", "hidden_from_parent": false, "approved_at": "2026-03-02T09:30:00Z", "terminated_at": null, "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-02T09:30:00Z"})))]
pub struct PartnerView {
    /// Its id.
    pub id: PartnerId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// The partner above it.
    #[schema(required)]
    pub parent_id: Option<PartnerId>,
    /// Its name.
    #[schema(max_length = 255)]
    pub name: String,
    /// Where it stands: applied, approved, declined, suspended or terminated.
    pub status: PartnerStatus,
    /// Why it was declined, suspended or terminated.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// Its internet domain.
    #[schema(required, max_length = 253)]
    pub domain: Option<String>,
    /// Its country, ISO 3166-1 alpha-2.
    #[schema(required, max_length = 2)]
    pub country: Option<String>,
    /// Whether the partners above it see neither it, nor its deals, nor what is below it.
    pub hidden_from_parent: bool,
    /// When it was approved.
    #[schema(required)]
    pub approved_at: Option<DateTime<Utc>>,
    /// When it was terminated.
    #[schema(required)]
    pub terminated_at: Option<DateTime<Utc>>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Partner> for PartnerView {
    fn from(partner: Partner) -> Self {
        Self {
            id: partner.id,
            external_id: partner.external_id,
            parent_id: partner.parent_id,
            name: partner.name,
            status: partner.status,
            status_reason: partner.status_reason,
            domain: partner.domain,
            country: partner.country,
            hidden_from_parent: partner.hidden_from_parent,
            approved_at: partner.approved_at,
            terminated_at: partner.terminated_at,
            created_at: partner.created_at,
            updated_at: partner.updated_at,
        }
    }
}

page_of!(PartnerPage, PartnerView, "partners");

/// The order of a list of partners.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum PartnerSort {
    /// Newest first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "created_at")]
    Oldest,
    /// By name.
    #[serde(rename = "name")]
    Name,
    /// By name, backwards.
    #[serde(rename = "-name")]
    NameDescending,
}

/// What a list of partners is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PartnersQuery {
    /// Only partners in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 5)]
    pub status: Vec<PartnerStatus>,
    /// Only the partner with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only partners directly below this one.
    pub parent_id: Option<PartnerId>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: PartnerSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl PartnersQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> PartnerFilter {
        PartnerFilter {
            statuses: self.status.clone(),
            external_id: self.external_id.clone(),
            parent_id: self.parent_id,
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            order: match self.sort {
                PartnerSort::Newest => PartnerOrder::Newest,
                PartnerSort::Oldest => PartnerOrder::Oldest,
                PartnerSort::Name => PartnerOrder::Name,
                PartnerSort::NameDescending => PartnerOrder::NameDescending,
            },
        }
    }
}

/// The partner that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PartnerPath {
    /// The partner.
    pub partner_id: PartnerId,
}
