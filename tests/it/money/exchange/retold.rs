//! A back-test tells what would have been paid in the currencies in which it would have been, at the rates of that time.

use super::{paid_in, rate, text};
use crate::money::backtests::{backtest, draft_of, pays_what_was_paid};
use crate::world::{Reply, World, money, texts};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use rust_decimal::Decimal;
use serde_json::{Value, json};

const PERIOD: (&str, &str) = ("2026-01-01", "2027-01-01");

/// The only version of the program's rule.
fn version_of(world: &World, program: &str) -> String {
    let versions = world
        .admin()
        .all(&format!("/v1/commission-rule-versions?program_id={program}"));
    assert_eq!(versions.len(), 1, "{versions:?}");
    texts(&versions, "id").remove(0)
}

/// A draft of the program's rule that pays a fifth.
fn a_fifth(world: &World, program: &str) -> String {
    let terms = json!({
        "formula": { "type": "percentage", "rate": "0.2" }, "hold_days": 0, "effective_from": "2030-01-01T00:00:00Z"
    });
    draft_of(world, &version_of(world, program), &terms)
}

fn told(world: &World, version: &str) -> Reply {
    backtest(world, version, PERIOD.0, PERIOD.1)
}

/// What was and would have been paid, by currency.
fn totals(found: &Reply) -> Vec<(String, String)> {
    let rows = found["totals"].as_array().unwrap().iter();
    rows.map(|row| (text(&row["was"]), text(&row["would_be"])))
        .collect()
}

fn pair(was: &str, would_be: &str) -> (String, String) {
    (was.to_owned(), would_be.to_owned())
}

#[test]
fn what_was_exchanged_goes_at_the_rate_at_which_it_was() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({}));
    rate(&world, "EUR/USD", "1.25");
    let payment = world.sale(&program, &partner, "1000.00 USD");
    world.pass(TimeDelta::days(1));
    rate(&world, "EUR/USD", "2");
    world.refund(&payment, "250.00 USD");
    let found = told(&world, &a_fifth(&world, &program));
    assert_eq!(totals(&found), [pair("60.00 EUR", "120.00 EUR")]);
    assert_eq!(text(&found["partners"][0]["difference"]), "60.00 EUR");
    assert_eq!(text(&found["largest_differences"][0]["would_be"]), "120.00 EUR");
}

/// Parts of everything, each of which is rounded in two currencies, come to what was paid, to the cent.
#[test]
fn the_very_version_in_force_comes_to_what_was_paid() {
    for (policy, currency, pair) in [("at_accrual", "EUR", "EUR/USD"), ("at_payout", "JPY", "USD/JPY")] {
        let world = World::new();
        let (program, partner) = paid_in(
            &world,
            currency,
            json!({ "fx_policy": policy, "rounding": "down" }),
        );
        let plain = world.enrolled("Plain", &program);
        rate(&world, pair, "1.1173");
        let deal = world.won_deal(&program, "99.99 USD", &[(&partner, 3_333), (&plain, 6_667)]);
        let invoice = world.invoice(&deal, "USD", &["66.66", "33.33"]);
        let parts = ["33.34 USD", "0.01 USD", "66.64 USD"].map(|part| world.pay(&invoice, part));
        world.refund(&parts[0], "11.11 USD");
        world.credit_note(&deal, None, "17.77 USD");
        world.paid_run(&world.finance());
        world.pass(TimeDelta::days(1));
        rate(&world, pair, "2");
        world.refund(&parts[2], "22.22 USD");
        world.refund(&parts[0], "22.23 USD");
        let found = pays_what_was_paid(&world, &version_of(&world, &program), PERIOD.0, PERIOD.1);
        // What earned nothing was not exchanged; all that did earn was.
        let earned = found["partners"].as_array().unwrap().iter();
        let earned = earned.filter(|row| row["partner_id"] == partner.as_str());
        let earned: Vec<&Value> = earned
            .filter(|row| row["was"]["amount"].as_str().unwrap().parse() != Ok(Decimal::ZERO))
            .map(|row| &row["was"]["currency"])
            .collect();
        assert_eq!(earned, [currency], "{policy}: {}", found.raw());
        world.books_balance();
    }
}

/// Then nothing was earned that could have been exchanged: the rate of the day decides, and without one it waits.
#[test]
fn what_was_not_earned_goes_at_the_rate_of_its_day() {
    let world = World::new();
    let program = world.program(json!({}));
    world.rule(
        &program,
        "0.1",
        json!({ "conditions": { "currencies": ["JPY"] } }),
    );
    let partner = world.enrolled("A", &program);
    let path = format!("/v1/partners/{partner}");
    world
        .admin()
        .patch(&path, json!({ "payout_currency": "EUR" }))
        .expect(200);
    world.sale(&program, &partner, "1000.00 USD");
    world.pass(TimeDelta::days(10));
    rate(&world, "EUR/USD", "1.25");
    world.sale(&program, &partner, "100.00 USD");
    world.pass(TimeDelta::days(1));
    rate(&world, "EUR/USD", "4");
    let found = told(&world, &a_fifth(&world, &program));
    assert_eq!(
        totals(&found),
        [pair("0.00 EUR", "16.00 EUR"), pair("0.00 USD", "200.00 USD")]
    );
}

#[test]
fn what_waits_waits_in_both() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({}));
    world.sale(&program, &partner, "1000.00 USD");
    let draft = a_fifth(&world, &program);
    assert_eq!(totals(&told(&world, &draft)), [pair("100.00 USD", "200.00 USD")]);
    // The rate came, and the worker was not there yet: what was not exchanged then, would not have been.
    let body =
        json!({ "base": "EUR", "quote": "USD", "valid_on": world.clock.now().date_naive(), "rate": "1.25" });
    world.admin().post("/v1/exchange-rates", body).expect(201);
    world.work();
    assert_eq!(totals(&told(&world, &draft)), [pair("80.00 EUR", "160.00 EUR")]);
    assert_eq!(money("80.00 EUR"), world.line("")["owed"]);
}

/// Of what is exchanged when it is paid, what was not paid yet is in the currency of the invoice.
#[test]
fn what_is_exchanged_at_the_payout_is_exchanged_once_it_is_paid() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({ "fx_policy": "at_payout" }));
    rate(&world, "EUR/USD", "1.25");
    world.sale(&program, &partner, "1000.00 USD");
    world.paid_run(&world.finance());
    world.sale(&program, &partner, "500.00 USD");
    let found = told(&world, &a_fifth(&world, &program));
    assert_eq!(
        totals(&found),
        [pair("80.00 EUR", "160.00 EUR"), pair("50.00 USD", "100.00 USD")]
    );
}
