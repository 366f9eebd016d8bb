//! Numbering events and reading them.

use super::domain::Event;
use super::store::{self, EventFilter};
use crate::features::partners;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::PartnerId;
use crate::kernel::problem::Problem;
use crate::platform::db::{Page, PageRequest, Tx};

/// Gives the committed events of the caller's organization their numbers, some thousands at a time; how many got one.
pub fn number(tx: &mut Tx<'_>) -> Result<i32, Problem> {
    store::number(tx)
}

/// A page of the events that the caller may see, in the order of their numbers.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &EventFilter,
    page: &PageRequest,
) -> Result<Page<Event>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// A page of what happened with a partner, newest first. Of partners a partner's caller asks for its own: what happens
/// with those below it is told to nobody else.
pub fn timeline(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    partner_id: PartnerId,
    names: &[String],
    page: &PageRequest,
) -> Result<Page<Event>, Problem> {
    if ctx.scope.partner_id.is_some_and(|own| own != partner_id) {
        return Err(Problem::not_found());
    }
    partners::get(tx, ctx, partner_id)?;
    store::timeline(tx, &ctx.scope, partner_id, names, page)
}
