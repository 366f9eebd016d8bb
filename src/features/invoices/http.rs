//! The operations on invoices, payments and refunds.

use super::dto::{
    InvoicePage, InvoicePath, InvoiceSummaryView, InvoiceView, InvoicesQuery, NewInvoiceBody, NewPaymentBody,
    NewRefundBody, NewReinstatementBody, PatchInvoiceBody, PaymentPage, PaymentPath, PaymentView,
    PaymentsQuery, RefundPage, RefundPath, RefundView, RefundsQuery,
};
use super::{Invoice, service};
use crate::flows;
use crate::kernel::ctx::Ctx;
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::db::{Page, Tx};
use crate::platform::web::{Answer, Command, Filter, Granted, ReasonBody, Reply, Target};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_invoices)
        .service(create_invoice)
        .service(get_invoice)
        .service(update_invoice)
        .service(void_invoice)
        .service(create_payment)
        .service(list_payments)
        .service(get_payment)
        .service(create_refund)
        .service(list_refunds)
        .service(get_refund)
        .service(create_reinstatement);
}

fn record(tx: &mut Tx<'_>, ctx: &Ctx, invoice: Invoice) -> Result<Answer, Problem> {
    let lines = service::lines(tx, ctx, &invoice)?;
    let version = invoice.row_version;
    Answer::record(&InvoiceView::of(invoice, lines)?, version)
}

/// List invoices
///
/// The invoices without their lines, a page at a time.
#[utoipa::path(tag = "Invoices", operation_id = "listInvoices", params(InvoicesQuery),
    responses((status = 200, description = "One page of invoices.", body = InvoicePage)),
    extensions(("x-required-permission" = json!("invoices:read"))))]
#[get("/v1/invoices")]
async fn list_invoices(who: Granted<can::InvoicesRead>, query: Filter<InvoicesQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let Page { rows, next_cursor } = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        let rows = rows
            .into_iter()
            .map(InvoiceSummaryView::try_from)
            .collect::<Result<_, _>>()?;
        Answer::ok(&InvoicePage::from(Page { rows, next_cursor }))
    })
    .await
}

/// Create an invoice
///
/// Takes an invoice from billing. Its total is the sum of its lines with tax; it starts as `open` and earns nothing
/// before it is paid. An invoice over nothing is settled by a payment of nothing.
#[utoipa::path(tag = "Invoices", operation_id = "createInvoice", request_body = NewInvoiceBody,
    responses((status = 201, description = "The new invoice.", body = InvoiceView)),
    extensions(("x-required-permission" = json!("invoices:write"))))]
#[post("/v1/invoices")]
async fn create_invoice(who: Granted<can::InvoicesWrite>, command: Command<NewInvoiceBody>) -> Reply {
    who.write(command, |tx, ctx, command| {
        let (invoice, lines) = service::create(tx, ctx, command.body.terms()?)?;
        let (id, version) = (invoice.id, invoice.row_version);
        Answer::created("invoices", id, &InvoiceView::of(invoice, lines)?, version)
    })
    .await
}

/// Get an invoice
///
/// One invoice with its lines, and its version as `ETag`.
#[utoipa::path(tag = "Invoices", operation_id = "getInvoice", params(InvoicePath),
    responses((status = 200, description = "The invoice.", body = InvoiceView)),
    extensions(("x-required-permission" = json!("invoices:read"))))]
#[get("/v1/invoices/{invoice_id}")]
async fn get_invoice(who: Granted<can::InvoicesRead>, target: Target<InvoicePath>) -> Reply {
    who.read(move |tx, ctx| {
        let invoice = service::get(tx, ctx, target.invoice_id)?;
        record(tx, ctx, invoice)
    })
    .await
}

/// Update an invoice
///
/// Changes the fields that are sent, as a JSON merge patch. Amounts never change: void the invoice, or credit it.
#[utoipa::path(tag = "Invoices", operation_id = "updateInvoice", params(InvoicePath), request_body = PatchInvoiceBody,
    responses((status = 200, description = "The invoice as it is now.", body = InvoiceView)),
    extensions(("x-required-permission" = json!("invoices:write"))))]
#[patch("/v1/invoices/{invoice_id}")]
async fn update_invoice(
    who: Granted<can::InvoicesWrite>,
    target: Target<InvoicePath>,
    command: Command<PatchInvoiceBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, patch) = (target.invoice_id, command.body.patch());
        let invoice = service::update(tx, ctx, id, &command.precondition, patch)?;
        record(tx, ctx, invoice)
    })
    .await
}

/// Void an invoice
///
/// Takes an invoice out of the count for good; a reason is kept. `409` as soon as anything was paid.
#[utoipa::path(tag = "Invoices", operation_id = "voidInvoice", params(InvoicePath), request_body = ReasonBody,
    responses((status = 200, description = "The void invoice.", body = InvoiceView)),
    extensions(("x-required-permission" = json!("invoices:write"))))]
#[post("/v1/invoices/{invoice_id}/void")]
async fn void_invoice(
    who: Granted<can::InvoicesWrite>,
    target: Target<InvoicePath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, reason) = (target.invoice_id, &command.body.reason);
        let invoice = service::void(tx, ctx, id, &command.precondition, reason)?;
        record(tx, ctx, invoice)
    })
    .await
}

