//! Reports: figures over everything, read from every table and written to none.
//!
//! Revenue is money received, net of tax, less refunds and credit notes. Credit is full credit per role: a deal counts
//! as sourced when some partner has a confirmed sourced credit for it, once, whatever the shares; per partner it counts
//! for each who has one. Sourced, influenced and delivered are never added up.
//! Commission figures come from the journal: flows of the period, balances at its end.

mod activity;
mod attribution;
mod domain;
mod dto;
pub mod http;
mod journal;
mod onboarding;
mod service;
mod store;

pub use domain::{Figures, GroupBy};
