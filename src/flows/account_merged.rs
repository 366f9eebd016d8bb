//! Two accounts that are one: the deals of the one go to the other, and come back when that is undone. Credits,
//! invoices and commissions hang on the deal and go with it.

use crate::features::accounts::{self, Merge};
use crate::features::deals;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AccountId, AccountMergeId};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

/// Merges an account into the survivor.
pub fn run(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    account_id: AccountId,
    survivor_id: AccountId,
    reason: String,
) -> Result<Merge, Problem> {
    let (account, survivor) = accounts::lock_for_merge(tx, ctx, account_id, survivor_id)?;
    let moved = deals::move_to_account(tx, ctx, account_id, survivor_id, None)?;
    accounts::merge(tx, ctx, &account, &survivor, reason, &moved)
}

/// Undoes a merge: exactly those deals go back that it moved and that are still the survivor's.
pub fn undo(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AccountMergeId,
    precondition: &Precondition,
    reason: String,
) -> Result<Merge, Problem> {
    let (merge, moved) = accounts::lock_for_undo(tx, ctx, id, precondition)?;
    let (account_id, survivor_id) = (merge.account_id, merge.survivor_id);
    let undone = accounts::undo_merge(tx, ctx, merge, reason)?;
    deals::move_to_account(tx, ctx, survivor_id, account_id, Some(&moved))?;
    Ok(undone)
}
