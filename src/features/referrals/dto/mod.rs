//! Referrals on the wire.

mod routes;
mod views;

pub use routes::{ReferralRoutesBody, ReferralRoutesView};
pub use views::{ReferralHistoryView, ReferralPage, ReferralView, RejectionCodesView};

use super::domain::{Lead, NewReferral, ReferralPatch, ReferralStatus, RejectionCode};
use super::store::ReferralFilter;
use crate::features::deal_rules::Qualification;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{
    AccountId, PartnerId, PipelineStageId, ProductFamilyId, ProgramId, ReferralId, UserId,
};
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::platform::db::PageRequest;
use crate::platform::web::{Fields, MoneyBody};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A lead to hand over.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ReferralCreate, examples(json!({"program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "company_name": "Hansa Logistik", "company_domain": "hansa-logistik.example", "country": "DE", "contact_name": "Jonas Petersen", "contact_email": "jonas@hansa-logistik.example", "amount": {"amount": "12000.00", "currency": "EUR"}, "qualification": {}})))]
#[serde(deny_unknown_fields)]
pub struct NewReferralBody {
    /// Your own key for the referral; unique among your referrals.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "crm-lead-77"
    )]
    pub external_id: Option<String>,
    /// Who hands it over. A partner's own caller need not say.
    #[schema(nullable = false)]
    pub partner_id: Option<PartnerId>,
    /// In which of the partner's programs.
    pub program_id: ProgramId,
    /// The name of the company.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Hansa Logistik"
    )]
    pub company_name: String,
    /// Its internet domain, in lower case.
    #[schema(
        nullable = false,
        max_length = 253,
        pattern = "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
        example = "hansa-logistik.example"
    )]
    pub company_domain: Option<String>,
    /// Its country, ISO 3166-1 alpha-2.
    #[schema(nullable = false, max_length = 2, pattern = "^[A-Z]{2}$", example = "DE")]
    pub country: Option<String>,
    /// Whom to talk to.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Jonas Petersen"
    )]
    pub contact_name: Option<String>,
    /// The person's e-mail address.
    #[schema(
        nullable = false,
        max_length = 254,
        pattern = r"^[^@\s\x00]+@[^@\s\x00]+$",
        example = "jonas@hansa-logistik.example"
    )]
    pub contact_email: Option<String>,
    /// What the company needs.
    #[schema(nullable = false)]
    pub product_family_id: Option<ProductFamilyId>,
    /// What the deal may be worth; not negative.
    #[schema(nullable = false)]
    pub amount: Option<MoneyBody>,
    /// Whether it is put out to public tender; not when left out.
    #[serde(default)]
    #[schema(default = false)]
    pub is_public_tender: bool,
    /// What the program asks: as `GET /v1/programs/{program_id}/qualification-schema` says.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub qualification: Qualification,
    /// What else there is to say.
    #[schema(nullable = false, max_length = 4000, pattern = r"^[^\x00]*$")]
    pub note: Option<String>,
    /// Whether the partners above do not see it, nor the deal that it becomes; not hidden when left out.
    #[serde(default)]
    #[schema(default = false)]
    pub hidden_from_parent: bool,
}

impl NewReferralBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> Result<NewReferral, Problem> {
        let mut fields = Fields::new();
        let body = self.clone();
        let amount = body
            .amount
            .as_ref()
            .and_then(|amount| fields.money("/amount", amount));
        let is_positive = amount.is_none_or(|amount| !amount.is_negative());
        fields.require(
            is_positive,
            "/amount/amount",
            "negative",
            "The amount must not be below zero.",
        );
        let new = NewReferral {
            external_id: body.external_id,
            partner_id: body.partner_id,
            program_id: body.program_id,
            lead: Lead {
                company_name: body.company_name,
                company_domain: body.company_domain,
                country: body.country,
                contact_name: body.contact_name,
                contact_email: body.contact_email,
                product_family_id: body.product_family_id,
                amount,
                is_public_tender: body.is_public_tender,
                qualification: body.qualification,
                note: body.note,
            },
            hidden_from_parent: body.hidden_from_parent,
        };
        fields.finish(Some(new))
    }
}

