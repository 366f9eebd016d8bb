//! Accounts: the end customer companies, and whether a company that somebody names is one of them.
//!
//! Matching: an equal external id, registrable domain or name key decides, unless something else that is known of both
//! speaks against it; whatever else is alike has a score with its reasons and is for a person to decide
//! (`kernel::matching`). [`find_match`] looks at all accounts and is for decisions of the service; what a caller is
//! shown comes of [`find_seen_match`], which knows no account that the caller may not see.
//!
//! Invariant: the keys of an account are those of its name and domain: the service writes them with the account, and
//! the worker wherever a trigger left its mark.
//! Invariant: a partner sees the accounts of the deals that it sees, and no other.
//! Events: `account.created`, `account.updated`.

mod domain;
mod dto;
pub mod http;
mod match_domain;
mod match_dto;
mod match_service;
mod match_store;
mod service;
mod store;

pub use domain::Account;
pub use match_domain::{AccountMatch, Candidate};
pub use match_service::{find_match, find_seen_match, keep_match_keys, make_match_keys};
pub use match_store::organizations_wanting_keys;
pub use service::get;
