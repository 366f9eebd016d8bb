//! The operations on commissions and clawbacks.

use super::dto::{
    ApproveDueBody, ApprovedView, ClawbackPage, ClawbackPath, ClawbackView, ClawbacksQuery, CommissionPage,
    CommissionPath, CommissionView, CommissionsQuery, ExplanationView, PreviewBody, PreviewView,
    VerificationView,
};
use super::{Commission, preview, service};
use crate::flows::commission_approval;
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, AsOf, Command, Filter, Granted, Nothing, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(preview_commissions)
        .service(list_commissions)
        .service(approve_due_commissions)
        .service(get_commission)
        .service(explain_commission)
        .service(verify_commission)
        .service(approve_commission)
        .service(list_clawbacks)
        .service(get_clawback);
}

fn record(line: Commission) -> Result<Answer, Problem> {
    let version = line.row_version;
    Answer::record(&CommissionView::new(line)?, version)
}

/// Preview commissions
///
/// What each partner would earn on a deal and payments that need not exist, when and why: by the rules that would decide,
/// with drafts taken as active where you name them, from where the partners stand now. What is exchanged as it is earned
/// is shown exchanged, by the rates that are known now. Writes nothing. `422` for partners, programs or drafts that there
/// are not.
#[utoipa::path(tag = "Commission Rules", operation_id = "previewCommissions", request_body = PreviewBody,
    responses((status = 200, description = "What would be earned.", body = PreviewView)),
    extensions(("x-required-permission" = json!("commission_rules:read"))))]
#[post("/v1/commission-rules/preview")]
async fn preview_commissions(who: Granted<can::CommissionRulesRead>, command: Command<PreviewBody>) -> Reply {
    let body = command.body;
    who.snapshot(move |tx, ctx| {
        let foreseen = preview::preview(tx, ctx, &body.question()?)?;
        Answer::ok(&PreviewView::new(foreseen)?)
    })
    .await
}

/// List commissions
///
/// The earned lines that you may see, a page at a time. A partner's own key sees its own lines alone.
#[utoipa::path(tag = "Commissions", operation_id = "listCommissions", params(CommissionsQuery),
    responses((status = 200, description = "One page of commissions.", body = CommissionPage)),
    extensions(("x-required-permission" = json!("commissions:read"))))]
#[get("/v1/commissions")]
async fn list_commissions(who: Granted<can::CommissionsRead>, query: Filter<CommissionsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        let rows = page
            .rows
            .into_iter()
            .map(CommissionView::new)
            .collect::<Result<Vec<_>, _>>()?;
        Answer::ok(&CommissionPage::from(crate::platform::db::Page {
            rows,
            next_cursor: page.next_cursor,
        }))
    })
    .await
}

/// Approve due commissions
///
/// Approves every commission of the scope whose hold is over and nobody has approved, and posts them as payable. The
/// answer says how many and how much; with none due it is an approval of zero.
#[utoipa::path(tag = "Commissions", operation_id = "approveDueCommissions", request_body = ApproveDueBody,
    responses((status = 200, description = "What was approved.", body = ApprovedView)),
    extensions(("x-required-permission" = json!("commissions:approve")), ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/commission-approvals")]
async fn approve_due_commissions(
    who: Granted<can::CommissionsApprove>,
    command: Command<ApproveDueBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        let moved = commission_approval::of_due(tx, ctx, &command.body.scope())?;
        Answer::ok(&ApprovedView::new(&moved)?)
    })
    .await
}

/// Get a commission
///
/// One earned line, with its version as `ETag`; now, or as it was known at an instant: where it stood by the journal, and
/// what had been taken back by then. What was earned never changes. `404` for what was not there yet.
#[utoipa::path(tag = "Commissions", operation_id = "getCommission", params(CommissionPath, AsOf),
    responses((status = 200, description = "The commission.", body = CommissionView)),
    extensions(("x-required-permission" = json!("commissions:read"))))]
#[get("/v1/commissions/{commission_id}")]
async fn get_commission(
    who: Granted<can::CommissionsRead>,
    target: Target<CommissionPath>,
    query: Filter<AsOf>,
) -> Reply {
    let id = target.commission_id;
    let Some(instant) = query.as_of else {
        return who.read(move |tx, ctx| record(service::get(tx, ctx, id)?)).await;
    };
    who.snapshot(move |tx, ctx| {
        let line = service::get_as_of(tx, ctx, id, instant)?;
        let row_version = line.row_version;
        AsOf::answer(&CommissionView::new(line)?, row_version, instant)
    })
    .await
}

