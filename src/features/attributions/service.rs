//! The verbs of a credit.
//!
//! The deal's row is the lock of all its credits: whoever needs the ranks or the sum of the shares takes it first.

use super::domain::{
    Attribution, AttributionPatch, AttributionStatus, Correction, NewAttribution, WHOLE_BASIS_POINTS,
};
use super::store::{self, AttributionFilter, Tally};
use crate::features::api_keys;
use crate::features::deals::{self, Deal, DealState};
use crate::features::partners::{self, PartnerStatus};
use crate::features::touchpoints;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AttributionId, DealId, PartnerId, TouchpointId};
use crate::kernel::motion::Role;
use crate::kernel::patch::Patch;
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx, as_it_was};
use chrono::{DateTime, Utc};

/// The largest share of one credit.
const MOST_BASIS_POINTS: i32 = 10_000;

/// One credit, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: AttributionId) -> Result<Attribution, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// One credit as it was known at an instant, if the caller may see it: what the audit trail says became of it since is
/// undone. That it was settled follows from the deal, and is no entry of its own.
pub fn get_as_of(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AttributionId,
    instant: DateTime<Utc>,
) -> Result<Attribution, Problem> {
    let current = get(tx, ctx, id)?;
    if current.created_at > instant {
        return Err(Problem::not_found());
    }
    if current.updated_at <= instant {
        return Ok(current);
    }
    let then: Attribution = tx.in_house(ctx, |tx, house| {
        as_it_was(tx, house, &subject(&current), &current, instant)
    })?;
    Ok(Attribution {
        settled_at: then.settled_at.filter(|settled_at| *settled_at <= instant),
        ..then
    })
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

/// Claims credit for a partner, or confirms it in the same step. A partner's caller claims for its own partner, on a deal
/// that it sees.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewAttribution) -> Result<Attribution, Problem> {
    if ctx.scope.partner_id.is_some() && new.external_id.is_some() {
        return Err(no_key_of_a_partner());
    }
    let partner_id = ctx
        .partner_of_new(new.partner_id)?
        .ok_or_else(|| Problem::field("/partner_id", "missing", "The partner to credit must be named."))?;
    let deal = creditable(tx, ctx, new.deal_id, partner_id)?;
    check_evidence(tx, ctx, deal.id, partner_id, &new.touchpoint_ids)?;
    let confirm = new.confirm;
    let others = match ctx.scope.partner_id {
        None => store::tally(tx, &ctx.scope, deal.id, new.role)?,
        Some(_) => Tally {
            last_rank: store::next_rank(tx, deal.id, new.role)? - 1,
            confirmed_basis_points: 0,
        },
    };
    let claimed = Attribution::claim(new, partner_id, others.last_rank + 1, ctx.now);
    let attribution = if confirm {
        refuse_when_won(&deal)?;
        let confirmed = claimed
            .clone()
            .confirm(None, others.confirmed_basis_points, ctx.now)?;
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
        partner_id: Some(partner_id),
        role: Role::Sourced,
        share_basis_points: if left > 0 { left } else { MOST_BASIS_POINTS },
        confirm: left > 0,
        touchpoint_ids: Vec::new(),
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
    let seen = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    if ctx.scope.partner_id.is_some() && patch.external_id != Patch::Absent {
        return Err(no_key_of_a_partner());
    }
    if let Some(evidence) = &patch.touchpoint_ids {
        check_evidence(tx, ctx, seen.deal_id, seen.partner_id, evidence)?;
    }
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

/// Lets it count, with this share or the one that is claimed.
pub fn confirm(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AttributionId,
    precondition: &Precondition,
    share_basis_points: Option<i32>,
) -> Result<Attribution, Problem> {
    let review = review(tx, ctx, id)?;
    let event = "attribution.confirmed";
    step(tx, ctx, id, precondition, event, None, |claimed| {
        let confirmed = claimed.confirm(share_basis_points, review.confirmed_basis_points, ctx.now)?;
        refuse_when_won(&review.deal)?;
        review.partner_is_approved()?;
        Ok(confirmed)
    })
}

/// Lets a claim count after all on a deal that is won, or gives settled credit another share, for a reason that is kept.
/// What that means for money is told in `flows::late_credit`.
pub fn correct(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AttributionId,
    precondition: &Precondition,
    share_basis_points: Option<i32>,
    reason: &str,
) -> Result<Attribution, Problem> {
    let review = review(tx, ctx, id)?;
    let why = Some(reason.to_owned());
    let event = "attribution.corrected";
    let mut before = None;
    let after = step(tx, ctx, id, precondition, event, why, |credit| {
        before = Some(credit.clone());
        let is_claim = credit.status == AttributionStatus::Claimed;
        let corrected = credit.correct(share_basis_points, review.confirmed_basis_points, reason, ctx.now)?;
        if !matches!(review.deal.state, DealState::Won { .. }) {
            let detail = "The deal is not won; confirm the credit.";
            return Err(Problem::new(Code::WrongState).because(detail));
        }
        if is_claim {
            review.partner_is_approved()?;
        }
        Ok(corrected)
    })?;
    if let Some(before) = before.filter(|before| before.settled_at.is_some()) {
        let correction = correction(tx, ctx, reason)?;
        store::insert_correction(tx, ctx, &before, &after, &correction)?;
    }
    Ok(after)
}

/// Gives a credit the share that a dispute finds; whether that corrected what was settled. What it means for money is
/// told in `flows::late_credit`.
pub fn restore(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AttributionId,
    share_basis_points: i32,
    reason: &str,
) -> Result<(Attribution, bool), Problem> {
    let review = review(tx, ctx, id)?;
    review.partner_is_approved()?;
    let is_won = matches!(review.deal.state, DealState::Won { .. });
    let (why, event) = (Some(reason.to_owned()), "attribution.restored");
    let mut before = None;
    let after = step(tx, ctx, id, &Precondition::Any, event, why, |credit| {
        before = Some(credit.clone());
        let others = review.confirmed_basis_points - i64::from(credit.counting_share());
        credit.restore(share_basis_points, others, is_won, ctx.now)
    })?;
    let Some(before) = before.filter(|before| before.settled_at.is_some()) else {
        return Ok((after, false));
    };
    let correction = correction(tx, ctx, reason)?;
    store::insert_correction(tx, ctx, &before, &after, &correction)?;
    Ok((after, true))
}

/// Those of these credits that were corrected, in the order of their ids.
pub fn corrected_among(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    ids: &[AttributionId],
) -> Result<Vec<AttributionId>, Problem> {
    store::corrected_among(tx, &ctx.scope, ids)
}

/// Lets one at a time work out what the corrections of a credit mean, until its transaction ends. Only what was proposed
/// before and the caps over the credit's lines are locked after this.
pub fn serialize_corrections(tx: &mut Tx<'_>, id: AttributionId) -> Result<(), Problem> {
    tx.one_at_a_time(id)
}

/// The caller's correction for this reason.
fn correction(tx: &mut Tx<'_>, ctx: &Ctx, reason: &str) -> Result<Correction, Problem> {
    Ok(Correction {
        reason: reason.to_owned(),
        author: ctx.responsible(),
        author_secret_makers: api_keys::secret_makers(tx, ctx)?,
    })
}

/// How settled credit was corrected last, if it was.
pub fn last_correction(tx: &mut Tx<'_>, ctx: &Ctx, id: AttributionId) -> Result<Option<Correction>, Problem> {
    store::last_correction(tx, &ctx.scope, id)
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
fn creditable(tx: &mut Tx<'_>, ctx: &Ctx, deal_id: DealId, partner_id: PartnerId) -> Result<Deal, Problem> {
    // A partner's caller locks no deal; what it claims counts for nothing until somebody confirms it under the lock.
    let found = match ctx.scope.partner_id {
        None => deals::lock(tx, ctx, deal_id),
        Some(_) => deals::get(tx, ctx, deal_id),
    };
    let deal = referenced("/deal_id", found)?;
    let partner = referenced("/partner_id", partners::get(tx, ctx, partner_id))?;
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

fn check_evidence(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    deal_id: DealId,
    partner_id: PartnerId,
    ids: &[TouchpointId],
) -> Result<(), Problem> {
    if touchpoints::evidence(tx, ctx, deal_id, partner_id, ids)? {
        return Ok(());
    }
    let message = "One of them is no touchpoint that stands recorded of this partner for this deal.";
    Err(Problem::field("/touchpoint_ids", "unknown_reference", message))
}

fn no_key_of_a_partner() -> Problem {
    let message = "Keys of attributions are the organization's; a partner's caller sets none.";
    Problem::field("/external_id", "not_for_partners", message)
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

/// The event reaches the partner, which learns how many others there are from no rank.
fn concerning(mut change: Change, attribution: &Attribution) -> Change {
    if let Some(fields) = change.data.as_object_mut() {
        fields.remove("allocation_rank");
    }
    change.for_partner(Some(PartnerId::uuid(attribution.partner_id)))
}

fn subject(attribution: &Attribution) -> Subject {
    Subject {
        kind: "attribution",
        id: attribution.id.uuid(),
    }
}
