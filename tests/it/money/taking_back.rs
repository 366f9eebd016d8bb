//! Money that goes back to the customer takes commissions with it.

use crate::world::{World, money, texts};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

/// A paid sale under a rule of 10%; what the world is left with is the payment's id.
fn sold(world: &World, settings: Value, amount: &str) -> (String, String) {
    let program = world.ten_percent(settings);
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, amount);
    (partner, payment)
}

#[test]
fn a_refund_takes_from_where_the_money_lies() {
    let manual = || json!({ "commission_approval": "manual" });
    let program_of = |world: &World, hold_days: u32, settings: Value| {
        let program = world.program(settings);
        world.rule(&program, "0.1", json!({ "hold_days": hold_days }));
        program
    };
    let cases = [
        ("pending", 30, manual(), "held", "netted"),
        ("due", 0, manual(), "released", "netted"),
        ("approved", 0, json!({}), "payable", "payable"),
        ("paid", 0, json!({}), "payable", "payable"),
    ];
    let world = World::new();
    let finance = world.finance();
    for (state, hold_days, settings, account, status) in cases {
        let program = program_of(&world, hold_days, settings);
        let partner = world.enrolled(state, &program);
        let payment = world.sale(&program, &partner, "100.00 USD");
        if state == "paid" {
            world.paid_run(&finance);
        }
        let line = world.line(&format!("partner_id={partner}"));
        assert_eq!(line["status"], state);
        world.refund(&payment, "40.00 USD");
        let taken = world.taken_back(&line);
        assert_eq!(texts(&taken, "amount"), ["4.00"], "{state}");
        assert_eq!(texts(&taken, "taken_from"), [account], "{state}");
        assert_eq!(texts(&taken, "status"), [status], "{state}");
        world.refund(&payment, "60.00 USD");
        let after = world.line(&format!("partner_id={partner}"));
        assert_eq!(
            (&after["reversed"], &after["net"]),
            (&money("10.00 USD"), &money("0.00 USD"))
        );
        let is_netted = status == "netted";
        assert_eq!(after["status"], if is_netted { "reversed" } else { state });
        let left = world.balance(&partner, account);
        assert_eq!(left, if state == "paid" { "-10.00" } else { "0.00" }, "{state}");
        world.books_balance();
    }
}

/// Known from other systems: 80 cents are taken back from a commission of 79.
#[test]
fn eighty_cents_are_not_taken_from_seventy_nine() {
    let world = World::new();
    let (_, payment) = sold(&world, json!({}), "7.90 USD");
    let line = world.line("");
    assert_eq!(line["amount"], money("0.79 USD"));
    // Half of 79 is rounded up to 40 when each half is rounded by itself.
    world.refund(&payment, "3.95 USD");
    world.refund(&payment, "3.95 USD");
    let taken = world.taken_back(&line);
    assert_eq!(texts(&taken, "amount"), ["0.40", "0.39"]);
    assert_eq!(
        taken[1]["sentence"],
        "7.90 of the 7.90 USD paid has been refunded, so 0.79 of the 0.79 USD earned is due back; 0.40 USD was taken \
         back before, so this line takes back 0.39 USD."
    );
    world.books_balance();
}

/// Known from other systems: a partial refund voids the whole commission.
#[test]
fn a_partial_refund_leaves_the_rest() {
    let world = World::new();
    let (partner, payment) = sold(&world, json!({ "commission_approval": "manual" }), "1000.00 USD");
    world.refund(&payment, "100.00 USD");
    let line = world.line("");
    assert_eq!(line["status"], "due");
    assert_eq!(
        (&line["reversed"], &line["net"]),
        (&money("10.00 USD"), &money("90.00 USD"))
    );
    world
        .admin()
        .post_once("/v1/commission-approvals", json!({}))
        .expect(200);
    assert_eq!(world.balance(&partner, "payable"), "90.00");
    world.books_balance();
}

