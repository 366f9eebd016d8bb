//! What a pipeline stage is.

use crate::kernel::id::PipelineStageId;
use crate::kernel::patch::Patch;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A pipeline stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PipelineStage {
    /// Its id.
    pub id: PipelineStageId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
    /// Where it comes among the stages, from 1 to 1000.
    pub position: i32,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new pipeline stage is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPipelineStage {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
    /// Where it comes among the stages, from 1 to 1000.
    pub position: i32,
}

/// What may be changed of a pipeline stage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PipelineStagePatch {
    /// The caller's key for it.
    pub external_id: Patch<String>,
    /// Its name.
    pub name: Option<String>,
    /// Where it comes among the stages.
    pub position: Option<i32>,
}

impl PipelineStage {
    /// A new pipeline stage.
    pub fn create(new: NewPipelineStage, now: DateTime<Utc>) -> Self {
        let NewPipelineStage {
            external_id,
            name,
            position,
        } = new;
        Self {
            id: PipelineStageId::new(now),
            external_id,
            name,
            position,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The pipeline stage with the patch applied.
    #[must_use]
    pub fn patched(mut self, patch: PipelineStagePatch, now: DateTime<Utc>) -> Self {
        let PipelineStagePatch {
            external_id,
            name,
            position,
        } = patch;
        external_id.apply_to(&mut self.external_id);
        Self {
            name: name.unwrap_or(self.name),
            position: position.unwrap_or(self.position),
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn proposal() -> PipelineStage {
        let new = NewPipelineStage {
            external_id: Some("crm-7".to_owned()),
            name: "Proposal".to_owned(),
            position: 20,
        };
        PipelineStage::create(new, at(100))
    }

    #[test]
    fn a_new_stage_is_at_version_one() {
        let stage = proposal();
        assert_eq!((stage.row_version, stage.name.as_str()), (1, "Proposal"));
        assert_eq!((stage.created_at, stage.updated_at), (at(100), at(100)));
    }

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let renamed = proposal().patched(
            PipelineStagePatch {
                name: Some("Contract".to_owned()),
                position: Some(30),
                ..PipelineStagePatch::default()
            },
            at(200),
        );
        assert_eq!((renamed.name.as_str(), renamed.position), ("Contract", 30));
        assert_eq!(renamed.external_id.as_deref(), Some("crm-7"));
        assert_eq!(
            (renamed.row_version, renamed.created_at, renamed.updated_at),
            (2, at(100), at(200))
        );

        let cleared = renamed.patched(
            PipelineStagePatch {
                external_id: Patch::Clear,
                ..PipelineStagePatch::default()
            },
            at(300),
        );
        assert_eq!((cleared.external_id, cleared.name.as_str()), (None, "Contract"));
        assert_eq!(cleared.position, 30);
    }
}
