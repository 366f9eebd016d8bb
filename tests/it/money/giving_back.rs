//! Money that went back comes in again: what it cost partners is given back, no more and no less.

use crate::world::{World, money, texts};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

impl World {
    /// So much of the refund came in again, now.
    #[track_caller]
    fn reinstate(&self, refund: &str, amount: &str) -> Value {
        let body = json!({ "amount": money(amount), "reinstated_at": self.clock.now() });
        let path = format!("/v1/refunds/{refund}/reinstatements");
        self.admin().post_once(&path, body).expect(201).body
    }

    fn chargeback(&self, payment: &str, amount: &str) -> String {
        let body = json!({ "kind": "chargeback", "amount": money(amount), "refunded_at": self.clock.now() });
        let path = format!("/v1/payments/{payment}/refunds");
        self.admin().post_once(&path, body).expect(201).id()
    }

    fn commission_of(&self, partner: &str) -> Value {
        self.line(&format!("partner_id={partner}"))
    }
}

#[test]
fn what_was_taken_goes_back_to_where_it_was_taken_from() {
    let manual = || json!({ "commission_approval": "manual" });
    let cases = [
        ("pending", 30, manual(), "held", "netted"),
        ("due", 0, manual(), "released", "netted"),
        ("approved", 0, json!({}), "payable", "payable"),
        ("paid", 0, json!({}), "payable", "payable"),
    ];
    let world = World::new();
    let finance = world.finance();
    for (state, hold_days, settings, account, status) in cases {
        let program = world.program(settings);
        world.rule(&program, "0.1", json!({ "hold_days": hold_days }));
        let partner = world.enrolled(state, &program);
        let payment = world.sale(&program, &partner, "100.00 USD");
        if state == "paid" {
            world.paid_run(&finance);
        }
        let before = world.commission_of(&partner);
        let balance = world.balance(&partner, account);
        let refund = world.chargeback(&payment, "100.00 USD");
        let lost = world.commission_of(&partner);
        assert_eq!(lost["net"], money("0.00 USD"), "{state}");
        world.reinstate(&refund, "40.00 USD");
        let after = world.commission_of(&partner);
        assert_eq!(
            (&after["status"], &after["net"]),
            (&json!(state), &money("4.00 USD"))
        );
        world.reinstate(&refund, "60.00 USD");
        let taken = world.taken_back(&before);
        assert_eq!(texts(&taken, "amount"), ["10.00", "-4.00", "-6.00"], "{state}");
        assert_eq!(
            texts(&taken, "kind"),
            ["clawback", "reinstatement", "reinstatement"]
        );
        assert_eq!(texts(&taken, "taken_from"), [account; 3], "{state}");
        assert_eq!(texts(&taken, "status"), [status; 3], "{state}");
        assert_eq!(
            taken[1]["sentence"],
            "Money came in again, and 60.00 of the 100.00 USD paid stays refunded, so 6.00 of the 10.00 USD earned is due \
             back; 10.00 USD was taken back before, so this line gives back 4.00 USD."
        );
        let after = world.commission_of(&partner);
        assert_eq!(
            (&after["status"], &after["net"]),
            (&before["status"], &before["net"])
        );
        assert_eq!(world.balance(&partner, account), balance, "{state}");
        world.books_balance();
    }
    let said = world.admin().all("/v1/ledger-entries?kind=reinstatement");
    let accounts = texts(&said, "debit_account");
    assert_eq!(accounts, vec!["commission_expense"; 8]);
}

#[test]
fn the_invoice_the_payment_and_the_refund_say_what_came_in_again() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    let refund = world.chargeback(&payment, "70.00 USD");
    let again = world.reinstate(&refund, "30.00 USD");
    assert_eq!(again["kind"], "reinstatement");
    assert_eq!(again["amount"], money("-30.00 USD"));
    assert_eq!(again["cumulative_amount"], money("40.00 USD"));
    assert_eq!(again["reinstates_refund_id"], json!(refund));
    let found = world.admin().get(&format!("/v1/refunds/{refund}")).expect(200);
    assert_eq!(found["reinstated_amount"], money("30.00 USD"));
    let found = world.admin().get(&format!("/v1/payments/{payment}")).expect(200);
    assert_eq!(found["refunded_amount"], money("40.00 USD"));
    let invoice = found.text("/invoice_id");
    let found = world.admin().get(&format!("/v1/invoices/{invoice}")).expect(200);
    assert_eq!(found["refunded_amount"], money("40.00 USD"));
    let told = world
        .admin()
        .all(&format!("/v1/refunds?reinstates_refund_id={refund}"));
    assert_eq!(texts(&told, "id"), [again["id"].as_str().unwrap()]);
    let body = json!({ "reinstated_at": world.clock.now() });
    let path = format!("/v1/refunds/{refund}/reinstatements");
    let rest = world.admin().post_once(&path, body).expect(201);
    assert_eq!(
        rest["amount"],
        money("-40.00 USD"),
        "all that is left when it is not said"
    );
    // What was lost can be lost again.
    world.chargeback(&payment, "100.00 USD");
    assert_eq!(world.commission_of(&partner)["net"], money("0.00 USD"));
    world.books_balance();
}

