//! The verbs of deal rules.

use super::domain::{DealRules, DealRulesPatch};
use super::store;
use crate::features::product_families;
use crate::features::programs::{self, Program};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::ProgramId;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Subject, Tx};

/// The rules of a program that the caller may see; the defaults where nobody changed them.
pub fn of(tx: &mut Tx<'_>, ctx: &Ctx, id: ProgramId) -> Result<DealRules, Problem> {
    let program = programs::get(tx, ctx, id)?;
    of_program(tx, ctx, &program)
}

/// The rules of a program that was read already; the defaults where nobody changed them.
pub fn of_program(tx: &mut Tx<'_>, ctx: &Ctx, program: &Program) -> Result<DealRules, Problem> {
    let defaults = DealRules::defaults(program.id, program.time_zone, program.created_at);
    let found = store::find(tx, &ctx.scope, program.id, defaults.hours.zone())?;
    Ok(found.unwrap_or(defaults))
}

/// Changes what may be changed. What was submitted before keeps what it was promised.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ProgramId,
    precondition: &Precondition,
    patch: DealRulesPatch,
) -> Result<DealRules, Problem> {
    let defaults = defaults(tx, ctx, id)?;
    let before = store::lock(tx, &ctx.scope, &defaults)?;
    precondition.check(before.row_version)?;
    require_families(tx, ctx, &patch)?;
    let after = before.clone().patched(patch, ctx.now)?;
    store::update(tx, &ctx.scope, &after)?;
    let subject = Subject {
        kind: "program",
        id: id.uuid(),
    };
    tx.record(
        ctx,
        Change::updated("deal_rules.updated", subject, &before, &after),
    );
    Ok(after)
}

fn defaults(tx: &mut Tx<'_>, ctx: &Ctx, id: ProgramId) -> Result<DealRules, Problem> {
    let program = programs::get(tx, ctx, id)?;
    Ok(DealRules::defaults(id, program.time_zone, program.created_at))
}

/// Every product family that the rules name is one of the organization's.
fn require_families(tx: &mut Tx<'_>, ctx: &Ctx, patch: &DealRulesPatch) -> Result<(), Problem> {
    let named = patch.product_family_ids.iter().flatten().copied().collect();
    if product_families::unknown(tx, ctx, named)?.is_empty() {
        return Ok(());
    }
    Err(Problem::field(
        "/product_family_ids",
        "unknown_reference",
        "There is no such product family.",
    ))
}
