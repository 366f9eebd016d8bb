//! What time brings to registrations: the worker ends protections, announces their ends, and notes late answers.

use crate::features::deal_registrations::{self, Due};
use crate::kernel::ctx::Ctx;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// One batch of each; how many registrations were touched. It may be ended at any moment and done again: what is
/// committed is no longer due, and what another worker holds is left to it.
pub fn run(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<usize, Problem> {
    let ended = end(tx, ctx)?;
    let announced = announce(tx, ctx)?;
    Ok(ended + announced + note_late(tx, ctx)?)
}

fn end(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<usize, Problem> {
    let due = deal_registrations::due(tx, ctx, Due::Ended)?;
    for before in &due {
        let after = before.clone().expire(ctx.now)?;
        deal_registrations::save(tx, ctx, "deal_registration.expired", before, &after)?;
    }
    Ok(due.len())
}

fn announce(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<usize, Problem> {
    let due = deal_registrations::due(tx, ctx, Due::Announced)?;
    for before in &due {
        let rules = deal_registrations::rules(tx, ctx, before.program_id)?;
        let after = before.clone().reminded(&rules, ctx.now);
        deal_registrations::save(tx, ctx, "deal_registration.expiry_announced", before, &after)?;
    }
    Ok(due.len())
}

fn note_late(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<usize, Problem> {
    let due = deal_registrations::due(tx, ctx, Due::Late)?;
    for before in &due {
        let after = before.clone().breached(ctx.now);
        deal_registrations::save(tx, ctx, "deal_registration.response_missed", before, &after)?;
    }
    Ok(due.len())
}
