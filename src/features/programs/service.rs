//! The verbs of a program.

use super::domain::{NewProgram, Program, ProgramPatch};
use super::store::{self, ProgramFilter};
use crate::features::{organizations, product_families};
use crate::kernel::ctx::Ctx;
use crate::kernel::gate::Gate;
use crate::kernel::id::ProgramId;
use crate::kernel::problem::{FieldProblem, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};

/// One program, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: ProgramId) -> Result<Program, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// The programs to which a partner's caller is confined; none where the caller is the organization's own.
pub fn confined_to(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Option<Vec<ProgramId>>, Problem> {
    match ctx.scope.partner_id {
        Some(_) => store::visible(tx, &ctx.scope).map(Some),
        None => Ok(None),
    }
}

/// A page of the programs that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &ProgramFilter,
    page: &PageRequest,
) -> Result<Page<Program>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Makes a new one; days are counted in the organization's time zone where none is named.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewProgram) -> Result<Program, Problem> {
    let zone = match new.time_zone {
        Some(zone) => zone,
        None => organizations::get(tx, ctx)?.time_zone,
    };
    require_families(tx, ctx, &new.gates)?;
    let program = Program::create(new, zone, ctx.now);
    store::insert(tx, &ctx.scope, &program)?;
    tx.record(
        ctx,
        Change::created("program.created", subject(&program), &program),
    );
    Ok(program)
}

/// Changes what may be changed.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ProgramId,
    precondition: &Precondition,
    patch: ProgramPatch,
) -> Result<Program, Problem> {
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    require_families(tx, ctx, patch.gates.as_deref().unwrap_or_default())?;
    let after = before.clone().patched(patch, ctx.now);
    store::update(tx, &ctx.scope, &after)?;
    tx.record(
        ctx,
        Change::updated("program.updated", subject(&after), &before, &after),
    );
    Ok(after)
}

/// Every product family that a gate names is one of the organization's.
fn require_families(tx: &mut Tx<'_>, ctx: &Ctx, gates: &[Gate]) -> Result<(), Problem> {
    let named = gates
        .iter()
        .flat_map(|gate| gate.product_family_ids.iter().copied());
    let unknown = product_families::unknown(tx, ctx, named.collect())?;
    let names_unknown = |gate: &Gate| gate.product_family_ids.iter().any(|id| unknown.contains(id));
    let refused = gates.iter().enumerate().filter(|(_, gate)| names_unknown(gate));
    let refused: Vec<_> = refused
        .map(|(index, _)| {
            let pointer = format!("/gates/{index}/product_family_ids");
            FieldProblem::new(pointer, "unknown_reference", "There is no such record.")
        })
        .collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(refused))
    }
}

fn subject(program: &Program) -> Subject {
    Subject {
        kind: "program",
        id: program.id.uuid(),
    }
}
