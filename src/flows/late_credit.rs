//! Credit is corrected on a deal that is won. A claim counts after all: what the deal's payments earned so far is accrued.
//! Or settled credit gets another share: later payments follow it by themselves, and what it means for what was earned
//! before is proposed as adjustments, because nothing posted is edited and nobody changes money alone.
//!
//! What is proposed is a target less what was proposed before. So money that goes back or comes in again after a correction
//! takes its part of the adjustments along, in whichever order these things happen.

use super::accrual;
use super::proposals::{Hand, Targets, Undecided};
use crate::features::adjustments::{self, Adjustment, AdjustmentReason, NewAdjustment, Proposed, Proposer};
use crate::features::attributions::{self, Attribution, Correction};
use crate::features::commissions::{Caps, CreditProposed};
use crate::features::{api_keys, commissions};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::AttributionId;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

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
/// and one comes after the other.
fn propose(tx: &mut Tx<'_>, ctx: &Ctx, id: AttributionId) -> Result<(), Problem> {
    attributions::serialize_corrections(tx, id)?;
    let Some(correction) = attributions::last_correction(tx, ctx, id)? else {
        return Ok(());
    };
    // Read again: somebody else may have corrected it before it was this one's turn.
    let credit = attributions::get(tx, ctx, id)?;
    let undecided = Undecided::lock(tx, ctx, Proposer::Credit(id))?;
    let Some(hand) = hand(tx, ctx, &correction, &undecided)? else {
        return Ok(());
    };
    let (targets, caps) = targets(tx, ctx, &credit)?;
    undecided.replace(tx, ctx, targets, hand, |(partner_id, program_id, _), amount| {
        NewAdjustment {
            external_id: None,
            partner_id,
            program_id,
            commission_id: None,
            deal_id: Some(credit.deal_id),
            backtest_id: None,
            attribution_id: Some(credit.id),
            dispute_id: None,
            reason_code: AdjustmentReason::Correction,
            reason: correction.reason.clone(),
            amount,
        }
    })?;
    take(tx, ctx, id, caps)
}

/// Somebody decided on an adjustment that follows from a correction of credit: what stands of the correction takes its room
/// under the caps of periods, and leaves what does not.
pub fn decided(tx: &mut Tx<'_>, ctx: &Ctx, adjustment: &Adjustment) -> Result<(), Problem> {
    let Some(id) = adjustment.attribution_id else {
        return Ok(());
    };
    attributions::serialize_corrections(tx, id)?;
    let credit = attributions::get(tx, ctx, id)?;
    let (_, caps) = targets(tx, ctx, &credit)?;
    take(tx, ctx, id, caps)
}

fn take(tx: &mut Tx<'_>, ctx: &Ctx, id: AttributionId, caps: Caps) -> Result<(), Problem> {
    let proposed = adjustments::proposed(tx, ctx, Proposer::Credit(id))?;
    let of_partner = |one: &Proposed| CreditProposed {
        partner_id: one.partner_id,
        currency: one.amount.currency(),
        live: one.amount.amount(),
        approved: one.approved.amount(),
    };
    let proposed: Vec<CreditProposed> = proposed.iter().map(of_partner).collect();
    caps.take(tx, ctx, id, &proposed)
}

/// Whoever corrected the credit last, whoever caused it to be worked out anew. What was corrected before its author was kept
/// is in the name of whoever proposed it, or moves its money now; none where that is nobody.
fn hand(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    correction: &Correction,
    undecided: &Undecided<'_>,
) -> Result<Option<Hand>, Problem> {
    let others = match correction.author {
        Some(_) => correction.author_secret_makers.clone(),
        None => api_keys::secret_makers(tx, ctx)?,
    };
    let earlier = undecided.authors().next();
    let author = correction.author.or(earlier).or_else(|| ctx.responsible());
    Ok(author.map(|author| Hand { author, others }))
}

/// What the lines of the credit would have kept more with the share that counts now. Each counts by the share with which it
/// was earned, as its explanation keeps it, so that corrections of corrections add up.
fn targets(tx: &mut Tx<'_>, ctx: &Ctx, credit: &Attribution) -> Result<(Targets, Caps), Problem> {
    let mut targets = Targets::new();
    let share = credit.counting_share();
    let (gains, caps) = commissions::gains_under_locked_caps(tx, ctx, credit.id, share)?;
    for line in gains {
        let place = (line.partner_id, line.program_id, line.currency);
        *targets.entry(place).or_default() += line.gain;
    }
    Ok((targets, caps))
}
