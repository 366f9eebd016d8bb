//! A second person approves adjustments, and with the same commit they are in the journal; or refuses them.

use super::late_credit;
use crate::features::adjustments::{self, Adjustment};
use crate::features::attributions;
use crate::features::backtests;
use crate::features::commissions::{self, CreditGain};
use crate::features::ledger::{self, NewEntry};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AdjustmentId, BacktestId};
use crate::kernel::problem::{Code, Problem};
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
    refuse_before_its_lines(tx, ctx, &approved)?;
    ledger::post(tx, ctx, &[entry(ctx, &approved)])?;
    late_credit::decided(tx, ctx, &approved)?;
    Ok(approved)
}

/// Does not let it count.
pub fn refuse(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AdjustmentId,
    precondition: &Precondition,
    reason: &str,
) -> Result<Adjustment, Problem> {
    let refused = adjustments::refuse(tx, ctx, id, precondition, reason)?;
    late_credit::decided(tx, ctx, &refused)?;
    Ok(refused)
}

/// Takes the proposal back.
pub fn withdraw(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AdjustmentId,
    precondition: &Precondition,
) -> Result<Adjustment, Problem> {
    let withdrawn = adjustments::withdraw(tx, ctx, id, precondition)?;
    late_credit::decided(tx, ctx, &withdrawn)?;
    Ok(withdrawn)
}

/// What a correction of credit gives more is not paid before the lines that it follows from can be, and what it means for
/// lines that are still to be exchanged is proposed anew, in their currency, when they were.
fn refuse_before_its_lines(tx: &mut Tx<'_>, ctx: &Ctx, approved: &Adjustment) -> Result<(), Problem> {
    let Some(id) = approved.attribution_id else {
        return Ok(());
    };
    let share = attributions::get(tx, ctx, id)?.counting_share();
    let waits = |line: &CreditGain| {
        let is_gift = approved.amount.is_positive() && line.gain.is_sign_positive();
        (line.is_unexchanged || line.waits && is_gift)
            && !line.gain.is_zero()
            && (line.partner_id, line.currency) == (approved.partner_id, approved.amount.currency())
    };
    if commissions::gains_of_credit(tx, ctx, id, share)?
        .iter()
        .any(waits)
    {
        return Err(Problem::new(Code::CommissionOnHold));
    }
    Ok(())
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
