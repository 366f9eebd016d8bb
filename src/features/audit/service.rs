//! Reading the audit trail.

use super::domain::AuditEvent;
use super::store::{self, AuditFilter};
use crate::kernel::ctx::Ctx;
use crate::kernel::problem::Problem;
use crate::platform::db::{Page, PageRequest, Tx};

/// A page of the trail, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &AuditFilter,
    page: &PageRequest,
) -> Result<Page<AuditEvent>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}
