//! The operations on referrals.

use super::dto::{
    ConvertReferralBody, DuplicateReferralBody, NewReferralBody, PatchReferralBody, ReferralHistoryView,
    ReferralPage, ReferralPath, ReferralRoutesBody, ReferralRoutesView, ReferralView, ReferralsQuery,
    RejectReferralBody, RejectionCodesView, RoutesPath, WithdrawReferralBody,
};
use super::{Referral, service};
use crate::flows::referral_converted::{self, Conversion};
use crate::kernel::ctx::Ctx;
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use crate::platform::web::{Answer, Command, Fields, Filter, Granted, Nothing, Reply, Target};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_referrals)
        .service(create_referral)
        .service(get_referral)
        .service(update_referral)
        .service(list_referral_moves)
        .service(accept_referral)
        .service(reject_referral)
        .service(mark_referral_duplicate)
        .service(withdraw_referral)
        .service(convert_referral)
        .service(list_referral_rejection_codes)
        .service(get_referral_routes)
        .service(update_referral_routes);
}

fn view(tx: &mut Tx<'_>, ctx: &Ctx, referral: Referral) -> Result<ReferralView, Problem> {
    let owner = service::owners(tx, ctx, &[referral.id])?.remove(&referral.id);
    Ok(ReferralView::of(referral, owner, &ctx.scope))
}

fn record(tx: &mut Tx<'_>, ctx: &Ctx, referral: Referral) -> Result<Answer, Problem> {
    let version = referral.row_version;
    Answer::record(&view(tx, ctx, referral)?, version)
}

/// List referrals
///
/// The referrals that you may see, a page at a time. A partner's own caller sees its own ones, and those of the
/// partners below it that are not hidden.
#[utoipa::path(tag = "Referrals", operation_id = "listReferrals", params(ReferralsQuery),
    responses((status = 200, description = "One page of referrals.", body = ReferralPage)),
    extensions(("x-required-permission" = json!("referrals:read"))))]
#[get("/v1/referrals")]
async fn list_referrals(who: Granted<can::ReferralsRead>, query: Filter<ReferralsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        let ids: Vec<_> = page.rows.iter().map(|referral| referral.id).collect();
        let owners = service::owners(tx, ctx, &ids)?;
        let views = page.map(|referral| {
            let owner = owners.get(&referral.id).copied();
            ReferralView::of(referral, owner, &ctx.scope)
        });
        Answer::ok(&ReferralPage::from(views))
    })
    .await
}

/// Submit a referral
///
/// Hands a lead over in one of the partner's programs. It has to be what the program asks for (its deal rules), or `422`
/// names everything that is not. It goes to whoever answers it by the program's routes, and an answer is promised until
/// `respond_by`. From then on: submitted → accepted | rejected | duplicate | withdrawn | expired; accepted → converted.
/// `409` when the partner has no active enrollment in the program.
#[utoipa::path(tag = "Referrals", operation_id = "createReferral", request_body = NewReferralBody,
    responses((status = 201, description = "The submitted referral.", body = ReferralView)),
    extensions(("x-required-permission" = json!("referrals:write"))))]
#[post("/v1/referrals")]
async fn create_referral(who: Granted<can::ReferralsWrite>, command: Command<NewReferralBody>) -> Reply {
    who.write(command, |tx, ctx, command| {
        let referral = service::submit(tx, ctx, command.body.terms()?)?;
        let (id, version) = (referral.id, referral.row_version);
        Answer::created("referrals", id, &view(tx, ctx, referral)?, version)
    })
    .await
}

/// Get a referral
///
/// One referral, with its version as `ETag`.
#[utoipa::path(tag = "Referrals", operation_id = "getReferral", params(ReferralPath),
    responses((status = 200, description = "The referral.", body = ReferralView)),
    extensions(("x-required-permission" = json!("referrals:read"))))]
#[get("/v1/referrals/{referral_id}")]
async fn get_referral(who: Granted<can::ReferralsRead>, target: Target<ReferralPath>) -> Reply {
    who.read(move |tx, ctx| {
        let referral = service::get(tx, ctx, target.referral_id)?;
        record(tx, ctx, referral)
    })
    .await
}

