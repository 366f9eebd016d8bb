//! The verbs of a back-test.

use super::domain::{Backtest, BacktestError, EarlierRecalculation, Findings, Recalculation};
use super::store;
use crate::features::{commission_rules, programs};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{BacktestId, CommissionRuleId, CommissionRuleVersionId};
use crate::kernel::problem::Problem;
use crate::kernel::time::{Period, start_of_day};
use crate::platform::db::{Change, Subject, Tx};
use chrono::{DateTime, NaiveDate, Utc};

/// One back-test, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: BacktestId) -> Result<Backtest, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// Lets a question wait for a worker, once it is known that it can be answered.
pub fn queue(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    rule_id: CommissionRuleId,
    version_id: CommissionRuleVersionId,
    days: (NaiveDate, NaiveDate),
    recalculation: Option<Recalculation>,
) -> Result<Backtest, Problem> {
    let rule = commission_rules::get(tx, ctx, rule_id)?;
    let version = commission_rules::find_version(tx, ctx, version_id)?;
    let version = version
        .filter(|version| version.commission_rule_id == rule_id)
        .ok_or_else(|| {
            Problem::field(
                "/rule_version_id",
                "unknown_reference",
                "There is no such record.",
            )
        })?;
    if recalculation.is_some() && version.activated_at.is_none() {
        return Err(Problem::field(
            "/rule_version_id",
            "not_activated",
            "Nobody is owed anything by a draft. Activate the version first.",
        ));
    }
    let zone = programs::get(tx, ctx, rule.program_id)?.time_zone;
    let period = Period {
        from: start_of_day(days.0, zone),
        to: start_of_day(days.1, zone),
    };
    if recalculation.is_some() && period.to > ctx.now {
        return Err(Problem::field(
            "/until_on",
            "in_future",
            "Only a period that is over is recalculated.",
        ));
    }
    commission_rules::rules_assuming(tx, ctx, &[(version.clone(), period)])?;
    let backtest = Backtest::queue(&version, days, period, recalculation, ctx.responsible(), ctx.now);
    store::insert(tx, &ctx.scope, &backtest)?;
    tx.record(
        ctx,
        Change::created("backtest.created", subject(&backtest), &backtest),
    );
    Ok(backtest)
}

/// Says how far the worker is; nothing when another worker has it by now.
pub fn further(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &Backtest,
    lines: i64,
    leased_until: DateTime<Utc>,
) -> Result<Option<Backtest>, Problem> {
    let after = before.clone().further(lines, ctx.now);
    let kept = store::update(tx, &ctx.scope, before, &after, Some(leased_until))?;
    Ok(kept.then_some(after))
}

/// Lets go of a back-test, for another worker to begin anew.
pub fn put_down(tx: &mut Tx<'_>, ctx: &Ctx, before: &Backtest) -> Result<(), Problem> {
    let after = before.clone().further(0, ctx.now);
    store::update(tx, &ctx.scope, before, &after, None)?;
    Ok(())
}

/// The other recalculations of the program that have an outcome, the first first.
pub fn recalculations_besides(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    backtest: &Backtest,
) -> Result<Vec<EarlierRecalculation>, Problem> {
    store::recalculations_besides(tx, &ctx.scope, backtest)
}

/// Keeps what was found, and how many adjustments come of it, and says so, unless another worker has it by now.
pub fn succeed(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &Backtest,
    findings: Findings,
    proposals: usize,
) -> Result<bool, Problem> {
    let after = before.clone().succeeded(findings, proposals, ctx.now);
    end(tx, ctx, "backtest.succeeded", before, &after)
}

/// Keeps why nothing was found, unless another worker has it by now.
pub fn fail(tx: &mut Tx<'_>, ctx: &Ctx, before: &Backtest, error: BacktestError) -> Result<(), Problem> {
    let after = before.clone().failed(error, ctx.now);
    end(tx, ctx, "backtest.failed", before, &after)?;
    Ok(())
}

fn end(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    event: &'static str,
    before: &Backtest,
    after: &Backtest,
) -> Result<bool, Problem> {
    let kept = store::update(tx, &ctx.scope, before, after, None)?;
    if kept {
        tx.record(ctx, Change::updated(event, subject(after), before, after));
    }
    Ok(kept)
}

fn subject(backtest: &Backtest) -> Subject {
    Subject {
        kind: "backtest",
        id: backtest.id.uuid(),
    }
}
