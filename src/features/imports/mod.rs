//! Imports: bulk loading from CSV.

pub mod http;
