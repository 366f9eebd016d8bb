//! The activity of partners.

use super::store::{self, Activity, Headcount};
use crate::features::organizations;
use crate::features::partners;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::PartnerId;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// The activity of a partner, and after how many days without an action it is dormant. Of partners a partner's caller
/// asks for its own.
pub fn of_partner(tx: &mut Tx<'_>, ctx: &Ctx, id: PartnerId) -> Result<(Activity, i32), Problem> {
    if ctx.scope.partner_id.is_some_and(|own| own != id) {
        return Err(Problem::not_found());
    }
    partners::get(tx, ctx, id)?;
    let days = organizations::get(tx, ctx)?.dormant_after_days;
    Ok((store::of_partner(tx, &ctx.scope, id)?, days))
}

/// How many approved partners there are, and how they stand; and after how many days one is dormant.
pub fn headcount(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<(Headcount, i32), Problem> {
    let days = organizations::get(tx, ctx)?.dormant_after_days;
    Ok((store::headcount(tx, &ctx.scope, days, ctx.now)?, days))
}
