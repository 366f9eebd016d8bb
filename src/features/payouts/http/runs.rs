//! The operations on payout runs.

use super::super::domain::Report;
use super::super::dto::{
    CarryForwardView, CarryForwardsQuery, ConfirmPayoutBody, NewPayoutRunBody, PayoutCarryForwardPage,
    PayoutRunPage, PayoutRunPath, PayoutRunView, PayoutRunsQuery,
};
use super::super::service;
use crate::flows::payout_run;
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, ReasonBody, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_payout_runs)
        .service(create_payout_run)
        .service(get_payout_run)
        .service(approve_payout_run)
        .service(process_payout_run)
        .service(confirm_payout_run)
        .service(cancel_payout_run)
        .service(get_payout_run_file)
        .service(list_payout_carry_forwards);
}

fn record(report: Report) -> Result<Answer, Problem> {
    let version = report.run.row_version;
    Answer::record(&PayoutRunView::from(report), version)
}

/// List payout runs
///
/// The payout runs with what each adds up to, a page at a time.
#[utoipa::path(tag = "Payout Runs", operation_id = "listPayoutRuns", params(PayoutRunsQuery),
    responses((status = 200, description = "One page of payout runs.", body = PayoutRunPage)),
    extensions(("x-required-permission" = json!("payout_runs:read"))))]
#[get("/v1/payout-runs")]
async fn list_payout_runs(who: Granted<can::PayoutRunsRead>, query: Filter<PayoutRunsQuery>) -> Reply {
    who.snapshot(move |tx, ctx| {
        let page = service::list_runs(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&PayoutRunPage::from(page.map(PayoutRunView::from)))
    })
    .await
}

/// Draft a payout run
///
/// Computes per partner, program and currency what is payable at the cut-off: approved commissions that were released
/// by then, less clawbacks. A payout is proposed where that is above zero, at least the program's minimum, and the
/// partner is approved; anything else is carried forward with the reason. The rails `csv` and `sepa` also want a confirmed
/// bank account in the currency that has cooled off; `sepa` pays euros to accounts of the single euro payments area, from
/// the organization's `payout_debtor_iban`. `stripe` wants a confirmed Stripe account instead.
///
/// `partner_ids` and `excluded_partner_ids` narrow the run: who is left out by them is not in it at all, and waits for a
/// later one. A draft is the preview: it reserves nothing, its payouts, their items and what is carried forward can be
/// read, and it may have nothing to pay; cancel it and draft another one as often as you like. `422` with a pointer for an
/// unknown partner.
#[utoipa::path(tag = "Payout Runs", operation_id = "createPayoutRun", request_body = NewPayoutRunBody,
    responses((status = 201, description = "The drafted run.", body = PayoutRunView)),
    extensions(("x-required-permission" = json!("payout_runs:write"))))]
#[post("/v1/payout-runs")]
async fn create_payout_run(who: Granted<can::PayoutRunsWrite>, command: Command<NewPayoutRunBody>) -> Reply {
    let stripe = who.state().stripe.clone();
    who.write(command, move |tx, ctx, command| {
        let key = stripe
            .as_ref()
            .and_then(|stripe| stripe.mode_for(ctx.organization_id()));
        let report = service::draft(tx, ctx, command.body.terms(), key)?;
        let (id, version) = (report.run.id, report.run.row_version);
        Answer::created("payout-runs", id, &PayoutRunView::from(report), version)
    })
    .await
}

/// Get a payout run
///
/// One payout run with what it adds up to. Its version, the `ETag`, counts the changes of its payouts too.
#[utoipa::path(tag = "Payout Runs", operation_id = "getPayoutRun", params(PayoutRunPath),
    responses((status = 200, description = "The payout run.", body = PayoutRunView)),
    extensions(("x-required-permission" = json!("payout_runs:read"))))]
#[get("/v1/payout-runs/{payout_run_id}")]
async fn get_payout_run(who: Granted<can::PayoutRunsRead>, target: Target<PayoutRunPath>) -> Reply {
    who.snapshot(move |tx, ctx| record(service::get_run(tx, ctx, target.payout_run_id)?))
        .await
}

/// Approve a payout run
///
/// Computes the run once more under lock and sets its lines aside, so that no other run pays them. Whoever drafted the
/// run cannot approve it (`second_person_required`), with whichever key: nor with one whose secret they made, nor when
/// they made the secret of the key that it was drafted with. A run whose lines are no longer those of the draft is
/// refused (`payout_run_stale`): cancel it and draft another one.
#[utoipa::path(tag = "Payout Runs", operation_id = "approvePayoutRun", params(PayoutRunPath),
    responses((status = 200, description = "The approved run.", body = PayoutRunView)),
    extensions(("x-required-permission" = json!("payout_runs:approve")),
        ("x-requires-idempotency-key" = json!(true)), ("x-requires-if-match" = json!(true))))]
#[post("/v1/payout-runs/{payout_run_id}/approve")]
async fn approve_payout_run(
    who: Granted<can::PayoutRunsApprove>,
    target: Target<PayoutRunPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let precondition = &command.precondition;
        record(payout_run::approve(tx, ctx, target.payout_run_id, precondition)?)
    })
    .await
}

