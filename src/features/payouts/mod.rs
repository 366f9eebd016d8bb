//! Payouts: runs at a cut-off and the payments in them.
//!
//! run: draft → approved → processing → completed; draft | approved → cancelled
//! payout: pending → processing → paid | failed; paid → returned; pending → cancelled
//!
//! Invariant: a draft reserves nothing; what it proposes is checked again in the transaction that reserves.
//! Invariant: whoever drafted a run does not approve it, nor does a key whose secret they made, nor the other way around.
//! Invariant: a line is live in one payout at most, so that it is paid once.
//! Invariant: a payout's amount is the sum of its lines, above zero and at least what its program pays out.
//! Invariant: each verb on a payout locks its run first, so that a run is completed exactly with its last payout.
//! Invariant: a rail that pays to bank accounts pays to those that a second person confirmed and that have cooled off, when
//! the run is drafted and when it is approved; an account that went out of force before the run is processed gets nothing.
//! Who is left out loses nothing: the amount is carried forward with the reason, or free for a later run.
//! Invariant: a run's file is the same bytes each time. It is made of what does not change: the debtor as it was drafted,
//! when it was processed, the payouts that were sent then, and the details of their methods.
//! Events: `payout_run.drafted`, `payout_run.approved`, `payout_run.processing`, `payout_run.completed`,
//! `payout_run.cancelled`, `payout_run.file_downloaded`; `payout.processing`, `payout.paid`, `payout.failed`, `payout.returned` for the partner too,
//! `payout.cancelled` for the organization alone, because the partner never saw that payout.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{
    CarryForwardReason, Confirmation, Payout, PayoutItemKind, PayoutItemStatus, PayoutLines, PayoutRail,
    PayoutRun, PayoutRunStatus, PayoutStatus, Report,
};
pub use service::{
    LockedPayout, Settlement, approve, begin, cancel, confirmable, lines, lock_payout, lock_run, part,
    pending, report, send, settle,
};
pub use store::{minimum_payout, payable};
