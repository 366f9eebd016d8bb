//! What was given on disputed commissions, as these keep less or more since.

use crate::kernel::money::Money;
use rust_decimal::Decimal;

/// What a dispute gave on its commissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Award {
    /// How much.
    pub amount: Money,
    /// What the commissions had kept then.
    pub kept: Money,
    /// What they came to then, with what had been given on them before.
    pub computed: Money,
}

impl Award {
    /// What it is worth when the commissions keep this much, exact. It goes with them in proportion as money goes back, and
    /// what they keep beyond what they came to then is given already. None beyond the type.
    pub fn worth(&self, kept: Money) -> Option<Decimal> {
        let (amount, then, now) = (self.amount.amount(), self.kept.amount(), kept.amount());
        if now == then || !self.amount.is_positive() {
            Some(amount)
        } else if now > then {
            let already = (now - self.computed.amount().max(then)).max(Decimal::ZERO);
            Some((amount - already).max(Decimal::ZERO))
        } else if then.is_sign_positive() && !then.is_zero() {
            let left = now.max(Decimal::ZERO);
            amount.checked_mul(left)?.checked_div(then)
        } else {
            Some(amount)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::money::Currency;
    use proptest::prelude::*;

    fn money(cents: i64) -> Money {
        Money::from_minor_units(i128::from(cents), Currency::USD).unwrap()
    }

    fn award(amount: i64, kept: i64) -> Award {
        Award {
            amount: money(amount),
            kept: money(kept),
            computed: money(kept),
        }
    }

    #[test]
    fn it_goes_with_what_goes_back_and_is_given_once() {
        for (given, then, now, worth) in [
            (5_000, 10_000, 10_000, 5_000),
            (5_000, 10_000, 6_000, 3_000),
            (5_000, 10_000, 0, 0),
            (10_000, 0, 10_000, 0),
            (10_000, 0, 4_000, 6_000),
            (4_000, 6_000, 10_000, 0),
            (4_000, 6_000, 3_000, 2_000),
            (10_000, -10_000, -10_000, 10_000),
        ] {
            let worth_now = award(given, then).worth(money(now)).unwrap();
            assert_eq!(worth_now, money(worth).amount(), "{given} on {then}, now {now}");
        }
    }

    /// Two awards on the same: what comes in again is set off against the one, and then the other.
    #[test]
    fn what_was_given_before_is_given_back_first() {
        let second = Award {
            computed: money(400),
            ..award(600, 0)
        };
        for (now, worth) in [(0, 600), (400, 600), (500, 500), (1_000, 0)] {
            assert_eq!(second.worth(money(now)).unwrap(), money(worth).amount(), "{now}");
        }
        assert_eq!(award(400, 0).worth(money(500)).unwrap(), Decimal::ZERO);
    }

    proptest! {
        #[test]
        fn it_is_never_more_than_was_given_nor_below_nothing(
            given in 1i64..1_000_000, then in 0i64..1_000_000, now in 0i64..1_000_000,
        ) {
            let worth = award(given, then).worth(money(now)).unwrap();
            prop_assert!(worth >= Decimal::ZERO && worth <= money(given).amount());
            // Given and kept together are never more than before, or than what is kept.
            let together = worth + money(now).amount();
            prop_assert!(together <= money(given + then).amount().max(money(now).amount()));
        }
    }
}
