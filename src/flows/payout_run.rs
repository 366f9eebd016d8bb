//! Payouts take commissions, what was taken back and adjustments with them, and every step of money is an entry of the ledger.

use super::{dispute, exchange};
use crate::features::adjustments;
use crate::features::commissions::{self, LineMove};
use crate::features::ledger::{self, NewEntry};
use crate::features::organizations;
use crate::features::payouts::{
    self, Confirmation, LockedPayout, Payout, PayoutLines, PayoutRun, PayoutRunStatus, Report, Settlement,
};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CommissionId, PartnerId, PayoutId, PayoutRunId, ProgramId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;
use chrono::{DateTime, Utc};

/// A constructor of [`NewEntry`] for payouts.
type EntryOf = fn(PayoutId, PartnerId, ProgramId, Money, DateTime<Utc>) -> NewEntry;

/// A second person approves a run: what it proposes is checked once more under lock and set aside.
pub fn approve(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PayoutRunId,
    precondition: &Precondition,
) -> Result<Report, Problem> {
    organizations::require_second_factor(tx, ctx)?;
    let draft = payouts::lock_run(tx, ctx, id, precondition)?;
    let proposed = payouts::pending(tx, ctx, &draft)?;
    let lines = payouts::lines(tx, ctx, &proposed)?;
    commissions::lock_lines(tx, ctx, &lines.settled)?;
    adjustments::lock_lines(tx, ctx, &lines.adjustments)?;
    let (approved, quoted) = payouts::approve(tx, ctx, draft, &proposed)?;
    if !quoted.is_empty() {
        let ids: Vec<CommissionId> = quoted.iter().map(|line| line.id).collect();
        let taken = payouts::held_among(tx, ctx, &proposed, &ids)?;
        let quoted: Vec<_> = quoted
            .into_iter()
            .filter(|line| taken.contains(&line.id))
            .collect();
        exchange::of_payout(tx, ctx, &quoted)?;
    }
    commissions::move_locked_lines(tx, ctx, &lines.settled, LineMove::Reserve)?;
    adjustments::move_lines(tx, ctx, &lines.adjustments, LineMove::Reserve)?;
    post(tx, ctx, &proposed, NewEntry::reserve, ctx.now)?;
    payouts::report(tx, ctx, approved)
}

/// Begins to pay a run. What was meant for an account that went out of force since, or for a partner that is not paid any
/// more, goes back and waits for a later run.
pub fn process(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PayoutRunId,
    precondition: &Precondition,
) -> Result<Report, Problem> {
    let approved = payouts::lock_run(tx, ctx, id, precondition)?;
    let processing = payouts::begin(tx, ctx, approved)?;
    let pending = payouts::pending(tx, ctx, &processing)?;
    let (ready, held_back) = payouts::part(tx, ctx, pending)?;
    if !held_back.is_empty() {
        give_back(tx, ctx, &held_back)?;
    }
    let run = payouts::send(tx, ctx, processing, ready, &held_back)?;
    payouts::report(tx, ctx, run)
}

/// Gives back what payouts had set aside that are not made; what is disputed of it is frozen.
fn give_back(tx: &mut Tx<'_>, ctx: &Ctx, unmade: &[Payout]) -> Result<(), Problem> {
    let lines = payouts::lines(tx, ctx, unmade)?;
    move_lines(tx, ctx, &lines, LineMove::GiveBack)?;
    post(tx, ctx, unmade, NewEntry::reserve_cancelled, ctx.now)?;
    dispute::money::freeze_returned(tx, ctx, &lines.settled)
}

/// Gives up a run that is not yet being processed; what an approved one set aside goes back.
pub fn cancel(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PayoutRunId,
    precondition: &Precondition,
    reason: &str,
) -> Result<Report, Problem> {
    let run = payouts::lock_run(tx, ctx, id, precondition)?;
    let pending = payouts::pending(tx, ctx, &run)?;
    if run.status == PayoutRunStatus::Approved {
        give_back(tx, ctx, &pending)?;
    }
    let cancelled = payouts::cancel(tx, ctx, run, &pending, reason)?;
    payouts::report(tx, ctx, cancelled)
}

/// All payouts of a run that were still being paid were paid, which completes the run.
pub fn confirm_all(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PayoutRunId,
    precondition: &Precondition,
    confirmation: &Confirmation,
) -> Result<Report, Problem> {
    let run = payouts::lock_run(tx, ctx, id, precondition)?;
    run.refuse_early(confirmation)?;
    let before = payouts::confirmable(tx, ctx, &run)?;
    take_from_rail(tx, ctx, &run, &before)?;
    let step = Step::paid(confirmation, true);
    let (run, _) = take(tx, ctx, run, before, &step, |payout| {
        payout.confirm(confirmation, ctx.now)
    })?;
    payouts::report(tx, ctx, run)
}

/// A payout was paid.
pub fn confirm(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PayoutId,
    precondition: &Precondition,
    confirmation: &Confirmation,
) -> Result<Payout, Problem> {
    let locked = payouts::lock_payout(tx, ctx, id, precondition)?;
    locked.run.refuse_early(confirmation)?;
    take_from_rail(tx, ctx, &locked.run, std::slice::from_ref(&locked.payout))?;
    Ok(confirm_locked(tx, ctx, locked, confirmation)?.payout)
}

/// The same, of a payout of which the rail itself says so.
pub(super) fn confirm_locked(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    locked: LockedPayout,
    confirmation: &Confirmation,
) -> Result<LockedPayout, Problem> {
    let step = Step::paid(confirmation, false);
    take_one(tx, ctx, locked, &step, |payout| {
        payout.confirm(confirmation, ctx.now)
    })
}

