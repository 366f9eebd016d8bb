//! Whether partners are of use: activated, active or dormant. Computed from events when it is asked, and set by nobody.

mod dto;
pub mod http;
mod service;
mod store;

pub(super) use store::first_useful;
