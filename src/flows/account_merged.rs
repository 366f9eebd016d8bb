//! Two accounts that are one: what names the one goes to the other, and comes back when that is undone. Credits, invoices
//! and commissions hang on the deal and go with it; comments and requests on the registration.

use crate::features::accounts::{self, CONFLICT, DEAL, Merge, REGISTRATION};
use crate::features::{deal_registrations, deals, registration_conflicts};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AccountId, AccountMergeId, DealId};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

/// Merges an account into the survivor, unless claims to the two stand against one another.
pub fn run(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    account_id: AccountId,
    survivor_id: AccountId,
    reason: String,
) -> Result<Merge, Problem> {
    let (account, survivor) = accounts::lock_for_merge(tx, ctx, account_id, survivor_id)?;
    deal_registrations::require_apart(tx, ctx, account_id, survivor_id)?;
    let deals = deals::move_to_account(tx, ctx, account_id, survivor_id, None)?;
    let registrations = deal_registrations::move_to_account(tx, ctx, account_id, survivor_id, None)?;
    let conflicts = registration_conflicts::move_to_account(tx, ctx, account_id, survivor_id, None)?;
    let deals = deals.iter().map(|id| (DEAL, id.uuid()));
    let registrations = registrations.iter().map(|(id, _)| (REGISTRATION, *id));
    let conflicts = conflicts.iter().map(|id| (CONFLICT, *id));
    let moved = deals.chain(registrations).chain(conflicts).collect();
    accounts::merge(tx, ctx, &account, &survivor, reason, moved)
}

/// Undoes a merge: exactly those records go back that it moved and that are still the survivor's, and with a
/// registration the deal that it got since.
pub fn undo(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AccountMergeId,
    precondition: &Precondition,
    reason: String,
) -> Result<Merge, Problem> {
    let merge = accounts::lock_for_undo(tx, ctx, id, precondition)?;
    let (account_id, survivor_id) = (merge.account_id, merge.survivor_id);
    let undone = accounts::undo_merge(tx, ctx, merge, reason)?;
    let conflicts = accounts::moved(tx, ctx, id, CONFLICT)?;
    registration_conflicts::move_to_account(tx, ctx, survivor_id, account_id, Some(&conflicts))?;
    let registrations = accounts::moved(tx, ctx, id, REGISTRATION)?;
    let registrations =
        deal_registrations::move_to_account(tx, ctx, survivor_id, account_id, Some(&registrations))?;
    let deals = accounts::moved(tx, ctx, id, DEAL)?
        .into_iter()
        .map(DealId::from_uuid);
    let deals: Vec<DealId> = deals
        .chain(registrations.into_iter().filter_map(|(_, deal)| deal))
        .collect();
    deals::move_to_account(tx, ctx, survivor_id, account_id, Some(&deals))?;
    Ok(undone)
}
