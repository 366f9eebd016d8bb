//! Attributions: credit of a partner for a deal in a role.

pub mod http;
