//! Money was received, a deal was won, a credit note came: earned lines and their postings.

use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CreditNoteId, DealId, PaymentId};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// Accrues what these payments earned and have not yet posted.
pub fn of_payments(_tx: &mut Tx<'_>, _ctx: &Ctx, _payments: &[PaymentId]) -> Result<(), Problem> {
    Ok(())
}

/// Accrues what all payments of these deals earned and have not yet posted.
pub fn of_deals(_tx: &mut Tx<'_>, _ctx: &Ctx, _deals: &[DealId]) -> Result<(), Problem> {
    Ok(())
}

/// Posts the negative lines of credit notes that name a deal and no invoice.
pub fn of_credit_notes(_tx: &mut Tx<'_>, _ctx: &Ctx, _credit_notes: &[CreditNoteId]) -> Result<(), Problem> {
    Ok(())
}
