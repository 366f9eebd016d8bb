use proptest::prelude::*;

use super::reference::{any_rounding, rounds_to};
use super::*;

fn currency(code: &str) -> Currency {
    Currency::from_code(code).unwrap()
}

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn cents(minor_units: i128) -> Money {
    Money::from_minor_units(minor_units, Currency::USD).unwrap()
}

fn part(basis_points: u32, rank: i32) -> Part {
    Part { basis_points, rank }
}

#[test]
fn currencies_carry_their_decimals() {
    for (code, exponent) in [
        ("USD", 2),
        ("EUR", 2),
        ("JPY", 0),
        ("KWD", 3),
        ("CLF", 4),
        ("XOF", 0),
    ] {
        assert_eq!(currency(code).exponent(), exponent, "{code}");
        assert_eq!(currency(code).code(), code);
    }
    assert_eq!(currency("USD"), Currency::USD);
}

#[test]
fn codes_that_nobody_pays_with_are_refused() {
    for code in [
        "XAU", "XAG", "XXX", "XTS", "XDR", "XAD", "XBA", "usd", "US", "USDT", "", "ZZZ",
    ] {
        assert_eq!(
            Currency::from_code(code),
            Err(MoneyError::UnknownCurrency),
            "{code}"
        );
    }
}

#[test]
fn a_currency_travels_as_its_code() {
    assert_eq!(serde_json::to_string(&Currency::USD).unwrap(), "\"USD\"");
    assert_eq!(
        serde_json::from_str::<Currency>("\"KWD\"").unwrap(),
        currency("KWD")
    );
    assert!(serde_json::from_str::<Currency>("\"XAU\"").is_err());
}

#[test]
fn amounts_are_written_with_exactly_the_currency_decimals() {
    for (code, given, written) in [
        ("USD", "1250", "1250.00"),
        ("USD", "-0.5", "-0.50"),
        ("JPY", "7", "7"),
        ("KWD", "1.5", "1.500"),
        ("USD", "-0", "0.00"),
    ] {
        let money = Money::parse(given, currency(code)).unwrap();
        assert_eq!(money.amount_text(), written);
        assert_eq!(money.to_string(), format!("{written} {code}"));
    }
}

#[test]
fn too_many_decimals_are_refused() {
    assert_eq!(
        Money::parse("1.001", Currency::USD),
        Err(MoneyError::TooManyDecimals {
            allowed: 2,
            currency: Currency::USD
        })
    );
    assert_eq!(
        Money::parse("0.1", currency("JPY")),
        Err(MoneyError::TooManyDecimals {
            allowed: 0,
            currency: currency("JPY")
        })
    );
    assert_eq!(
        Money::parse("1.001", currency("KWD")).unwrap().minor_units(),
        1001
    );
    // Two and a half thousand, where it was written.
    assert_eq!(
        Money::parse("2.500", currency("EUR")),
        Err(MoneyError::TooManyDecimals {
            allowed: 2,
            currency: currency("EUR")
        })
    );
}

#[test]
fn only_plain_decimals_are_read() {
    for text in [
        "", "-", "+1", " 1", "1 ", "1e3", "1E3", ".5", "5.", "1_000", "1,000", "--1", "1.2.3", "0x10", "NaN",
        "१",
    ] {
        assert_eq!(
            Money::parse(text, Currency::USD),
            Err(MoneyError::NotADecimal),
            "{text}"
        );
    }
    assert_eq!(
        Money::parse(&"0".repeat(33), Currency::USD),
        Err(MoneyError::NotADecimal)
    );
    assert_eq!(
        Money::parse(&"0".repeat(32), Currency::USD),
        Ok(Money::zero(Currency::USD))
    );
}

