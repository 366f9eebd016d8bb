//! Taking back: a refund undoes the commissions of its payment in proportion. Where money comes in again, what was taken
//! back is given back by the same rule, as a clawback below zero.

use super::domain::{ClawedBack, TakenFrom, ZeroReason};
use super::standings::Key;
use super::store;
use super::store::clawback::ExposedRow;
use crate::kernel::commission::{
    CommissionError, Explanation, Growth, Refunded, clawback, clawback_of_exchanged,
};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{ClawbackId, CommissionId, DealId, RefundId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::platform::db::{Change, Subject, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::json;
use std::collections::HashMap;

/// Works out, writes and returns what these refunds take back. Each refund touches a line once.
pub fn claw_back(tx: &mut Tx<'_>, ctx: &Ctx, refunds: &[RefundId]) -> Result<Vec<ClawedBack>, Problem> {
    let exposed = store::clawback::lock_exposed(tx, &ctx.scope, refunds)?;
    let clawed = work_out(&exposed, ctx.now).map_err(Problem::damaged)?;
    store::clawback::insert(tx, ctx, &clawed)?;
    uncount(tx, ctx, &exposed, &clawed)?;
    record(tx, ctx, &clawed);
    Ok(clawed)
}

/// Takes out of the standings what refunded lines had brought into them.
fn uncount(tx: &mut Tx<'_>, ctx: &Ctx, exposed: &[ExposedRow], clawed: &[ClawedBack]) -> Result<(), Problem> {
    let counted: Vec<_> = exposed
        .iter()
        .zip(clawed)
        .filter(|(row, line)| row.counted.is_some() && line.zero_reason != Some(ZeroReason::WindowPassed))
        .collect();
    let keys = counted.iter().flat_map(|(row, _)| standings_of(row)).collect();
    let mut standings = store::standings::lock(tx, ctx, keys)?;
    for (row, line) in counted {
        let (growth, taken) = shrinkage(row, line).map_err(Problem::damaged)?;
        standings
            .add(&standings_of(row), growth, taken)
            .map_err(Problem::damaged)?;
    }
    store::standings::save(tx, ctx, &standings)
}

pub(super) fn standings_of(row: &ExposedRow) -> Vec<Key> {
    let Some((rule_id, progress)) = &row.counted else {
        return Vec::new();
    };
    let named = |period: &String| (!period.is_empty()).then(|| period.clone());
    let (tiers, cap) = (&progress.before.tier_period, &progress.before.cap_period);
    Key::of(
        *rule_id,
        row.partner_id,
        row.amount.currency(),
        named(tiers),
        named(cap),
    )
}

/// The part of a line's volume that a refund undoes, in cumulative targets; its units go with the last of the money, and
/// come again with the first.
pub(super) fn shrinkage(row: &ExposedRow, line: &ClawedBack) -> Result<(Growth, Money), CommissionError> {
    let taken = line.amount.checked_neg()?;
    let Some((_, progress)) = &row.counted else {
        return Ok((Growth::default(), taken));
    };
    let volume = Money::new(progress.volume, row.amount.currency())?;
    let before = row.refunded_cumulative.checked_sub(row.refund)?;
    let part = |refunded: Money| volume.portion(refunded, row.payment, row.rounding);
    let undone = part(row.refunded_cumulative)?.checked_sub(part(before)?)?;
    let count = match (before == row.payment, row.refunded_cumulative == row.payment) {
        (false, true) => -progress.count,
        (true, false) => progress.count,
        _ => Decimal::ZERO,
    };
    let growth = Growth {
        volume: -undone.amount(),
        count,
        exact: Decimal::ZERO,
    };
    Ok((growth, taken))
}

/// The same for every refund of these deals that has not touched a line yet: the lines may be younger than the refund.
pub fn claw_back_of_deals(tx: &mut Tx<'_>, ctx: &Ctx, deals: &[DealId]) -> Result<Vec<ClawedBack>, Problem> {
    let refunds = store::clawback::refunds_of_deals(tx, &ctx.scope, deals)?;
    if refunds.is_empty() {
        return Ok(Vec::new());
    }
    claw_back(tx, ctx, &refunds)
}

/// Refunds in the order in which they were recorded; a line that several of them touch gives each its part.
pub(super) fn work_out(
    exposed: &[ExposedRow],
    now: DateTime<Utc>,
) -> Result<Vec<ClawedBack>, CommissionError> {
    let mut taken: HashMap<CommissionId, Taken> = HashMap::new();
    let mut clawed = Vec::with_capacity(exposed.len());
    for row in exposed {
        let already = taken.get(&row.commission_id).copied().unwrap_or(Taken {
            earned: row.reversed,
            exchanged: row.exchanged.map(|(_, reversed)| reversed),
        });
        let line = take(row, already, now)?;
        taken.insert(row.commission_id, already.with(&line)?);
        clawed.push(line);
    }
    Ok(clawed)
}

/// What was taken back of a line so far: in the currency of the invoice, and in the one that the partner is paid in.
#[derive(Clone, Copy)]
struct Taken {
    earned: Money,
    exchanged: Option<Money>,
}

impl Taken {
    fn with(self, line: &ClawedBack) -> Result<Self, CommissionError> {
        let exchanged = match (self.exchanged, &line.exchanged) {
            (Some(before), Some((amount, _))) => Some(before.checked_add(*amount)?),
            (before, _) => before,
        };
        Ok(Self {
            earned: self.earned.checked_add(line.amount)?,
            exchanged,
        })
    }
}

fn take(row: &ExposedRow, already: Taken, now: DateTime<Utc>) -> Result<ClawedBack, CommissionError> {
    let (went, is_over) = (Refunded::by(row.refund), window_is_over(row));
    let within = |amount: Money| {
        if is_over {
            Money::zero(amount.currency())
        } else {
            amount
        }
    };
    let worked_out = clawback(
        went,
        row.amount,
        row.payment,
        row.refunded_cumulative,
        already.earned,
        row.rounding,
    )?;
    let exchanged = row
        .exchanged
        .zip(already.exchanged)
        .map(|((amount, _), already)| {
            // In proportion to what was given, so that it goes back at the rate at which it was given.
            clawback_of_exchanged(
                went,
                amount,
                row.payment,
                row.refunded_cumulative,
                already,
                row.rounding,
            )
        });
    let exchanged = exchanged.transpose()?;
    let mut line = ClawedBack {
        id: ClawbackId::new(now),
        commission_id: row.commission_id,
        refund_id: row.refund_id,
        partner_id: row.partner_id,
        program_id: row.program_id,
        amount: within(worked_out.amount),
        exchanged: exchanged.map(|taken| (within(taken.amount), taken.explanation)),
        taken_from: row.account,
        zero_reason: None,
        explanation: worked_out.explanation,
        occurred_at: row.refunded_at,
    };
    line.zero_reason = match (is_over, line.moves()) {
        (true, _) => Some(ZeroReason::WindowPassed),
        (false, false) => Some(ZeroReason::NothingLeft),
        (false, true) => None,
    };
    Ok(line)
}

/// The program's clawback window, counted from the payment.
fn window_is_over(row: &ExposedRow) -> bool {
    row.window_days
        .is_some_and(|days| row.went_back_at > row.paid_at + TimeDelta::days(i64::from(days)))
}

fn record(tx: &mut Tx<'_>, ctx: &Ctx, clawed: &[ClawedBack]) {
    for line in clawed {
        let data = json!({
            "commission_id": line.commission_id,
            "refund_id": line.refund_id,
            "amount": line.amount,
            "taken_from": line.taken_from,
            "zero_reason": line.zero_reason,
        });
        let subject = Subject {
            kind: "clawback",
            id: line.id.uuid(),
        };
        let event = if line.is_reinstatement() {
            "commission.reinstated"
        } else {
            "commission.clawed_back"
        };
        let change = Change::consequence(event, subject, data);
        tx.record(ctx, change.for_partner(Some(line.partner_id.uuid())));
    }
}

impl ClawedBack {
    /// Whether it takes anything or gives anything back, in whichever currency.
    pub fn moves(&self) -> bool {
        let is_exchanged = |(amount, _): &(Money, _)| !amount.is_zero();
        !self.amount.is_zero() || self.exchanged.as_ref().is_some_and(is_exchanged)
    }

    /// Whether it gives back what was taken before, in whichever currency.
    pub fn gives_back(&self) -> bool {
        let is_exchanged = |(amount, _): &(Money, _)| amount.is_negative();
        self.amount.is_negative() || self.exchanged.as_ref().is_some_and(is_exchanged)
    }

    /// Whether money came in again, whatever that gives back.
    pub fn is_reinstatement(&self) -> bool {
        matches!(&self.explanation, Explanation::Clawback(explained) if explained.reinstates)
    }

    /// Whether it lowers the line itself rather than the next payout.
    pub fn nets_the_line(&self) -> bool {
        self.taken_from != TakenFrom::Payable
    }
}
