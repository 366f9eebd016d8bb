//! Compliance documents on the wire.

use super::domain::{ComplianceDocument, ComplianceDocumentStatus, NewComplianceDocument};
use super::store::DocumentFilter;
use crate::kernel::ctx::Ctx;
use crate::kernel::gate::DocumentKind;
use crate::kernel::id::{ComplianceDocumentId, PartnerId, ProductFamilyId};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::{CountryCode, Fields};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A document to put on file.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ComplianceDocumentCreate, examples(json!({"kind": "certification", "name": "Fleet Expert", "reference": "FE-2026-0481", "link": "https://certificates.example/FE-2026-0481", "countries": ["DE", "AT"], "valid_from": "2026-03-01", "valid_until": "2028-02-29"})))]
#[serde(deny_unknown_fields)]
pub struct NewDocumentBody {
    /// Your own key for it; unique among the partner's compliance documents.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "lms-certificate-481"
    )]
    pub external_id: Option<String>,
    /// Whose it is. A partner's own caller need not say.
    #[schema(nullable = false)]
    pub partner_id: Option<PartnerId>,
    /// What it is.
    pub kind: DocumentKind,
    /// Which one of its kind; gates may ask for it by this name.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\s\x00]([^\x00]*[^\s\x00])?$",
        example = "Fleet Expert"
    )]
    pub name: String,
    /// The number by which whoever issued it knows it.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "FE-2026-0481"
    )]
    pub reference: Option<String>,
    /// Where it can be read.
    #[schema(
        nullable = false,
        max_length = 2000,
        pattern = r"^https://[^\s\x00]+$",
        example = "https://certificates.example/FE-2026-0481"
    )]
    pub link: Option<String>,
    /// The product family that it is for; all when absent.
    #[schema(nullable = false)]
    pub product_family_id: Option<ProductFamilyId>,
    /// The countries that it is for; all when empty.
    #[serde(default)]
    #[schema(max_items = 250)]
    pub countries: Vec<CountryCode>,
    /// The first day on which it is valid.
    pub valid_from: NaiveDate,
    /// The last day on which it is valid; without it there is none.
    #[schema(nullable = false)]
    pub valid_until: Option<NaiveDate>,
}

impl NewDocumentBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> Result<NewComplianceDocument, Problem> {
        let mut fields = Fields::new();
        fields.require(
            self.valid_until.is_none_or(|end| end >= self.valid_from),
            "/valid_until",
            "before_start",
            "It cannot end before it begins.",
        );
        let new = self.clone();
        fields.finish(Some(NewComplianceDocument {
            external_id: new.external_id,
            partner_id: new.partner_id,
            kind: new.kind,
            name: new.name,
            reference: new.reference,
            link: new.link,
            product_family_id: new.product_family_id,
            countries: new.countries.into_iter().map(|country| country.0).collect(),
            valid_from: new.valid_from,
            valid_until: new.valid_until,
        }))
    }
}

/// A document that a partner has on file.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ComplianceDocument, examples(json!({"id": "cdo_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "lms-certificate-481", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "kind": "certification", "name": "Fleet Expert", "reference": "FE-2026-0481", "link": "https://certificates.example/FE-2026-0481", "product_family_id": null, "countries": ["AT", "DE"], "valid_from": "2026-03-01", "valid_until": "2028-02-29", "status": "verified", "status_reason": null, "verified_at": "2026-03-02T09:30:00Z", "revoked_at": null, "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T09:30:00Z"})))]
pub struct ComplianceDocumentView {
    /// Its id.
    pub id: ComplianceDocumentId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// What it is.
    pub kind: DocumentKind,
    /// Which one of its kind.
    #[schema(max_length = 255)]
    pub name: String,
    /// The number by which whoever issued it knows it.
    #[schema(required, max_length = 255)]
    pub reference: Option<String>,
    /// Where it can be read.
    #[schema(required, max_length = 2000)]
    pub link: Option<String>,
    /// The product family that it is for; all when null.
    #[schema(required)]
    pub product_family_id: Option<ProductFamilyId>,
    /// The countries that it is for; all when empty.
    #[schema(max_items = 250)]
    pub countries: Vec<CountryCode>,
    /// The first day on which it is valid.
    pub valid_from: NaiveDate,
    /// The last day on which it is valid; without end when null.
    #[schema(required)]
    pub valid_until: Option<NaiveDate>,
    /// Where it stands.
    pub status: ComplianceDocumentStatus,
    /// Why it was revoked.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// When it was taken for good.
    #[schema(required)]
    pub verified_at: Option<DateTime<Utc>>,
    /// From when on it is no longer; what happened before stands.
    #[schema(required)]
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<ComplianceDocument> for ComplianceDocumentView {
    fn from(document: ComplianceDocument) -> Self {
        Self {
            id: document.id,
            external_id: document.external_id,
            partner_id: document.partner_id,
            kind: document.kind,
            name: document.name,
            reference: document.reference,
            link: document.link,
            product_family_id: document.product_family_id,
            countries: document.countries.into_iter().map(CountryCode).collect(),
            valid_from: document.valid_from,
            valid_until: document.valid_until,
            status: document.status,
            status_reason: document.status_reason,
            verified_at: document.verified_at,
            revoked_at: document.revoked_at,
            created_at: document.created_at,
            updated_at: document.updated_at,
        }
    }
}

page_of!(
    ComplianceDocumentPage,
    ComplianceDocumentView,
    "compliance documents"
);

/// What a list of compliance documents is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DocumentsQuery {
    /// Only what this partner has.
    pub partner_id: Option<PartnerId>,
    /// Only what has this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only what stands there.
    #[param(inline)]
    pub status: Option<ComplianceDocumentStatus>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl DocumentsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> DocumentFilter {
        DocumentFilter {
            partner_id: self.partner_id,
            external_id: self.external_id.clone(),
            status: self.status,
        }
    }
}

/// The compliance document that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DocumentPath {
    /// The compliance document.
    pub compliance_document_id: ComplianceDocumentId,
}
