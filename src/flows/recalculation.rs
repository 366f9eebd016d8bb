//! A past period is recalculated, deliberately and for a reason: terms are never backdated and nothing posted is edited, so
//! that what a version of a rule would have paid more or less is proposed as adjustments, and somebody else approves them.
//!
//! Each proposal is a target less what was proposed for the same money before. What an adjustment is for cannot be told
//! from one of another period, and so the periods of a program are the same or do not meet. Several rules of a program may
//! be recalculated, over the same period or others, one after the other: the versions by which the others went are in force
//! with it, each over its own period. Where rules count on, what is found of a later period rests on what was before it, so
//! that the earlier period is recalculated first.

use crate::features::adjustments::{self, AdjustmentReason, NewAdjustment, Proposed, Proposer};
use crate::features::api_keys;
use crate::features::backtests::{self, Backtest, EarlierRecalculation, Gathering, Recalculation};
use crate::features::commission_rules::{self, CommissionRuleVersion};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{BacktestId, CommissionRuleId, CommissionRuleVersionId, PartnerId};
use crate::kernel::money::{Money, Total};
use crate::kernel::problem::{Code, Problem};
use crate::kernel::time::Period;
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
        adjustments_proposed: None,
        secret_makers,
    };
    // Postgres lets one wait or run at a time, so that from here on every other one has an outcome.
    let backtest = backtests::queue(tx, ctx, rule_id, version_id, days, Some(recalculation))?;
    let others = others(tx, ctx, &backtest)?;
    let mut paying = others
        .iter()
        .filter(|other| other.pays)
        .map(|other| &other.earlier);
    if let Some(other) = paying
        .clone()
        .find(|other| other.days != days && meets(other, &backtest))
    {
        return Err(overlap(other, "which is partly the same money"));
    }
    // Whether its version goes together with those of the others is better said at once.
    let versions = in_force(tx, ctx, &backtest, &others)?;
    let rules = commission_rules::rules_assuming(tx, ctx, &versions)?;
    let counts_on = rules.iter().any(|known| known.rule.accumulates());
    if let Some(other) = paying.find(|other| counts_on && other.period.from >= backtest.period.to) {
        return Err(overlap(other, "which counts on from this period"));
    }
    Ok(backtest)
}

fn overlap(other: &EarlierRecalculation, why: &str) -> Problem {
    let (id, (from_on, until_on)) = (other.id, other.days);
    let detail = format!("{id} recalculated {from_on} to {until_on}, {why}.");
    Problem::new(Code::RecalculationOverlaps).because(detail)
}

/// The versions that are taken to have been in force, each over its period: its own and, for a recalculation, those by which
/// the program's rules were recalculated last.
pub fn versions(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    backtest: &Backtest,
) -> Result<Vec<(CommissionRuleVersion, Period)>, Problem> {
    let others = match backtest.recalculation {
        Some(_) => others(tx, ctx, backtest)?,
        None => Vec::new(),
    };
    in_force(tx, ctx, backtest, &others)
}

fn in_force(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    backtest: &Backtest,
    others: &[Other],
) -> Result<Vec<(CommissionRuleVersion, Period)>, Problem> {
    let days = (backtest.from_on, backtest.until_on);
    let mut wanted = BTreeMap::new();
    for Other { earlier, pays } in others {
        // Of other periods those that pay, which do not meet one another.
        if earlier.days == days || *pays && !meets(earlier, backtest) {
            let place = (earlier.commission_rule_id, earlier.days);
            wanted.insert(place, (earlier.rule_version_id, earlier.period));
        }
    }
    let own = (backtest.rule_version_id, backtest.period);
    wanted.insert((backtest.commission_rule_id, days), own);
    let mut versions = Vec::with_capacity(wanted.len());
    for (id, period) in wanted.into_values() {
        let version = commission_rules::find_version(tx, ctx, id)?;
        versions.extend(version.map(|version| (version, period)));
    }
    Ok(versions)
}

/// What comes of what was found: of a recalculation the differences, less what was proposed for the same period before.
pub fn proposals(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    backtest: &Backtest,
    found: &Gathering,
) -> Result<Vec<NewAdjustment>, Problem> {
    let Some(recalculation) = &backtest.recalculation else {
        return Ok(Vec::new());
    };
    let days = (backtest.from_on, backtest.until_on);
    let same = others(tx, ctx, backtest)?.into_iter();
    let earlier: Vec<BacktestId> = same
        .filter(|other| other.earlier.days == days)
        .map(|other| other.earlier.id)
        .collect();
    let mut differences = found.differences().map_err(Problem::damaged)?;
    for Proposed {
        partner_id, amount, ..
    } in adjustments::proposed(tx, ctx, Proposer::Recalculations(&earlier))?
    {
        let currency = amount.currency();
        let difference = differences
            .entry((partner_id, currency))
            .or_insert(Total::zero(currency));
        *difference = difference.checked_sub(amount).map_err(Problem::damaged)?;
    }
    let new = |partner_id: PartnerId, amount: Money| NewAdjustment {
        external_id: None,
        partner_id,
        program_id: backtest.program_id,
        commission_id: None,
        deal_id: None,
        backtest_id: Some(backtest.id),
        attribution_id: None,
        dispute_id: None,
        reason_code: AdjustmentReason::Correction,
        reason: recalculation.reason.clone(),
        amount,
    };
    let amounts = differences.into_iter().flat_map(|((partner_id, _), difference)| {
        let amounts = difference.amounts().into_iter();
        amounts.map(move |amount| (partner_id, amount))
    });
    Ok(amounts
        .map(|(partner_id, amount)| new(partner_id, amount))
        .collect())
}

/// Proposes them in the name of whoever asked.
pub fn propose(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    backtest: &Backtest,
    proposals: Vec<NewAdjustment>,
) -> Result<(), Problem> {
    let Some(recalculation) = &backtest.recalculation else {
        return Ok(());
    };
    let author = backtest
        .created_by
        .ok_or_else(|| Problem::damaged("a recalculation lacks its author"))?;
    adjustments::propose_for(tx, ctx, proposals, author, &recalculation.secret_makers)?;
    Ok(())
}

/// An earlier recalculation that still counts.
struct Other {
    earlier: EarlierRecalculation,
    /// Whether something that it proposed stands.
    pays: bool,
}

/// The earlier recalculations of the program, the first first, but those whose proposals were all refused or withdrawn: they
/// were given up. One that found no difference counts: its version came to what was paid.
fn others(tx: &mut Tx<'_>, ctx: &Ctx, backtest: &Backtest) -> Result<Vec<Other>, Problem> {
    let earlier = backtests::recalculations_besides(tx, ctx, backtest)?;
    let ids: Vec<BacktestId> = earlier.iter().map(|earlier| earlier.id).collect();
    let fates = adjustments::fates(tx, ctx, &ids)?;
    let others = earlier
        .into_iter()
        .map(|earlier| (fates.get(&earlier.id).copied(), earlier));
    Ok(others
        .filter(|(fate, _)| *fate != Some(false))
        .map(|(fate, earlier)| Other {
            earlier,
            pays: fate.is_some(),
        })
        .collect())
}

fn meets(other: &EarlierRecalculation, backtest: &Backtest) -> bool {
    other.days.0 < backtest.until_on && other.days.1 > backtest.from_on
}
