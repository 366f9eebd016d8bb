//! Product families on the wire.

use super::domain::{NewProductFamily, ProductFamily, ProductFamilyPatch};
use super::store::{ProductFamilyFilter, ProductFamilyOrder};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::ProductFamilyId;
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A product family to create.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ProductFamilyCreate, examples(json!({"name": "Storage", "external_id": "erp-storage"})))]
#[serde(deny_unknown_fields)]
pub struct NewProductFamilyBody {
    /// Your own key for the product family; unique among your product families.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "erp-storage"
    )]
    pub external_id: Option<String>,
    /// Its name.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Storage"
    )]
    pub name: String,
}

impl NewProductFamilyBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> NewProductFamily {
        let Self { external_id, name } = self.clone();
        NewProductFamily { external_id, name }
    }
}

/// Changes of a product family: absent leaves a field as it is, `null` clears it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ProductFamilyUpdate, min_properties = 1, examples(json!({"name": "Storage and archive", "external_id": null})))]
#[serde(deny_unknown_fields)]
pub struct PatchProductFamilyBody {
    /// Your own key for the product family.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"^[^\x00]+$", example = "erp-storage")]
    pub external_id: Patch<String>,
    /// Its name.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Storage"
    )]
    pub name: Option<String>,
}

impl PatchProductFamilyBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> ProductFamilyPatch {
        let Self { external_id, name } = self.clone();
        ProductFamilyPatch { external_id, name }
    }
}

/// A product family: what is sold, grouped for rules and exclusivity.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ProductFamily, examples(json!({"id": "pfm_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "erp-storage", "name": "Storage", "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:00Z"})))]
pub struct ProductFamilyView {
    /// Its id.
    pub id: ProductFamilyId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// Its name.
    #[schema(max_length = 255, example = "Storage")]
    pub name: String,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<ProductFamily> for ProductFamilyView {
    fn from(family: ProductFamily) -> Self {
        Self {
            id: family.id,
            external_id: family.external_id,
            name: family.name,
            created_at: family.created_at,
            updated_at: family.updated_at,
        }
    }
}

page_of!(ProductFamilyPage, ProductFamilyView, "product families");

/// The order of a list of product families.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ProductFamilySort {
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

/// What a list of product families is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProductFamiliesQuery {
    /// Only the product family with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: ProductFamilySort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl ProductFamiliesQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> ProductFamilyFilter {
        ProductFamilyFilter {
            external_id: self.external_id.clone(),
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            order: match self.sort {
                ProductFamilySort::Newest => ProductFamilyOrder::Newest,
                ProductFamilySort::Oldest => ProductFamilyOrder::Oldest,
                ProductFamilySort::Name => ProductFamilyOrder::Name,
                ProductFamilySort::NameDescending => ProductFamilyOrder::NameDescending,
            },
        }
    }
}

/// The product family that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ProductFamilyPath {
    /// The product family.
    pub product_family_id: ProductFamilyId,
}
