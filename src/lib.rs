//! Copartner: a headless Partner Relationship Management service.
//!
//! Floors, each importing only those below: [`kernel`] (pure words), [`platform`] (machinery that knows no room),
//! [`features`] (the rooms), [`flows`] (stories over several rooms), [`app`] (composition).

pub mod app;
pub mod features;
pub mod flows;
pub mod kernel;
pub mod platform;
