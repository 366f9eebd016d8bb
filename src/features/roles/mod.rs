//! Roles: named sets of permissions that people hold.
//!
//! Seven come with the service (`kernel::role`) and never change; an organization makes others for itself.
//!
//! Invariant: nobody puts a permission into a role that they do not hold themselves.
//! Invariant: a role for partners' people holds only what is open to partners.
//! Events: `role.created`, `role.updated`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::Role;
pub use service::{found, several};
