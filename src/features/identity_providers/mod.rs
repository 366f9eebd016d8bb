//! Identity providers: where people come from (OpenID Connect), the organization's own and those of its partners.
//!
//! active ⇄ suspended
//!
//! Invariant: a partner's provider lets in that partner's people alone, and says of nobody whose person they are.
//! Invariant: who somebody is, is told by the provider's subject and not by the e-mail address, which counts only at the
//! first arrival; a user who has come as one subject never becomes another of the same provider.
//! Invariant: whoever sets up a provider decides who people are, and therefore holds every permission that they may hold.
//! Invariant: people of a suspended provider are refused at the next request (`scope_organization`).
//! Events: `identity_provider.created`, `.updated`, `.suspended`, `.reinstated`; `user.identity_linked`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{IdentityProvider, Provisioning};
pub use service::{default_roles, has_brought_enough, is_linked, link, lock};
