//! The operations on payout methods.

use super::dto::{
    NewPayoutMethodBody, PayoutMethodPage, PayoutMethodPath, PayoutMethodView, PayoutMethodsQuery,
};
use super::{PayoutMethod, service};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, ReasonBody, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_payout_methods)
        .service(create_payout_method)
        .service(get_payout_method)
        .service(confirm_payout_method)
        .service(refuse_payout_method)
        .service(withdraw_payout_method);
}

fn record(method: PayoutMethod) -> Result<Answer, Problem> {
    let version = method.row_version;
    Answer::record(&PayoutMethodView::from(method), version)
}

/// List payout methods
///
/// The payout methods that you may see, newest first, a page at a time. A partner's own caller sees its own ones.
#[utoipa::path(tag = "Payout Methods", operation_id = "listPayoutMethods", params(PayoutMethodsQuery),
    responses((status = 200, description = "One page of payout methods.", body = PayoutMethodPage)),
    extensions(("x-required-permission" = json!("payout_methods:read"))))]
#[get("/v1/payout-methods")]
async fn list_payout_methods(
    who: Granted<can::PayoutMethodsRead>,
    query: Filter<PayoutMethodsQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&PayoutMethodPage::from(page.map(PayoutMethodView::from)))
    })
    .await
}

/// Propose a payout method
///
/// Proposes how a partner is paid in a currency. Nobody is paid by it before a second person has confirmed it and the
/// organization's cooling-off time is over. A change is another proposal. A partner's caller proposes for itself.
#[utoipa::path(tag = "Payout Methods", operation_id = "createPayoutMethod", request_body = NewPayoutMethodBody,
    responses((status = 201, description = "The proposed payout method.", body = PayoutMethodView)),
    extensions(("x-required-permission" = json!("payout_methods:write"))))]
#[post("/v1/payout-methods")]
async fn create_payout_method(
    who: Granted<can::PayoutMethodsWrite>,
    command: Command<NewPayoutMethodBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        let method = service::propose(tx, ctx, command.body.terms()?)?;
        let (id, version) = (method.id, method.row_version);
        Answer::created("payout-methods", id, &PayoutMethodView::from(method), version)
    })
    .await
}

/// Get a payout method
///
/// One payout method, with its version as `ETag`.
#[utoipa::path(tag = "Payout Methods", operation_id = "getPayoutMethod", params(PayoutMethodPath),
    responses((status = 200, description = "The payout method.", body = PayoutMethodView)),
    extensions(("x-required-permission" = json!("payout_methods:read"))))]
#[get("/v1/payout-methods/{payout_method_id}")]
async fn get_payout_method(who: Granted<can::PayoutMethodsRead>, target: Target<PayoutMethodPath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.payout_method_id)?))
        .await
}

/// Confirm a payout method
///
/// Puts a proposed method in force, in the place of the one that the partner had in the currency. It is usable after
/// the organization's cooling-off time. `409 second_person_required` for the person who proposed it.
#[utoipa::path(tag = "Payout Methods", operation_id = "confirmPayoutMethod", params(PayoutMethodPath),
    responses((status = 200, description = "The confirmed payout method.", body = PayoutMethodView)),
    extensions(("x-required-permission" = json!("payout_methods:confirm"))))]
#[post("/v1/payout-methods/{payout_method_id}/confirm")]
async fn confirm_payout_method(
    who: Granted<can::PayoutMethodsConfirm>,
    target: Target<PayoutMethodPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::confirm(
            tx,
            ctx,
            target.payout_method_id,
            &command.precondition,
        )?)
    })
    .await
}

/// Refuse a payout method
///
/// Does not put a proposed method in force. Final; a reason is kept. `409` when it is not `proposed`.
#[utoipa::path(tag = "Payout Methods", operation_id = "refusePayoutMethod", params(PayoutMethodPath),
    request_body = ReasonBody,
    responses((status = 200, description = "The refused payout method.", body = PayoutMethodView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("payout_methods:confirm"))))]
#[post("/v1/payout-methods/{payout_method_id}/refuse")]
async fn refuse_payout_method(
    who: Granted<can::PayoutMethodsConfirm>,
    target: Target<PayoutMethodPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::refuse(
            tx,
            ctx,
            target.payout_method_id,
            &command.precondition,
            &command.body.reason,
        )?)
    })
    .await
}

/// Withdraw a payout method
///
/// Takes a proposal back, or a method that is in force out of it; the partner has none in the currency then.
#[utoipa::path(tag = "Payout Methods", operation_id = "withdrawPayoutMethod", params(PayoutMethodPath),
    responses((status = 200, description = "The withdrawn payout method.", body = PayoutMethodView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("payout_methods:write"))))]
#[post("/v1/payout-methods/{payout_method_id}/withdraw")]
async fn withdraw_payout_method(
    who: Granted<can::PayoutMethodsWrite>,
    target: Target<PayoutMethodPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::withdraw(
            tx,
            ctx,
            target.payout_method_id,
            &command.precondition,
        )?)
    })
    .await
}
