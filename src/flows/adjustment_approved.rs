//! A second person approves an adjustment, and with the same commit it is in the journal.

use crate::features::adjustments::{self, Adjustment};
use crate::features::ledger::{self, NewEntry};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::AdjustmentId;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

/// Approves the adjustment and posts its entry.
pub fn run(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AdjustmentId,
    precondition: &Precondition,
) -> Result<Adjustment, Problem> {
    let approved = adjustments::approve(tx, ctx, id, precondition)?;
    let entry = if approved.is_write_off() {
        NewEntry::write_off
    } else {
        NewEntry::adjustment
    };
    let entry = entry(
        approved.id,
        approved.partner_id,
        approved.program_id,
        approved.amount,
        ctx.now,
    );
    ledger::post(tx, ctx, &[entry])?;
    Ok(approved)
}
