//! Program terms: the written terms of a program, version by version, and who accepted which.
//!
//! Invariant: what was published never changes; another version takes its place.
//! Invariant: only the newest version is accepted, once by an enrollment, and it is known by whom and when.
//! Invariant: the enrollment names the version that was accepted last (`note_terms_acceptance`).
//! Events: `program_terms.published`, `program_terms.accepted`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;
