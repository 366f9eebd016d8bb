//! Adjustments: amounts that a person gives to a partner or takes from it, and a second person approves.
//!
//! proposed → approved | refused | withdrawn; approved → in_payout → paid; in_payout | paid → approved
//!
//! An advance, such as a guaranteed draw, is two of them: one that a run pays, and its opposite, approved after the cut-off
//! of that run. The balance goes below zero by it, is carried forward, and later earnings pay it back; no code knows of it.
//!
//! Invariant: what was proposed never changes; what was approved is corrected by another adjustment.
//! Invariant: whoever proposed an adjustment does not approve it.
//! Invariant: an approved adjustment has one entry in the journal, and one that is not approved has none; this room
//! writes no entry, `flows::adjustment_decided` does.
//! Invariant: an approved adjustment is a line of payouts, as commissions and clawbacks are: paid or set off once.
//! Invariant: a partner sees its approved adjustments, and no proposal.
//! Events: `adjustment.proposed`, `adjustment.refused`, `adjustment.withdrawn` for the organization alone;
//! `adjustment.approved` for the partner too.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{Adjustment, AdjustmentReason, AdjustmentStatus, NewAdjustment, Proposed, Proposer};
pub use service::{
    approve, approve_of_recalculation, fates, get, lock_lines, lock_undecided, move_lines, propose,
    propose_for, proposed, refuse, withdraw,
};
