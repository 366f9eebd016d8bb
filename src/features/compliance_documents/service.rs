//! The verbs of compliance documents.

use super::domain::{ComplianceDocument, NewComplianceDocument};
use super::store::{self, DocumentFilter, Registering};
use crate::features::programs::Program;
use crate::features::{partners, product_families};
use crate::kernel::ctx::Ctx;
use crate::kernel::gate::{GatedStep, closed_sentence};
use crate::kernel::id::ComplianceDocumentId;
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};

/// One document, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: ComplianceDocumentId) -> Result<ComplianceDocument, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the documents that the caller may see, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &DocumentFilter,
    page: &PageRequest,
) -> Result<Page<ComplianceDocument>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Puts a document on file. What a partner's caller hands in is its own company's.
pub fn submit(tx: &mut Tx<'_>, ctx: &Ctx, new: NewComplianceDocument) -> Result<ComplianceDocument, Problem> {
    let partner_id = ctx
        .partner_of_new(new.partner_id)?
        .ok_or_else(|| Problem::field("/partner_id", "missing", "The partner must be named."))?;
    let unknown = |pointer: &str| Problem::field(pointer, "unknown_reference", "There is no such record.");
    let partner = partners::get(tx, ctx, partner_id)
        .map_err(|problem| problem.or_if_missing(unknown("/partner_id")))?;
    if partner.status.moves().is_empty() {
        let detail = format!(
            "The partner is {} for good; nothing of it is put on file.",
            partner.status
        );
        return Err(Problem::new(Code::WrongState).because(detail));
    }
    if let Some(family) = new.product_family_id {
        product_families::get(tx, ctx, family)
            .map_err(|problem| problem.or_if_missing(unknown("/product_family_id")))?;
    }
    let document = ComplianceDocument::submit(new, partner_id, ctx.now);
    store::insert(tx, &ctx.scope, &document)?;
    let change = Change::created("compliance_document.submitted", subject(&document), &document);
    tx.record(ctx, change.for_partner(Some(partner_id.uuid())));
    Ok(document)
}

/// Takes a document for good.
pub fn verify(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ComplianceDocumentId,
    precondition: &Precondition,
) -> Result<ComplianceDocument, Problem> {
    let before = lock(tx, ctx, id, precondition)?;
    let after = before.clone().verify(ctx.now)?;
    save(tx, ctx, "compliance_document.verified", &before, &after, None)?;
    Ok(after)
}

/// Takes a document for good no longer, from now on.
pub fn revoke(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ComplianceDocumentId,
    precondition: &Precondition,
    reason: &str,
) -> Result<ComplianceDocument, Problem> {
    let before = lock(tx, ctx, id, precondition)?;
    let after = before.clone().revoke(reason.to_owned(), ctx.now)?;
    save(
        tx,
        ctx,
        "compliance_document.revoked",
        &before,
        &after,
        Some(reason),
    )?;
    Ok(after)
}

/// What the partner must have on file before it registers this, and has not.
pub fn gate_problem(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    program: &Program,
    registering: &Registering<'_>,
) -> Result<Option<FieldProblem>, Problem> {
    if program.gates.is_empty() {
        return Ok(None);
    }
    let closed = store::closed_gates(tx, &ctx.scope, program.id, registering, ctx.now)?;
    let message = || closed_sentence(GatedStep::Registering, &closed);
    Ok((!closed.is_empty()).then(|| FieldProblem::new("/program_id", "gate_closed", message())))
}

fn lock(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ComplianceDocumentId,
    precondition: &Precondition,
) -> Result<ComplianceDocument, Problem> {
    let document = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(document.row_version)?;
    Ok(document)
}

fn save(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    event: &'static str,
    before: &ComplianceDocument,
    after: &ComplianceDocument,
    reason: Option<&str>,
) -> Result<(), Problem> {
    store::update(tx, &ctx.scope, after)?;
    let change = Change::updated(event, subject(after), before, after);
    let change = change.for_partner(Some(after.partner_id.uuid()));
    tx.record(ctx, change.with_reason(reason.map(str::to_owned)));
    Ok(())
}

fn subject(document: &ComplianceDocument) -> Subject {
    Subject {
        kind: "compliance_document",
        id: document.id.uuid(),
    }
}
