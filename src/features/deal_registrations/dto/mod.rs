//! Registrations on the wire.

mod threads;
mod views;

pub use threads::{
    CommentPage, CommentView, CommentsQuery, ExtensionPage, ExtensionPath, ExtensionView, ExtensionsQuery,
    NewCommentBody, NewExtensionBody,
};
pub use views::{DealRegistrationPage, DealRegistrationView, RegistrationsQuery};

use super::domain::{
    AccountStanding, Attachment, NewRegistration, Question, RegistrationPatch, RegistrationReason, Why,
};
use crate::kernel::id::{AccountId, DealId, DealRegistrationId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::platform::web::{Fields, MoneyBody};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A document that lies elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Attachment, examples(json!({"name": "Letter of intent", "url": "https://files.partner.example/loi.pdf"})))]
#[serde(deny_unknown_fields)]
pub struct AttachmentBody {
    /// What it is.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Letter of intent"
    )]
    pub name: String,
    /// Where it is; the service never reads it.
    #[schema(
        max_length = 2000,
        pattern = r"^https://[^\s\x00]+$",
        example = "https://files.partner.example/loi.pdf"
    )]
    pub url: String,
}

/// A registration to create.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = DealRegistrationCreate, examples(json!({"program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "account_name": "Hafen Logistik", "account_domain": "hafen-logistik.example", "amount": {"amount": "25000.00", "currency": "EUR"}})))]
#[serde(deny_unknown_fields)]
pub struct NewRegistrationBody {
    /// Your own key for the registration; unique among those of the partner.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "opp-2026-88"
    )]
    pub external_id: Option<String>,
    /// Who claims. A partner's caller leaves it out, or names a partner below its own; the organization must name one.
    #[schema(nullable = false)]
    pub partner_id: Option<PartnerId>,
    /// Under which program; the partner takes part in it.
    pub program_id: ProgramId,
    /// The account, where you know its id. Otherwise name and domain find it, or make it.
    #[schema(nullable = false)]
    pub account_id: Option<AccountId>,
    /// The account's name.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Hafen Logistik"
    )]
    pub account_name: Option<String>,
    /// The account's internet domain, by which it is found.
    #[schema(
        nullable = false,
        max_length = 253,
        pattern = "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$",
        example = "hafen-logistik.example"
    )]
    pub account_domain: Option<String>,
    /// What is to be sold. Left out, the account is claimed for every product family.
    #[schema(nullable = false)]
    pub product_family_id: Option<ProductFamilyId>,
    /// What the opportunity is called; the account's name when left out.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Harbor control, phase 2"
    )]
    pub name: Option<String>,
    /// What it is worth; nothing or more.
    pub amount: MoneyBody,
    /// When it is expected to close.
    #[schema(nullable = false)]
    pub expected_close_on: Option<NaiveDate>,
    /// The customer's country, ISO 3166-1 alpha-2.
    #[schema(nullable = false, max_length = 2, pattern = "^[A-Z]{2}$", example = "DE")]
    pub country: Option<String>,
    /// Whether it is put out to public tender; not when left out.
    #[serde(default)]
    #[schema(default = false)]
    pub public_tender: bool,
    /// The program's form, filled in: the keys of its qualification fields with their values.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub qualification: Map<String, Value>,
    /// Documents that lie elsewhere.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub attachments: Vec<AttachmentBody>,
    /// Whether the partners above yours do not see it; they do when left out.
    #[serde(default)]
    #[schema(default = false)]
    pub hidden_from_parent: bool,
    /// Whether it is only written down, to be submitted later.
    #[serde(default)]
    #[schema(default = false)]
    pub draft: bool,
}

impl NewRegistrationBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> Result<NewRegistration, Problem> {
        let body = self.clone();
        let mut fields = Fields::new();
        let amount = fields.money("/amount", &body.amount);
        let is_negative = amount.is_some_and(|amount| amount.is_negative());
        fields.require(!is_negative, "/amount/amount", "negative", "Nothing or more.");
        let terms = amount.map(|amount| NewRegistration {
            external_id: body.external_id,
            partner_id: body.partner_id,
            program_id: body.program_id,
            account_id: body.account_id,
            account_name: body.account_name,
            account_domain: body.account_domain.map(|domain| domain.to_ascii_lowercase()),
            product_family_id: body.product_family_id,
            name: body.name,
            amount,
            expected_close_on: body.expected_close_on,
            country: body.country,
            public_tender: body.public_tender,
            qualification: body.qualification,
            attachments: attachments(body.attachments),
            hidden_from_parent: body.hidden_from_parent,
            draft: body.draft,
        });
        fields.finish(terms)
    }
}