#[test]
fn no_more_comes_in_again_than_went_back() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    let refund = world.chargeback(&payment, "70.00 USD");
    let path = format!("/v1/refunds/{refund}/reinstatements");
    let now = world.clock.now();
    let attempt = |body: Value| world.admin().post_once(&path, body);
    let over = attempt(json!({ "amount": money("70.01 USD"), "reinstated_at": now })).expect(409);
    assert_eq!(over["code"], "reinstatement_exceeds_refund");
    for (body, pointer, code) in [
        (
            json!({ "amount": money("1.00 EUR"), "reinstated_at": now }),
            "/amount/currency",
            "other_currency",
        ),
        (
            json!({ "amount": money("0.00 USD"), "reinstated_at": now }),
            "/amount/amount",
            "not_positive",
        ),
        (
            json!({ "amount": money("-1.00 USD"), "reinstated_at": now }),
            "/amount/amount",
            "not_positive",
        ),
        (
            json!({ "reinstated_at": now + TimeDelta::hours(1) }),
            "/reinstated_at",
            "in_future",
        ),
        (
            json!({ "reinstated_at": now - TimeDelta::hours(1) }),
            "/reinstated_at",
            "before_refund",
        ),
    ] {
        let refused = attempt(body).expect(422);
        assert_eq!(refused["errors"][0]["pointer"], pointer);
        assert_eq!(refused["errors"][0]["code"], code);
    }
    let again = world.reinstate(&refund, "70.00 USD");
    let none = attempt(json!({ "reinstated_at": now })).expect(409);
    assert_eq!(none["code"], "reinstatement_exceeds_refund");
    let twice = format!("/v1/refunds/{}/reinstatements", again["id"].as_str().unwrap());
    let body = || json!({ "reinstated_at": now });
    assert_eq!(
        world.admin().post_once(&twice, body()).expect(409)["code"],
        "wrong_state"
    );
    let deal = world.line("")["deal_id"].as_str().unwrap().to_owned();
    let invoice = world.line("")["invoice_id"].as_str().unwrap().to_owned();
    world.credit_note(&deal, Some(&invoice), "10.00 USD");
    let caused = world.admin().all("/v1/refunds?kind=credit_note").remove(0);
    let caused = format!("/v1/refunds/{}/reinstatements", caused["id"].as_str().unwrap());
    assert_eq!(
        world.admin().post_once(&caused, body()).expect(409)["code"],
        "wrong_state"
    );
    world.books_balance();
}

/// In whatever order parts go back and come in again, what is left is what is left of the payment.
#[test]
fn parts_that_go_and_come_leave_what_is_left_of_the_payment() {
    let world = World::new();
    let program = world.program(json!({}));
    world.rule(&program, "0.137", json!({}));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "333.33 USD");
    let whole = world.chargeback(&payment, "111.11 USD");
    let part = world.chargeback(&payment, "0.05 USD");
    world.reinstate(&whole, "33.33 USD");
    let rest = world.chargeback(&payment, "255.50 USD");
    assert_eq!(world.commission_of(&partner)["net"], money("0.00 USD"));
    world.reinstate(&part, "0.01 USD");
    world.reinstate(&rest, "255.50 USD");
    world.reinstate(&whole, "77.78 USD");
    world.reinstate(&part, "0.04 USD");
    let line = world.commission_of(&partner);
    assert_eq!(
        (&line["net"], &line["reversed"]),
        (&line["amount"], &money("0.00 USD"))
    );
    world.books_balance();
}

#[test]
fn what_was_paid_out_and_lost_is_paid_with_the_next_run() {
    let world = World::new();
    let finance = world.finance();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    world.paid_run(&finance);
    let refund = world.chargeback(&payment, "100.00 USD");
    world.sale(&program, &partner, "150.00 USD");
    world.paid_run(&finance);
    world.reinstate(&refund, "100.00 USD");
    let expected = world
        .admin()
        .get(&format!("/v1/partners/{partner}/payment-expectations"))
        .expect(200);
    assert!(expected.raw().contains("10.00"), "{}", expected.raw());
    world.paid_run(&finance);
    let given = world.admin().all("/v1/clawbacks").remove(0);
    assert_eq!(
        (&given["amount"], &given["status"]),
        (&money("-10.00 USD"), &json!("paid"))
    );
    let path = format!("/v1/payout-items?clawback_id={}", given["id"].as_str().unwrap());
    let items = world.admin().all(&path);
    assert_eq!(texts(&items, "amount"), ["10.00"]);
    let mut payouts = texts(&world.admin().all("/v1/payouts"), "amount");
    payouts.sort();
    assert_eq!(payouts, ["10.00", "10.00", "5.00"]);
    assert_eq!(world.balance(&partner, "payable"), "0.00");
    world.books_balance();
}

