//! The verbs of runs and payouts. Those that move lines of commissions as well are told in `flows::payout_run`.

use super::domain::{
    CarryForward, NewPayoutRun, PaymentFile, PaymentOrder, Payout, PayoutItem, PayoutLines, PayoutRun,
    PayoutStatus, Report, Signature, Transfer,
};
use super::store::{self, CarryForwardFilter, PayoutFilter, PayoutItemFilter, PayoutRunFilter, Quotes};
use super::transfer_service;
use crate::features::api_keys;
use crate::features::commissions::{self, Exchanged};
use crate::features::organizations;
use crate::features::partners;
use crate::features::payout_methods::{self, PayoutMethodKind};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CommissionId, PartnerId, PayoutId, PayoutMethodId, PayoutRunId};
use crate::kernel::problem::{Code, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use crate::platform::stripe::KeyMode;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashSet;

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

/// Proposes a run: what is payable at the cut-off, and what is carried forward and why. `key` is what the service has to
/// pay with for this organization, where it pays by itself.
pub fn draft(tx: &mut Tx<'_>, ctx: &Ctx, new: NewPayoutRun, key: Option<KeyMode>) -> Result<Report, Problem> {
    let organization = organizations::get(tx, ctx)?;
    new.refuse_unready(key, organization.mode)?;
    partners::require_known(tx, ctx, "/partner_ids", &new.partner_ids)?;
    partners::require_known(tx, ctx, "/excluded_partner_ids", &new.excluded_partner_ids)?;
    let debtor = organization.payout_debtor;
    let run = PayoutRun::draft(new, debtor, signature(tx, ctx)?, ctx.now)?;
    store::insert_run(tx, &ctx.scope, &run)?;
    let quoted = commissions::quote(tx, ctx, run.program_id, run.cut_off_at)?;
    store::propose(tx, &ctx.scope, &run, &quotes(&quoted))?;
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

/// Those of these commissions that the payouts consist of.
pub fn held_among(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    payouts: &[Payout],
    commissions: &[CommissionId],
) -> Result<HashSet<CommissionId>, Problem> {
    store::held_among(tx, &ctx.scope, payouts, commissions)
}

/// Approves the run: its lines hold from now on what they stand for. Refused when its payouts would not be the same
/// if it were drafted now, or not go to the same accounts; the caller has locked what they consist of, and the accounts
/// are locked here, so that nothing changes in between. What its lines were quoted with that it exchanges comes with it.
pub fn approve(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    run: PayoutRun,
    payouts: &[Payout],
) -> Result<(PayoutRun, Vec<Exchanged>), Problem> {
    let approved = run.clone().approve(&signature(tx, ctx)?, ctx.now)?;
    payout_methods::hold_in_force(tx, ctx, &methods_of(payouts))?;
    let quoted = commissions::quote(tx, ctx, run.program_id, run.cut_off_at)?;
    refuse_stale(tx, ctx, &run, &quotes(&quoted))?;
    store::reserve_items(tx, &ctx.scope, payouts)?;
    save_run(tx, ctx, "payout_run.approved", &run, &approved, None)?;
    Ok((approved, quoted))
}

/// The quotes as the proposal wants them: a line by what is left in it, and what was taken back besides by itself.
fn quotes(quoted: &[Exchanged]) -> Quotes {
    let mut quotes = Quotes::default();
    for line in quoted {
        quotes.push(line.id.uuid(), line.to);
        for taken in line.clawbacks.iter().filter(|taken| taken.is_payable) {
            quotes.push(taken.id.uuid(), taken.to);
        }
    }
    quotes
}

fn signature(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Signature, Problem> {
    Ok(Signature {
        by: ctx.responsible(),
        secret_makers: api_keys::secret_makers(tx, ctx)?,
    })
}

fn refuse_stale(tx: &mut Tx<'_>, ctx: &Ctx, run: &PayoutRun, quotes: &Quotes) -> Result<(), Problem> {
    let (count, reasons) = store::differences(tx, &ctx.scope, run, quotes, ctx.now)?;
    if count == 0 {
        return Ok(());
    }
    let reasons = if reasons.is_empty() {
        String::new()
    } else {
        format!(", payouts that would not be made now for: {}", reasons.join(", "))
    };
    Err(Problem::new(Code::PayoutRunStale).because(format!(
        "Lines that differ from the draft: {count}{reasons}. Cancel this run and draft another one."
    )))
}

/// Begins to pay a locked run.
pub fn begin(tx: &mut Tx<'_>, ctx: &Ctx, approved: PayoutRun) -> Result<PayoutRun, Problem> {
    let processing = approved.clone().process(ctx.now)?;
    save_run(tx, ctx, "payout_run.processing", &approved, &processing, None)?;
    Ok(processing)
}

/// Parts payouts into those that can go where they were meant to, and those that cannot any more and are cancelled, which
/// is not saved yet: of partners that are not paid, and to accounts that went out of force. What can go still can when the
/// transaction ends.
pub fn part(tx: &mut Tx<'_>, ctx: &Ctx, payouts: Vec<Payout>) -> Result<(Vec<Payout>, Vec<Payout>), Problem> {
    let partners: Vec<PartnerId> = payouts.iter().map(|payout| payout.partner_id).collect();
    let payable = partners::hold_payable(tx, ctx, &partners)?;
    let in_force = payout_methods::hold_in_force(tx, ctx, &methods_of(&payouts))?;
    let (mut ready, mut held_back) = (Vec::with_capacity(payouts.len()), Vec::new());
    for payout in payouts {
        let is_in_force = payout.payout_method_id.is_none_or(|id| in_force.contains(&id));
        if !payable.contains(&payout.partner_id) {
            held_back.push(payout.cancel(NOT_PAYABLE, ctx.now)?);
        } else if !is_in_force {
            held_back.push(payout.cancel(OUT_OF_FORCE, ctx.now)?);
        } else {
            ready.push(payout);
        }
    }
    Ok((ready, held_back))
}

/// Sends the payouts of a run that is being paid and gives up those that were cancelled because they cannot go; a run with
/// nothing to pay is done with that.
pub fn send(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    processing: PayoutRun,
    ready: Vec<Payout>,
    held_back: &[Payout],
) -> Result<PayoutRun, Problem> {
    give_up(tx, ctx, held_back)?;
    if ready.is_empty() {
        return complete_if_settled(tx, ctx, processing, true);
    }
    let moved = ready
        .into_iter()
        .map(|payout| payout.process(ctx.now))
        .collect::<Result<Vec<_>, _>>()?;
    store::update_all(tx, &ctx.scope, &moved)?;
    for payout in &moved {
        let change = Change::consequence("payout.processing", payout_subject(payout), facts(payout));
        tx.record(ctx, change.for_partner(Some(payout.partner_id.uuid())));
    }
    if processing.rail.rail().is_by_service() {
        transfer_service::queue(tx, ctx, &moved)?;
    }
    Ok(processing)
}

/// Why a payout is given up when its run begins to pay: the partner was suspended or terminated.
const NOT_PAYABLE: &str = "The partner is not paid: it is not approved any more since the run was approved.";

/// The same: its account went out of force.
const OUT_OF_FORCE: &str = "The payout method was withdrawn or replaced after the run was approved.";

/// Where the payouts go.
fn methods_of(payouts: &[Payout]) -> Vec<PayoutMethodId> {
    payouts
        .iter()
        .filter_map(|payout| payout.payout_method_id)
        .collect()
}

/// The file of a run that is being paid or was, the same bytes each time. Who took it is told and kept.
pub fn file(tx: &mut Tx<'_>, ctx: &Ctx, id: PayoutRunId) -> Result<(PayoutRunId, PaymentFile), Problem> {
    let run = store::find_run(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    let order = order(tx, ctx, &run)?;
    let none = || no_file("Its rail has no file.");
    let file = run.rail.rail().file(&order)?.ok_or_else(none)?;
    let digest: String = Sha256::digest(&file.bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let data = json!({
        "id": run.id, "rail": run.rail, "payout_count": order.transfers.len(), "media_type": file.media_type,
        "sha256": digest,
    });
    let mut change = Change::consequence("payout_run.file_downloaded", run_subject(&run), data);
    change.changes = json!({ "sha256": { "before": null, "after": digest } });
    change.audited = true;
    tx.record(ctx, change);
    Ok((run.id, file))
}

/// What is to be paid by the run: its payouts as they were sent, whatever became of them since.
fn order(tx: &mut Tx<'_>, ctx: &Ctx, run: &PayoutRun) -> Result<PaymentOrder, Problem> {
    if run.rail.rail().reach().method != Some(PayoutMethodKind::BankAccount) {
        return Err(no_file(
            "Its rail has no file: it pays by hand, or by the service itself.",
        ));
    }
    let Some(processed_at) = run.processed_at else {
        return Err(no_file("It has one once it is being processed."));
    };
    let payouts = store::sent_of_run(tx, &ctx.scope, run.id)?;
    if payouts.is_empty() {
        return Err(no_file("It pays nobody."));
    }
    let accounts = payout_methods::bank_accounts(tx, ctx, &methods_of(&payouts))?;
    let transfer = |payout: Payout| {
        let account = payout.payout_method_id.and_then(|id| accounts.get(&id));
        Ok(Transfer {
            payout_id: payout.id,
            partner_id: payout.partner_id,
            amount: payout.amount,
            account: account
                .cloned()
                .ok_or_else(|| Problem::damaged("a payout by a bank lacks its account"))?,
        })
    };
    Ok(PaymentOrder {
        run_id: run.id,
        processed_at,
        debtor: run.debtor.clone(),
        transfers: payouts
            .into_iter()
            .map(transfer)
            .collect::<Result<_, Problem>>()?,
    })
}

fn no_file(why: &str) -> Problem {
    Problem::new(Code::PayoutRunHasNoFile).because(why)
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
    save_run(tx, ctx, "payout_run.cancelled", &run, &cancelled, Some(reason))?;
    give_up(tx, ctx, &moved)?;
    Ok(cancelled)
}

/// Saves payouts that are cancelled and frees what they stood for; their partners never saw them.
fn give_up(tx: &mut Tx<'_>, ctx: &Ctx, cancelled: &[Payout]) -> Result<(), Problem> {
    if cancelled.is_empty() {
        return Ok(());
    }
    store::update_all(tx, &ctx.scope, cancelled)?;
    store::release_items(tx, &ctx.scope, cancelled)?;
    for payout in cancelled {
        let change = Change::consequence("payout.cancelled", payout_subject(payout), facts(payout));
        tx.record(ctx, change);
    }
    Ok(())
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
pub(super) fn complete_if_settled(
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

/// The payout as what happened to it is recorded.
pub(super) fn payout_subject(payout: &Payout) -> Subject {
    Subject {
        kind: "payout",
        id: payout.id.uuid(),
    }
}