/// Explain a commission
///
/// Why the commission has its amount: the money that went in, the rule version that decided and the rules that lost,
/// the share, every step of the arithmetic, and the exchange, where there was one; as data and in sentences, which also say
/// what was taken back since.
#[utoipa::path(tag = "Commissions", operation_id = "explainCommission", params(CommissionPath),
    responses((status = 200, description = "The explanation.", body = ExplanationView)),
    extensions(("x-required-permission" = json!("commissions:read"))))]
#[get("/v1/commissions/{commission_id}/explanation")]
async fn explain_commission(who: Granted<can::CommissionsRead>, target: Target<CommissionPath>) -> Reply {
    who.read(move |tx, ctx| {
        let line = service::get(tx, ctx, target.commission_id)?;
        let (explanation, exchange) = service::explanation(tx, ctx, line.id)?;
        Answer::ok(&ExplanationView::new(
            &line,
            &explanation,
            exchange.as_ref(),
            &ctx.scope,
        )?)
    })
    .await
}

/// Verify a commission
///
/// Computes the amount again from the stored explanation alone, and its exchange from the stored rates, and compares them
/// with what was posted.
#[utoipa::path(tag = "Commissions", operation_id = "verifyCommission", params(CommissionPath),
    responses((status = 200, description = "Both amounts, and whether they agree.", body = VerificationView)),
    extensions(("x-required-permission" = json!("commissions:read"))))]
#[get("/v1/commissions/{commission_id}/verification")]
async fn verify_commission(who: Granted<can::CommissionsRead>, target: Target<CommissionPath>) -> Reply {
    who.read(move |tx, ctx| {
        let line = service::get(tx, ctx, target.commission_id)?;
        let (explanation, exchange) = service::explanation(tx, ctx, target.commission_id)?;
        Answer::ok(&VerificationView::new(&line, &explanation, exchange.as_ref())?)
    })
    .await
}

/// Approve a commission
///
/// Approves one due commission and posts it as payable. `409` when its hold is not over or it is approved already.
#[utoipa::path(tag = "Commissions", operation_id = "approveCommission", params(CommissionPath),
    responses((status = 200, description = "The approved commission.", body = CommissionView)),
    extensions(("x-required-permission" = json!("commissions:approve")), ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/commissions/{commission_id}/approve")]
async fn approve_commission(
    who: Granted<can::CommissionsApprove>,
    target: Target<CommissionPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(commission_approval::of_one(
            tx,
            ctx,
            target.commission_id,
            &command.precondition,
        )?)
    })
    .await
}

/// List clawbacks
///
/// What was taken back from commissions because money went back to customers, and what was given back because money came in
/// again, newest first.
#[utoipa::path(tag = "Commissions", operation_id = "listClawbacks", params(ClawbacksQuery),
    responses((status = 200, description = "One page of clawbacks.", body = ClawbackPage)),
    extensions(("x-required-permission" = json!("commissions:read"))))]
#[get("/v1/clawbacks")]
async fn list_clawbacks(who: Granted<can::CommissionsRead>, query: Filter<ClawbacksQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list_clawbacks(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&ClawbackPage::from(page.map(ClawbackView::from)))
    })
    .await
}

/// Get a clawback
///
/// What one refund took back from one commission, and how that came about. A refund takes in proportion: what is due back
/// is the commission times all that was refunded of its payment, rounded once, and this clawback is what of that had not
/// been taken back before; when all is refunded, nothing is left. Of a line of a tiered rule the part is taken at the
/// line's own amount; the volume that the refund undoes no longer counts for the lines that come after it. Where money came
/// in again, less of the payment stays refunded, and what was taken beyond that is given back: the amount is below zero.
#[utoipa::path(tag = "Commissions", operation_id = "getClawback", params(ClawbackPath),
    responses((status = 200, description = "The clawback.", body = ClawbackView)),
    extensions(("x-required-permission" = json!("commissions:read"))))]
#[get("/v1/clawbacks/{clawback_id}")]
async fn get_clawback(who: Granted<can::CommissionsRead>, target: Target<ClawbackPath>) -> Reply {
    who.read(move |tx, ctx| {
        let clawback = service::get_clawback(tx, ctx, target.clawback_id)?;
        let version = clawback.row_version;
        Answer::record(&ClawbackView::from(clawback), version)
    })
    .await
}
