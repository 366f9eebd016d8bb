//! Somebody approves due lines: they become payable.

use crate::features::commissions::{self, ApprovalScope, Commission, Moved};
use crate::features::ledger::{self, NewEntry};
use crate::features::{partners, programs};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::CommissionId;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

/// Approves one line.
pub fn of_one(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: CommissionId,
    precondition: &Precondition,
) -> Result<Commission, Problem> {
    let (line, moved) = commissions::approve(tx, ctx, id, precondition)?;
    post(tx, ctx, &moved)?;
    Ok(line)
}

/// Approves every due line of the scope, whose program and partner must be there, and returns what moved.
pub fn of_due(tx: &mut Tx<'_>, ctx: &Ctx, which: &ApprovalScope) -> Result<Vec<Moved>, Problem> {
    let unknown = |pointer| Problem::field(pointer, "unknown_reference", "There is no such record.");
    if let Some(id) = which.program_id {
        programs::get(tx, ctx, id).map_err(|problem| problem.or_if_missing(unknown("/program_id")))?;
    }
    if let Some(id) = which.partner_id {
        partners::get(tx, ctx, id).map_err(|problem| problem.or_if_missing(unknown("/partner_id")))?;
    }
    let moved = commissions::approve_due(tx, ctx, which)?;
    post(tx, ctx, &moved)?;
    Ok(moved)
}

fn post(tx: &mut Tx<'_>, ctx: &Ctx, moved: &[Moved]) -> Result<(), Problem> {
    let approval =
        |line: &Moved| NewEntry::approval(line.id, line.partner_id, line.program_id, line.amount, ctx.now);
    let entries: Vec<NewEntry> = moved.iter().map(approval).collect();
    ledger::post(tx, ctx, &entries)
}
