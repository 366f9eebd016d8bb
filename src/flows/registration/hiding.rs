//! A registration is changed. Where it comes to be hidden from the partners above, so does its deal.

use crate::features::deal_registrations::{self, DealRegistration, RegistrationPatch};
use crate::features::deals;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::DealRegistrationId;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

/// Changes what may be changed. A deal that was hidden with its registration is shown again by the organization alone.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealRegistrationId,
    precondition: &Precondition,
    patch: RegistrationPatch,
) -> Result<DealRegistration, Problem> {
    let hides = patch.hidden_from_parent == Some(true);
    let after = deal_registrations::update(tx, ctx, id, precondition, patch)?;
    if let Some(deal_id) = after.deal_id.filter(|_| hides) {
        tx.in_house(ctx, |tx, house| deals::hide(tx, house, deal_id))?;
    }
    Ok(after)
}
