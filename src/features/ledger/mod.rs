//! Ledger: the double-entry journal and its balances.

pub mod http;