/// Process a payout run
///
/// Begins to pay an approved run: its payouts are `processing` until each is confirmed or fails, and their partners
/// see them. A payout whose payout method was withdrawn or replaced since the approval, or whose partner was suspended or
/// terminated, is cancelled instead, and waits for a later run. A run without payouts is completed at once. On the rail
/// `stripe` the service itself orders the transfers in the background and confirms or fails each payout by what Stripe
/// answers; an answer that is lost is looked for, and the transfer never ordered anew.
#[utoipa::path(tag = "Payout Runs", operation_id = "processPayoutRun", params(PayoutRunPath),
    responses((status = 200, description = "The run that is being processed.", body = PayoutRunView)),
    extensions(("x-required-permission" = json!("payout_runs:process")),
        ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/payout-runs/{payout_run_id}/process")]
async fn process_payout_run(
    who: Granted<can::PayoutRunsProcess>,
    target: Target<PayoutRunPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let precondition = &command.precondition;
        record(payout_run::process(tx, ctx, target.payout_run_id, precondition)?)
    })
    .await
}

/// Confirm a payout run
///
/// Confirms every payout of the run that is still `processing`, which completes the run. Payouts that were confirmed
/// or failed before stay as they are. `409 payout_in_transit` where the service itself is paying one.
#[utoipa::path(tag = "Payout Runs", operation_id = "confirmPayoutRun", params(PayoutRunPath),
    request_body = ConfirmPayoutBody,
    responses((status = 200, description = "The completed run.", body = PayoutRunView)),
    extensions(("x-required-permission" = json!("payouts:confirm")),
        ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/payout-runs/{payout_run_id}/confirm")]
async fn confirm_payout_run(
    who: Granted<can::PayoutsConfirm>,
    target: Target<PayoutRunPath>,
    command: Command<ConfirmPayoutBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let confirmation = command.body.confirmation(ctx.now)?;
        record(payout_run::confirm_all(
            tx,
            ctx,
            target.payout_run_id,
            &command.precondition,
            &confirmation,
        )?)
    })
    .await
}

/// Cancel a payout run
///
/// Gives up a run that is not yet being processed. What an approved run set aside goes back and waits for a later run.
#[utoipa::path(tag = "Payout Runs", operation_id = "cancelPayoutRun", params(PayoutRunPath),
    request_body = ReasonBody,
    responses((status = 200, description = "The cancelled run.", body = PayoutRunView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("payout_runs:write")),
        ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/payout-runs/{payout_run_id}/cancel")]
async fn cancel_payout_run(
    who: Granted<can::PayoutRunsWrite>,
    target: Target<PayoutRunPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(payout_run::cancel(
            tx,
            ctx,
            target.payout_run_id,
            &command.precondition,
            &command.body.reason,
        )?)
    })
    .await
}

/// Download a payout run's file
///
/// The payments of a run as a file for your bank: a list for the rail `csv`, an ISO 20022 order of SEPA credit transfers
/// (`pain.001.001.09`) for `sepa`. It has whole account numbers, is the same bytes each time, and each download is kept in
/// the audit trail. `409` `payout_run_has_no_file` before the run is processed, when nobody is paid, and for `manual` and `stripe`.
#[utoipa::path(tag = "Payout Runs", operation_id = "getPayoutRunFile", params(PayoutRunPath),
    responses((status = 200, description = "The file.", content((String = "text/csv",
        example = json!("payout_id,partner_id,account_holder,iban,bic,amount,currency,reference\r\npyt_01j9zq4y8k7m5n3p2r1s0t6v4w,ptn_01j9zq4y8k7m5n3p2r1s0t6v4w,Nordlicht Consulting,DE89370400440532013000,,1250.00,EUR,pyt-01j9zq4y8k7m5n3p2r1s0t6v4w\r\n")),
        (String = "application/xml",
        example = json!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\"/>"))))),
    extensions(("x-depends-on-state" = json!(true)), ("x-required-permission" = json!("payout_runs:process"))))]
#[get("/v1/payout-runs/{payout_run_id}/file")]
async fn get_payout_run_file(who: Granted<can::PayoutRunsProcess>, target: Target<PayoutRunPath>) -> Reply {
    who.recorded(move |tx, ctx| {
        let (id, file) = service::file(tx, ctx, target.payout_run_id)?;
        let name = format!("attachment; filename=\"{id}.{}\"", file.extension);
        Ok(Answer::text(file.media_type, file.bytes)
            .with("Content-Disposition", name)
            .with("Cache-Control", "no-store"))
    })
    .await
}

/// List carry-forwards
///
/// What payout runs left for later ones and why, a page at a time. It says what was so when the run was drafted.
#[utoipa::path(tag = "Payout Runs", operation_id = "listPayoutCarryForwards", params(CarryForwardsQuery),
    responses((status = 200, description = "One page of carry-forwards.", body = PayoutCarryForwardPage)),
    extensions(("x-required-permission" = json!("payout_runs:read"))))]
#[get("/v1/payout-carry-forwards")]
async fn list_payout_carry_forwards(
    who: Granted<can::PayoutRunsRead>,
    query: Filter<CarryForwardsQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list_carry_forwards(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&PayoutCarryForwardPage::from(page.map(CarryForwardView::from)))
    })
    .await
}