/// Changes of a referral: absent leaves a field as it is, `null` clears it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ReferralUpdate, min_properties = 1, examples(json!({"external_id": "crm-lead-77"})))]
#[serde(deny_unknown_fields)]
pub struct PatchReferralBody {
    /// Your own key for the referral.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"^[^\x00]+$", example = "crm-lead-77")]
    pub external_id: Patch<String>,
    /// Who of the organization's people answers it.
    #[schema(nullable = false)]
    pub owner_id: Option<UserId>,
}

impl PatchReferralBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> ReferralPatch {
        ReferralPatch {
            external_id: self.external_id.clone(),
            owner_id: self.owner_id,
        }
    }
}

/// Why a referral is not taken up.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ReferralRejection, examples(json!({"code": "not_qualified", "reason": "The budget comes next year."})))]
#[serde(deny_unknown_fields)]
pub struct RejectReferralBody {
    /// Why, as one of `GET /v1/referral-rejection-codes`.
    pub code: RejectionCode,
    /// Why, in words; the partner reads them.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The budget comes next year."
    )]
    pub reason: Option<String>,
}

/// Which referral this one is the same as.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ReferralDuplicate, examples(json!({"duplicate_of_id": "ref_01j9zq4y8k7m5n3p2r1s0t6v4w"})))]
#[serde(deny_unknown_fields)]
pub struct DuplicateReferralBody {
    /// The other referral. Partners are not told of it.
    pub duplicate_of_id: ReferralId,
}

/// Why a referral is taken back.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ReferralWithdrawal, examples(json!({"reason": "The project was cancelled."})))]
#[serde(deny_unknown_fields)]
pub struct WithdrawReferralBody {
    /// Why, in words.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The project was cancelled."
    )]
    pub reason: Option<String>,
}

/// The deal that a referral becomes.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ReferralConversion, examples(json!({"name": "Fleet telematics for Hansa Logistik", "amount": {"amount": "12000.00", "currency": "EUR"}})))]
#[serde(deny_unknown_fields)]
pub struct ConvertReferralBody {
    /// The customer, where it is known already; otherwise an account is made of the referral.
    #[schema(nullable = false)]
    pub account_id: Option<AccountId>,
    /// The name of the deal; that of the company when left out.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Fleet telematics for Hansa Logistik"
    )]
    pub name: Option<String>,
    /// What it is worth; what the referral says when left out.
    #[schema(nullable = false)]
    pub amount: Option<MoneyBody>,
    /// The step of the pipeline that it has reached.
    #[schema(nullable = false)]
    pub stage_id: Option<PipelineStageId>,
    /// Your own key for the deal.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "crm-opportunity-118"
    )]
    pub deal_external_id: Option<String>,
}

/// What a list of referrals is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReferralsQuery {
    /// Only referrals of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only referrals in this program.
    pub program_id: Option<ProgramId>,
    /// Only referrals that this person answers.
    pub owner_id: Option<UserId>,
    /// Only referrals in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 7)]
    pub status: Vec<ReferralStatus>,
    /// Only the referral with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: ReferralSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

/// The order of a list of referrals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ReferralSort {
    /// Newest first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "created_at")]
    Oldest,
}

impl ReferralsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> ReferralFilter {
        ReferralFilter {
            statuses: self.status.clone(),
            partner_id: self.partner_id,
            program_id: self.program_id,
            owner_id: self.owner_id,
            external_id: self.external_id.clone(),
            updated_at_gte: self.updated_at_gte,
            oldest_first: self.sort == ReferralSort::Oldest,
        }
    }
}

/// The referral that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ReferralPath {
    /// The referral.
    pub referral_id: ReferralId,
}

/// The program that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RoutesPath {
    /// The program.
    pub program_id: ProgramId,
}
