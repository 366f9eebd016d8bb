//! Exchange rates on the wire.

use super::domain::{Asked, DECIMALS, ExchangeRate, MAX_AGE_DAYS, NewRate};
use super::store::RateFilter;
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::exchange::{Direction, Exchange, Leg, RateSource};
use crate::kernel::id::ExchangeRateId;
use crate::kernel::money::plain_decimal;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::Fields;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A rate that somebody enters.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ExchangeRateCreate, examples(json!({"base": "EUR", "quote": "USD", "valid_on": "2026-03-02", "rate": "1.1172"})))]
#[serde(deny_unknown_fields)]
pub struct NewRateBody {
    /// One of this currency, ISO 4217.
    #[schema(min_length = 3, max_length = 3, pattern = "^[A-Z]{3}$", example = "EUR")]
    pub base: String,
    /// Is so much of this one, ISO 4217.
    #[schema(min_length = 3, max_length = 3, pattern = "^[A-Z]{3}$", example = "USD")]
    pub quote: String,
    /// The day of the rate.
    pub valid_on: NaiveDate,
    /// How much of the quote currency there is for one of the base currency: above zero, with at most ten decimals.
    #[schema(
        max_length = 20,
        pattern = r"^(0|[1-9][0-9]{0,7})(\.[0-9]{1,10})?$",
        example = "1.1172"
    )]
    pub rate: String,
    /// Why it corrects the rate that was entered for this pair and day before; only where one was.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Two digits were swapped."
    )]
    pub reason: Option<String>,
}

impl NewRateBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> Result<NewRate, Problem> {
        let mut fields = Fields::new();
        let base = fields.currency("/base", &self.base);
        let quote = fields.currency("/quote", &self.quote);
        let differ = self.base != self.quote;
        fields.require(
            differ,
            "/quote",
            "same_currency",
            "The two currencies are the same.",
        );
        let rate = rate(&self.rate);
        let message = "The rate is above zero and has at most ten decimals.";
        fields.require(rate.is_some(), "/rate", "out_of_range", message);
        let new = base.zip(quote).zip(rate).map(|((base, quote), rate)| NewRate {
            base,
            quote,
            valid_on: self.valid_on,
            rate,
            reason: self.reason.clone(),
        });
        fields.finish(new)
    }
}

/// A rate as text, if it is one.
fn rate(text: &str) -> Option<Decimal> {
    let rate = plain_decimal(text)?.normalize();
    (rate > Decimal::ZERO && rate.scale() <= DECIMALS).then_some(rate)
}

/// A rate of exchange of a day. It never changes; a correction is a further rate.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ExchangeRate, examples(json!({"id": "fxr_01j9zq4y8k7m5n3p2r1s0t6v4w", "base": "EUR", "quote": "USD", "valid_on": "2026-03-02", "rate": "1.1172", "source": "ecb", "supersedes_id": null, "superseded_by_id": null, "reason": null, "created_by": "key_01j9zq4y8k7m5n3p2r1s0t6v4w", "created_at": "2026-03-02T15:30:00Z"})))]
pub struct RateView {
    /// Its id.
    pub id: ExchangeRateId,
    /// One of this currency.
    #[schema(max_length = 3, pattern = "^[A-Z]{3}$", example = "EUR")]
    pub base: String,
    /// Is so much of this one.
    #[schema(max_length = 3, pattern = "^[A-Z]{3}$", example = "USD")]
    pub quote: String,
    /// The day of the rate.
    pub valid_on: NaiveDate,
    /// How much of the quote currency there is for one of the base currency.
    #[schema(max_length = 20, pattern = r"^[0-9]+(\.[0-9]+)?$", example = "1.1172")]
    pub rate: String,
    /// Where it comes from. Of one day, `manual` goes before `ecb`.
    pub source: RateSource,
    /// The rate that it corrects.
    #[schema(required)]
    pub supersedes_id: Option<ExchangeRateId>,
    /// The rate that corrects it; it counts no more.
    #[schema(required)]
    pub superseded_by_id: Option<ExchangeRateId>,
    /// Why it corrects that.
    #[schema(required, max_length = 1000)]
    pub reason: Option<String>,
    /// Who entered it, or imported it.
    #[schema(required)]
    pub created_by: Option<ActorId>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
}

impl From<ExchangeRate> for RateView {
    fn from(rate: ExchangeRate) -> Self {
        Self {
            id: rate.id,
            base: rate.base,
            quote: rate.quote,
            valid_on: rate.valid_on,
            rate: rate.rate.to_string(),
            source: rate.source,
            supersedes_id: rate.supersedes_id,
            superseded_by_id: rate.superseded_by_id,
            reason: rate.reason,
            created_by: rate.created_by,
            created_at: rate.created_at,
        }
    }
}

page_of!(ExchangeRatePage, RateView, "exchange rates");

