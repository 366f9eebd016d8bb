//! Accounts: the end customer companies.
//!
//! Invariant: a partner sees the accounts of the deals that it sees, and no other.
//! Events: `account.created`, `account.updated`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{Account, NewAccount};
pub use service::{by_domain, create, get, hold_domain, lock};
