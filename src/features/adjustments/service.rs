//! The verbs of an adjustment. Approval writes to the journal as well and is told in `flows::adjustment_decided`.

use super::domain::{Adjustment, NewAdjustment, Proposed, Proposer};
use super::store::{self, AdjustmentFilter};
use crate::features::commissions::{self, LineMove};
use crate::features::{api_keys, ledger, partners};
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{AdjustmentId, BacktestId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// One adjustment, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: AdjustmentId) -> Result<Adjustment, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the adjustments that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &AdjustmentFilter,
    page: &PageRequest,
) -> Result<Page<Adjustment>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Proposes an adjustment.
pub fn propose(tx: &mut Tx<'_>, ctx: &Ctx, new: NewAdjustment) -> Result<Adjustment, Problem> {
    if let Some(commission_id) = new.commission_id {
        let unknown = Problem::field("/commission_id", "unknown_reference", "There is no such record.");
        let commission =
            commissions::get(tx, ctx, commission_id).map_err(|problem| problem.or_if_missing(unknown))?;
        new.check_commission(&commission)?;
    }
    let adjustment = Adjustment::propose(new, person(ctx)?, ctx.now);
    if adjustment.is_write_off() {
        adjustment.check_debt(debt(tx, ctx, &adjustment)?)?;
    }
    let secret_makers = api_keys::secret_makers(tx, ctx)?;
    keep(tx, ctx, std::slice::from_ref(&adjustment), &secret_makers)?;
    Ok(adjustment)
}

/// Writes down what somebody else proposes by another record.
pub fn propose_for(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    new: Vec<NewAdjustment>,
    author: ActorId,
    secret_makers: &[Uuid],
) -> Result<Vec<Adjustment>, Problem> {
    let proposals = new.into_iter();
    let proposals: Vec<Adjustment> = proposals
        .map(|new| Adjustment::propose(new, author, ctx.now))
        .collect();
    keep(tx, ctx, &proposals, secret_makers)?;
    Ok(proposals)
}

fn keep(tx: &mut Tx<'_>, ctx: &Ctx, proposals: &[Adjustment], secret_makers: &[Uuid]) -> Result<(), Problem> {
    store::insert(tx, &ctx.scope, proposals, secret_makers)?;
    for proposal in proposals {
        let change = Change::created("adjustment.proposed", subject(proposal), proposal);
        tx.record(ctx, change.with_reason(Some(proposal.reason.clone())));
    }
    Ok(())
}

/// What was proposed so far and nobody refused or withdrew.
pub fn proposed(tx: &mut Tx<'_>, ctx: &Ctx, proposer: Proposer<'_>) -> Result<Vec<Proposed>, Problem> {
    store::proposed(tx, &ctx.scope, proposer)
}

/// What was proposed so and nobody has decided, locked until the transaction ends.
pub fn lock_undecided(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    proposer: Proposer<'_>,
) -> Result<Vec<Adjustment>, Problem> {
    store::lock_undecided(tx, &ctx.scope, proposer)
}

/// Those of these recalculations that proposed something, and whether some of it was neither refused nor withdrawn.
pub fn fates(tx: &mut Tx<'_>, ctx: &Ctx, ids: &[BacktestId]) -> Result<HashMap<BacktestId, bool>, Problem> {
    store::fates(tx, &ctx.scope, ids)
}

/// What the partner owes where the adjustment counts.
fn debt(tx: &mut Tx<'_>, ctx: &Ctx, adjustment: &Adjustment) -> Result<Money, Problem> {
    let currency = adjustment.amount.currency();
    ledger::debt(tx, ctx, adjustment.partner_id, adjustment.program_id, currency)
}

/// Lets a proposal count. A write-off counts for no more than is owed at this moment: the partner is locked, so that
/// nothing is posted for it meanwhile, and no other write-off.
pub fn approve(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AdjustmentId,
    precondition: &Precondition,
) -> Result<Adjustment, Problem> {
    let person = person(ctx)?;
    let proposed = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    let debt = if proposed.is_write_off() {
        partners::lock(tx, ctx, proposed.partner_id)?;
        Some(debt(tx, ctx, &proposed)?)
    } else {
        None
    };
    let (before, after) = step(tx, ctx, id, precondition, |adjustment| {
        let approved = adjustment.approve(person, ctx.now)?;
        match debt {
            Some(debt) => approved.of_debt(debt),
            None => Ok(approved),
        }
    })?;
    api_keys::require_other_hand(tx, ctx, before.created_by)?;
    record_approval(tx, ctx, &before, &after);
    Ok(after)
}

