//! Users: the people of the organization and of its partners.
//!
//! active ⇄ suspended; active | suspended → terminated (final)
//!
//! Invariant: a user belongs to the organization or to one partner, for good.
//! Invariant: nobody gives a role that holds more than they do, and a partner's people hold roles for partners only.
//! Invariant: whoever is not active is refused at the next request (`scope_organization`).
//! Invariant: an organization that has an admin keeps one (`keep_an_admin`).
//! Events: `user.created`, `user.updated`, `user.suspended`, `user.reinstated`, `user.terminated`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{NewUser, User, UserStatus};
pub use service::{create, get, rights, terminate, terminate_of_partner, with_email};
