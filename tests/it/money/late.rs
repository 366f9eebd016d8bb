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
