//! Account numbers of banks, and where the single euro payments area is.

use iban::{Iban as Checked, IbanLike, ParseIbanError};
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The countries, by the first letters of their account numbers, whose banks take SEPA credit transfers.
pub const SEPA_COUNTRIES: &[&str] = &[
    "AD", "AL", "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GI", "GR",
    "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MC", "MD", "ME", "MK", "MT", "NL", "NO", "PL",
    "PT", "RO", "RS", "SE", "SI", "SK", "SM", "VA",
];

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

/// An account number whose form and check digits (ISO 7064, modulo 97) are right. It prints and serializes masked.
#[derive(Clone, PartialEq, Eq)]
pub struct Iban(String);

impl Iban {
    /// The number without spaces; for the store and payment rails alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether a SEPA credit transfer can go there or come from there.
    pub fn is_of_sepa(&self) -> bool {
        self.0
            .get(..2)
            .is_some_and(|country| SEPA_COUNTRIES.contains(&country))
    }

    /// The country and the last four characters.
    pub fn masked(&self) -> String {
        let (country, rest) = self.0.split_at_checked(2).unwrap_or_default();
        format!("{country}{}", masked(rest))
    }
}

impl fmt::Debug for Iban {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.masked())
    }
}

impl Serialize for Iban {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.masked())
    }
}

/// The last four characters of a text that is longer than twice as many. How long it is does not show.
pub fn masked(text: &str) -> String {
    let length = text.chars().count();
    let kept = if length > 8 { 4 } else { 0 };
    let end: String = text.chars().skip(length - kept).collect();
    format!("****{end}")
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
