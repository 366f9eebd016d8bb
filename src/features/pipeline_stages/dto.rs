//! Pipeline stages on the wire.

use super::domain::{NewPipelineStage, PipelineStage, PipelineStagePatch};
use super::store::{PipelineStageFilter, PipelineStageOrder};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::PipelineStageId;
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A pipeline stage to create.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = PipelineStageCreate, examples(json!({"name": "Proposal", "position": 20, "external_id": "crm-stage-2"})))]
#[serde(deny_unknown_fields)]
pub struct NewPipelineStageBody {
    /// Your own key for the pipeline stage; unique among your pipeline stages.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "crm-stage-2"
    )]
    pub external_id: Option<String>,
    /// Its name.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Proposal"
    )]
    pub name: String,
    /// Where it comes among the stages; no two stages have the same position.
    #[schema(minimum = 1, maximum = 1000, example = 20)]
    pub position: i32,
}

impl NewPipelineStageBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> NewPipelineStage {
        let Self {
            external_id,
            name,
            position,
        } = self.clone();
        NewPipelineStage {
            external_id,
            name,
            position,
        }
    }
}

/// Changes of a pipeline stage: absent leaves a field as it is, `null` clears it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = PipelineStageUpdate, min_properties = 1, examples(json!({"name": "Proposal sent", "position": 25})))]
#[serde(deny_unknown_fields)]
pub struct PatchPipelineStageBody {
    /// Your own key for the pipeline stage.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"^[^\x00]+$", example = "crm-stage-2")]
    pub external_id: Patch<String>,
    /// Its name.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Proposal"
    )]
    pub name: Option<String>,
    /// Where it comes among the stages; no two stages have the same position.
    #[schema(nullable = false, minimum = 1, maximum = 1000, example = 20)]
    pub position: Option<i32>,
}

impl PatchPipelineStageBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> PipelineStagePatch {
        let Self {
            external_id,
            name,
            position,
        } = self.clone();
        PipelineStagePatch {
            external_id,
            name,
            position,
        }
    }
}

/// A pipeline stage: one step of an open deal.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PipelineStage, examples(json!({"id": "stg_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "crm-stage-2", "name": "Proposal", "position": 20, "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:00Z"})))]
pub struct PipelineStageView {
    /// Its id.
    pub id: PipelineStageId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// Its name.
    #[schema(max_length = 255, example = "Proposal")]
    pub name: String,
    /// Where it comes among the stages.
    #[schema(minimum = 1, maximum = 1000, example = 20)]
    pub position: i32,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<PipelineStage> for PipelineStageView {
    fn from(stage: PipelineStage) -> Self {
        Self {
            id: stage.id,
            external_id: stage.external_id,
            name: stage.name,
            position: stage.position,
            created_at: stage.created_at,
            updated_at: stage.updated_at,
        }
    }
}

page_of!(PipelineStagePage, PipelineStageView, "pipeline stages");

/// The order of a list of pipeline stages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum PipelineStageSort {
    /// As the stages follow one another.
    #[default]
    #[serde(rename = "position")]
    Position,
    /// As the stages follow one another, backwards.
    #[serde(rename = "-position")]
    PositionDescending,
    /// Newest first.
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "created_at")]
    Oldest,
}

/// What a list of pipeline stages is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PipelineStagesQuery {
    /// Only the pipeline stage with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: PipelineStageSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl PipelineStagesQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> PipelineStageFilter {
        PipelineStageFilter {
            external_id: self.external_id.clone(),
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            order: match self.sort {
                PipelineStageSort::Newest => PipelineStageOrder::Newest,
                PipelineStageSort::Oldest => PipelineStageOrder::Oldest,
                PipelineStageSort::Position => PipelineStageOrder::Position,
                PipelineStageSort::PositionDescending => PipelineStageOrder::PositionDescending,
            },
        }
    }
}

/// The pipeline stage that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PipelineStagePath {
    /// The pipeline stage.
    pub pipeline_stage_id: PipelineStageId,
}
