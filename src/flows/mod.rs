//! Stories over several rooms, each in one transaction.

pub mod accrual;
pub mod clawback;
pub mod imports;
pub mod partner_terminated;
