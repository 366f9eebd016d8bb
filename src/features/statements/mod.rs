//! Statements: what became of a partner's balance in a month, in one currency.
//!
//! Invariant: opening + earned - reversed + adjusted + exchanged - paid = closing, and closing is the opening of the next one.
//! Invariant: each posting that changes what is owed stands on one statement at most, that of the month in which it was
//! recorded; what came while its month was being issued stands on the next one.
//! Invariant: a statement never changes; its text is the same for ever, and its hash is over the hash before and the text.
//! Invariant: a statement is issued with its signature; the key that it was signed with stays known.
//! Invariant: statements are issued in the order of months; a month in which nothing was posted has none.
//! Events: `statement.issued`, for the partner too.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{Statement, StatementLine};
