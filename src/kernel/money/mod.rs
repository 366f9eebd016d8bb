//! Money: an exact decimal amount in one currency.
//!
//! Invariant: an amount never has more decimals than its currency and stays below 10^15 units.
//! Invariant: nothing rounds unless the caller names the rounding, and every rounding is symmetric
//! in sign.
//! Invariant: parts of an amount add up to it, and who is listed first does not matter.

mod allocate;
mod currency;
mod rounding;
#[cfg(test)]
mod tests;
mod total;

use std::fmt;

use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use thiserror::Error;

use crate::kernel::rate::Rate;

pub use allocate::Part;
pub use currency::Currency;
pub use rounding::Rounding;
#[cfg(test)]
pub use rounding::reference;
pub use total::Total;

/// Amounts of this many units or more are refused, in every currency.
pub const UNIT_LIMIT: i128 = 1_000_000_000_000_000;
const TEXT_LIMIT: usize = 32;

/// An amount in one currency.
///
/// The fields are private, so that every value that exists is within its currency's decimals and
/// within range. There is no order between amounts: amounts of two currencies have none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Always at the scale of the currency and never a negative zero.
    amount: Decimal,
    currency: Currency,
}

/// Why an amount could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// The amount has more decimals than its currency.
    #[error("{currency} has at most {allowed} decimals.")]
    TooManyDecimals {
        /// How many decimals the currency has.
        allowed: u32,
        /// The currency.
        currency: Currency,
    },
    /// The amount, or the result, is not below 10^15 units.
    #[error("the amount is out of range")]
    OutOfRange,
    /// Two amounts of different currencies met.
    #[error("the amounts are in different currencies")]
    CurrencyMismatch,
    /// The code is no ISO 4217 currency with a minor unit.
    #[error("Unknown currency: send an ISO 4217 code such as EUR.")]
    UnknownCurrency,
    /// The text is not a plain decimal such as `1250.00`.
    #[error("expected a plain decimal such as 1250.00")]
    NotADecimal,
    /// A portion of nothing was asked for.
    #[error("division by zero")]
    DivisionByZero,
    /// Two parts of an allocation have the same rank, so that a tie between them has no answer.
    #[error("two parts of the allocation have the same rank")]
    DuplicateRank,
    /// The parts of an allocation add up to more than the whole.
    #[error("the shares exceed the whole")]
    SharesExceedTotal,
}