/// Record a payment
///
/// Records money received for an invoice and accrues what partners earn on it, in one step. Payments of one invoice
/// are taken one after the other. `409 payment_exceeds_invoice` when it is more than what is open.
#[utoipa::path(tag = "Invoices", operation_id = "createPayment", params(InvoicePath), request_body = NewPaymentBody,
    responses((status = 201, description = "The new payment.", body = PaymentView)),
    extensions(("x-required-permission" = json!("payments:write")), ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/invoices/{invoice_id}/payments")]
async fn create_payment(
    who: Granted<can::PaymentsWrite>,
    target: Target<InvoicePath>,
    command: Command<NewPaymentBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let new = command.body.terms()?;
        let payment = flows::payment_recorded::run(tx, ctx, target.invoice_id, new)?;
        let (id, version) = (payment.id, payment.row_version);
        Answer::created("payments", id, &PaymentView::from(payment), version)
    })
    .await
}

/// List payments
///
/// The payments of all invoices, a page at a time.
#[utoipa::path(tag = "Invoices", operation_id = "listPayments", params(PaymentsQuery),
    responses((status = 200, description = "One page of payments.", body = PaymentPage)),
    extensions(("x-required-permission" = json!("invoices:read"))))]
#[get("/v1/payments")]
async fn list_payments(who: Granted<can::InvoicesRead>, query: Filter<PaymentsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list_payments(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&PaymentPage::from(page.map(PaymentView::from)))
    })
    .await
}

/// Get a payment
///
/// One payment, with its version as `ETag`.
#[utoipa::path(tag = "Invoices", operation_id = "getPayment", params(PaymentPath),
    responses((status = 200, description = "The payment.", body = PaymentView)),
    extensions(("x-required-permission" = json!("invoices:read"))))]
#[get("/v1/payments/{payment_id}")]
async fn get_payment(who: Granted<can::InvoicesRead>, target: Target<PaymentPath>) -> Reply {
    who.read(move |tx, ctx| {
        let payment = service::get_payment(tx, ctx, target.payment_id)?;
        let version = payment.row_version;
        Answer::record(&PaymentView::from(payment), version)
    })
    .await
}

/// Record a refund
///
/// Records that money of a payment went back and takes back what partners earned on it, in one step. It opens nothing
/// on the invoice again. `409 refund_exceeds_payment` when it is more than what is left of the payment.
#[utoipa::path(tag = "Invoices", operation_id = "createRefund", params(PaymentPath), request_body = NewRefundBody,
    responses((status = 201, description = "The new refund.", body = RefundView)),
    extensions(("x-required-permission" = json!("payments:write")), ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/payments/{payment_id}/refunds")]
async fn create_refund(
    who: Granted<can::PaymentsWrite>,
    target: Target<PaymentPath>,
    command: Command<NewRefundBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let new = command.body.terms()?;
        let refund = flows::refund_recorded::run(tx, ctx, target.payment_id, new)?;
        let (id, version) = (refund.id, refund.row_version);
        Answer::created("refunds", id, &RefundView::from(refund), version)
    })
    .await
}

/// List refunds
///
/// The refunds of all payments, those that credit notes caused among them, a page at a time.
#[utoipa::path(tag = "Invoices", operation_id = "listRefunds", params(RefundsQuery),
    responses((status = 200, description = "One page of refunds.", body = RefundPage)),
    extensions(("x-required-permission" = json!("invoices:read"))))]
#[get("/v1/refunds")]
async fn list_refunds(who: Granted<can::InvoicesRead>, query: Filter<RefundsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list_refunds(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&RefundPage::from(page.map(RefundView::from)))
    })
    .await
}

/// Get a refund
///
/// One refund, with its version as `ETag`.
#[utoipa::path(tag = "Invoices", operation_id = "getRefund", params(RefundPath),
    responses((status = 200, description = "The refund.", body = RefundView)),
    extensions(("x-required-permission" = json!("invoices:read"))))]
#[get("/v1/refunds/{refund_id}")]
async fn get_refund(who: Granted<can::InvoicesRead>, target: Target<RefundPath>) -> Reply {
    who.read(move |tx, ctx| {
        let refund = service::get_refund(tx, ctx, target.refund_id)?;
        let version = refund.row_version;
        Answer::record(&RefundView::from(refund), version)
    })
    .await
}

/// Record a reinstatement
///
/// Records that money of a refund came in again: a chargeback that was won, or a refund that failed. It may be a part of
/// the refund, and there may be several. It is a refund of the kind `reinstatement` with an amount below zero, and what
/// partners lost by the refund is given back in the same step: to the hold or the approval that the commission waits for,
/// or, where it was approved or paid, with the next payout. It is given back whole, also where others have used the room
/// under a period's cap meanwhile, or the credit was corrected since. What corrections of credit or disputes gave in its place
/// is taken back by adjustments, which are proposed in the same step. What was refunded too late for the program's clawback window
/// cost nothing and gives nothing back. `409 reinstatement_exceeds_refund` when it is more than what is left of the
/// refund; `409 wrong_state` for a refund that a credit note caused and for a reinstatement.
#[utoipa::path(tag = "Invoices", operation_id = "createReinstatement", params(RefundPath),
    request_body = NewReinstatementBody,
    responses((status = 201, description = "The new reinstatement.", body = RefundView)),
    extensions(("x-required-permission" = json!("payments:write")), ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/refunds/{refund_id}/reinstatements")]
async fn create_reinstatement(
    who: Granted<can::PaymentsWrite>,
    target: Target<RefundPath>,
    command: Command<NewReinstatementBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let new = command.body.terms()?;
        let refund = flows::refund_recorded::reinstate(tx, ctx, target.refund_id, new)?;
        let (id, version) = (refund.id, refund.row_version);
        Answer::created("refunds", id, &RefundView::from(refund), version)
    })
    .await
}
