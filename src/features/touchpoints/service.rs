//! The verbs of a touchpoint.

use super::domain::{NewTouchpoint, Recorder, Touchpoint};
use super::store::{self, TouchpointFilter};
use crate::features::{deals, partners};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{DealId, PartnerId, TouchpointId};
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};

/// One touchpoint, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: TouchpointId) -> Result<Touchpoint, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the touchpoints that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &TouchpointFilter,
    page: &PageRequest,
) -> Result<Page<Touchpoint>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Whether these are evidence, none of them voided, of what the partner did for the deal.
pub fn evidence(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    deal_id: DealId,
    partner_id: PartnerId,
    ids: &[TouchpointId],
) -> Result<bool, Problem> {
    if ids.is_empty() {
        return Ok(true);
    }
    let found = store::evidence(tx, &ctx.scope, deal_id, partner_id)?;
    Ok(ids.iter().all(|id| found.contains(id)))
}

/// Records what a partner did. What a partner's caller records is of that partner, for a deal that it sees.
pub fn record(tx: &mut Tx<'_>, ctx: &Ctx, new: NewTouchpoint) -> Result<Touchpoint, Problem> {
    let recorded_by = match ctx.scope.partner_id {
        Some(_) => Recorder::Partner,
        None => Recorder::Organization,
    };
    if recorded_by == Recorder::Partner && new.external_id.is_some() {
        let message = "Keys of touchpoints are the organization's; a partner's caller sets none.";
        return Err(Problem::field("/external_id", "not_for_partners", message));
    }
    let partner_id = ctx
        .partner_of_new(new.partner_id)?
        .ok_or_else(|| Problem::field("/partner_id", "missing", "The partner must be named."))?;
    let unknown = [
        missing("/deal_id", deals::get(tx, ctx, new.deal_id))?,
        missing("/partner_id", partners::get(tx, ctx, partner_id))?,
    ];
    let unknown: Vec<FieldProblem> = unknown.into_iter().flatten().collect();
    if !unknown.is_empty() {
        return Err(Problem::fields(unknown));
    }
    let touchpoint = Touchpoint::record(new, partner_id, recorded_by, ctx.now)?;
    store::insert(tx, &ctx.scope, &touchpoint)?;
    let change = Change::created("touchpoint.recorded", subject(&touchpoint), &touchpoint);
    tx.record(ctx, change.for_partner(Some(partner_id.uuid())));
    Ok(touchpoint)
}

/// It was a mistake. A partner's caller takes back only what its partner recorded.
pub fn void(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: TouchpointId,
    precondition: &Precondition,
    reason: &str,
) -> Result<Touchpoint, Problem> {
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    if ctx.scope.partner_id.is_some() && before.recorded_by == Recorder::Organization {
        let detail = "The organization recorded this touchpoint; only the organization voids it.";
        return Err(Problem::new(Code::PermissionDenied).because(detail));
    }
    let after = before.clone().void(reason.to_owned(), ctx.now)?;
    store::update(tx, &ctx.scope, &after)?;
    let change = Change::updated("touchpoint.voided", subject(&after), &before, &after);
    let change = change.for_partner(Some(after.partner_id.uuid()));
    tx.record(ctx, change.with_reason(Some(reason.to_owned())));
    Ok(after)
}

/// A record that the body names: when it is not there, the field is wrong and not the path.
fn missing<T>(pointer: &str, found: Result<T, Problem>) -> Result<Option<FieldProblem>, Problem> {
    match found {
        Ok(_) => Ok(None),
        Err(problem) if problem.code == Code::NotFound => Ok(Some(FieldProblem::new(
            pointer,
            "unknown_reference",
            "There is no such record.",
        ))),
        Err(problem) => Err(problem),
    }
}

fn subject(touchpoint: &Touchpoint) -> Subject {
    Subject {
        kind: "touchpoint",
        id: touchpoint.id.uuid(),
    }
}