/// Get a referral's history
///
/// What happened to a referral, oldest first: where it stood, who moved it and why.
#[utoipa::path(tag = "Referrals", operation_id = "getReferralHistory", params(ReferralPath),
    responses((status = 200, description = "The history of the referral.", body = ReferralHistoryView)),
    extensions(("x-required-permission" = json!("referrals:read"))))]
#[get("/v1/referrals/{referral_id}/history")]
async fn list_referral_moves(who: Granted<can::ReferralsRead>, target: Target<ReferralPath>) -> Reply {
    who.read(move |tx, ctx| {
        let moves = service::history(tx, ctx, target.referral_id)?;
        Answer::ok(&ReferralHistoryView::from(moves))
    })
    .await
}

/// Update a referral
///
/// Changes its key or who answers it, as a JSON merge patch. What was submitted never changes.
#[utoipa::path(tag = "Referrals", operation_id = "updateReferral", params(ReferralPath), request_body = PatchReferralBody,
    responses((status = 200, description = "The referral as it is now.", body = ReferralView)),
    extensions(("x-required-permission" = json!("referrals:review"))))]
#[patch("/v1/referrals/{referral_id}")]
async fn update_referral(
    who: Granted<can::ReferralsReview>,
    target: Target<ReferralPath>,
    command: Command<PatchReferralBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, precondition) = (target.referral_id, &command.precondition);
        let referral = service::update(tx, ctx, id, precondition, command.body.patch())?;
        record(tx, ctx, referral)
    })
    .await
}

/// Accept a referral
///
/// Takes a submitted referral up. The answer counts as the first response.
#[utoipa::path(tag = "Referrals", operation_id = "acceptReferral", params(ReferralPath),
    responses((status = 200, description = "The accepted referral.", body = ReferralView)),
    extensions(("x-required-permission" = json!("referrals:review"))))]
#[post("/v1/referrals/{referral_id}/accept")]
async fn accept_referral(
    who: Granted<can::ReferralsReview>,
    target: Target<ReferralPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, precondition) = (target.referral_id, &command.precondition);
        let referral = service::accept(tx, ctx, id, precondition)?;
        record(tx, ctx, referral)
    })
    .await
}

/// Reject a referral
///
/// Does not take a submitted referral up, for a reason that the partner is told. Final.
#[utoipa::path(tag = "Referrals", operation_id = "rejectReferral", params(ReferralPath), request_body = RejectReferralBody,
    responses((status = 200, description = "The rejected referral.", body = ReferralView)),
    extensions(("x-required-permission" = json!("referrals:review"))))]
#[post("/v1/referrals/{referral_id}/reject")]
async fn reject_referral(
    who: Granted<can::ReferralsReview>,
    target: Target<ReferralPath>,
    command: Command<RejectReferralBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, precondition) = (target.referral_id, &command.precondition);
        let referral = service::reject(
            tx,
            ctx,
            id,
            precondition,
            command.body.code,
            command.body.reason.clone(),
        )?;
        record(tx, ctx, referral)
    })
    .await
}

/// Mark a referral duplicate
///
/// Says that a submitted referral is the same as another one. The partner learns that it is, not of which. Final.
#[utoipa::path(tag = "Referrals", operation_id = "markReferralDuplicate", params(ReferralPath), request_body = DuplicateReferralBody,
    responses((status = 200, description = "The duplicate.", body = ReferralView)),
    extensions(("x-required-permission" = json!("referrals:review"))))]
#[post("/v1/referrals/{referral_id}/mark-duplicate")]
async fn mark_referral_duplicate(
    who: Granted<can::ReferralsReview>,
    target: Target<ReferralPath>,
    command: Command<DuplicateReferralBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, precondition) = (target.referral_id, &command.precondition);
        let referral = service::mark_duplicate(tx, ctx, id, precondition, command.body.duplicate_of_id)?;
        record(tx, ctx, referral)
    })
    .await
}

