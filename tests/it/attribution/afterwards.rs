//! Money that goes back, or comes in again, after its credit was corrected takes its part of the adjustments along.

use super::Shared;
use crate::world::{money, texts};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};
use std::thread;

/// A deal of 1,000.00 that the maker sourced alone and that is paid: it earned 100.00.
struct Paid {
    stage: Shared,
    credit: String,
    invoice: String,
    payment: String,
    distributor: String,
}

impl Paid {
    fn new() -> Self {
        Self::above(|_| String::new())
    }

    /// With somebody above the maker.
    fn above(distributor: impl FnOnce(&Shared) -> String) -> Self {
        let stage = Shared::new();
        let distributor = distributor(&stage);
        let credit = stage.world.credit(&stage.deal, &stage.maker, "sourced", 10_000);
        stage.world.win(&stage.deal);
        let invoice = stage.world.invoice(&stage.deal, "USD", &["1000.00"]);
        let payment = stage.world.pay(&invoice, "1000.00 USD");
        Self {
            stage,
            credit,
            invoice,
            payment,
            distributor,
        }
    }

    fn refund(&self, amount: &str) -> String {
        self.stage.world.pass(TimeDelta::minutes(1));
        self.stage.world.refund(&self.payment, amount)
    }

    fn reinstate(&self, refund: &str, amount: &str) {
        let at = self.stage.world.pass(TimeDelta::minutes(1));
        let body = json!({ "amount": money(amount), "reinstated_at": at });
        let path = format!("/v1/refunds/{refund}/reinstatements");
        self.stage.world.admin().post_once(&path, body).expect(201);
    }

    fn correct(&self, share: u32) {
        self.stage.world.pass(TimeDelta::minutes(1));
        self.stage.correct(&self.credit, json!(share)).expect(200);
    }

    /// What was proposed so far, the first first.
    fn proposed(&self) -> Vec<Value> {
        let path = format!("/v1/adjustments?partner_id={}", self.stage.maker);
        let mut found = self.stage.world.admin().all(&path);
        found.reverse();
        for one in &found {
            assert_eq!(
                (&one["attribution_id"], &one["reason"]),
                (&json!(self.credit), &json!("Agreed on 3 March."))
            );
        }
        found
    }

    fn decide(&self, verb: &str, body: &Value) {
        let second = self
            .stage
            .world
            .another_hand(&["adjustments:read", "adjustments:approve"]);
        for one in second.all("/v1/adjustments?status=proposed") {
            let path = format!("/v1/adjustments/{}/{verb}", one["id"].as_str().unwrap());
            second.post_once(&path, body.clone()).expect(200);
        }
    }
}

#[test]
fn what_goes_back_and_comes_in_again_takes_its_part_of_the_adjustment_along() {
    let paid = Paid::new();
    let world = &paid.stage.world;
    paid.correct(6_000);
    assert_eq!(texts(&paid.proposed(), "amount"), ["-40.00"]);
    paid.decide("approve", &Value::Null);
    let refund = paid.refund("1000.00 USD");
    assert_eq!(texts(&paid.proposed(), "amount"), ["-40.00", "40.00"]);
    paid.decide("approve", &Value::Null);
    // Nothing is left of it, and the partner owes nothing.
    assert_eq!(world.balance(&paid.stage.maker, "payable"), "0.00");
    paid.reinstate(&refund, "250.00 USD");
    assert_eq!(texts(&paid.proposed(), "amount"), ["-40.00", "40.00", "-10.00"]);
    paid.decide("approve", &Value::Null);
    assert_eq!(world.balance(&paid.stage.maker, "payable"), "15.00");
    world.books_balance();
}

