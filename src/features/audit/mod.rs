//! Audit events: who changed what, when, from where and why.
//!
//! Invariant: an entry is written with the change in one transaction, and never changes.
//! Invariant: partners do not read the trail.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::AuditEvent;
