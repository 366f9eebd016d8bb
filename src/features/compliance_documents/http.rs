//! The operations on compliance documents.

use super::domain::ComplianceDocument;
use super::dto::{
    ComplianceDocumentPage, ComplianceDocumentView, DocumentPath, DocumentsQuery, NewDocumentBody,
};
use super::service;
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, ReasonBody, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_compliance_documents)
        .service(create_compliance_document)
        .service(get_compliance_document)
        .service(verify_compliance_document)
        .service(revoke_compliance_document);
}

fn record(document: ComplianceDocument) -> Result<Answer, Problem> {
    let version = document.row_version;
    Answer::record(&ComplianceDocumentView::from(document), version)
}

/// List compliance documents
///
/// What the partners that you may see have on file, newest first, a page at a time. A partner's own caller sees what its
/// own company has.
#[utoipa::path(tag = "Compliance Documents", operation_id = "listComplianceDocuments", params(DocumentsQuery),
    responses((status = 200, description = "One page of documents.", body = ComplianceDocumentPage)),
    extensions(("x-required-permission" = json!("compliance_documents:read"))))]
#[get("/v1/compliance-documents")]
async fn list_compliance_documents(
    who: Granted<can::ComplianceDocumentsRead>,
    query: Filter<DocumentsQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&ComplianceDocumentPage::from(
            page.map(ComplianceDocumentView::from),
        ))
    })
    .await
}

/// Submit a compliance document
///
/// Puts an agreement, a certification, a license or a tax form of a partner on file. Nothing rests on it before the
/// organization has verified it. What was handed in never changes; what is renewed is another document. A partner's
/// caller hands in for its own company. `409 wrong_state` for a partner that is declined or terminated. Life cycle: submitted → verified | revoked; verified → revoked.
#[utoipa::path(tag = "Compliance Documents", operation_id = "createComplianceDocument", request_body = NewDocumentBody,
    responses((status = 201, description = "The new document.", body = ComplianceDocumentView)),
    extensions(("x-required-permission" = json!("compliance_documents:write"))))]
#[post("/v1/compliance-documents")]
async fn create_compliance_document(
    who: Granted<can::ComplianceDocumentsWrite>,
    command: Command<NewDocumentBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        let document = service::submit(tx, ctx, command.body.terms()?)?;
        let (id, version) = (document.id, document.row_version);
        Answer::created(
            "compliance-documents",
            id,
            &ComplianceDocumentView::from(document),
            version,
        )
    })
    .await
}

/// Get a compliance document
///
/// One document, with its version as `ETag`.
#[utoipa::path(tag = "Compliance Documents", operation_id = "getComplianceDocument", params(DocumentPath),
    responses((status = 200, description = "The document.", body = ComplianceDocumentView)),
    extensions(("x-required-permission" = json!("compliance_documents:read"))))]
#[get("/v1/compliance-documents/{compliance_document_id}")]
async fn get_compliance_document(
    who: Granted<can::ComplianceDocumentsRead>,
    target: Target<DocumentPath>,
) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.compliance_document_id)?))
        .await
}

/// Verify a compliance document
///
/// Takes a document for good. Gates of programs that ask for it are open to the partner on every day on which the
/// document is valid, days that are past included; what was earned as a zero line before stays one. `409` when it is not
/// `submitted`.
#[utoipa::path(tag = "Compliance Documents", operation_id = "verifyComplianceDocument", params(DocumentPath),
    responses((status = 200, description = "The verified document.", body = ComplianceDocumentView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("compliance_documents:verify"))))]
#[post("/v1/compliance-documents/{compliance_document_id}/verify")]
async fn verify_compliance_document(
    who: Granted<can::ComplianceDocumentsVerify>,
    target: Target<DocumentPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, precondition) = (target.compliance_document_id, &command.precondition);
        record(service::verify(tx, ctx, id, precondition)?)
    })
    .await
}

/// Revoke a compliance document
///
/// Does not take a document for good, or no longer, from now on: what happened before stands. Final; the reason is shown to
/// the partner. `409` when it was revoked before.
#[utoipa::path(tag = "Compliance Documents", operation_id = "revokeComplianceDocument", params(DocumentPath),
    request_body = ReasonBody,
    responses((status = 200, description = "The revoked document.", body = ComplianceDocumentView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("compliance_documents:verify"))))]
#[post("/v1/compliance-documents/{compliance_document_id}/revoke")]
async fn revoke_compliance_document(
    who: Granted<can::ComplianceDocumentsVerify>,
    target: Target<DocumentPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, precondition) = (target.compliance_document_id, &command.precondition);
        record(service::revoke(tx, ctx, id, precondition, &command.body.reason)?)
    })
    .await
}
