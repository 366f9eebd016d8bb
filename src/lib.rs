//! Copartner: a headless Partner Relationship Management service.

pub mod kernel;
