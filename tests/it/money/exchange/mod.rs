//! What is earned in one currency and paid in another: exchanged when it is earned or when it is paid, once, at the rate of
//! the day, and taken back at the rate at which it was given.

mod books;
mod corrected;
mod foreseen;
mod huge;
mod retold;
mod tiny;

use crate::world::{Actor, World};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

/// A partner that is paid in this currency, in a program of 10% with these settings.
pub fn paid_in(world: &World, currency: &str, settings: Value) -> (String, String) {
    let program = world.ten_percent(settings);
    let partner = world.enrolled("Nordlicht", &program);
    let body = json!({ "payout_currency": currency });
    world
        .admin()
        .patch(&format!("/v1/partners/{partner}"), body)
        .expect(200);
    (program, partner)
}

/// A rate of today; `pair` is `EUR/USD`.
pub fn rate(world: &World, pair: &str, rate: &str) {
    let (base, quote) = pair.split_once('/').unwrap();
    let day = world.clock.now().date_naive();
    let body = json!({ "base": base, "quote": quote, "valid_on": day, "rate": rate });
    world.admin().post("/v1/exchange-rates", body).expect(201);
}

fn text(amount: &Value) -> String {
    format!(
        "{} {}",
        amount["amount"].as_str().unwrap(),
        amount["currency"].as_str().unwrap()
    )
}

/// The balances of the partner that are not nothing: `payable 9.00 EUR`.
fn owed(world: &World, partner: &str) -> Vec<String> {
    let balances = world.admin().all(&format!("/v1/balances?partner_id={partner}"));
    let accounts = ["held", "released", "payable", "disputed", "in_payout"];
    let of = |balance: &Value| -> Vec<String> {
        let parts = accounts.iter().map(|account| (account, text(&balance[*account])));
        let some = parts.filter(|(_, amount)| !amount.trim_start_matches(['0', '.']).starts_with(' '));
        some.map(|(account, amount)| format!("{account} {amount}"))
            .collect()
    };
    balances.iter().flat_map(of).collect()
}

/// What lies on an account of the organization, credited less debited, by currency.
fn on(world: &World, account: &str) -> Vec<String> {
    let totals = world.admin().get("/v1/trial-balance").expect(200);
    let rows = totals["accounts"].as_array().unwrap().iter();
    let rows = rows.filter(|row| row["account"] == account);
    rows.map(|row| {
        let side = |side: &str| {
            row[side]["amount"]
                .as_str()
                .unwrap()
                .parse::<rust_decimal::Decimal>()
        };
        let left = side("credits").unwrap() - side("debits").unwrap();
        format!("{left} {}", row["debits"]["currency"].as_str().unwrap())
    })
    .collect()
}

fn explain(world: &World, line: &Value) -> Value {
    let path = format!("/v1/commissions/{}/explanation", line["id"].as_str().unwrap());
    serde_json::from_str(world.admin().get(&path).expect(200).raw()).unwrap()
}

fn verified(world: &World, line: &Value) {
    let path = format!("/v1/commissions/{}/verification", line["id"].as_str().unwrap());
    let verification = world.admin().get(&path).expect(200);
    assert_eq!(verification["matches"], true, "{}", verification.raw());
}

/// The kinds of blockers of a commission, those in the way with a `!`.
fn blockers(actor: &Actor, line: &Value) -> Vec<String> {
    let id = line["id"].as_str().unwrap();
    let path = format!("/v1/commissions/{id}/payment-expectation");
    let found = actor.get(&path).expect(200);
    let found = found["blockers"].as_array().unwrap().iter();
    found
        .map(|one| {
            let mark = if one["is_blocking"] == true { "!" } else { "" };
            format!("{}{mark}", one["kind"].as_str().unwrap())
        })
        .collect()
}