#[test]
fn refunds_in_parts_take_back_exactly_what_was_earned() {
    let parts = ["0.01", "33.33", "0.02", "66.66", "233.28", "0.03"];
    for (currency, parts) in [
        ("USD", &parts[..]),
        ("JPY", &["7", "1", "325"]),
        ("KWD", &["0.001", "333.332"]),
    ] {
        let world = World::new();
        let program = world.program(json!({}));
        world.rule(&program, "0.137", json!({}));
        let partners = ["A", "B", "C"].map(|name| world.enrolled(name, &program));
        let shares = [
            (&*partners[0], 3_333),
            (&*partners[1], 3_333),
            (&*partners[2], 3_334),
        ];
        let net = if currency == "JPY" {
            "333"
        } else if currency == "KWD" {
            "333.333"
        } else {
            "333.33"
        };
        let amount = format!("{net} {currency}");
        let deal = world.won_deal(&program, &amount, &shares);
        let payment = world.pay(&world.invoice(&deal, currency, &[net]), &amount);
        for part in parts {
            world.refund(&payment, &format!("{part} {currency}"));
        }
        for line in world.lines("") {
            assert_eq!(line["reversed"], line["amount"], "{currency}");
        }
        for partner in &partners {
            assert!(
                world
                    .balance(partner, "payable")
                    .trim_matches(['0', '.'])
                    .is_empty()
            );
        }
        world.books_balance();
    }
}

#[test]
fn after_the_window_a_refund_takes_nothing_and_says_so() {
    let world = World::new();
    let (partner, payment) = sold(&world, json!({ "clawback_window_days": 30 }), "100.00 USD");
    let line = world.line("");
    world.pass(TimeDelta::days(30));
    world.refund(&payment, "50.00 USD");
    world.pass(TimeDelta::seconds(1));
    world.refund(&payment, "50.00 USD");
    let taken = world.taken_back(&line);
    assert_eq!(texts(&taken, "amount"), ["5.00", "0.00"]);
    assert_eq!(texts(&taken, "zero_reason"), ["", "clawback_window_passed"]);
    assert_eq!(
        taken[1]["sentence"],
        "The program takes nothing back so long after the payment."
    );
    assert_eq!(world.balance(&partner, "payable"), "5.00");
    world.books_balance();
}

#[test]
fn one_refund_that_is_sent_twice_happens_once() {
    let world = World::new();
    let (partner, payment) = sold(&world, json!({}), "100.00 USD");
    let path = format!("/v1/payments/{payment}/refunds");
    let body =
        json!({ "kind": "chargeback", "amount": money("30.00 USD"), "refunded_at": "2026-03-02T09:00:00Z" });
    let first = world
        .admin()
        .post_with_key("once", &path, body.clone())
        .expect(201);
    let again = world
        .admin()
        .post_with_key("once", &path, body.clone())
        .expect(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.raw(), first.raw());
    assert_eq!(texts(&world.taken_back(&world.line("")), "amount"), ["3.00"]);
    assert_eq!(world.balance(&partner, "payable"), "7.00");
    let more =
        json!({ "kind": "refund", "amount": money("70.01 USD"), "refunded_at": "2026-03-02T09:00:00Z" });
    world
        .admin()
        .post_once(&path, more)
        .refused(409, "refund_exceeds_payment");
    world.books_balance();
}

#[test]
fn a_credit_note_on_a_deal_alone_makes_lines_below_zero() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let [first, second] = ["A", "B"].map(|name| world.enrolled(name, &program));
    let deal = world.won_deal(&program, "100.00 USD", &[(&first, 6_000), (&second, 4_000)]);
    world.pay(&world.invoice(&deal, "USD", &["100.00"]), "100.00 USD");
    let finance = world.finance();
    world.paid_run(&finance);
    let note = world.credit_note(&deal, None, "33.33 USD");
    let lines = world.lines(&format!("credit_note_id={note}"));
    assert_eq!(texts(&lines, "amount"), ["-2.00", "-1.33"]);
    assert_eq!(texts(&lines, "kind"), ["credit_note", "credit_note"]);
    assert_eq!(world.balance(&first, "payable"), "-2.00");
    world.books_balance();
    // What is below zero waits for what comes, and is set off against it.
    let run = world.draft_run();
    let carried = |amount: &str| (amount.to_owned(), "not_positive".to_owned());
    let mut found = run.carried();
    found.sort();
    assert_eq!(found, [carried("-1.33"), carried("-2.00")]);
    assert_eq!(run.drafted["payout_count"], 0);
    world.sale(&program, &first, "50.00 USD");
    let run = world.paid_run(&finance);
    assert_eq!(texts(&run.payouts(), "amount"), ["3.00"]);
    assert_eq!(run.carried(), [carried("-1.33")]);
    world.books_balance();
}