#[test]
fn the_range_ends_below_a_quadrillion_units() {
    for code in ["USD", "JPY", "CLF"] {
        let currency = currency(code);
        assert_eq!(
            Money::parse("1000000000000000", currency),
            Err(MoneyError::OutOfRange)
        );
        assert_eq!(
            Money::parse("-1000000000000000", currency),
            Err(MoneyError::OutOfRange)
        );
        let largest = Money::parse("999999999999999", currency).unwrap();
        assert_eq!(largest.checked_add(largest), Err(MoneyError::OutOfRange));
        assert_eq!(
            largest.checked_neg().unwrap().checked_sub(largest),
            Err(MoneyError::OutOfRange)
        );
        assert_eq!(
            largest.portion(
                largest,
                Money::from_minor_units(1, currency).unwrap(),
                Rounding::HalfUp
            ),
            Err(MoneyError::OutOfRange)
        );
    }
    let limit = 10i128.pow(17);
    assert_eq!(
        Money::from_minor_units(limit, Currency::USD),
        Err(MoneyError::OutOfRange)
    );
    assert_eq!(
        Money::from_minor_units(-limit, Currency::USD),
        Err(MoneyError::OutOfRange)
    );
    assert_eq!(cents(limit - 1), usd("999999999999999.99"));
    assert_eq!(
        Money::from_minor_units(i128::MIN, Currency::USD),
        Err(MoneyError::OutOfRange)
    );
    assert_eq!(
        Money::new(Decimal::MAX, Currency::USD),
        Err(MoneyError::OutOfRange)
    );
    let just_below: Decimal = "999999999999999.995".parse().unwrap();
    assert_eq!(
        Money::rounded(just_below, Currency::USD, Rounding::HalfUp),
        Err(MoneyError::OutOfRange)
    );
}

#[test]
fn two_currencies_never_meet() {
    let (dollar, euro) = (usd("1"), Money::parse("1", currency("EUR")).unwrap());
    assert_eq!(dollar.checked_add(euro), Err(MoneyError::CurrencyMismatch));
    assert_eq!(dollar.checked_sub(euro), Err(MoneyError::CurrencyMismatch));
    assert_eq!(dollar.compare(euro), Err(MoneyError::CurrencyMismatch));
    assert_eq!(
        dollar.portion(dollar, euro, Rounding::HalfUp),
        Err(MoneyError::CurrencyMismatch)
    );
    assert_ne!(Money::zero(Currency::USD), Money::zero(currency("EUR")));
    assert_eq!(dollar.portion(euro, euro, Rounding::HalfUp), Ok(dollar));
}

/// Tells whether values of a type add up by an operator, and whether they have an order.
struct Has<T>(std::marker::PhantomData<T>);

impl<T: std::ops::Add> Has<T> {
    const SUMS: bool = true;
}

impl<T: PartialOrd> Has<T> {
    const ORDER: bool = true;
}

/// What is found where the type itself has nothing.
trait HasNot {
    const SUMS: bool = false;
    const ORDER: bool = false;
}

impl<T> HasNot for Has<T> {}

/// With operators, what is of two currencies would add up and compare, and only fail when it runs.
#[test]
fn amounts_have_no_operators() {
    assert_eq!((Has::<Decimal>::SUMS, Has::<Decimal>::ORDER), (true, true));
    assert_eq!((Has::<Money>::SUMS, Has::<Money>::ORDER), (false, false));
}

#[test]
fn halves_round_symmetrically() {
    for (value, half_up, half_even, down) in [
        ("0.005", "0.01", "0.00", "0.00"),
        ("0.015", "0.02", "0.02", "0.01"),
        ("0.025", "0.03", "0.02", "0.02"),
        ("0.0149", "0.01", "0.01", "0.01"),
        ("0.0199", "0.02", "0.02", "0.01"),
        ("0.02", "0.02", "0.02", "0.02"),
    ] {
        for (rounding, expected) in [
            (Rounding::HalfUp, half_up),
            (Rounding::HalfEven, half_even),
            (Rounding::Down, down),
        ] {
            let value: Decimal = value.parse().unwrap();
            assert_eq!(Money::rounded(value, Currency::USD, rounding), Ok(usd(expected)));
            assert_eq!(
                Money::rounded(-value, Currency::USD, rounding),
                usd(expected).checked_neg()
            );
        }
    }
}

#[test]
fn a_portion_of_nothing_is_refused() {
    assert_eq!(
        usd("1").portion(usd("1"), usd("0"), Rounding::HalfUp),
        Err(MoneyError::DivisionByZero)
    );
}

