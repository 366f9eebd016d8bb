//! Attributions: credit of a partner for a deal in a role.
//!
//! claimed → confirmed | rejected (both final); confirmed credits are settled when the deal is won; a credit that comes
//! after that is corrected, with a reason, if its role has none yet
//!
//! Invariant: the confirmed shares of one role on one deal never exceed 10,000 basis points.
//! Invariant: a credit's allocation rank is unique within (deal, role) and never changes.
//! Invariant: on a won deal nothing is confirmed but by a correction, and what is settled never changes.
//! Events: `attribution.created`, `attribution.updated`, `attribution.confirmed`, `attribution.rejected`,
//! `attribution.settled`, `attribution.corrected`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{Attribution, AttributionStatus, NewAttribution};
pub use service::{correct, create, credit_source, is_credited, settle};
