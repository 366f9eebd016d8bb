//! Accounts: the end customer companies, and whether a company that somebody names is one of them.
//!
//! Matching: an equal external id, registrable domain or name key decides, unless something else that is known of both
//! speaks against it; whatever else is alike has a score with its reasons and is for a person to decide
//! (`kernel::matching`). [`find_match`] looks at all accounts and is for decisions of the service; what a caller is
//! shown comes of [`find_seen_match`], which knows no account that the caller may not see.
//!
//! Decisions: the worker suggests likely pairs of accounts; a person confirms or rejects them, and matching honors it.
//! suggested → confirmed | rejected; confirmed → rejected; rejected → confirmed
//!
//! Merges: the survivor stands for both; what moved is remembered row by row (`flows::account_merged`).
//! merged → undone
//!
//! Invariant: a merged account leads to one that is not merged; nothing is written for it but at its survivor.
//! Invariant: the keys of an account are those of its name and domain: the service writes them with the account, and
//! the worker wherever a trigger left its mark.
//! Invariant: a partner sees the accounts of the deals that it sees, and no other.
//! Events: `account.created`, `account.updated`, `account.merged`, `account.unmerged`, `account_match.confirmed`,
//! `account_match.rejected`, `account_merge.created`, `account_merge.undone`; a suggestion is none.

mod decision_domain;
mod decision_dto;
mod decision_http;
mod decision_service;
mod decision_store;
mod domain;
mod dto;
pub mod http;
mod match_domain;
mod match_dto;
mod match_service;
mod match_store;
mod service;
mod store;

pub use decision_domain::{MERGE_MOVES, Merge, MergeStatus, PAIR_MOVES, Pair, PairStatus};
pub use decision_service::{
    CONFLICT, DEAL, REGISTRATION, alike, lock_for_merge, lock_for_undo, lock_standing, merge, moved, resolve,
    suggest_matches, suggest_pairs, undo_merge,
};
pub use domain::{Account, NewAccount};
pub use match_domain::{AccountMatch, Candidate};
pub use match_service::{find_match, find_seen_match, keep_match_keys, make_match_keys};
pub use match_store::{organizations_to_compare, organizations_wanting_keys};
pub use service::{create, get, hold_keys, survivor_of_domain};
