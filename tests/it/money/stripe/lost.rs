//! Answers that are lost are looked for by the key, then by looking, and never found out by ordering anew.

use super::{A_WHILE, House, decide, payout, status};
use crate::world::{ROLLED_KEY, Run, Turn};
use chrono::TimeDelta;
use copartner::platform::stripe::{Stripe, StripeSettings};
use serde_json::{Value, json};

/// Longer than Stripe keeps a key.
const A_DAY: TimeDelta = TimeDelta::hours(25);

/// Nobody decides about a payout that is on its way.
fn is_in_transit(house: &House, run: &Run<'_>) {
    assert_eq!(status(run), "processing");
    assert_eq!(house.balance("in_payout"), "10.00");
    decide(house, run, "confirm", json!({})).refused(409, "payout_in_transit");
    decide(house, run, "fail", json!({ "reason": "It hangs." })).refused(409, "payout_in_transit");
    run.verb(&house.finance(), "confirm", json!({}))
        .refused(409, "payout_in_transit");
    house.world.books_balance();
}

fn is_paid_once(house: &House, run: &Run<'_>) {
    assert_eq!(status(run), "paid");
    assert_eq!(house.balance("paid"), "10.00");
    assert_eq!(house.stand_in.transfers().len(), 1);
    house.world.books_balance();
    house.later(A_DAY);
    assert_eq!(house.stand_in.transfers().len(), 1);
}

/// Nothing is known, and a person has to look.
fn is_left_to_a_person(house: &House, run: &Run<'_>) {
    let orders = house.stand_in.orders().len();
    let payout = payout(run);
    assert_eq!(payout["status"], "processing");
    assert!(
        payout["status_reason"].as_str().unwrap().contains("not known"),
        "{payout}"
    );
    assert_eq!(house.told("payout.questioned").len(), 1);
    assert_eq!(house.balance("in_payout"), "10.00");
    house.later(A_DAY);
    assert_eq!(house.stand_in.orders().len(), orders, "it was ordered anew");
    house.world.books_balance();
}

#[test]
fn an_answer_that_is_lost_is_given_again_for_the_same_key() {
    for turn in [Turn::LoseAnswer, Turn::LoseOrder] {
        let house = House::new();
        house.stand_in.turns(&[turn]);
        let run = house.sent();
        is_in_transit(&house, &run);
        house.later(A_WHILE);
        is_paid_once(&house, &run);
        let orders = house.stand_in.orders();
        assert_eq!(orders.len(), 2);
        assert_eq!(orders[0], orders[1], "the key of one order is one");
    }
}

#[test]
fn an_answer_that_takes_too_long_is_lost() {
    let mut house = House::new();
    let impatient = StripeSettings {
        stripe_wait_ms: 2_000,
        ..house.stand_in.settings(house.world.home.id)
    };
    house.pay_with(Stripe::new(&impatient).unwrap().unwrap());
    house.stand_in.turns(&[Turn::NeverAnswer]);
    let run = house.sent();
    is_in_transit(&house, &run);
    house.stand_in.go_on();
    house.later(A_WHILE);
    is_paid_once(&house, &run);
}

/// Stripe gives a failure of its own again for a day, whether the transfer was made or not; so it is looked for.
#[test]
fn a_failure_of_stripes_own_says_nothing() {
    for failure in [500, 502, 503] {
        let house = House::new();
        house.stand_in.turns(&[Turn::BreakAfter(failure)]);
        let run = house.sent();
        is_in_transit(&house, &run);
        house.later(A_WHILE);
        is_paid_once(&house, &run);
    }
}

#[test]
fn what_was_never_made_and_cannot_be_found_out_is_a_persons() {
    let house = House::new();
    house.stand_in.turns(&[Turn::BreakBefore(500)]);
    let run = house.sent();
    for _ in 0..5 {
        house.later(A_WHILE);
        is_in_transit(&house, &run);
    }
    house.later(A_DAY);
    house.stand_in.forget_keys();
    is_left_to_a_person(&house, &run);
    assert_eq!(house.stand_in.transfers(), Vec::<Value>::new());
    // The person finds that there is none: what it was to pay goes with the next run, by another key.
    decide(&house, &run, "fail", json!({ "reason": "Stripe has none." })).expect(200);
    assert_eq!(house.balance("payable"), "10.00");
    let next = house.sent();
    is_paid_once(&house, &next);
    let orders = house.stand_in.orders();
    assert_ne!(orders.first(), orders.last());
}

