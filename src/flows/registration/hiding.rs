//! A registration is changed. Where it comes to be hidden from the partners above, so does its deal.

use crate::features::deal_registrations::{self, DealRegistration, RegistrationPatch};
use crate::features::deals;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{DealId, DealRegistrationId};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

/// Changes what may be changed. A deal that was hidden with its registration is shown again by the organization alone, and
/// to send what is so already changes nothing. The deal is locked first, as by whoever wins or loses it.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealRegistrationId,
    precondition: &Precondition,
    patch: RegistrationPatch,
) -> Result<DealRegistration, Problem> {
    if patch.hidden_from_parent != Some(true) {
        return deal_registrations::update(tx, ctx, id, precondition, patch);
    }
    let seen = deal_registrations::get_own(tx, ctx, id)?;
    let hides = !seen.hidden_from_parent;
    let hide = |tx: &mut Tx<'_>, deal_id: Option<DealId>| match deal_id.filter(|_| hides) {
        Some(deal_id) => tx.in_house(ctx, |tx, house| {
            deals::hide_of(tx, house, deal_id, seen.partner_id)
        }),
        None => Ok(()),
    };
    hide(tx, seen.deal_id)?;
    let after = deal_registrations::update(tx, ctx, id, precondition, patch)?;
    if after.deal_id != seen.deal_id {
        // It was approved in between.
        hide(tx, after.deal_id)?;
    }
    Ok(after)
}
