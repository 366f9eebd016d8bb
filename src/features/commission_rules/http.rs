//! The operations on commission rules and their versions.

use super::diff_dto::{DifferencesQuery, DifferencesView};
use super::dto::{
    CommissionRulePage, CommissionRulePath, CommissionRuleView, CommissionRulesQuery, NewCommissionRuleBody,
    PatchCommissionRuleBody,
};
use super::version_dto::{
    CommissionRuleVersionPage, CommissionRuleVersionPath, CommissionRuleVersionView,
    CommissionRuleVersionsQuery, NewVersionBody, PatchVersionBody, RetireBody,
};
use super::{CommissionRule, CommissionRuleVersion, service};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, AsOf, Command, Filter, Granted, Nothing, Reply, Target};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_commission_rules)
        .service(create_commission_rule)
        .service(get_commission_rule)
        .service(update_commission_rule)
        .service(create_commission_rule_version)
        .service(list_commission_rule_versions)
        .service(get_commission_rule_version)
        .service(compare_commission_rule_versions)
        .service(update_commission_rule_version)
        .service(activate_commission_rule_version)
        .service(retire_commission_rule_version);
}

fn record(rule: CommissionRule) -> Result<Answer, Problem> {
    let version = rule.row_version;
    Answer::record(&CommissionRuleView::from(rule), version)
}

fn version_record(version: CommissionRuleVersion) -> Result<Answer, Problem> {
    let row_version = version.row_version;
    Answer::record(&CommissionRuleVersionView::from(version), row_version)
}

/// List commission rules
///
/// The rules of all programs, a page at a time. Their terms are in their versions.
#[utoipa::path(tag = "Commission Rules", operation_id = "listCommissionRules", params(CommissionRulesQuery),
    responses((status = 200, description = "One page of commission rules.", body = CommissionRulePage)),
    extensions(("x-required-permission" = json!("commission_rules:read"))))]
#[get("/v1/commission-rules")]
async fn list_commission_rules(
    who: Granted<can::CommissionRulesRead>,
    query: Filter<CommissionRulesQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&CommissionRulePage::from(page.map(CommissionRuleView::from)))
    })
    .await
}

/// Create a commission rule
///
/// Writes a rule for a program, with its terms as version 1 (`first_version_id`). The version is a draft and decides nothing
/// before it is activated.
#[utoipa::path(tag = "Commission Rules", operation_id = "createCommissionRule", request_body = NewCommissionRuleBody,
    responses((status = 201, description = "The new rule.", body = CommissionRuleView)),
    extensions(("x-required-permission" = json!("commission_rules:write"))))]
#[post("/v1/commission-rules")]
async fn create_commission_rule(
    who: Granted<can::CommissionRulesWrite>,
    command: Command<NewCommissionRuleBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        let rule = service::create(tx, ctx, command.body.terms()?)?;
        let (id, version) = (rule.id, rule.row_version);
        Answer::created("commission-rules", id, &CommissionRuleView::from(rule), version)
    })
    .await
}

/// Get a commission rule
///
/// One rule, with its version as `ETag`.
#[utoipa::path(tag = "Commission Rules", operation_id = "getCommissionRule", params(CommissionRulePath),
    responses((status = 200, description = "The rule.", body = CommissionRuleView)),
    extensions(("x-required-permission" = json!("commission_rules:read"))))]
#[get("/v1/commission-rules/{commission_rule_id}")]
async fn get_commission_rule(
    who: Granted<can::CommissionRulesRead>,
    target: Target<CommissionRulePath>,
) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.commission_rule_id)?))
        .await
}

/// Update a commission rule
///
/// Changes the fields that are sent, as a JSON merge patch. Terms change by a further version only.
#[utoipa::path(tag = "Commission Rules", operation_id = "updateCommissionRule", params(CommissionRulePath),
    request_body = PatchCommissionRuleBody,
    responses((status = 200, description = "The rule as it is now.", body = CommissionRuleView)),
    extensions(("x-required-permission" = json!("commission_rules:write"))))]
#[patch("/v1/commission-rules/{commission_rule_id}")]
async fn update_commission_rule(
    who: Granted<can::CommissionRulesWrite>,
    target: Target<CommissionRulePath>,
    command: Command<PatchCommissionRuleBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::update(
            tx,
            ctx,
            target.commission_rule_id,
            &command.precondition,
            command.body.patch(),
        )?)
    })
    .await
}

/// Create a rule version
///
/// Writes the next version of a rule, as a draft.
#[utoipa::path(tag = "Commission Rules", operation_id = "createCommissionRuleVersion", params(CommissionRulePath),
    request_body = NewVersionBody,
    responses((status = 201, description = "The new draft.", body = CommissionRuleVersionView)),
    extensions(("x-required-permission" = json!("commission_rules:write"))))]
#[post("/v1/commission-rules/{commission_rule_id}/versions")]
async fn create_commission_rule_version(
    who: Granted<can::CommissionRulesWrite>,
    target: Target<CommissionRulePath>,
    command: Command<NewVersionBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let terms = command.body.terms.terms()?;
        let version = service::create_version(tx, ctx, target.commission_rule_id, terms)?;
        let (id, row_version) = (version.id, version.row_version);
        let view = CommissionRuleVersionView::from(version);
        Answer::created("commission-rule-versions", id, &view, row_version)
    })
    .await
}

/// List rule versions
///
/// The versions of all rules, a page at a time.
#[utoipa::path(tag = "Commission Rules", operation_id = "listCommissionRuleVersions",
    params(CommissionRuleVersionsQuery),
    responses((status = 200, description = "One page of versions.", body = CommissionRuleVersionPage)),
    extensions(("x-required-permission" = json!("commission_rules:read"))))]
