//! The operations on partners.

use super::dto::{
    NewPartnerBody, PartnerPage, PartnerPath, PartnerReasonBody, PartnerView, PartnersQuery,
    PatchPartnerBody, ReasonCodesView,
};
use super::{Partner, service};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, Reply, Target};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_partners)
        .service(create_partner)
        .service(get_partner)
        .service(update_partner)
        .service(approve_partner)
        .service(decline_partner)
        .service(suspend_partner)
        .service(reinstate_partner)
        .service(terminate_partner)
        .service(list_partner_reason_codes);
}

fn record(partner: Partner) -> Result<Answer, Problem> {
    let version = partner.row_version;
    Answer::record(&PartnerView::from(partner), version)
}

/// List partners
///
/// The partners that you may see, a page at a time. A partner's own caller sees the partner itself and those below it
/// that are not hidden.
#[utoipa::path(tag = "Partners", operation_id = "listPartners", params(PartnersQuery),
    responses((status = 200, description = "One page of partners.", body = PartnerPage)),
    extensions(("x-required-permission" = json!("partners:read"))))]
#[get("/v1/partners")]
async fn list_partners(who: Granted<can::PartnersRead>, query: Filter<PartnersQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&PartnerPage::from(page.map(PartnerView::from)))
    })
    .await
}

/// Create a partner
///
/// Records a company that applies to become a partner. It starts as `applied` and earns nothing before it is approved.
#[utoipa::path(tag = "Partners", operation_id = "createPartner", request_body = NewPartnerBody,
    responses((status = 201, description = "The new partner.", body = PartnerView)),
    extensions(("x-required-permission" = json!("partners:write"))))]
#[post("/v1/partners")]
async fn create_partner(who: Granted<can::PartnersWrite>, command: Command<NewPartnerBody>) -> Reply {
    who.write(command, |tx, ctx, command| {
        let partner = service::create(tx, ctx, command.body.terms()?)?;
        let (id, version) = (partner.id, partner.row_version);
        Answer::created("partners", id, &PartnerView::from(partner), version)
    })
    .await
}

/// Get a partner
///
/// One partner, with its version as `ETag`.
#[utoipa::path(tag = "Partners", operation_id = "getPartner", params(PartnerPath),
    responses((status = 200, description = "The partner.", body = PartnerView)),
    extensions(("x-required-permission" = json!("partners:read"))))]
#[get("/v1/partners/{partner_id}")]
async fn get_partner(who: Granted<can::PartnersRead>, target: Target<PartnerPath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.partner_id)?))
        .await
}

/// Update a partner
///
/// Changes the fields that are sent, as a JSON merge patch. The state changes by its own verbs only.
#[utoipa::path(tag = "Partners", operation_id = "updatePartner", params(PartnerPath), request_body = PatchPartnerBody,
    responses((status = 200, description = "The partner as it is now.", body = PartnerView)),
    extensions(("x-required-permission" = json!("partners:write"))))]
#[patch("/v1/partners/{partner_id}")]
async fn update_partner(
    who: Granted<can::PartnersWrite>,
    target: Target<PartnerPath>,
    command: Command<PatchPartnerBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::update(
            tx,
            ctx,
            target.partner_id,
            &command.precondition,
            command.body.patch()?,
        )?)
    })
    .await
}

/// Approve a partner
///
/// Takes an applicant as a partner: from now on it may act, earn and be paid. `409` when it is not `applied`.
#[utoipa::path(tag = "Partners", operation_id = "approvePartner", params(PartnerPath),
    responses((status = 200, description = "The approved partner.", body = PartnerView)),
    extensions(("x-required-permission" = json!("partners:review"))))]
#[post("/v1/partners/{partner_id}/approve")]
async fn approve_partner(
    who: Granted<can::PartnersReview>,
    target: Target<PartnerPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::approve(
            tx,
            ctx,
            target.partner_id,
            &command.precondition,
        )?)
    })
    .await
}

/// Decline a partner
///
/// Does not take an applicant. Final; a reason is kept. `409` when it is not `applied`, `422` for a code that is no reason
/// to decline.
#[utoipa::path(tag = "Partners", operation_id = "declinePartner", params(PartnerPath), request_body = PartnerReasonBody,
    responses((status = 200, description = "The declined partner.", body = PartnerView)),
    extensions(("x-required-permission" = json!("partners:review"))))]
#[post("/v1/partners/{partner_id}/decline")]
async fn decline_partner(
    who: Granted<can::PartnersReview>,
    target: Target<PartnerPath>,
    command: Command<PartnerReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::decline(
            tx,
            ctx,
            target.partner_id,
            &command.precondition,
            command.body.why(),
        )?)
    })
    .await
}

/// Suspend a partner
///
/// Stops an approved partner from acting and earning until it is reinstated. What it has earned stays. `422` for a code
/// that is no reason to suspend.
#[utoipa::path(tag = "Partners", operation_id = "suspendPartner", params(PartnerPath), request_body = PartnerReasonBody,
    responses((status = 200, description = "The suspended partner.", body = PartnerView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("partners:review"))))]
#[post("/v1/partners/{partner_id}/suspend")]
async fn suspend_partner(
    who: Granted<can::PartnersReview>,
    target: Target<PartnerPath>,
    command: Command<PartnerReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::suspend(
            tx,
            ctx,
            target.partner_id,
            &command.precondition,
            command.body.why(),
        )?)
    })
    .await
}

/// Reinstate a partner
///
/// Lets a suspended partner act and earn again. `409` when it is not `suspended`.
#[utoipa::path(tag = "Partners", operation_id = "reinstatePartner", params(PartnerPath),
    responses((status = 200, description = "The reinstated partner.", body = PartnerView)),
    extensions(("x-required-permission" = json!("partners:review"))))]
#[post("/v1/partners/{partner_id}/reinstate")]
async fn reinstate_partner(
    who: Granted<can::PartnersReview>,
    target: Target<PartnerPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::reinstate(
            tx,
            ctx,
            target.partner_id,
            &command.precondition,
        )?)
    })
    .await
}

/// Terminate a partner
///
/// Ends the partnership for good; all keys of the partner stop working in the same transaction. What it has earned
/// stays on the ledger. `422` for a code that is no reason to terminate.
#[utoipa::path(tag = "Partners", operation_id = "terminatePartner", params(PartnerPath), request_body = PartnerReasonBody,
    responses((status = 200, description = "The terminated partner.", body = PartnerView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("partners:review"))))]
#[post("/v1/partners/{partner_id}/terminate")]
async fn terminate_partner(
    who: Granted<can::PartnersReview>,
    target: Target<PartnerPath>,
    command: Command<PartnerReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(crate::flows::partner_terminated::run(
            tx,
            ctx,
            target.partner_id,
            &command.precondition,
            command.body.why(),
        )?)
    })
    .await
}

/// List partner reason codes
///
/// The reasons for which a partner can be declined, suspended or terminated, with what they mean and the moves that they
/// are for.
#[utoipa::path(tag = "Partners", operation_id = "listPartnerReasonCodes",
    responses((status = 200, description = "The reasons.", body = ReasonCodesView)),
    extensions(("x-required-permission" = json!("partners:read"))))]
#[get("/v1/partner-reason-codes")]
async fn list_partner_reason_codes(who: Granted<can::PartnersRead>) -> Reply {
    who.read(move |_, _| Answer::ok(&ReasonCodesView::all())).await
}
