//! Money went back to the customer, or came in again: commissions are taken back in proportion, or given back.

use super::dispute::award;
use super::exchange::{account_of, exchange_of_clawback};
use super::late_credit;
use crate::features::commissions::{self, ClawedBack};
use crate::features::ledger::{self, NewEntry};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CommissionId, DealId, RefundId};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// Takes back what these refunds undo.
pub fn of_refunds(tx: &mut Tx<'_>, ctx: &Ctx, refunds: &[RefundId]) -> Result<(), Problem> {
    let clawed = commissions::claw_back(tx, ctx, refunds)?;
    post(tx, ctx, &clawed)?;
    // Also of what earned nothing, of which nothing is taken: with another share it would have earned something.
    let credits = commissions::credits_of_refunds(tx, ctx, refunds)?;
    late_credit::follow(tx, ctx, &credits)?;
    award::follow(tx, ctx, &lines_of(&clawed))
}

/// Takes back what earlier refunds undo of lines that were earned only now.
pub fn of_deals(tx: &mut Tx<'_>, ctx: &Ctx, deals: &[DealId]) -> Result<(), Problem> {
    let clawed = commissions::claw_back_of_deals(tx, ctx, deals)?;
    post(tx, ctx, &clawed)?;
    let lines = lines_of(&clawed);
    let credits = commissions::credits_of(tx, ctx, &lines)?;
    late_credit::follow(tx, ctx, &credits)?;
    award::follow(tx, ctx, &lines)
}

fn lines_of(clawed: &[ClawedBack]) -> Vec<CommissionId> {
    clawed.iter().map(|line| line.commission_id).collect()
}

fn post(tx: &mut Tx<'_>, ctx: &Ctx, clawed: &[ClawedBack]) -> Result<(), Problem> {
    let entries: Vec<NewEntry> = clawed.iter().flat_map(entries).collect();
    ledger::post(tx, ctx, &entries)
}

/// What is taken from an exchanged line leaves the currency that the partner is paid in, and then that of the invoice; what
/// is given back goes the other way.
fn entries(line: &ClawedBack) -> Vec<NewEntry> {
    let (account, at) = (account_of(line.taken_from), line.occurred_at);
    let (id, partner, program) = (line.id, line.partner_id, line.program_id);
    let exchange = line.exchanged.iter().flat_map(|(owed, _)| {
        exchange_of_clawback(id, account, (partner, program), (*owed, line.amount), at)
    });
    let amount = line.amount.abs();
    if line.gives_back() {
        let given = NewEntry::reinstatement(id, account, partner, program, amount, at);
        return std::iter::once(given).chain(exchange).collect();
    }
    let taken = NewEntry::clawback(id, account, partner, program, amount, at);
    exchange.chain(std::iter::once(taken)).collect()
}
