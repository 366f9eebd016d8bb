//! Back-tests: what a version of a rule would have paid in a past period, beside what was paid.
//!
//! queued → running → succeeded | failed (final)
//!
//! A recalculation is a back-test of a version that was activated; what it finds is proposed as adjustments when it
//! succeeds, in the same transaction: `flows::recalculation`.
//!
//! Invariant: a back-test writes its own row and nothing else; the worker reads in sessions that cannot write.
//! Invariant: a program has one recalculation under way at a time.
//! Invariant: it counts what had been recorded when it was asked for, so that the same question has the same outcome.
//! Invariant: who asked, for which terms (by their hash) and which period is kept, and neither changes nor goes.
//! Events: `backtest.created`, `backtest.succeeded`, `backtest.failed`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{Backtest, BacktestError, EarlierRecalculation, Gathering, Recalculation};
pub use service::{fail, further, put_down, queue, recalculations_besides, succeed};
pub use store::{claim, find, release_all};
