//! Exchange between two currencies: at which rates, in which direction, rounded once.
//!
//! Invariant: an amount is multiplied and divided as one fraction and rounded at its end, however many rates it goes through.
//! Invariant: there is no rate of one where none is known.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::kernel::id::ExchangeRateId;
use crate::kernel::money::{Currency, Money, MoneyError, Rounding, greatest_common_divisor};
use crate::kernel::word::word_enum;

word_enum! {
    /// Where a rate comes from.
    RateSource, "rate source" {
        /// The European Central Bank's reference rates.
        Ecb = "ecb",
        /// Somebody entered it.
        Manual = "manual",
    }
}

word_enum! {
    /// How known rates lead from one currency to the other.
    Direction, "direction" {
        /// One rate, multiplied by.
        Direct = "direct",
        /// One rate, divided by.
        Inverse = "inverse",
        /// Two rates, by way of a third currency.
        Cross = "cross",
    }
}

word_enum! {
    /// When what a partner earns is exchanged into the currency that it is paid in.
    FxPolicy, "exchange policy" {
        /// When it is earned, at the rate of the day on which the money came in.
        AtAccrual = "at_accrual",
        /// When a payout sets it aside, at the rate of the day of the run's cut-off.
        AtPayout = "at_payout",
    }
}

/// One rate that an exchange goes through: so much of `quote` for one of `base`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// The rate as it was recorded.
    pub exchange_rate_id: ExchangeRateId,
    /// One of this currency.
    pub base: Currency,
    /// Is so much of this one.
    pub quote: Currency,
    /// How much.
    #[serde(with = "rust_decimal::serde::str")]
    pub rate: Decimal,
    /// The day of the rate.
    pub valid_on: NaiveDate,
    /// Where it comes from.
    pub source: RateSource,
}

/// How one currency becomes another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// From this currency.
    pub from: Currency,
    /// To this one.
    pub to: Currency,
    /// By one rate, or by two one after the other.
    pub legs: Vec<Leg>,
}

/// Why there is no exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ExchangeError {
    /// The rates do not lead from the one currency to the other.
    #[error("the rates do not lead from the one currency to the other")]
    NoPath,
    /// The amount, or the result, is out of range or in another currency.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Exchange {
    /// The direction in which the rates are taken.
    pub fn direction(&self) -> Direction {
        match self.legs.as_slice() {
            [leg] if leg.base == self.from => Direction::Direct,
            [_] => Direction::Inverse,
            _ => Direction::Cross,
        }
    }

    /// The amount in the other currency, exact until it is rounded once.
    pub fn convert(&self, amount: Money, rounding: Rounding) -> Result<Money, ExchangeError> {
        if amount.currency() != self.from {
            return Err(MoneyError::CurrencyMismatch.into());
        }
        Ok(amount.exchanged(self.to, self.ratio()?, rounding)?)
    }

    /// What a part of a running sum comes to: the sum with it less the sum without it, each rounded once. So the parts
    /// of a sum that are exchanged at one rate add up to the sum's exchange.
    pub fn convert_part(
        &self,
        before: Money,
        part: Money,
        rounding: Rounding,
    ) -> Result<Money, ExchangeError> {
        let after = self.convert(before.checked_add(part)?, rounding)?;
        Ok(after.checked_sub(self.convert(before, rounding)?)?)
    }

    /// The arithmetic for an amount, as people write it: `100.00 USD / 1.1172`.
    pub fn expression(&self, amount: Money) -> String {
        let mut text = amount.to_string();
        let mut at = self.from;
        for leg in &self.legs {
            let (sign, next) = if leg.base == at {
                ('x', leg.quote)
            } else {
                ('/', leg.base)
            };
            text.push_str(&format!(" {sign} {}", leg.rate.normalize()));
            at = next;
        }
        text
    }

    /// The rates in words: `1 EUR = 1.1172 USD (ecb, 2026-10-30)`.
    pub fn rates_in_words(&self) -> String {
        let legs = self.legs.iter().map(|leg| {
            let (base, quote, rate) = (leg.base, leg.quote, leg.rate.normalize());
            format!("1 {base} = {rate} {quote} ({}, {})", leg.source, leg.valid_on)
        });
        legs.collect::<Vec<_>>().join(" and ")
    }

    /// So many of the other currency for so many of this one.
    fn ratio(&self) -> Result<(i128, i128), ExchangeError> {
        let (mut numerator, mut denominator, mut at) = (1i128, 1i128, self.from);
        for leg in &self.legs {
            let rate = leg.rate.normalize();
            if rate <= Decimal::ZERO {
                return Err(ExchangeError::NoPath);
            }
            let (whole, one) = (rate.mantissa(), 10i128.pow(rate.scale()));
            let (up, down, next) = match at {
                at if at == leg.base => (whole, one, leg.quote),
                at if at == leg.quote => (one, whole, leg.base),
                _ => return Err(ExchangeError::NoPath),
            };
            let by = |one: i128, factor: i128| one.checked_mul(factor).ok_or(MoneyError::OutOfRange);
            (numerator, denominator, at) = (by(numerator, up)?, by(denominator, down)?, next);
            let shared = greatest_common_divisor(numerator, denominator);
            (numerator, denominator) = (numerator / shared, denominator / shared);
        }
        if at == self.to && !self.legs.is_empty() {
            Ok((numerator, denominator))
        } else {
            Err(ExchangeError::NoPath)
        }
    }
}

