//! The verbs of a credit note.

use super::domain::{CreditNote, NewCreditNote};
use super::store::{self, CreditNoteFilter};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::CreditNoteId;
use crate::kernel::problem::Problem;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};

/// One credit note.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: CreditNoteId) -> Result<CreditNote, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the credit notes.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &CreditNoteFilter,
    page: &PageRequest,
) -> Result<Page<CreditNote>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Records a credit note. What follows from it is the flow's to do.
pub fn issue(tx: &mut Tx<'_>, ctx: &Ctx, new: NewCreditNote) -> Result<CreditNote, Problem> {
    let credit_note = CreditNote::issue(new, ctx.now)?;
    store::insert(tx, &ctx.scope, &credit_note)?;
    let subject = Subject {
        kind: "credit_note",
        id: credit_note.id.uuid(),
    };
    let change = Change::created("credit_note.issued", subject, &credit_note);
    tx.record(ctx, change.with_reason(credit_note.reason.clone()));
    Ok(credit_note)
}
