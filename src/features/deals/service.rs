//! The verbs of a deal.

use super::domain::{Deal, DealPatch, NewDeal};
use super::store::{self, DealFilter};
use crate::features::accounts;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AccountId, DealId, PartnerId};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use chrono::{DateTime, Utc};

/// One deal, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: DealId) -> Result<Deal, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// One deal, locked until the transaction ends: the lock under which its credits and its state change.
pub fn lock(tx: &mut Tx<'_>, ctx: &Ctx, id: DealId) -> Result<Deal, Problem> {
    store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the deals that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &DealFilter,
    page: &PageRequest,
) -> Result<Page<Deal>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Opens a deal.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewDeal) -> Result<Deal, Problem> {
    let mut deal = Deal::open(new, ctx.now)?;
    deal.account_id = store::insert(tx, &ctx.scope, &deal)?;
    let change = Change::created("deal.created", subject(&deal), &deal);
    tx.record(ctx, change.for_partner(deal.partner_id.map(PartnerId::uuid)));
    Ok(deal)
}

/// Moves the deals of an account, or those of them that are named, to another account; which they were. For
/// `flows::account_merged`.
pub fn move_to_account(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    from: AccountId,
    to: AccountId,
    only: Option<&[DealId]>,
) -> Result<Vec<DealId>, Problem> {
    store::move_to_account(tx, ctx, from, to, only)
}

/// Changes what may be changed.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealId,
    precondition: &Precondition,
    mut patch: DealPatch,
) -> Result<Deal, Problem> {
    if let Some(account_id) = patch.account_id {
        patch.account_id = Some(accounts::resolve(tx, ctx, account_id)?);
    }
    step(tx, ctx, id, precondition, "deal.updated", None, |deal| {
        deal.patched(patch, ctx.now)
    })
}

/// The customer bought. Credits and commissions follow in `flows::deal_won`, never without it.
pub fn win(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealId,
    precondition: &Precondition,
    won_at: Option<DateTime<Utc>>,
) -> Result<Deal, Problem> {
    step(tx, ctx, id, precondition, "deal.won", None, |deal| {
        deal.win(won_at, ctx.now)
    })
}

/// The customer did not buy.
pub fn lose(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealId,
    precondition: &Precondition,
    reason: &str,
    lost_at: Option<DateTime<Utc>>,
) -> Result<Deal, Problem> {
    let why = Some(reason.to_owned());
    step(tx, ctx, id, precondition, "deal.lost", why, |deal| {
        deal.lose(reason.to_owned(), lost_at, ctx.now)
    })
}

/// The customer may buy after all.
pub fn reopen(tx: &mut Tx<'_>, ctx: &Ctx, id: DealId, precondition: &Precondition) -> Result<Deal, Problem> {
    step(tx, ctx, id, precondition, "deal.reopened", None, |deal| {
        deal.reopen(ctx.now)
    })
}

/// One move: lock, check the version, move, save, record.
fn step(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealId,
    precondition: &Precondition,
    event: &'static str,
    reason: Option<String>,
    turn: impl FnOnce(Deal) -> Result<Deal, Problem>,
) -> Result<Deal, Problem> {
    let before = lock(tx, ctx, id)?;
    precondition.check(before.row_version)?;
    let after = turn(before.clone())?;
    store::update(tx, &ctx.scope, &after)?;
    let change = Change::updated(event, subject(&after), &before, &after);
    let partner_id = after.partner_id.map(PartnerId::uuid);
    tx.record(ctx, change.for_partner(partner_id).with_reason(reason));
    Ok(after)
}

fn subject(deal: &Deal) -> Subject {
    Subject {
        kind: "deal",
        id: deal.id.uuid(),
    }
}