#[test]
fn what_is_earned_is_exchanged_at_the_rate_of_its_day() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({}));
    rate(&world, "EUR/USD", "1.25");
    world.sale(&program, &partner, "1000.00 USD");
    let line = world.line(&format!("partner_id={partner}"));
    assert_eq!(text(&line["amount"]), "100.00 USD");
    assert_eq!(text(&line["owed"]), "80.00 EUR");
    assert_eq!(
        (&line["payout_currency"], &line["fx_policy"]),
        (&json!("EUR"), &json!("at_accrual"))
    );
    assert_eq!(owed(&world, &partner), ["payable 80.00 EUR"]);
    let explained = explain(&world, &line);
    let exchange = &explained["exchange"][0];
    assert_eq!(exchange["direction"], "inverse");
    assert_eq!(exchange["expression"], "100.00 USD / 1.25");
    assert_eq!(text(&exchange["result"]), "80.00 EUR");
    assert_eq!(exchange["legs"][0]["source"], "manual");
    let sentence = explained["sentence"].as_str().unwrap();
    assert!(sentence.contains("at 1 EUR = 1.25 USD (manual, "), "{sentence}");
    verified(&world, &line);
    // The rate moves; what was exchanged stays, and is paid as it is.
    world.pass(TimeDelta::days(1));
    rate(&world, "EUR/USD", "2");
    let run = world.paid_run(&world.finance());
    assert_eq!(run.payouts().len(), 1);
    assert_eq!(text(&run.payouts()[0]["amount"]), "80.00 EUR");
    assert_eq!(owed(&world, &partner), [""; 0]);
    world.books_balance();
}

#[test]
fn a_refund_takes_back_at_the_rate_of_the_accrual() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({}));
    rate(&world, "EUR/USD", "1.25");
    let payment = world.sale(&program, &partner, "1000.00 USD");
    world.pass(TimeDelta::days(1));
    rate(&world, "EUR/USD", "3");
    world.refund(&payment, "333.33 USD");
    let line = world.line(&format!("partner_id={partner}"));
    assert_eq!(text(&line["net"]), "66.67 USD");
    assert_eq!(text(&line["owed"]), "53.33 EUR");
    assert_eq!(text(&world.taken_back(&line)[0]["owed"]), "26.67 EUR");
    assert_eq!(owed(&world, &partner), ["payable 53.33 EUR"]);
    world.books_balance();
    world.refund(&payment, "666.67 USD");
    assert_eq!(owed(&world, &partner), [""; 0]);
    for account in ["fx_clearing", "commission_expense"] {
        assert_eq!(
            on(&world, account)
                .iter()
                .filter(|left| !left.starts_with("0.00 "))
                .count(),
            0
        );
    }
    world.books_balance();
}

#[test]
fn without_a_rate_the_line_waits_and_settles_to_the_same_balances() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "GBP", json!({}));
    let payment = world.sale(&program, &partner, "1000.00 USD");
    world.refund(&payment, "100.00 USD");
    let earned_on = world.clock.now();
    let query = format!("partner_id={partner}");
    let line = world.line(&query);
    assert_eq!(line["exchanged_at"], Value::Null);
    assert_eq!(text(&line["owed"]), "90.00 USD");
    assert_eq!(owed(&world, &partner), ["payable 90.00 USD"]);
    assert!(blockers(world.admin(), &line).contains(&"missing_rate!".to_owned()));
    let own = world.full_partner_key(&partner);
    assert!(blockers(&own, &line).contains(&"missing_rate!".to_owned()));
    let run = world.draft_run();
    assert_eq!(run.payouts().len(), 0);
    assert_eq!(run.carried(), [("90.00".to_owned(), "missing_rate".to_owned())]);
    world.books_balance();

    // One half of the way is no way, and a rate of another day is none of this one.
    rate(&world, "EUR/USD", "1.25");
    world.work();
    assert_eq!(owed(&world, &partner), ["payable 90.00 USD"]);
    world.pass(TimeDelta::days(3));
    rate(&world, "EUR/GBP", "0.5");
    world.work();
    assert_eq!(owed(&world, &partner), ["payable 90.00 USD"]);
    let body = json!({ "base": "EUR", "quote": "GBP", "valid_on": earned_on.date_naive(), "rate": "0.8" });
    world.admin().post("/v1/exchange-rates", body).expect(201);
    assert!(!blockers(world.admin(), &line).contains(&"missing_rate!".to_owned()));
    world.work();
    // 100.00 / 1.25 x 0.8 = 64.00, of which a tenth was taken back.
    let line = world.line(&query);
    assert_eq!(text(&line["owed"]), "57.60 GBP");
    assert_eq!(explain(&world, &line)["exchange"][0]["direction"], "cross");
    assert_eq!(owed(&world, &partner), ["payable 57.60 GBP"]);
    verified(&world, &line);
    world.books_balance();

    // The same with the rate there from the start.
    let prompt = World::new();
    let (program, partner) = paid_in(&prompt, "GBP", json!({}));
    rate(&prompt, "EUR/USD", "1.25");
    rate(&prompt, "EUR/GBP", "0.8");
    let payment = prompt.sale(&program, &partner, "1000.00 USD");
    prompt.refund(&payment, "100.00 USD");
    assert_eq!(owed(&prompt, &partner), ["payable 57.60 GBP"]);
    for account in ["fx_clearing", "commission_expense"] {
        assert_eq!(on(&prompt, account), on(&world, account), "{account}");
    }
    prompt.books_balance();
}

