//! Compliance documents: what partners have on file, such as agreements, certifications, licenses and tax forms.
//!
//! submitted → verified | revoked; verified → revoked
//!
//! What a program asks for stands with the program (`gates`). Which of its gates are closed to a partner is answered by
//! `closed_gates` in the database, for whoever registers, earns or is paid alike.
//!
//! Invariant: what was handed in never changes; what is renewed is another document.
//! Invariant: a partner's callers hand in, and verify nothing: the policies of the table take nothing else from them.
//! Invariant: what was revoked still counts for what happened before.
//! Events: `compliance_document.submitted`, `compliance_document.verified`, `compliance_document.revoked`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{ComplianceDocumentStatus, MOVES};
pub use service::gate_problem;
pub use store::{Registering, closed_gates_of, opens_before_paying_on};
