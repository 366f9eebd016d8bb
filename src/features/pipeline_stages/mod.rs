//! Pipeline stages: the steps of an open deal.
//!
//! Invariant: no two stages of an organization have the same position.
//! Events: `pipeline_stage.created`, `pipeline_stage.updated`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::PipelineStage;
pub use service::get;
