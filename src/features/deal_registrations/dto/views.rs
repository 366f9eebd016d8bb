//! Registrations as they are answered and asked for.

use super::AttachmentBody;
use crate::features::deal_registrations::domain::{
    Attachment, DealRegistration, RegistrationReason, RegistrationStatus,
};
use crate::features::deal_registrations::store::RegistrationFilter;
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{AccountId, DealId, DealRegistrationId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::MoneyBody;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// A registration: a partner's claim to an account and a product family for a time.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DealRegistration, examples(json!({"id": "reg_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "opp-2026-88", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "account_id": "acc_01j9zq4y8k7m5n3p2r1s0t6v4w", "account_name": "Hafen Logistik", "account_domain": "hafen-logistik.example", "product_family_id": null, "name": "Hafen Logistik", "amount": {"amount": "25000.00", "currency": "EUR"}, "expected_close_on": "2026-09-30", "country": "DE", "public_tender": false, "qualification": {}, "attachments": [], "hidden_from_parent": false, "status": "approved", "reason_code": null, "reason": null, "submitted_at": "2026-03-02T09:00:00Z", "respond_by": "2026-03-04T09:00:00Z", "sla_breached_at": null, "decided_at": "2026-03-03T10:00:00Z", "protected_from": "2026-03-03T10:00:00Z", "protected_until": "2026-06-01T00:00:00Z", "paused_seconds": 0, "closed_at": null, "deal_id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w", "registrar_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "created_by": "usr_01j9zq4y8k7m5n3p2r1s0t6v4w", "created_at": "2026-03-02T09:00:00Z", "updated_at": "2026-03-03T10:00:00Z"})))]
pub struct DealRegistrationView {
    /// Its id.
    pub id: DealRegistrationId,
    /// The partner's own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// Who claims.
    pub partner_id: PartnerId,
    /// Under which program.
    pub program_id: ProgramId,
    /// The account that it was matched with; a partner's caller is told once it is approved.
    #[schema(required)]
    pub account_id: Option<AccountId>,
    /// The account's name, as it was registered.
    #[schema(max_length = 255, example = "Hafen Logistik")]
    pub account_name: String,
    /// The account's domain, as it was registered.
    #[schema(required, max_length = 253)]
    pub account_domain: Option<String>,
    /// What is to be sold; `null` is every product family.
    #[schema(required)]
    pub product_family_id: Option<ProductFamilyId>,
    /// What the opportunity is called.
    #[schema(max_length = 255)]
    pub name: String,
    /// What it is worth.
    pub amount: MoneyBody,
    /// When it is expected to close.
    #[schema(required)]
    pub expected_close_on: Option<NaiveDate>,
    /// The customer's country.
    #[schema(required, max_length = 2)]
    pub country: Option<String>,
    /// Whether it is put out to public tender.
    pub public_tender: bool,
    /// The program's form, filled in.
    #[schema(value_type = Object)]
    pub qualification: Map<String, Value>,
    /// Documents that lie elsewhere.
    #[schema(max_items = 20)]
    pub attachments: Vec<AttachmentBody>,
    /// Whether the partners above do not see it.
    pub hidden_from_parent: bool,
    /// Where it stands.
    pub status: RegistrationStatus,
    /// Why it stands there, in a word.
    #[schema(required)]
    pub reason_code: Option<RegistrationReason>,
    /// Why it stands there, or what is missing.
    #[schema(required, max_length = 1000)]
    pub reason: Option<String>,
    /// When it was submitted last.
    #[schema(required)]
    pub submitted_at: Option<DateTime<Utc>>,
    /// By when an answer is promised.
    #[schema(required)]
    pub respond_by: Option<DateTime<Utc>>,
    /// By when the answer was promised that last did not come in time; `null` while every answer did.
    #[schema(required)]
    pub sla_breached_at: Option<DateTime<Utc>>,
    /// When it was approved or rejected.
    #[schema(required)]
    pub decided_at: Option<DateTime<Utc>>,
    /// From when it is protected.
    #[schema(required)]
    pub protected_from: Option<DateTime<Utc>>,
    /// Until when, exclusively.
    #[schema(required)]
    pub protected_until: Option<DateTime<Utc>>,
    /// For how many seconds the clock of the protection stood still because the organization was late; they are part of
    /// `protected_until`.
    #[schema(minimum = 0, maximum = 9_000_000_000_i64)]
    pub paused_seconds: i64,
    /// When the protection ended, whichever way.
    #[schema(required)]
    pub closed_at: Option<DateTime<Utc>>,
    /// The deal that came of it.
    #[schema(required)]
    pub deal_id: Option<DealId>,
    /// The partner whose caller registered it; `null` is the organization.
    #[schema(required)]
    pub registrar_id: Option<PartnerId>,
    /// Who registered it.
    pub created_by: ActorId,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl DealRegistrationView {
    /// The registration as this caller is shown it.
    pub fn to(ctx: &Ctx, one: DealRegistration) -> Self {
        let is_told = ctx.scope.partner_id.is_none() || one.deal_id.is_some();
        let attachment = |Attachment { name, url }| AttachmentBody { name, url };
        Self {
            id: one.id,
            external_id: one.external_id,
            partner_id: one.partner_id,
            program_id: one.program_id,
            account_id: is_told.then_some(one.account_id),
            account_name: one.account_name,
            account_domain: one.account_domain,
            product_family_id: one.product_family_id,
            name: one.name,
            amount: one.amount.into(),
            expected_close_on: one.expected_close_on,
            country: one.country,
            public_tender: one.public_tender,
            qualification: one.qualification,
            attachments: one.attachments.into_iter().map(attachment).collect(),
            hidden_from_parent: one.hidden_from_parent,
            status: one.status,
            reason_code: one.reason_code,
            reason: one.reason,
            submitted_at: one.submitted_at,
            respond_by: one.respond_by,
            sla_breached_at: one.sla_breached_at,
            decided_at: one.decided_at,
            protected_from: one.protected_from,
            protected_until: one.protected_until,
            paused_seconds: one.paused_seconds,
            closed_at: one.closed_at,
            deal_id: one.deal_id,
            registrar_id: one.registrar_id,
            created_by: one.created_by,
            created_at: one.created_at,
            updated_at: one.updated_at,
        }
    }
}

page_of!(DealRegistrationPage, DealRegistrationView, "deal registrations");

/// The order of a list of registrations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum RegistrationSort {
    /// Newest first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "created_at")]
    Oldest,
}

/// What a list of registrations is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RegistrationsQuery {
    /// Only registrations in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 11)]
    pub status: Vec<RegistrationStatus>,
    /// Only registrations of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only registrations under this program.
    pub program_id: Option<ProgramId>,
    /// Only registrations of this account; to a partner's caller those that were approved.
    pub account_id: Option<AccountId>,
    /// Only registrations for this product family.
    pub product_family_id: Option<ProductFamilyId>,
    /// Only the registration of this deal.
    pub deal_id: Option<DealId>,
    /// Only registrations with this key of the partner's.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: RegistrationSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl RegistrationsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> RegistrationFilter {
        RegistrationFilter {
            statuses: self.status.clone(),
            partner_id: self.partner_id,
            program_id: self.program_id,
            account_id: self.account_id,
            product_family_id: self.product_family_id,
            deal_id: self.deal_id,
            external_id: self.external_id.clone(),
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            oldest_first: self.sort == RegistrationSort::Oldest,
        }
    }
}
