//! A partner's start in a program.

use super::domain::Start;
use super::store;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::EnrollmentId;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// How far the start is. A partner's caller asks for its own, whatever enrollments it sees: contacts and payout methods of
/// those below it are none of its business.
pub fn of_enrollment(tx: &mut Tx<'_>, ctx: &Ctx, id: EnrollmentId) -> Result<Start, Problem> {
    let start = store::find(tx, &ctx.scope, id)?;
    let own = start.filter(|start| ctx.scope.partner_id.is_none_or(|own| own == start.partner_id));
    own.ok_or_else(Problem::not_found)
}
