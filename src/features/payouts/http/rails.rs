//! What rails tell the service.

use super::super::dto::{NoticeTakenView, StripeEventBody};
use crate::flows::stripe_transfers;
use crate::kernel::ctx::Ctx;
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::step_in;
use crate::platform::stripe::Notice;
use crate::platform::web::problem::Refusal;
use crate::platform::web::{Answer, Raw, Reply, WebState, layers};
use actix_web::web::Data;
use actix_web::{HttpRequest, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(receive_stripe_event);
}

/// Receive a Stripe event
///
/// Where Stripe tells what became of transfers; make it a webhook endpoint of your Stripe account for `transfer.reversed`
/// and, if you like, `transfer.created`. A transfer that came back whole makes its payout `returned`, as by
/// `returnPayout`; of a part the event `payout.questioned` tells, and of a transfer that may not be the one that pays it:
/// where there are several, or the payout was confirmed with another reference, nothing is moved. What is known already, or is about something else, is
/// answered `200` and changes nothing. Needs no credential but Stripe's signature, not older than five minutes; `401`
/// without, and where the service has no signing secret.
#[utoipa::path(tag = "Payouts", operation_id = "receiveStripeEvent", security(()),
    params(("Stripe-Signature" = String, Header, description = "An instant in Unix seconds, and HMAC-SHA256 signatures of it and the body.",
        max_length = 1024, pattern = "^[\\x21-\\x7e]+$",
        example = "t=1767258000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd")),
    request_body = StripeEventBody,
    responses((status = 200, description = "The event was taken.", body = NoticeTakenView)),
    extensions(("x-carries-credential" = json!(true))))]
#[post("/v1/rails/stripe/webhooks")]
async fn receive_stripe_event(state: Data<WebState>, request: HttpRequest, body: Raw) -> Reply {
    let wall_now = state.clock.now();
    let signature = request.headers().get("Stripe-Signature");
    let signature = signature
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let unsigned = || Refusal(Problem::new(Code::Unauthorized).because("The Stripe-Signature is not good."));
    let stripe = state.stripe.as_ref().ok_or_else(unsigned)?;
    stripe
        .verify(signature, body.bytes(), wall_now)
        .map_err(|error| {
            tracing::warn!(%error, "an event that may not be Stripe's");
            unsigned()
        })?;
    let notice = Notice::read(&body.json(&request)?).map_err(|error| {
        tracing::error!(%error, "an event of Stripe's that cannot be read");
        Problem::field("", "invalid_value", format!("The event cannot be read: {error}."))
    })?;
    if let Some(notice) = notice {
        let organization_id = stripe.organization_id();
        let step = state
            .db
            .outside(move |connection| step_in(connection, organization_id, wall_now))
            .await?;
        let ctx = Ctx {
            request_id: layers::current_request_id().ok_or_else(Problem::internal)?,
            address: request.peer_addr().map(|address| address.ip().to_string()),
            ..step
        };
        let circumstances = ctx.clone();
        state
            .db
            .write(&ctx, move |tx| {
                stripe_transfers::notified(tx, &circumstances, &notice)
            })
            .await?;
    }
    Ok(Answer::ok(&NoticeTakenView { received: true })?)
}
