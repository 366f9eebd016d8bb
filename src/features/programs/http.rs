//! The operations on programs.

use super::dto::{NewProgramBody, PatchProgramBody, ProgramPage, ProgramPath, ProgramView, ProgramsQuery};
use super::{Program, service};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Reply, Target};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_programs)
        .service(create_program)
        .service(get_program)
        .service(update_program);
}

fn record(program: Program) -> Result<Answer, Problem> {
    let version = program.row_version;
    Answer::record(&ProgramView::from(program), version)
}

/// List programs
///
/// The programs that you may see, a page at a time. A partner's own caller sees those in which the partner, or one below
/// it that is not hidden, is or was enrolled.
#[utoipa::path(tag = "Programs", operation_id = "listPrograms", params(ProgramsQuery),
    responses((status = 200, description = "One page of programs.", body = ProgramPage)),
    extensions(("x-required-permission" = json!("programs:read"))))]
#[get("/v1/programs")]
async fn list_programs(who: Granted<can::ProgramsRead>, query: Filter<ProgramsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&ProgramPage::from(page.map(ProgramView::from)))
    })
    .await
}

/// Create a program
///
/// Records a set of written terms for one motion. What is not sent takes its default; the motion is set once. `409` when
/// the external id is taken.
#[utoipa::path(tag = "Programs", operation_id = "createProgram", request_body = NewProgramBody,
    responses((status = 201, description = "The new program.", body = ProgramView)),
    extensions(("x-required-permission" = json!("programs:write"))))]
#[post("/v1/programs")]
async fn create_program(who: Granted<can::ProgramsWrite>, command: Command<NewProgramBody>) -> Reply {
    who.write(command, |tx, ctx, command| {
        let program = service::create(tx, ctx, command.body.terms()?)?;
        let (id, version) = (program.id, program.row_version);
        Answer::created("programs", id, &ProgramView::from(program), version)
    })
    .await
}

/// Get a program
///
/// One program, with its version as `ETag`.
#[utoipa::path(tag = "Programs", operation_id = "getProgram", params(ProgramPath),
    responses((status = 200, description = "The program.", body = ProgramView)),
    extensions(("x-required-permission" = json!("programs:read"))))]
#[get("/v1/programs/{program_id}")]
async fn get_program(who: Granted<can::ProgramsRead>, target: Target<ProgramPath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.program_id)?))
        .await
}

/// Update a program
///
/// Changes the fields that are sent, as a JSON merge patch. What was posted before stays as
/// it was.
#[utoipa::path(tag = "Programs", operation_id = "updateProgram", params(ProgramPath), request_body = PatchProgramBody,
    responses((status = 200, description = "The program as it is now.", body = ProgramView)),
    extensions(("x-required-permission" = json!("programs:write"))))]
#[patch("/v1/programs/{program_id}")]
async fn update_program(
    who: Granted<can::ProgramsWrite>,
    target: Target<ProgramPath>,
    command: Command<PatchProgramBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::update(
            tx,
            ctx,
            target.program_id,
            &command.precondition,
            command.body.patch()?,
        )?)
    })
    .await
}
