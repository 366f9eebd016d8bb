//! Money went back, or came in again: the refund is recorded and commissions are taken back, or given back, in the same
//! transaction.

use super::clawback;
use crate::features::invoices::{self, NewRefund, NewReinstatement, Refund};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{PaymentId, RefundId};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// Records the refund and claws back.
pub fn run(tx: &mut Tx<'_>, ctx: &Ctx, payment_id: PaymentId, new: NewRefund) -> Result<Refund, Problem> {
    let refund = invoices::record_refund(tx, ctx, payment_id, new)?;
    clawback::of_refunds(tx, ctx, &[refund.id])?;
    Ok(refund)
}

/// Records that money of a refund came in again and gives back what was taken back because of it.
pub fn reinstate(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    refund_id: RefundId,
    new: NewReinstatement,
) -> Result<Refund, Problem> {
    let reinstatement = invoices::record_reinstatement(tx, ctx, refund_id, new)?;
    clawback::of_refunds(tx, ctx, &[reinstatement.id])?;
    Ok(reinstatement)
}
