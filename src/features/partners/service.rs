//! The verbs of a partner.

use super::domain::{NewPartner, Partner, PartnerPatch, Why};
use super::store::{self, PartnerFilter};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::PartnerId;
use crate::kernel::problem::{FieldProblem, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use std::collections::HashSet;

/// One partner, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: PartnerId) -> Result<Partner, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// The partner of this id, or of this key of the caller's.
pub fn named(tx: &mut Tx<'_>, ctx: &Ctx, name: &str) -> Result<Option<Partner>, Problem> {
    match name.parse() {
        Ok(id) => store::find(tx, &ctx.scope, id),
        Err(_) => store::find_external(tx, &ctx.scope, name),
    }
}

/// One partner, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, ctx: &Ctx, id: PartnerId) -> Result<Partner, Problem> {
    store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// Which of these partners are paid: the approved ones. Those stay so until the transaction ends.
pub fn hold_payable(tx: &mut Tx<'_>, ctx: &Ctx, ids: &[PartnerId]) -> Result<HashSet<PartnerId>, Problem> {
    store::hold_payable(tx, &ctx.scope, ids)
}

/// Refuses what of a list in a request is no partner.
pub fn require_known(tx: &mut Tx<'_>, ctx: &Ctx, pointer: &str, ids: &[PartnerId]) -> Result<(), Problem> {
    if ids.is_empty() {
        return Ok(());
    }
    let known = store::known(tx, &ctx.scope, ids)?;
    let unknown = ids.iter().enumerate().filter(|(_, id)| !known.contains(id));
    let message = "There is no such record.";
    let problems: Vec<FieldProblem> = unknown
        .map(|(place, _)| FieldProblem::new(format!("{pointer}/{place}"), "unknown_reference", message))
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(problems))
    }
}

/// A page of the partners that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &PartnerFilter,
    page: &PageRequest,
) -> Result<Page<Partner>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// A company applies.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewPartner) -> Result<Partner, Problem> {
    let partner = Partner::apply(new, ctx.now);
    store::insert(tx, &ctx.scope, &partner)?;
    let change = Change::created("partner.created", subject(&partner), &partner);
    tx.record(ctx, change.for_partner(Some(partner.id.uuid())));
    Ok(partner)
}

/// Changes what may be changed.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PartnerId,
    precondition: &Precondition,
    patch: PartnerPatch,
) -> Result<Partner, Problem> {
    step(tx, ctx, id, precondition, "partner.updated", None, |partner| {
        partner.patched(patch, ctx.now)
    })
}

/// Takes it as a partner.
pub fn approve(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PartnerId,
    precondition: &Precondition,
) -> Result<Partner, Problem> {
    step(tx, ctx, id, precondition, "partner.approved", None, |partner| {
        partner.approve(ctx.now)
    })
}

/// Does not take it.
pub fn decline(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PartnerId,
    precondition: &Precondition,
    why: Why,
) -> Result<Partner, Problem> {
    let reason = Some(why.text.clone());
    step(tx, ctx, id, precondition, "partner.declined", reason, |partner| {
        partner.decline(why, ctx.now)
    })
}

/// Stops it from acting and earning for now.
pub fn suspend(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PartnerId,
    precondition: &Precondition,
    why: Why,
) -> Result<Partner, Problem> {
    let reason = Some(why.text.clone());
    step(
        tx,
        ctx,
        id,
        precondition,
        "partner.suspended",
        reason,
        |partner| partner.suspend(why, ctx.now),
    )
}

/// Lets it act and earn again.
pub fn reinstate(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PartnerId,
    precondition: &Precondition,
) -> Result<Partner, Problem> {
    step(tx, ctx, id, precondition, "partner.reinstated", None, |partner| {
        partner.reinstate(ctx.now)
    })
}

/// Ends the partnership for good.
pub fn terminate(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PartnerId,
    precondition: &Precondition,
    why: Why,
) -> Result<Partner, Problem> {
    let reason = Some(why.text.clone());
    step(
        tx,
        ctx,
        id,
        precondition,
        "partner.terminated",
        reason,
        |partner| partner.terminate(why, ctx.now),
    )
}

/// One move: lock, check the version, move, save, record.
fn step(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: PartnerId,
    precondition: &Precondition,
    event: &'static str,
    reason: Option<String>,
    turn: impl FnOnce(Partner) -> Result<Partner, Problem>,
) -> Result<Partner, Problem> {
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = turn(before.clone())?;
    store::update(tx, &ctx.scope, &after)?;
    let change = Change::updated(event, subject(&after), &before, &after);
    tx.record(ctx, change.for_partner(Some(id.uuid())).with_reason(reason));
    Ok(after)
}

fn subject(partner: &Partner) -> Subject {
    Subject {
        kind: "partner",
        id: partner.id.uuid(),
    }
}
