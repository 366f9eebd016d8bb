//! Holds that are over: the worker releases them, and approves what its program approves by itself.

use crate::features::commissions;
use crate::features::ledger::{self, NewEntry};
use crate::kernel::ctx::Ctx;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// Releases a batch of lines whose hold is over; how many they were.
pub fn run(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<usize, Problem> {
    let (released, approved) = commissions::release(tx, ctx)?;
    let releases = released
        .iter()
        .map(|line| NewEntry::hold_release(line.id, line.partner_id, line.program_id, line.amount, line.at));
    let approvals = approved
        .iter()
        .map(|line| NewEntry::approval(line.id, line.partner_id, line.program_id, line.amount, line.at));
    let entries: Vec<NewEntry> = releases.chain(approvals).collect();
    ledger::post(tx, ctx, &entries)?;
    Ok(released.len())
}
