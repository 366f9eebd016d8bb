//! What the books, statements and disputes make of an exchange, and that parts come to the whole.

use super::{owed, paid_in, rate, text};
use crate::world::{World, money};
use chrono::TimeDelta;
use copartner::app::ledger_check;
use copartner::platform::clock::Clock;
use diesel::connection::SimpleConnection;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn statements_say_what_was_exchanged() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({}));
    rate(&world, "EUR/USD", "1.25");
    world.sale(&program, &partner, "1000.00 USD");
    let month = world.clock.now().format("%Y-%m").to_string();
    world.pass(TimeDelta::days(40));
    world
        .admin()
        .post("/v1/statements", json!({ "month": month }))
        .expect(200);
    let issued = world.admin().all(&format!("/v1/statements?partner_id={partner}"));
    let told = |currency: &str| {
        let one = issued
            .iter()
            .find(|one| one["closing"]["currency"] == currency)
            .unwrap();
        ["earned", "exchanged", "closing"].map(|figure| text(&one[figure]))
    };
    assert_eq!(told("USD"), ["100.00 USD", "-100.00 USD", "0.00 USD"]);
    assert_eq!(told("EUR"), ["0.00 EUR", "80.00 EUR", "80.00 EUR"]);
    world.books_balance();
}

#[test]
fn the_check_of_the_books_names_an_exchange_that_was_tampered_with() {
    for (statement, check) in [
        (
            "UPDATE commissions SET exchanged_amount = exchanged_amount + 0.01",
            "exchanges agree with their postings: commission ",
        ),
        (
            "UPDATE clawbacks SET exchanged_amount = exchanged_amount - 0.01",
            "exchanged clawbacks agree with their postings: clawback ",
        ),
        (
            "DELETE FROM ledger_entries WHERE kind = 'exchange_in'",
            "exchanges leave what is not taken back: commission ",
        ),
        (
            "UPDATE commissions SET exchange = jsonb_set(exchange, '{exchange,legs,0,rate}', '\"1.26\"')",
            "explanations give the posted amount: commission ",
        ),
    ] {
        let world = World::new();
        let (program, partner) = paid_in(&world, "EUR", json!({}));
        rate(&world, "EUR/USD", "1.25");
        let payment = world.sale(&program, &partner, "1000.00 USD");
        world.refund(&payment, "100.00 USD");
        world.books_balance();
        let mut owner = world.database().owner();
        owner
            .batch_execute(&format!("SET session_replication_role = replica; {statement}"))
            .unwrap();
        let findings = ledger_check::all(&world.db, world.clock.now()).unwrap();
        let faults: Vec<String> = findings[0].faults.iter().map(ToString::to_string).collect();
        assert!(
            faults.iter().any(|fault| fault.starts_with(check)),
            "{check}: {faults:#?}"
        );
    }
}

#[test]
fn disputed_money_waits_in_its_currency() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({}));
    rate(&world, "EUR/USD", "1.25");
    world.sale(&program, &partner, "1000.00 USD");
    let line = world.line(&format!("partner_id={partner}"));
    let own = world.full_partner_key(&partner);
    let body = json!({
        "subject_ids": [line["id"]], "reason_code": "amount_too_low", "statement": "The contract has another rate.",
        "claimed_amount": money("90.00 EUR")
    });
    own.post("/v1/disputes", body).expect(201);
    assert_eq!(owed(&world, &partner), ["disputed 80.00 EUR"]);
    world.books_balance();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    /// However a payment and its refund are parted, at one rate the partner is owed what the whole would be, and nothing
    /// in either currency at the end.
    #[test]
    fn any_partition_ends_where_the_whole_does(
        paid in prop::collection::vec(1u32..40_000, 1..5), refunded in prop::collection::vec(1u32..40_000, 1..4),
        yen in any::<bool>(),
    ) {
        let (currency, pair, value) = if yen { ("JPY", "USD/JPY", "151.37") } else { ("EUR", "EUR/USD", "1.1172") };
        let world = World::new();
        let (program, partner) = paid_in(&world, currency, json!({}));
        rate(&world, pair, value);
        let cents = |minor: u32| format!("{}.{:02} USD", minor / 100, minor % 100);
        let total: u32 = paid.iter().sum();
        let net = cents(total);
        let net = net.trim_end_matches(" USD");
        let deal = world.won_deal(&program, &cents(total), &[(&partner, 10_000)]);
        let parts = world.invoice(&deal, "USD", &[net]);
        let payments: Vec<(String, u32)> =
            paid.iter().map(|part| (world.pay(&parts, &cents(*part)), *part)).collect();
        let in_parts = owed(&world, &partner);
        let other = World::new();
        let (program, one) = paid_in(&other, currency, json!({}));
        rate(&other, pair, value);
        other.sale(&program, &one, &cents(total));
        prop_assert_eq!(in_parts, owed(&other, &one));
        for (payment, part) in payments {
            let mut left = part;
            for piece in &refunded {
                if *piece < left {
                    world.refund(&payment, &cents(*piece));
                    left -= piece;
                }
            }
            world.refund(&payment, &cents(left));
        }
        prop_assert_eq!(owed(&world, &partner), [""; 0]);
        world.books_balance();
    }
}

/// Each row of a report adds up: what was earned in one currency and paid in another leaves the one and comes into the other.
#[test]
fn a_report_tells_what_was_exchanged() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({}));
    rate(&world, "EUR/USD", "1.25");
    let payment = world.sale(&program, &partner, "1000.00 USD");
    world.pass(TimeDelta::minutes(1));
    world.refund(&payment, "100.00 USD");
    world.paid_run(&world.finance());
    let path = format!("/v1/reports/partner-performance?partner_id={partner}");
    let report = world.admin().get(&path).expect(200);
    let figures: Vec<Vec<String>> = report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let names = ["commission_net", "exchanged", "commission_paid", "open_balance"];
            names.map(|name| text(&row[name])).to_vec()
        })
        .collect();
    assert_eq!(
        figures,
        [
            ["0.00 EUR", "72.00 EUR", "72.00 EUR", "0.00 EUR"],
            ["90.00 USD", "-90.00 USD", "0.00 USD", "0.00 USD"],
        ]
    );
}
