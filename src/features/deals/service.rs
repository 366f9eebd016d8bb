//! The verbs of a deal.

use super::domain::{Deal, DealPatch, NewDeal};
use super::store::{self, DealFilter};
use crate::features::accounts;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AccountId, DealId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use chrono::{DateTime, Utc};

/// One deal, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: DealId) -> Result<Deal, Problem> {
    let deal = store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    Ok(shown(ctx, deal))
}

/// One deal, locked until the transaction ends: the lock under which its credits and its state change.
pub fn lock(tx: &mut Tx<'_>, ctx: &Ctx, id: DealId) -> Result<Deal, Problem> {
    store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// An open deal of the organization's own for the account and product family.
pub fn open_direct(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    account_id: AccountId,
    family: Option<ProductFamilyId>,
) -> Result<Option<Deal>, Problem> {
    store::open_direct(tx, &ctx.scope, account_id, family)
}

/// [`open_direct`], and whether the account has bought before, otherwise than from this partner.
pub fn business(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    account_id: AccountId,
    family: Option<ProductFamilyId>,
    partner_id: PartnerId,
) -> Result<(Option<Deal>, bool), Problem> {
    store::business(tx, &ctx.scope, account_id, family, partner_id)
}

/// A page of the deals that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &DealFilter,
    page: &PageRequest,
) -> Result<Page<Deal>, Problem> {
    let deals = store::list(tx, &ctx.scope, filter, page)?;
    Ok(deals.map(|deal| shown(ctx, deal)))
}

/// What the CRM says names partners as it likes, and no partner learns of another.
fn shown(ctx: &Ctx, deal: Deal) -> Deal {
    if ctx.scope.partner_id.is_none() {
        return deal;
    }
    Deal {
        crm_partner_source: None,
        crm_partner_influence: None,
        ..deal
    }
}

/// The event of a deal reaches the partner that made it, so that it does without what the CRM says of partners.
fn told(mut change: Change, deal: &Deal) -> Change {
    if let Some(fields) = change.data.as_object_mut() {
        fields.retain(|name, _| !name.starts_with("crm_"));
    }
    change.for_partner(deal.partner_id.map(PartnerId::uuid))
}

/// Opens a deal.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewDeal) -> Result<Deal, Problem> {
    let mut deal = Deal::open(new, ctx.now)?;
    deal.account_id = store::insert(tx, &ctx.scope, &deal)?;
    let change = Change::created("deal.created", subject(&deal), &deal);
    tx.record(ctx, told(change, &deal));
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

/// Makes an open deal, locked before, that of a registration.
pub fn register(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: Deal,
    (program_id, partner_id): (ProgramId, PartnerId),
    is_hidden: bool,
) -> Result<Deal, Problem> {
    let is_so = before.partner_id.is_some() && before.program_id.is_some();
    if is_so && (before.hidden_from_parent || !is_hidden) {
        return Ok(before);
    }
    step(
        tx,
        ctx,
        before.id,
        &Precondition::Any,
        "deal.updated",
        None,
        |deal| Ok(deal.registered(program_id, partner_id, is_hidden, ctx.now)),
    )
}

/// Hides a deal of this partner from the partners above those that it concerns. The deal of somebody else stays as it is.
pub fn hide_of(tx: &mut Tx<'_>, ctx: &Ctx, id: DealId, partner_id: PartnerId) -> Result<(), Problem> {
    let deal = lock(tx, ctx, id)?;
    if deal.hidden_from_parent || deal.partner_id != Some(partner_id) {
        return Ok(());
    }
    let patch = DealPatch {
        hidden_from_parent: Some(true),
        ..DealPatch::default()
    };
    update(tx, ctx, id, &Precondition::Any, patch).map(drop)
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
    tx.record(ctx, told(change, &after).with_reason(reason));
    Ok(after)
}

fn subject(deal: &Deal) -> Subject {
    Subject {
        kind: "deal",
        id: deal.id.uuid(),
    }
}
