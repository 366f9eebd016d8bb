//! Authentication events: who came in, and who was refused.
//!
//! Invariant: an event is never changed or removed (`authentication_events_append_only`).
//! Invariant: what the caller does is written with the change; logins by a provider's token and refusals are written by
//! the credentials, before any scope is known.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{AuthenticationEvent, AuthenticationEventType, Bearer};
pub use service::note;
