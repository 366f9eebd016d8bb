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
    let alike = accounts::alike(tx, ctx, &compared)?;
    let pairs: HashSet<(AccountId, AccountId)> = alike
        .into_iter()
        .flat_map(|(one, other)| [(one, other), (other, one)])
        .collect();
    let places: Vec<AccountId> = pairs.iter().map(|(place, _)| *place).collect();
    let claimed = deal_registrations::claimed(tx, ctx, &places)?;
    // What else is like them was compared before, and may have been decided since.
    for (place, like) in claimed.into_iter().filter(|met| pairs.contains(met)) {
        if let Some(deal) = deals::open_direct(tx, ctx, place, None)? {
            flag(tx, ctx, &Arrival::of(&deal), like)?;
        }
    }
    Ok(compared.len())
}
