//! What a rate is, and which of several holds.

use crate::kernel::ctx::ActorId;
use crate::kernel::exchange::{Exchange, Leg, RateSource};
use crate::kernel::id::ExchangeRateId;
use crate::kernel::money::Currency;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::HashMap;

/// How many days old a rate may be where money is exchanged: the longest gap that the ECB leaves at Easter or Christmas
/// is five days, and a week without a rate is a rate that somebody forgot.
pub const MAX_AGE_DAYS: i32 = 7;

/// The most decimals of a rate.
pub const DECIMALS: u32 = 10;

/// A rate of a day: so much of the quote currency for one of the base currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExchangeRate {
    /// Its id.
    pub id: ExchangeRateId,
    /// One of this currency. Currencies that are no more have rates, too.
    pub base: String,
    /// Is so much of this one.
    pub quote: String,
    /// The day.
    pub valid_on: NaiveDate,
    /// How much.
    pub rate: Decimal,
    /// Where it comes from.
    pub source: RateSource,
    /// The rate that it corrects.
    pub supersedes_id: Option<ExchangeRateId>,
    /// Why it corrects that.
    pub reason: Option<String>,
    /// The rate that corrects it.
    pub superseded_by_id: Option<ExchangeRateId>,
    /// Who entered it.
    pub created_by: Option<ActorId>,
    /// When it was entered.
    pub created_at: DateTime<Utc>,
}

/// A rate that somebody enters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRate {
    /// One of this currency.
    pub base: Currency,
    /// Is so much of this one.
    pub quote: Currency,
    /// The day.
    pub valid_on: NaiveDate,
    /// How much.
    pub rate: Decimal,
    /// Why it corrects what was entered before, where something was.
    pub reason: Option<String>,
}

/// A question for an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Asked {
    /// From this currency.
    pub from: Currency,
    /// To this one.
    pub to: Currency,
    /// On this day.
    pub on: NaiveDate,
}

/// The currency by way of which others are crossed: the ECB quotes all of them against it.
pub fn pivot() -> Option<Currency> {
    Currency::from_code("EUR").ok()
}

/// The pairs of which a rate may answer the question: the pair itself, and each of the two with the pivot.
pub fn pairs_of(asked: Asked) -> Vec<Asked> {
    let mut pairs = vec![asked];
    if let Some(pivot) = pivot().filter(|pivot| *pivot != asked.from && *pivot != asked.to) {
        pairs.push(Asked { to: pivot, ..asked });
        pairs.push(Asked { from: pivot, ..asked });
    }
    pairs
}

/// The exchange that known rates of pairs lead to: the pair's own rate, or else the two by way of the pivot.
pub fn exchange(asked: Asked, known: &HashMap<Asked, Leg>) -> Option<Exchange> {
    let of = |legs: Vec<Leg>| Exchange {
        from: asked.from,
        to: asked.to,
        legs,
    };
    if let Some(leg) = known.get(&asked) {
        return Some(of(vec![leg.clone()]));
    }
    let pivot = pivot()?;
    let first = known.get(&Asked { to: pivot, ..asked })?;
    let second = known.get(&Asked { from: pivot, ..asked })?;
    Some(of(vec![first.clone(), second.clone()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn asked(from: &str, to: &str) -> Asked {
        Asked {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            on: NaiveDate::from_ymd_opt(2026, 10, 30).unwrap(),
        }
    }

    fn leg(base: &str, quote: &str) -> Leg {
        Leg {
            exchange_rate_id: ExchangeRateId::from_uuid(Uuid::nil()),
            base: base.parse().unwrap(),
            quote: quote.parse().unwrap(),
            rate: Decimal::TWO,
            valid_on: NaiveDate::from_ymd_opt(2026, 10, 29).unwrap(),
            source: RateSource::Ecb,
        }
    }

    #[test]
    fn a_rate_of_the_pair_goes_before_a_crossing() {
        let question = asked("USD", "GBP");
        let mut known = HashMap::from([
            (asked("USD", "EUR"), leg("EUR", "USD")),
            (asked("EUR", "GBP"), leg("EUR", "GBP")),
        ]);
        let crossed = exchange(question, &known).unwrap();
        assert_eq!(crossed.legs, [leg("EUR", "USD"), leg("EUR", "GBP")]);
        known.insert(question, leg("GBP", "USD"));
        assert_eq!(exchange(question, &known).unwrap().legs, [leg("GBP", "USD")]);
    }

    #[test]
    fn one_half_of_a_crossing_is_none() {
        let known = HashMap::from([(asked("USD", "EUR"), leg("EUR", "USD"))]);
        assert_eq!(exchange(asked("USD", "GBP"), &known), None);
        assert_eq!(pairs_of(asked("USD", "EUR")), [asked("USD", "EUR")]);
        assert_eq!(pairs_of(asked("USD", "GBP")).len(), 3);
    }
}
