//! Numbering events and reading them.

use super::domain::Event;
use super::store::{self, EventFilter};
use crate::kernel::ctx::Ctx;
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
