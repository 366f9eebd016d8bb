//! The verbs of runs and payouts. Those that move lines of commissions as well are told in `flows::payout_run`.

use super::domain::{
    CarryForward, NewPayoutRun, Payout, PayoutItem, PayoutLines, PayoutRun, PayoutStatus, Report, Signature,
};
use super::store::{self, CarryForwardFilter, PayoutFilter, PayoutItemFilter, PayoutRunFilter};
use crate::features::api_keys;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{PayoutId, PayoutRunId};
use crate::kernel::problem::{Code, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use serde::Serialize;
use serde_json::Value;

/// A payout and its run, both locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPayout {
    /// The run.
    pub run: PayoutRun,
    /// The payout.
    pub payout: Payout,
}

/// Payouts of one run that moved the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement<'a> {
    /// The run, locked.
    pub run: PayoutRun,
    /// The payouts as they were.
    pub before: &'a [Payout],
    /// The payouts as they are now, in the same order.
    pub after: &'a [Payout],
    /// What happened to each.
    pub event: &'static str,
    /// Why, where the caller gave a reason.
    pub reason: Option<&'a str>,
    /// Whether their lines are free for a later run.
    pub releases: bool,
    /// Whether the caller acted on the run and the payouts followed, or on one payout and the run followed.
    pub of_run: bool,
}

/// One run, with what it adds up to.
pub fn get_run(tx: &mut Tx<'_>, ctx: &Ctx, id: PayoutRunId) -> Result<Report, Problem> {
    let run = store::find_run(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    report(tx, ctx, run)
}

/// The run with what it adds up to.
pub fn report(tx: &mut Tx<'_>, ctx: &Ctx, run: PayoutRun) -> Result<Report, Problem> {
    let figures = store::figures_of(tx, &ctx.scope, &[run.id])?.remove(&run.id);
    Ok(Report {
        run,
        figures: figures.unwrap_or_default(),
    })
}

/// A page of runs, each with what it adds up to.
pub fn list_runs(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &PayoutRunFilter,
    page: &PageRequest,
) -> Result<Page<Report>, Problem> {
    let runs = store::list_runs(tx, &ctx.scope, filter, page)?;
    let ids: Vec<PayoutRunId> = runs.rows.iter().map(|run| run.id).collect();
    let mut figures = store::figures_of(tx, &ctx.scope, &ids)?;
    Ok(runs.map(|run| Report {
        figures: figures.remove(&run.id).unwrap_or_default(),
        run,
    }))
}

/// One payout, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: PayoutId) -> Result<Payout, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the payouts that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &PayoutFilter,
    page: &PageRequest,
) -> Result<Page<Payout>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// A page of the lines that the caller may see.
pub fn list_items(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &PayoutItemFilter,
    page: &PageRequest,
) -> Result<Page<PayoutItem>, Problem> {
    store::list_items(tx, &ctx.scope, filter, page)
}

/// A page of what runs left for later.
pub fn list_carry_forwards(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &CarryForwardFilter,
    page: &PageRequest,
) -> Result<Page<CarryForward>, Problem> {
    store::list_carry_forwards(tx, &ctx.scope, filter, page)
}

/// Proposes a run: what is payable at the cut-off, and what is carried forward and why.
pub fn draft(tx: &mut Tx<'_>, ctx: &Ctx, new: NewPayoutRun) -> Result<Report, Problem> {
    let run = PayoutRun::draft(new, signature(tx, ctx)?, ctx.now)?;
    store::insert_run(tx, &ctx.scope, &run)?;
    store::propose(tx, &ctx.scope, &run)?;
    tx.record(
        ctx,
        Change::created("payout_run.drafted", run_subject(&run), &run),
    );
    report(tx, ctx, run)
}

