//! International bank account numbers.

use iban::{Iban as Checked, IbanLike, ParseIbanError};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Why a text is no account number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IbanError {
    /// The country has no such numbers, or none that are known here.
    #[error("no account numbers are known of this country")]
    UnknownCountry,
    /// The form is not that of the country, or a character is wrong.
    #[error("this is no IBAN; its check digits or its length are wrong")]
    Invalid,
}

/// An account number whose form and check digits (ISO 7064, modulo 97) are right. It prints masked.
#[derive(Clone, PartialEq, Eq)]
pub struct Iban(String);

impl Iban {
    /// The number without spaces; for the store and payment rails alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The country and the last four characters.
    pub fn masked(&self) -> String {
        let (country, rest) = self.0.split_at_checked(2).unwrap_or_default();
        format!("{country}{}", super::masked(rest))
    }
}

impl fmt::Debug for Iban {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.masked())
    }
}

impl FromStr for Iban {
    type Err = IbanError;

    fn from_str(text: &str) -> Result<Self, IbanError> {
        let compact: String = text.chars().filter(|letter| *letter != ' ').collect();
        match compact.parse::<Checked>() {
            Ok(checked) => Ok(Self(checked.electronic_str().to_owned())),
            Err(ParseIbanError::UnknownCountry(_)) => Err(IbanError::UnknownCountry),
            Err(_) => Err(IbanError::Invalid),
        }
    }
}
