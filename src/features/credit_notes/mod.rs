//! Credit notes: what was credited, with or without an invoice.

pub mod http;
