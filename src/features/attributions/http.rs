//! The operations on credits.

use super::dto::{
    AttributionPage, AttributionPath, AttributionView, AttributionsQuery, ConfirmAttributionBody,
    CorrectAttributionBody, NewAttributionBody, PatchAttributionBody,
};
use super::{Attribution, service};
use crate::flows::late_credit;
use crate::kernel::ctx::Ctx;
use crate::kernel::permission::{Permission, can};
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, AsOf, Command, Filter, Granted, ReasonBody, Reply, Target};
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

fn record(ctx: &Ctx, attribution: Attribution) -> Result<Answer, Problem> {
    let version = attribution.row_version;
    Answer::record(&AttributionView::new(ctx, attribution), version)
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
        Answer::ok(&AttributionPage::from(
            page.map(|credit| AttributionView::new(ctx, credit)),
        ))
    })
    .await
}

/// Create an attribution
///
/// Claims credit for a partner, with touchpoints as evidence where there are some; with `confirm` it is confirmed in the
/// same step, for which the key needs `attributions:review` as well. A partner's caller claims for its own partner, on
/// deals that it sees, without `external_id`; a reviewer confirms or rejects the claim. Only confirmed credit earns, and only
/// on a deal that has a program: confirm it before the deal is won. `409` when the partner has credit in this role already,
/// when the confirmed shares of the role would exceed the whole, or when `confirm` is asked on a won deal (claim it without,
/// then correct it). `422` when the deal or the partner does not exist or the partner is not approved. From then on: claimed
/// → confirmed | rejected; confirmed → confirmed | rejected, of which the latter is a correction of settled credit.
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
        Answer::created(
            "attributions",
            id,
            &AttributionView::new(ctx, attribution),
            version,
        )
    })
    .await
}

/// Get an attribution
///
/// One credit, with its version as `ETag`; now, or with the share and the state that were known at an instant. `404` for
/// what was not there yet.
#[utoipa::path(tag = "Attributions", operation_id = "getAttribution", params(AttributionPath, AsOf),
    responses((status = 200, description = "The attribution.", body = AttributionView)),
    extensions(("x-required-permission" = json!("attributions:read"))))]
#[get("/v1/attributions/{attribution_id}")]
async fn get_attribution(
    who: Granted<can::AttributionsRead>,
    target: Target<AttributionPath>,
    query: Filter<AsOf>,
) -> Reply {
    let id = target.attribution_id;
    let Some(instant) = query.as_of else {
        return who
            .read(move |tx, ctx| record(ctx, service::get(tx, ctx, id)?))
            .await;
    };
    who.snapshot(move |tx, ctx| {
        let attribution = service::get_as_of(tx, ctx, id, instant)?;
        let row_version = attribution.row_version;
        AsOf::answer(&AttributionView::new(ctx, attribution), row_version, instant)
    })
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
        record(
            ctx,
            service::update(
                tx,
                ctx,
                target.attribution_id,
                &command.precondition,
                command.body.patch(),
            )?,
        )
    })
    .await
}

/// Confirm an attribution
///
/// Lets a claimed credit count and earn, with the share that is claimed or the one in the body. `409` when it is not `claimed`, when the partner is not approved, when the
/// confirmed shares of its role on the deal would exceed 10,000 basis points (the problem says how many are left), or
/// when the deal is won already.
#[utoipa::path(tag = "Attributions", operation_id = "confirmAttribution", params(AttributionPath),
    request_body = Option<ConfirmAttributionBody>,
    responses((status = 200, description = "The confirmed attribution.", body = AttributionView)),
    extensions(("x-required-permission" = json!("attributions:review"))))]
#[post("/v1/attributions/{attribution_id}/confirm")]
async fn confirm_attribution(
    who: Granted<can::AttributionsReview>,
    target: Target<AttributionPath>,
    command: Command<ConfirmAttributionBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(
            ctx,
            service::confirm(
                tx,
                ctx,
                target.attribution_id,
                &command.precondition,
                command.body.share_basis_points,
            )?,
        )
    })
    .await
}

/// Correct an attribution
///
/// A recorded correction, with its reason, on a deal that is won already. A claim is confirmed and settled at once, and
/// what the deal's payments have earned so far is accrued under the rules that were in force when it was won; only
/// where the role has no confirmed credit (`deal_settled`), because its money was shared out among the others. Settled
/// credit gets another share, or none with 0: payments from now on follow it, and for what the credit earned before, an
/// adjustment per partner, program and currency is proposed, which a second person approves or refuses. Money of it that goes
/// back or comes in again later proposes its part of that by itself; `attribution_id` of an adjustment names the
/// credit. The volume that tiered rules count keeps the share with which it was earned. To move credit from one partner to another, correct the one down before the other up. `409` when the credit
/// is neither claimed nor settled, the deal is not won, the partner of a claim is not approved, or the shares would
/// exceed the whole.
#[utoipa::path(tag = "Attributions", operation_id = "correctAttribution", params(AttributionPath), request_body = CorrectAttributionBody,
    responses((status = 200, description = "The settled attribution.", body = AttributionView)),
    extensions(("x-required-permission" = json!("attributions:review")),
        ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/attributions/{attribution_id}/correct")]
async fn correct_attribution(
    who: Granted<can::AttributionsReview>,
    target: Target<AttributionPath>,
    command: Command<CorrectAttributionBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(
            ctx,
            late_credit::run(
                tx,
                ctx,
                target.attribution_id,
                &command.precondition,
                command.body.share_basis_points,
                &command.body.reason,
            )?,
        )
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
        record(
            ctx,
            service::reject(
                tx,
                ctx,
                target.attribution_id,
                &command.precondition,
                &command.body.reason,
            )?,
        )
    })
    .await
}