#[test]
fn a_held_line_is_exchanged_released_and_refunded_in_any_order() {
    for refund_first in [true, false] {
        let world = World::new();
        let program = world.program(json!({}));
        world.rule(&program, "0.1", json!({ "hold_days": 10 }));
        let partner = world.enrolled("Nordlicht", &program);
        let body = json!({ "payout_currency": "JPY" });
        world
            .admin()
            .patch(&format!("/v1/partners/{partner}"), body)
            .expect(200);
        let payment = world.sale(&program, &partner, "99.99 USD");
        let earned_on = world.clock.now().date_naive();
        let enter = |value: &str| {
            let body = json!({ "base": "USD", "quote": "JPY", "valid_on": earned_on, "rate": value });
            world.admin().post("/v1/exchange-rates", body).expect(201);
            world.work();
        };
        if refund_first {
            world.refund(&payment, "33.33 USD");
            enter("150.5");
        } else {
            enter("150.5");
            world.refund(&payment, "33.33 USD");
        }
        // 10.00 x 150.5 = 1505; a third of it is 501.67.
        assert_eq!(owed(&world, &partner), ["held 1003 JPY"], "{refund_first}");
        world.books_balance();
        world.pass(TimeDelta::days(11));
        world.work();
        assert_eq!(owed(&world, &partner), ["payable 1003 JPY"]);
        world.books_balance();
        world.refund(&payment, "66.66 USD");
        assert_eq!(owed(&world, &partner), [""; 0]);
        world.books_balance();
    }
}

#[test]
fn a_credit_note_is_exchanged_with_its_sign() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "KWD", json!({}));
    rate(&world, "KWD/USD", "3.25");
    let deal = world.won_deal(&program, "1000.00 USD", &[(&partner, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["1000.00"]);
    world.pay(&invoice, "1000.00 USD");
    assert_eq!(owed(&world, &partner), ["payable 30.769 KWD"]);
    world.credit_note(&deal, None, "1000.00 USD");
    assert_eq!(owed(&world, &partner), [""; 0]);
    world.books_balance();
}

#[test]
fn a_payout_exchanges_at_its_cut_off() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({ "fx_policy": "at_payout" }));
    rate(&world, "EUR/USD", "1.25");
    let payment = world.sale(&program, &partner, "1000.00 USD");
    world.refund(&payment, "100.00 USD");
    assert_eq!(owed(&world, &partner), ["payable 90.00 USD"]);
    world.pass(TimeDelta::days(1));
    rate(&world, "EUR/USD", "1.5");
    let finance = world.finance();
    let run = world.draft_run();
    // 100.00 / 1.5 = 66.67, less a tenth of it.
    assert_eq!(text(&run.payouts()[0]["amount"]), "60.00 EUR");
    assert_eq!(owed(&world, &partner), ["payable 90.00 USD"]);
    run.verb(&finance, "approve", Value::Null).expect(200);
    assert_eq!(owed(&world, &partner), ["in_payout 60.00 EUR"]);
    let line = world.line(&format!("partner_id={partner}"));
    assert_eq!(text(&line["amount"]), "100.00 USD");
    assert_eq!(explain(&world, &line)["exchange"][0]["policy"], "at_payout");
    verified(&world, &line);
    world.books_balance();
    run.verb(&finance, "process", Value::Null).expect(200);
    run.verb(&finance, "confirm", json!({})).expect(200);
    world.books_balance();
    // What is refunded now goes back at the rate at which it was paid, whatever the rate is by now.
    world.pass(TimeDelta::days(1));
    rate(&world, "EUR/USD", "5");
    world.refund(&payment, "900.00 USD");
    assert_eq!(owed(&world, &partner), ["payable -60.00 EUR"]);
    for account in ["fx_clearing", "commission_expense"] {
        assert_eq!(
            on(&world, account)
                .iter()
                .filter(|left| !left.starts_with("0.00 "))
                .count(),
            0
        );
    }
    world.books_balance();
}

