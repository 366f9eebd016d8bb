//! How much of a whole has happened: paid of an invoice, or refunded of a payment.

use super::explain::Step;
use crate::kernel::money::{Money, MoneyError, Rounding};

/// A part of a whole, never below nothing and never above the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fraction {
    Nothing,
    Part { of: Money, whole: Money },
    Whole,
}

impl Fraction {
    /// The fraction of a positive whole.
    fn of(part: Money, whole: Money) -> Result<Self, MoneyError> {
        if part.compare(whole)?.is_ge() {
            return Ok(Self::Whole);
        }
        Ok(if part.is_positive() {
            Self::Part { of: part, whole }
        } else {
            Self::Nothing
        })
    }

    /// How much of an invoice has been paid. More than the total earns no more than the total; an
    /// invoice of nothing has nothing left to wait for; one below nothing brings no money in.
    pub(super) fn paid(paid: Money, invoice_total: Money) -> Result<Self, MoneyError> {
        if invoice_total.is_zero() {
            return Ok(Self::Whole);
        }
        if invoice_total.is_negative() {
            return Ok(Self::Nothing);
        }
        Self::of(paid, invoice_total)
    }

    /// How much of a payment has been refunded.
    pub(super) fn refunded(refunded: Money, base: Money) -> Result<Self, MoneyError> {
        if base.is_zero() {
            return Err(MoneyError::DivisionByZero);
        }
        if base.is_negative() {
            return Err(MoneyError::OutOfRange);
        }
        Self::of(refunded, base)
    }

    /// The fraction of an amount, rounded once and exactly the amount for the whole.
    pub(super) fn apply(self, amount: Money, rounding: Rounding) -> Result<Money, MoneyError> {
        match self {
            Self::Nothing => Ok(Money::zero(amount.currency())),
            Self::Part { of, whole } => amount.portion(of, whole, rounding),
            Self::Whole => Ok(amount),
        }
    }

    pub(super) fn step(self, name: &'static str, amount: Money, result: Money) -> Step {
        let value = amount.amount();
        let expression = match self {
            Self::Nothing => format!("{value} x 0"),
            Self::Part { of, whole } => format!("{value} x {} / {}", of.amount(), whole.amount()),
            Self::Whole => format!("{value} x 1"),
        };
        Step::new(name, expression, result)
    }
}
