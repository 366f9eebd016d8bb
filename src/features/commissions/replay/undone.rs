//! What refunds undo of a replay: of the line at once, and of the standings when the refund met it.

use super::reversal::{self, shrinkage, standings_of};
use super::{Earned, EarnedBefore, MoneyBefore, RefundBefore, is_exposed};
use crate::features::commissions::domain::{TakenFrom, ZeroReason};
use crate::features::commissions::standings::{Key, Standings};
use crate::features::commissions::store::clawback::ExposedRow;
use crate::kernel::commission::{Explanation, Growth, Progress};
use crate::kernel::id::{CommissionId, CommissionRuleId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What refunds that are still to come take out of the standings, by when they do. Only of lines that a rule counts, so
/// that it holds no more than there are refunds of these.
#[derive(Debug, Default)]
pub struct Undone {
    coming: BTreeMap<Uuid, Vec<(Vec<Key>, Growth, Money)>>,
}

impl Undone {
    /// Takes out of the standings what was refunded before this line was worked out.
    pub fn apply(&mut self, line: CommissionId, standings: &mut Standings) -> Result<(), Problem> {
        let later = self.coming.split_off(&line.uuid());
        for (keys, growth, taken) in std::mem::replace(&mut self.coming, later).into_values().flatten() {
            standings.add(&keys, growth, taken).map_err(Problem::damaged)?;
        }
        Ok(())
    }

    /// What refunds take back of a line, all of them together: in the currency into which it was exchanged, if it was.
    pub fn take_back(
        &mut self,
        line: &EarnedBefore,
        (earned, exchanged): (&Earned, Option<Money>),
        refunds: &[RefundBefore],
        now: DateTime<Utc>,
    ) -> Result<Money, Problem> {
        let mut taken = Money::zero(exchanged.unwrap_or(earned.amount).currency());
        if refunds.is_empty() || !is_exposed(earned) {
            return Ok(taken);
        }
        let exposed = exposed(line, earned, exchanged, refunds)?;
        let clawed = reversal::work_out(&exposed, now).map_err(Problem::damaged)?;
        for ((row, clawed), refund) in exposed.iter().zip(&clawed).zip(refunds) {
            let owed = clawed.exchanged.as_ref().map_or(clawed.amount, |(owed, _)| *owed);
            taken = taken.checked_add(owed).map_err(Problem::damaged)?;
            if row.counted.is_some() && clawed.zero_reason != Some(ZeroReason::WindowPassed) {
                let (growth, less) = shrinkage(row, clawed).map_err(Problem::damaged)?;
                let at = self.coming.entry(refund.met_at.max(line.id.uuid())).or_default();
                at.push((standings_of(row), growth, less));
            }
        }
        Ok(taken)
    }
}

/// The line as refunds would have met it.
fn exposed(
    line: &EarnedBefore,
    earned: &Earned,
    exchanged: Option<Money>,
    refunds: &[RefundBefore],
) -> Result<Vec<ExposedRow>, Problem> {
    let MoneyBefore::Payment(rows) = &line.money else {
        return Ok(Vec::new());
    };
    let first = rows.first().ok_or_else(Problem::internal)?;
    let payment = first
        .paid_after
        .checked_sub(first.paid_before)
        .map_err(Problem::damaged)?;
    let counted = counted(earned);
    let row = |refund: &RefundBefore| ExposedRow {
        commission_id: earned.id,
        refund_id: refund.refund_id,
        partner_id: earned.partner_id,
        program_id: earned.origin.program_id,
        amount: earned.amount,
        reversed: Money::zero(earned.amount.currency()),
        account: TakenFrom::Held,
        exchanged: exchanged.map(|whole| (whole, Money::zero(whole.currency()))),
        payment,
        refunded_cumulative: refund.refunded_cumulative,
        refund: refund.refund,
        counted: counted.clone(),
        paid_at: line.earned_at,
        refunded_at: refund.refunded_at,
        went_back_at: refund.went_back_at,
        rounding: line.program.rounding,
        window_days: refund.window_days,
    };
    Ok(refunds.iter().map(row).collect())
}

/// The rule that decided the line and how far it had come, where it counts.
fn counted(earned: &Earned) -> Option<(CommissionRuleId, Progress)> {
    let Explanation::Accrual(accrual) = &earned.explanation else {
        return None;
    };
    let rule = accrual.entitlement.rule.as_ref()?;
    let progress = accrual.entitlement.progress.as_deref()?;
    Some((rule.rule_id, progress.clone()))
}
