//! The operations on credit notes.

use super::dto::{CreditNotePage, CreditNotePath, CreditNoteView, CreditNotesQuery, NewCreditNoteBody};
use super::service;
use crate::flows;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Command, Filter, Granted, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_credit_notes)
        .service(create_credit_note)
        .service(get_credit_note);
}

/// List credit notes
///
/// The credit notes, a page at a time. What one of them took back of payments is among the refunds.
#[utoipa::path(tag = "Credit Notes", operation_id = "listCreditNotes", params(CreditNotesQuery),
    responses((status = 200, description = "One page of credit notes.", body = CreditNotePage)),
    extensions(("x-required-permission" = json!("credit_notes:read"))))]
#[get("/v1/credit-notes")]
async fn list_credit_notes(who: Granted<can::CreditNotesRead>, query: Filter<CreditNotesQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&CreditNotePage::from(page.map(CreditNoteView::from)))
    })
    .await
}

/// Issue a credit note
///
/// On an invoice, the credit first takes off what is open; the rest goes back as refunds of kind `credit_note` on its
/// payments, the payment recorded last first, and commissions are taken back for it. On a deal alone, it becomes
/// negative commissions under the deal's own rules. `409 credit_exceeds_invoice` when it is more than what is left of
/// the invoice.
#[utoipa::path(tag = "Credit Notes", operation_id = "createCreditNote", request_body = NewCreditNoteBody,
    responses((status = 201, description = "The new credit note.", body = CreditNoteView)),
    extensions(("x-required-permission" = json!("credit_notes:write")), ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/credit-notes")]
async fn create_credit_note(
    who: Granted<can::CreditNotesWrite>,
    command: Command<NewCreditNoteBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        let credit_note = flows::credit_note_issued::run(tx, ctx, command.body.terms()?)?;
        let (id, version) = (credit_note.id, credit_note.row_version);
        Answer::created("credit-notes", id, &CreditNoteView::from(credit_note), version)
    })
    .await
}

/// Get a credit note
///
/// One credit note, with its version as `ETag`.
#[utoipa::path(tag = "Credit Notes", operation_id = "getCreditNote", params(CreditNotePath),
    responses((status = 200, description = "The credit note.", body = CreditNoteView)),
    extensions(("x-required-permission" = json!("credit_notes:read"))))]
#[get("/v1/credit-notes/{credit_note_id}")]
async fn get_credit_note(who: Granted<can::CreditNotesRead>, target: Target<CreditNotePath>) -> Reply {
    who.read(move |tx, ctx| {
        let credit_note = service::get(tx, ctx, target.credit_note_id)?;
        let version = credit_note.row_version;
        Answer::record(&CreditNoteView::from(credit_note), version)
    })
    .await
}
