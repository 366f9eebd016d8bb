//! Enrollments on the wire.

use super::domain::{Enrollment, EnrollmentPatch, EnrollmentStatus, NewEnrollment};
use super::store::{EnrollmentFilter, EnrollmentOrder};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{EnrollmentId, PartnerId, ProgramId};
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A partner that applies to take part in a program.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = EnrollmentCreate, examples(json!({"partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "tier": "silver", "terms_version": "2026-01"})))]
#[serde(deny_unknown_fields)]
pub struct NewEnrollmentBody {
    /// Your own key for the enrollment; unique among your enrollments.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "crm-enr-12"
    )]
    pub external_id: Option<String>,
    /// The partner that takes part.
    pub partner_id: PartnerId,
    /// The program that it takes part in.
    pub program_id: ProgramId,
    /// The partner's tier in the program.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "silver"
    )]
    pub tier: Option<String>,
    /// The version of the program's terms that the partner accepted.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "2026-01"
    )]
    pub terms_version: Option<String>,
}

impl NewEnrollmentBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> NewEnrollment {
        let Self {
            external_id,
            partner_id,
            program_id,
            tier,
            terms_version,
        } = self.clone();
        NewEnrollment {
            external_id,
            partner_id,
            program_id,
            tier,
            terms_version,
        }
    }
}

/// Changes of an enrollment: absent leaves a field as it is, `null` clears it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = EnrollmentUpdate, min_properties = 1, examples(json!({"tier": "gold", "terms_version": null})))]
#[serde(deny_unknown_fields)]
pub struct PatchEnrollmentBody {
    /// Your own key for the enrollment.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"^[^\x00]+$", example = "crm-enr-12")]
    pub external_id: Patch<String>,
    /// The partner's tier in the program.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, pattern = r"^[^\x00]*[^\s\x00][^\x00]*$", example = "gold")]
    pub tier: Patch<String>,
    /// The version of the program's terms that the partner accepted.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, pattern = r"^[^\x00]*[^\s\x00][^\x00]*$", example = "2026-01")]
    pub terms_version: Patch<String>,
}

impl PatchEnrollmentBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> EnrollmentPatch {
        let Self {
            external_id,
            tier,
            terms_version,
        } = self.clone();
        EnrollmentPatch {
            external_id,
            tier,
            terms_version,
        }
    }
}

/// An enrollment: a partner in a program.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Enrollment, examples(json!({"id": "enr_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "crm-enr-12", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "status": "active", "status_reason": null, "tier": "silver", "terms_version": "2026-01", "activated_at": "2026-03-02T09:30:00Z", "ended_at": null, "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-02T09:30:00Z"})))]
pub struct EnrollmentView {
    /// Its id.
    pub id: EnrollmentId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// The partner that takes part.
    pub partner_id: PartnerId,
    /// The program that it takes part in.
    pub program_id: ProgramId,
    /// Where it stands: applied, active, paused or ended.
    pub status: EnrollmentStatus,
    /// Why it was paused or ended.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// The partner's tier in the program.
    #[schema(required, max_length = 64)]
    pub tier: Option<String>,
    /// The version of the program's terms that the partner accepted.
    #[schema(required, max_length = 64)]
    pub terms_version: Option<String>,
    /// When it became active for the first time.
    #[schema(required)]
    pub activated_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[schema(required)]
    pub ended_at: Option<DateTime<Utc>>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Enrollment> for EnrollmentView {
    fn from(enrollment: Enrollment) -> Self {
        Self {
            id: enrollment.id,
            external_id: enrollment.external_id,
            partner_id: enrollment.partner_id,
            program_id: enrollment.program_id,
            status: enrollment.status,
            status_reason: enrollment.status_reason,
            tier: enrollment.tier,
            terms_version: enrollment.terms_version,
            activated_at: enrollment.activated_at,
            ended_at: enrollment.ended_at,
            created_at: enrollment.created_at,
            updated_at: enrollment.updated_at,
        }
    }
}

page_of!(EnrollmentPage, EnrollmentView, "enrollments");

/// The order of a list of enrollments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum EnrollmentSort {
    /// Newest first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "created_at")]
    Oldest,
}

/// What a list of enrollments is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EnrollmentsQuery {
    /// Only enrollments in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 4)]
    pub status: Vec<EnrollmentStatus>,
    /// Only enrollments of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only enrollments in this program.
    pub program_id: Option<ProgramId>,
    /// Only the enrollment with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only what came to be at or after this instant.
    pub created_at_gte: Option<DateTime<Utc>>,
    /// Only what came to be before this instant.
    pub created_at_lt: Option<DateTime<Utc>>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: EnrollmentSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl EnrollmentsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> EnrollmentFilter {
        EnrollmentFilter {
            statuses: self.status.clone(),
            partner_id: self.partner_id,
            program_id: self.program_id,
            external_id: self.external_id.clone(),
            created_at_gte: self.created_at_gte,
            created_at_lt: self.created_at_lt,
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            order: match self.sort {
                EnrollmentSort::Newest => EnrollmentOrder::Newest,
                EnrollmentSort::Oldest => EnrollmentOrder::Oldest,
            },
        }
    }
}

/// The enrollment that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct EnrollmentPath {
    /// The enrollment.
    pub enrollment_id: EnrollmentId,
}
