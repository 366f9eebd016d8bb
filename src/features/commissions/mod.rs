//! Commissions: earned lines, each a payment × invoice line × component × credit, with its full explanation; and what
//! was taken back from them.
//!
//! pending → due → approved → in_payout → paid; pending | due → reversed; ineligible (a zero line with the reason)
//!
//! Invariant: what was earned, on what and why never changes; corrections are further lines.
//! Invariant: one payment earns a line, a credit and a component once, however often it is asked.
//! Invariant: nothing is taken back beyond what was earned.
//! Invariant: what a tier counts and a cap leaves is locked while lines are worked out by it, and changed with them.
//! Invariant: a correction of credit adds nothing beyond the cap of a period, and takes of it what it adds.
//! Invariant: what was earned and is disputed is not released, approved or set aside for a payout; `dispute_id` says which
//! dispute.
//! Invariant: a line is exchanged once at most, and what is taken back from it goes at the rate at which it was given.
//! Invariant: this room writes no posting; the flows do, from what its verbs return.
//! Events: `commission.accrued`, `commission.released`, `commission.approved`, `commission.clawed_back`,
//! `commission.exchanged`.

mod accrual;
mod capped;
mod corrected;
mod domain;
mod dto;
mod exchange;
pub mod http;
mod preview;
mod replay;
mod reversal;
mod service;
mod settlement;
mod standings;
mod store;
#[cfg(test)]
mod tests;

pub use accrual::{Source, accrue};
pub use capped::{Caps, CreditProposed};
pub use corrected::{CreditGain, gains_of_credit, gains_under_locked_caps};
pub use domain::{ClawedBack, Commission, CommissionKind, CommissionStatus, Earned, Moved, TakenFrom};
pub use exchange::{
    Exchanged, exchange_earned, keep as keep_exchanges, organizations_with_unexchanged_lines, quote,
};
pub use replay::{Compared, Replay};
pub use reversal::{claw_back, claw_back_of_deals};
pub use service::{
    approve, approve_due, credits_of, credits_of_refunds, explanation, explanations, get, kept_on_deal, list,
    lock_lines_of_credit, lock_several, release, set_dispute, several,
};
pub use settlement::{LineMove, SettledLines, lock_disputed, lock_lines, move_lines, move_locked_lines};
pub use store::{ApprovalScope, CommissionFilter, organizations_with_holds_over};
