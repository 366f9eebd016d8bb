//! Reading the audit trail, sealing it and checking the seals.

use super::domain::{AuditChain, AuditEvent, KnownHead};
use super::store::{self, AuditFilter};
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::problem::Problem;
use crate::platform::db::{Page, PageRequest, Tx};
use uuid::Uuid;

/// A page of the trail, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &AuditFilter,
    page: &PageRequest,
) -> Result<Page<AuditEvent>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Who did the last of these things to a record, as far as the trail tells: the person, else the key.
pub fn author_of(
    tx: &mut Tx<'_>,
    house: &Ctx,
    subject_id: Uuid,
    actions: &[&str],
) -> Result<Option<ActorId>, Problem> {
    store::author_of(tx, &house.scope, subject_id, actions)
}

/// Links the committed entries of the caller's organization to its chain, some thousands at a time; how many there
/// were.
pub fn seal(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<i32, Problem> {
    store::seal(tx, ctx.wall_now)
}

/// Computes every hash of the caller's organization again. Ask within a snapshot: entries go on being sealed.
pub fn verify(tx: &mut Tx<'_>, ctx: &Ctx, known: Option<&KnownHead>) -> Result<AuditChain, Problem> {
    let chain = tx.without_nested_loops(store::chain)?;
    let Some(known) = known else {
        return Ok(chain);
    };
    let is_kept = store::has_link(tx, &ctx.scope, known)?;
    Ok(chain.compared(known, is_kept))
}
