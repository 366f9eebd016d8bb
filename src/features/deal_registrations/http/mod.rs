//! The operations on registrations.

mod moves;
mod threads;

use super::dto::{
    DealRegistrationPage, DealRegistrationView, NewRegistrationBody, PatchRegistrationBody, PrecheckBody,
    PrecheckView, RegistrationPath, RegistrationsQuery,
};
use super::{DealRegistration, service};
use crate::flows::registration::{Attempt, hiding, precheck, submission};
use crate::kernel::ctx::Ctx;
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use crate::platform::web::{Answer, Command, Filter, Granted, Reply, Target};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_deal_registrations)
        .service(create_deal_registration)
        .service(precheck_deal_registration)
        .service(get_deal_registration)
        .service(update_deal_registration);
    moves::routes(config);
    threads::routes(config);
}

fn record(ctx: &Ctx, registration: DealRegistration) -> Result<Answer, Problem> {
    let version = registration.row_version;
    Answer::record(&DealRegistrationView::to(ctx, registration), version)
}

/// What came of an attempt, as an answer. A refusal that was recorded is one too, so that it is committed.
fn answer(ctx: &Ctx, attempt: Attempt) -> Result<Answer, Problem> {
    match attempt {
        Attempt::Done(registration) => record(ctx, *registration),
        Attempt::Refused(problem) => Answer::refusal(&problem, ctx.request_id),
    }
}

/// List deal registrations
///
/// The registrations that you may see, a page at a time: a partner's own caller sees its own, and those of the partners
/// below it that are not hidden. Their life cycle:
/// draft → submitted | withdrawn; submitted → in_review | action_required | approved | rejected | withdrawn;
/// in_review → action_required | approved | rejected | withdrawn; action_required → submitted | rejected | withdrawn;
/// approved → converted | lost | expired | revoked; rejected → in_review; expired → in_review | approved;
/// revoked → in_review | approved. What was decided is undone by a dispute alone.
#[utoipa::path(tag = "Deal Registrations", operation_id = "listDealRegistrations", params(RegistrationsQuery),
    responses((status = 200, description = "One page of registrations.", body = DealRegistrationPage)),
    extensions(("x-required-permission" = json!("deal_registrations:read"))))]
#[get("/v1/deal-registrations")]
async fn list_deal_registrations(
    who: Granted<can::DealRegistrationsRead>,
    query: Filter<RegistrationsQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        let page = page.map(|one| DealRegistrationView::to(ctx, one));
        Answer::ok(&DealRegistrationPage::from(page))
    })
    .await
}

/// Register a deal
///
/// Claims an account for a partner and submits the claim at once, unless a draft is asked for. The account is found by
/// its domain, or made. What the program's deal rules do not allow is `422`, with every field at once. Where somebody
/// else has a claim and the program refuses whoever comes second, it is `409 registration_conflict` with the id of the
/// conflict, and the registration is kept as a draft; other programs take it and a person decides. Also `409`:
/// `existing_customer`, `too_many_registrations`, and `already_exists` for another claim of the same partner.
#[utoipa::path(tag = "Deal Registrations", operation_id = "createDealRegistration", request_body = NewRegistrationBody,
    responses((status = 201, description = "The new registration.", body = DealRegistrationView)),
    extensions(("x-required-permission" = json!("deal_registrations:write"))))]
#[post("/v1/deal-registrations")]
async fn create_deal_registration(
    who: Granted<can::DealRegistrationsWrite>,
    command: Command<NewRegistrationBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        match submission::create(tx, ctx, command.body.terms()?)? {
            Attempt::Done(registration) => {
                let (id, version) = (registration.id, registration.row_version);
                let view = DealRegistrationView::to(ctx, *registration);
                Answer::created("deal-registrations", id, &view, version)
            }
            refused => answer(ctx, refused),
        }
    })
    .await
}

/// Precheck an account
///
/// How an account stands, before it is registered: clear, contested or existing_customer. It tells no names, and it
/// reserves nothing. A partner's callers may ask 30 times in an hour, then it is `429`.
#[utoipa::path(tag = "Deal Registrations", operation_id = "precheckDealRegistration", request_body = PrecheckBody,
    responses((status = 200, description = "How the account stands.", body = PrecheckView)),
    extensions(("x-required-permission" = json!("deal_registrations:write"))))]
#[post("/v1/deal-registrations/precheck")]
async fn precheck_deal_registration(
    who: Granted<can::DealRegistrationsWrite>,
    command: Command<PrecheckBody>,
) -> Reply {
    if !precheck::is_counted(&who.ctx) && !command.is_keyed() {
        return who.read(move |tx, ctx| standing(tx, ctx, &command.body)).await;
    }
    who.write(command, |tx, ctx, command| standing(tx, ctx, &command.body))
        .await
}

fn standing(tx: &mut Tx<'_>, ctx: &Ctx, body: &PrecheckBody) -> Result<Answer, Problem> {
    let standing = precheck::run(tx, ctx, &body.question()?)?;
    Answer::ok(&PrecheckView { standing })
}

/// Get a deal registration
///
/// One registration, with its version as `ETag`.
#[utoipa::path(tag = "Deal Registrations", operation_id = "getDealRegistration", params(RegistrationPath),
    responses((status = 200, description = "The registration.", body = DealRegistrationView)),
    extensions(("x-required-permission" = json!("deal_registrations:read"))))]
#[get("/v1/deal-registrations/{deal_registration_id}")]
async fn get_deal_registration(
    who: Granted<can::DealRegistrationsRead>,
    target: Target<RegistrationPath>,
) -> Reply {
    who.read(move |tx, ctx| record(ctx, service::get(tx, ctx, target.deal_registration_id)?))
        .await
}

/// Update a deal registration
///
/// Changes the fields that are sent, as a JSON merge patch. What is claimed changes in the states draft and
/// action_required only: `409 wrong_state`. `hidden_from_parent` changes in every state; hiding it hides its deal as well,
/// which only the organization shows again.
#[utoipa::path(tag = "Deal Registrations", operation_id = "updateDealRegistration", params(RegistrationPath),
    request_body = PatchRegistrationBody,
    responses((status = 200, description = "The registration as it is now.", body = DealRegistrationView)),
    extensions(("x-required-permission" = json!("deal_registrations:write"))))]
#[patch("/v1/deal-registrations/{deal_registration_id}")]
async fn update_deal_registration(
    who: Granted<can::DealRegistrationsWrite>,
    target: Target<RegistrationPath>,
    command: Command<PatchRegistrationBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, patch) = (target.deal_registration_id, command.body.patch()?);
        record(ctx, hiding::update(tx, ctx, id, &command.precondition, patch)?)
    })
    .await
}
