//! Claims and deals that meet because their accounts may be one company in two spellings. They are laid before a person,
//! and no partner hears of it. Whichever comes first, the likeness or the deal, the other finds it.

use super::deals::{Arrival, flag};
use crate::features::{accounts, deal_registrations, deals};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::AccountId;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// Compares some accounts that were written since, and flags open deals of the organization's own that meet a claim to an
/// account like theirs; how many accounts were compared. It may be ended at any moment and done again.
pub fn compare(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<usize, Problem> {
    let compared = accounts::suggest_pairs(tx, ctx)?;
    let pairs = accounts::alike(tx, ctx, &compared)?;
    let places: Vec<AccountId> = pairs.iter().flat_map(|(one, other)| [*one, *other]).collect();
    for (place, claimed) in deal_registrations::claimed(tx, ctx, &places)? {
        if place == claimed {
            continue;
        }
        if let Some(deal) = deals::open_direct(tx, ctx, place, None)? {
            flag(tx, ctx, &Arrival::of(&deal), claimed)?;
        }
    }
    Ok(compared.len())
}