/// The exchange of an earned line, from which its amount can be computed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineExchange {
    /// When it was exchanged, by policy.
    pub policy: FxPolicy,
    /// By which rates.
    pub exchange: Exchange,
    /// The day whose rate was asked for.
    pub on: NaiveDate,
    /// The rounding of the program.
    pub rounding: Rounding,
    /// What had been posted before for the line, component and partner, in the currency of the invoice.
    #[serde(with = "rust_decimal::serde::str")]
    pub before: Decimal,
    /// What the line earned, in the currency of the invoice.
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: Decimal,
    /// What that is in the currency that the partner is paid in.
    #[serde(with = "rust_decimal::serde::str")]
    pub result: Decimal,
}

impl LineExchange {
    /// Exchanges what a line earned; the sum that it is part of is rounded, so that parts add up to the whole.
    pub fn of(
        policy: FxPolicy,
        exchange: Exchange,
        on: NaiveDate,
        rounding: Rounding,
        (before, amount): (Money, Money),
    ) -> Result<Self, ExchangeError> {
        let result = exchange.convert_part(before, amount, rounding)?;
        Ok(Self {
            policy,
            exchange,
            on,
            rounding,
            before: before.amount(),
            amount: amount.amount(),
            result: result.amount(),
        })
    }

    /// The amount computed again, from everything but the stored result.
    pub fn recompute(&self) -> Result<Money, ExchangeError> {
        let money = |amount| Money::new(amount, self.exchange.from);
        self.exchange
            .convert_part(money(self.before)?, money(self.amount)?, self.rounding)
    }

    /// The result as it is stored.
    pub fn result(&self) -> Result<Money, ExchangeError> {
        Ok(Money::new(self.result, self.exchange.to)?)
    }

    /// The arithmetic, exact and before rounding.
    pub fn expression(&self) -> Result<String, ExchangeError> {
        let money = |amount| Money::new(amount, self.exchange.from);
        let (before, amount) = (money(self.before)?, money(self.amount)?);
        let whole = self.exchange.expression(before.checked_add(amount)?);
        if before.is_zero() {
            return Ok(whole);
        }
        Ok(format!("({whole}) - ({})", self.exchange.expression(before)))
    }