#[test]
fn a_rate_rounds_once() {
    let rate = |text: &str| text.parse::<Rate>().unwrap();
    assert_eq!(
        usd("0.01").at_rate(rate("0.5"), Rounding::HalfUp),
        Ok(usd("0.01"))
    );
    assert_eq!(
        usd("0.01").at_rate(rate("0.5"), Rounding::HalfEven),
        Ok(usd("0.00"))
    );
    assert_eq!(
        usd("5.00").at_rate(rate("0.029"), Rounding::HalfUp),
        Ok(usd("0.15"))
    );
    assert_eq!(
        usd("-5.00").at_rate(rate("0.029"), Rounding::HalfUp),
        Ok(usd("-0.15"))
    );
    assert_eq!(
        usd("999999999999999.99").at_rate(Rate::ONE, Rounding::HalfUp),
        Ok(usd("999999999999999.99"))
    );
}

#[test]
fn a_split_gives_away_every_cent() {
    let parts = [part(3_334, 3), part(3_333, 2), part(3_333, 1)];
    assert_eq!(
        usd("100.00").allocate(&parts, 10_000),
        Ok(vec![usd("33.34"), usd("33.33"), usd("33.33")])
    );
    assert_eq!(
        usd("0.02").allocate(&parts, 10_000),
        Ok(vec![usd("0.01"), usd("0.00"), usd("0.01")])
    );
}

#[test]
fn spare_cents_go_by_rank_and_not_to_whoever_is_listed_first() {
    let (ann, bob) = (part(5_000, 2), part(5_000, 1));
    assert_eq!(
        cents(5).allocate(&[ann, bob], 10_000),
        Ok(vec![cents(2), cents(3)])
    );
    assert_eq!(
        cents(5).allocate(&[bob, ann], 10_000),
        Ok(vec![cents(3), cents(2)])
    );
}

#[test]
fn minus_five_splits_as_plus_five_does() {
    let parts = [part(5_000, 1), part(5_000, 2)];
    assert_eq!(cents(5).allocate(&parts, 10_000), Ok(vec![cents(3), cents(2)]));
    assert_eq!(cents(-5).allocate(&parts, 10_000), Ok(vec![cents(-3), cents(-2)]));
}

#[test]
fn the_rest_is_given_to_nobody_and_comes_last_in_ties() {
    assert_eq!(cents(5).allocate(&[part(5_000, 1)], 10_000), Ok(vec![cents(3)]));
    assert_eq!(
        cents(1).allocate(&[part(2_500, 1), part(2_500, 2)], 10_000),
        Ok(vec![cents(0), cents(0)])
    );
    assert_eq!(cents(1).allocate(&[part(5_000, 9)], 10_000), Ok(vec![cents(1)]));
    assert_eq!(cents(100).allocate(&[], 10_000), Ok(vec![]));
}

#[test]
fn an_allocation_without_an_answer_is_refused() {
    assert_eq!(
        cents(1).allocate(&[part(1, 1), part(1, 1)], 10_000),
        Err(MoneyError::DuplicateRank)
    );
    assert_eq!(
        cents(1).allocate(&[part(9_999, 1), part(2, 2)], 10_000),
        Err(MoneyError::SharesExceedTotal)
    );
    assert_eq!(
        cents(1).allocate(&[part(u32::MAX, 1), part(u32::MAX, 2)], 10_000),
        Err(MoneyError::SharesExceedTotal)
    );
    assert_eq!(cents(1).allocate(&[], 0), Err(MoneyError::DivisionByZero));
}

fn any_money() -> impl Strategy<Value = Money> {
    let limit = 10i128.pow(19) - 1;
    prop_oneof![Just("JPY"), Just("USD"), Just("KWD"), Just("CLF")].prop_flat_map(move |code| {
        let currency = currency(code);
        let bound = minor_limit(currency) - 1;
        prop_oneof![-1_000i128..1_000, -limit..=limit]
            .prop_map(move |minor| Money::from_minor_units(minor.clamp(-bound, bound), currency).unwrap())
    })
}

/// Distinct ranks in any order, with shares that leave a rest or none.
fn any_parts() -> impl Strategy<Value = Vec<Part>> {
    (proptest::collection::vec(0u32..=10_000, 1..12), any::<bool>()).prop_perturb(
        |(mut cuts, all), mut random| {
            cuts.sort_unstable();
            if all && let Some(last) = cuts.last_mut() {
                *last = 10_000;
            }
            let mut previous = 0;
            let mut ranks: Vec<i32> = (0..cuts.len() as i32).collect();
            cuts.iter()
                .map(|&cut| {
                    let rank = ranks.swap_remove(random.random_range(0..ranks.len()));
                    let basis_points = cut - previous;
                    previous = cut;
                    part(basis_points, rank)
                })
                .collect()
        },
    )
}

