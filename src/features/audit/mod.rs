//! Audit events: who changed what, when, from where and why.
//!
//! Invariant: an entry is written with the change in one transaction, and never changes.
//! Invariant: every entry is sealed, once, by a link that holds the hash of the link before it; the worker seals what
//! is committed, so that writers never wait.
//! Invariant: partners do not read the trail.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{AuditChain, AuditEvent, ChainStatus, Fault, FaultKind, KnownHead};
pub use service::{author_of, seal, verify};
pub use store::organizations_waiting;
