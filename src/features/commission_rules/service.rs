//! The verbs of a commission rule and its versions.

use super::store;
use crate::kernel::commission::Rule;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::ProgramId;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use std::collections::HashMap;

/// The versions that decide, or once decided, what is earned in a program; of all instants.
pub fn rules_of_program(tx: &mut Tx<'_>, ctx: &Ctx, program_id: ProgramId) -> Result<Vec<Rule>, Problem> {
    let mut found = rules_of_programs(tx, ctx, &[program_id])?;
    Ok(found.remove(&program_id).unwrap_or_default())
}

/// [`rules_of_program`] of several programs, in one statement. A program without rules has no entry.
pub fn rules_of_programs(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    program_ids: &[ProgramId],
) -> Result<HashMap<ProgramId, Vec<Rule>>, Problem> {
    let mut rules: HashMap<ProgramId, Vec<Rule>> = HashMap::new();
    for version in store::deciding(tx, &ctx.scope, program_ids)? {
        let rule = version.rule().map_err(Problem::damaged)?;
        rules.entry(version.program_id).or_default().push(rule);
    }
    Ok(rules)
}
