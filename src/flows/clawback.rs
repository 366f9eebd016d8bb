//! Money went back to the customer: commissions are taken back in proportion.

use super::exchange::account_of;
use crate::features::commissions::{self, ClawedBack};
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
    let entries: Vec<NewEntry> = clawed.iter().flat_map(entries).collect();
    ledger::post(tx, ctx, &entries)
}

/// What is taken from an exchanged line leaves the currency that the partner is paid in, and then that of the invoice.
fn entries(line: &ClawedBack) -> Vec<NewEntry> {
    let (account, at) = (account_of(line.taken_from), line.occurred_at);
    let (id, partner, program) = (line.id, line.partner_id, line.program_id);
    let mut entries = Vec::with_capacity(3);
    if let Some((owed, _)) = &line.exchanged {
        entries.extend([
            NewEntry::clawback_exchange_out(id, account, partner, program, *owed, at),
            NewEntry::clawback_exchange_in(id, account, partner, program, line.amount, at),
        ]);
    }
    entries.push(NewEntry::clawback(id, account, partner, program, line.amount, at));
    entries
}
