//! A credit note came: on an invoice it takes off what is open, then takes back what was paid; on a deal alone it
//! becomes negative lines under the deal's own rules.

use super::{accrual, clawback};
use crate::features::credit_notes::{self, CreditNote, NewCreditNote};
use crate::features::invoices;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::RefundId;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// Issues the credit note and settles what follows from it.
pub fn run(tx: &mut Tx<'_>, ctx: &Ctx, new: NewCreditNote) -> Result<CreditNote, Problem> {
    let credit_note = credit_notes::issue(tx, ctx, new)?;
    match credit_note.invoice_id {
        None => accrual::of_credit_notes(tx, ctx, &[credit_note.id])?,
        Some(invoice_id) => {
            let refunds = invoices::credit(tx, ctx, invoice_id, credit_note.credit())?;
            let refunds: Vec<RefundId> = refunds.iter().map(|refund| refund.id).collect();
            clawback::of_refunds(tx, ctx, &refunds)?;
        }
    }
    Ok(credit_note)
}
