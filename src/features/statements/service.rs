//! Issuing and reading statements.

use super::domain::{Statement, StatementLine, StatementMonth};
use super::store::{self, StatementFilter};
use crate::features::organizations;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::StatementId;
use crate::kernel::problem::Problem;
use crate::kernel::time::YearMonth;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};

/// Issues the statements of a month that is over, and of all months before it that have none yet: one for each partner
/// and currency in which something was posted. Tells how many there are.
pub fn issue(tx: &mut Tx<'_>, ctx: &Ctx, month: YearMonth) -> Result<usize, Problem> {
    let zone = organizations::get(tx, ctx)?.time_zone;
    let last = StatementMonth { month, zone };
    last.require_over(ctx.now)?;
    store::lock(tx, &ctx.scope)?;
    let Some(earliest) = store::earliest_unstated(tx, &ctx.scope)? else {
        return Ok(0);
    };
    let month = YearMonth::of(earliest, zone).map_err(Problem::damaged)?;
    let mut issued = 0;
    for at in (StatementMonth { month, zone }).until(last.month) {
        for statement in store::issue(tx, &ctx.scope, at, ctx.now)? {
            let subject = Subject {
                kind: "statement",
                id: statement.id.uuid(),
            };
            let change = Change::created("statement.issued", subject, &statement);
            tx.record(ctx, change.for_partner(Some(statement.partner_id.uuid())));
            issued += 1;
        }
    }
    Ok(issued)
}

/// A statement with its lines, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: StatementId) -> Result<(Statement, Vec<StatementLine>), Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// The text over which the hash of a statement is, if the caller may see it.
pub fn text(tx: &mut Tx<'_>, ctx: &Ctx, id: StatementId) -> Result<String, Problem> {
    store::text(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the statements that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &StatementFilter,
    page: &PageRequest,
) -> Result<Page<Statement>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}
