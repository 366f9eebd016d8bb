//! What time brings to registrations: the worker ends protections, announces their ends, and notes late answers.

use crate::features::deal_registrations::{self, DealRegistration, Due};
use crate::features::deal_rules::DealRules;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::ProgramId;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use std::collections::{BTreeSet, HashMap};

/// One batch of each; how many registrations were touched. It may be ended at any moment and done again: what is
/// committed is no longer due, and what another worker holds is left to it.
pub fn run(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<usize, Problem> {
    let ended = end(tx, ctx)?;
    let announced = announce(tx, ctx)?;
    Ok(ended + announced + note_late(tx, ctx)?)
}

fn end(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<usize, Problem> {
    let due = deal_registrations::due(tx, ctx, Due::Ended)?;
    let after = due.iter().map(|one| one.clone().expire(ctx.now));
    let after: Vec<DealRegistration> = after.collect::<Result<_, _>>()?;
    deal_registrations::save_timed(tx, ctx, "deal_registration.expired", &due, &after)?;
    Ok(due.len())
}

fn announce(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<usize, Problem> {
    let due = deal_registrations::due(tx, ctx, Due::Announced)?;
    let rules = rules_of(tx, ctx, &due)?;
    let reminded = |one: &DealRegistration| {
        let rules = rules.get(&one.program_id).ok_or_else(Problem::internal)?;
        Ok(one.clone().reminded(rules, ctx.now))
    };
    let after: Vec<DealRegistration> = due.iter().map(reminded).collect::<Result<_, Problem>>()?;
    deal_registrations::save_timed(tx, ctx, "deal_registration.expiry_announced", &due, &after)?;
    Ok(due.len())
}

/// The rules of the programs of these registrations, each read once.
fn rules_of(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    due: &[DealRegistration],
) -> Result<HashMap<ProgramId, DealRules>, Problem> {
    let programs: BTreeSet<ProgramId> = due.iter().map(|one| one.program_id).collect();
    let read = |id: ProgramId| Ok((id, deal_registrations::rules(tx, ctx, id)?));
    programs.into_iter().map(read).collect()
}

fn note_late(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<usize, Problem> {
    let due = deal_registrations::due(tx, ctx, Due::Late)?;
    let after: Vec<DealRegistration> = due.iter().map(|one| one.clone().breached(ctx.now)).collect();
    deal_registrations::save_timed(tx, ctx, deal_registrations::RESPONSE_MISSED, &due, &after)?;
    Ok(due.len())
}
