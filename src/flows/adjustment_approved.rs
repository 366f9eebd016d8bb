//! A second person approves adjustments, and with the same commit they are in the journal.

use crate::features::adjustments::{self, Adjustment};
use crate::features::backtests;
use crate::features::ledger::{self, NewEntry};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AdjustmentId, BacktestId};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

/// Approves the adjustment and posts its entry.
pub fn of_one(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AdjustmentId,
    precondition: &Precondition,
) -> Result<Adjustment, Problem> {
    let approved = adjustments::approve(tx, ctx, id, precondition)?;
    ledger::post(tx, ctx, &[entry(ctx, &approved)])?;
    Ok(approved)
}

/// Approves all that a recalculation proposed and nobody has decided, and posts the entries.
pub fn of_recalculation(tx: &mut Tx<'_>, ctx: &Ctx, id: BacktestId) -> Result<Vec<Adjustment>, Problem> {
    if backtests::find(tx, &ctx.scope, id)?.is_none() {
        let message = "There is no such record.";
        return Err(Problem::field("/backtest_id", "unknown_reference", message));
    }
    let approved = adjustments::approve_of_recalculation(tx, ctx, id)?;
    let entries: Vec<NewEntry> = approved.iter().map(|adjustment| entry(ctx, adjustment)).collect();
    ledger::post(tx, ctx, &entries)?;
    Ok(approved)
}

fn entry(ctx: &Ctx, approved: &Adjustment) -> NewEntry {
    let entry = if approved.is_write_off() {
        NewEntry::write_off
    } else {
        NewEntry::adjustment
    };
    entry(
        approved.id,
        approved.partner_id,
        approved.program_id,
        approved.amount,
        ctx.now,
    )
}
