//! The verbs of an import.

use super::domain::{Import, KeptFile, Request};
use super::store::{self, ImportFilter, KeptRejection};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::ImportId;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};

/// One import, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: ImportId) -> Result<Import, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the imports that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &ImportFilter,
    page: &PageRequest,
) -> Result<Page<Import>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// A page of the refused rows of an import.
pub fn rejections(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ImportId,
    page: &PageRequest,
) -> Result<Page<KeptRejection>, Problem> {
    get(tx, ctx, id)?;
    store::rejections(tx, &ctx.scope, id, page)
}

/// Lets the file wait for a worker.
pub fn queue(tx: &mut Tx<'_>, ctx: &Ctx, request: &Request, file: &KeptFile) -> Result<Import, Problem> {
    let import = Import::queue(request, file, ctx.actor.record(), ctx.now);
    store::insert(tx, &ctx.scope, &import)?;
    tx.record(ctx, Change::created("import.created", subject(&import), &import));
    Ok(import)
}

/// Stops an import where it stands: what it has applied stays, the rest is not read.
pub fn cancel(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ImportId,
    precondition: &Precondition,
) -> Result<Import, Problem> {
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = before.clone().cancel(ctx.now)?;
    if !end(tx, ctx, &before, &after, "import.canceled")? {
        return Err(Problem::new(Code::WriteConflict));
    }
    Ok(after)
}

/// Ends an import that the worker brought to its end; `false` when somebody else changed it in the meantime.
pub fn finish(tx: &mut Tx<'_>, ctx: &Ctx, before: &Import, after: &Import) -> Result<bool, Problem> {
    let event = if after.error.is_some() {
        "import.failed"
    } else {
        "import.succeeded"
    };
    end(tx, ctx, before, after, event)
}

fn end(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &Import,
    after: &Import,
    event: &'static str,
) -> Result<bool, Problem> {
    if !store::update(tx, &ctx.scope, before, after)? {
        return Ok(false);
    }
    store::discard_file(tx, &ctx.scope, after.id)?;
    tx.record(ctx, Change::updated(event, subject(after), before, after));
    Ok(true)
}

fn subject(import: &Import) -> Subject {
    Subject {
        kind: "import",
        id: import.id.uuid(),
    }
}
