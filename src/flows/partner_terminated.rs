//! A partner goes for good: its keys stop working in the same transaction.

use crate::features::{api_keys, partners};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::PartnerId;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

/// Terminates the partner and revokes its keys.
pub fn run(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PartnerId,
    precondition: &Precondition,
    reason: &str,
) -> Result<partners::Partner, Problem> {
    let partner = partners::terminate(tx, ctx, id, precondition, reason)?;
    api_keys::revoke_of_partner(tx, ctx, id)?;
    Ok(partner)
}
