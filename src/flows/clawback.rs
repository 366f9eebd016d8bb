//! Money went back to the customer: commissions are taken back in proportion.

use crate::features::commissions::{self, ClawedBack, TakenFrom};
use crate::features::ledger::{self, NewEntry};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{DealId, RefundId};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// Takes back what these refunds undo.
pub fn of_refunds(tx: &mut Tx<'_>, ctx: &Ctx, refunds: &[RefundId]) -> Result<(), Problem> {
    let clawed = commissions::claw_back(tx, ctx, refunds)?;
    post(tx, ctx, &clawed)
}

/// Takes back what earlier refunds undo of lines that were earned only now.
pub fn of_deals(tx: &mut Tx<'_>, ctx: &Ctx, deals: &[DealId]) -> Result<(), Problem> {
    let clawed = commissions::claw_back_of_deals(tx, ctx, deals)?;
    post(tx, ctx, &clawed)
}

fn post(tx: &mut Tx<'_>, ctx: &Ctx, clawed: &[ClawedBack]) -> Result<(), Problem> {
    let entries: Vec<NewEntry> = clawed
        .iter()
        .filter(|line| line.amount.is_positive())
        .map(|line| {
            let account = account_of(line.taken_from);
            NewEntry::clawback(
                line.id,
                account,
                line.partner_id,
                line.program_id,
                line.amount,
                line.occurred_at,
            )
        })
        .collect();
    ledger::post(tx, ctx, &entries)
}

const fn account_of(taken_from: TakenFrom) -> ledger::TakenFrom {
    match taken_from {
        TakenFrom::Held => ledger::TakenFrom::Held,
        TakenFrom::Released => ledger::TakenFrom::Released,
        TakenFrom::Payable => ledger::TakenFrom::Payable,
    }
}
