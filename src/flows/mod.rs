//! Stories over several rooms, each in one transaction.

pub mod partner_terminated;
