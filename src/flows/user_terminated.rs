//! A person goes for good: their keys stop working in the same transaction.

use crate::features::{api_keys, users};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::UserId;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

/// Sees the user off and revokes the keys that belong to it.
pub fn run(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: UserId,
    precondition: &Precondition,
    reason: &str,
) -> Result<users::User, Problem> {
    let user = users::terminate(tx, ctx, id, precondition, reason)?;
    api_keys::revoke_of_owner(tx, ctx, id)?;
    Ok(user)
}
