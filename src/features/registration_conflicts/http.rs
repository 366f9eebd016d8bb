//! The operations on conflicts.

use super::dto::{
    ConflictPath, ConflictsQuery, DecideBody, EvidenceBody, RegistrationConflictPage,
    RegistrationConflictView,
};
use super::{Party, RegistrationConflict, service};
use crate::flows::registration::conflict;
use crate::kernel::ctx::Ctx;
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_registration_conflicts)
        .service(get_registration_conflict)
        .service(add_conflict_evidence)
        .service(decide_registration_conflict);
}

fn record(ctx: &Ctx, (conflict, parties): (RegistrationConflict, Vec<Party>)) -> Result<Answer, Problem> {
    let version = conflict.row_version;
    Answer::record(&RegistrationConflictView::to(ctx, conflict, parties), version)
}

/// List registration conflicts
///
/// The conflicts that you may see, newest first, a page at a time. A partner's own caller sees those in which a claim
/// of its own is a party, and of each its own side only. A conflict is open, then decided.
#[utoipa::path(tag = "Registration Conflicts", operation_id = "listRegistrationConflicts", params(ConflictsQuery),
    responses((status = 200, description = "One page of conflicts.", body = RegistrationConflictPage)),
    extensions(("x-required-permission" = json!("registration_conflicts:read"))))]
#[get("/v1/registration-conflicts")]
async fn list_registration_conflicts(
    who: Granted<can::RegistrationConflictsRead>,
    query: Filter<ConflictsQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        let page = page.map(|(conflict, parties)| RegistrationConflictView::to(ctx, conflict, parties));
        Answer::ok(&RegistrationConflictPage::from(page))
    })
    .await
}

/// Get a registration conflict
///
/// One conflict, with its version as `ETag`; a partner's own caller sees its own side.
#[utoipa::path(tag = "Registration Conflicts", operation_id = "getRegistrationConflict", params(ConflictPath),
    responses((status = 200, description = "The conflict.", body = RegistrationConflictView)),
    extensions(("x-required-permission" = json!("registration_conflicts:read"))))]
#[get("/v1/registration-conflicts/{registration_conflict_id}")]
async fn get_registration_conflict(
    who: Granted<can::RegistrationConflictsRead>,
    target: Target<ConflictPath>,
) -> Reply {
    who.read(move |tx, ctx| record(ctx, service::get(tx, ctx, target.registration_conflict_id)?))
        .await
}

/// Add evidence to a conflict
///
/// Brings something forward for a claim in an open conflict. `409` when it is decided, or the claim is over.
#[utoipa::path(tag = "Registration Conflicts", operation_id = "addConflictEvidence", params(ConflictPath),
    request_body = EvidenceBody,
    responses((status = 200, description = "The conflict.", body = RegistrationConflictView)),
    extensions(("x-required-permission" = json!("deal_registrations:write"))))]
#[post("/v1/registration-conflicts/{registration_conflict_id}/evidence")]
async fn add_conflict_evidence(
    who: Granted<can::DealRegistrationsWrite>,
    target: Target<ConflictPath>,
    command: Command<EvidenceBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, body) = (target.registration_conflict_id, &command.body);
        let evidence = body.evidence.clone();
        let found = service::add_evidence(
            tx,
            ctx,
            id,
            &command.precondition,
            body.deal_registration_id,
            evidence,
        )?;
        record(ctx, found)
    })
    .await
}

/// Decide a registration conflict
///
/// Ends a conflict and does what follows: claims that end are rejected, or revoked where they were approved; a winner
/// may then be approved; with co_sell_share the challengers claim influenced credit in the deal of whoever was first,
/// for a person to confirm. A claim that is over, such as one that was withdrawn, wins nothing (`422` `wrong_state` at
/// `/winner_registration_id`) and has no part. Final. Partners read what it means for their own claim, never the reason.
#[utoipa::path(tag = "Registration Conflicts", operation_id = "decideRegistrationConflict", params(ConflictPath),
    request_body = DecideBody,
    responses((status = 200, description = "The decided conflict.", body = RegistrationConflictView)),
    extensions(("x-required-permission" = json!("registration_conflicts:decide"))))]
#[post("/v1/registration-conflicts/{registration_conflict_id}/decide")]
async fn decide_registration_conflict(
    who: Granted<can::RegistrationConflictsDecide>,
    target: Target<ConflictPath>,
    command: Command<DecideBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, body) = (target.registration_conflict_id, &command.body);
        let (decision, winner) = (body.decision, body.winner_registration_id);
        conflict::decide(tx, ctx, id, &command.precondition, decision, winner, &body.reason)?;
        record(ctx, service::get(tx, ctx, id)?)
    })
    .await
}
