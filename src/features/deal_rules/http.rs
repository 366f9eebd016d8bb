//! The operations on deal rules.

use super::dto::{DealRulesPath, DealRulesView, PatchDealRulesBody, QualificationSchema};
use super::{DealRules, service};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Granted, Reply, Target};
use actix_web::{get, patch};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_deal_rules)
        .service(update_deal_rules)
        .service(get_qualification_schema);
}

fn record(rules: DealRules) -> Result<Answer, Problem> {
    let version = rules.row_version;
    Answer::record(&DealRulesView::from(rules), version)
}

/// Get deal rules
///
/// What a program asks of referrals and deal registrations and what it promises for them, with their version as `ETag`.
/// A program has rules from the start: the defaults ask for nothing.
#[utoipa::path(tag = "Deal Rules", operation_id = "getDealRules", params(DealRulesPath),
    responses((status = 200, description = "The deal rules of the program.", body = DealRulesView)),
    extensions(("x-required-permission" = json!("programs:read"))))]
#[get("/v1/programs/{program_id}/deal-rules")]
async fn get_deal_rules(who: Granted<can::ProgramsRead>, target: Target<DealRulesPath>) -> Reply {
    who.read(move |tx, ctx| record(service::of(tx, ctx, target.program_id)?))
        .await
}

/// Update deal rules
///
/// Changes the rules that are sent, as a JSON merge patch; a list replaces the one before. They hold for what is
/// submitted from now on: what was submitted before keeps its deadlines and its protection. `422` names every rule that
/// contradicts another.
#[utoipa::path(tag = "Deal Rules", operation_id = "updateDealRules", params(DealRulesPath),
    request_body = PatchDealRulesBody,
    responses((status = 200, description = "The deal rules as they are now.", body = DealRulesView)),
    extensions(("x-required-permission" = json!("programs:write"))))]
#[patch("/v1/programs/{program_id}/deal-rules")]
async fn update_deal_rules(
    who: Granted<can::ProgramsWrite>,
    target: Target<DealRulesPath>,
    command: Command<PatchDealRulesBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::update(
            tx,
            ctx,
            target.program_id,
            &command.precondition,
            command.body.patch()?,
        )?)
    })
    .await
}

/// Get a qualification schema
///
/// What `qualification` of a referral or a deal registration in the program has to look like, as JSON Schema (draft
/// 2020-12): a frontend can draw the form from it. `x-position` is the order of the fields, `x-field-type` their type as
/// in the deal rules. What a submission must be is decided by the fields at the moment of its submission.
#[utoipa::path(tag = "Deal Rules", operation_id = "getQualificationSchema", params(DealRulesPath),
    responses((status = 200, description = "The schema of a qualification.", body = QualificationSchema)),
    extensions(("x-required-permission" = json!("programs:read"))))]
#[get("/v1/programs/{program_id}/qualification-schema")]
async fn get_qualification_schema(who: Granted<can::ProgramsRead>, target: Target<DealRulesPath>) -> Reply {
    who.read(move |tx, ctx| {
        let rules = service::of(tx, ctx, target.program_id)?;
        let version = rules.row_version;
        Answer::record(&QualificationSchema::of(&rules), version)
    })
    .await
}