#[get("/v1/commission-rule-versions")]
async fn list_commission_rule_versions(
    who: Granted<can::CommissionRulesRead>,
    query: Filter<CommissionRuleVersionsQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list_versions(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&CommissionRuleVersionPage::from(
            page.map(CommissionRuleVersionView::from),
        ))
    })
    .await
}

/// Get a rule version
///
/// One version with its terms, also as a sentence; now, or as it was known at an instant: a draft with the terms that it
/// had then, a version without the end that it got later. `404` for what was not there yet.
#[utoipa::path(tag = "Commission Rules", operation_id = "getCommissionRuleVersion",
    params(CommissionRuleVersionPath, AsOf),
    responses((status = 200, description = "The version.", body = CommissionRuleVersionView)),
    extensions(("x-required-permission" = json!("commission_rules:read"))))]
#[get("/v1/commission-rule-versions/{commission_rule_version_id}")]
async fn get_commission_rule_version(
    who: Granted<can::CommissionRulesRead>,
    target: Target<CommissionRuleVersionPath>,
    query: Filter<AsOf>,
) -> Reply {
    let id = target.commission_rule_version_id;
    let Some(instant) = query.as_of else {
        return who
            .read(move |tx, ctx| version_record(service::get_version(tx, ctx, id)?))
            .await;
    };
    who.snapshot(move |tx, ctx| {
        let version = service::get_version_as_of(tx, ctx, id, instant)?;
        let row_version = version.row_version;
        AsOf::answer(&CommissionRuleVersionView::from(version), row_version, instant)
    })
    .await
}

/// Compare rule versions
///
/// What a version says otherwise than another one, field by field, and both as sentences. Without another one it is
/// compared with the version numbered before it; of a first version everything is new.
#[utoipa::path(tag = "Commission Rules", operation_id = "compareCommissionRuleVersions",
    params(CommissionRuleVersionPath, DifferencesQuery),
    responses((status = 200, description = "The differences.", body = DifferencesView)),
    extensions(("x-required-permission" = json!("commission_rules:read"))))]
#[get("/v1/commission-rule-versions/{commission_rule_version_id}/differences")]
async fn compare_commission_rule_versions(
    who: Granted<can::CommissionRulesRead>,
    target: Target<CommissionRuleVersionPath>,
    query: Filter<DifferencesQuery>,
) -> Reply {
    who.snapshot(move |tx, ctx| {
        let id = target.commission_rule_version_id;
        let (before, after) = service::compared(tx, ctx, id, query.compare_with)?;
        Answer::ok(&DifferencesView::new(before, after)?)
    })
    .await
}

/// Update a rule version
///
/// Gives a draft other terms. `409` when it is no draft any more: active terms never change.
#[utoipa::path(tag = "Commission Rules", operation_id = "updateCommissionRuleVersion",
    params(CommissionRuleVersionPath), request_body = PatchVersionBody,
    responses((status = 200, description = "The draft as it is now.", body = CommissionRuleVersionView)),
    extensions(("x-required-permission" = json!("commission_rules:write"))))]
#[patch("/v1/commission-rule-versions/{commission_rule_version_id}")]
async fn update_commission_rule_version(
    who: Granted<can::CommissionRulesWrite>,
    target: Target<CommissionRuleVersionPath>,
    command: Command<PatchVersionBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        version_record(service::update_version(
            tx,
            ctx,
            target.commission_rule_version_id,
            &command.precondition,
            command.body.terms.terms()?,
        )?)
    })
    .await
}

/// Activate a rule version
///
/// Puts a draft in force for its period; the version that had no end so far ends where this one begins. `409` when it
/// would change terms under which commissions were computed (`rule_backdated`), would apply beside another rule with
/// equal precedence (`rules_tie`), meets another version of its rule (`rule_versions_overlap`), leaves a time without one
/// (`rule_versions_gap`), or has retroactive tiers that pay less for more (`rule_tiers_fall`). Lines for which there was
/// no rule do not stand in the way, and stay as they are: money that came in before is not made up for.
#[utoipa::path(tag = "Commission Rules", operation_id = "activateCommissionRuleVersion",
    params(CommissionRuleVersionPath),
    responses((status = 200, description = "The active version.", body = CommissionRuleVersionView)),
    extensions(("x-required-permission" = json!("commission_rules:activate")),
        ("x-requires-if-match" = json!(true))))]
#[post("/v1/commission-rule-versions/{commission_rule_version_id}/activate")]
async fn activate_commission_rule_version(
    who: Granted<can::CommissionRulesActivate>,
    target: Target<CommissionRuleVersionPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        version_record(service::activate(
            tx,
            ctx,
            target.commission_rule_version_id,
            &command.precondition,
        )?)
    })
    .await
}

/// Retire a rule version
///
/// Ends an active version for good, now or at the instant given. It still decides what falls into its period. `409`
/// when a commission was already computed under it at or after that instant (`rule_backdated`).
#[utoipa::path(tag = "Commission Rules", operation_id = "retireCommissionRuleVersion",
    params(CommissionRuleVersionPath), request_body = RetireBody,
    responses((status = 200, description = "The retired version.", body = CommissionRuleVersionView)),
    extensions(("x-required-permission" = json!("commission_rules:activate")),
        ("x-requires-if-match" = json!(true))))]
#[post("/v1/commission-rule-versions/{commission_rule_version_id}/retire")]
async fn retire_commission_rule_version(
    who: Granted<can::CommissionRulesActivate>,
    target: Target<CommissionRuleVersionPath>,
    command: Command<RetireBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        version_record(service::retire(
            tx,
            ctx,
            target.commission_rule_version_id,
            &command.precondition,
            command.body.effective_to,
        )?)
    })
    .await
}
