//! Attributions: credit of a partner for a deal in a role.
//!
//! claimed → confirmed | rejected (both final); confirmed credits are settled when the deal is won
//!
//! Invariant: the confirmed shares of one role on one deal never exceed 10,000 basis points.
//! Invariant: a credit's allocation rank is unique within (deal, role) and never changes.
//! Invariant: nothing is confirmed on a won deal, and what is settled never changes.
//! Events: `attribution.created`, `attribution.updated`, `attribution.confirmed`, `attribution.rejected`,
//! `attribution.settled`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{Attribution, AttributionStatus, NewAttribution};
pub use service::{create, settle};