#[test]
fn a_credit_note_on_an_invoice_lowers_what_is_open_first() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["100.00"]);
    world.pay(&invoice, "70.00 USD");
    let line = world.line("");
    world.credit_note(&deal, Some(&invoice), "20.00 USD");
    assert_eq!(world.taken_back(&line), [] as [Value; 0]);
    let now = world.admin().get(&format!("/v1/invoices/{invoice}"));
    assert_eq!(
        (&now["open_amount"], &now["status"]),
        (&money("10.00 USD"), &json!("partially_paid"))
    );
    // 10 are still open; the other 15 go back to the customer.
    world.credit_note(&deal, Some(&invoice), "25.00 USD");
    let now = world.admin().get(&format!("/v1/invoices/{invoice}"));
    assert_eq!(
        (&now["open_amount"], &now["refunded_amount"]),
        (&money("0.00 USD"), &money("15.00 USD"))
    );
    assert_eq!(texts(&world.taken_back(&line), "amount"), ["1.50"]);
    assert_eq!(world.balance(&partner, "payable"), "5.50");
    world.books_balance();
}

#[test]
fn the_explanation_says_what_is_left_of_a_line() {
    let world = World::new();
    let program = world.program(json!({ "commission_approval": "manual" }));
    world.rule(&program, "0.1", json!({ "hold_days": 30 }));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    let line = world.line("");
    let path = format!("/v1/commissions/{}", line["id"].as_str().unwrap());
    let said = || {
        let explanation = world.admin().get(&format!("{path}/explanation")).expect(200);
        explanation.text("/sentence").to_owned()
    };
    let before = said();
    let refund = world.refund(&payment, "40.00 USD");
    let expected = format!("{before} 4.00 USD of it was taken back since, so 6.00 USD is left.");
    assert_eq!(said(), expected);
    let given = json!({ "amount": money("40.00 USD"), "reinstated_at": world.clock.now() });
    let reinstate = format!("/v1/refunds/{refund}/reinstatements");
    world.admin().post_once(&reinstate, given).expect(201);
    assert_eq!(said(), before);
    let held = world.admin().post_once(&format!("{path}/approve"), Value::Null);
    let held = held.refused(409, "wrong_state");
    let until = line["release_at"].as_str().unwrap();
    assert!(held.raw().contains(until), "{}", held.raw());
}

/// What is earned at least is earned with what was sold: a credit on the deal alone takes its part by the rate.
#[test]
fn credits_on_a_deal_take_no_floor() {
    let limits = json!({ "floors": [money("50.00 USD")] });
    let slabs = json!({ "type": "tiered", "currency": "USD", "tier_mode": "slab_per_line", "tier_scope": "line",
        "tiers": [{ "from": "0", "rate": "0.1" }] });
    for terms in [
        json!({ "limits": limits }),
        json!({ "limits": limits, "formula": slabs }),
    ] {
        let world = World::new();
        let program = world.program(json!({}));
        world.rule(&program, "0.1", terms.clone());
        let partner = world.enrolled("A", &program);
        let deal = world.won_deal(&program, "1000.00 USD", &[(&partner, 10_000)]);
        world.pay(&world.invoice(&deal, "USD", &["1000.00"]), "1000.00 USD");
        for left in ["94.00", "88.00", "82.00"] {
            world.credit_note(&deal, None, "60.00 USD");
            assert_eq!(world.balance(&partner, "payable"), left, "{terms}");
        }
        world.books_balance();
    }
}
