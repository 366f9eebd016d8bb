//! Pipeline stages: the steps of an open deal.

pub mod http;
