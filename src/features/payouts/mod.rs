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
//! Invariant: an order to a rail that the service pays by is committed as sent before it is sent. What may have arrived is
//! ordered again with the same key only, while the rail is sure to know that; after that it is looked up, and what is not
//! found is a person's to decide. No person decides before.
//! Events: `payout_run.drafted`, `payout_run.approved`, `payout_run.processing`, `payout_run.completed`,
//! `payout_run.cancelled`, `payout_run.file_downloaded`; `payout.processing`, `payout.paid`, `payout.failed`, `payout.returned` for the partner too,
//! `payout.cancelled` for the organization alone, because the partner never saw that payout, and `payout.questioned`, by
//! which a person is asked to look at what the rail says, or does not say.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;
mod transfer_service;

pub use domain::{
    CarryForwardReason, Claim, Confirmation, Payout, PayoutItemKind, PayoutItemStatus, PayoutLines,
    PayoutRail, PayoutRun, PayoutRunStatus, PayoutStatus, PayoutTransfer, Report, Step, Told, TransferStatus,
};
pub use service::{
    LockedPayout, Settlement, approve, begin, cancel, confirmable, held_among, lines, lock_payout, lock_run,
    part, pending, report, send, settle,
};
pub use store::{closed_before_paying, minimum_payout, payable};
pub use transfer_service::{
    LockedTransfer, claim_transfer, lock_transfer, question, save_transfer, take_from_rail, tell,
};
