//! Claims and deals that meet because their accounts may be one company in two spellings. They are laid before a person,
//! and no partner hears of it. Whichever comes first, the likeness or the deal, the other finds it.

use super::deals::{Arrival, flag};
use crate::features::{accounts, deal_registrations, deals};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::AccountId;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use std::collections::HashSet;

/// Compares some accounts that were written since, and flags open deals of the organization's own that meet a claim to an
/// account like theirs; how many accounts were compared. It may be ended at any moment and done again.
pub fn compare(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<usize, Problem> {
    let compared = accounts::suggest_pairs(tx, ctx)?;
    let (pairs, claimed) = claimed_pairs(tx, ctx, &compared)?;
    for (one, other) in pairs {
        for (place, like) in [(one, other), (other, one)] {
            if !claimed.contains(&like) {
                continue;
            }
            if let Some(deal) = deals::open_direct(tx, ctx, place, None)? {
                flag(tx, ctx, &Arrival::of(&deal), like)?;
            }
        }
    }
    Ok(compared.len())
}

/// Pairs of accounts that may be one, and those accounts of them to which there are live claims.
type ClaimedPairs = (Vec<(AccountId, AccountId)>, HashSet<AccountId>);

/// Pairs of one of these accounts and one that it may be, and to which accounts of all of them there are live claims.
pub fn claimed_pairs(tx: &mut Tx<'_>, ctx: &Ctx, ids: &[AccountId]) -> Result<ClaimedPairs, Problem> {
    let pairs = accounts::alike(tx, ctx, ids)?;
    let others = pairs.iter().map(|(_, other)| *other);
    let all: Vec<AccountId> = ids.iter().copied().chain(others).collect();
    let claimed = deal_registrations::claimed(tx, ctx, &all)?;
    Ok((pairs, claimed))
}