#[test]
fn a_credit_that_is_corrected_between_a_refund_and_its_reinstatement_comes_back_with_the_new_share() {
    let paid = Paid::new();
    let world = &paid.stage.world;
    let refund = paid.refund("1000.00 USD");
    paid.correct(6_000);
    assert_eq!(paid.proposed(), Vec::<Value>::new());
    paid.reinstate(&refund, "1000.00 USD");
    assert_eq!(texts(&paid.proposed(), "amount"), ["-40.00"]);
    paid.decide("approve", &Value::Null);
    assert_eq!(world.balance(&paid.stage.maker, "payable"), "60.00");
    world.books_balance();
}

#[test]
fn parts_that_go_back_leave_what_the_corrected_share_is_of_the_rest() {
    let paid = Paid::new();
    let world = &paid.stage.world;
    paid.correct(3_333);
    for part in ["0.01 USD", "333.32 USD", "66.67 USD"] {
        paid.refund(part);
    }
    let deal = paid.stage.deal.clone();
    world.credit_note(&deal, Some(&paid.invoice), "99.99 USD");
    paid.decide("approve", &Value::Null);
    // 33.33% of 10% of the 500.01 that are left: 16.6653.., and the line kept 50.00.
    assert_eq!(world.balance(&paid.stage.maker, "payable"), "16.67");
    paid.correct(10_000);
    paid.decide("approve", &Value::Null);
    assert_eq!(world.balance(&paid.stage.maker, "payable"), "50.00");
    world.books_balance();
}

#[test]
fn what_somebody_refused_is_no_part_of_what_follows() {
    let paid = Paid::new();
    paid.correct(6_000);
    paid.decide("refuse", &json!({ "reason": "Keep it." }));
    paid.refund("1000.00 USD");
    assert_eq!(texts(&paid.proposed(), "amount"), ["-40.00"]);
    assert_eq!(paid.stage.world.balance(&paid.stage.maker, "payable"), "0.00");
}

#[test]
fn a_distributor_answers_for_its_own_part_of_the_difference() {
    let paid = Paid::above(|stage| {
        let distributor = stage.world.enrolled("Distributor", &stage.program);
        let body = json!({ "program_id": stage.program, "name": "Override", "component": "override", "terms": {
            "formula": { "type": "percentage", "rate": "0.02" }, "hold_days": 0,
            "effective_from": "2020-01-01T00:00:00Z" } });
        let rule = stage
            .world
            .admin()
            .post("/v1/commission-rules", body)
            .expect(201)
            .id();
        let path = format!("/v1/commission-rule-versions?commission_rule_id={rule}");
        let version = texts(&stage.world.admin().all(&path), "id").remove(0);
        stage.world.activate(&version).expect(200);
        let path = format!("/v1/partners/{}", stage.maker);
        let above = json!({ "parent_id": distributor });
        stage.world.admin().patch(&path, above).expect(200);
        distributor
    });
    let world = &paid.stage.world;
    let distributor = paid.distributor.clone();
    let balances = || [&paid.stage.maker, &distributor].map(|id| world.balance(id, "payable"));
    assert_eq!(balances(), ["100.00", "20.00"]);
    paid.correct(6_000);
    paid.decide("approve", &Value::Null);
    assert_eq!(balances(), ["60.00", "12.00"]);
    paid.refund("500.00 USD");
    paid.decide("approve", &Value::Null);
    assert_eq!(balances(), ["30.00", "6.00"]);
    world.books_balance();
}

/// Whichever comes last counts, and what was proposed is what it means.
#[test]
fn corrections_at_once_come_one_after_the_other() {
    for _ in 0..10 {
        let paid = Paid::new();
        paid.correct(5_000);
        let shares = [10_000, 2_000, 7_000, 4_000];
        thread::scope(|scope| {
            let running = shares.map(|share| {
                let (stage, credit) = (&paid.stage, &paid.credit);
                scope.spawn(move || stage.correct(credit, json!(share)).expect(200))
            });
            for one in running {
                one.join().unwrap();
            }
        });
        let path = format!("/v1/attributions/{}", paid.credit);
        let credit = paid.stage.world.admin().get(&path).expect(200);
        let share = credit["share_basis_points"].as_i64().unwrap();
        paid.decide("approve", &Value::Null);
        let due = format!("{}.{:02}", share / 100, share % 100);
        assert_eq!(paid.stage.world.balance(&paid.stage.maker, "payable"), due);
    }
}

