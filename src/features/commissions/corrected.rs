//! What the lines of a credit would have come to with another share: what a correction of the credit means for money.

use super::capped::{Access, Caps, Gain};
use super::store::{self, CreditLine};
use crate::kernel::commission::Explanation;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AttributionId, CommissionId, PartnerId, ProgramId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use rust_decimal::Decimal;
use std::collections::HashMap;
use uuid::Uuid;

/// What another share means for a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditGain {
    /// The payment and the line of the invoice that it was earned on, or twice the credit note.
    pub money: (Uuid, Uuid),
    /// Whose line it is: of whoever has the credit, or of the distributor above.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// The currency in which the line is owed.
    pub currency: Currency,
    /// What it would have kept more, exact; less, where it is below zero.
    pub gain: Decimal,
    /// What is left of it as it is.
    pub kept: Decimal,
    /// Whether the line itself waits: for the end of its hold, or of a dispute, or to be approved.
    pub waits: bool,
    /// Whether the line is still to be exchanged: it will be owed in another currency.
    pub is_unexchanged: bool,
}

/// What this share means for the lines of the credit that were earned with another, less what went back since. The pool of
/// each line is shared anew, so that amounts that were rounded to nothing, or up, do not count for more than they are;
/// where the share alone does not tell the amount, what was kept is scaled. What lines gain is held to what the caps of
/// their periods leave today.
pub fn gains_of_credit(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AttributionId,
    basis_points: i32,
) -> Result<Vec<CreditGain>, Problem> {
    let (gains, _) = work_out(tx, ctx, id, basis_points, Access::Read)?;
    Ok(gains)
}

/// The same, with the caps over the lines, which are locked until the transaction ends.
pub fn gains_under_locked_caps(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AttributionId,
    basis_points: i32,
) -> Result<(Vec<CreditGain>, Caps), Problem> {
    work_out(tx, ctx, id, basis_points, Access::Lock)
}

fn work_out(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AttributionId,
    basis_points: i32,
    access: Access,
) -> Result<(Vec<CreditGain>, Caps), Problem> {
    let mut lines = store::lines_of_credit(tx, ctx, id)?;
    let mut caps = Caps::over(tx, ctx, id, &lines, access)?;
    lines.retain(|line| line.share != basis_points);
    let refunded = refunded(tx, ctx, &lines)?;
    let share = u32::try_from(basis_points).map_err(Problem::damaged)?;
    let gain = |line: &CreditLine| gain(line, share, refunded.get(&line.id).copied());
    let mut gains: Vec<Gain> = lines.iter().map(gain).collect::<Result<_, _>>()?;
    caps.limit(&lines, &mut gains)?;
    let told = lines.iter().zip(gains).map(|(line, gain)| CreditGain {
        money: line.money,
        partner_id: line.partner_id,
        program_id: line.program_id,
        currency: line.kept.currency(),
        gain: gain.owed,
        kept: line.kept.amount(),
        waits: line.waits,
        is_unexchanged: line.is_unexchanged,
    });
    Ok((told.collect(), caps))
}

/// What was refunded of the payment of each line, also where it was too little to take anything back.
fn refunded(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    lines: &[CreditLine],
) -> Result<HashMap<CommissionId, Money>, Problem> {
    let ids: Vec<Uuid> = lines.iter().map(|line| line.id.uuid()).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let refunds = store::accrual::refunds_before(tx, &ctx.scope, &ids, Uuid::max())?;
    // The last one of a line says what was refunded in all.
    let cumulative = refunds.into_iter();
    Ok(cumulative
        .map(|(id, refund)| (id, refund.refunded_cumulative))
        .collect())
}

fn gain(line: &CreditLine, share: u32, refunded: Option<Money>) -> Result<Gain, Problem> {
    let whole = line.explanation.at_share(share).map_err(Problem::damaged)?;
    let more = |kept: Decimal, whole: Option<Money>| -> Result<Decimal, Problem> {
        let corrected = match whole {
            Some(whole) => whole.amount().checked_mul(left(line, refunded)?),
            None => kept
                .checked_mul(Decimal::from(share))
                .and_then(|exact| exact.checked_div(Decimal::from(line.share))),
        };
        let corrected = corrected.ok_or_else(|| Problem::damaged("a line was earned with no share"))?;
        Ok(corrected - kept)
    };
    let owed = whole.map(|whole| exchanged(line, whole)).transpose()?;
    Ok(Gain {
        earned: more(line.kept_of_invoice, whole)?,
        owed: more(line.kept.amount(), owed)?,
    })
}

/// An amount in the currency of the invoice as the line is owed.
fn exchanged(line: &CreditLine, whole: Money) -> Result<Money, Problem> {
    match &line.exchange {
        Some(by) => by.exchange.convert(whole, by.rounding).map_err(Problem::damaged),
        None => Ok(whole),
    }
}

/// Which part of the line is left, exact where refunds tell it; else, such as where the clawback window was over for some of
/// it, by what is left of the amount.
fn left(line: &CreditLine, refunded: Option<Money>) -> Result<Decimal, Problem> {
    let payment = match &line.explanation {
        Explanation::Accrual(accrual) => Some(accrual.payment().map_err(Problem::damaged)?),
        Explanation::Credit(_) | Explanation::Clawback(_) => None,
    };
    let by_refunds = payment.zip(refunded).and_then(|(payment, refunded)| {
        let gone = refunded.amount().checked_div(payment.amount())?;
        Some((Decimal::ONE - gone).clamp(Decimal::ZERO, Decimal::ONE))
    });
    let by_amount = line.kept.amount().checked_div(line.earned.amount());
    Ok(match (by_refunds, by_amount) {
        (Some(exact), None) => exact,
        (Some(exact), Some(_)) if agrees(line, exact) => exact,
        (_, Some(coarse)) => coarse,
        (None, None) => Decimal::ONE,
    })
}

/// Whether this part of the amount is what was kept, give or take its rounding.
fn agrees(line: &CreditLine, part: Decimal) -> bool {
    let unit = Decimal::new(1, line.kept.currency().exponent());
    (line.earned.amount() * part - line.kept.amount()).abs() <= unit
}
