//! The operations on adjustments.

use super::dto::{
    AdjustmentPage, AdjustmentPath, AdjustmentView, AdjustmentsQuery, ApproveProposedBody,
    ApprovedAdjustmentsView, NewAdjustmentBody,
};
use super::{Adjustment, service};
use crate::flows::adjustment_decided;
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, ReasonBody, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_adjustments)
        .service(create_adjustment)
        .service(approve_proposed_adjustments)
        .service(get_adjustment)
        .service(approve_adjustment)
        .service(refuse_adjustment)
        .service(withdraw_adjustment);
}

fn record(adjustment: Adjustment) -> Result<Answer, Problem> {
    let version = adjustment.row_version;
    Answer::record(&AdjustmentView::from(adjustment), version)
}

/// List adjustments
///
/// The adjustments that you may see, newest first, a page at a time. A partner's own caller sees its approved ones.
#[utoipa::path(tag = "Adjustments", operation_id = "listAdjustments", params(AdjustmentsQuery),
    responses((status = 200, description = "One page of adjustments.", body = AdjustmentPage)),
    extensions(("x-required-permission" = json!("adjustments:read"))))]
#[get("/v1/adjustments")]
async fn list_adjustments(who: Granted<can::AdjustmentsRead>, query: Filter<AdjustmentsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&AdjustmentPage::from(page.map(AdjustmentView::from)))
    })
    .await
}

/// Propose an adjustment
///
/// Proposes to give an amount to a partner, or to take one from it. It counts for nothing before a second person has
/// approved it. With the reason `write_off` it gives up what a partner owes and will not pay back, such as one that left;
/// `409 write_off_exceeds_debt` for more than that. What comes in again of the same money later is given back whole: whoever
/// wants a write-off back then proposes a correction below zero.
///
/// An advance, such as a guaranteed draw, is two adjustments with the reason `advance`: one above zero, which the next run
/// pays, and its opposite, to be approved after the cut-off of that run. The balance goes below zero by it, is carried
/// forward from run to run, and what the partner earns later pays it back.
#[utoipa::path(tag = "Adjustments", operation_id = "createAdjustment", request_body = NewAdjustmentBody,
    responses((status = 201, description = "The proposed adjustment.", body = AdjustmentView)),
    extensions(("x-required-permission" = json!("adjustments:write")), ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/adjustments")]
async fn create_adjustment(
    who: Granted<can::AdjustmentsWrite>,
    command: Command<NewAdjustmentBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        let adjustment = service::propose(tx, ctx, command.body.terms()?)?;
        let (id, version) = (adjustment.id, adjustment.row_version);
        Answer::created("adjustments", id, &AdjustmentView::from(adjustment), version)
    })
    .await
}

/// Approve proposed adjustments
///
/// Approves every adjustment that a recalculation proposed and nobody has decided, all or none, as if each were approved by
/// itself. The answer says how many and how much; with none proposed it is an approval of zero. `409
/// second_person_required` for the person who asked for the recalculation.
#[utoipa::path(tag = "Adjustments", operation_id = "approveProposedAdjustments", request_body = ApproveProposedBody,
    responses((status = 200, description = "What was approved.", body = ApprovedAdjustmentsView)),
    extensions(("x-required-permission" = json!("adjustments:approve")),
        ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/adjustment-approvals")]
async fn approve_proposed_adjustments(
    who: Granted<can::AdjustmentsApprove>,
    command: Command<ApproveProposedBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        let approved = adjustment_decided::of_recalculation(tx, ctx, command.body.backtest_id)?;
        Answer::ok(&ApprovedAdjustmentsView::new(&approved)?)
    })
    .await
}

/// Get an adjustment
///
/// One adjustment, with its version as `ETag`.
#[utoipa::path(tag = "Adjustments", operation_id = "getAdjustment", params(AdjustmentPath),
    responses((status = 200, description = "The adjustment.", body = AdjustmentView)),
    extensions(("x-required-permission" = json!("adjustments:read"))))]
#[get("/v1/adjustments/{adjustment_id}")]
async fn get_adjustment(who: Granted<can::AdjustmentsRead>, target: Target<AdjustmentPath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.adjustment_id)?))
        .await
}

/// Approve an adjustment
///
/// Changes the partner's balance by it and enters that in the ledger; the next payout run of the program pays it or
/// sets it off. What was approved is corrected by another adjustment. `409 second_person_required` for the person who
/// proposed it. A write-off has an account of its own in the ledger, and counts for no more than what the partner owes at
/// this moment: else `409 write_off_exceeds_debt`. What a correction of credit gives more waits for the commissions that it
/// follows from: `409 commission_on_hold` while one of them is on hold or not approved; and whatever it means for one that is
/// still to be exchanged waits until it was, and is proposed anew in that currency.
#[utoipa::path(tag = "Adjustments", operation_id = "approveAdjustment", params(AdjustmentPath),
    responses((status = 200, description = "The approved adjustment.", body = AdjustmentView)),
    extensions(("x-required-permission" = json!("adjustments:approve")),
        ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/adjustments/{adjustment_id}/approve")]
async fn approve_adjustment(
    who: Granted<can::AdjustmentsApprove>,
    target: Target<AdjustmentPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(adjustment_decided::of_one(
            tx,
            ctx,
            target.adjustment_id,
            &command.precondition,
        )?)
    })
    .await
}

/// Refuse an adjustment
///
/// Does not approve a proposed adjustment. Final; a reason is kept. `409` when it is not `proposed`.
#[utoipa::path(tag = "Adjustments", operation_id = "refuseAdjustment", params(AdjustmentPath), request_body = ReasonBody,
    responses((status = 200, description = "The refused adjustment.", body = AdjustmentView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("adjustments:approve"))))]
#[post("/v1/adjustments/{adjustment_id}/refuse")]
async fn refuse_adjustment(
    who: Granted<can::AdjustmentsApprove>,
    target: Target<AdjustmentPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(adjustment_decided::refuse(
            tx,
            ctx,
            target.adjustment_id,
            &command.precondition,
            &command.body.reason,
        )?)
    })
    .await
}

/// Withdraw an adjustment
///
/// Takes a proposed adjustment back. Final. `409` when it is not `proposed`.
#[utoipa::path(tag = "Adjustments", operation_id = "withdrawAdjustment", params(AdjustmentPath),
    responses((status = 200, description = "The withdrawn adjustment.", body = AdjustmentView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("adjustments:write"))))]
#[post("/v1/adjustments/{adjustment_id}/withdraw")]
async fn withdraw_adjustment(
    who: Granted<can::AdjustmentsWrite>,
    target: Target<AdjustmentPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(adjustment_decided::withdraw(
            tx,
            ctx,
            target.adjustment_id,
            &command.precondition,
        )?)
    })
    .await
}
