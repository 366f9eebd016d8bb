//! Collects every invalid field of a body before refusing it.

use super::money::MoneyBody;
use crate::kernel::money::{Currency, Money, MoneyError};
use crate::kernel::problem::{FieldProblem, Problem};

/// The invalid fields found so far.
#[derive(Debug, Default)]
pub struct Fields {
    problems: Vec<FieldProblem>,
}

impl Fields {
    /// Nothing found yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes an invalid field.
    pub fn refuse(&mut self, pointer: impl Into<String>, code: &str, message: impl Into<String>) {
        self.problems.push(FieldProblem::new(pointer, code, message));
    }

    /// Notes an invalid field unless the condition holds.
    pub fn require(&mut self, holds: bool, pointer: &str, code: &str, message: &str) {
        if !holds {
            self.refuse(pointer, code, message);
        }
    }

    /// Keeps a good value and notes a bad one; the message is the error's own.
    pub fn keep<T, E: std::fmt::Display>(
        &mut self,
        pointer: &str,
        code: &str,
        value: Result<T, E>,
    ) -> Option<T> {
        value
            .map_err(|error| self.refuse(pointer, code, error.to_string()))
            .ok()
    }

    /// An amount of money at this pointer.
    pub fn money(&mut self, pointer: &str, body: &MoneyBody) -> Option<Money> {
        let currency = self.currency(&format!("{pointer}/currency"), &body.currency)?;
        match Money::parse(&body.amount, currency) {
            Ok(money) => Some(money),
            Err(error) => {
                self.refuse(format!("{pointer}/amount"), money_code(&error), error.to_string());
                None
            }
        }
    }

    /// A currency at this pointer.
    pub fn currency(&mut self, pointer: &str, code: &str) -> Option<Currency> {
        match Currency::from_code(code) {
            Ok(currency) => Some(currency),
            Err(error) => {
                self.refuse(pointer, "unknown_currency", error.to_string());
                None
            }
        }
    }

    /// The value when nothing was refused, otherwise every problem at once.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Problem> {
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => Err(Problem::fields(self.problems)),
        }
    }
}

/// The code of a field that is not good money.
pub fn money_code(error: &MoneyError) -> &'static str {
    match error {
        MoneyError::TooManyDecimals { .. } => "too_many_decimals",
        MoneyError::OutOfRange => "out_of_range",
        MoneyError::UnknownCurrency => "unknown_currency",
        _ => "invalid_amount",
    }
}
