//! Stories over several rooms, each in one transaction.

pub mod accrual;
pub mod clawback;
pub mod credit_note_issued;
pub mod partner_terminated;
pub mod payment_recorded;
pub mod refund_recorded;
