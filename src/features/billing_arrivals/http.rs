//! The operations on billing arrivals.

use super::domain::BillingArrival;
use super::dto::{
    BillingArrivalPage, BillingArrivalPath, BillingArrivalView, BillingArrivalsQuery, NewArrivalBody,
};
use super::service;
use crate::flows::billing_arrival::{self as flow, TakenIn};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, ReasonBody, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_billing_arrivals)
        .service(create_billing_arrival)
        .service(get_billing_arrival)
        .service(retry_billing_arrival)
        .service(withdraw_billing_arrival);
}

fn record(arrival: BillingArrival) -> Result<Answer, Problem> {
    let version = arrival.row_version;
    Answer::record(&BillingArrivalView::from(arrival), version)
}

/// List billing arrivals
///
/// What arrived of billing, with what each awaits or why it was refused, a page at a time. What needs a person is
/// `?status=refused`; what has waited for long is `?status=parked&sort=created_at`.
#[utoipa::path(tag = "Billing Arrivals", operation_id = "listBillingArrivals", params(BillingArrivalsQuery),
    responses((status = 200, description = "One page of billing arrivals.", body = BillingArrivalPage)),
    extensions(("x-required-permission" = json!("billing_arrivals:read"))))]
#[get("/v1/billing-arrivals")]
async fn list_billing_arrivals(
    who: Granted<can::BillingArrivalsRead>,
    query: Filter<BillingArrivalsQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&BillingArrivalPage::from(page.map(BillingArrivalView::from)))
    })
    .await
}

/// Tell a billing fact
///
/// One door for facts of billing that come in any order, late, and more than once: an invoice, a payment, a refund or
/// chargeback, money of it that came in again, a credit note, or that an invoice is void. Records are named by your own keys (`external_id`).
///
/// Where what it names is there, the fact is applied at once, exactly as by the operation for it (`POST /v1/invoices`,
/// `POST /v1/invoices/{invoice_id}/payments`, `POST /v1/payments/{payment_id}/refunds`,
/// `POST /v1/refunds/{refund_id}/reinstatements`, `POST /v1/credit-notes`, `POST /v1/invoices/{invoice_id}/void`) and with the same refusals, such as `409 payment_exceeds_invoice`,
/// `409 refund_exceeds_payment` or `409 wrong_state`; of what is refused nothing is kept. Where it is not, the fact is
/// `parked` and says what it `awaits`. Once that is there, by whichever way, it is applied by itself, with all that waits
/// behind it, in the order in which things happened. What cannot be applied then is `refused` with its problem, until
/// somebody retries or withdraws it.
///
/// Told again, with the same kind, key and content, it is answered with what is there (`200`), under any
/// `Idempotency-Key`. With other content: `409 external_id_taken`.
/// Life cycle: parked → applied | refused | withdrawn; refused → parked | applied | withdrawn.
#[utoipa::path(tag = "Billing Arrivals", operation_id = "createBillingArrival", request_body = NewArrivalBody,
    responses(
        (status = 200, description = "The same was told before; this is what became of it.", body = BillingArrivalView),
        (status = 201, description = "The new arrival, applied or parked.", body = BillingArrivalView),
        (status = 409, description = "The key was told with other content, or business refuses the fact. Nothing is kept.")),
    extensions(("x-required-permission" = json!("billing_arrivals:write")), ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/billing-arrivals")]
async fn create_billing_arrival(
    who: Granted<can::BillingArrivalsWrite>,
    command: Command<NewArrivalBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        match flow::take_in(tx, ctx, command.body.told()?)? {
            TakenIn::Before(arrival) => record(arrival),
            TakenIn::New(arrival) => {
                let (id, version) = (arrival.id, arrival.row_version);
                Answer::created(
                    "billing-arrivals",
                    id,
                    &BillingArrivalView::from(arrival),
                    version,
                )
            }
        }
    })
    .await
}

/// Get a billing arrival
///
/// One arrival: what it names, what it awaits, the record that it made, or why it was refused; its version as `ETag`.
#[utoipa::path(tag = "Billing Arrivals", operation_id = "getBillingArrival", params(BillingArrivalPath),
    responses((status = 200, description = "The billing arrival.", body = BillingArrivalView)),
    extensions(("x-required-permission" = json!("billing_arrivals:read"))))]
#[get("/v1/billing-arrivals/{billing_arrival_id}")]
async fn get_billing_arrival(
    who: Granted<can::BillingArrivalsRead>,
    target: Target<BillingArrivalPath>,
) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.billing_arrival_id)?))
        .await
}

/// Retry a billing arrival
///
/// Tries a parked or refused arrival now, in your name. Applied, it says which record it made; where what it names is
/// not there, it is parked. Where business still refuses it, that problem is the answer and the arrival stays as it was.
/// `409 wrong_state` when it was applied or withdrawn.
#[utoipa::path(tag = "Billing Arrivals", operation_id = "retryBillingArrival", params(BillingArrivalPath),
    responses((status = 200, description = "The arrival, applied or parked.", body = BillingArrivalView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("billing_arrivals:write")), ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/billing-arrivals/{billing_arrival_id}/retry")]
async fn retry_billing_arrival(
    who: Granted<can::BillingArrivalsWrite>,
    target: Target<BillingArrivalPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, precondition) = (target.billing_arrival_id, &command.precondition);
        record(flow::retry(tx, ctx, id, precondition)?)
    })
    .await
}

/// Withdraw a billing arrival
///
/// Takes a parked or refused arrival back for good; a reason is kept, and why it was refused stays readable. Its key is
/// free again, for the same fact or a right one. `409 wrong_state` when it was applied or withdrawn: what was applied is undone by further facts.
#[utoipa::path(tag = "Billing Arrivals", operation_id = "withdrawBillingArrival", params(BillingArrivalPath),
    request_body = ReasonBody,
    responses((status = 200, description = "The withdrawn arrival.", body = BillingArrivalView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("billing_arrivals:write"))))]
#[post("/v1/billing-arrivals/{billing_arrival_id}/withdraw")]
async fn withdraw_billing_arrival(
    who: Granted<can::BillingArrivalsWrite>,
    target: Target<BillingArrivalPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, reason) = (target.billing_arrival_id, &command.body.reason);
        let arrival = service::withdraw(tx, ctx, id, &command.precondition, reason)?;
        record(arrival)
    })
    .await
}