/// Changes of a registration that is not submitted: absent leaves a field as it is, `null` clears it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = DealRegistrationUpdate, min_properties = 1, examples(json!({"expected_close_on": "2026-09-30", "external_id": "opp-2026-88"})))]
#[serde(deny_unknown_fields)]
pub struct PatchRegistrationBody {
    /// Your own key for the registration; changes in every state.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"^[^\x00]+$", example = "opp-2026-88")]
    pub external_id: Patch<String>,
    /// What is to be sold; `null` claims the account for every product family.
    #[serde(default)]
    #[schema(value_type = Option<ProductFamilyId>)]
    pub product_family_id: Patch<ProductFamilyId>,
    /// What the opportunity is called.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Harbor control, phase 2"
    )]
    pub name: Option<String>,
    /// What it is worth.
    #[schema(nullable = false)]
    pub amount: Option<MoneyBody>,
    /// When it is expected to close.
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>)]
    pub expected_close_on: Patch<NaiveDate>,
    /// The customer's country, ISO 3166-1 alpha-2.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 2, pattern = "^[A-Z]{2}$", example = "DE")]
    pub country: Patch<String>,
    /// Whether it is put out to public tender.
    #[schema(nullable = false)]
    pub public_tender: Option<bool>,
    /// The program's form, filled in; replaces what was filled in before.
    #[schema(value_type = Option<Object>, nullable = false)]
    pub qualification: Option<Map<String, Value>>,
    /// Documents that lie elsewhere; replaces the list before.
    #[schema(nullable = false, max_items = 20)]
    pub attachments: Option<Vec<AttachmentBody>>,
    /// Whether the partners above yours do not see it; changes in every state.
    #[schema(nullable = false)]
    pub hidden_from_parent: Option<bool>,
}

impl PatchRegistrationBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> Result<RegistrationPatch, Problem> {
        let body = self.clone();
        let mut fields = Fields::new();
        let amount = body.amount.as_ref().map(|amount| fields.money("/amount", amount));
        let is_negative = amount.flatten().is_some_and(|amount| amount.is_negative());
        fields.require(!is_negative, "/amount/amount", "negative", "Nothing or more.");
        let patch = RegistrationPatch {
            external_id: body.external_id,
            product_family_id: body.product_family_id,
            name: body.name,
            amount: amount.flatten(),
            expected_close_on: body.expected_close_on,
            country: body.country,
            public_tender: body.public_tender,
            qualification: body.qualification,
            attachments: body.attachments.map(attachments),
            hidden_from_parent: body.hidden_from_parent,
        };
        fields.finish(Some(patch))
    }
}

fn attachments(bodies: Vec<AttachmentBody>) -> Vec<Attachment> {
    let attachment = |AttachmentBody { name, url }| Attachment { name, url };
    bodies.into_iter().map(attachment).collect()
}

/// The deal of an approved registration.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[schema(as = DealRegistrationApproval, examples(json!({})))]
#[serde(deny_unknown_fields)]
pub struct ApproveBody {
    /// An open deal of the account that is this opportunity, a direct one or the partner's in this program; a new one is
    /// made when left out.
    #[schema(nullable = false)]
    pub deal_id: Option<DealId>,
}

/// Why a registration is rejected or revoked; the partner reads it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = DealRegistrationReason, examples(json!({"reason_code": "not_qualified", "reason": "There is no budget before 2028."})))]
#[serde(deny_unknown_fields)]
pub struct WhyBody {
    /// Why, in a word.
    pub reason_code: RegistrationReason,
    /// Why, for a person. It must not say who else claims the account.
    #[schema(
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "There is no budget before 2028."
    )]
    pub reason: String,
}

impl WhyBody {
    /// The body as business speaks of it.
    pub fn why(&self) -> Why {
        Why {
            code: self.reason_code,
            text: self.reason.clone(),
        }
    }
}

/// What a precheck asks.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = PrecheckQuestion, examples(json!({"program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "account_domain": "hafen-logistik.example"})))]
#[serde(deny_unknown_fields)]
pub struct PrecheckBody {
    /// Under which program it would be registered.
    pub program_id: ProgramId,
    /// Who would register. A partner's caller leaves it out, or names a partner below its own.
    #[schema(nullable = false)]
    pub partner_id: Option<PartnerId>,
    /// The account, where you know its id.
    #[schema(nullable = false)]
    pub account_id: Option<AccountId>,
    /// The account's internet domain.
    #[schema(
        nullable = false,
        max_length = 253,
        pattern = "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$",
        example = "hafen-logistik.example"
    )]
    pub account_domain: Option<String>,
    /// What would be sold.
    #[schema(nullable = false)]
    pub product_family_id: Option<ProductFamilyId>,
}

impl PrecheckBody {
    /// The body as business speaks of it.
    pub fn question(&self) -> Result<Question, Problem> {
        let body = self.clone();
        if body.account_id.is_none() && body.account_domain.is_none() {
            let message = "Name the account by its domain or its id.";
            return Err(Problem::field("/account_domain", "missing", message));
        }
        Ok(Question {
            partner_id: body.partner_id,
            program_id: body.program_id,
            account_id: body.account_id,
            account_domain: body.account_domain,
            product_family_id: body.product_family_id,
        })
    }
}

/// How an account stands, and nothing more.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Precheck, examples(json!({"standing": "clear"})))]
pub struct PrecheckView {
    /// Clear, contested or existing_customer.
    pub standing: AccountStanding,
}

/// The registration that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RegistrationPath {
    /// The registration.
    pub deal_registration_id: DealRegistrationId,
}
