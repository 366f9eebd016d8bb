//! Product families: what is sold, grouped for rules and exclusivity.
//!
//! Invariant: a family is known by its id; its name may change without touching what was computed with it.
//! Events: `product_family.created`, `product_family.updated`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::ProductFamily;
pub use service::{get, unknown};
