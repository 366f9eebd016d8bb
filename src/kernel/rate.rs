//! Rates between nothing and the whole.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use thiserror::Error;

use crate::kernel::word::deserialize_text;

const DECIMALS: u32 = 6;
const MILLIONTHS: u32 = 1_000_000;

/// A share of an amount from 0 to 1 inclusive, with at most six decimals: `0.1250` is 12.5 percent.
///
/// Two rates of the same value are the same rate, however many zeros they were written with; the
/// text form always has at least four decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate {
    millionths: u32,
}

/// Why a value is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RateError {
    /// The text is not a plain decimal such as `0.1250`.
    #[error("expected a plain decimal such as 0.1250")]
    NotADecimal,
    /// The value is below 0 or above 1.
    #[error("expected a rate from 0 to 1")]
    OutOfRange,
    /// The value has more than six decimals.
    #[error("expected at most 6 decimals")]
    TooManyDecimals,
}

impl Rate {
    /// Nothing.
    pub const ZERO: Self = Self { millionths: 0 };
    /// The whole.
    pub const ONE: Self = Self {
        millionths: MILLIONTHS,
    };

    /// Takes a decimal as a rate.
    pub fn new(value: Decimal) -> Result<Self, RateError> {
        if value.is_sign_negative() && !value.is_zero() || value > Decimal::ONE {
            return Err(RateError::OutOfRange);
        }
        let mut value = value.normalize();
        if value.scale() > DECIMALS {
            return Err(RateError::TooManyDecimals);
        }
        value.rescale(DECIMALS);
        u32::try_from(value.mantissa())
            .map(|millionths| Self { millionths })
            .map_err(|_| RateError::OutOfRange)
    }

    /// The rate as a decimal with four to six decimals, without needless zeros after the fourth.
    pub fn decimal(self) -> Decimal {
        let (units, scale) = match self.millionths {
            millionths if millionths % 100 == 0 => (millionths / 100, 4),
            millionths if millionths % 10 == 0 => (millionths / 10, 5),
            millionths => (millionths, DECIMALS),
        };
        Decimal::new(i64::from(units), scale)
    }

    /// The rate in millionths, from 0 to 1,000,000.
    pub const fn millionths(self) -> u32 {
        self.millionths
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.decimal().fmt(formatter)
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        crate::kernel::money::plain_decimal(text)
            .ok_or(RateError::NotADecimal)
            .and_then(Self::new)
    }
}

impl serde::Serialize for Rate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Rate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_text(deserializer, "a rate")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rate_is_written_with_four_to_six_decimals() {
        for (given, written) in [
            ("0", "0.0000"),
            ("1", "1.0000"),
            ("1.000000000", "1.0000"),
            ("0.125", "0.1250"),
            ("0.12505", "0.12505"),
            ("0.000001", "0.000001"),
            ("0.9999990", "0.999999"),
        ] {
            assert_eq!(given.parse::<Rate>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn the_wire_form_is_a_string() {
        let rate: Rate = "0.125".parse().unwrap();
        assert_eq!(serde_json::to_string(&rate).unwrap(), "\"0.1250\"");
        assert_eq!(serde_json::from_str::<Rate>("\"0.1250\"").unwrap(), rate);
        assert!(serde_json::from_str::<Rate>("0.1250").is_err());
    }

    #[test]
    fn what_is_not_a_rate_is_refused() {
        for text in ["", ".5", "5.", "+0.5", " 0.5", "0,5", "1e-2", "0.5%", "NaN"] {
            assert_eq!(text.parse::<Rate>(), Err(RateError::NotADecimal), "{text}");
        }
        for text in ["-0.000001", "1.000001", "2", "-1"] {
            assert_eq!(text.parse::<Rate>(), Err(RateError::OutOfRange), "{text}");
        }
        assert_eq!("0.0000001".parse::<Rate>(), Err(RateError::TooManyDecimals));
    }

    proptest! {
        #[test]
        fn every_rate_reads_back_as_itself(millionths in 0u32..=MILLIONTHS) {
            let rate = Rate { millionths };
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
            prop_assert_eq!(Rate::new(rate.decimal()), Ok(rate));
        }
    }
}
