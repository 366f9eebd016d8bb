//! The operations on accounts.

use super::dto::{AccountPage, AccountPath, AccountView, AccountsQuery, NewAccountBody, PatchAccountBody};
use super::match_dto::{CandidateBody, MatchesView};
use super::{Account, service};
use super::{decision_http, match_service};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Reply, Target};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    decision_http::routes(config);
    config
        .service(list_accounts)
        .service(create_account)
        .service(match_account)
        .service(get_account)
        .service(update_account);
}

fn record(account: Account) -> Result<Answer, Problem> {
    let version = account.row_version;
    Answer::record(&AccountView::from(account), version)
}

/// List accounts
///
/// The accounts that you may see, a page at a time. A partner's own caller sees the accounts of the deals that it sees.
#[utoipa::path(tag = "Accounts", operation_id = "listAccounts", params(AccountsQuery),
    responses((status = 200, description = "One page of accounts.", body = AccountPage)),
    extensions(("x-required-permission" = json!("accounts:read"))))]
#[get("/v1/accounts")]
async fn list_accounts(who: Granted<can::AccountsRead>, query: Filter<AccountsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&AccountPage::from(page.map(AccountView::from)))
    })
    .await
}

/// Create an account
///
/// Records an end customer company. `409` when the external id is taken.
#[utoipa::path(tag = "Accounts", operation_id = "createAccount", request_body = NewAccountBody,
    responses((status = 201, description = "The new account.", body = AccountView)),
    extensions(("x-required-permission" = json!("accounts:write"))))]
#[post("/v1/accounts")]
async fn create_account(who: Granted<can::AccountsWrite>, command: Command<NewAccountBody>) -> Reply {
    who.write(command, |tx, ctx, command| {
        let account = service::create(tx, ctx, command.body.terms())?;
        let (id, version) = (account.id, account.row_version);
        Answer::created("accounts", id, &AccountView::from(account), version)
    })
    .await
}

/// Match a company
///
/// Which accounts may be a company that you name by what you know of it: equal external ids, registrable domains and
/// names without legal forms, accents and punctuation decide, unless something else speaks against it; similar names
/// come with a score and its reasons for a person to decide. Changes nothing, and tells of no account that you may not
/// see.
#[utoipa::path(tag = "Accounts", operation_id = "matchAccount", request_body = CandidateBody,
    responses((status = 200, description = "The accounts that may be the company.", body = MatchesView)),
    extensions(("x-required-permission" = json!("accounts:read"))))]
#[post("/v1/accounts/match")]
async fn match_account(who: Granted<can::AccountsRead>, command: Command<CandidateBody>) -> Reply {
    let candidate = command.body.candidate()?;
    who.read(move |tx, ctx| {
        let matches = match_service::find_seen_match(tx, ctx, &candidate)?;
        Answer::ok(&MatchesView::from(matches))
    })
    .await
}

/// Get an account
///
/// One account, with its version as `ETag`.
#[utoipa::path(tag = "Accounts", operation_id = "getAccount", params(AccountPath),
    responses((status = 200, description = "The account.", body = AccountView)),
    extensions(("x-required-permission" = json!("accounts:read"))))]
#[get("/v1/accounts/{account_id}")]
async fn get_account(who: Granted<can::AccountsRead>, target: Target<AccountPath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.account_id)?))
        .await
}

/// Update an account
///
/// Changes the fields that are sent, as a JSON merge patch. Deals of the account stay as they are.
#[utoipa::path(tag = "Accounts", operation_id = "updateAccount", params(AccountPath), request_body = PatchAccountBody,
    responses((status = 200, description = "The account as it is now.", body = AccountView)),
    extensions(("x-required-permission" = json!("accounts:write"))))]
#[patch("/v1/accounts/{account_id}")]
async fn update_account(
    who: Granted<can::AccountsWrite>,
    target: Target<AccountPath>,
    command: Command<PatchAccountBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::update(
            tx,
            ctx,
            target.account_id,
            &command.precondition,
            command.body.patch(),
        )?)
    })
    .await
}
