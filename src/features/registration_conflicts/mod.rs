//! Registration conflicts: several claims to one account, and the decision between them.
//!
//! open → decided (final, but for a dispute, which has it decided anew)
//!
//! Invariant: a partner sees its own side of a conflict and nothing else: not who else claims, not how many, not what
//! stands against it. Its session reads the view `seen_conflicts`, which hides the rest, and not the table.
//! Invariant: where accounts are merely alike, a conflict has no party, and no partner hears of it.
//! Invariant: whoever stands in the way has one open conflict, however many challenge it; so their number is told to
//! nobody by the number of conflicts.
//! Invariant: what a program's policy refuses at once is decided when it is recorded; whoever was first has no part in
//! it and does not learn of it.
//! Invariant: what follows from a decision is done with it, in `flows::registration::conflict`.
//! Events: `registration_conflict.opened`, `.decided` for the organization; `.joined`, `.evidence_added`, `.decided`
//! with its own side for each party.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{
    ConflictKind, ConflictStatus, Decision, NewConflict, Outcome, Party, RegistrationConflict, Side,
};
pub use service::{Verdict, decide, dismiss_with_deal, get, lock, move_to_account, of_party, parties, raise};
