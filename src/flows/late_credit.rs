//! Credit is corrected on a deal that is won. A claim counts after all: what the deal's payments earned so far is accrued.
//! Or settled credit gets another share: later payments follow it by themselves, and what it means for what was earned
//! before is proposed as adjustments, because nothing posted is edited and nobody changes money alone.

use super::accrual;
use crate::features::adjustments::{self, AdjustmentReason, NewAdjustment};
use crate::features::attributions::{self, Attribution, Correction};
use crate::features::{commissions, programs};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AttributionId, ProgramId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

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
    let mut corrections = attributions::corrections(tx, ctx, id)?;
    match corrections.pop() {
        None => accrual::of_deals(tx, ctx, &[after.deal_id])?,
        Some(last) => propose(tx, ctx, &after, &corrections, &last, reason)?,
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
        let mut corrections = attributions::corrections(tx, ctx, id)?;
        if let Some(last) = corrections.pop() {
            propose(tx, ctx, &after, &corrections, &last, reason)?;
        }
    }
    if after.settled_at.is_some() {
        // What was paid while it did not count has no line of it yet.
        accrual::of_deals(tx, ctx, &[after.deal_id])?;
    }
    Ok(())
}

/// Proposes what the correction makes of what the credit has earned and kept, as adjustments: one for each program and
/// currency. Each line counts by the share with which it was earned, so that corrections of corrections add up.
fn propose(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    credit: &Attribution,
    earlier: &[Correction],
    last: &Correction,
    reason: &str,
) -> Result<(), Problem> {
    let moved = Decimal::from(last.share_after) - Decimal::from(last.share_before);
    let mut gains: BTreeMap<(ProgramId, &str), (Currency, Decimal)> = BTreeMap::new();
    for line in commissions::lines_of_credit(tx, ctx, credit.id)? {
        let earned_with = Correction::share_at(earlier, line.id.uuid()).unwrap_or(last.share_before);
        let exact = line.kept.amount().checked_mul(moved);
        let gain = exact.and_then(|exact| exact.checked_div(Decimal::from(earned_with)));
        let currency = line.kept.currency();
        let sum = gains
            .entry((line.program_id, currency.code()))
            .or_insert((currency, Decimal::ZERO));
        sum.1 += gain.ok_or_else(|| Problem::damaged("a line was earned with no share"))?;
    }
    for ((program_id, _), (currency, gain)) in gains {
        let rounding = programs::get(tx, ctx, program_id)?.rounding;
        let amount = Money::rounded(gain, currency, rounding).map_err(Problem::damaged)?;
        if !amount.is_zero() {
            let new = NewAdjustment {
                external_id: None,
                partner_id: credit.partner_id,
                program_id,
                commission_id: None,
                deal_id: Some(credit.deal_id),
                reason_code: AdjustmentReason::Correction,
                reason: reason.to_owned(),
                amount,
            };
            adjustments::propose(tx, ctx, new)?;
        }
    }
    Ok(())
}
