//! What a preview says of an exchange is what becomes of it.

use super::{explain, paid_in, rate, text};
use crate::world::World;
use chrono::{DateTime, TimeDelta, Utc};
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

/// The lines of a preview for a sole partner, of an invoice of 100.00 USD that is paid in these parts.
fn foreseen(world: &World, program: &str, partner: &str, parts: &[(&str, DateTime<Utc>)]) -> Vec<Value> {
    let payments: Vec<Value> = parts
        .iter()
        .map(|(amount, paid_at)| json!({ "amount": amount, "paid_at": paid_at }))
        .collect();
    let body = json!({ "program_id": program, "won_at": "2026-01-05T12:00:00Z",
        "credits": [{ "partner_id": partner, "role": "sourced", "share_basis_points": 10_000 }],
        "invoices": [{ "currency": "USD", "issued_on": "2026-03-01", "lines": [{ "net": "100.00" }],
            "payments": payments }] });
    let preview = world.admin().post("/v1/commission-rules/preview", body);
    preview.expect(200)["lines"].as_array().unwrap().clone()
}

/// The partner's lines in the order in which they were earned.
fn earned(world: &World, partner: &str) -> Vec<Value> {
    world.lines(&format!("partner_id={partner}"))
}

/// Four equal parts: what is rounded is the running sum, in a preview as in the books.
#[test]
fn what_is_foreseen_is_what_is_owed() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({}));
    rate(&world, "EUR/USD", "1.1172");
    let now = world.clock.now();
    let parts = [("25.00", now); 4];
    let lines = foreseen(&world, &program, &partner, &parts);
    assert_eq!(
        earned(&world, &partner),
        [] as [Value; 0],
        "a preview writes nothing"
    );
    let deal = world.won_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["100.00"]);
    for (amount, _) in parts {
        world.pay(&invoice, &format!("{amount} USD"));
    }
    let real = earned(&world, &partner);
    assert_eq!((lines.len(), real.len()), (4, 4));
    for (line, real) in lines.iter().zip(&real) {
        for field in ["amount", "owed", "payout_currency", "fx_policy", "status"] {
            assert_eq!(line[field], real[field], "{field}");
        }
        assert_eq!(line["exchange"], explain(&world, real)["exchange"]);
        assert_eq!(line["waits_for_rate"], false);
        let sentence = line["sentence"].as_str().unwrap();
        assert!(sentence.contains("at 1 EUR = 1.1172 USD (manual, "), "{sentence}");
    }
    // By and by 2.24, 4.48, 6.71 and 8.95 euros.
    let owed: Vec<String> = lines.iter().map(|line| text(&line["owed"])).collect();
    assert_eq!(owed, ["2.24 EUR", "2.24 EUR", "2.23 EUR", "2.24 EUR"]);
}

#[test]
fn without_a_rate_a_preview_says_that_the_line_would_wait() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "GBP", json!({}));
    let now = world.clock.now();
    let of = |paid_at| foreseen(&world, &program, &partner, &[("100.00", paid_at)]).remove(0);
    let waits = of(now);
    assert_eq!(waits["waits_for_rate"], true);
    assert_eq!(
        (text(&waits["owed"]), &waits["exchange"]),
        ("10.00 USD".to_owned(), &json!([]))
    );
    assert_eq!(waits["payout_currency"], "GBP");
    rate(&world, "USD/GBP", "0.8");
    assert_eq!(text(&of(now)["owed"]), "8.00 GBP");
    // A rate is good for a week.
    assert_eq!(of(now + TimeDelta::days(7))["waits_for_rate"], false);
    assert_eq!(of(now + TimeDelta::days(8))["waits_for_rate"], true);
    assert_eq!(of(now - TimeDelta::days(1))["waits_for_rate"], true);
}

