//! A credit counts after all on a deal that is won: what its payments earned so far is accrued.

use super::accrual;
use crate::features::attributions::{self, Attribution};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::AttributionId;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

/// Corrects the credit for this reason.
pub fn run(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AttributionId,
    precondition: &Precondition,
    reason: &str,
) -> Result<Attribution, Problem> {
    let attribution = attributions::correct(tx, ctx, id, precondition, reason)?;
    accrual::of_deals(tx, ctx, &[attribution.deal_id])?;
    Ok(attribution)
}
