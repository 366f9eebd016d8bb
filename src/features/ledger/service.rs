//! Posting to the journal and reading from it.

use super::domain::NewEntry;
use super::store;
use crate::kernel::ctx::Ctx;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// Posts the entries, in one statement. Nothing is not posted: entries of zero are left out.
pub fn post(tx: &mut Tx<'_>, ctx: &Ctx, entries: &[NewEntry]) -> Result<(), Problem> {
    let moving = |entry: &&NewEntry| !entry.amount().is_zero();
    let entries: Vec<&NewEntry> = entries.iter().filter(moving).collect();
    if entries.is_empty() {
        return Ok(());
    }
    store::insert(tx, &ctx.scope, &entries, ctx.now)
}
