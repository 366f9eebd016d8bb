//! Comments and requests for more time on the wire.

use crate::features::deal_registrations::domain::{Comment, CommentVisibility, Extension, ExtensionStatus};
use crate::features::deal_registrations::store::CommentFilter;
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{DealRegistrationId, RegistrationCommentId, RegistrationExtensionId};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A comment to write.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = RegistrationCommentCreate, examples(json!({"body": "The meeting with the customer is on Tuesday."})))]
#[serde(deny_unknown_fields)]
pub struct NewCommentBody {
    /// What is said.
    #[schema(
        min_length = 1,
        max_length = 4000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The meeting with the customer is on Tuesday."
    )]
    pub body: String,
    /// Who reads it: the partner too, or the organization alone. The partner too when left out.
    #[schema(nullable = false)]
    pub visibility: Option<CommentVisibility>,
}

/// A comment on a registration.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RegistrationComment, examples(json!({"id": "rcm_01j9zq4y8k7m5n3p2r1s0t6v4w", "deal_registration_id": "reg_01j9zq4y8k7m5n3p2r1s0t6v4w", "visibility": "partner", "body": "The meeting with the customer is on Tuesday.", "created_by": "usr_01j9zq4y8k7m5n3p2r1s0t6v4w", "created_at": "2026-03-02T09:00:00Z"})))]
pub struct CommentView {
    /// Its id.
    pub id: RegistrationCommentId,
    /// What it is about.
    pub deal_registration_id: DealRegistrationId,
    /// Who reads it: partner or internal.
    pub visibility: CommentVisibility,
    /// What was said.
    #[schema(max_length = 4000)]
    pub body: String,
    /// Who said it.
    pub created_by: ActorId,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl From<Comment> for CommentView {
    fn from(comment: Comment) -> Self {
        Self {
            id: comment.id,
            deal_registration_id: comment.deal_registration_id,
            visibility: comment.visibility,
            body: comment.body,
            created_by: comment.created_by,
            created_at: comment.created_at,
        }
    }
}

page_of!(CommentPage, CommentView, "registration comments");

/// What a list of comments is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CommentsQuery {
    /// Only comments on this registration.
    pub deal_registration_id: Option<DealRegistrationId>,
    /// Only comments that these read.
    pub visibility: Option<CommentVisibility>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl CommentsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> CommentFilter {
        CommentFilter {
            deal_registration_id: self.deal_registration_id,
            visibility: self.visibility,
        }
    }
}

/// A request for more time.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = RegistrationExtensionCreate, examples(json!({"evidence": "The customer moved the decision to November; its letter is attached to the registration."})))]
#[serde(deny_unknown_fields)]
pub struct NewExtensionBody {
    /// What speaks for it.
    #[schema(
        min_length = 1,
        max_length = 4000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The customer moved the decision to November."
    )]
    pub evidence: String,
}

/// A request for more time.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RegistrationExtension, examples(json!({"id": "rex_01j9zq4y8k7m5n3p2r1s0t6v4w", "deal_registration_id": "reg_01j9zq4y8k7m5n3p2r1s0t6v4w", "status": "requested", "reason": null, "evidence": "The customer moved the decision to November.", "respond_by": "2026-05-04T09:00:00Z", "decided_at": null, "created_by": "usr_01j9zq4y8k7m5n3p2r1s0t6v4w", "created_at": "2026-05-02T09:00:00Z", "updated_at": "2026-05-02T09:00:00Z"})))]
pub struct ExtensionView {
    /// Its id.
    pub id: RegistrationExtensionId,
    /// What is to be protected for longer.
    pub deal_registration_id: DealRegistrationId,
    /// Where it stands: requested, approved, refused or lapsed.
    pub status: ExtensionStatus,
    /// Why it was refused.
    #[schema(required, max_length = 1000)]
    pub reason: Option<String>,
    /// What speaks for it.
    #[schema(max_length = 4000)]
    pub evidence: String,
    /// By when an answer is promised; after that the clock of the protection stands still.
    #[schema(required)]
    pub respond_by: Option<DateTime<Utc>>,
    /// When it was answered.
    #[schema(required)]
    pub decided_at: Option<DateTime<Utc>>,
    /// Who asked.
    pub created_by: ActorId,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Extension> for ExtensionView {
    fn from(extension: Extension) -> Self {
        Self {
            id: extension.id,
            deal_registration_id: extension.deal_registration_id,
            status: extension.status,
            reason: extension.reason,
            evidence: extension.evidence,
            respond_by: extension.respond_by,
            decided_at: extension.decided_at,
            created_by: extension.created_by,
            created_at: extension.created_at,
            updated_at: extension.updated_at,
        }
    }
}

page_of!(ExtensionPage, ExtensionView, "registration extensions");

/// What a list of requests is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExtensionsQuery {
    /// Only requests for this registration.
    pub deal_registration_id: Option<DealRegistrationId>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl ExtensionsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }
}

/// The request that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ExtensionPath {
    /// The request.
    pub registration_extension_id: RegistrationExtensionId,
}
