//! A partner goes for good: its people and keys are out in the same transaction.

use crate::features::{api_keys, partners, users};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::PartnerId;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

/// Terminates the partner, sees its people off and revokes its keys.
pub fn run(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PartnerId,
    precondition: &Precondition,
    why: partners::Why,
) -> Result<partners::Partner, Problem> {
    let reason = why.text.clone();
    let partner = partners::terminate(tx, ctx, id, precondition, why)?;
    users::terminate_of_partner(tx, ctx, id, &reason)?;
    api_keys::revoke_of_partner(tx, ctx, id)?;
    Ok(partner)
}
