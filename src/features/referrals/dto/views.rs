//! What is answered of referrals.

use crate::features::deal_rules::Qualification;
use crate::features::referrals::domain::{MovedBy, Referral, ReferralMove, ReferralStatus, RejectionCode};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{DealId, PartnerId, ProductFamilyId, ProgramId, ReferralId, UserId};
use crate::kernel::money::Money;
use crate::page_of;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// A referral: a lead that a partner handed over, and what became of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Referral, examples(json!({"id": "ref_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": null, "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "status": "submitted", "status_reason": null, "rejection_code": null, "owner_id": null, "company_name": "Hansa Logistik", "company_domain": "hansa-logistik.example", "country": "DE", "contact_name": "Jonas Petersen", "contact_email": "jonas@hansa-logistik.example", "product_family_id": null, "amount": "12000.00", "currency": "EUR", "is_public_tender": false, "qualification": {}, "note": null, "respond_by": "2026-03-04T09:00:00Z", "first_response_at": null, "response_breached_at": null, "expires_at": "2026-05-31T00:00:00Z", "duplicate_of_id": null, "deal_id": null, "hidden_from_parent": false, "created_at": "2026-03-02T09:00:00Z", "updated_at": "2026-03-02T09:00:00Z"})))]
pub struct ReferralView {
    /// Its id.
    pub id: ReferralId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// Who handed it over.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// Where it stands.
    pub status: ReferralStatus,
    /// Why it stands there, in words.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// Why it was rejected.
    #[schema(required, value_type = Option<String>, max_length = 64)]
    pub rejection_code: Option<RejectionCode>,
    /// Who answers it; partners are not told.
    #[schema(required)]
    pub owner_id: Option<UserId>,
    /// The name of the company.
    #[schema(max_length = 255)]
    pub company_name: String,
    /// Its internet domain.
    #[schema(required, max_length = 253)]
    pub company_domain: Option<String>,
    /// Its country, ISO 3166-1 alpha-2.
    #[schema(required, max_length = 2)]
    pub country: Option<String>,
    /// Whom to talk to.
    #[schema(required, max_length = 255)]
    pub contact_name: Option<String>,
    /// The person's e-mail address.
    #[schema(required, max_length = 254)]
    pub contact_email: Option<String>,
    /// What the company needs.
    #[schema(required)]
    pub product_family_id: Option<ProductFamilyId>,
    /// What the deal may be worth.
    #[schema(required, max_length = 32)]
    pub amount: Option<String>,
    /// In which currency, ISO 4217.
    #[schema(required, max_length = 3)]
    pub currency: Option<String>,
    /// Whether it is put out to public tender.
    pub is_public_tender: bool,
    /// What the program asked.
    #[schema(value_type = Object)]
    pub qualification: Qualification,
    /// What else there was to say.
    #[schema(required, max_length = 4000)]
    pub note: Option<String>,
    /// By when an answer was promised, by the business hours of the program.
    #[schema(required)]
    pub respond_by: Option<DateTime<Utc>>,
    /// When it was answered.
    #[schema(required)]
    pub first_response_at: Option<DateTime<Utc>>,
    /// When the promise of an answer was broken, if it was.
    #[schema(required)]
    pub response_breached_at: Option<DateTime<Utc>>,
    /// When it expires without an answer.
    pub expires_at: DateTime<Utc>,
    /// The referral that it is the same as; partners are not told.
    #[schema(required)]
    pub duplicate_of_id: Option<ReferralId>,
    /// The deal that it became.
    #[schema(required)]
    pub deal_id: Option<DealId>,
    /// Whether the partners above do not see it, nor the deal that it becomes.
    pub hidden_from_parent: bool,
    /// When it was submitted.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl ReferralView {
    /// The referral as this caller may see it.
    pub fn of(referral: Referral, owner_id: Option<UserId>, scope: &Scope) -> Self {
        let lead = referral.lead;
        Self {
            id: referral.id,
            external_id: referral.external_id,
            partner_id: referral.partner_id,
            program_id: referral.program_id,
            status: referral.status,
            status_reason: referral.status_reason,
            rejection_code: referral.rejection_code,
            owner_id,
            company_name: lead.company_name,
            company_domain: lead.company_domain,
            country: lead.country,
            contact_name: lead.contact_name,
            contact_email: lead.contact_email,
            product_family_id: lead.product_family_id,
            amount: lead.amount.map(Money::amount_text),
            currency: lead.amount.map(|amount| amount.currency().code().to_owned()),
            is_public_tender: lead.is_public_tender,
            qualification: lead.qualification,
            note: lead.note,
            respond_by: referral.respond_by,
            first_response_at: referral.first_response_at,
            response_breached_at: referral.response_breached_at,
            expires_at: referral.expires_at,
            duplicate_of_id: referral.duplicate_of_id.filter(|_| scope.partner_id.is_none()),
            deal_id: referral.deal_id,
            hidden_from_parent: referral.hidden_from_parent,
            created_at: referral.created_at,
            updated_at: referral.updated_at,
        }
    }
}

page_of!(ReferralPage, ReferralView, "referrals");

/// One step of a referral's history.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReferralMove, examples(json!({"status": "rejected", "moved_by": "organization", "reason_code": "not_qualified", "reason": "The budget comes next year.", "moved_at": "2026-03-03T10:00:00Z"})))]
pub struct ReferralMoveView {
    /// Where it stood from then on.
    pub status: ReferralStatus,
    /// Who moved it.
    pub moved_by: MovedBy,
    /// Why, by code.
    #[schema(required, value_type = Option<String>, max_length = 64)]
    pub reason_code: Option<RejectionCode>,
    /// Why, in words.
    #[schema(required, max_length = 1000)]
    pub reason: Option<String>,
    /// When.
    pub moved_at: DateTime<Utc>,
}

/// What happened to a referral, oldest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReferralHistory, examples(json!({"data": [{"status": "submitted", "moved_by": "partner", "reason_code": null, "reason": null, "moved_at": "2026-03-02T09:00:00Z"}]})))]
pub struct ReferralHistoryView {
    /// The steps.
    #[schema(max_items = 10)]
    pub data: Vec<ReferralMoveView>,
}

impl From<Vec<ReferralMove>> for ReferralHistoryView {
    fn from(moves: Vec<ReferralMove>) -> Self {
        let views = moves.into_iter().map(|one| ReferralMoveView {
            status: one.status,
            moved_by: one.moved_by,
            reason_code: one.reason_code,
            reason: one.reason,
            moved_at: one.moved_at,
        });
        Self {
            data: views.collect(),
        }
    }
}

/// A reason for which referrals are rejected.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReferralRejectionReason, examples(json!({"code": "not_qualified", "title": "There is no need, budget or time."})))]
pub struct RejectionCodeView {
    /// The code.
    pub code: RejectionCode,
    /// What it means.
    #[schema(max_length = 255)]
    pub title: String,
}

/// The reasons for which referrals are rejected.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReferralRejectionReasons, examples(json!({"data": [{"code": "not_qualified", "title": "There is no need, budget or time."}]})))]
pub struct RejectionCodesView {
    /// The reasons.
    #[schema(max_items = 100)]
    pub data: Vec<RejectionCodeView>,
}

impl RejectionCodesView {
    /// All of them.
    pub fn all() -> Self {
        let views = RejectionCode::ALL.iter().map(|code| RejectionCodeView {
            code: *code,
            title: code.title().to_owned(),
        });
        Self {
            data: views.collect(),
        }
    }
}
