//! Asking for what was known.

use super::answer::Answer;
use crate::kernel::problem::Problem;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

/// As of when a record is wanted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AsOf {
    /// As it was known at this instant, with what had been recorded by then, itself included. Absent is now.
    pub as_of: Option<DateTime<Utc>>,
}

impl AsOf {
    /// A record as it was: its tag names the instant, and no version that could be changed.
    pub fn answer(
        body: &impl Serialize,
        row_version: i64,
        instant: DateTime<Utc>,
    ) -> Result<Answer, Problem> {
        let tag = format!("\"{row_version}-as-of-{}\"", instant.timestamp_micros());
        Ok(Answer::ok(body)?.with("ETag", tag))
    }
}