/// What was refunded too late cost nothing, so that it gives nothing back when it comes in again, however early.
#[test]
fn what_came_after_the_window_gives_nothing_back() {
    let world = World::new();
    let program = world.ten_percent(json!({ "clawback_window_days": 30 }));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    let early = world.chargeback(&payment, "20.00 USD");
    world.pass(TimeDelta::days(31));
    let late = world.chargeback(&payment, "80.00 USD");
    world.reinstate(&late, "80.00 USD");
    assert_eq!(world.commission_of(&partner)["net"], money("8.00 USD"));
    world.reinstate(&early, "20.00 USD");
    let line = world.commission_of(&partner);
    assert_eq!(line["net"], money("10.00 USD"));
    let taken = world.taken_back(&line);
    assert_eq!(texts(&taken, "amount"), ["2.00", "0.00", "0.00", "-2.00"]);
    assert_eq!(taken[2]["zero_reason"], "clawback_window_passed");
    assert_eq!(
        taken[2]["sentence"],
        "Nothing was taken back so long after the payment, so nothing is given back."
    );
    world.books_balance();
}

/// The window of a line is the one that its program had when it was earned.
#[test]
fn another_window_is_for_lines_to_come() {
    let world = World::new();
    let program = world.ten_percent(json!({ "clawback_window_days": 30 }));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    world.pass(TimeDelta::days(10));
    let within = world.chargeback(&payment, "50.00 USD");
    let path = format!("/v1/programs/{program}");
    for days in [json!(5), json!(null)] {
        let body = json!({ "clawback_window_days": days });
        world.admin().patch(&path, body).expect(200);
        world.reinstate(&within, "20.00 USD");
    }
    assert_eq!(world.commission_of(&partner)["net"], money("9.00 USD"));
    world.pass(TimeDelta::days(30));
    world.chargeback(&payment, "10.00 USD");
    assert_eq!(world.commission_of(&partner)["net"], money("9.00 USD"));
    world.books_balance();
}

/// Money counts for tiers again, and only once.
#[test]
fn what_came_in_again_counts_for_tiers_again() {
    let world = World::new();
    let program = world.program(json!({}));
    let tiers = json!([{ "from": "0", "rate": "0.1" }, { "from": "1000", "rate": "0.2" }]);
    let formula = json!({
        "type": "tiered", "currency": "USD", "tier_mode": "marginal", "tier_scope": "year", "tiers": tiers
    });
    world.rule(&program, "0", json!({ "formula": formula }));
    let partner = world.enrolled("A", &program);
    let first = world.sale(&program, &partner, "1000.00 USD");
    let refund = world.chargeback(&first, "1000.00 USD");
    world.sale(&program, &partner, "100.00 USD");
    world.reinstate(&refund, "1000.00 USD");
    world.sale(&program, &partner, "100.00 USD");
    let lines = world.lines("");
    assert_eq!(texts(&lines, "amount"), ["100.00", "10.00", "20.00"]);
    world.books_balance();
}

#[test]
fn what_was_known_before_is_still_told() {
    let world = World::new();
    let program = world.program(json!({ "commission_approval": "manual" }));
    world.rule(&program, "0.1", json!({ "hold_days": 30 }));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    let refund = world.chargeback(&payment, "100.00 USD");
    let line = world.commission_of(&partner)["id"].as_str().unwrap().to_owned();
    let lost_at = world.clock.now();
    world.pass(TimeDelta::days(1));
    world.reinstate(&refund, "100.00 USD");
    let back_at = world.clock.now();
    world.pass(TimeDelta::days(40));
    world.work();
    let known = |instant: chrono::DateTime<chrono::Utc>| {
        let instant = instant.format("%Y-%m-%dT%H:%M:%SZ");
        let found = world
            .admin()
            .get(&format!("/v1/commissions/{line}?as_of={instant}"))
            .expect(200);
        (found["status"].clone(), found["net"].clone())
    };
    assert_eq!(known(lost_at), (json!("reversed"), money("0.00 USD")));
    assert_eq!(known(back_at), (json!("pending"), money("10.00 USD")));
    assert_eq!(world.commission_of(&partner)["status"], "due");
    world.books_balance();
}