/// A payment that comes in beside a correction is earned with the one share or the other, and counts as that ever after.
#[test]
fn a_payment_beside_a_correction_counts_with_the_share_that_it_was_earned_with() {
    for _ in 0..8 {
        let stage = Shared::new();
        let world = &stage.world;
        let credit = world.credit(&stage.deal, &stage.maker, "sourced", 5_000);
        world.win(&stage.deal);
        let first = world.pay(&world.invoice(&stage.deal, "USD", &["100.00"]), "100.00 USD");
        let second = world.invoice(&stage.deal, "USD", &["1000.00"]);
        world.pass(TimeDelta::minutes(1));
        thread::scope(|scope| {
            let payment = scope.spawn(|| world.pay(&second, "1000.00 USD"));
            stage.correct(&credit, json!(10_000)).expect(200);
            payment.join().unwrap();
        });
        world.pass(TimeDelta::minutes(1));
        world.refund(&first, "100.00 USD");
        let paid = Paid {
            stage,
            credit,
            invoice: second,
            payment: first,
            distributor: String::new(),
        };
        paid.decide("approve", &Value::Null);
        let world = &paid.stage.world;
        assert_eq!(world.balance(&paid.stage.maker, "payable"), "100.00");
        paid.correct(5_000);
        paid.decide("approve", &Value::Null);
        assert_eq!(world.balance(&paid.stage.maker, "payable"), "50.00");
    }
}

#[test]
fn credit_that_was_taken_away_is_given_back_by_a_dispute() {
    let paid = Paid::new();
    let world = &paid.stage.world;
    paid.correct(0);
    paid.decide("approve", &Value::Null);
    assert_eq!(world.balance(&paid.stage.maker, "payable"), "0.00");
    let body = json!({ "subject_ids": [paid.credit], "reason_code": "credit_overlooked", "statement": "It was ours.",
        "claimed_share_basis_points": 8_000 });
    let dispute = world.admin().post_once("/v1/disputes", body).expect(201).id();
    let path = format!("/v1/disputes/{dispute}");
    world
        .admin()
        .post_once(&format!("{path}/review"), json!({}))
        .expect(200);
    let judge = world.another_hand(&["disputes:read", "disputes:decide", "attributions:review"]);
    let upheld = json!({ "outcome": "upheld", "reason": "Agreed on 3 March." });
    judge.post_once(&format!("{path}/decide"), upheld).expect(200);
    paid.decide("approve", &Value::Null);
    assert_eq!(world.balance(&paid.stage.maker, "payable"), "80.00");
    world.books_balance();
}

/// A refund and a correction at the same instant: whichever comes first, what is proposed comes to nothing.
#[test]
fn a_refund_and_a_correction_at_once_miss_nothing_of_one_another() {
    for _ in 0..6 {
        let paid = Paid::new();
        let world = &paid.stage.world;
        let now = world.clock.now();
        let body = json!({ "kind": "refund", "amount": money("500.00 USD"), "refunded_at": now });
        let path = format!("/v1/payments/{}/refunds", paid.payment);
        let mut statuses = thread::scope(|scope| {
            let refund = || world.admin().post_once(&path, body.clone()).status;
            let correct = || paid.stage.correct(&paid.credit, json!(6_000)).status;
            let running = [scope.spawn(refund), scope.spawn(correct), scope.spawn(refund)];
            running.map(|one| one.join().unwrap())
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 201, 201]);
        let undecided = world.admin().all("/v1/adjustments?status=proposed");
        let cents = texts(&undecided, "amount")
            .iter()
            .map(|amount| amount.replace('.', "").parse::<i64>().unwrap())
            .sum::<i64>();
        assert_eq!(cents, 0);
        world.books_balance();
    }
}
