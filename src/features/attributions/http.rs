//! The operations on credits.

use super::dto::{
    AttributionPage, AttributionPath, AttributionView, AttributionsQuery, NewAttributionBody,
    PatchAttributionBody,
};
use super::{Attribution, service};
use crate::flows::late_credit;
use crate::kernel::permission::{Permission, can};
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, ReasonBody, Reply, Target};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_attributions)
        .service(create_attribution)
        .service(get_attribution)
        .service(update_attribution)
        .service(confirm_attribution)
        .service(correct_attribution)
        .service(reject_attribution);
}

fn record(attribution: Attribution) -> Result<Answer, Problem> {
    let version = attribution.row_version;
    Answer::record(&AttributionView::from(attribution), version)
}

/// List attributions
///
/// The credits that you may see, a page at a time. A partner's own caller sees the partner's credits and, for deals that
/// are not hidden, those of partners below it.
#[utoipa::path(tag = "Attributions", operation_id = "listAttributions", params(AttributionsQuery),
    responses((status = 200, description = "One page of attributions.", body = AttributionPage)),
    extensions(("x-required-permission" = json!("attributions:read"))))]
#[get("/v1/attributions")]
async fn list_attributions(who: Granted<can::AttributionsRead>, query: Filter<AttributionsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&AttributionPage::from(page.map(AttributionView::from)))
    })
    .await
}

/// Create an attribution
///
/// Claims credit for a partner; with `confirm` it is confirmed in the same step, for which the key needs
/// `attributions:review` as well. Only confirmed credit earns, and only on a deal that has a program: confirm it before the
/// deal is won. `409` when the partner has credit in this role already, when the confirmed shares of the role would exceed
/// the whole, or when `confirm` is asked on a won deal (claim it without, then correct it). `422` when the deal or the
/// partner does not exist or the partner is not approved.
#[utoipa::path(tag = "Attributions", operation_id = "createAttribution", request_body = NewAttributionBody,
    responses((status = 201, description = "The new attribution.", body = AttributionView)),
    extensions(("x-required-permission" = json!("attributions:write"))))]
#[post("/v1/attributions")]
async fn create_attribution(
    who: Granted<can::AttributionsWrite>,
    command: Command<NewAttributionBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        if command.body.confirm {
            ctx.require(Permission::AttributionsReview)?;
        }
        let attribution = service::create(tx, ctx, command.body.terms())?;
        let (id, version) = (attribution.id, attribution.row_version);
        Answer::created("attributions", id, &AttributionView::from(attribution), version)
    })
    .await
}

/// Get an attribution
///
/// One credit, with its version as `ETag`.
#[utoipa::path(tag = "Attributions", operation_id = "getAttribution", params(AttributionPath),
    responses((status = 200, description = "The attribution.", body = AttributionView)),
    extensions(("x-required-permission" = json!("attributions:read"))))]
#[get("/v1/attributions/{attribution_id}")]
async fn get_attribution(who: Granted<can::AttributionsRead>, target: Target<AttributionPath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.attribution_id)?))
        .await
}

/// Update an attribution
///
/// Changes the fields that are sent, as a JSON merge patch. The share changes only while the credit is `claimed`:
/// otherwise `409`. The state changes by its own verbs only.
#[utoipa::path(tag = "Attributions", operation_id = "updateAttribution", params(AttributionPath), request_body = PatchAttributionBody,
    responses((status = 200, description = "The attribution as it is now.", body = AttributionView)),
    extensions(("x-required-permission" = json!("attributions:write"))))]
#[patch("/v1/attributions/{attribution_id}")]
async fn update_attribution(
    who: Granted<can::AttributionsWrite>,
    target: Target<AttributionPath>,
    command: Command<PatchAttributionBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::update(
            tx,
            ctx,
            target.attribution_id,
            &command.precondition,
            command.body.patch(),
        )?)
    })
    .await
}

/// Confirm an attribution
///
/// Lets a claimed credit count and earn. `409` when it is not `claimed`, when the partner is not approved, when the
/// confirmed shares of its role on the deal would exceed 10,000 basis points (the problem says how many are left), or
/// when the deal is won already.
#[utoipa::path(tag = "Attributions", operation_id = "confirmAttribution", params(AttributionPath),
    responses((status = 200, description = "The confirmed attribution.", body = AttributionView)),
    extensions(("x-required-permission" = json!("attributions:review"))))]
#[post("/v1/attributions/{attribution_id}/confirm")]
async fn confirm_attribution(
    who: Granted<can::AttributionsReview>,
    target: Target<AttributionPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::confirm(
            tx,
            ctx,
            target.attribution_id,
            &command.precondition,
        )?)
    })
    .await
}

/// Correct an attribution
///
/// Lets a claimed credit count on a deal that is won already, as a recorded correction with its reason: it is confirmed
/// and settled at once, and what the deal's payments have earned so far is accrued under the rules that were in force
/// when it was won. Only where the role has no confirmed credit on the deal (`deal_settled`): a split by which money was
/// shared out stays as it is. `409` when the credit is not `claimed`, the deal is not won or the partner is not approved.
#[utoipa::path(tag = "Attributions", operation_id = "correctAttribution", params(AttributionPath), request_body = ReasonBody,
    responses((status = 200, description = "The settled attribution.", body = AttributionView)),
    extensions(("x-required-permission" = json!("attributions:review")),
        ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/attributions/{attribution_id}/correct")]
async fn correct_attribution(
    who: Granted<can::AttributionsReview>,
    target: Target<AttributionPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(late_credit::run(
            tx,
            ctx,
            target.attribution_id,
            &command.precondition,
            &command.body.reason,
        )?)
    })
    .await
}

/// Reject an attribution
///
/// Does not let a claimed credit count. Final; a reason is kept. `409` when it is not `claimed`.
#[utoipa::path(tag = "Attributions", operation_id = "rejectAttribution", params(AttributionPath), request_body = ReasonBody,
    responses((status = 200, description = "The rejected attribution.", body = AttributionView)),
    extensions(("x-required-permission" = json!("attributions:review"))))]
#[post("/v1/attributions/{attribution_id}/reject")]
async fn reject_attribution(
    who: Granted<can::AttributionsReview>,
    target: Target<AttributionPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::reject(
            tx,
            ctx,
            target.attribution_id,
            &command.precondition,
            &command.body.reason,
        )?)
    })
    .await
}
