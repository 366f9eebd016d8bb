//! Sessions: short-lived access tokens of the service's own, exchanged for a key or for a token of an identity provider.
//!
//! open → revoked | ended (by itself)
//!
//! Invariant: a session lets in what its bearer may do at the moment, narrowed to what it was made for: never more.
//! Invariant: a session ends with the key, the user, the partner or the provider that it comes from, at the next request.
//! Invariant: a refresh token is good once; when one comes a second time the session is revoked.
//! Invariant: no session comes of a session.
//! Events: `session.created`, `session.revoked`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;
