//! What the caller does best now.

use super::domain::{NextAction, in_order, kinds_of};
use super::store::{self, Asker};
use crate::features::api_keys;
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// The actions that the caller may do, the most useful one first.
pub fn list(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Vec<NextAction>, Problem> {
    let kinds = kinds_of(ctx.scope.partner_id.is_some(), |permission| ctx.holds(permission));
    if kinds.is_empty() {
        tx.confirm_caller()?;
        return Ok(Vec::new());
    }
    let secret_makers = if kinds.iter().any(|kind| kind.takes_a_second_person()) {
        api_keys::secret_makers(tx, ctx)?
    } else {
        Vec::new()
    };
    let asker = Asker {
        responsible: ctx.responsible().map(ActorId::uuid),
        secret_makers,
    };
    let found = store::find(tx, &ctx.scope, &kinds, &asker, ctx.now)?;
    Ok(in_order(found, ctx.now))
}
