//! Programs: sets of written terms for one motion.
//!
//! Invariant: the motion of a program is set once.
//! Invariant: a setting that changes touches no line that was posted before; each line keeps the settings it was made
//! with.
//! Invariant: a partner sees the programs that it is enrolled in, and no other.
//! Invariant: what partners must have on file (`gates`) is looked at by `closed_gates` alone, at the moments that its
//! kernel names; a gate that is put up later closes nothing that was earned before.
//! Events: `program.created`, `program.updated`.

mod domain;
mod dto;
mod gate_dto;
pub mod http;
mod service;
mod store;

pub use domain::{CommissionApproval, LockPoint, Program};
pub use service::{confined_to, get};
