//! Attributions: credit of a partner for a deal in a role.
//!
//! claimed → confirmed | rejected; confirmed → confirmed | rejected
//!
//! Confirmed credits are settled when the deal is won; a claim that comes after that is corrected, with a reason, if its
//! role has none yet; settled credit is corrected to another share, or to none, which rejects it. Rejected is final, but
//! for a dispute: it gives a credit that was rejected, or too little, the share that it finds.
//!
//! Invariant: the confirmed shares of one role on one deal never exceed 10,000 basis points.
//! Invariant: a credit's allocation rank is unique within (deal, role) and never changes.
//! Invariant: on a won deal nothing is confirmed, and nothing settled changes, but by a correction with its reason.
//! Invariant: the evidence of a credit is of its partner and its deal.
//! Invariant: a partner claims for itself, confirms nothing, and learns of no other credit.
//! Events: `attribution.created`, `attribution.updated`, `attribution.confirmed`, `attribution.rejected`,
//! `attribution.settled`, `attribution.corrected`, `attribution.restored`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{Attribution, AttributionStatus, Correction, MOVES, NewAttribution};
pub use service::{
    correct, corrected_among, create, credit_source, get, is_credited, last_correction, restore,
    serialize_corrections, settle,
};
