//! Accounts: the end customer companies.

pub mod http;
