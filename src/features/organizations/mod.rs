//! The organization: the vendor that runs partner programs, its settings and its clock.
//!
//! Invariant: a request touches the organization of its credential and no other.
//! Invariant: a live organization has the machine's clock; a sandbox's goes with it, and only ever further ahead.
//! Events: `organization.created`, `organization.updated`, `organization.clock_advanced`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{Debtor, Organization, OrganizationMode};
pub use service::{found, get, require_second_factor};
