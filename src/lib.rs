//! Copartner: a headless Partner Relationship Management service.
//!
//! Floors, each importing only those below: [`kernel`] (pure words), [`platform`] (machinery that knows no room),
//! [`features`] (the rooms), [`flows`] (stories over several rooms), [`app`] (composition).

#[cfg(feature = "bench-open-doors")]
const _: () = assert!(
    option_env!("COPARTNER_BENCH").is_some(),
    "the feature bench-open-doors lets everybody in; it is for the benchmark alone"
);

pub mod app;
pub mod features;
pub mod flows;
pub mod kernel;
pub mod platform;
