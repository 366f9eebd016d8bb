//! Commissions: earned lines with their explanation.

pub mod http;
