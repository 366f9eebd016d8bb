//! Reports: figures over everything.

pub mod http;