/// The run, locked, if it is at the version that the caller has seen.
pub fn lock_run(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PayoutRunId,
    precondition: &Precondition,
) -> Result<PayoutRun, Problem> {
    let run = store::lock_run(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(run.row_version)?;
    Ok(run)
}

/// The payout and before it its run, locked, if the payout is at the version that the caller has seen.
pub fn lock_payout(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PayoutId,
    precondition: &Precondition,
) -> Result<LockedPayout, Problem> {
    let run = store::lock_run_of(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    let payout = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(payout.row_version)?;
    Ok(LockedPayout { run, payout })
}

/// The payouts of a locked run that wait for it to be processed.
pub fn pending(tx: &mut Tx<'_>, ctx: &Ctx, run: &PayoutRun) -> Result<Vec<Payout>, Problem> {
    store::lock_of_run(tx, &ctx.scope, run.id, PayoutStatus::Pending)
}

/// The payouts of a locked run that are being paid.
pub fn confirmable(tx: &mut Tx<'_>, ctx: &Ctx, run: &PayoutRun) -> Result<Vec<Payout>, Problem> {
    run.may_confirm()?;
    store::lock_of_run(tx, &ctx.scope, run.id, PayoutStatus::Processing)
}

/// What the payouts consist of.
pub fn lines(tx: &mut Tx<'_>, ctx: &Ctx, payouts: &[Payout]) -> Result<PayoutLines, Problem> {
    store::lines_of(tx, &ctx.scope, payouts)
}

/// Approves the run: its lines hold from now on what they stand for. Refused when its payouts would not be the same
/// if it were drafted now; the caller has locked what they consist of, so that nothing changes in between.
pub fn approve(tx: &mut Tx<'_>, ctx: &Ctx, run: PayoutRun, payouts: &[Payout]) -> Result<PayoutRun, Problem> {
    let approved = run.clone().approve(&signature(tx, ctx)?, ctx.now)?;
    refuse_stale(tx, ctx, &run)?;
    store::reserve_items(tx, &ctx.scope, payouts)?;
    save_run(tx, ctx, "payout_run.approved", &run, &approved, None)?;
    Ok(approved)
}

fn signature(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Signature, Problem> {
    Ok(Signature {
        by: ctx.responsible(),
        secret_makers: api_keys::secret_makers(tx, ctx)?,
    })
}

fn refuse_stale(tx: &mut Tx<'_>, ctx: &Ctx, run: &PayoutRun) -> Result<(), Problem> {
    match store::differences(tx, &ctx.scope, run)? {
        0 => Ok(()),
        count => Err(Problem::new(Code::PayoutRunStale).because(format!(
            "Lines that differ from the draft: {count}. Cancel this run and draft another one."
        ))),
    }
}

/// Begins to pay the payouts of a run; one without payouts is done with that.
pub fn process(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PayoutRunId,
    precondition: &Precondition,
) -> Result<Report, Problem> {
    let approved = lock_run(tx, ctx, id, precondition)?;
    let processing = approved.clone().process(ctx.now)?;
    save_run(tx, ctx, "payout_run.processing", &approved, &processing, None)?;
    let pending = pending(tx, ctx, &processing)?;
    if pending.is_empty() {
        let run = complete_if_settled(tx, ctx, processing, true)?;
        return report(tx, ctx, run);
    }
    let moved = pending
        .into_iter()
        .map(|payout| payout.process(ctx.now))
        .collect::<Result<Vec<_>, _>>()?;
    store::update_all(tx, &ctx.scope, &moved)?;
    for payout in &moved {
        let change = Change::consequence("payout.processing", payout_subject(payout), facts(payout));
        tx.record(ctx, change.for_partner(Some(payout.partner_id.uuid())));
    }
    report(tx, ctx, processing)
}

/// Gives up a run and its payouts.
pub fn cancel(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    run: PayoutRun,
    payouts: &[Payout],
    reason: &str,
) -> Result<PayoutRun, Problem> {
    let cancelled = run.clone().cancel(ctx.now)?;
    let moved = payouts
        .iter()
        .map(|payout| payout.clone().cancel(reason, ctx.now))
        .collect::<Result<Vec<_>, _>>()?;
    store::update_all(tx, &ctx.scope, &moved)?;
    store::release_items(tx, &ctx.scope, &moved)?;
    save_run(tx, ctx, "payout_run.cancelled", &run, &cancelled, Some(reason))?;
    for payout in &moved {
        let change = Change::consequence("payout.cancelled", payout_subject(payout), facts(payout));
        tx.record(ctx, change);
    }
    Ok(cancelled)
}

/// Saves payouts that moved, and their run, which is completed when none of its payouts is open any more.
pub fn settle(tx: &mut Tx<'_>, ctx: &Ctx, settlement: Settlement<'_>) -> Result<PayoutRun, Problem> {
    let Settlement {
        run,
        before,
        after,
        event,
        reason,
        releases,
        of_run,
    } = settlement;
    store::update_all(tx, &ctx.scope, after)?;
    if releases {
        store::release_items(tx, &ctx.scope, after)?;
    }
    for (then, now) in before.iter().zip(after) {
        let change = if of_run {
            Change::consequence(event, payout_subject(now), facts(now))
        } else {
            Change::updated(event, payout_subject(now), then, now)
        };
        let change = change.for_partner(Some(now.partner_id.uuid()));
        tx.record(ctx, change.with_reason(reason.map(str::to_owned)));
    }
    complete_if_settled(tx, ctx, run, of_run)
}

/// The run counts the changes of its payouts, so that its version stands for the figures shown with it.
fn complete_if_settled(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    run: PayoutRun,
    of_run: bool,
) -> Result<PayoutRun, Problem> {
    let open = store::count_open(tx, &ctx.scope, run.id)?;
    let after = run.clone().settled(open, ctx.now);
    store::update_run(tx, &ctx.scope, &after)?;
    if after.completed_at != run.completed_at {
        let change = if of_run {
            Change::updated("payout_run.completed", run_subject(&after), &run, &after)
        } else {
            Change::consequence("payout_run.completed", run_subject(&after), facts(&after))
        };
        tx.record(ctx, change);
    }
    Ok(after)
}

fn save_run(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    event: &'static str,
    before: &PayoutRun,
    after: &PayoutRun,
    reason: Option<&str>,
) -> Result<(), Problem> {
    store::update_run(tx, &ctx.scope, after)?;
    let change = Change::updated(event, run_subject(after), before, after);
    tx.record(ctx, change.with_reason(reason.map(str::to_owned)));
    Ok(())
}

/// A record as listeners are told of it.
fn facts(record: &impl Serialize) -> Value {
    serde_json::to_value(record).unwrap_or_default()
}

fn run_subject(run: &PayoutRun) -> Subject {
    Subject {
        kind: "payout_run",
        id: run.id.uuid(),
    }
}

fn payout_subject(payout: &Payout) -> Subject {
    Subject {
        kind: "payout",
        id: payout.id.uuid(),
    }
}
