//! The verbs of a pipeline stage.

use super::domain::{NewPipelineStage, PipelineStage, PipelineStagePatch};
use super::store::{self, PipelineStageFilter};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::PipelineStageId;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};

/// One pipeline stage.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: PipelineStageId) -> Result<PipelineStage, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the pipeline stages.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &PipelineStageFilter,
    page: &PageRequest,
) -> Result<Page<PipelineStage>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Makes a new one.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewPipelineStage) -> Result<PipelineStage, Problem> {
    let stage = PipelineStage::create(new, ctx.now);
    store::insert(tx, &ctx.scope, &stage)?;
    tx.record(
        ctx,
        Change::created("pipeline_stage.created", subject(&stage), &stage),
    );
    Ok(stage)
}

/// Changes what may be changed.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PipelineStageId,
    precondition: &Precondition,
    patch: PipelineStagePatch,
) -> Result<PipelineStage, Problem> {
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = before.clone().patched(patch, ctx.now);
    store::update(tx, &ctx.scope, &after)?;
    tx.record(
        ctx,
        Change::updated("pipeline_stage.updated", subject(&after), &before, &after),
    );
    Ok(after)
}

fn subject(stage: &PipelineStage) -> Subject {
    Subject {
        kind: "pipeline_stage",
        id: stage.id.uuid(),
    }
}
