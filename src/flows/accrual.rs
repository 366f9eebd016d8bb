//! Money was received, a deal was won, a credit note came: earned lines and their postings.
//!
//! Asking again changes nothing: a line that exists is not written twice, and only new lines are posted.

use crate::features::commissions::{self, CommissionStatus, Earned, Source};
use crate::features::ledger::{self, NewEntry};
use crate::flows::{clawback, exchange};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CreditNoteId, DealId, PaymentId};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// Accrues what these payments earned and have not yet posted.
pub fn of_payments(tx: &mut Tx<'_>, ctx: &Ctx, payments: &[PaymentId]) -> Result<(), Problem> {
    run(tx, ctx, Source::Payments(payments))
}

/// Accrues what all payments of these deals earned and have not yet posted, and takes back what credit notes and
/// refunds undid of it in the meantime.
pub fn of_deals(tx: &mut Tx<'_>, ctx: &Ctx, deals: &[DealId]) -> Result<(), Problem> {
    run(tx, ctx, Source::Deals(deals))?;
    clawback::of_deals(tx, ctx, deals)
}

/// Posts the negative lines of credit notes that name a deal and no invoice.
pub fn of_credit_notes(tx: &mut Tx<'_>, ctx: &Ctx, credit_notes: &[CreditNoteId]) -> Result<(), Problem> {
    run(tx, ctx, Source::CreditNotes(credit_notes))
}

fn run(tx: &mut Tx<'_>, ctx: &Ctx, source: Source<'_>) -> Result<(), Problem> {
    let (earned, to_exchange) = commissions::accrue(tx, ctx, source)?;
    let entries: Vec<NewEntry> = earned.iter().flat_map(postings).collect::<Result<_, _>>()?;
    ledger::post(tx, ctx, &entries)?;
    exchange::of_lines(tx, ctx, &to_exchange)
}

/// The postings of a new line: earned into the hold, and at once as far as it has come on.
fn postings(line: &Earned) -> Vec<Result<NewEntry, Problem>> {
    let (id, partner, program) = (line.id, line.partner_id, line.origin.program_id);
    if line.amount.is_negative() {
        let taken = line.amount.checked_neg().map_err(Problem::damaged);
        return vec![taken.map(|amount| NewEntry::credit_note(id, partner, program, amount, line.earned_at))];
    }
    if !line.amount.is_positive() {
        return Vec::new();
    }
    let mut entries = vec![Ok(NewEntry::accrual(
        id,
        partner,
        program,
        line.amount,
        line.earned_at,
    ))];
    if matches!(line.status, CommissionStatus::Due | CommissionStatus::Approved) {
        entries.push(Ok(NewEntry::hold_release(
            id,
            partner,
            program,
            line.amount,
            line.release_at,
        )));
    }
    if line.status == CommissionStatus::Approved {
        entries.push(Ok(NewEntry::approval(
            id,
            partner,
            program,
            line.amount,
            line.release_at,
        )));
    }
    entries
}