proptest! {
    #[test]
    fn every_amount_reads_back_as_itself(money in any_money()) {
        prop_assert_eq!(Money::parse(&money.amount_text(), money.currency()), Ok(money));
        prop_assert_eq!(Money::new(money.amount(), money.currency()), Ok(money));
        prop_assert_eq!(Money::from_minor_units(money.minor_units(), money.currency()), Ok(money));
    }

    #[test]
    fn adding_and_taking_away_is_the_identity_or_an_error(left in any_money(), right in any_money()) {
        match left.checked_add(right) {
            Ok(sum) => prop_assert_eq!(sum.checked_sub(right), Ok(left)),
            Err(error) => prop_assert!(matches!(error, MoneyError::OutOfRange | MoneyError::CurrencyMismatch)),
        }
    }

    #[test]
    fn a_portion_is_what_the_rounding_makes_of_the_exact_one(
        money in any_money(), numerator in any_money(), denominator in 1i128..10_000_000, rounding in any_rounding(),
    ) {
        let whole = Money::from_minor_units(denominator, numerator.currency()).unwrap();
        if let Ok(portion) = money.portion(numerator, whole, rounding) {
            let exact = money.minor_units() * numerator.minor_units();
            let is_below_zero = exact.is_negative() && !portion.is_zero();
            prop_assert_eq!(portion.is_negative(), is_below_zero);
            prop_assert!(rounds_to(rounding, exact.abs(), denominator, portion.minor_units().abs()));
            let negated = money.checked_neg().unwrap().portion(numerator, whole, rounding);
            prop_assert_eq!(negated, portion.checked_neg());
        }
    }

    #[test]
    fn the_whole_portion_is_the_amount(money in any_money(), whole in any_money(), rounding in any_rounding()) {
        prop_assume!(!whole.is_zero());
        prop_assert_eq!(money.portion(whole, whole, rounding), Ok(money));
    }

    #[test]
    fn rates_agree_with_decimal_arithmetic(minor in -1_000_000_000i128..1_000_000_000, millionths in 0i64..=1_000_000, rounding in any_rounding()) {
        let rate = Rate::new(Decimal::new(millionths, 6)).unwrap();
        let exact = cents(minor).amount() * rate.decimal();
        prop_assert_eq!(cents(minor).at_rate(rate, rounding), Money::rounded(exact, Currency::USD, rounding));
    }

    #[test]
    fn an_allocation_adds_up_and_each_part_is_within_a_unit(money in any_money(), parts in any_parts()) {
        let amounts = money.allocate(&parts, 10_000).unwrap();
        let given: i128 = amounts.iter().map(|amount| amount.minor_units()).sum();
        let shares: u32 = parts.iter().map(|part| part.basis_points).sum();
        let exact_given = money.minor_units() * i128::from(shares);
        if shares == 10_000 {
            prop_assert_eq!(given, money.minor_units());
        } else {
            // The rest is one more party, so that it too is within one unit of exact.
            prop_assert!((given * 10_000 - exact_given).abs() < 10_000);
        }
        for (amount, part) in amounts.iter().zip(&parts) {
            let exact = money.minor_units() * i128::from(part.basis_points);
            prop_assert!((amount.minor_units() * 10_000 - exact).abs() < 10_000);
        }
    }

    #[test]
    fn an_allocation_does_not_depend_on_the_order(money in any_money(), parts in any_parts(), turn in 0usize..12) {
        let mut turned = parts.clone();
        turned.rotate_left(turn % parts.len());
        turned.reverse();
        let by_rank = |parts: &[Part]| {
            let amounts = money.allocate(parts, 10_000).unwrap();
            let mut pairs: Vec<_> = parts.iter().map(|part| part.rank).zip(amounts).collect();
            pairs.sort_unstable_by_key(|pair| pair.0);
            pairs
        };
        prop_assert_eq!(by_rank(&parts), by_rank(&turned));
    }

    #[test]
    fn an_allocation_is_symmetric_in_sign(money in any_money(), parts in any_parts()) {
        let negated = money.checked_neg().unwrap().allocate(&parts, 10_000).unwrap();
        let turned: Vec<_> = negated.into_iter().map(|amount| amount.checked_neg().unwrap()).collect();
        prop_assert_eq!(money.allocate(&parts, 10_000).unwrap(), turned);
    }
}
