//! The order in which things are heard of changes nothing.

use crate::world::{World, money, texts};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use serde_json::json;
use std::thread;

/// A deal that is not won yet, of one partner under a rule of 10%; the partner and the deal.
fn open_deal(world: &World, settings: serde_json::Value) -> (String, String) {
    let program = world.ten_percent(settings);
    let partner = world.enrolled("A", &program);
    let deal = world.open_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    (partner, deal)
}

#[test]
fn a_credit_that_comes_after_the_win_is_corrected() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let [partner, rival] = ["A", "B"].map(|name| world.enrolled(name, &program));
    let body = json!({
        "name": "Deal", "account_id": world.account(), "program_id": program, "partner_id": partner,
        "amount": money("100.00 USD"), "opened_on": "2026-01-02"
    });
    let deal = world.admin().post("/v1/deals", body).expect(201);
    assert_eq!(deal["warnings"], json!([]));
    let deal = deal.id();
    let won = world.admin().post(
        &format!("/v1/deals/{deal}/win"),
        json!({ "won_at": "2026-01-05T12:00:00Z" }),
    );
    assert_eq!(won.expect(200)["warnings"], json!(["no_confirmed_credit"]));
    let payment = world.pay(&world.invoice(&deal, "USD", &["100.00"]), "50.00 USD");
    world.refund(&payment, "10.00 USD");
    assert_eq!(world.lines(""), Vec::<serde_json::Value>::new());

    let claim = |partner: &str, confirm: bool| {
        let body = json!({
            "deal_id": deal, "partner_id": partner, "role": "sourced", "share_basis_points": 5000, "confirm": confirm
        });
        world.admin().post("/v1/attributions", body)
    };
    let late = claim(&partner, true).refused(409, "deal_settled");
    assert!(late.text("/detail").contains("/correct"), "{}", late.raw());
    let [first, second] = [&partner, &rival].map(|partner| claim(partner, false).expect(201).id());
    let correct = |credit: &str| {
        let path = format!("/v1/attributions/{credit}/correct");
        world
            .admin()
            .post_once(&path, json!({ "reason": "Claimed too late." }))
    };
    let corrected = correct(&first).expect(200);
    assert_eq!(corrected["status"], "confirmed");
    assert!(!corrected["settled_at"].is_null());
    let line = world.line(&format!("partner_id={partner}"));
    assert_eq!(
        (&line["amount"], &line["reversed"]),
        (&money("2.50 USD"), &money("0.50 USD"))
    );
    // The split is made; nobody comes into it later.
    correct(&second).refused(409, "deal_settled");
    let same = correct(&first).refused(422, "validation_failed");
    same.pointer("/share_basis_points", "unchanged");
    let trail = world.admin().all("/v1/audit-events?action=attribution.corrected");
    assert_eq!(texts(&trail, "reason"), ["Claimed too late."]);
    world.books_balance();
}

#[test]
fn a_correction_is_for_won_deals() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let deal = world.open_deal(&program, "100.00 USD", &[]);
    let body =
        json!({ "deal_id": deal, "partner_id": partner, "role": "sourced", "share_basis_points": 5000 });
    let credit = world.admin().post("/v1/attributions", body).expect(201).id();
    let path = format!("/v1/attributions/{credit}/correct");
    world
        .admin()
        .post_once(&path, json!({ "reason": "Early." }))
        .refused(409, "wrong_state");
    world
        .admin()
        .post(&path, json!({ "reason": "Early." }))
        .refused(400, "idempotency_key_required");
}

#[test]
fn a_rule_that_comes_too_late_pays_from_then_on() {
    let world = World::new();
    let program = world.program(json!({}));
    let partner = world.partner("A");
    let deal = world.won_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["100.00"]);
    world.pay(&invoice, "60.00 USD");
    assert_eq!(texts(&world.lines(""), "status"), ["ineligible"]);
    let body = json!({ "partner_id": partner, "program_id": program });
    let enrollment = world.admin().post("/v1/enrollments", body).expect(201);
    world
        .admin()
        .act(&format!("/v1/enrollments/{}/activate", enrollment.id()))
        .expect(200);
    world.rule(&program, "0.1", json!({}));
    world.pay(&invoice, "40.00 USD");
    assert_eq!(texts(&world.lines(""), "amount"), ["0.00", "4.00"]);
    world.books_balance();
}

#[test]
fn money_that_went_back_before_the_win_is_not_earned() {
    let world = World::new();
    let (partner, deal) = open_deal(&world, json!({}));
    let payment = world.pay(&world.invoice(&deal, "USD", &["100.00"]), "100.00 USD");
    world.refund(&payment, "60.00 USD");
    world.win(&deal);
    let line = world.line(&format!("partner_id={partner}"));
    assert_eq!(line["reversed"]["amount"], "6.00");
    world.refund(&payment, "40.00 USD");
    let line = world.line(&format!("partner_id={partner}"));
    assert_eq!(
        (&line["reversed"], &line["net"]),
        (&money("10.00 USD"), &money("0.00 USD"))
    );
    assert_eq!(world.balance(&partner, "payable"), "0.00");
    world.books_balance();
}

#[test]
fn a_credit_note_before_the_win_counts_at_the_win() {
    let world = World::new();
    let (partner, deal) = open_deal(&world, json!({}));
    world.pay(&world.invoice(&deal, "USD", &["100.00"]), "100.00 USD");
    world.credit_note(&deal, None, "40.00 USD");
    world.win(&deal);
    let mut amounts = texts(&world.lines(&format!("partner_id={partner}")), "amount");
    amounts.sort();
    assert_eq!(amounts, ["-4.00", "10.00"]);
    assert_eq!(world.balance(&partner, "payable"), "6.00");
    world.books_balance();
}

#[test]
fn a_payment_at_the_instant_of_the_win_earns_once() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    for _ in 0..12 {
        let deal = world.open_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
        let invoice = world.invoice(&deal, "USD", &["100.00"]);
        thread::scope(|scope| {
            scope.spawn(|| world.win(&deal));
            scope.spawn(|| world.pay(&invoice, "50.00 USD"));
            scope.spawn(|| world.pay(&invoice, "50.00 USD"));
        });
        let amounts = texts(&world.lines(&format!("deal_id={deal}")), "amount");
        assert_eq!(amounts, ["5.00", "5.00"]);
    }
    world.books_balance();
}

#[test]
fn a_refund_after_the_window_does_not_count_into_one_within_it() {
    let world = World::new();
    let (partner, deal) = open_deal(&world, json!({ "clawback_window_days": 10 }));
    world.win(&deal);
    let payment = world.pay(&world.invoice(&deal, "USD", &["100.00"]), "100.00 USD");
    let within = world.clock.now() + TimeDelta::days(4);
    world.pass(TimeDelta::days(24));
    world.refund(&payment, "50.00 USD");
    let late = json!({ "kind": "refund", "amount": money("10.00 USD"), "refunded_at": within });
    let path = format!("/v1/payments/{payment}/refunds");
    world.admin().post_once(&path, late).expect(201);
    let line = world.line(&format!("partner_id={partner}"));
    assert_eq!(texts(&world.taken_back(&line), "amount"), ["0.00", "1.00"]);
    world.books_balance();
}
