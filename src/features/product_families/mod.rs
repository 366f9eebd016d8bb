//! Product families: what is sold, grouped for rules and exclusivity.

pub mod http;
