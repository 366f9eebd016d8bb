//! Ledger: the double-entry journal and its balances.
//!
//! Invariant: an entry is one positive amount between two accounts, so that debits equal credits in every entry.
//! Invariant: each kind of entry moves between its own accounts only; [`NewEntry`] can say nothing else.
//! Invariant: entries are added, never changed; every balance is a sum of entries.

mod balance_store;
mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{Balance, EntryKind, LedgerAccount, LedgerEntry, NewEntry, Source, TakenFrom};
pub use service::{debt, post};