/// What a list of rates is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RatesQuery {
    /// Only rates for one of this currency.
    #[param(max_length = 3, pattern = "^[A-Z]{3}$")]
    pub base: Option<String>,
    /// Only rates in so much of this currency.
    #[param(max_length = 3, pattern = "^[A-Z]{3}$")]
    pub quote: Option<String>,
    /// Only rates of this day.
    pub valid_on: Option<NaiveDate>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl RatesQuery {
    /// The page that is asked for.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> RateFilter {
        RateFilter {
            base: self.base.clone(),
            quote: self.quote.clone(),
            valid_on: self.valid_on,
        }
    }
}

/// The rate that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RatePath {
    /// The exchange rate.
    pub exchange_rate_id: ExchangeRateId,
}

/// Which exchange is looked up.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LookupQuery {
    /// From this currency, ISO 4217.
    #[param(max_length = 3, pattern = "^[A-Z]{3}$", example = "USD")]
    pub from: String,
    /// To this one, ISO 4217.
    #[param(max_length = 3, pattern = "^[A-Z]{3}$", example = "GBP")]
    pub to: String,
    /// On this day.
    #[param(example = "2026-03-02")]
    pub on: NaiveDate,
    /// How many days old a rate may be. Money is exchanged by the default.
    #[param(minimum = 0, maximum = 366, default = 7)]
    pub max_age_days: Option<i32>,
}

impl LookupQuery {
    /// The question.
    pub fn asked(&self) -> Result<Asked, Problem> {
        let mut fields = Fields::new();
        let from = fields.currency("?from", &self.from);
        let to = fields.currency("?to", &self.to);
        let differ = self.from != self.to;
        fields.require(differ, "?to", "same_currency", "The two currencies are the same.");
        fields.finish(from.zip(to).map(|(from, to)| Asked {
            from,
            to,
            on: self.on,
        }))
    }

    /// How old a rate may be.
    pub fn max_age(&self) -> i32 {
        self.max_age_days.unwrap_or(MAX_AGE_DAYS)
    }
}

/// The exchange that holds between two currencies on a day.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ExchangeRateLookup, examples(json!({"from": "USD", "to": "GBP", "on": "2026-03-02", "direction": "cross", "legs": [{"exchange_rate_id": "fxr_01j9zq4y8k7m5n3p2r1s0t6v4w", "base": "EUR", "quote": "USD", "rate": "1.1172", "valid_on": "2026-03-02", "source": "ecb"}, {"exchange_rate_id": "fxr_01j9zq4y8k7m5n3p2r1s0t6v4x", "base": "EUR", "quote": "GBP", "rate": "0.8338", "valid_on": "2026-03-02", "source": "ecb"}]})))]
pub struct LookupView {
    /// From this currency.
    #[schema(max_length = 3, pattern = "^[A-Z]{3}$", example = "USD")]
    pub from: String,
    /// To this one.
    #[schema(max_length = 3, pattern = "^[A-Z]{3}$", example = "GBP")]
    pub to: String,
    /// On this day.
    pub on: NaiveDate,
    /// `direct`: multiplied by one rate; `inverse`: divided by one; `cross`: by two, by way of the euro.
    pub direction: Direction,
    /// The rates, in the order in which they are gone through.
    #[schema(max_items = 2)]
    pub legs: Vec<LegView>,
}

/// A rate that an exchange goes through.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ExchangeLeg)]
pub struct LegView {
    /// The rate.
    pub exchange_rate_id: ExchangeRateId,
    /// One of this currency.
    #[schema(max_length = 3, pattern = "^[A-Z]{3}$", example = "EUR")]
    pub base: String,
    /// Is so much of this one.
    #[schema(max_length = 3, pattern = "^[A-Z]{3}$", example = "USD")]
    pub quote: String,
    /// How much.
    #[schema(max_length = 20, pattern = r"^[0-9]+(\.[0-9]+)?$", example = "1.1172")]
    pub rate: String,
    /// The day of the rate.
    pub valid_on: NaiveDate,
    /// Where it comes from.
    pub source: RateSource,
}

impl LookupView {
    /// The exchange that was found for a day.
    pub fn new(on: NaiveDate, exchange: &Exchange) -> Self {
        Self {
            from: exchange.from.code().to_owned(),
            to: exchange.to.code().to_owned(),
            on,
            direction: exchange.direction(),
            legs: exchange.legs.iter().map(LegView::from).collect(),
        }
    }
}

impl From<&Leg> for LegView {
    fn from(leg: &Leg) -> Self {
        Self {
            exchange_rate_id: leg.exchange_rate_id,
            base: leg.base.code().to_owned(),
            quote: leg.quote.code().to_owned(),
            rate: leg.rate.normalize().to_string(),
            valid_on: leg.valid_on,
            source: leg.source,
        }
    }
}