#[test]
fn after_a_day_it_is_looked_up_and_not_ordered() {
    let house = House::new();
    house.stand_in.turns(&[Turn::LoseAnswer]);
    let run = house.sent();
    house.stand_in.forget_keys();
    // A list that fails says nothing either, however often.
    house.stand_in.break_lists(&[500, 503, 429]);
    for _ in 0..3 {
        house.later(A_DAY);
        is_in_transit(&house, &run);
    }
    house.later(A_WHILE);
    is_paid_once(&house, &run);
    assert_eq!(house.stand_in.orders().len(), 1);
}

#[test]
fn what_was_lost_for_a_day_is_ordered_no_more() {
    let house = House::new();
    house.stand_in.turns(&[Turn::LoseOrder]);
    let run = house.sent();
    is_in_transit(&house, &run);
    house.later(A_DAY);
    is_left_to_a_person(&house, &run);
    // The person paid it in the dashboard.
    decide(&house, &run, "confirm", json!({ "reference": "by hand" })).expect(200);
    assert_eq!(house.balance("paid"), "10.00");
    house.world.books_balance();
}

/// The same order under way, or a key that was used for another one, is no answer to this one.
#[test]
fn a_key_that_is_in_use_says_nothing() {
    for (status, wait) in [(409, A_WHILE), (400, A_WHILE)] {
        let house = House::new();
        house
            .stand_in
            .turns(&[Turn::LoseAnswer, Turn::TurnAway(status, "idempotency_error")]);
        let run = house.sent();
        house.stand_in.break_lists(&[500]);
        house.later(wait);
        is_in_transit(&house, &run);
        house.later(wait);
        is_paid_once(&house, &run);
    }
}

/// What is said of a later order is believed only when there is no transfer of an earlier one.
#[test]
fn a_refusal_after_a_lost_answer_is_not_believed() {
    for kind in ["invalid_request_error", "api_error"] {
        let house = House::new();
        house
            .stand_in
            .turns(&[Turn::LoseAnswer, Turn::TurnAway(400, kind)]);
        let run = house.sent();
        house.later(A_WHILE);
        is_paid_once(&house, &run);
    }
    let house = House::new();
    house.stand_in.turns(&[
        Turn::LoseOrder,
        Turn::Refuse(400, "balance_insufficient", "Insufficient funds"),
    ]);
    let run = house.sent();
    house.later(A_WHILE);
    assert_eq!(status(&run), "failed");
    assert_eq!(house.balance("payable"), "10.00");
    house.world.books_balance();
}

/// Another key may be one of another account, which would make the transfer once more.
#[test]
fn with_another_secret_key_nothing_is_ordered_again() {
    for (turn, is_found) in [(Turn::LoseAnswer, true), (Turn::LoseOrder, false)] {
        let mut house = House::new();
        house.stand_in.turns(&[turn]);
        let id = house.sent().id;
        let rolled = StripeSettings {
            stripe_secret_key: ROLLED_KEY.parse().ok(),
            ..house.stand_in.settings(house.world.home.id)
        };
        house.pay_with(Stripe::new(&rolled).unwrap().unwrap());
        house.later(A_WHILE);
        assert_eq!(house.stand_in.orders().len(), 1);
        let payouts = house
            .world
            .admin()
            .all(&format!("/v1/payouts?payout_run_id={id}"));
        let expected = if is_found { "paid" } else { "processing" };
        assert_eq!(payouts[0]["status"], expected);
        assert_eq!(house.told("payout.questioned").len(), usize::from(!is_found));
        house.world.books_balance();
    }
}

#[test]
fn a_transfer_that_was_not_ordered_is_a_persons() {
    let house = House::new();
    house.stand_in.turns(&[Turn::Mistake]);
    let run = house.sent();
    is_left_to_a_person(&house, &run);
    let why = house.told("payout.questioned").remove(0);
    assert!(why.contains("not what was ordered"), "{why}");
}
