//! The operations on payouts.

use super::super::dto::{
    ConfirmPayoutBody, PayoutItemPage, PayoutItemView, PayoutItemsQuery, PayoutPage, PayoutPath, PayoutView,
    PayoutsQuery, ReturnPayoutBody,
};
use super::super::{Payout, service};
use crate::flows::payout_run;
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, ReasonBody, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_payouts)
        .service(get_payout)
        .service(confirm_payout)
        .service(fail_payout)
        .service(return_payout)
        .service(list_payout_items);
}

fn record(payout: Payout) -> Result<Answer, Problem> {
    let version = payout.row_version;
    Answer::record(&PayoutView::from(payout), version)
}

/// List payouts
///
/// The payouts that you may see, a page at a time. A partner's own key sees its own ones from `processing` on.
#[utoipa::path(tag = "Payouts", operation_id = "listPayouts", params(PayoutsQuery),
    responses((status = 200, description = "One page of payouts.", body = PayoutPage)),
    extensions(("x-required-permission" = json!("payouts:read"))))]
#[get("/v1/payouts")]
async fn list_payouts(who: Granted<can::PayoutsRead>, query: Filter<PayoutsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&PayoutPage::from(page.map(PayoutView::from)))
    })
    .await
}

/// Get a payout
///
/// One payout, with its version as `ETag`.
#[utoipa::path(tag = "Payouts", operation_id = "getPayout", params(PayoutPath),
    responses((status = 200, description = "The payout.", body = PayoutView)),
    extensions(("x-required-permission" = json!("payouts:read"))))]
#[get("/v1/payouts/{payout_id}")]
async fn get_payout(who: Granted<can::PayoutsRead>, target: Target<PayoutPath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.payout_id)?))
        .await
}

/// Confirm a payout
///
/// Records that a payout that was `processing` is paid. The last open payout of a run completes the run. `409
/// payout_in_transit` while the service itself is paying it.
#[utoipa::path(tag = "Payouts", operation_id = "confirmPayout", params(PayoutPath), request_body = ConfirmPayoutBody,
    responses((status = 200, description = "The paid payout.", body = PayoutView)),
    extensions(("x-required-permission" = json!("payouts:confirm")),
        ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/payouts/{payout_id}/confirm")]
async fn confirm_payout(
    who: Granted<can::PayoutsConfirm>,
    target: Target<PayoutPath>,
    command: Command<ConfirmPayoutBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let confirmation = command.body.confirmation(ctx.now)?;
        record(payout_run::confirm(
            tx,
            ctx,
            target.payout_id,
            &command.precondition,
            &confirmation,
        )?)
    })
    .await
}

/// Fail a payout
///
/// Records that a payout that was `processing` could not be paid. Its amount is payable again and a later run pays it. `409
/// payout_in_transit` while the service itself is paying it: what was ordered could be paid twice.
#[utoipa::path(tag = "Payouts", operation_id = "failPayout", params(PayoutPath), request_body = ReasonBody,
    responses((status = 200, description = "The failed payout.", body = PayoutView)),
    extensions(("x-required-permission" = json!("payouts:confirm")),
        ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/payouts/{payout_id}/fail")]
async fn fail_payout(
    who: Granted<can::PayoutsConfirm>,
    target: Target<PayoutPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(payout_run::fail(
            tx,
            ctx,
            target.payout_id,
            &command.precondition,
            &command.body.reason,
        )?)
    })
    .await
}

/// Return a payout
///
/// Records that a paid payout came back. Its amount is payable again and a later run pays it.
#[utoipa::path(tag = "Payouts", operation_id = "returnPayout", params(PayoutPath), request_body = ReturnPayoutBody,
    responses((status = 200, description = "The returned payout.", body = PayoutView)),
    extensions(("x-required-permission" = json!("payouts:confirm")),
        ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/payouts/{payout_id}/return")]
async fn return_payout(
    who: Granted<can::PayoutsConfirm>,
    target: Target<PayoutPath>,
    command: Command<ReturnPayoutBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(payout_run::bounce(
            tx,
            ctx,
            target.payout_id,
            &command.precondition,
            &command.body.reason,
            command.body.returned_at,
        )?)
    })
    .await
}

/// List payout items
///
/// The lines that payouts consist of, a page at a time. A partner's own key sees those of the payouts that it sees.
#[utoipa::path(tag = "Payouts", operation_id = "listPayoutItems", params(PayoutItemsQuery),
    responses((status = 200, description = "One page of payout items.", body = PayoutItemPage)),
    extensions(("x-required-permission" = json!("payouts:read"))))]
#[get("/v1/payout-items")]
async fn list_payout_items(who: Granted<can::PayoutsRead>, query: Filter<PayoutItemsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list_items(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&PayoutItemPage::from(page.map(PayoutItemView::from)))
    })
    .await
}