#[test]
fn another_rate_after_the_draft_makes_the_run_stale() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({ "fx_policy": "at_payout" }));
    rate(&world, "EUR/USD", "1.25");
    world.sale(&program, &partner, "1000.00 USD");
    let finance = world.finance();
    let run = world.draft_run();
    let body = json!({
        "base": "EUR", "quote": "USD", "valid_on": world.clock.now().date_naive(), "rate": "1.3",
        "reason": "Two digits were swapped."
    });
    world.admin().post("/v1/exchange-rates", body).expect(201);
    run.verb(&finance, "approve", Value::Null)
        .refused(409, "payout_run_stale");
    assert_eq!(owed(&world, &partner), ["payable 100.00 USD"]);
    // A run that was approved and given up leaves the line exchanged, at the rate that was promised.
    let run = world.draft_run();
    run.verb(&finance, "approve", Value::Null).expect(200);
    run.verb(&finance, "cancel", json!({ "reason": "The bank is closed." }))
        .expect(200);
    assert_eq!(owed(&world, &partner), ["payable 76.92 EUR"]);
    world.books_balance();
    let run = world.paid_run(&finance);
    assert_eq!(text(&run.payouts()[0]["amount"]), "76.92 EUR");
    world.books_balance();
}

#[test]
fn a_run_leaves_what_has_no_rate_and_pays_the_rest() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({ "fx_policy": "at_payout" }));
    world.sale(&program, &partner, "1000.00 USD");
    world.sale(&program, &partner, "500.00 EUR");
    let run = world.draft_run();
    assert_eq!(text(&run.payouts()[0]["amount"]), "50.00 EUR");
    assert_eq!(run.carried(), [("100.00".to_owned(), "missing_rate".to_owned())]);
    let waiting = world.lines(&format!("partner_id={partner}"));
    assert!(blockers(world.admin(), &waiting[0]).contains(&"missing_rate!".to_owned()));
    assert!(!blockers(world.admin(), &waiting[1]).contains(&"missing_rate!".to_owned()));
    rate(&world, "EUR/USD", "1.25");
    let finance = world.finance();
    run.verb(&finance, "approve", Value::Null)
        .refused(409, "payout_run_stale");
    let run = world.paid_run(&finance);
    assert_eq!(text(&run.payouts()[0]["amount"]), "130.00 EUR");
    world.books_balance();
}

#[test]
fn who_is_paid_in_the_currency_of_the_invoice_is_not_exchanged() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "USD", json!({}));
    world.sale(&program, &partner, "1000.00 USD");
    let line = world.line(&format!("partner_id={partner}"));
    assert_eq!(
        (&line["payout_currency"], &line["fx_policy"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(owed(&world, &partner), ["payable 100.00 USD"]);
    assert_eq!(explain(&world, &line)["exchange"], json!([]));
    // A change counts for what is earned from then on.
    let body = json!({ "payout_currency": "EUR" });
    world
        .admin()
        .patch(&format!("/v1/partners/{partner}"), body)
        .expect(200);
    world.work();
    assert_eq!(owed(&world, &partner), ["payable 100.00 USD"]);
    let body = json!({ "payout_currency": "QQQ" });
    world
        .admin()
        .patch(&format!("/v1/partners/{partner}"), body)
        .refused(422, "validation_failed")
        .pointer("/payout_currency", "unknown_currency");
    world.books_balance();
}
