//! Events: the change feed: every change, numbered without gaps.
//!
//! Invariant: only numbered events are read, and a number is given after the commit, so that a reader who has seen
//! number n has seen everything up to n.
//! Invariant: a partner sees the events that concern it alone; so it does in its timeline, which is the events of one
//! partner, newest first.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::Event;
pub use dto::{SubjectType, SubjectView};
pub use service::number;
pub use store::organizations_waiting;
