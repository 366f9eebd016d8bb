//! Invoices: revenue events from billing, with their payments and refunds.

pub mod http;
