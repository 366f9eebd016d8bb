//! The roundings that a program may choose.

use std::cmp::Ordering;

use rust_decimal::{Decimal, RoundingStrategy};

use crate::kernel::word::word_enum;

word_enum! {
    /// What becomes of an amount between two units of its currency.
    Rounding, "rounding" {
        /// The nearer one; from the middle away from zero, so that refunds round as payments did.
        HalfUp = "half_up",
        /// The nearer one; from the middle the even one.
        HalfEven = "half_even",
        /// The one nearer to zero: a unit that is not full does not count, whatever the sign.
        Down = "down",
    }
}

impl Rounding {
    pub(super) fn decimal(self, value: Decimal, decimals: u32) -> Decimal {
        let strategy = match self {
            Self::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Self::HalfEven => RoundingStrategy::MidpointNearestEven,
            Self::Down => RoundingStrategy::ToZero,
        };
        value.round_dp_with_strategy(decimals, strategy)
    }

    /// The rounded quotient. Neither side may be the minimum of the type, nor the divisor zero; the
    /// divisor's magnitude may be at most a quarter of the type's range.
    pub(super) fn quotient(self, dividend: i128, divisor: i128) -> i128 {
        let magnitude = self.magnitude(dividend.abs(), divisor.abs());
        if (dividend < 0) == (divisor < 0) {
            magnitude
        } else {
            -magnitude
        }
    }

    fn magnitude(self, dividend: i128, divisor: i128) -> i128 {
        let (quotient, remainder) = (dividend / divisor, dividend % divisor);
        let up = match (self, (remainder * 2).cmp(&divisor)) {
            (Self::Down, _) | (_, Ordering::Less) => false,
            (_, Ordering::Greater) => true,
            (_, Ordering::Equal) => self == Self::HalfUp || quotient % 2 == 1,
        };
        quotient + i128::from(up)
    }
}

/// What tests know of roundings, said in another way than the roundings say it.
#[cfg(test)]
pub mod reference {
    use super::Rounding;
    use proptest::prelude::{Just, Strategy, prop_oneof};

    /// Any rounding.
    pub fn any_rounding() -> impl Strategy<Value = Rounding> {
        prop_oneof![
            Just(Rounding::HalfUp),
            Just(Rounding::HalfEven),
            Just(Rounding::Down)
        ]
    }

    /// Whether so many units are what the rounding makes of a quotient of two positive numbers, or of zero: by how far the
    /// units are off, without dividing.
    pub fn rounds_to(rounding: Rounding, dividend: i128, divisor: i128, units: i128) -> bool {
        let off = dividend - units * divisor;
        match rounding {
            Rounding::HalfUp => (-divisor..divisor).contains(&(off * 2)),
            Rounding::HalfEven => off.abs() * 2 < divisor || (off.abs() * 2 == divisor && units % 2 == 0),
            Rounding::Down => (0..divisor).contains(&off),
        }
    }
}
