//! The operations on back-tests.

use super::dto::{BacktestPath, BacktestView, BacktestedRulePath, NewBacktestBody, NewRecalculationBody};
use super::service;
use crate::flows::recalculation;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Command, Granted, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(create_backtest)
        .service(create_recalculation)
        .service(get_backtest);
}

/// Back-test a rule
///
/// Works out in the background what a version of the rule, a draft or any other, would have paid had it been in force in a
/// past period in the place of what the rule said then: follow it at `Location`. Whatever payments and credit notes of the
/// period earned is worked out again by the engine that pays, with the shares, the standing of the partners and the
/// refunds that there were; a deal that was won before the period keeps its terms where the program promises those of the
/// win. Nothing is changed by it. `409` `rules_tie` or `rule_tiers_fall` for what could not be activated either.
#[utoipa::path(tag = "Commission Rules", operation_id = "createBacktest", params(BacktestedRulePath),
    request_body = NewBacktestBody,
    responses((status = 202, description = "The back-test, waiting for a worker.", body = BacktestView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("commission_rules:write"))))]
#[post("/v1/commission-rules/{commission_rule_id}/backtest")]
async fn create_backtest(
    who: Granted<can::CommissionRulesWrite>,
    target: Target<BacktestedRulePath>,
    command: Command<NewBacktestBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (body, rule_id) = (&command.body, target.commission_rule_id);
        let backtest = service::queue(tx, ctx, rule_id, body.rule_version_id, body.days()?, None)?;
        Answer::accepted("backtests", backtest.id, &BacktestView::try_from(backtest)?)
    })
    .await
}

/// Recalculate a period
///
/// Back-tests a version of the rule that was activated over a past period, and proposes what it finds: one adjustment for
/// each partner and currency whose money would have been something else, to be approved by somebody else. Terms are never
/// backdated and nothing posted changes; this is how a new rate is paid for a time before it. Follow it at `Location` and
/// list its adjustments by `backtest_id`.
///
/// What an earlier recalculation of the same period proposed is off it, so that another one, such as after a refund,
/// proposes the rest only; and the versions by which other rules or other periods were recalculated are in force with
/// it. What people refused or withdrew altogether counts for nothing. Shares are those that count now: what a correction of
/// credit makes of what was earned is proposed by itself, and what the new rate makes of the corrected share is proposed
/// here, so that a recalculation after which credit was corrected is asked for again. A line that was exchanged when it was paid
/// out since is proposed anew in the partner's currency, and taken back in the other.
///
/// The period is over (`in_future`), and the same as that of another recalculation or apart from it: `409
/// recalculation_overlaps`, also for a period before one that was recalculated, where a rule counts on from the one to
/// the other. `409 recalculation_underway` while the program has one that has not ended. `409` `rules_tie` or
/// `rule_tiers_fall` for what could not be activated.
#[utoipa::path(tag = "Commission Rules", operation_id = "createRecalculation", params(BacktestedRulePath),
    request_body = NewRecalculationBody,
    responses((status = 202, description = "The recalculation, waiting for a worker.", body = BacktestView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("adjustments:write"))))]
#[post("/v1/commission-rules/{commission_rule_id}/recalculations")]
async fn create_recalculation(
    who: Granted<can::AdjustmentsWrite>,
    target: Target<BacktestedRulePath>,
    command: Command<NewRecalculationBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (body, rule_id) = (&command.body, target.commission_rule_id);
        let (version, reason) = ((rule_id, body.rule_version_id), body.reason.clone());
        let backtest = recalculation::ask(tx, ctx, version, body.days()?, reason)?;
        Answer::accepted("backtests", backtest.id, &BacktestView::try_from(backtest)?)
    })
    .await
}

/// Get a back-test
///
/// One back-test: where it stands and, once it has succeeded, what would have been paid beside what was, by currency and
/// by partner, and where the two differ most. What people gave or took by adjustments is in neither.
#[utoipa::path(tag = "Commission Rules", operation_id = "getBacktest", params(BacktestPath),
    responses((status = 200, description = "The back-test.", body = BacktestView)),
    extensions(("x-required-permission" = json!("commission_rules:read"))))]
#[get("/v1/backtests/{backtest_id}")]
async fn get_backtest(who: Granted<can::CommissionRulesRead>, target: Target<BacktestPath>) -> Reply {
    who.read(move |tx, ctx| {
        let backtest = service::get(tx, ctx, target.backtest_id)?;
        let version = backtest.row_version;
        Answer::record(&BacktestView::try_from(backtest)?, version)
    })
    .await
}
