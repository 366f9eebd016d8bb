//! How rules count what comes in.

use crate::world::{World, money, texts};
use chrono::TimeDelta;
use serde_json::{Value, json};

fn tiered(mode: &str) -> Value {
    let tiers = json!([{ "from": "0", "rate": "0.1" }, { "from": "100", "rate": "0.2" }]);
    json!({ "formula": {
        "type": "tiered", "currency": "USD", "tier_mode": mode, "tier_scope": "lifetime", "tiers": tiers
    } })
}

fn pay_at(world: &World, invoice: &str, amount: &str, paid_at: &str) -> String {
    let body = json!({ "amount": money(amount), "paid_at": paid_at });
    let path = format!("/v1/invoices/{invoice}/payments");
    world.admin().post_once(&path, body).expect(201).id()
}

#[test]
fn tiers_say_how_they_count() {
    let world = World::new();
    let program = world.program(json!({}));
    for missing in ["tier_mode", "tier_scope"] {
        let mut terms = tiered("marginal");
        terms["effective_from"] = json!("2026-01-01T00:00:00Z");
        terms["formula"].as_object_mut().unwrap().remove(missing);
        let body = json!({ "program_id": program, "name": "Rule", "terms": terms });
        let refused = world.admin().post("/v1/commission-rules", body);
        let refused = refused.refused(422, "validation_failed");
        assert!(refused.raw().contains(missing), "{}", refused.raw());
    }
    assert_eq!(world.admin().all("/v1/commission-rules"), Vec::<Value>::new());
}

#[test]
fn lines_are_taken_in_the_order_in_which_they_were_paid() {
    let world = World::new();
    let program = world.program(json!({}));
    world.rule(&program, "0", tiered("marginal"));
    let partner = world.enrolled("A", &program);
    let deal = world.open_deal(&program, "500.00 USD", &[(&partner, 10_000)]);
    let invoices = ["30.00", "60.00", "70.00"].map(|net| world.invoice(&deal, "USD", &[net]));
    let several = world.invoice(&deal, "USD", &["50.00", "10.00"]);
    // Told in another order than they came in, and two at the same instant.
    pay_at(&world, &several, "60.00 USD", "2026-03-01T11:00:00Z");
    pay_at(&world, &invoices[1], "60.00 USD", "2026-03-01T12:00:00Z");
    pay_at(&world, &invoices[0], "30.00 USD", "2026-03-01T12:00:00Z");
    pay_at(&world, &invoices[2], "70.00 USD", "2026-03-01T10:00:00Z");
    world.win(&deal);
    let earned = |invoice: &str| texts(&world.lines(&format!("invoice_id={invoice}")), "amount");
    // 70 of the first hundred, then 30 of 50 and all the rest in the second tier.
    assert_eq!(earned(&invoices[2]), ["7.00"]);
    assert_eq!(earned(&several), ["7.00", "2.00"]);
    assert_eq!(earned(&invoices[0]), ["6.00"]);
    assert_eq!(earned(&invoices[1]), ["12.00"]);
    let order = texts(&world.lines(""), "amount");
    assert_eq!(order, ["7.00", "7.00", "2.00", "6.00", "12.00"]);
    world.books_balance();
}

#[test]
fn the_service_decides_on_the_window_and_not_the_payment() {
    let world = World::new();
    let program = world.program(json!({}));
    let recurrence = json!({ "recurrence": { "kind": "recurring", "months": 12 } });
    world.rule(&program, "0.1", recurrence);
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "200.00 USD", &[(&partner, 10_000)]);
    let invoice = |net: &str, starts_on: &str| {
        let body = json!({ "deal_id": deal, "currency": "USD", "issued_on": "2026-01-06",
            "service_starts_on": starts_on, "lines": [{ "net": net }] });
        world.admin().post("/v1/invoices", body).expect(201).id()
    };
    let (within, beyond) = (invoice("100.00", "2027-01-04"), invoice("70.00", "2027-01-05"));
    // Paid in the window for a service after it, and after the window for a service within.
    world.pay(&beyond, "70.00 USD");
    assert_eq!(texts(&world.lines(""), "amount"), ["0.00"]);
    world.pass(TimeDelta::days(600));
    world.pay(&within, "100.00 USD");
    assert_eq!(texts(&world.lines(""), "amount"), ["0.00", "10.00"]);
    world.books_balance();
}

#[test]
fn nobody_earns_on_tax_nor_on_what_was_credited() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    let body = json!({ "deal_id": deal, "currency": "USD", "issued_on": "2026-01-06",
        "lines": [{ "net": "100.00", "tax": "20.00" }] });
    let taxed = world.admin().post("/v1/invoices", body).expect(201).id();
    world.pay(&taxed, "60.00 USD");
    assert_eq!(texts(&world.lines(""), "amount"), ["5.00"]);
    world.pay(&taxed, "60.00 USD");
    assert_eq!(texts(&world.lines(""), "amount"), ["5.00", "5.00"]);
    let credited = world.invoice(&deal, "USD", &["50.00"]);
    world.credit_note(&deal, Some(&credited), "20.00 USD");
    world.pay(&credited, "30.00 USD");
    assert_eq!(texts(&world.lines(""), "amount"), ["5.00", "5.00", "3.00"]);
    world.books_balance();
}
