//! Published examples of commission arithmetic; where the convention of the source differs from the
//! one of this engine, the figure is ours and the name says so.

use super::*;
use crate::kernel::money::Part;

#[test]
fn percentages() {
    for (source, base, rate, expected) in [
        ("Dub, whole", 1_000, "0.20", 200),
        ("Dub, 7 cents", 7, "0.20", 1),
        ("Dub, 2 cents", 2, "0.20", 0),
        ("Dub, 3 cents", 3, "0.20", 1),
        ("Dub, half a cent", 1, "0.50", 1),
        ("Dub, 2.9 percent of 5.00", 500, "0.029", 15),
        ("laravel-affiliate", 10_000, "0.30", 3_000),
        ("ERPNext", 100_000, "0.07", 7_000),
        ("MyTime", 5_800, "0.60", 3_480),
        ("Gumroad", 791, "0.10", 79),
    ] {
        let rule = rule(1, rate);
        assert_eq!(
            amounts(&line(cents(base), vec![party(1, 10_000, &rule)])),
            [cents(expected)],
            "{source}"
        );
    }
}

#[test]
fn splits() {
    let cases: [(&str, i128, &[u32], &[i128]); 12] = [
        ("Money PHP, thirds", 100, &[1, 1, 1], &[34, 33, 33]),
        ("Money PHP, 3 and 7", 5, &[3, 7], &[2, 3]),
        ("Money PHP, 7 and 3", 5, &[7, 3], &[4, 1]),
        ("Money PHP, 7, 0 and 3", 5, &[7, 0, 3], &[4, 0, 1]),
        ("Money PHP, fewer cents than parties", 2, &[1, 1, 1], &[1, 1, 0]),
        ("Money PHP, one cent", 1, &[1, 1], &[1, 0]),
        ("Money PHP, 0.33 and 0.66", 1, &[33, 66], &[0, 1]),
        ("Money PHP, 101", 101, &[7, 3], &[71, 30]),
        ("Money PHP, nothing", 0, &[0, 0, 1], &[0, 0, 0]),
        ("Money PHP, minus five, ours", -5, &[7, 3], &[-4, -1]),
        ("Ruby Money", 10, &[1, 1, 2], &[3, 2, 5]),
        ("Formance, ours", 15, &[20, 2, 3], &[12, 1, 2]),
    ];
    for (source, total, weights, expected) in cases {
        let part = |(rank, &basis_points): (usize, &u32)| Part {
            basis_points,
            rank: rank as i32,
        };
        let parts: Vec<Part> = weights.iter().enumerate().map(part).collect();
        let expected: Vec<Money> = expected.iter().map(|minor| cents(*minor)).collect();
        assert_eq!(
            cents(total).allocate(&parts, weights.iter().sum()),
            Ok(expected),
            "{source}"
        );
    }
}

#[test]
fn a_deal_of_100_000_splits_60_to_40() {
    let rule = rule(1, "0.10");
    let input = line(
        usd("100000"),
        vec![party(1, 6_000, &rule), party(2, 4_000, &rule)],
    );
    assert_eq!(amounts(&input), [usd("6000"), usd("4000")]);
}

/// The source, the commission, the payment, the cumulative refunds and what each takes back.
type Refund = (&'static str, i128, i128, &'static [i128], &'static [i128]);

#[test]
fn refunds() {
    let cases: [Refund; 5] = [
        ("Heritage, full", 30_000, 100_000, &[100_000], &[30_000]),
        ("ERPNext, return", 4_500, 90_000, &[90_000], &[4_500]),
        ("Gumroad, 6.00 of 10.00, ours", 79, 1_000, &[600], &[47]),
        (
            "Gumroad, partial then full, ours",
            79,
            1_000,
            &[400, 1_000],
            &[32, 47],
        ),
        ("Core8, half", 1_000_000, 2, &[1], &[500_000]),
    ];
    for (source, original, base, cumulative, expected) in cases {
        let mut already = cents(0);
        for (refunded, expected) in cumulative.iter().zip(expected) {
            let entry = clawback(
                Refunded::More,
                cents(original),
                cents(base),
                cents(*refunded),
                already,
                Rounding::HalfUp,
            )
            .unwrap();
            assert_eq!(entry.amount, cents(*expected), "{source}");
            already = already.checked_add(entry.amount).unwrap();
        }
    }
}

#[test]
fn a_partner_rate_overrides_the_program_rate() {
    let mut own = terms(2, percentage("0.40"));
    own.conditions.partners = vec![partner(1)];
    let rules = [rule(1, "0.30"), Rule::new(own).unwrap()];
    for (number, expected) in [(1, 4_000), (2, 3_000)] {
        let facts = Facts {
            partner_id: partner(number),
            ..facts()
        };
        let selection = select(&rules, &facts, at("2026-06-01T00:00:00Z"));
        let rule = selection.chosen(Component::Base).unwrap();
        assert_eq!(
            amounts(&line(cents(10_000), vec![party(1, 10_000, rule)])),
            [cents(expected)]
        );
    }
}

#[test]
fn a_flat_amount_per_currency_is_not_converted() {
    let rule = flat_rule(1, &[usd("500"), money("450", "EUR")]);
    for net in [usd("9000"), money("9000", "EUR")] {
        let mut only = party(1, 10_000, &rule);
        only.already_posted = Money::zero(net.currency());
        let expected = rule.terms().formula.flat_amount(net.currency()).unwrap();
        assert_eq!(amounts(&line(net, vec![only])), [expected]);
    }
}
