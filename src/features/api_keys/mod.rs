//! API keys: how machines come in.
//!
//! valid → revoked (final); a key also ends at its expiry
//!
//! Invariant: only a hash of the key is kept; the key itself is shown once, when it is made.
//! Invariant: nobody gives a key more permissions than they hold, and a partner's key never holds one of the
//! organization's own.
//! Invariant: nobody handles the secret of a key that may do more than they do.
//! Events: `api_key.created`, `api_key.updated`, `api_key.rotated`, `api_key.revoked`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{ApiKey, NewApiKey};
pub use service::{create_first, get, require_other_hand, revoke_of_owner, revoke_of_partner, secret_makers};
