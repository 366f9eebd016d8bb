//! Payouts: runs at a cut-off and the payments in them.

pub mod http;
