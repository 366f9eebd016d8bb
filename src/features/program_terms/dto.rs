//! Program terms on the wire.

use super::domain::{NewTerms, ProgramTerms, TermsAcceptance};
use super::store::AcceptanceFilter;
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{EnrollmentId, PartnerId, ProgramId, ProgramTermsId, TermsAcceptanceId};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A version of a program's terms to publish.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ProgramTermsCreate, examples(json!({"version": "2026-07", "document_url": "https://example.com/terms/2026-07.pdf", "summary": "Protection is 120 days."})))]
#[serde(deny_unknown_fields)]
pub struct NewTermsBody {
    /// Its name, unique among the versions of the program.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "2026-07"
    )]
    pub version: String,
    /// Where the text is.
    #[schema(
        min_length = 1,
        max_length = 1024,
        pattern = r"^https://[^\s\x00]+$",
        example = "https://example.com/terms/2026-07.pdf"
    )]
    pub document_url: String,
    /// What is new, in a few words.
    #[schema(nullable = false, max_length = 2000, pattern = r"^[^\x00]*$")]
    pub summary: Option<String>,
}

impl NewTermsBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> NewTerms {
        NewTerms {
            version: self.version.clone(),
            document_url: self.document_url.clone(),
            summary: self.summary.clone(),
        }
    }
}

/// For which enrollment terms are accepted.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ProgramTermsAccept, examples(json!({"enrollment_id": "enr_01j9zq4y8k7m5n3p2r1s0t6v4w"})))]
#[serde(deny_unknown_fields)]
pub struct AcceptTermsBody {
    /// The enrollment.
    pub enrollment_id: EnrollmentId,
}

/// One version of a program's terms.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ProgramTerms, examples(json!({"id": "trm_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "number": 2, "version": "2026-07", "document_url": "https://example.com/terms/2026-07.pdf", "summary": "Protection is 120 days.", "created_at": "2026-06-01T08:00:00Z"})))]
pub struct ProgramTermsView {
    /// Its id.
    pub id: ProgramTermsId,
    /// The program.
    pub program_id: ProgramId,
    /// Its place among the versions of the program, from 1 on.
    #[schema(minimum = 1, maximum = 1000000)]
    pub number: i32,
    /// Its name.
    #[schema(max_length = 64)]
    pub version: String,
    /// Where the text is.
    #[schema(max_length = 1024)]
    pub document_url: String,
    /// What is new, in a few words.
    #[schema(required, max_length = 2000)]
    pub summary: Option<String>,
    /// When it was published.
    pub created_at: DateTime<Utc>,
}

impl From<ProgramTerms> for ProgramTermsView {
    fn from(terms: ProgramTerms) -> Self {
        Self {
            id: terms.id,
            program_id: terms.program_id,
            number: terms.number,
            version: terms.version,
            document_url: terms.document_url,
            summary: terms.summary,
            created_at: terms.created_at,
        }
    }
}

page_of!(ProgramTermsPage, ProgramTermsView, "program terms");

/// Somebody accepted a version of the terms for an enrollment.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TermsAcceptance, examples(json!({"id": "tac_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_terms_id": "trm_01j9zq4y8k7m5n3p2r1s0t6v4w", "enrollment_id": "enr_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "accepted_by": "usr_01j9zq4y8k7m5n3p2r1s0t6v4w", "created_at": "2026-06-02T08:00:00Z"})))]
pub struct TermsAcceptanceView {
    /// Its id.
    pub id: TermsAcceptanceId,
    /// The version.
    pub program_terms_id: ProgramTermsId,
    /// For which enrollment.
    pub enrollment_id: EnrollmentId,
    /// Whose enrollment that is.
    pub partner_id: PartnerId,
    /// Who accepted it.
    pub accepted_by: ActorId,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl From<TermsAcceptance> for TermsAcceptanceView {
    fn from(acceptance: TermsAcceptance) -> Self {
        Self {
            id: acceptance.id,
            program_terms_id: acceptance.program_terms_id,
            enrollment_id: acceptance.enrollment_id,
            partner_id: acceptance.partner_id,
            accepted_by: acceptance.accepted_by,
            created_at: acceptance.created_at,
        }
    }
}

page_of!(TermsAcceptancePage, TermsAcceptanceView, "acceptances of terms");

/// What a list of program terms is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProgramTermsQuery {
    /// Only those of this program.
    pub program_id: Option<ProgramId>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl ProgramTermsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }
}

/// What a list of acceptances is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TermsAcceptancesQuery {
    /// Only those of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only those for this enrollment.
    pub enrollment_id: Option<EnrollmentId>,
    /// Only those of this version.
    pub program_terms_id: Option<ProgramTermsId>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl TermsAcceptancesQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> AcceptanceFilter {
        AcceptanceFilter {
            partner_id: self.partner_id,
            enrollment_id: self.enrollment_id,
            program_terms_id: self.program_terms_id,
        }
    }
}

/// The program that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TermsProgramPath {
    /// The program.
    pub program_id: ProgramId,
}

/// The version that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ProgramTermsPath {
    /// The version.
    pub program_terms_id: ProgramTermsId,
}
