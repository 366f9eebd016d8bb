//! The verbs of registrations.

use super::{answer, record};
use crate::features::deal_registrations::dto::{
    ApproveBody, DealRegistrationView, RegistrationPath, WhyBody,
};
use crate::features::deal_registrations::service;
use crate::flows::registration::{decision, submission};
use crate::kernel::permission::can;
use crate::platform::web::{Command, Granted, Nothing, ReasonBody, Reply, Target};
use actix_web::post;
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(submit_deal_registration)
        .service(review_deal_registration)
        .service(approve_deal_registration)
        .service(reject_deal_registration)
        .service(request_action_on_deal_registration)
        .service(withdraw_deal_registration)
        .service(revoke_deal_registration);
}

/// Submit a deal registration
///
/// Submits a draft, or again what was sent back with action_required. It is judged by the program's deal rules as they
/// are now; what is promised now stays. Refused as a new registration is.
#[utoipa::path(tag = "Deal Registrations", operation_id = "submitDealRegistration", params(RegistrationPath),
    responses((status = 200, description = "The submitted registration.", body = DealRegistrationView)),
    extensions(("x-required-permission" = json!("deal_registrations:write"))))]
#[post("/v1/deal-registrations/{deal_registration_id}/submit")]
async fn submit_deal_registration(
    who: Granted<can::DealRegistrationsWrite>,
    target: Target<RegistrationPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let id = target.deal_registration_id;
        answer(ctx, submission::submit(tx, ctx, id, &command.precondition)?)
    })
    .await
}

/// Review a deal registration
///
/// Somebody looks at a submitted registration; the partner sees that. `409` when it is not `submitted`.
#[utoipa::path(tag = "Deal Registrations", operation_id = "reviewDealRegistration", params(RegistrationPath),
    responses((status = 200, description = "The registration in review.", body = DealRegistrationView)),
    extensions(("x-required-permission" = json!("deal_registrations:review"))))]
#[post("/v1/deal-registrations/{deal_registration_id}/review")]
async fn review_deal_registration(
    who: Granted<can::DealRegistrationsReview>,
    target: Target<RegistrationPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let id = target.deal_registration_id;
        record(ctx, service::review(tx, ctx, id, &command.precondition)?)
    })
    .await
}

/// Approve a deal registration
///
/// Protects the partner: until the end nobody else is approved for this account and product family, and no family is
/// every family. In the same transaction a deal is made or linked and the partner is credited as its source: the credit is
/// confirmed, or claimed where others have all of it. A direct deal that is linked becomes the partner's, under the
/// registration's program; `422` when the deal is another account's, partner's or program's, or closed. `409
/// registration_conflict` with the conflict's id when another registration is protected.
#[utoipa::path(tag = "Deal Registrations", operation_id = "approveDealRegistration", params(RegistrationPath),
    request_body = Option<ApproveBody>,
    responses((status = 200, description = "The approved registration.", body = DealRegistrationView)),
    extensions(("x-required-permission" = json!("deal_registrations:review"))))]
#[post("/v1/deal-registrations/{deal_registration_id}/approve")]
async fn approve_deal_registration(
    who: Granted<can::DealRegistrationsReview>,
    target: Target<RegistrationPath>,
    command: Command<ApproveBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, deal_id) = (target.deal_registration_id, command.body.deal_id);
        answer(
            ctx,
            decision::approve(tx, ctx, id, &command.precondition, deal_id)?,
        )
    })
    .await
}

/// Reject a deal registration
///
/// Does not protect the partner. Final; the partner reads why.
#[utoipa::path(tag = "Deal Registrations", operation_id = "rejectDealRegistration", params(RegistrationPath),
    request_body = WhyBody,
    responses((status = 200, description = "The rejected registration.", body = DealRegistrationView)),
    extensions(("x-required-permission" = json!("deal_registrations:review"))))]
#[post("/v1/deal-registrations/{deal_registration_id}/reject")]
async fn reject_deal_registration(
    who: Granted<can::DealRegistrationsReview>,
    target: Target<RegistrationPath>,
    command: Command<WhyBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, why) = (target.deal_registration_id, command.body.why());
        record(ctx, service::reject(tx, ctx, id, &command.precondition, why)?)
    })
    .await
}

/// Request action on a registration
///
/// Sends a registration back: the reason says what is missing, and the partner mends it and submits again. Meanwhile it
/// goes on being a claim.
#[utoipa::path(tag = "Deal Registrations", operation_id = "requestActionOnDealRegistration", params(RegistrationPath),
    request_body = ReasonBody,
    responses((status = 200, description = "The registration that needs action.", body = DealRegistrationView)),
    extensions(("x-required-permission" = json!("deal_registrations:review"))))]
#[post("/v1/deal-registrations/{deal_registration_id}/request-action")]
async fn request_action_on_deal_registration(
    who: Granted<can::DealRegistrationsReview>,
    target: Target<RegistrationPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, missing) = (target.deal_registration_id, command.body.reason.clone());
        record(
            ctx,
            service::request_action(tx, ctx, id, &command.precondition, missing)?,
        )
    })
    .await
}

/// Withdraw a deal registration
///
/// The partner takes back what is not decided. Final.
#[utoipa::path(tag = "Deal Registrations", operation_id = "withdrawDealRegistration", params(RegistrationPath),
    responses((status = 200, description = "The withdrawn registration.", body = DealRegistrationView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("deal_registrations:write"))))]
#[post("/v1/deal-registrations/{deal_registration_id}/withdraw")]
async fn withdraw_deal_registration(
    who: Granted<can::DealRegistrationsWrite>,
    target: Target<RegistrationPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let id = target.deal_registration_id;
        record(ctx, service::withdraw(tx, ctx, id, &command.precondition)?)
    })
    .await
}

/// Revoke a deal registration
///
/// Takes the protection of an approved registration away. Final; the partner reads why. Its deal stays.
#[utoipa::path(tag = "Deal Registrations", operation_id = "revokeDealRegistration", params(RegistrationPath),
    request_body = WhyBody,
    responses((status = 200, description = "The revoked registration.", body = DealRegistrationView)),
    extensions(("x-required-permission" = json!("deal_registrations:review"))))]
#[post("/v1/deal-registrations/{deal_registration_id}/revoke")]
async fn revoke_deal_registration(
    who: Granted<can::DealRegistrationsReview>,
    target: Target<RegistrationPath>,
    command: Command<WhyBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, why) = (target.deal_registration_id, command.body.why());
        record(ctx, service::revoke(tx, ctx, id, &command.precondition, why)?)
    })
    .await
}
