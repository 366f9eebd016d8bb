//! A past period is recalculated, deliberately and for a reason: terms are never backdated and nothing posted is edited, so
//! that what a version of a rule would have paid more or less is proposed as adjustments, and somebody else approves them.
//!
//! Each proposal is a target less what was proposed for the same money before. What an adjustment is for cannot be told
//! from one of another period, and so the periods of a program are the same or do not meet. Several rules of a program may
//! be recalculated over the same period, one after the other: the versions by which the others went are in force with it.

use crate::features::adjustments::{self, AdjustmentReason, NewAdjustment, Proposed, Proposer};
use crate::features::api_keys;
use crate::features::backtests::{self, Backtest, Earlier, Gathering, Recalculation};
use crate::features::commission_rules::{self, CommissionRuleVersion};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{BacktestId, CommissionRuleId, CommissionRuleVersionId};
use crate::kernel::money::Money;
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::Tx;
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// Lets a recalculation wait for a worker.
pub fn ask(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    (rule_id, version_id): (CommissionRuleId, CommissionRuleVersionId),
    days: (NaiveDate, NaiveDate),
    reason: String,
) -> Result<Backtest, Problem> {
    let secret_makers = api_keys::secret_makers(tx, ctx)?;
    let recalculation = Recalculation {
        reason,
        secret_makers,
    };
    // Postgres lets one wait or run at a time, so that from here on every other one has an outcome.
    let backtest = backtests::queue(tx, ctx, rule_id, version_id, days, Some(recalculation))?;
    let others = living(tx, ctx, &backtest)?;
    if let Some(other) = others.iter().find(|other| other.days != days) {
        let (id, (from_on, until_on)) = (other.id, other.days);
        let detail = format!("{id} recalculated {from_on} to {until_on}, which is partly the same money.");
        return Err(Problem::new(Code::RecalculationOverlaps).because(detail));
    }
    // Whether its version goes together with those of the others is better said at once.
    let versions = versions(tx, ctx, &backtest)?;
    commission_rules::rules_assuming(tx, ctx, &versions, &backtest.period)?;
    Ok(backtest)
}

/// The versions that are taken to have been in force over the period: its own and, for a recalculation, those by which the
/// program's other rules were recalculated last. None when its own is gone.
pub fn versions(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    backtest: &Backtest,
) -> Result<Vec<CommissionRuleVersion>, Problem> {
    let mut ids = BTreeMap::new();
    if backtest.recalculation.is_some() {
        let earlier = living(tx, ctx, backtest)?.into_iter();
        ids.extend(earlier.map(|other| (other.commission_rule_id, other.rule_version_id)));
    }
    ids.insert(backtest.commission_rule_id, backtest.rule_version_id);
    let mut versions = Vec::with_capacity(ids.len());
    for id in ids.into_values() {
        versions.extend(commission_rules::find_version(tx, ctx, id)?);
    }
    Ok(versions)
}

/// Proposes what was found, less what was proposed for the same period before.
pub fn propose(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    backtest: &Backtest,
    recalculation: &Recalculation,
    found: &Gathering,
) -> Result<(), Problem> {
    let author = backtest
        .created_by
        .ok_or_else(|| Problem::damaged("a recalculation lacks its author"))?;
    let earlier: Vec<BacktestId> = living(tx, ctx, backtest)?.iter().map(|other| other.id).collect();
    let mut differences = found.differences().map_err(Problem::damaged)?;
    for Proposed {
        partner_id, amount, ..
    } in adjustments::proposed(tx, ctx, Proposer::Recalculations(&earlier))?
    {
        let currency = amount.currency();
        let difference = differences
            .entry((partner_id, currency))
            .or_insert(Money::zero(currency));
        *difference = difference.checked_sub(amount).map_err(Problem::damaged)?;
    }
    let proposals = differences
        .into_iter()
        .filter(|(_, difference)| !difference.is_zero())
        .map(|((partner_id, _), amount)| NewAdjustment {
            external_id: None,
            partner_id,
            program_id: backtest.program_id,
            commission_id: None,
            deal_id: None,
            backtest_id: Some(backtest.id),
            attribution_id: None,
            reason_code: AdjustmentReason::Correction,
            reason: recalculation.reason.clone(),
            amount,
        })
        .collect();
    adjustments::propose_for(tx, ctx, proposals, author, &recalculation.secret_makers)?;
    Ok(())
}

/// The earlier recalculations of the same money that proposed something that nobody refused or withdrew, the first first.
fn living(tx: &mut Tx<'_>, ctx: &Ctx, backtest: &Backtest) -> Result<Vec<Earlier>, Problem> {
    let earlier = backtests::recalculations_over(tx, ctx, backtest)?;
    let ids: Vec<BacktestId> = earlier.iter().map(|other| other.id).collect();
    let living = adjustments::living(tx, ctx, &ids)?;
    let earlier = earlier.into_iter();
    Ok(earlier.filter(|other| living.contains(&other.id)).collect())
}
