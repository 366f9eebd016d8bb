//! Sums of amounts.

use super::allocate::by_largest_remainder;
use super::{Currency, Money, MoneyError, Part, Rounding, minor_limit};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::fmt;

/// A sum of amounts in one currency. It may be wider than a single amount: many amounts near the limit of one still add
/// up. Nothing is posted or paid by it but the single amounts that it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// At the scale of the currency and never a negative zero.
    amount: Decimal,
    currency: Currency,
}

impl Total {
    /// Nothing, in the currency.
    pub fn zero(currency: Currency) -> Self {
        Money::zero(currency).into()
    }

    /// Rounds a sum to the currency's decimals.
    pub fn rounded(amount: Decimal, currency: Currency, rounding: Rounding) -> Self {
        let rounded = rounding.decimal(amount, currency.exponent());
        if rounded.is_zero() {
            return Self::zero(currency);
        }
        let mut scaled = rounded;
        scaled.rescale(currency.exponent());
        Self {
            amount: scaled,
            currency,
        }
    }

    /// A sum as Postgres worked it out, with zeros alone beyond the currency's decimals.
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let allowed = currency.exponent();
        if amount.normalize().scale() > allowed {
            return Err(MoneyError::TooManyDecimals { allowed, currency });
        }
        Ok(Self::rounded(amount, currency, Rounding::HalfUp))
    }

    /// What amounts come to in each of their currencies, by its code.
    pub fn by_currency(amounts: impl IntoIterator<Item = Money>) -> Result<Vec<Self>, MoneyError> {
        let mut totals: BTreeMap<&str, Self> = BTreeMap::new();
        for amount in amounts {
            let currency = amount.currency();
            let total = totals.entry(currency.code()).or_insert(Self::zero(currency));
            *total = total.checked_add(amount.into())?;
        }
        Ok(totals.into_values().collect())
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.amount.mantissa() == 0
    }

    /// Whether it is above nothing.
    pub const fn is_positive(self) -> bool {
        self.amount.mantissa() > 0
    }

    /// Whether it is below nothing.
    pub const fn is_negative(self) -> bool {
        self.amount.mantissa() < 0
    }

    /// Whether a single amount can be as large.
    pub fn is_an_amount(self) -> bool {
        Money::try_from(self).is_ok()
    }

    /// The same in single amounts, as few as can be: what is posted or proposed is none that is wider. Nothing is none.
    pub fn amounts(self) -> Vec<Money> {
        let largest = minor_limit(self.currency) - 1;
        let mut left = self.amount.mantissa();
        let mut amounts = Vec::new();
        while left != 0 {
            let part = left.clamp(-largest, largest);
            amounts.extend(Money::from_minor_units(part, self.currency));
            left -= part;
        }
        amounts
    }

    /// The same without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self {
            amount: self.amount.abs(),
            ..self
        }
    }

    /// Splits it as [`Money::allocate`] splits an amount.
    pub fn allocate(self, parts: &[Part], total_basis_points: u32) -> Result<Vec<Self>, MoneyError> {
        let amounts = by_largest_remainder(self.amount.mantissa(), parts, total_basis_points)?;
        let total = |minor_units| {
            let amount = Decimal::try_from_i128_with_scale(minor_units, self.currency.exponent())
                .map_err(|_| MoneyError::OutOfRange)?;
            Ok(Self { amount, ..self })
        };
        amounts.into_iter().map(total).collect()
    }

    /// The sum. Refuses two currencies, and more than 28 digits.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.with(other, Decimal::checked_add)
    }

    /// The difference. Refuses the same.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.with(other, Decimal::checked_sub)
    }

    /// The sum, with exactly the currency's decimals.
    pub const fn amount(self) -> Decimal {
        self.amount
    }

    /// The sum as text, with exactly the currency's decimals.
    pub fn amount_text(self) -> String {
        self.amount.to_string()
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    fn with(
        self,
        other: Self,
        operation: fn(Decimal, Decimal) -> Option<Decimal>,
    ) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let amount = operation(self.amount, other.amount).ok_or(MoneyError::OutOfRange)?;
        // Both are at the currency's scale already, so that nothing is rounded here.
        Ok(Self::rounded(amount, self.currency, Rounding::HalfUp))
    }
}

impl fmt::Display for Total {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.amount, self.currency)
    }
}

impl From<Money> for Total {
    fn from(money: Money) -> Self {
        Self {
            amount: money.amount(),
            currency: money.currency(),
        }
    }
}

impl TryFrom<Total> for Money {
    type Error = MoneyError;

    /// Refuses what no single amount can be.
    fn try_from(total: Total) -> Result<Self, MoneyError> {
        Self::new(total.amount, total.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn most() -> Money {
        Money::parse("999999999999999.99", Currency::USD).unwrap()
    }

    #[test]
    fn single_amounts_add_up_to_their_sum() {
        for (sum, amounts) in [
            ("0.00", &[][..]),
            ("-0.01", &["-0.01"]),
            ("999999999999999.99", &["999999999999999.99"]),
            ("1000000000000000.00", &["999999999999999.99", "0.01"]),
            (
                "-2500000000000000.00",
                &[
                    "-999999999999999.99",
                    "-999999999999999.99",
                    "-500000000000000.02",
                ],
            ),
        ] {
            let total = Total::new(sum.parse().unwrap(), Currency::USD).unwrap();
            let found: Vec<String> = total.amounts().into_iter().map(Money::amount_text).collect();
            assert_eq!(found, amounts, "{sum}");
        }
    }

    #[test]
    fn many_of_the_largest_amounts_add_up() {
        let mut sum = Total::zero(Currency::USD);
        for _ in 0..1_000 {
            sum = sum.checked_add(most().into()).unwrap();
        }
        assert_eq!(sum.amount_text(), "999999999999999990.00");
    }

    proptest! {
        #[test]
        fn what_is_added_and_taken_is_nothing(cents in proptest::collection::vec(-99_999_999_999_999_999_i128..=99_999_999_999_999_999, 0..50)) {
            let amounts = cents.iter().map(|cents| Money::from_minor_units(*cents, Currency::USD).unwrap());
            let amounts: Vec<Total> = amounts.map(Total::from).collect();
            let nothing = Total::zero(Currency::USD);
            let sum = amounts.iter().fold(nothing, |sum, one| sum.checked_add(*one).unwrap());
            let total: i128 = cents.iter().sum();
            prop_assert_eq!(sum, Total::rounded(Decimal::from_i128_with_scale(total, 2), Currency::USD, Rounding::HalfUp));
            let back = amounts.iter().fold(sum, |sum, one| sum.checked_sub(*one).unwrap());
            prop_assert_eq!(back, nothing);
            prop_assert_eq!(back.amount_text(), "0.00");
        }
    }

    #[test]
    fn two_currencies_do_not_add_up() {
        let (one, other) = (
            Total::zero(Currency::USD),
            Total::zero(Currency::from_code("EUR").unwrap()),
        );
        assert_eq!(one.checked_add(other), Err(MoneyError::CurrencyMismatch));
    }
}
