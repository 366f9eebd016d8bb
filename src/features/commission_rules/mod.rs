//! Commission rules: versioned terms: who earns what on which money.

pub mod http;
