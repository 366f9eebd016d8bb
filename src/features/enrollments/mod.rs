//! Enrollments: a partner in a program.
//!
//! applied → active; active ⇄ paused; applied | active | paused → ended (final)
//!
//! Invariant: a partner is in a program once at a time; an ended enrollment stays as history.
//! Invariant: in a program with a ladder of tiers, the tier is one of them and changes with a move only (room `tiers`).
//! Invariant: an enrollment becomes active only while its partner is approved.
//! Events: `enrollment.created`, `enrollment.updated`, `enrollment.activated`, `enrollment.paused`,
//! `enrollment.resumed`, `enrollment.ended`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{Enrollment, EnrollmentStatus};
pub use service::{get, lock, several, takes_part};
