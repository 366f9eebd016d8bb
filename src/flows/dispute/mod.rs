//! Disputes and what they are about: opened, looked into, decided. What an outcome means is done in the transaction that
//! decides, or nothing is.
//!
//! Locks are taken in this order: the dispute, then what it is about. Commissions are locked in the order of their ids, as
//! by payout runs, so that of a run and a dispute at the same instant one comes first and the other sees it.

pub mod award;
pub mod money;
mod subject;

use crate::features::disputes::{
    self, Dispute, DisputeOutcome, Found, NewDispute, Report, Review, SubjectType,
};
use crate::features::{api_keys, attributions, tiers};
use crate::flows::late_credit;
use crate::flows::registration::undoing;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{
    AdjustmentId, AttributionId, DealRegistrationId, DisputeId, RegistrationConflictId, TierMoveId,
};
use crate::kernel::money::Money;
use crate::kernel::permission::Permission;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;
use uuid::Uuid;

/// Opens a dispute; the money that it is about waits from now on.
pub fn open(tx: &mut Tx<'_>, ctx: &Ctx, mut new: NewDispute) -> Result<Report, Problem> {
    let author = disputes::person(ctx)?;
    let target = subject::find(tx, ctx, &new)?;
    new.subject_ids.sort_unstable();
    new.subject_ids.dedup();
    let id = tx.in_house(ctx, |tx, house| {
        let sum = money::disputed(tx, house, &new, &target)?;
        let found = Found {
            partner_id: target.partner_id,
            program_id: sum.as_ref().map(|sum| sum.program_id).or(target.program_id),
            amounts: sum.as_ref().map(|sum| sum.amounts),
            respond_by: disputes::promised(tx, house, target.program_id)?,
        };
        let review = Review {
            contested_by: target.contested_by(tx, house)?,
            ..Review::default()
        };
        let dispute = Dispute::open(new, found, author, house.now)?;
        let lines = sum.map(|sum| sum.lines).unwrap_or_default();
        money::open(tx, house, &dispute, &review, &lines)?;
        Ok(dispute.id)
    })?;
    disputes::get(tx, ctx, id)
}

/// Somebody looks into a dispute, or takes it over; where money is disputed, with what they find that it should come to.
pub fn review(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DisputeId,
    precondition: &Precondition,
    note: Option<String>,
    found: Option<Money>,
) -> Result<Report, Problem> {
    let before = disputes::lock(tx, ctx, id, precondition)?;
    let after = before.clone().review(ctx.now)?;
    let finding = match (found, before.amounts) {
        (Some(found), Some(amounts)) => {
            ctx.require(Permission::AdjustmentsWrite)?;
            if found.currency() != amounts.claimed.currency() {
                let message = "The dispute is about another currency.";
                return Err(Problem::field(
                    "/found_amount/currency",
                    "not_of_dispute",
                    message,
                ));
            }
            Some((found, money::computed(tx, ctx, &before, amounts)?))
        }
        (Some(_), None) => {
            let message = "No money is disputed here.";
            return Err(Problem::field("/found_amount", "not_allowed", message));
        }
        (None, _) => None,
    };
    let known = disputes::review_of(tx, ctx, &before)?;
    let review = Review {
        reviewed_by: Some(disputes::person(ctx)?),
        reviewer_secret_makers: api_keys::secret_makers(tx, ctx)?,
        note,
        finding,
        ..known
    };
    disputes::save_review(tx, ctx, id, &review)?;
    disputes::save(tx, ctx, "dispute.review_started", &before, &after)?;
    disputes::get(tx, ctx, id)
}

/// How a dispute is decided.
#[derive(Debug, Clone)]
pub struct Ruling {
    /// How.
    pub outcome: DisputeOutcome,
    /// Why; the partner reads it.
    pub reason: String,
    /// The share that the credit gets, where it is not the one that is claimed.
    pub share_basis_points: Option<i32>,
    /// The tier that the partner gets, where it is not the one that it lost.
    pub tier: Option<String>,
}

/// Decides a dispute, and does what that means.
pub fn decide(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DisputeId,
    precondition: &Precondition,
    ruling: &Ruling,
) -> Result<Report, Problem> {
    let before = disputes::lock(tx, ctx, id, precondition)?;
    let decided = before
        .clone()
        .decide(ruling.outcome, ruling.reason.clone(), ctx.now)?;
    let review = disputes::review_of(tx, ctx, &before)?;
    require_apart(tx, ctx, &review)?;
    let adjustment_id = carry_out(tx, ctx, &before, &review, ruling)?;
    let kept = match adjustment_id {
        Some(_) => money::kept_then(tx, ctx, &before)?,
        None => None,
    };
    let after = Dispute {
        adjustment_id,
        ..decided
    };
    let review = Review {
        decided_by: Some(disputes::person(ctx)?),
        kept,
        ..review
    };
    disputes::save_review(tx, ctx, id, &review)?;
    let event = match ruling.outcome {
        DisputeOutcome::Upheld => "dispute.upheld",
        DisputeOutcome::PartiallyUpheld => "dispute.partially_upheld",
        DisputeOutcome::Denied => "dispute.denied",
    };
    disputes::save(tx, ctx, event, &before, &after)?;
    disputes::get(tx, ctx, id)
}

/// The partner takes a dispute back, or whoever opened it for the partner; money that waited for it waits no longer.
pub fn withdraw(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DisputeId,
    precondition: &Precondition,
    reason: Option<String>,
) -> Result<Report, Problem> {
    disputes::get(tx, ctx, id)?;
    tx.in_house(ctx, |tx, house| {
        let before = disputes::lock(tx, house, id, precondition)?;
        before.require("withdraw")?;
        if ctx.scope.partner_id.is_none() {
            require_authorship(tx, house, &before, reason.as_deref())?;
        }
        let after = before.clone().withdraw(reason, house.now)?;
        money::thaw(tx, house, &before)?;
        disputes::save(tx, house, "dispute.withdrawn", &before, &after)
    })?;
    disputes::get(tx, ctx, id)
}

