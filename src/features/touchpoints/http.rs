//! The operations on touchpoints.

use super::dto::{NewTouchpointBody, TouchpointPage, TouchpointPath, TouchpointView, TouchpointsQuery};
use super::{Touchpoint, service};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, ReasonBody, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_touchpoints)
        .service(create_touchpoint)
        .service(get_touchpoint)
        .service(void_touchpoint);
}

fn record(touchpoint: Touchpoint) -> Result<Answer, Problem> {
    let version = touchpoint.row_version;
    Answer::record(&TouchpointView::from(touchpoint), version)
}

/// List touchpoints
///
/// The touchpoints that you may see, newest first, a page at a time. A partner's own caller sees the partner's alone,
/// also those that the organization recorded.
#[utoipa::path(tag = "Touchpoints", operation_id = "listTouchpoints", params(TouchpointsQuery),
    responses((status = 200, description = "One page of touchpoints.", body = TouchpointPage)),
    extensions(("x-required-permission" = json!("touchpoints:read"))))]
#[get("/v1/touchpoints")]
async fn list_touchpoints(who: Granted<can::TouchpointsRead>, query: Filter<TouchpointsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&TouchpointPage::from(page.map(TouchpointView::from)))
    })
    .await
}

/// Record a touchpoint
///
/// Records what a partner did for a deal, and when. It is evidence for a claim of credit and gives none by itself. A
/// partner's caller records for its own partner, on deals that it sees, without `external_id`. What is recorded never
/// changes: void a mistake and record it anew. The partner reads what is recorded of it, the note too. `422` when the
/// deal or the partner does not exist or the instant is in the future.
#[utoipa::path(tag = "Touchpoints", operation_id = "createTouchpoint", request_body = NewTouchpointBody,
    responses((status = 201, description = "The recorded touchpoint.", body = TouchpointView)),
    extensions(("x-required-permission" = json!("touchpoints:write"))))]
#[post("/v1/touchpoints")]
async fn create_touchpoint(
    who: Granted<can::TouchpointsWrite>,
    command: Command<NewTouchpointBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        let touchpoint = service::record(tx, ctx, command.body.terms())?;
        let (id, version) = (touchpoint.id, touchpoint.row_version);
        Answer::created("touchpoints", id, &TouchpointView::from(touchpoint), version)
    })
    .await
}

/// Get a touchpoint
///
/// One touchpoint, with its version as `ETag`.
#[utoipa::path(tag = "Touchpoints", operation_id = "getTouchpoint", params(TouchpointPath),
    responses((status = 200, description = "The touchpoint.", body = TouchpointView)),
    extensions(("x-required-permission" = json!("touchpoints:read"))))]
#[get("/v1/touchpoints/{touchpoint_id}")]
async fn get_touchpoint(who: Granted<can::TouchpointsRead>, target: Target<TouchpointPath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.touchpoint_id)?))
        .await
}

/// Void a touchpoint
///
/// It was a mistake: recorded → voided, final, and the reason is kept. From then on it is evidence for nothing. A
/// partner's caller voids only what its partner recorded: otherwise `403`. `409` when it is voided already.
#[utoipa::path(tag = "Touchpoints", operation_id = "voidTouchpoint", params(TouchpointPath), request_body = ReasonBody,
    responses((status = 200, description = "The voided touchpoint.", body = TouchpointView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("touchpoints:write"))))]
#[post("/v1/touchpoints/{touchpoint_id}/void")]
async fn void_touchpoint(
    who: Granted<can::TouchpointsWrite>,
    target: Target<TouchpointPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::void(
            tx,
            ctx,
            target.touchpoint_id,
            &command.precondition,
            &command.body.reason,
        )?)
    })
    .await
}
