//! The operations on pipeline stages.

use super::dto::{
    NewPipelineStageBody, PatchPipelineStageBody, PipelineStagePage, PipelineStagePath, PipelineStageView,
    PipelineStagesQuery,
};
use super::{PipelineStage, service};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Reply, Target};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_pipeline_stages)
        .service(create_pipeline_stage)
        .service(get_pipeline_stage)
        .service(update_pipeline_stage);
}

fn record(stage: PipelineStage) -> Result<Answer, Problem> {
    let version = stage.row_version;
    Answer::record(&PipelineStageView::from(stage), version)
}

/// List pipeline stages
///
/// The pipeline stages of the organization, a page at a time; by position unless another order is asked for.
#[utoipa::path(tag = "Pipeline Stages", operation_id = "listPipelineStages", params(PipelineStagesQuery),
    responses((status = 200, description = "One page of pipeline stages.", body = PipelineStagePage)),
    extensions(("x-required-permission" = json!("pipeline_stages:read"))))]
#[get("/v1/pipeline-stages")]
async fn list_pipeline_stages(
    who: Granted<can::PipelineStagesRead>,
    query: Filter<PipelineStagesQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&PipelineStagePage::from(page.map(PipelineStageView::from)))
    })
    .await
}

/// Create a pipeline stage
///
/// Adds a step that open deals may be in. `409` when the position or the external id is taken.
#[utoipa::path(tag = "Pipeline Stages", operation_id = "createPipelineStage", request_body = NewPipelineStageBody,
    responses((status = 201, description = "The new pipeline stage.", body = PipelineStageView)),
    extensions(("x-required-permission" = json!("pipeline_stages:write"))))]
#[post("/v1/pipeline-stages")]
async fn create_pipeline_stage(
    who: Granted<can::PipelineStagesWrite>,
    command: Command<NewPipelineStageBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        let stage = service::create(tx, ctx, command.body.terms())?;
        let (id, version) = (stage.id, stage.row_version);
        Answer::created("pipeline-stages", id, &PipelineStageView::from(stage), version)
    })
    .await
}

/// Get a pipeline stage
///
/// One pipeline stage, with its version as `ETag`.
#[utoipa::path(tag = "Pipeline Stages", operation_id = "getPipelineStage", params(PipelineStagePath),
    responses((status = 200, description = "The pipeline stage.", body = PipelineStageView)),
    extensions(("x-required-permission" = json!("pipeline_stages:read"))))]
#[get("/v1/pipeline-stages/{pipeline_stage_id}")]
async fn get_pipeline_stage(
    who: Granted<can::PipelineStagesRead>,
    target: Target<PipelineStagePath>,
) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.pipeline_stage_id)?))
        .await
}

/// Update a pipeline stage
///
/// Changes the fields that are sent, as a JSON merge patch. `409` when another stage has the position.
#[utoipa::path(tag = "Pipeline Stages", operation_id = "updatePipelineStage", params(PipelineStagePath), request_body = PatchPipelineStageBody,
    responses((status = 200, description = "The pipeline stage as it is now.", body = PipelineStageView)),
    extensions(("x-required-permission" = json!("pipeline_stages:write"))))]
#[patch("/v1/pipeline-stages/{pipeline_stage_id}")]
async fn update_pipeline_stage(
    who: Granted<can::PipelineStagesWrite>,
    target: Target<PipelineStagePath>,
    command: Command<PatchPipelineStageBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::update(
            tx,
            ctx,
            target.pipeline_stage_id,
            &command.precondition,
            command.body.patch(),
        )?)
    })
    .await
}
