//! Next actions: what the caller does best now, each with why, the operation that does it, and by when.
//!
//! Invariant: an action is one that the caller's permissions and the state of its record allow at this moment; what takes
//! a second person is not shown to the first.
//! Invariant: a partner's caller is shown what is its own to do, and nothing of those below it.
//! Invariant: one statement finds everything, and at most [`MOST_ACTIONS`] are shown.
//! Nothing is kept, and there are no events: what was done is no longer found.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{MOST_ACTIONS, NextActionKind, Operation};