/// The organization ends a dispute by deciding it. Only who opened one for its partner takes it back, says why, and has not
/// made the decision that it is about.
fn require_authorship(
    tx: &mut Tx<'_>,
    house: &Ctx,
    dispute: &Dispute,
    reason: Option<&str>,
) -> Result<(), Problem> {
    if disputes::person(house)? != dispute.created_by {
        let detail = "The dispute is taken back by its partner, or by whoever opened it for the partner. Decide it instead.";
        return Err(Problem::new(Code::PermissionDenied).because(detail));
    }
    let review = disputes::review_of(tx, house, dispute)?;
    require_apart(tx, house, &review)?;
    match reason {
        Some(_) => Ok(()),
        None => Err(Problem::field(
            "/reason",
            "missing",
            "Say why it is taken back; the partner reads it.",
        )),
    }
}

/// Nobody decides about a decision of their own.
fn require_apart(tx: &mut Tx<'_>, ctx: &Ctx, review: &Review) -> Result<(), Problem> {
    let Some(author) = review.contested_by else {
        return Ok(());
    };
    if disputes::person(ctx)? == author {
        let detail = "You made the decision that is disputed. Let somebody else decide about it.";
        return Err(Problem::new(Code::SecondPersonRequired).because(detail));
    }
    api_keys::require_other_hand(tx, ctx, author)
}

/// Does what the outcome means; the adjustment that it posted, if it did.
fn carry_out(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    dispute: &Dispute,
    review: &Review,
    ruling: &Ruling,
) -> Result<Option<AdjustmentId>, Problem> {
    let share = granted_share(tx, ctx, dispute, ruling)?;
    require_tier(dispute, ruling)?;
    if let Some(amounts) = dispute.amounts {
        return money::settle(tx, ctx, dispute, review, amounts, ruling);
    }
    let is_whole = match ruling.outcome {
        DisputeOutcome::Upheld => true,
        DisputeOutcome::PartiallyUpheld => false,
        DisputeOutcome::Denied => return Ok(None),
    };
    let subject = subject_of(dispute)?;
    match dispute.subject_type {
        SubjectType::DealRegistration => {
            ctx.require(Permission::DealRegistrationsReview)?;
            let id = DealRegistrationId::from_uuid(subject);
            if is_whole {
                undoing::restore(tx, ctx, id)?;
            } else {
                undoing::reopen(tx, ctx, id)?;
            }
        }
        SubjectType::RegistrationConflict => {
            ctx.require(Permission::RegistrationConflictsDecide)?;
            let id = RegistrationConflictId::from_uuid(subject);
            undoing::redecide(tx, ctx, id, dispute.partner_id, is_whole, &ruling.reason)?;
        }
        SubjectType::Attribution => {
            ctx.require(Permission::AttributionsReview)?;
            let id = AttributionId::from_uuid(subject);
            let share = share.ok_or_else(Problem::internal)?;
            late_credit::restore(tx, ctx, id, share, &ruling.reason)?;
        }
        SubjectType::TierMove => {
            ctx.require(Permission::EnrollmentsWrite)?;
            let id = TierMoveId::from_uuid(subject);
            tiers::give_back(tx, ctx, id, ruling.tier.as_deref(), &ruling.reason)?;
        }
        SubjectType::Commission | SubjectType::Deal => {}
    }
    Ok(None)
}

/// The share that credit gets: what is claimed where the partner was right, and where it was in part the one that is named.
fn granted_share(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    dispute: &Dispute,
    ruling: &Ruling,
) -> Result<Option<i32>, Problem> {
    let is_credit = dispute.subject_type == SubjectType::Attribution;
    let pointer = "/share_basis_points";
    match (is_credit, ruling.outcome, ruling.share_basis_points) {
        (true, DisputeOutcome::PartiallyUpheld, Some(share)) => Ok(Some(share)),
        (true, DisputeOutcome::PartiallyUpheld, None) => Err(Problem::field(
            pointer,
            "missing",
            "Name the share that the credit gets.",
        )),
        (_, _, Some(_)) => Err(Problem::field(
            pointer,
            "not_allowed",
            "Only where a dispute of credit is upheld partially a share is named.",
        )),
        (true, DisputeOutcome::Upheld, None) => match dispute.claimed_share_basis_points {
            Some(share) => Ok(Some(share)),
            None => {
                let id = AttributionId::from_uuid(subject_of(dispute)?);
                Ok(Some(attributions::get(tx, ctx, id)?.share_basis_points))
            }
        },
        _ => Ok(None),
    }
}

/// A tier is named where a fall was wrong in part, and nowhere else.
fn require_tier(dispute: &Dispute, ruling: &Ruling) -> Result<(), Problem> {
    let is_fall = dispute.subject_type == SubjectType::TierMove;
    match (
        is_fall && ruling.outcome == DisputeOutcome::PartiallyUpheld,
        &ruling.tier,
    ) {
        (true, None) => Err(Problem::field(
            "/tier",
            "missing",
            "Name the tier that the partner gets.",
        )),
        (false, Some(_)) => Err(Problem::field(
            "/tier",
            "not_allowed",
            "Only where a dispute of a move to a lower tier is upheld partially a tier is named.",
        )),
        _ => Ok(()),
    }
}

fn subject_of(dispute: &Dispute) -> Result<Uuid, Problem> {
    let first = dispute.subject_ids.first().ok_or_else(Problem::internal)?;
    Ok(first.id)
}
