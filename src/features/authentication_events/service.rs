//! The verbs of authentication events.

use super::domain::AuthenticationEvent;
use super::store::{self, AuthenticationEventFilter};
use crate::kernel::ctx::Ctx;
use crate::kernel::problem::Problem;
use crate::platform::db::{Page, PageRequest, Tx};

/// Writes an event with the change that it tells of.
pub fn note(tx: &mut Tx<'_>, ctx: &Ctx, event: &AuthenticationEvent) -> Result<(), Problem> {
    store::insert(tx, &ctx.scope, event)
}

/// A page of the events that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &AuthenticationEventFilter,
    page: &PageRequest,
) -> Result<Page<AuthenticationEvent>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}
