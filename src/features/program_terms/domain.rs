//! What the terms of a program are, and what it is to accept them.

use crate::kernel::ctx::ActorId;
use crate::kernel::id::{EnrollmentId, PartnerId, ProgramId, ProgramTermsId, TermsAcceptanceId};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// One version of a program's terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProgramTerms {
    /// Its id.
    pub id: ProgramTermsId,
    /// The program.
    pub program_id: ProgramId,
    /// Its place among the versions of the program, from 1 on.
    pub number: i32,
    /// Its name.
    pub version: String,
    /// Where the text is.
    pub document_url: String,
    /// What is new, in a few words.
    pub summary: Option<String>,
    /// When it was published.
    pub created_at: DateTime<Utc>,
}

/// What a new version is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTerms {
    /// Its name.
    pub version: String,
    /// Where the text is.
    pub document_url: String,
    /// What is new, in a few words.
    pub summary: Option<String>,
}

/// Somebody accepted a version for an enrollment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TermsAcceptance {
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
