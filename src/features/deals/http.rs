//! The operations on deals.

use super::dto::{
    DealPage, DealPath, DealView, DealsQuery, LoseDealBody, NewDealBody, PatchDealBody, WinDealBody,
};
use super::{Deal, service};
use crate::flows::{deal_won, registration};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, Reply, Target};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_deals)
        .service(create_deal)
        .service(get_deal)
        .service(update_deal)
        .service(win_deal)
        .service(lose_deal)
        .service(reopen_deal);
}

fn record(deal: Deal) -> Result<Answer, Problem> {
    let version = deal.row_version;
    Answer::record(&DealView::from(deal), version)
}

/// List deals
///
/// The deals that you may see, a page at a time. A partner's own caller sees the deals that the partner made and those
/// for which it has or claims credit, and such deals of partners below it that are not hidden.
#[utoipa::path(tag = "Deals", operation_id = "listDeals", params(DealsQuery),
    responses((status = 200, description = "One page of deals.", body = DealPage)),
    extensions(("x-required-permission" = json!("deals:read"))))]
#[get("/v1/deals")]
async fn list_deals(who: Granted<can::DealsRead>, query: Filter<DealsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&DealPage::from(page.map(DealView::from)))
    })
    .await
}

/// Create a deal
///
/// Opens a deal. Without program and partner it is a direct deal; both are fixed once it is created, but that a direct deal
/// which is linked to a registration becomes that partner's, and that an import may give an open deal others.
/// `partner_id` says who made the deal and gives no credit: that is an attribution of its own, to be confirmed before the deal is won. `422` when
/// a referenced record does not exist or the amount has more decimals than its currency.
#[utoipa::path(tag = "Deals", operation_id = "createDeal", request_body = NewDealBody,
    responses((status = 201, description = "The new deal.", body = DealView)),
    extensions(("x-required-permission" = json!("deals:write"))))]
#[post("/v1/deals")]
async fn create_deal(who: Granted<can::DealsWrite>, command: Command<NewDealBody>) -> Reply {
    who.write(command, |tx, ctx, command| {
        let deal = registration::deals::open(tx, ctx, command.body.terms()?)?;
        let (id, version) = (deal.id, deal.row_version);
        Answer::created("deals", id, &DealView::from(deal), version)
    })
    .await
}

/// Get a deal
///
/// One deal, with its version as `ETag`.
#[utoipa::path(tag = "Deals", operation_id = "getDeal", params(DealPath),
    responses((status = 200, description = "The deal.", body = DealView)),
    extensions(("x-required-permission" = json!("deals:read"))))]
#[get("/v1/deals/{deal_id}")]
async fn get_deal(who: Granted<can::DealsRead>, target: Target<DealPath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.deal_id)?))
        .await
}

/// Update a deal
///
/// Changes the fields that are sent, as a JSON merge patch. Amount, product family and type of a won deal are settled:
/// `409 deal_settled`. The stage changes only while the deal is open: `409 wrong_state`. The state changes by its own
/// verbs only.
#[utoipa::path(tag = "Deals", operation_id = "updateDeal", params(DealPath), request_body = PatchDealBody,
    responses((status = 200, description = "The deal as it is now.", body = DealView)),
    extensions(("x-required-permission" = json!("deals:write"))))]
#[patch("/v1/deals/{deal_id}")]
async fn update_deal(
    who: Granted<can::DealsWrite>,
    target: Target<DealPath>,
    command: Command<PatchDealBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let patch = command.body.patch()?;
        record(registration::deals::update(
            tx,
            ctx,
            target.deal_id,
            &command.precondition,
            patch,
        )?)
    })
    .await
}

/// Win a deal
///
/// The customer bought, now or at an earlier instant. In the same transaction the confirmed credits for the deal are
/// settled and what its payments have earned so far is accrued. Only confirmed credit on a deal with a program earns:
/// `warnings` says when there is none though the deal has a partner or a program, when no partner that has it takes part in
/// the program, and when no rule decides. Final. `409` when the deal is not `open`.
#[utoipa::path(tag = "Deals", operation_id = "winDeal", params(DealPath), request_body = Option<WinDealBody>,
    responses((status = 200, description = "The won deal.", body = DealView)),
    extensions(("x-required-permission" = json!("deals:close"))))]
#[post("/v1/deals/{deal_id}/win")]
async fn win_deal(
    who: Granted<can::DealsClose>,
    target: Target<DealPath>,
    command: Command<WinDealBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let won_at = command.body.won_at;
        let (deal, warnings) = deal_won::run(tx, ctx, target.deal_id, &command.precondition, won_at)?;
        let version = deal.row_version;
        let view = DealView {
            warnings,
            ..DealView::from(deal)
        };
        Answer::record(&view, version)
    })
    .await
}

/// Lose a deal
///
/// The customer did not buy; the reason is kept with the deal. It may be reopened. `409` when the deal is not `open`.
#[utoipa::path(tag = "Deals", operation_id = "loseDeal", params(DealPath), request_body = LoseDealBody,
    responses((status = 200, description = "The lost deal.", body = DealView)),
    extensions(("x-required-permission" = json!("deals:close"))))]
#[post("/v1/deals/{deal_id}/lose")]
async fn lose_deal(
    who: Granted<can::DealsClose>,
    target: Target<DealPath>,
    command: Command<LoseDealBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(registration::deals::lose(
            tx,
            ctx,
            target.deal_id,
            &command.precondition,
            &command.body.reason,
            command.body.lost_at,
        )?)
    })
    .await
}

/// Reopen a deal
///
/// Makes a lost deal open again. `409` when the deal is not `lost`.
#[utoipa::path(tag = "Deals", operation_id = "reopenDeal", params(DealPath),
    responses((status = 200, description = "The open deal.", body = DealView)),
    extensions(("x-required-permission" = json!("deals:close"))))]
#[post("/v1/deals/{deal_id}/reopen")]
async fn reopen_deal(
    who: Granted<can::DealsClose>,
    target: Target<DealPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::reopen(tx, ctx, target.deal_id, &command.precondition)?)
    })
    .await
}
