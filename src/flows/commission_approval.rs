//! Somebody approves due lines: they become payable.

use crate::features::commissions::{self, ApprovalScope, Commission, Moved};
use crate::features::ledger::{self, NewEntry};
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

/// Approves every due line of the scope and returns what moved.
pub fn of_due(tx: &mut Tx<'_>, ctx: &Ctx, which: &ApprovalScope) -> Result<Vec<Moved>, Problem> {
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