    /// Says in plain English how it was exchanged.
    pub fn sentence(&self) -> Result<String, ExchangeError> {
        let when = match self.policy {
            FxPolicy::AtAccrual => "when it was earned",
            FxPolicy::AtPayout => "when it was paid",
        };
        Ok(format!(
            "It was exchanged {when}, for {}, at {}: {} comes to {}.",
            self.on,
            self.exchange.rates_in_words(),
            self.expression()?,
            self.result()?
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::money::reference::{any_rounding, rounds_to};
    use proptest::prelude::*;
    use uuid::Uuid;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    fn money(amount: &str, code: &str) -> Money {
        Money::parse(amount, currency(code)).unwrap()
    }

    fn leg(base: &str, quote: &str, rate: Decimal) -> Leg {
        Leg {
            exchange_rate_id: ExchangeRateId::from_uuid(Uuid::nil()),
            base: currency(base),
            quote: currency(quote),
            rate,
            valid_on: NaiveDate::from_ymd_opt(2026, 10, 30).unwrap(),
            source: RateSource::Ecb,
        }
    }

    fn exchange(from: &str, to: &str, legs: &[(&str, &str, &str)]) -> Exchange {
        let legs = legs
            .iter()
            .map(|(base, quote, rate)| leg(base, quote, rate.parse().unwrap()));
        Exchange {
            from: currency(from),
            to: currency(to),
            legs: legs.collect(),
        }
    }

    fn converted(exchange: &Exchange, amount: &str) -> String {
        let amount = Money::parse(amount, exchange.from).unwrap();
        exchange.convert(amount, Rounding::HalfUp).unwrap().to_string()
    }

    #[test]
    fn a_rate_is_multiplied_by_divided_by_or_crossed() {
        let direct = exchange("EUR", "USD", &[("EUR", "USD", "1.1172")]);
        assert_eq!(direct.direction(), Direction::Direct);
        assert_eq!(converted(&direct, "100.00"), "111.72 USD");
        let inverse = exchange("USD", "EUR", &[("EUR", "USD", "1.1172")]);
        assert_eq!(inverse.direction(), Direction::Inverse);
        assert_eq!(converted(&inverse, "100.00"), "89.51 EUR");
        let legs = [("EUR", "USD", "1.1172"), ("EUR", "GBP", "0.8338")];
        let cross = exchange("USD", "GBP", &legs);
        assert_eq!(cross.direction(), Direction::Cross);
        // 100 / 1.1172 x 0.8338 = 74.6330110...; by way of rounded euros it would be 74.63 too.
        assert_eq!(converted(&cross, "100.00"), "74.63 GBP");
    }

    #[test]
    fn a_cross_rate_rounds_at_its_end_alone() {
        // 0.01 / 2 x 300 is 1.50; rounded on the way it would be 0.01 x 300 = 3.00.
        let legs = [("EUR", "USD", "2"), ("EUR", "GBP", "300")];
        assert_eq!(converted(&exchange("USD", "GBP", &legs), "0.01"), "1.50 GBP");
    }

    #[test]
    fn each_currency_has_its_own_decimals() {
        let yen = exchange("USD", "JPY", &[("USD", "JPY", "150.5")]);
        assert_eq!(converted(&yen, "0.01"), "2 JPY");
        assert_eq!(converted(&yen, "-0.01"), "-2 JPY");
        let dinar = exchange("JPY", "KWD", &[("KWD", "JPY", "490")]);
        assert_eq!(converted(&dinar, "1"), "0.002 KWD");
        let back = exchange("KWD", "USD", &[("KWD", "USD", "3.25")]);
        assert_eq!(converted(&back, "1.001"), "3.25 USD");
    }

    #[test]
    fn what_is_half_goes_as_the_rounding_says() {
        let half = exchange("EUR", "USD", &[("EUR", "USD", "0.5")]);
        for (amount, rounding, expected) in [
            ("0.01", Rounding::HalfUp, "0.01 USD"),
            ("-0.01", Rounding::HalfUp, "-0.01 USD"),
            ("0.01", Rounding::HalfEven, "0.00 USD"),
            ("0.03", Rounding::HalfEven, "0.02 USD"),
            ("0.03", Rounding::Down, "0.01 USD"),
            ("-0.03", Rounding::Down, "-0.01 USD"),
        ] {
            let got = half.convert(money(amount, "EUR"), rounding).unwrap();
            assert_eq!(got.to_string(), expected);
        }
    }

    #[test]
    fn what_leads_nowhere_is_no_exchange() {
        let wrong = exchange("EUR", "USD", &[("GBP", "USD", "1.3")]);
        let none = exchange("EUR", "USD", &[]);
        let half_way = exchange("USD", "GBP", &[("EUR", "USD", "1.1")]);
        for exchange in [wrong, none, half_way] {
            let amount = Money::zero(exchange.from);
            assert_eq!(
                exchange.convert(amount, Rounding::HalfUp),
                Err(ExchangeError::NoPath)
            );
        }
        let right = exchange("EUR", "USD", &[("EUR", "USD", "1.1")]);
        let other = right.convert(money("1.00", "USD"), Rounding::HalfUp);
        assert_eq!(other, Err(MoneyError::CurrencyMismatch.into()));
    }

    #[test]
    fn an_amount_that_fits_nowhere_is_an_error_and_never_wraps() {
        let steep = exchange("EUR", "JPY", &[("EUR", "JPY", "99999999.9999999999")]);
        let amount = money("999999999999999.99", "EUR");
        let got = steep.convert(amount, Rounding::HalfUp);
        assert_eq!(got, Err(MoneyError::OutOfRange.into()));
    }

    #[test]
    fn the_arithmetic_can_be_read() {
        let legs = [("EUR", "USD", "1.1172"), ("EUR", "GBP", "0.8338")];
        let cross = exchange("USD", "GBP", &legs);
        let text = cross.expression(money("100.00", "USD"));
        assert_eq!(text, "100.00 USD / 1.1172 x 0.8338");
        let words = cross.rates_in_words();
        assert_eq!(
            words,
            "1 EUR = 1.1172 USD (ecb, 2026-10-30) and 1 EUR = 0.8338 GBP (ecb, 2026-10-30)"
        );
    }

    fn any_exchange() -> impl Strategy<Value = Exchange> {
        let codes = prop::sample::subsequence(vec!["USD", "JPY", "KWD", "EUR", "GBP"], 3);
        let rate = || (1i64..10_000_000_000, 0u32..8).prop_map(|(digits, scale)| Decimal::new(digits, scale));
        (codes, rate(), rate(), 0u8..3).prop_map(|(codes, one, other, shape)| {
            let [from, to, way]: [&str; 3] = codes.try_into().unwrap();
            let legs = match shape {
                0 => vec![leg(from, to, one)],
                1 => vec![leg(to, from, one)],
                _ => vec![leg(way, from, one), leg(way, to, other)],
            };
            Exchange {
                from: currency(from),
                to: currency(to),
                legs,
            }
        })
    }

    proptest! {
        #[test]
        fn a_conversion_is_symmetric_in_sign(
            exchange in any_exchange(), rounding in any_rounding(), minor in -1_000_000_000i128..1_000_000_000,
        ) {
            let amount = Money::from_minor_units(minor, exchange.from).unwrap();
            if let Ok(there) = exchange.convert(amount, rounding) {
                let turned = exchange.convert(amount.checked_neg().unwrap(), rounding).unwrap();
                prop_assert_eq!(turned, there.checked_neg().unwrap());
            }
        }

        /// What the rounding makes of the exact quotient, which a rounding on the way would break.
        #[test]
        fn a_conversion_rounds_once(
            exchange in any_exchange(), rounding in any_rounding(), minor in 0i128..1_000_000,
        ) {
            let amount = Money::from_minor_units(minor, exchange.from).unwrap();
            if let Ok(there) = exchange.convert(amount, rounding) {
                let (numerator, denominator) = exchange.ratio().unwrap();
                let scaled = minor * numerator * 10i128.pow(exchange.to.exponent());
                let unit = denominator * 10i128.pow(exchange.from.exponent());
                prop_assert!(rounds_to(rounding, scaled, unit, there.minor_units()), "{there} of {scaled}/{unit}");
            }
        }

        /// Whatever the parts of a sum, at one rate they come to the exchange of the whole.
        #[test]
        fn parts_of_a_sum_come_to_the_whole(
            exchange in any_exchange(), rounding in any_rounding(), parts in prop::collection::vec(0i128..100_000, 1..8),
        ) {
            let zero = Money::zero(exchange.from);
            let (mut sum, mut posted) = (zero, Money::zero(exchange.to));
            for minor in parts {
                let part = Money::from_minor_units(minor, exchange.from).unwrap();
                let Ok(converted) = exchange.convert_part(sum, part, rounding) else { return Ok(()) };
                prop_assert!(!converted.is_negative());
                posted = posted.checked_add(converted).unwrap();
                sum = sum.checked_add(part).unwrap();
            }
            prop_assert_eq!(posted, exchange.convert(sum, rounding).unwrap());
        }

        #[test]
        fn an_exchange_reads_back_as_itself(exchange in any_exchange()) {
            let text = serde_json::to_string(&exchange).unwrap();
            prop_assert_eq!(serde_json::from_str::<Exchange>(&text).unwrap(), exchange);
        }
    }
}
