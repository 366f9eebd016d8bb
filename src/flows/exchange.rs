//! What was earned in the currency of an invoice becomes what is owed in the currency that the partner is paid in. Each
//! exchange is two entries: out of the one currency into the clearing of exchanges, and from there into the other.

use super::late_credit;
use crate::features::commissions::{self, Exchanged, TakenFrom};
use crate::features::ledger::{self, NewEntry};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{ClawbackId, CommissionId, PartnerId, ProgramId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use chrono::{DateTime, Utc};

/// Exchanges those of these new lines that are exchanged as they are earned and whose rate is known.
pub fn of_lines(tx: &mut Tx<'_>, ctx: &Ctx, lines: &[CommissionId]) -> Result<(), Problem> {
    if lines.is_empty() {
        return Ok(());
    }
    let exchanged = commissions::exchange_earned(tx, ctx, Some(lines))?;
    post(tx, ctx, &exchanged, |line| line.since)
}

/// Exchanges a batch of the lines whose rate came after they were earned; how many they were.
pub fn run(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<usize, Problem> {
    let exchanged = commissions::exchange_earned(tx, ctx, None)?;
    post(tx, ctx, &exchanged, |_| ctx.now)?;
    follow(tx, ctx, &exchanged)?;
    Ok(exchanged.len())
}

/// Exchanges locked lines as they were quoted for a payout that sets them aside.
pub fn of_payout(tx: &mut Tx<'_>, ctx: &Ctx, quoted: &[Exchanged]) -> Result<(), Problem> {
    commissions::keep_exchanges(tx, ctx, quoted)?;
    post(tx, ctx, quoted, |_| ctx.now)?;
    follow(tx, ctx, quoted)
}

/// What corrections of credit mean for these lines is proposed in the currency in which they are owed now.
fn follow(tx: &mut Tx<'_>, ctx: &Ctx, exchanged: &[Exchanged]) -> Result<(), Problem> {
    let lines: Vec<CommissionId> = exchanged.iter().map(|line| line.id).collect();
    let credits = commissions::credits_of(tx, ctx, &lines)?;
    late_credit::follow(tx, ctx, &credits)
}

fn post(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    exchanged: &[Exchanged],
    at: impl Fn(&Exchanged) -> DateTime<Utc>,
) -> Result<(), Problem> {
    let entries: Vec<NewEntry> = exchanged
        .iter()
        .flat_map(|line| entries(line, at(line)))
        .collect();
    ledger::post(tx, ctx, &entries)
}

/// The entries of a line, and of what was taken back from it and is a line of payouts by itself.
fn entries(line: &Exchanged, at: DateTime<Utc>) -> Vec<NewEntry> {
    let account = account_of(line.account);
    // A credit note is owed by the partner: what is owed less in the one currency is owed less in the other.
    let (out, into): (Money, Money) = if line.from.is_negative() {
        (line.to.abs(), line.from.abs())
    } else {
        (line.from, line.to)
    };
    let (id, partner, program) = (line.id, line.partner_id, line.program_id);
    let mut entries = vec![
        NewEntry::exchange_out(id, account, partner, program, out, at),
        NewEntry::exchange_in(id, account, partner, program, into, at),
    ];
    for taken in line.clawbacks.iter().filter(|taken| taken.is_payable) {
        let payable = ledger::TakenFrom::Payable;
        let amounts = (taken.to, taken.from);
        entries.extend(exchange_of_clawback(
            taken.id,
            payable,
            (partner, program),
            amounts,
            at,
        ));
    }
    entries
}

/// The exchange of what was taken back, from the currency that the partner is paid in to that of the invoice, or of what
/// was given back, the other way round: `(owed, earned)`, both below zero then.
pub fn exchange_of_clawback(
    id: ClawbackId,
    account: ledger::TakenFrom,
    (partner, program): (PartnerId, ProgramId),
    (owed, earned): (Money, Money),
    at: DateTime<Utc>,
) -> [NewEntry; 2] {
    let (out, into) = if owed.is_negative() || earned.is_negative() {
        (earned.abs(), owed.abs())
    } else {
        (owed, earned)
    };
    [
        NewEntry::clawback_exchange_out(id, account, partner, program, out, at),
        NewEntry::clawback_exchange_in(id, account, partner, program, into, at),
    ]
}

/// The account of the journal by the name that it has among commissions.
pub const fn account_of(taken_from: TakenFrom) -> ledger::TakenFrom {
    match taken_from {
        TakenFrom::Held => ledger::TakenFrom::Held,
        TakenFrom::Released => ledger::TakenFrom::Released,
        TakenFrom::Payable => ledger::TakenFrom::Payable,
    }
}
