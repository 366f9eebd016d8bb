//! The operations on the ledger: it is read, never written, from outside.

use super::dto::{
    AccountTotalView, BalancePage, BalanceView, BalancesQuery, LedgerEntriesQuery, LedgerEntryPage,
    LedgerEntryPath, LedgerEntryView, TrialBalanceQuery, TrialBalanceView,
};
use super::service;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Filter, Granted, Reply, Target};
use actix_web::get;
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_ledger_entries)
        .service(get_ledger_entry)
        .service(list_balances)
        .service(get_trial_balance);
}

/// List ledger entries
///
/// The journal, a page at a time. A partner's own key sees its own entries alone.
#[utoipa::path(tag = "Ledger", operation_id = "listLedgerEntries", params(LedgerEntriesQuery),
    responses((status = 200, description = "One page of entries.", body = LedgerEntryPage)),
    extensions(("x-required-permission" = json!("ledger:read"))))]
#[get("/v1/ledger-entries")]
async fn list_ledger_entries(who: Granted<can::LedgerRead>, query: Filter<LedgerEntriesQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&LedgerEntryPage::from(page.map(LedgerEntryView::from)))
    })
    .await
}

/// Get a ledger entry
///
/// One entry of the journal. Entries never change.
#[utoipa::path(tag = "Ledger", operation_id = "getLedgerEntry", params(LedgerEntryPath),
    responses((status = 200, description = "The entry.", body = LedgerEntryView)),
    extensions(("x-required-permission" = json!("ledger:read")), ("x-unversioned" = json!(true))))]
#[get("/v1/ledger-entries/{ledger_entry_id}")]
async fn get_ledger_entry(who: Granted<can::LedgerRead>, target: Target<LedgerEntryPath>) -> Reply {
    who.read(move |tx, ctx| {
        let entry = service::get(tx, ctx, target.ledger_entry_id)?;
        Answer::ok(&LedgerEntryView::from(entry))
    })
    .await
}

/// List balances
///
/// Where partners stand, by program and currency, summed from the journal; now, or as it was known at an instant: a late
/// posting does not change an earlier answer. A partner's own key sees its own balances alone.
#[utoipa::path(tag = "Ledger", operation_id = "listBalances", params(BalancesQuery),
    responses((status = 200, description = "One page of balances.", body = BalancePage)),
    extensions(("x-required-permission" = json!("ledger:read"))))]
#[get("/v1/balances")]
async fn list_balances(who: Granted<can::LedgerRead>, query: Filter<BalancesQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::balances(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&BalancePage::from(page.map(BalanceView::from)))
    })
    .await
}

/// Get the trial balance
///
/// What every account was debited and credited, by currency; now, or as it was known at an instant. The balances of each
/// currency add up to zero.
#[utoipa::path(tag = "Ledger", operation_id = "getTrialBalance", params(TrialBalanceQuery),
    responses((status = 200, description = "The totals of all accounts.", body = TrialBalanceView)),
    extensions(("x-required-permission" = json!("ledger:read"))))]
#[get("/v1/trial-balance")]
async fn get_trial_balance(who: Granted<can::LedgerRead>, query: Filter<TrialBalanceQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let totals = service::trial_balance(tx, ctx, &query.filter())?;
        let accounts = totals.into_iter().map(AccountTotalView::try_from);
        Answer::ok(&TrialBalanceView {
            accounts: accounts.collect::<Result<_, _>>()?,
        })
    })
    .await
}
