//! Deals: opportunities with amount, stage and close date.

pub mod http;
