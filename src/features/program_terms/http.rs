//! The operations on program terms.

use super::dto::{
    AcceptTermsBody, NewTermsBody, ProgramTermsPage, ProgramTermsPath, ProgramTermsQuery, ProgramTermsView,
    TermsAcceptancePage, TermsAcceptanceView, TermsAcceptancesQuery, TermsProgramPath,
};
use super::service;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Command, Filter, Granted, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// The version of a record that never changes.
const ONLY_VERSION: i64 = 1;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_program_terms)
        .service(publish_program_terms)
        .service(get_program_terms)
        .service(accept_program_terms)
        .service(list_terms_acceptances);
}

/// List program terms
///
/// The versions of the terms of the programs that you may see, newest first, a page at a time. Of one program, the first
/// is in force.
#[utoipa::path(tag = "Program Terms", operation_id = "listProgramTerms", params(ProgramTermsQuery),
    responses((status = 200, description = "One page of versions.", body = ProgramTermsPage)),
    extensions(("x-required-permission" = json!("programs:read"))))]
#[get("/v1/program-terms")]
async fn list_program_terms(who: Granted<can::ProgramsRead>, query: Filter<ProgramTermsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, query.program_id, &query.page(ctx)?)?;
        Answer::ok(&ProgramTermsPage::from(page.map(ProgramTermsView::from)))
    })
    .await
}

/// Publish program terms
///
/// Publishes the next version of a program's terms, which partners accept from now on. What was published never changes.
/// `409` when the program has a version of this name.
#[utoipa::path(tag = "Program Terms", operation_id = "publishProgramTerms", params(TermsProgramPath),
    request_body = NewTermsBody,
    responses((status = 201, description = "The new version.", body = ProgramTermsView)),
    extensions(("x-required-permission" = json!("programs:write"))))]
#[post("/v1/programs/{program_id}/terms")]
async fn publish_program_terms(
    who: Granted<can::ProgramsWrite>,
    target: Target<TermsProgramPath>,
    command: Command<NewTermsBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let terms = service::publish(tx, ctx, target.program_id, command.body.terms())?;
        let id = terms.id;
        Answer::created("program-terms", id, &ProgramTermsView::from(terms), ONLY_VERSION)
    })
    .await
}

/// Get program terms
///
/// One version of a program's terms.
#[utoipa::path(tag = "Program Terms", operation_id = "getProgramTerms", params(ProgramTermsPath),
    responses((status = 200, description = "The version.", body = ProgramTermsView)),
    extensions(("x-required-permission" = json!("programs:read"))))]
#[get("/v1/program-terms/{program_terms_id}")]
async fn get_program_terms(who: Granted<can::ProgramsRead>, target: Target<ProgramTermsPath>) -> Reply {
    who.read(move |tx, ctx| {
        let terms = service::get(tx, ctx, target.program_terms_id)?;
        Answer::record(&ProgramTermsView::from(terms), ONLY_VERSION)
    })
    .await
}

/// Accept program terms
///
/// Accepts the newest version of a program's terms for an enrollment, which names that version from now on. Who accepts
/// and when is kept. `409` when a newer version was published, when the enrollment has ended, and when it was accepted
/// already.
#[utoipa::path(tag = "Program Terms", operation_id = "acceptProgramTerms", params(ProgramTermsPath),
    request_body = AcceptTermsBody,
    responses((status = 200, description = "The acceptance.", body = TermsAcceptanceView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("terms:accept"))))]
#[post("/v1/program-terms/{program_terms_id}/accept")]
async fn accept_program_terms(
    who: Granted<can::TermsAccept>,
    target: Target<ProgramTermsPath>,
    command: Command<AcceptTermsBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let acceptance = service::accept(tx, ctx, target.program_terms_id, command.body.enrollment_id)?;
        Answer::record(&TermsAcceptanceView::from(acceptance), ONLY_VERSION)
    })
    .await
}

/// List acceptances of terms
///
/// Who accepted which version for which enrollment, newest first, a page at a time. A partner's own caller sees its own.
#[utoipa::path(tag = "Program Terms", operation_id = "listTermsAcceptances", params(TermsAcceptancesQuery),
    responses((status = 200, description = "One page of acceptances.", body = TermsAcceptancePage)),
    extensions(("x-required-permission" = json!("enrollments:read"))))]
#[get("/v1/terms-acceptances")]
async fn list_terms_acceptances(
    who: Granted<can::EnrollmentsRead>,
    query: Filter<TermsAcceptancesQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::acceptances(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&TermsAcceptancePage::from(page.map(TermsAcceptanceView::from)))
    })
    .await
}