/// Withdraw a referral
///
/// Takes a submitted referral back. Final.
#[utoipa::path(tag = "Referrals", operation_id = "withdrawReferral", params(ReferralPath), request_body = WithdrawReferralBody,
    responses((status = 200, description = "The withdrawn referral.", body = ReferralView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("referrals:write"))))]
#[post("/v1/referrals/{referral_id}/withdraw")]
async fn withdraw_referral(
    who: Granted<can::ReferralsWrite>,
    target: Target<ReferralPath>,
    command: Command<WithdrawReferralBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, precondition) = (target.referral_id, &command.precondition);
        let referral = service::withdraw(tx, ctx, id, precondition, command.body.reason.clone())?;
        record(tx, ctx, referral)
    })
    .await
}

/// Convert a referral
///
/// Makes a deal of an accepted referral, in one transaction with its account, where none is named, and the credit of the
/// partner who sourced it. The credit is confirmed where you may confirm credits, and claimed otherwise. Needs
/// `deals:write` and, for a new account, `accounts:write` besides.
#[utoipa::path(tag = "Referrals", operation_id = "convertReferral", params(ReferralPath),
    request_body = ConvertReferralBody,
    responses((status = 200, description = "The converted referral, with its deal.", body = ReferralView)),
    extensions(("x-required-permission" = json!("referrals:review"))))]
#[post("/v1/referrals/{referral_id}/convert")]
async fn convert_referral(
    who: Granted<can::ReferralsReview>,
    target: Target<ReferralPath>,
    command: Command<ConvertReferralBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let mut fields = Fields::new();
        let body = command.body.clone();
        let amount = body
            .amount
            .as_ref()
            .and_then(|amount| fields.money("/amount", amount));
        let conversion = fields.finish(Some(Conversion {
            account_id: body.account_id,
            name: body.name,
            amount,
            stage_id: body.stage_id,
            deal_external_id: body.deal_external_id,
        }))?;
        let referral =
            referral_converted::run(tx, ctx, target.referral_id, &command.precondition, conversion)?;
        record(tx, ctx, referral)
    })
    .await
}

/// List rejection codes
///
/// The reasons for which a referral can be rejected, with what they mean.
#[utoipa::path(tag = "Referrals", operation_id = "listReferralRejectionCodes",
    responses((status = 200, description = "The reasons.", body = RejectionCodesView)),
    extensions(("x-required-permission" = json!("referrals:read"))))]
#[get("/v1/referral-rejection-codes")]
async fn list_referral_rejection_codes(who: Granted<can::ReferralsRead>) -> Reply {
    who.read(move |_, _| Answer::ok(&RejectionCodesView::all())).await
}

/// Get referral routes
///
/// To whom referrals of a program go: to the first route that fits, and on it to one owner after the other.
#[utoipa::path(tag = "Referrals", operation_id = "getReferralRoutes", params(RoutesPath),
    responses((status = 200, description = "The routes of the program.", body = ReferralRoutesView)),
    extensions(("x-required-permission" = json!("referrals:review"))))]
#[get("/v1/programs/{program_id}/referral-routes")]
async fn get_referral_routes(who: Granted<can::ReferralsReview>, target: Target<RoutesPath>) -> Reply {
    who.read(move |tx, ctx| {
        let routes = service::routes(tx, ctx, target.program_id)?;
        Answer::ok(&ReferralRoutesView::from(routes))
    })
    .await
}

/// Update referral routes
///
/// Replaces the routes of a program. What was submitted before stays with whoever answers it. Round robin starts anew.
#[utoipa::path(tag = "Referrals", operation_id = "updateReferralRoutes", params(RoutesPath),
    request_body = ReferralRoutesBody,
    responses((status = 200, description = "The routes as they are now.", body = ReferralRoutesView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("programs:write"))))]
#[patch("/v1/programs/{program_id}/referral-routes")]
async fn update_referral_routes(
    who: Granted<can::ProgramsWrite>,
    target: Target<RoutesPath>,
    command: Command<ReferralRoutesBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let routes = service::replace_routes(tx, ctx, target.program_id, command.body.routes()?)?;
        Answer::ok(&ReferralRoutesView::from(routes))
    })
    .await
}