/// Lets all count that a recalculation proposed and nobody has decided.
pub fn approve_of_recalculation(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    backtest_id: BacktestId,
) -> Result<Vec<Adjustment>, Problem> {
    let person = person(ctx)?;
    let proposals = store::lock_undecided(tx, &ctx.scope, Proposer::Recalculations(&[backtest_id]))?;
    let authors: HashSet<ActorId> = proposals.iter().map(|proposal| proposal.created_by).collect();
    for author in authors {
        api_keys::require_other_hand(tx, ctx, author)?;
    }
    let approved = proposals.iter().cloned();
    let approved: Vec<Adjustment> = approved
        .map(|proposal| proposal.approve(person, ctx.now))
        .collect::<Result<_, _>>()?;
    let ids: Vec<AdjustmentId> = approved.iter().map(|adjustment| adjustment.id).collect();
    store::approve_several(tx, &ctx.scope, &ids, person, ctx.now)?;
    for (before, after) in proposals.iter().zip(&approved) {
        record_approval(tx, ctx, before, after);
    }
    Ok(approved)
}

fn record_approval(tx: &mut Tx<'_>, ctx: &Ctx, before: &Adjustment, after: &Adjustment) {
    let change = Change::updated("adjustment.approved", subject(after), before, after);
    tx.record(ctx, change.for_partner(Some(after.partner_id.uuid())));
}

/// Does not let a proposal count.
pub fn refuse(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AdjustmentId,
    precondition: &Precondition,
    reason: &str,
) -> Result<Adjustment, Problem> {
    let (before, after) = step(tx, ctx, id, precondition, |adjustment| {
        adjustment.refuse(reason.to_owned(), ctx.now)
    })?;
    let change = Change::updated("adjustment.refused", subject(&after), &before, &after);
    tx.record(ctx, change.with_reason(Some(reason.to_owned())));
    Ok(after)
}

/// Takes a proposal back.
pub fn withdraw(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AdjustmentId,
    precondition: &Precondition,
) -> Result<Adjustment, Problem> {
    let (before, after) = step(tx, ctx, id, precondition, |adjustment| {
        adjustment.withdraw(ctx.now)
    })?;
    tx.record(
        ctx,
        Change::updated("adjustment.withdrawn", subject(&after), &before, &after),
    );
    Ok(after)
}

/// Locks these lines of payouts until the transaction ends, in the order of their ids.
pub fn lock_lines(tx: &mut Tx<'_>, ctx: &Ctx, ids: &[AdjustmentId]) -> Result<(), Problem> {
    store::lock_several(tx, &ctx.scope, ids)
}

/// Moves these lines of payouts, or none of them: refused when one does not stand where the move begins.
pub fn move_lines(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    ids: &[AdjustmentId],
    line_move: LineMove,
) -> Result<(), Problem> {
    lock_lines(tx, ctx, ids)?;
    store::move_several(tx, &ctx.scope, ids, line_move, ctx.now)
}

/// One move: lock, check the version, move, save.
fn step(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AdjustmentId,
    precondition: &Precondition,
    turn: impl FnOnce(Adjustment) -> Result<Adjustment, Problem>,
) -> Result<(Adjustment, Adjustment), Problem> {
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = turn(before.clone())?;
    store::update(tx, &ctx.scope, &after)?;
    Ok((before, after))
}

/// Who answers for it. The service itself proposes and approves nothing.
fn person(ctx: &Ctx) -> Result<ActorId, Problem> {
    ctx.responsible().ok_or_else(Problem::internal)
}

fn subject(adjustment: &Adjustment) -> Subject {
    Subject {
        kind: "adjustment",
        id: adjustment.id.uuid(),
    }
}
