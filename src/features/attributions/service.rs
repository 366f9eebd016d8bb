//! The verbs of a credit.
//!
//! The deal's row is the lock of all its credits: whoever needs the ranks or the sum of the shares takes it first.

use super::domain::{Attribution, AttributionPatch, NewAttribution, WHOLE_BASIS_POINTS};
use super::store::{self, AttributionFilter};
use crate::features::deals::{self, Deal, DealState};
use crate::features::partners::{self, PartnerStatus};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AttributionId, DealId, PartnerId};
use crate::kernel::motion::Role;
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};

/// The largest share of one credit.
const MOST_BASIS_POINTS: i32 = 10_000;

/// One credit, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: AttributionId) -> Result<Attribution, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the credits that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &AttributionFilter,
    page: &PageRequest,
) -> Result<Page<Attribution>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Claims credit for a partner, or confirms it in the same step.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewAttribution) -> Result<Attribution, Problem> {
    let deal = creditable(tx, ctx, &new)?;
    let confirm = new.confirm;
    let others = store::tally(tx, &ctx.scope, deal.id, new.role)?;
    let claimed = Attribution::claim(new, others.last_rank + 1, ctx.now);
    let attribution = if confirm {
        refuse_when_won(&deal)?;
        let confirmed = claimed.clone().confirm(others.confirmed_basis_points, ctx.now)?;
        Attribution {
            row_version: claimed.row_version,
            ..confirmed
        }
    } else {
        claimed
    };
    store::insert(tx, &ctx.scope, &attribution)?;
    let change = Change::created("attribution.created", subject(&attribution), &attribution);
    tx.record(ctx, concerning(change, &attribution));
    if confirm {
        tx.record(ctx, consequence("attribution.confirmed", &attribution)?);
    }
    Ok(attribution)
}

/// Credits whoever registered a deal with what is left of having sourced it; claimed only, where nothing is left. Nothing
/// more for a partner that has such credit already.
pub fn credit_source(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    deal_id: DealId,
    partner_id: PartnerId,
) -> Result<(), Problem> {
    deals::lock(tx, ctx, deal_id)?;
    if is_credited(tx, ctx, deal_id, partner_id, Role::Sourced)? {
        return Ok(());
    }
    let taken = store::tally(tx, &ctx.scope, deal_id, Role::Sourced)?.confirmed_basis_points;
    let left = i32::try_from(WHOLE_BASIS_POINTS - taken).unwrap_or_default();
    let new = NewAttribution {
        external_id: None,
        deal_id,
        partner_id,
        role: Role::Sourced,
        share_basis_points: if left > 0 { left } else { MOST_BASIS_POINTS },
        confirm: left > 0,
    };
    create(tx, ctx, new).map(drop)
}

/// Whether the partner has or claims credit in this role.
pub fn is_credited(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    deal_id: DealId,
    partner_id: PartnerId,
    role: Role,
) -> Result<bool, Problem> {
    store::is_credited(tx, &ctx.scope, deal_id, partner_id, role)
}

/// Changes what may be changed.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AttributionId,
    precondition: &Precondition,
    patch: AttributionPatch,
) -> Result<Attribution, Problem> {
    step(
        tx,
        ctx,
        id,
        precondition,
        "attribution.updated",
        None,
        |claimed| claimed.patched(patch, ctx.now),
    )
}

/// Lets it count.
pub fn confirm(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AttributionId,
    precondition: &Precondition,
) -> Result<Attribution, Problem> {
    let review = review(tx, ctx, id)?;
    let event = "attribution.confirmed";
    step(tx, ctx, id, precondition, event, None, |claimed| {
        let confirmed = claimed.confirm(review.confirmed_basis_points, ctx.now)?;
        refuse_when_won(&review.deal)?;
        review.partner_is_approved()?;
        Ok(confirmed)
    })
}

/// Lets it count after all on a deal that is won, for a reason that is kept.
pub fn correct(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AttributionId,
    precondition: &Precondition,
    reason: &str,
) -> Result<Attribution, Problem> {
    let review = review(tx, ctx, id)?;
    let why = Some(reason.to_owned());
    let event = "attribution.corrected";
    step(tx, ctx, id, precondition, event, why, |claimed| {
        let corrected = claimed.correct(review.confirmed_basis_points, ctx.now)?;
        if !matches!(review.deal.state, DealState::Won { .. }) {
            let detail = "The deal is not won; confirm the credit.";
            return Err(Problem::new(Code::WrongState).because(detail));
        }
        review.partner_is_approved()?;
        Ok(corrected)
    })
}

/// What decides whether a credit may count, with its deal locked.
struct Review {
    deal: Deal,
    partner: PartnerStatus,
    /// What the other credits of the deal and role have already.
    confirmed_basis_points: i64,
}

