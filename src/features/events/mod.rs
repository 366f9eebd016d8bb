//! Events: the change feed.

pub mod http;
