//! Money went back: the refund is recorded and commissions are taken back, in the same transaction.

use super::clawback;
use crate::features::invoices::{self, NewRefund, Refund};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::PaymentId;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// Records the refund and claws back.
pub fn run(tx: &mut Tx<'_>, ctx: &Ctx, payment_id: PaymentId, new: NewRefund) -> Result<Refund, Problem> {
    let refund = invoices::record_refund(tx, ctx, payment_id, new)?;
    clawback::of_refunds(tx, ctx, &[refund.id])?;
    Ok(refund)
}