/// A person decides about payouts that the service pays itself, if the rail does not any more.
fn take_from_rail(tx: &mut Tx<'_>, ctx: &Ctx, run: &PayoutRun, decided: &[Payout]) -> Result<(), Problem> {
    if run.rail.rail().is_by_service() {
        payouts::take_from_rail(tx, ctx, decided)?;
    }
    Ok(())
}

/// A payout could not be paid: its lines go back and wait for a later run.
pub fn fail(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PayoutId,
    precondition: &Precondition,
    reason: &str,
) -> Result<Payout, Problem> {
    let locked = payouts::lock_payout(tx, ctx, id, precondition)?;
    take_from_rail(tx, ctx, &locked.run, std::slice::from_ref(&locked.payout))?;
    Ok(fail_locked(tx, ctx, locked, reason)?.payout)
}

/// The same, of a payout of which the rail itself says so.
pub(super) fn fail_locked(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    locked: LockedPayout,
    reason: &str,
) -> Result<LockedPayout, Problem> {
    let step = Step {
        event: "payout.failed",
        reason: Some(reason),
        line_move: LineMove::GiveBack,
        entry: NewEntry::payout_failed,
        occurred_at: ctx.now,
        releases: true,
        of_run: false,
    };
    take_one(tx, ctx, locked, &step, |payout| payout.fail(reason, ctx.now))
}

/// A payout was paid and came back: its lines wait for a later run.
pub fn bounce(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PayoutId,
    precondition: &Precondition,
    reason: &str,
    returned_at: Option<DateTime<Utc>>,
) -> Result<Payout, Problem> {
    let locked = payouts::lock_payout(tx, ctx, id, precondition)?;
    Ok(bounce_locked(tx, ctx, locked, reason, returned_at)?.payout)
}

/// The same, of a payout of which the rail itself says so.
pub(super) fn bounce_locked(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    locked: LockedPayout,
    reason: &str,
    returned_at: Option<DateTime<Utc>>,
) -> Result<LockedPayout, Problem> {
    let step = Step {
        event: "payout.returned",
        reason: Some(reason),
        line_move: LineMove::TakeBack,
        entry: NewEntry::payout_returned,
        occurred_at: locked.payout.returned_at(returned_at, ctx.now)?,
        releases: true,
        of_run: false,
    };
    take_one(tx, ctx, locked, &step, |payout| payout.bounce(reason, ctx.now))
}

/// What a step does in each of the rooms.
#[derive(Debug, Clone, Copy)]
struct Step<'a> {
    event: &'static str,
    reason: Option<&'a str>,
    line_move: LineMove,
    entry: EntryOf,
    occurred_at: DateTime<Utc>,
    releases: bool,
    of_run: bool,
}

impl Step<'_> {
    fn paid(confirmation: &Confirmation, of_run: bool) -> Self {
        let paid_at = confirmation.paid_at;
        Self {
            event: "payout.paid",
            reason: None,
            line_move: LineMove::Pay { paid_at },
            entry: NewEntry::payout_paid,
            occurred_at: paid_at,
            releases: false,
            of_run,
        }
    }
}

/// Takes payouts of a locked run one step on: the payouts, their lines, the ledger.
fn take(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    run: PayoutRun,
    before: Vec<Payout>,
    step: &Step<'_>,
    turn: impl Fn(Payout) -> Result<Payout, Problem>,
) -> Result<(PayoutRun, Vec<Payout>), Problem> {
    let after = before.iter().cloned().map(turn).collect::<Result<Vec<_>, _>>()?;
    let lines = payouts::lines(tx, ctx, &before)?;
    move_lines(tx, ctx, &lines, step.line_move)?;
    post(tx, ctx, &before, step.entry, step.occurred_at)?;
    if matches!(step.line_move, LineMove::GiveBack | LineMove::TakeBack) {
        dispute::money::freeze_returned(tx, ctx, &lines.settled)?;
    }
    let settlement = Settlement {
        run,
        before: &before,
        after: &after,
        event: step.event,
        reason: step.reason,
        releases: step.releases,
        of_run: step.of_run,
    };
    let run = payouts::settle(tx, ctx, settlement)?;
    Ok((run, after))
}

fn take_one(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    locked: LockedPayout,
    step: &Step<'_>,
    turn: impl Fn(Payout) -> Result<Payout, Problem>,
) -> Result<LockedPayout, Problem> {
    let (run, after) = take(tx, ctx, locked.run, vec![locked.payout], step, turn)?;
    let payout = after.into_iter().next().ok_or_else(Problem::internal)?;
    Ok(LockedPayout { run, payout })
}

/// Moves all that the payouts consist of, or nothing.
fn move_lines(tx: &mut Tx<'_>, ctx: &Ctx, lines: &PayoutLines, line_move: LineMove) -> Result<(), Problem> {
    commissions::move_lines(tx, ctx, &lines.settled, line_move)?;
    adjustments::move_lines(tx, ctx, &lines.adjustments, line_move)
}

/// One entry per payout, over its whole amount.
fn post(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    payouts: &[Payout],
    entry: EntryOf,
    occurred_at: DateTime<Utc>,
) -> Result<(), Problem> {
    let entries: Vec<NewEntry> = payouts
        .iter()
        .map(|payout| {
            entry(
                payout.id,
                payout.partner_id,
                payout.program_id,
                payout.amount,
                occurred_at,
            )
        })
        .collect();
    ledger::post(tx, ctx, &entries)
}
