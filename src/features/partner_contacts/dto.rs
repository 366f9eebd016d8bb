//! Partner contacts on the wire.

use super::domain::{ContactPatch, ContactRole, NewContact, PartnerContact};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{PartnerContactId, PartnerId};
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// Somebody to talk to at a partner.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = PartnerContactCreate, examples(json!({"name": "Jonas Petersen", "email": "jonas@nordlicht.example", "phone": "+49 40 5550 0123", "job_title": "Head of alliances", "roles": ["primary", "sales"]})))]
#[serde(deny_unknown_fields)]
pub struct NewContactBody {
    /// The company. A partner's own caller need not say.
    #[schema(nullable = false)]
    pub partner_id: Option<PartnerId>,
    /// The person's name.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Jonas Petersen"
    )]
    pub name: String,
    /// The e-mail address; no two contacts of a partner have the same.
    #[schema(
        nullable = false,
        max_length = 254,
        pattern = r"^[^@\s\x00]+@[^@\s\x00]+$",
        example = "jonas@nordlicht.example"
    )]
    pub email: Option<String>,
    /// The phone number.
    #[schema(
        nullable = false,
        max_length = 50,
        pattern = r"^\+?[0-9 ()/.-]{3,50}$",
        example = "+49 40 5550 0123"
    )]
    pub phone: Option<String>,
    /// What the person does there.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Head of alliances"
    )]
    pub job_title: Option<String>,
    /// What the person is to be asked about. One contact of a partner is primary at most.
    #[serde(default)]
    #[schema(max_items = 6)]
    pub roles: Vec<ContactRole>,
}

impl NewContactBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> NewContact {
        let Self {
            partner_id,
            name,
            email,
            phone,
            job_title,
            roles,
        } = self.clone();
        NewContact {
            partner_id,
            name,
            email,
            phone,
            job_title,
            roles: roles.into_iter().collect(),
        }
    }
}

/// Changes of a contact: absent leaves a field as it is, `null` clears it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = PartnerContactUpdate, min_properties = 1, examples(json!({"phone": null, "roles": ["billing"]})))]
#[serde(deny_unknown_fields)]
pub struct PatchContactBody {
    /// The person's name.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Jonas Petersen"
    )]
    pub name: Option<String>,
    /// The e-mail address; no two contacts of a partner have the same.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 254, pattern = r"^[^@\s\x00]+@[^@\s\x00]+$", example = "jonas@nordlicht.example")]
    pub email: Patch<String>,
    /// The phone number.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 50, pattern = r"^\+?[0-9 ()/.-]{3,50}$", example = "+49 40 5550 0123")]
    pub phone: Patch<String>,
    /// What the person does there.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"^[^\x00]*[^\s\x00][^\x00]*$", example = "Head of alliances")]
    pub job_title: Patch<String>,
    /// What the person is to be asked about. One contact of a partner is primary at most.
    #[schema(nullable = false, max_items = 6)]
    pub roles: Option<Vec<ContactRole>>,
}

impl PatchContactBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> ContactPatch {
        let Self {
            name,
            email,
            phone,
            job_title,
            roles,
        } = self.clone();
        ContactPatch {
            name,
            email,
            phone,
            job_title,
            roles: roles.map(|roles| roles.into_iter().collect()),
        }
    }
}

/// Somebody at a partner, and what to ask about.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PartnerContact, examples(json!({"id": "pct_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "name": "Jonas Petersen", "email": "jonas@nordlicht.example", "phone": "+49 40 5550 0123", "job_title": "Head of alliances", "roles": ["primary", "sales"], "created_at": "2026-03-02T09:00:00Z", "updated_at": "2026-03-02T09:00:00Z"})))]
pub struct PartnerContactView {
    /// Its id.
    pub id: PartnerContactId,
    /// The company.
    pub partner_id: PartnerId,
    /// The person's name.
    #[schema(max_length = 255)]
    pub name: String,
    /// The e-mail address.
    #[schema(required, max_length = 254)]
    pub email: Option<String>,
    /// The phone number.
    #[schema(required, max_length = 50)]
    pub phone: Option<String>,
    /// What the person does there.
    #[schema(required, max_length = 255)]
    pub job_title: Option<String>,
    /// What the person is to be asked about.
    #[schema(max_items = 6)]
    pub roles: Vec<ContactRole>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<PartnerContact> for PartnerContactView {
    fn from(contact: PartnerContact) -> Self {
        Self {
            id: contact.id,
            partner_id: contact.partner_id,
            name: contact.name,
            email: contact.email,
            phone: contact.phone,
            job_title: contact.job_title,
            roles: contact.roles.into_iter().collect(),
            created_at: contact.created_at,
            updated_at: contact.updated_at,
        }
    }
}

page_of!(PartnerContactPage, PartnerContactView, "contacts");

/// What a list of contacts is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ContactsQuery {
    /// Only contacts of this partner.
    pub partner_id: Option<PartnerId>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl ContactsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }
}

/// The contact that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ContactPath {
    /// The contact.
    pub partner_contact_id: PartnerContactId,
}
