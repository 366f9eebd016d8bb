//! The operations on exchange rates.

use super::dto::{ExchangeRatePage, LookupQuery, LookupView, NewRateBody, RatePath, RateView, RatesQuery};
use super::service;
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Reply, Target};
use actix_web::{get, post};
use std::collections::HashSet;
use utoipa_actix_web::service_config::ServiceConfig;

/// The version of a record that never changes.
const ONLY_VERSION: i64 = 1;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_exchange_rates)
        .service(record_exchange_rate)
        .service(look_up_exchange_rate)
        .service(get_exchange_rate);
}

/// List exchange rates
///
/// The rates, newest first, a page at a time; those that were superseded, too.
#[utoipa::path(tag = "Exchange Rates", operation_id = "listExchangeRates", params(RatesQuery),
    responses((status = 200, description = "One page of rates.", body = ExchangeRatePage)),
    extensions(("x-required-permission" = json!("exchange_rates:read"))))]
#[get("/v1/exchange-rates")]
async fn list_exchange_rates(who: Granted<can::ExchangeRatesRead>, query: Filter<RatesQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&ExchangeRatePage::from(page.map(RateView::from)))
    })
    .await
}

/// Record an exchange rate
///
/// Enters a rate by hand, which goes before the ECB's of the same day. Rates never change: with a `reason` this one
/// supersedes what was entered for the pair and the day, and what was exchanged by that stays as it is. `409` when one
/// was entered and no reason is given. Whole histories of the ECB are imported: `POST /v1/imports`.
#[utoipa::path(tag = "Exchange Rates", operation_id = "recordExchangeRate", request_body = NewRateBody,
    responses((status = 201, description = "The new rate.", body = RateView)),
    extensions(("x-required-permission" = json!("exchange_rates:write"))))]
#[post("/v1/exchange-rates")]
async fn record_exchange_rate(who: Granted<can::ExchangeRatesWrite>, command: Command<NewRateBody>) -> Reply {
    who.write(command, |tx, ctx, command| {
        let rate = service::record(tx, ctx, command.body.terms()?)?;
        let id = rate.id;
        Answer::created("exchange-rates", id, &RateView::from(rate), ONLY_VERSION)
    })
    .await
}

/// Look up an exchange
///
/// How one currency becomes another on a day: by the latest rate of the pair on or before it that is not too old, in
/// whichever direction it was recorded; else by two rates by way of the euro. `422` with `no_rate` when no known rates
/// lead there: there is no rate of 1.
#[utoipa::path(tag = "Exchange Rates", operation_id = "lookUpExchangeRate", params(LookupQuery),
    responses((status = 200, description = "The exchange.", body = LookupView)),
    extensions(("x-required-permission" = json!("exchange_rates:read"))))]
#[get("/v1/exchange-rates/lookup")]
async fn look_up_exchange_rate(who: Granted<can::ExchangeRatesRead>, query: Filter<LookupQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let asked = query.asked()?;
        let found = service::rates_for(tx, ctx, &HashSet::from([asked]), query.max_age())?;
        let none = || Problem::field("?on", "no_rate", "No rate that is recent enough leads there.");
        let exchange = found.get(&asked).ok_or_else(none)?;
        Answer::ok(&LookupView::new(asked.on, exchange))
    })
    .await
}

/// Get an exchange rate
///
/// One rate.
#[utoipa::path(tag = "Exchange Rates", operation_id = "getExchangeRate", params(RatePath),
    responses((status = 200, description = "The rate.", body = RateView)),
    extensions(("x-required-permission" = json!("exchange_rates:read"))))]
#[get("/v1/exchange-rates/{exchange_rate_id}")]
async fn get_exchange_rate(who: Granted<can::ExchangeRatesRead>, target: Target<RatePath>) -> Reply {
    who.read(move |tx, ctx| {
        let rate = service::get(tx, ctx, target.exchange_rate_id)?;
        Answer::record(&RateView::from(rate), ONLY_VERSION)
    })
    .await
}