impl Money {
    /// Takes an exact amount. Zeros beyond the currency's decimals are fine, other digits are refused.
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let allowed = currency.exponent();
        let normalized = amount.normalize();
        if normalized.scale() > allowed {
            return Err(MoneyError::TooManyDecimals { allowed, currency });
        }
        Self::from_scaled(normalized, currency)
    }

    /// Reads a plain decimal: an optional minus, digits, and at most one point with digits after it. More decimals than the
    /// currency has are refused even where they are nothing: `2.500` may be two and a half thousand where it was written.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let amount = plain_decimal(text).ok_or(MoneyError::NotADecimal)?;
        if amount.scale() > currency.exponent() {
            return Err(MoneyError::TooManyDecimals {
                allowed: currency.exponent(),
                currency,
            });
        }
        Self::new(amount, currency)
    }

    /// Rounds a decimal to the currency's decimals.
    pub fn rounded(amount: Decimal, currency: Currency, rounding: Rounding) -> Result<Self, MoneyError> {
        Self::from_scaled(rounding.decimal(amount, currency.exponent()), currency)
    }

    /// Nothing, in the currency.
    pub fn zero(currency: Currency) -> Self {
        Self {
            amount: Decimal::new(0, currency.exponent()),
            currency,
        }
    }

    /// Takes an amount in minor units: cents for USD, yen for JPY, fils for KWD.
    pub fn from_minor_units(minor_units: i128, currency: Currency) -> Result<Self, MoneyError> {
        if minor_units.unsigned_abs() >= minor_limit(currency).unsigned_abs() {
            return Err(MoneyError::OutOfRange);
        }
        let amount = Decimal::try_from_i128_with_scale(minor_units, currency.exponent())
            .map_err(|_| MoneyError::OutOfRange)?;
        Ok(Self { amount, currency })
    }

    /// The amount in minor units; its magnitude is below 10^19.
    pub const fn minor_units(self) -> i128 {
        self.amount.mantissa()
    }

    /// The amount, with exactly the currency's decimals.
    pub const fn amount(self) -> Decimal {
        self.amount
    }

    /// The amount as text, with exactly the currency's decimals: `1250.00`.
    pub fn amount_text(self) -> String {
        self.amount.to_string()
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether the amount is nothing.
    pub const fn is_zero(self) -> bool {
        self.minor_units() == 0
    }

    /// Whether the amount is above nothing.
    pub const fn is_positive(self) -> bool {
        self.minor_units() > 0
    }

    /// Whether the amount is below nothing.
    pub const fn is_negative(self) -> bool {
        self.minor_units() < 0
    }

    /// The amount without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self {
            amount: self.amount.abs(),
            currency: self.currency,
        }
    }

    /// The sum. Refuses two currencies and a result out of range.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        Self::from_minor_units(self.minor_units() + other.minor_units(), self.currency)
    }

    /// The difference. Refuses two currencies and a result out of range.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        Self::from_minor_units(self.minor_units() - other.minor_units(), self.currency)
    }

    /// The amount with its sign turned.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        Self::from_minor_units(-self.minor_units(), self.currency)
    }

    /// How the amount compares with another of the same currency.
    pub fn compare(self, other: Self) -> Result<std::cmp::Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor_units().cmp(&other.minor_units()))
    }

    /// The smaller of two amounts of one currency.
    pub fn min(self, other: Self) -> Result<Self, MoneyError> {
        Ok(if self.compare(other)?.is_le() { self } else { other })
    }

    /// The larger of two amounts of one currency.
    pub fn max(self, other: Self) -> Result<Self, MoneyError> {
        Ok(if self.compare(other)?.is_ge() { self } else { other })
    }

    /// This amount x numerator / denominator, exact until it is rounded once.
    ///
    /// The numerator and the denominator share a currency, which need not be this one.
    pub fn portion(self, numerator: Self, denominator: Self, rounding: Rounding) -> Result<Self, MoneyError> {
        numerator.same_currency(denominator)?;
        if denominator.is_zero() {
            return Err(MoneyError::DivisionByZero);
        }
        // Both factors are below 10^19, so that the product is below 10^38 and fits in an i128.
        let product = self.minor_units() * numerator.minor_units();
        Self::from_minor_units(
            rounding.quotient(product, denominator.minor_units()),
            self.currency,
        )
    }

    /// This amount x rate, exact until it is rounded once.
    pub fn at_rate(self, rate: Rate, rounding: Rounding) -> Result<Self, MoneyError> {
        let product = self.minor_units() * i128::from(rate.millionths());
        let whole = i128::from(Rate::ONE.millionths());
        Self::from_minor_units(rounding.quotient(product, whole), self.currency)
    }

    /// This amount in another currency, at so many units of that (`numerator`) for so many of this one (`denominator`),
    /// exact until it is rounded once. Neither may be zero or below.
    pub fn exchanged(
        self,
        to: Currency,
        (numerator, denominator): (i128, i128),
        rounding: Rounding,
    ) -> Result<Self, MoneyError> {
        if numerator <= 0 || denominator <= 0 {
            return Err(MoneyError::DivisionByZero);
        }
        // Minor units of both currencies are of different sizes; only the difference of their decimals counts.
        let (up, down) = (
            10i128.pow(to.exponent().saturating_sub(self.currency.exponent())),
            10i128.pow(self.currency.exponent().saturating_sub(to.exponent())),
        );
        let scale = |one: i128, by: i128| one.checked_mul(by).ok_or(MoneyError::OutOfRange);
        let (numerator, denominator) = (scale(numerator, up)?, scale(denominator, down)?);
        let shared = greatest_common_divisor(numerator, denominator);
        let (numerator, denominator) = (numerator / shared, denominator / shared);
        let shared = greatest_common_divisor(self.minor_units().abs(), denominator);
        let (minor_units, denominator) = (self.minor_units() / shared, denominator / shared);
        if denominator > i128::MAX / 4 {
            return Err(MoneyError::OutOfRange);
        }
        let product = scale(minor_units, numerator)?;
        Self::from_minor_units(rounding.quotient(product, denominator), to)
    }

    /// Splits the amount by largest remainder; the results stand in the order of the parts.
    ///
    /// What the parts leave of `total_basis_points` is a virtual party that takes part in the
    /// rounding, last in ties, and whose amount is given to nobody. Ties go to the lower `rank`, so
    /// that the order of the list never matters. A negative amount splits as its positive twin.
    pub fn allocate(self, parts: &[Part], total_basis_points: u32) -> Result<Vec<Self>, MoneyError> {
        allocate::by_largest_remainder(self.minor_units(), parts, total_basis_points)?
            .into_iter()
            .map(|minor_units| Self::from_minor_units(minor_units, self.currency))
            .collect()
    }

    fn from_scaled(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let exponent = currency.exponent();
        if amount.abs() >= Decimal::from_i128_with_scale(UNIT_LIMIT, 0) {
            return Err(MoneyError::OutOfRange);
        }
        let mut scaled = amount;
        scaled.rescale(exponent);
        Self::from_minor_units(scaled.mantissa(), currency)
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch)
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.amount, self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Money({self})")
    }
}

/// The wire's form, `{"amount": "1250.00", "currency": "USD"}`: what events and the audit trail are made of.
impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Money", 2)?;
        fields.serialize_field("amount", &self.amount_text())?;
        fields.serialize_field("currency", &self.currency)?;
        fields.end()
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Fields {
            amount: String,
            currency: Currency,
        }
        let Fields { amount, currency } = Fields::deserialize(deserializer)?;
        Self::parse(&amount, currency).map_err(D::Error::custom)
    }
}

/// Reads `-?digits(.digits)?` of at most 32 characters; anything else is no plain decimal.
pub(crate) fn plain_decimal(text: &str) -> Option<Decimal> {
    if text.len() > TEXT_LIMIT {
        return None;
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned
        .split_once('.')
        .map_or((unsigned, None), |(a, b)| (a, Some(b)));
    let only_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !only_digits(whole) || !fraction.is_none_or(only_digits) {
        return None;
    }
    Decimal::from_str_exact(text).ok()
}

/// The largest number that divides both; neither may be below zero, and the second one not zero.
pub(crate) const fn greatest_common_divisor(one: i128, other: i128) -> i128 {
    let (mut larger, mut smaller) = (one, other);
    while smaller != 0 {
        (larger, smaller) = (smaller, larger % smaller);
    }
    larger
}

fn minor_limit(currency: Currency) -> i128 {
    UNIT_LIMIT * 10i128.pow(currency.exponent())
}
