//! Credit is corrected on a deal that is won. A claim counts after all: what the deal's payments earned so far is accrued.
//! Or settled credit gets another share: later payments follow it by themselves, and what it means for what was earned
//! before is proposed as adjustments, because nothing posted is edited and nobody changes money alone.
//!
//! What is proposed is a target less what was proposed before. So money that goes back or comes in again after a correction
//! takes its part of the adjustments along, in whichever order these things happen.

use super::accrual;
use crate::features::adjustments::{self, AdjustmentReason, NewAdjustment, Proposed, Proposer};
use crate::features::attributions::{self, Attribution};
use crate::features::{commissions, programs};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AttributionId, CommissionId, PartnerId, ProgramId};
use crate::kernel::money::{Currency, Total};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What should have been adjusted for a credit, by partner, program and currency.
type Targets = BTreeMap<(PartnerId, ProgramId, Currency), Decimal>;

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

/// Proposes what corrections mean for these lines, of which something was taken or to which something was given back.
pub fn follow(tx: &mut Tx<'_>, ctx: &Ctx, lines: &[CommissionId]) -> Result<(), Problem> {
    if lines.is_empty() {
        return Ok(());
    }
    let credits = commissions::credits_of(tx, ctx, lines)?;
    for id in attributions::corrected_among(tx, ctx, &credits)? {
        propose(tx, ctx, id)?;
    }
    Ok(())
}

/// Proposes what is missing to what the corrections make of what the credit has earned and kept, as adjustments: one for
/// each partner, which may be the distributor above, program and currency. Whoever comes here holds the lines that it
/// changed, and one comes after the other.
fn propose(tx: &mut Tx<'_>, ctx: &Ctx, id: AttributionId) -> Result<(), Problem> {
    attributions::serialize_corrections(tx, id)?;
    let Some(reason) = attributions::last_correction(tx, ctx, id)? else {
        return Ok(());
    };
    // Read again: somebody else may have corrected it before it was this one's turn.
    let credit = attributions::get(tx, ctx, id)?;
    let mut targets = targets(tx, ctx, &credit)?;
    for proposed in adjustments::proposed(tx, ctx, Proposer::Credit(credit.id))? {
        let Proposed {
            partner_id,
            program_id,
            amount,
        } = proposed;
        let target = targets
            .entry((partner_id, program_id, amount.currency()))
            .or_default();
        *target -= amount.amount();
    }
    for ((partner_id, program_id, currency), gain) in targets {
        let rounding = programs::get(tx, ctx, program_id)?.rounding;
        for amount in Total::rounded(gain, currency, rounding).amounts() {
            let new = NewAdjustment {
                external_id: None,
                partner_id,
                program_id,
                commission_id: None,
                deal_id: Some(credit.deal_id),
                backtest_id: None,
                attribution_id: Some(credit.id),
                reason_code: AdjustmentReason::Correction,
                reason: reason.clone(),
                amount,
            };
            adjustments::propose(tx, ctx, new)?;
        }
    }
    Ok(())
}

/// What the lines of the credit would have kept more with the share that counts now. Each counts by the share with which it
/// was earned, as its explanation keeps it, so that corrections of corrections add up.
fn targets(tx: &mut Tx<'_>, ctx: &Ctx, credit: &Attribution) -> Result<Targets, Problem> {
    let share_now = Decimal::from(credit.counting_share());
    let mut targets = Targets::new();
    for line in commissions::lines_of_credit(tx, ctx, credit.id)? {
        let earned_with = Decimal::from(line.share);
        if line.kept.is_zero() || earned_with == share_now {
            continue;
        }
        let exact = line.kept.amount().checked_mul(share_now - earned_with);
        let gain = exact.and_then(|exact| exact.checked_div(earned_with));
        let gain = gain.ok_or_else(|| Problem::damaged("a line was earned with no share"))?;
        let target = targets
            .entry((line.partner_id, line.program_id, line.kept.currency()))
            .or_default();
        *target += gain;
    }
    Ok(targets)
}
