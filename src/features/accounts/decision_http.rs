//! The operations on pairs and merges of accounts.

use super::decision_domain::{Merge, Pair};
use super::decision_dto::{
    AccountMatchPage, AccountMergePage, DecisionBody, MergePath, MergeView, MergesQuery, NewMergeBody,
    PairPath, PairView, PairsQuery,
};
use super::decision_service;
use crate::flows::account_merged;
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, ReasonBody, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_account_matches)
        .service(get_account_match)
        .service(confirm_account_match)
        .service(reject_account_match)
        .service(list_account_merges)
        .service(create_account_merge)
        .service(get_account_merge)
        .service(undo_account_merge);
}

fn pair(pair: Pair) -> Result<Answer, Problem> {
    let version = pair.row_version;
    Answer::record(&PairView::from(pair), version)
}

fn merge(merge: Merge) -> Result<Answer, Problem> {
    let version = merge.row_version;
    Answer::record(&MergeView::from(merge), version)
}

/// List account matches
///
/// Pairs of accounts that may be one company, newest first, a page at a time. The worker suggests them soon after an
/// account was written, by hand or by an import.
#[utoipa::path(tag = "Account Matches", operation_id = "listAccountMatches", params(PairsQuery),
    responses((status = 200, description = "One page of account matches.", body = AccountMatchPage)),
    extensions(("x-required-permission" = json!("account_matches:read"))))]
#[get("/v1/account-matches")]
async fn list_account_matches(who: Granted<can::AccountMatchesRead>, query: Filter<PairsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = decision_service::list_pairs(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&AccountMatchPage::from(page.map(PairView::from)))
    })
    .await
}

/// Get an account match
///
/// One pair of accounts, with its version as `ETag`.
#[utoipa::path(tag = "Account Matches", operation_id = "getAccountMatch", params(PairPath),
    responses((status = 200, description = "The account match.", body = PairView)),
    extensions(("x-required-permission" = json!("account_matches:read"))))]
#[get("/v1/account-matches/{account_match_id}")]
async fn get_account_match(who: Granted<can::AccountMatchesRead>, target: Target<PairPath>) -> Reply {
    who.read(move |tx, ctx| pair(decision_service::get_pair(tx, ctx, target.account_match_id)?))
        .await
}

/// Confirm an account match
///
/// Says that the two accounts are one company: from now on whoever matches the one with certainty matches the other.
/// They stay two records until they are merged. Either may be thought over: suggested → confirmed | rejected;
/// confirmed → rejected; rejected → confirmed. `409` when it is `confirmed` already.
#[utoipa::path(tag = "Account Matches", operation_id = "confirmAccountMatch", params(PairPath),
    request_body = DecisionBody,
    responses((status = 200, description = "The confirmed account match.", body = PairView)),
    extensions(("x-required-permission" = json!("account_matches:decide"))))]
#[post("/v1/account-matches/{account_match_id}/confirm")]
async fn confirm_account_match(
    who: Granted<can::AccountMatchesDecide>,
    target: Target<PairPath>,
    command: Command<DecisionBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        pair(decision_service::confirm_pair(
            tx,
            ctx,
            target.account_match_id,
            &command.precondition,
            command.body.reason.clone(),
        )?)
    })
    .await
}

/// Reject an account match
///
/// Says that the two accounts are two companies: they are not suggested again, and whoever matches the one with
/// certainty is not shown the other. `409` when it is `rejected` already.
#[utoipa::path(tag = "Account Matches", operation_id = "rejectAccountMatch", params(PairPath),
    request_body = DecisionBody,
    responses((status = 200, description = "The rejected account match.", body = PairView)),
    extensions(("x-required-permission" = json!("account_matches:decide"))))]
#[post("/v1/account-matches/{account_match_id}/reject")]
async fn reject_account_match(
    who: Granted<can::AccountMatchesDecide>,
    target: Target<PairPath>,
    command: Command<DecisionBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        pair(decision_service::reject_pair(
            tx,
            ctx,
            target.account_match_id,
            &command.precondition,
            command.body.reason.clone(),
        )?)
    })
    .await
}

/// List account merges
///
/// Merges of accounts, newest first, a page at a time, also those that were undone.
#[utoipa::path(tag = "Account Merges", operation_id = "listAccountMerges", params(MergesQuery),
    responses((status = 200, description = "One page of account merges.", body = AccountMergePage)),
    extensions(("x-required-permission" = json!("account_matches:read"))))]
#[get("/v1/account-merges")]
async fn list_account_merges(who: Granted<can::AccountMatchesRead>, query: Filter<MergesQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = decision_service::list_merges(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&AccountMergePage::from(page.map(MergeView::from)))
    })
    .await
}

/// Merge two accounts
///
/// Has the survivor stand for both: the other account's deals, with their credits, invoices and commissions, its deal
/// registrations and their conflicts move to it, and the other's keys and whatever is written for it from now on lead
/// there. What moved is remembered row by row, so that the merge can be undone. `409` when either of them is merged into
/// another account already, or when live registrations of both meet in product family and time: the answer names two of
/// them, and nothing is changed until one of them ends.
#[utoipa::path(tag = "Account Merges", operation_id = "createAccountMerge", request_body = NewMergeBody,
    responses((status = 201, description = "The merge.", body = MergeView)),
    extensions(("x-required-permission" = json!("accounts:merge"))))]
#[post("/v1/account-merges")]
async fn create_account_merge(who: Granted<can::AccountsMerge>, command: Command<NewMergeBody>) -> Reply {
    who.write(command, |tx, ctx, command| {
        let body = &command.body;
        let made = account_merged::run(tx, ctx, body.account_id, body.survivor_id, body.reason.clone())?;
        let (id, version) = (made.id, made.row_version);
        Answer::created("account-merges", id, &MergeView::from(made), version)
    })
    .await
}

/// Get an account merge
///
/// One merge of accounts, with its version as `ETag`.
#[utoipa::path(tag = "Account Merges", operation_id = "getAccountMerge", params(MergePath),
    responses((status = 200, description = "The merge.", body = MergeView)),
    extensions(("x-required-permission" = json!("account_matches:read"))))]
#[get("/v1/account-merges/{account_merge_id}")]
async fn get_account_merge(who: Granted<can::AccountMatchesRead>, target: Target<MergePath>) -> Reply {
    who.read(move |tx, ctx| merge(decision_service::get_merge(tx, ctx, target.account_merge_id)?))
        .await
}

/// Undo an account merge
///
/// Makes the two accounts two again: exactly the records that the merge moved go back, as far as they are still the
/// survivor's; what came to the survivor since stays there. `merged → undone`, which is final; merge again instead.
/// `409` when it is undone already, or while the survivor is itself merged into another account: what was merged last
/// is undone first.
#[utoipa::path(tag = "Account Merges", operation_id = "undoAccountMerge", params(MergePath), request_body = ReasonBody,
    responses((status = 200, description = "The undone merge.", body = MergeView)),
    extensions(("x-required-permission" = json!("accounts:merge"))))]
#[post("/v1/account-merges/{account_merge_id}/undo")]
async fn undo_account_merge(
    who: Granted<can::AccountsMerge>,
    target: Target<MergePath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        merge(account_merged::undo(
            tx,
            ctx,
            target.account_merge_id,
            &command.precondition,
            command.body.reason.clone(),
        )?)
    })
    .await
}
