//! Credit notes: what was credited to a customer, on an invoice or on a deal alone.
//!
//! Invariant: a credit note never changes; what follows from it is told in `flows::credit_note_issued`.
//! Events: `credit_note.issued`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{CreditNote, NewCreditNote};
pub use service::{get, issue};
