//! Currencies that money can be counted in.

use std::fmt;
use std::str::FromStr;

use super::MoneyError;
use crate::kernel::word::deserialize_text;

/// An ISO 4217 currency with a minor unit.
///
/// Codes that are no money to pay with are refused: metals, units of account, `XXX` and test codes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: iso_currency::Currency,
    exponent: u8,
}

impl Currency {
    /// The United States dollar.
    pub const USD: Self = Self {
        code: iso_currency::Currency::USD,
        exponent: 2,
    };

    /// Finds a currency by its three upper-case letters.
    pub fn from_code(code: &str) -> Result<Self, MoneyError> {
        let code = iso_currency::Currency::from_code(code).ok_or(MoneyError::UnknownCurrency)?;
        if code.flags().contains(&iso_currency::Flag::Special) {
            return Err(MoneyError::UnknownCurrency);
        }
        let exponent = code.exponent().ok_or(MoneyError::UnknownCurrency)?;
        let exponent = u8::try_from(exponent).map_err(|_| MoneyError::UnknownCurrency)?;
        Ok(Self { code, exponent })
    }

    /// The three letters, for example `USD`.
    pub fn code(self) -> &'static str {
        self.code.code()
    }

    /// How many decimals an amount has: JPY 0, USD 2, KWD 3.
    pub const fn exponent(self) -> u32 {
        self.exponent as u32
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        Self::from_code(code)
    }
}

impl serde::Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> serde::Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_text(deserializer, "an ISO 4217 currency code")
    }
}