/// The day is that of the program: late on the 2nd in New York is the 3rd in Berlin.
#[test]
fn the_day_of_the_rate_is_that_of_the_program() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({ "time_zone": "America/New_York" }));
    rate(&world, "EUR/USD", "2");
    world.clock.set("2026-03-03T03:00:00Z".parse().unwrap());
    rate(&world, "EUR/USD", "4");
    let line = foreseen(&world, &program, &partner, &[("100.00", world.clock.now())]).remove(0);
    assert_eq!(line["exchange"][0]["on"], "2026-03-02");
    assert_eq!(text(&line["owed"]), "5.00 EUR");
    world.sale(&program, &partner, "100.00 USD");
    assert_eq!(earned(&world, &partner)[0]["owed"], line["owed"]);
}

#[test]
fn what_is_exchanged_when_it_is_paid_or_not_at_all_is_owed_as_it_was_earned() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({ "fx_policy": "at_payout" }));
    rate(&world, "EUR/USD", "1.25");
    let now = world.clock.now();
    let later = foreseen(&world, &program, &partner, &[("100.00", now)]).remove(0);
    assert_eq!(text(&later["owed"]), "10.00 USD");
    assert_eq!(
        (
            &later["payout_currency"],
            &later["fx_policy"],
            &later["waits_for_rate"]
        ),
        (&json!("EUR"), &json!("at_payout"), &json!(false))
    );
    for currency in ["USD", "EUR"] {
        let program = world.ten_percent(json!({}));
        let partner = world.enrolled(currency, &program);
        if currency == "USD" {
            let body = json!({ "payout_currency": "USD" });
            let path = format!("/v1/partners/{partner}");
            world.admin().patch(&path, body).expect(200);
        }
        let same = foreseen(&world, &program, &partner, &[("100.00", now)]).remove(0);
        assert_eq!(text(&same["owed"]), "10.00 USD");
        for field in ["payout_currency", "fx_policy"] {
            assert_eq!(same[field], Value::Null, "{field}");
        }
    }
}

/// What a partner is told to have coming is what a run finds, in the currency in which it pays.
#[test]
fn what_is_exchanged_when_it_is_paid_is_expected_where_its_rate_is_known() {
    let world = World::new();
    let terms =
        json!({ "fx_policy": "at_payout", "minimum_payouts": [{ "amount": "90.00", "currency": "EUR" }] });
    let (program, partner) = paid_in(&world, "EUR", terms);
    world.sale(&program, &partner, "1000.00 USD");
    let path = format!("/v1/partners/{partner}/payment-expectations");
    let expected = || world.admin().get(&path).expect(200)["expectations"][0].clone();
    let kinds = |found: &Value| -> Vec<String> {
        let blockers = found["blockers"].as_array().unwrap().iter();
        blockers
            .map(|one| one["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    let message = |found: &Value, kind: &str| -> String {
        let mut blockers = found["blockers"].as_array().unwrap().iter();
        let one = blockers.find(|one| one["kind"] == kind).unwrap();
        one["message"].as_str().unwrap().to_owned()
    };
    let before = expected();
    assert_eq!(before["expected_on"], Value::Null);
    assert_eq!(kinds(&before), ["missing_rate", "no_payout_method"]);
    assert!(message(&before, "no_payout_method").starts_with("No way of payment in EUR is confirmed;"));
    rate(&world, "EUR/USD", "1.25");
    let short = expected();
    assert_eq!(short["expected_on"], Value::Null);
    let said = message(&short, "below_minimum");
    assert_eq!(
        said,
        "80.00 EUR is payable and the program pays from 90.00 EUR on: 10.00 EUR is missing."
    );
    world.sale(&program, &partner, "125.00 USD");
    let enough = expected();
    assert_eq!(enough["expected_on"], json!(world.clock.now().date_naive()));
    assert_eq!(kinds(&enough), ["no_payout_method"]);
    let run = world.paid_run(&world.finance());
    assert_eq!(text(&run.payouts()[0]["amount"]), "90.00 EUR");
}
