//! What other systems got wrong: each defect by its name, and that it does not happen here. Two more stand beside the
//! tiers (`tiers.rs` and the kernel's own): a retroactive true-up paid twice after a refund, and an amount between two
//! closed bands earning nothing.

use crate::world::{World, money, texts};
use serde_json::{Value, json};
use std::thread;

#[test]
fn eighty_cents_clawed_back_from_a_commission_of_79() {
    let world = World::new();
    let program = world.program(json!({}));
    world.rule(&program, "0.079", json!({}));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "10.00 USD");
    let line = world.line("");
    assert_eq!(line["amount"], money("0.79 USD"));
    world.refund(&payment, "4.00 USD");
    world.refund(&payment, "6.00 USD");
    assert_eq!(texts(&world.taken_back(&line), "amount"), ["0.32", "0.47"]);
    assert_eq!(world.balance(&partner, "payable"), "0.00");
    world.books_balance();
}

#[test]
fn a_partial_refund_voiding_the_whole_commission() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    world.refund(&payment, "1.00 USD");
    let line = world.line("");
    assert_eq!(
        (&line["status"], &line["net"]),
        (&json!("approved"), &money("9.90 USD"))
    );
    assert_eq!(world.balance(&partner, "payable"), "9.90");
    world.books_balance();
}

#[test]
fn an_edited_sale_rerated_with_todays_rule() {
    let world = World::new();
    let program = world.program(json!({}));
    let version = world.rule(&program, "0.10", json!({}));
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["100.00"]);
    world.pay(&invoice, "40.00 USD");
    let rule = world
        .admin()
        .get(&format!("/v1/commission-rule-versions/{version}"))
        .expect(200);
    let path = format!(
        "/v1/commission-rules/{}/versions",
        rule.text("/commission_rule_id")
    );
    let terms = json!({ "formula": { "type": "percentage", "rate": "0.20" }, "hold_days": 0,
        "effective_from": "2026-02-01T00:00:00Z" });
    let next = world
        .admin()
        .post(&path, json!({ "terms": terms }))
        .expect(201)
        .id();
    world.activate(&next).expect(200);
    world
        .admin()
        .patch(&format!("/v1/deals/{deal}"), json!({ "name": "Renamed" }))
        .expect(200);
    world.pay(&invoice, "60.00 USD");
    assert_eq!(texts(&world.lines(""), "amount"), ["4.00", "6.00"]);
    world.books_balance();
}

#[test]
fn spare_cents_going_to_whoever_is_listed_first() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let [first, second, third] = ["A", "B", "C"].map(|name| world.enrolled(name, &program));
    let shares = [(&*first, 3_333), (&*second, 3_333), (&*third, 3_334)];
    let mut turned = shares;
    turned.reverse();
    for shares in [shares, turned] {
        let deal = world.won_deal(&program, "1.00 USD", &shares);
        let invoice = world.invoice(&deal, "USD", &["1.00"]);
        world.pay(&invoice, "1.00 USD");
        let earned = [&first, &second, &third]
            .map(|partner| world.line(&format!("invoice_id={invoice}&partner_id={partner}")));
        assert_eq!(texts(&earned, "amount"), ["0.03", "0.03", "0.04"]);
    }
    world.books_balance();
}

/// A reversal mirrors what was earned: +4 and +1 come back as -4 and -1.
#[test]
fn minus_five_split_as_minus_three_and_minus_two() {
    let world = World::new();
    let program = world.program(json!({}));
    world.rule(&program, "1", json!({}));
    let [first, second] = ["A", "B"].map(|name| world.enrolled(name, &program));
    let deal = world.won_deal(&program, "0.05 USD", &[(&first, 7_000), (&second, 3_000)]);
    world.pay(&world.invoice(&deal, "USD", &["0.05"]), "0.05 USD");
    world.credit_note(&deal, None, "0.05 USD");
    let amounts = |partner: &str| texts(&world.lines(&format!("partner_id={partner}")), "amount");
    assert_eq!(amounts(&first), ["0.04", "-0.04"]);
    assert_eq!(amounts(&second), ["0.01", "-0.01"]);
    world.books_balance();
}

#[test]
fn a_failed_payout_that_can_never_be_retried() {
    let world = World::new();
    let finance = world.finance();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let run = world.processing_run(&finance);
    let path = format!("/v1/payouts/{}/fail", run.payout());
    finance
        .post_once(&path, json!({ "reason": "Account closed" }))
        .expect(200);
    world.paid_run(&finance);
    assert_eq!(world.line("")["status"], "paid");
    world.books_balance();
}

#[test]
fn the_same_conversion_posted_twice_at_once() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["100.00"]);
    let body = json!({ "amount": money("50.00 USD"), "paid_at": "2026-03-02T09:00:00Z", "external_id": "conversion" });
    let path = format!("/v1/invoices/{invoice}/payments");
    let statuses: Vec<u16> = thread::scope(|scope| {
        let ask = || scope.spawn(|| world.admin().post_once(&path, body.clone()).status);
        let threads = [ask(), ask()];
        threads.map(|thread| thread.join().unwrap()).to_vec()
    });
    assert!(statuses.contains(&201) && statuses.contains(&409), "{statuses:?}");
    let lines: Vec<Value> = world.lines("");
    assert_eq!(texts(&lines, "amount"), ["5.00"]);
    world.books_balance();
}
