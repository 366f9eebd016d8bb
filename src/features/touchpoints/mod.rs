//! Touchpoints: dated evidence of what a partner did for a deal.
//!
//! recorded → voided (final)
//!
//! The organization records them, and so does a partner for the deals that it sees. A claim of credit names the ones it
//! rests on; the models of attribution share credit out by them. A touchpoint alone gives nobody credit.
//!
//! Invariant: what is recorded never changes; a mistake is voided, with a reason, and recorded anew.
//! Invariant: a partner meets its own touchpoints alone, and voids only what it recorded itself.
//! Events: `touchpoint.recorded`, `touchpoint.voided`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{MOVES, Touchpoint, TouchpointKind, TouchpointStatus};
pub use service::evidence;
