//! Audit: who changed what, when and why.

pub mod http;
