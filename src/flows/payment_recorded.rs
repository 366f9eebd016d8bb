//! Money came in: the payment is recorded and what it earns is accrued, in the same transaction.

use super::accrual;
use crate::features::invoices::{self, NewPayment, Payment};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::InvoiceId;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// Records the payment and accrues.
pub fn run(tx: &mut Tx<'_>, ctx: &Ctx, invoice_id: InvoiceId, new: NewPayment) -> Result<Payment, Problem> {
    let payment = invoices::record_payment(tx, ctx, invoice_id, new)?;
    accrual::of_payments(tx, ctx, &[payment.id])?;
    Ok(payment)
}
