//! The organization: the vendor that runs partner programs, and its settings.
//!
//! Invariant: a request touches the organization of its credential and no other.
//! Events: `organization.created`, `organization.updated`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{Organization, OrganizationMode};
pub use service::{found, get, require_second_factor};
