//! Credit is corrected on a deal that is won. A claim counts after all: what the deal's payments earned so far is accrued.
//! Or settled credit gets another share: later payments follow it by themselves, and what it means for what was earned
//! before is proposed as adjustments, because nothing posted is edited and nobody changes money alone.
//!
//! What is proposed is a target less what was proposed before. So money that goes back or comes in again after a correction
//! takes its part of the adjustments along, in whichever order these things happen.

use super::accrual;
use crate::features::adjustments::{self, Adjustment, AdjustmentReason, NewAdjustment, Proposer};
use crate::features::attributions::{self, Attribution, Correction};
use crate::features::{api_keys, commissions, programs};
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{AttributionId, PartnerId, ProgramId};
use crate::kernel::money::{Currency, Rounding, Total};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What should have been adjusted for a credit, by partner, program and currency.
type Targets = BTreeMap<Place, Decimal>;

/// Whose, in which program and currency.
type Place = (PartnerId, ProgramId, Currency);

/// Corrects the credit, to this share where one is given, for this reason.
pub fn run(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AttributionId,
    precondition: &Precondition,
    share_basis_points: Option<i32>,
    reason: &str,
) -> Result<Attribution, Problem> {
    let after = attributions::correct(tx, ctx, id, precondition, share_basis_points, reason)?;
    if attributions::last_correction(tx, ctx, id)?.is_none() {
        accrual::of_deals(tx, ctx, &[after.deal_id])?;
    } else {
        commissions::lock_lines_of_credit(tx, ctx, id)?;
        propose(tx, ctx, id)?;
    }
    Ok(after)
}

/// Gives a credit the share that a dispute finds, and accrues or proposes what follows from that.
pub fn restore(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AttributionId,
    share_basis_points: i32,
    reason: &str,
) -> Result<(), Problem> {
    let (after, is_corrected) = attributions::restore(tx, ctx, id, share_basis_points, reason)?;
    if is_corrected {
        commissions::lock_lines_of_credit(tx, ctx, id)?;
        propose(tx, ctx, id)?;
    }
    if after.settled_at.is_some() {
        // What was paid while it did not count has no line of it yet.
        accrual::of_deals(tx, ctx, &[after.deal_id])?;
    }
    Ok(())
}

/// Proposes what corrections of these credits mean, of whose lines something was taken, or to which something was given
/// back.
pub fn follow(tx: &mut Tx<'_>, ctx: &Ctx, credits: &[AttributionId]) -> Result<(), Problem> {
    if credits.is_empty() {
        return Ok(());
    }
    for id in attributions::corrected_among(tx, ctx, credits)? {
        propose(tx, ctx, id)?;
    }
    Ok(())
}

/// Proposes what is missing to what the corrections make of what the credit has earned and kept, as adjustments: for each
/// partner, which may be the distributor above, program and currency. Whoever comes here holds the lines that it changed,
/// and one comes after the other. What was proposed before and nobody has decided gives way: two proposals that only make
/// sense together could be decided differently.
fn propose(tx: &mut Tx<'_>, ctx: &Ctx, id: AttributionId) -> Result<(), Problem> {
    attributions::serialize_corrections(tx, id)?;
    let Some(correction) = attributions::last_correction(tx, ctx, id)? else {
        return Ok(());
    };
    // Read again: somebody else may have corrected it before it was this one's turn.
    let credit = attributions::get(tx, ctx, id)?;
    let undecided = adjustments::lock_undecided(tx, ctx, Proposer::Credit(id))?;
    let Some(hand) = hand(tx, ctx, &correction, &undecided)? else {
        return Ok(());
    };
    let mut missing = missing(tx, ctx, &credit)?;
    for adjustment in undecided {
        let place = (
            adjustment.partner_id,
            adjustment.program_id,
            adjustment.amount.currency(),
        );
        if let Some((gain, _)) = missing.get_mut(&place) {
            *gain += adjustment.amount.amount();
            adjustments::withdraw(tx, ctx, adjustment.id, &Precondition::Any)?;
        }
    }
    let amounts = missing.into_iter().flat_map(|(place, (gain, rounding))| {
        let amounts = Total::rounded(gain, place.2, rounding).amounts().into_iter();
        amounts.map(move |amount| (place, amount))
    });
    let new = amounts.map(|((partner_id, program_id, _), amount)| NewAdjustment {
        external_id: None,
        partner_id,
        program_id,
        commission_id: None,
        deal_id: Some(credit.deal_id),
        backtest_id: None,
        attribution_id: Some(credit.id),
        reason_code: AdjustmentReason::Correction,
        reason: correction.reason.clone(),
        amount,
    });
    adjustments::propose_for(tx, ctx, new.collect(), hand.author, &hand.others)?;
    Ok(())
}

/// In whose name something is proposed, and who else may not approve it.
struct Hand {
    author: ActorId,
    others: Vec<Uuid>,
}

/// Whoever corrected the credit last, whoever caused it to be worked out anew; and beside them those whose proposals give
/// way. What was corrected before its author was kept is in the name of whoever proposed it, or moves its money now; none
/// where that is nobody.
fn hand(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    correction: &Correction,
    undecided: &[Adjustment],
) -> Result<Option<Hand>, Problem> {
    let mut others = match correction.author {
        Some(_) => correction.author_secret_makers.clone(),
        None => api_keys::secret_makers(tx, ctx)?,
    };
    others.extend(undecided.iter().map(|adjustment| adjustment.created_by.uuid()));
    let earlier = undecided.first().map(|adjustment| adjustment.created_by);
    let author = correction.author.or(earlier).or_else(|| ctx.responsible());
    Ok(author.map(|author| Hand { author, others }))
}

/// What was not proposed yet, exact, with the rounding of its program; nothing of what rounds to nothing.
fn missing(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    credit: &Attribution,
) -> Result<BTreeMap<Place, (Decimal, Rounding)>, Problem> {
    let mut targets = targets(tx, ctx, credit)?;
    for proposed in adjustments::proposed(tx, ctx, Proposer::Credit(credit.id))? {
        let place = (
            proposed.partner_id,
            proposed.program_id,
            proposed.amount.currency(),
        );
        *targets.entry(place).or_default() -= proposed.amount.amount();
    }
    let mut missing = BTreeMap::new();
    for (place, gain) in targets {
        let rounding = programs::get(tx, ctx, place.1)?.rounding;
        if !Total::rounded(gain, place.2, rounding).is_zero() {
            missing.insert(place, (gain, rounding));
        }
    }
    Ok(missing)
}

/// What the lines of the credit would have kept more with the share that counts now. Each counts by the share with which it
/// was earned, as its explanation keeps it, so that corrections of corrections add up.
fn targets(tx: &mut Tx<'_>, ctx: &Ctx, credit: &Attribution) -> Result<Targets, Problem> {
    let mut targets = Targets::new();
    for line in commissions::gains_of_credit(tx, ctx, credit.id, credit.counting_share())? {
        let place = (line.partner_id, line.program_id, line.currency);
        *targets.entry(place).or_default() += line.gain;
    }
    Ok(targets)
}
