//! Payment expectations: when a partner will be paid, and everything that keeps it from being paid.
//!
//! Invariant: a date is only told where everything that is in the way has one; what is in the way is told in any case.
//! Invariant: what is payable and from which amount on is what a payout run would propose now.
//! Invariant: two statements at most, whatever the number of programs; a partner's caller is told of its own alone.
//! Nothing is kept, and there are no events.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::BlockerKind;
