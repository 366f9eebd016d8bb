//! The kernel: pure words that every floor above speaks.
//!
//! Nothing here knows Postgres, HTTP or the clock: time and randomness come in as arguments or, for
//! ids, from the operating system. Every value that exists is valid, every operation that could go
//! wrong says so in its type, and nothing rounds unless the caller names the rounding.
//!
//! Invariant: money is decimal, in one currency, and never wraps.
//! Invariant: imports go down only; the kernel imports no other floor.

pub mod activity;
mod advice;
pub mod attribution;
pub mod commission;
pub mod ctx;
pub mod exchange;
pub mod gate;
pub mod iban;
pub mod id;
pub mod matching;
pub mod money;
pub mod motion;
pub mod patch;
pub mod permission;
pub mod problem;
pub mod rate;
pub mod role;
pub mod subject;
pub mod time;
pub mod version;
pub mod word;
