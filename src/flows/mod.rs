//! Stories over several rooms, each in one transaction.

pub mod accrual;
pub mod clawback;
pub mod partner_terminated;
pub mod payout_run;
