//! Partners on the wire.

use super::domain::{NewPartner, Partner, PartnerPatch, PartnerReasonCode, PartnerStatus, Why};
use super::store::{PartnerFilter, PartnerOrder};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::PartnerId;
use crate::kernel::money::{Currency, MoneyError};
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
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
    /// The countries of the customers that it may bring, in programs whose deal rules ask for it; none is all.
    #[serde(default)]
    #[schema(max_items = 300)]
    pub territories: Vec<Territory>,
    /// Whether the partners above it see neither it, nor its deals, nor what is below it; not hidden when left out.
    #[schema(nullable = false)]
    pub hidden_from_parent: Option<bool>,
    /// The currency that it is paid in, ISO 4217: what it earns in another one is exchanged, when its programs say so.
    /// That of each invoice when left out.
    #[schema(
        nullable = false,
        min_length = 3,
        max_length = 3,
        pattern = "^[A-Z]{3}$",
        example = "EUR"
    )]
    pub payout_currency: Option<String>,
}

impl NewPartnerBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> Result<NewPartner, Problem> {
        let Self {
            external_id,
            parent_id,
            name,
            domain,
            country,
            territories,
            hidden_from_parent,
            payout_currency,
        } = self.clone();
        Ok(NewPartner {
            external_id,
            parent_id,
            name,
            domain,
            country,
            territories: countries(territories),
            hidden_from_parent: hidden_from_parent.unwrap_or(false),
            payout_currency: payout_currency.map(currency).transpose()?,
        })
    }
}

/// A currency to be paid in.
fn currency(code: String) -> Result<Currency, Problem> {
    let unknown =
        |error: MoneyError| Problem::field("/payout_currency", "unknown_currency", error.to_string());
    Currency::from_code(&code).map_err(unknown)
}

/// A country of a partner's customers, ISO 3166-1 alpha-2.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = TerritoryCountry, value_type = String, min_length = 2, max_length = 2, pattern = "^[A-Z]{2}$", example = "AT")]
pub struct Territory(pub String);

fn countries(territories: Vec<Territory>) -> BTreeSet<String> {
    territories.into_iter().map(|country| country.0).collect()
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
    /// The countries of the customers that it may bring, in programs whose deal rules ask for it; none is all.
    #[schema(nullable = false, max_items = 300)]
    pub territories: Option<Vec<Territory>>,
    /// Whether the partners above it see neither it, nor its deals, nor what is below it.
    #[schema(nullable = false)]
    pub hidden_from_parent: Option<bool>,
    /// The currency that it is paid in, ISO 4217. What was earned before stays as it was.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 3, max_length = 3, pattern = "^[A-Z]{3}$", example = "EUR")]
    pub payout_currency: Patch<String>,
}

impl PatchPartnerBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> Result<PartnerPatch, Problem> {
        let Self {
            external_id,
            parent_id,
            name,
            domain,
            country,
            territories,
            hidden_from_parent,
            payout_currency,
        } = self.clone();
        Ok(PartnerPatch {
            external_id,
            parent_id,
            name,
            domain,
            country,
            territories: territories.map(countries),
            hidden_from_parent,
            payout_currency: payout_currency.try_map(currency)?,
        })
    }
}

/// Why a partner is declined, suspended or terminated; kept with the partner, which may read it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = PartnerReason, examples(json!({"reason_code": "breach_of_terms", "reason": "Our brand was used in advertisements twice."})))]
#[serde(deny_unknown_fields)]
pub struct PartnerReasonBody {
    /// Why, as one of `GET /v1/partner-reason-codes` that is for this move; `other` when left out.
    #[schema(nullable = false)]
    pub reason_code: Option<PartnerReasonCode>,
    /// Why, in words.
    #[schema(
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Our brand was used in advertisements twice."
    )]
    pub reason: String,
}

impl PartnerReasonBody {
    /// The body as business speaks of it.
    pub fn why(&self) -> Why {
        Why {
            code: self.reason_code.unwrap_or(PartnerReasonCode::Other),
            text: self.reason.clone(),
        }
    }
}

/// A reason for which partners are declined, suspended or terminated.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PartnerMoveReason, examples(json!({"code": "breach_of_terms", "title": "The company broke the terms.", "moves": ["suspend", "terminate"]})))]
pub struct ReasonCodeView {
    /// The code.
    pub code: PartnerReasonCode,
    /// What it means.
    #[schema(max_length = 255)]
    pub title: String,
    /// The moves that it is a reason for: decline, suspend, terminate.
    #[schema(max_items = 3)]
    pub moves: Vec<PartnerMoveName>,
}

/// A move of a partner.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(value_type = String, max_length = 16, pattern = "^[a-z]+$", example = "suspend")]
pub struct PartnerMoveName(pub String);

/// The reasons for which partners are declined, suspended or terminated.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PartnerMoveReasons, examples(json!({"data": [{"code": "breach_of_terms", "title": "The company broke the terms.", "moves": ["suspend", "terminate"]}]})))]
pub struct ReasonCodesView {
    /// The reasons.
    #[schema(max_items = 100)]
    pub data: Vec<ReasonCodeView>,
}

impl ReasonCodesView {
    /// All of them.
    pub fn all() -> Self {
        let views = PartnerReasonCode::ALL.iter().map(|code| ReasonCodeView {
            code: *code,
            title: code.title().to_owned(),
            moves: code
                .moves()
                .iter()
                .map(|verb| PartnerMoveName((*verb).to_owned()))
                .collect(),
        });
        Self {
            data: views.collect(),
        }
    }
}

/// A partner: a company that sells, refers, integrates or implements.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Partner, examples(json!({"id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "crm-4711", "parent_id": null, "name": "Nordlicht Consulting", "status": "approved", "status_reason_code": null, "status_reason": null, "domain": "nordlicht.example", "country": "DE", "territories": ["AT", "DE"], "hidden_from_parent": false, "payout_currency": "EUR", "approved_at": "2026-03-02T09:30:00Z", "terminated_at": null, "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-02T09:30:00Z"})))]
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
    /// Why it was declined, suspended or terminated, by code.
    #[schema(required, value_type = Option<String>, max_length = 64)]
    pub status_reason_code: Option<PartnerReasonCode>,
    /// Why it was declined, suspended or terminated.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// Its internet domain.
    #[schema(required, max_length = 253)]
    pub domain: Option<String>,
    /// Its country, ISO 3166-1 alpha-2.
    #[schema(required, max_length = 2)]
    pub country: Option<String>,
    /// The countries of the customers that it may bring, in programs whose deal rules ask for it; none is all.
    #[schema(max_items = 300)]
    pub territories: Vec<Territory>,
    /// Whether the partners above it see neither it, nor its deals, nor what is below it.
    pub hidden_from_parent: bool,
    /// The currency that it is paid in, whatever that of the invoices; `null` is theirs.
    #[schema(required, max_length = 3, pattern = "^[A-Z]{3}$", example = "EUR")]
    pub payout_currency: Option<String>,
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
            status_reason_code: partner.status_reason_code,
            status_reason: partner.status_reason,
            domain: partner.domain,
            country: partner.country,
            territories: partner.territories.into_iter().map(Territory).collect(),
            hidden_from_parent: partner.hidden_from_parent,
            payout_currency: partner.payout_currency.map(|currency| currency.code().to_owned()),
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