fn review(tx: &mut Tx<'_>, ctx: &Ctx, id: AttributionId) -> Result<Review, Problem> {
    let seen = get(tx, ctx, id)?;
    let deal = deals::lock(tx, ctx, seen.deal_id)?;
    let others = store::tally(tx, &ctx.scope, deal.id, seen.role)?;
    Ok(Review {
        deal,
        partner: partners::get(tx, ctx, seen.partner_id)?.status,
        confirmed_basis_points: others.confirmed_basis_points,
    })
}

impl Review {
    fn partner_is_approved(&self) -> Result<(), Problem> {
        match self.partner {
            PartnerStatus::Approved => Ok(()),
            status => Err(Problem::new(Code::WrongState).because(format!(
                "The partner is {status}; only an approved one is credited."
            ))),
        }
    }
}

/// Does not let it count.
pub fn reject(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AttributionId,
    precondition: &Precondition,
    reason: &str,
) -> Result<Attribution, Problem> {
    let why = Some(reason.to_owned());
    step(
        tx,
        ctx,
        id,
        precondition,
        "attribution.rejected",
        why,
        |claimed| claimed.reject(reason.to_owned(), ctx.now),
    )
}

/// Settles the confirmed credits of a deal that was just won.
pub fn settle(tx: &mut Tx<'_>, ctx: &Ctx, deal_id: DealId) -> Result<Vec<Attribution>, Problem> {
    let settled = store::settle(tx, &ctx.scope, deal_id, ctx.now)?;
    for attribution in &settled {
        tx.record(ctx, consequence("attribution.settled", attribution)?);
    }
    Ok(settled)
}

/// One move: lock, check the version, move, save, record.
fn step(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AttributionId,
    precondition: &Precondition,
    event: &'static str,
    reason: Option<String>,
    turn: impl FnOnce(Attribution) -> Result<Attribution, Problem>,
) -> Result<Attribution, Problem> {
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = turn(before.clone())?;
    store::update(tx, &ctx.scope, &after)?;
    let change = Change::updated(event, subject(&after), &before, &after);
    tx.record(ctx, concerning(change, &after).with_reason(reason));
    Ok(after)
}

/// The deal, locked, when it is there and the partner may be credited; otherwise everything that is wrong at once.
fn creditable(tx: &mut Tx<'_>, ctx: &Ctx, new: &NewAttribution) -> Result<Deal, Problem> {
    let deal = referenced("/deal_id", deals::lock(tx, ctx, new.deal_id))?;
    let partner = referenced("/partner_id", partners::get(tx, ctx, new.partner_id))?;
    let partner = partner.and_then(|partner| match partner.status {
        PartnerStatus::Approved => Ok(partner),
        status => {
            let message = format!("The partner is {status}; only an approved one is credited.");
            Err(FieldProblem::new("/partner_id", "partner_not_approved", message))
        }
    });
    match (deal, partner) {
        (Ok(deal), Ok(_)) => Ok(deal),
        (deal, partner) => Err(Problem::fields(
            deal.err().into_iter().chain(partner.err()).collect(),
        )),
    }
}

/// A record that the body names: when it is not there, the field is wrong and not the path.
fn referenced<T>(pointer: &str, found: Result<T, Problem>) -> Result<Result<T, FieldProblem>, Problem> {
    match found {
        Ok(record) => Ok(Ok(record)),
        Err(problem) if problem.code == Code::NotFound => Ok(Err(FieldProblem::new(
            pointer,
            "unknown_reference",
            "There is no such record.",
        ))),
        Err(problem) => Err(problem),
    }
}

fn refuse_when_won(deal: &Deal) -> Result<(), Problem> {
    match deal.state {
        DealState::Won { .. } => Err(Problem::new(Code::DealSettled).because(
            "The deal is won, so a credit is no longer confirmed. Claim it without `confirm`, then correct it: POST \
             /v1/attributions/{attribution_id}/correct, with the reason.",
        )),
        DealState::Open | DealState::Lost { .. } => Ok(()),
    }
}

fn consequence(event: &'static str, attribution: &Attribution) -> Result<Change, Problem> {
    let data = serde_json::to_value(attribution).map_err(Problem::damaged)?;
    let change = Change::consequence(event, subject(attribution), data);
    Ok(concerning(change, attribution))
}

fn concerning(change: Change, attribution: &Attribution) -> Change {
    change.for_partner(Some(PartnerId::uuid(attribution.partner_id)))
}

fn subject(attribution: &Attribution) -> Subject {
    Subject {
        kind: "attribution",
        id: attribution.id.uuid(),
    }
}
