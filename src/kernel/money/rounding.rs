//! The two roundings that a program may choose.

use std::cmp::Ordering;

use rust_decimal::{Decimal, RoundingStrategy};

use crate::kernel::word::word_enum;

word_enum! {
    /// What happens to an amount exactly in the middle of two.
    Rounding, "rounding" {
        /// Away from zero, so that refunds round as payments did.
        HalfUp = "half_up",
        /// To the even neighbor.
        HalfEven = "half_even",
    }
}

impl Rounding {
    pub(super) fn decimal(self, value: Decimal, decimals: u32) -> Decimal {
        let strategy = match self {
            Self::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Self::HalfEven => RoundingStrategy::MidpointNearestEven,
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
        let up = match (remainder * 2).cmp(&divisor) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => self == Self::HalfUp || quotient % 2 == 1,
        };
        quotient + i128::from(up)
    }
}
