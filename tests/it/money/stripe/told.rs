//! What Stripe tells by itself: signed events of transfers that came back.

use super::super::races::at_once;
use super::{A_WHILE, House, decide, payout, status};
use crate::world::{Turn, names, sign, sign_as_stand_in, texts, webhook};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use copartner::platform::stripe::{Stripe, StripeSettings};
use diesel::{RunQueryDsl, sql_query};
use serde_json::{Value, json};

fn entries(house: &House) -> usize {
    let query = "SELECT id::text AS name FROM ledger_entries";
    names(&mut house.world.database().owner(), query).len()
}

/// How many changes there were of the payout, its run, its transfer, or anything else that is told.
fn traces(house: &House) -> Vec<String> {
    let query = "SELECT concat(count(*), ' events') AS name FROM events \
        UNION ALL SELECT concat('payout ', row_version) FROM payouts \
        UNION ALL SELECT concat('run ', row_version) FROM payout_runs \
        UNION ALL SELECT t::text FROM payout_transfers t";
    names(&mut house.world.database().owner(), query)
}

/// Nothing was found for a day, because the list was of another account.
fn unresolved(house: &House) {
    sql_query("UPDATE payout_transfers SET status = 'unresolved', next_attempt_at = NULL")
        .execute(&mut house.world.database().owner())
        .unwrap();
}

#[test]
fn a_transfer_that_came_back_makes_the_payout_returned_once() {
    let house = House::new();
    let run = house.sent();
    house.world.pass(TimeDelta::days(3));
    let event = house.stand_in.reverse(1_000);
    let nobody = house.world.nobody();
    let taken = house.stand_in.deliver(&nobody, &event).send().expect(200);
    assert_eq!(taken["received"], true);
    let returned = payout(&run);
    assert_eq!(returned["status"], "returned");
    assert!(returned["status_reason"].as_str().unwrap().contains("reversed"));
    assert_eq!(house.balance("payable"), "10.00");
    assert_eq!(house.balance("paid"), "0.00");
    house.world.books_balance();
    let before = traces(&house);
    for _ in 0..3 {
        house.stand_in.deliver(&nobody, &event).send().expect(200);
    }
    assert_eq!(traces(&house), before, "a replay does nothing");
    let who = "SELECT actor_type AS name FROM audit_events WHERE action = 'payout.returned'";
    assert_eq!(names(&mut house.world.database().owner(), who), ["system"]);
    // It is paid by a later run, by another transfer, and an old event takes nothing back of that.
    let next = house.sent();
    assert_eq!(status(&next), "paid");
    house.stand_in.deliver(&nobody, &event).send().expect(200);
    assert_eq!(status(&next), "paid");
    assert_eq!(house.stand_in.transfers().len(), 2);
    house.world.books_balance();
}

/// Whoever finds the house full is told to come again, as Stripe does.
#[test]
fn fifty_deliveries_at_once_return_the_payout_once() {
    let house = House::new();
    let run = house.sent();
    let event = house.stand_in.reverse(1_000);
    let nobody = house.world.nobody();
    let posted = entries(&house);
    let replies = at_once(50, |_| house.stand_in.deliver(&nobody, &event).send());
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert!(statuses.contains(&200), "{statuses:?}");
    assert!(
        statuses.iter().all(|status| [200, 503].contains(status)),
        "{statuses:?}"
    );
    assert_eq!(status(&run), "returned");
    assert_eq!(entries(&house), posted + 1);
    assert_eq!(house.told("payout.returned").len(), 1);
    assert_eq!(house.balance("payable"), "10.00");
    house.world.books_balance();
}

#[test]
fn nobody_but_stripe_is_believed_and_only_for_five_minutes() {
    let house = House::new();
    let run = house.sent();
    let event = house.stand_in.reverse(1_000);
    let body = event.to_string().into_bytes();
    let (now, nobody) = (house.world.clock.now().timestamp(), house.world.nobody());
    let good = sign_as_stand_in(now, &body);
    let other_body = [&body[..], b" "].concat();
    let (instant, signatures) = good.split_once(',').unwrap();
    for (what, signature, body) in [
        ("another secret", sign("whsec_somebodyelse", now, &body), &body),
        ("another body", good.clone(), &other_body),
        ("too old", sign_as_stand_in(now - 301, &body), &body),
        ("too new", sign_as_stand_in(now + 301, &body), &body),
        ("another instant", format!("t={},{signatures}", now - 1), &body),
        ("no signature", instant.to_owned(), &body),
        ("nonsense", "nonsense".to_owned(), &body),
        ("nothing", String::new(), &body),
    ] {
        let reply = webhook(&nobody, &signature, body.clone()).send();
        assert_eq!(reply.status, 401, "{what}: {}", reply.raw());
        reply.refused(401, "unauthorized");
        assert_eq!(status(&run), "paid", "{what}");
    }
    // Not even with a key of the service's own.
    let key = house.world.admin();
    webhook(key, "t=1,v1=00", body.clone())
        .send()
        .refused(401, "unauthorized");
    let path = "/v1/rails/stripe/webhooks";
    nobody
        .ask("POST", path)
        .bytes("application/json", body.clone())
        .send()
        .refused(401, "unauthorized");
    // At the edges of the five minutes it is.
    for late in [300, -300] {
        webhook(&nobody, &sign_as_stand_in(now - late, &body), body.clone())
            .send()
            .expect(200);
    }
    assert_eq!(status(&run), "returned");
}

#[test]
fn without_a_signing_secret_nobody_is_believed() {
    let mut house = House::new();
    let id = house.sent().id;
    let event = house.stand_in.reverse(1_000);
    let unsigned = StripeSettings {
        stripe_webhook_secret: None,
        ..house.stand_in.settings(house.world.home.id)
    };
    house.pay_with(Stripe::new(&unsigned).unwrap().unwrap());
    let nobody = house.world.nobody();
    house
        .stand_in
        .deliver(&nobody, &event)
        .send()
        .refused(401, "unauthorized");
    let payouts = house
        .world
        .admin()
        .all(&format!("/v1/payouts?payout_run_id={id}"));
    assert_eq!(payouts[0]["status"], "paid");
    house.world.stripe = None;
    house.world.restart();
    let nobody = house.world.nobody();
    house
        .stand_in
        .deliver(&nobody, &event)
        .send()
        .refused(401, "unauthorized");
}

#[test]
fn what_is_about_something_else_changes_nothing() {
    let house = House::new();
    let run = house.sent();
    let reversed = house.stand_in.reverse(1_000);
    let nobody = house.world.nobody();
    let before = traces(&house);
    let with = |pointer: &str, value: Value| {
        let mut event = reversed.clone();
        *event.pointer_mut(pointer).unwrap() = value;
        house.stand_in.deliver(&nobody, &event).send().expect(200);
        assert_eq!(traces(&house), before, "{pointer}");
    };
    with("/type", json!("payout.paid"));
    with("/data/object/metadata", json!({}));
    with(
        "/data/object/metadata/payout_id",
        json!("pyt_01j9zq4y8k7m5n3p2r1s0t6v4w"),
    );
    with("/data/object/metadata/payout_id", json!("nonsense"));
    with("/data/object/amount", json!(999));
    with("/data/object/currency", json!("eur"));
    with("/data/object/destination", json!("acct_another"));
    // A connected account writes what it likes into transfers of its own.
    let mut foreign = reversed.clone();
    foreign["account"] = json!("acct_1MTfjCQ9PRzxEwkZ");
    house.stand_in.deliver(&nobody, &foreign).send().expect(200);
    assert_eq!(traces(&house), before);
    // What cannot be read is refused, so that Stripe shows it.
    for damage in ["/data/object/amount", "/created", "/data"] {
        let mut event = reversed.clone();
        *event.pointer_mut(damage).unwrap() = json!("nonsense");
        house
            .stand_in
            .deliver(&nobody, &event)
            .send()
            .refused(422, "validation_failed");
    }
    let broken = b"{".to_vec();
    let signature = sign_as_stand_in(house.world.clock.now().timestamp(), &broken);
    webhook(&nobody, &signature, broken)
        .send()
        .refused(400, "malformed_json");
    assert_eq!(traces(&house), before);
    assert_eq!(status(&run), "paid");
    house.stand_in.deliver(&nobody, &reversed).send().expect(200);
    assert_eq!(status(&run), "returned");
    house.world.books_balance();
}

/// A payout comes back whole or not at all.
#[test]
fn a_part_that_came_back_is_a_persons_to_give_back() {
    let house = House::new();
    let run = house.sent();
    let nobody = house.world.nobody();
    let posted = entries(&house);
    let part = house.stand_in.reverse(400);
    house.stand_in.deliver(&nobody, &part).send().expect(200);
    assert_eq!(status(&run), "paid");
    let before = traces(&house);
    house.stand_in.deliver(&nobody, &part).send().expect(200);
    assert_eq!(traces(&house), before, "a replay does nothing");
    let why = house.told("payout.questioned");
    assert_eq!(why.len(), 1);
    assert!(why[0].contains("adjustment"), "{why:?}");
    // The rest is no whole either: the part may have been given back already.
    let rest = house.stand_in.reverse(600);
    house.stand_in.deliver(&nobody, &rest).send().expect(200);
    assert_eq!(status(&run), "paid");
    assert_eq!(house.told("payout.questioned").len(), 2);
    // An older event that comes late says nothing new.
    house.stand_in.deliver(&nobody, &part).send().expect(200);
    assert_eq!(house.told("payout.questioned").len(), 2);
    assert_eq!(entries(&house), posted);
    house.world.books_balance();
}

#[test]
fn events_may_come_before_the_answer_that_they_are_about() {
    for (is_reversed, expected) in [(false, "paid"), (true, "returned")] {
        let house = House::new();
        house.stand_in.turns(&[Turn::LoseAnswer]);
        let run = house.sent();
        assert_eq!(status(&run), "processing");
        let event = if is_reversed {
            house.stand_in.reverse(1_000)
        } else {
            house.stand_in.created(&house.stand_in.transfers()[0])
        };
        let nobody = house.world.nobody();
        house.stand_in.deliver(&nobody, &event).send().expect(200);
        assert_eq!(status(&run), expected);
        assert_eq!(run.now()["status"], "completed");
        house.world.books_balance();
        let before = traces(&house);
        house.later(A_WHILE);
        assert_eq!(house.stand_in.orders().len(), 1, "nothing is left to find out");
        assert_eq!(traces(&house)[1..], before[1..]);
        assert_eq!(status(&run), expected);
        house.world.books_balance();
    }
}

/// A person failed what could not be found out, and then there is a transfer after all.
#[test]
fn a_transfer_of_a_failed_payout_is_told_of() {
    let house = House::new();
    house.stand_in.turns(&[Turn::LoseAnswer]);
    let run = house.sent();
    house.stand_in.forget_keys();
    let made = house.stand_in.transfers().remove(0);
    unresolved(&house);
    decide(&house, &run, "fail", json!({ "reason": "None was found." })).expect(200);
    let nobody = house.world.nobody();
    let event = house.stand_in.created(&made);
    house.stand_in.deliver(&nobody, &event).send().expect(200);
    assert_eq!(status(&run), "failed");
    let why = house.told("payout.questioned");
    assert_eq!(why.len(), 1);
    assert!(why[0].contains("once more"), "{why:?}");
    house.stand_in.deliver(&nobody, &event).send().expect(200);
    assert_eq!(house.told("payout.questioned").len(), 1);
    house.world.books_balance();
    let events = house.world.admin().all("/v1/events?type=payout.questioned");
    assert_eq!(texts(&events, "partner_id"), [""], "partners are not told");
}

/// The event with another transfer in it.
fn of_another(event: &Value) -> Value {
    let mut other = event.clone();
    other["data"]["object"]["id"] = json!("tr_another");
    other
}

#[test]
fn a_second_transfer_is_told_of_and_from_then_on_none_returns_the_payout() {
    let house = House::new();
    let run = house.sent();
    let nobody = house.world.nobody();
    let made = house.stand_in.transfers().remove(0);
    let second = of_another(&house.stand_in.created(&made));
    house.stand_in.deliver(&nobody, &second).send().expect(200);
    assert_eq!(house.told("payout.questioned").len(), 1);
    let before = traces(&house);
    house.stand_in.deliver(&nobody, &second).send().expect(200);
    assert_eq!(traces(&house), before, "a replay does nothing");
    let posted = entries(&house);
    let reversed = house.stand_in.reverse(1_000);
    for event in [of_another(&reversed), reversed] {
        house.stand_in.deliver(&nobody, &event).send().expect(200);
        assert_eq!(status(&run), "paid");
    }
    assert_eq!(house.told("payout.questioned").len(), 3);
    assert_eq!(entries(&house), posted);
    house.world.books_balance();
}

#[test]
fn a_payout_that_was_paid_by_something_else_is_not_returned_by_a_transfer() {
    for body in [json!({ "reference": "WIRE-77" }), json!({})] {
        let house = House::new();
        house.stand_in.turns(&[Turn::LoseAnswer]);
        let run = house.sent();
        house.stand_in.forget_keys();
        unresolved(&house);
        decide(&house, &run, "confirm", body).expect(200);
        let nobody = house.world.nobody();
        let made = house.stand_in.transfers().remove(0);
        let event = house.stand_in.created(&made);
        house.stand_in.deliver(&nobody, &event).send().expect(200);
        assert_eq!(house.told("payout.questioned").len(), 1);
        let event = house.stand_in.reverse(1_000);
        house.stand_in.deliver(&nobody, &event).send().expect(200);
        assert_eq!(status(&run), "paid");
        assert_eq!(house.told("payout.questioned").len(), 2);
        assert_eq!(house.balance("payable"), "0.00");
        house.world.books_balance();
    }
}

#[test]
fn a_payout_that_was_confirmed_as_this_transfer_comes_back_with_it() {
    let house = House::new();
    house.stand_in.turns(&[Turn::LoseAnswer]);
    let run = house.sent();
    house.stand_in.forget_keys();
    unresolved(&house);
    let made = house.stand_in.transfers().remove(0);
    decide(&house, &run, "confirm", json!({ "reference": made["id"] })).expect(200);
    let event = house.stand_in.reverse(1_000);
    let nobody = house.world.nobody();
    house.stand_in.deliver(&nobody, &event).send().expect(200);
    assert_eq!(status(&run), "returned");
    house.world.books_balance();
}

#[test]
fn of_several_transfers_none_decides_what_a_person_has_not() {
    let house = House::new();
    house.stand_in.turns(&[Turn::LoseAnswer]);
    let run = house.sent();
    house.stand_in.forget_keys();
    let made = house.stand_in.transfers().remove(0);
    let reversed = house.stand_in.reverse(1_000);
    house.stand_in.duplicate("tr_another");
    house.later(TimeDelta::hours(25));
    let why = house.told("payout.questioned");
    assert!(why[0].contains("more than one transfer"), "{why:?}");
    let nobody = house.world.nobody();
    house.stand_in.deliver(&nobody, &reversed).send().expect(200);
    assert_eq!(status(&run), "processing");
    assert_eq!(house.balance("in_payout"), "10.00");
    // The person keeps the other one, and reverses this one.
    decide(&house, &run, "confirm", json!({ "reference": "tr_another" })).expect(200);
    house.stand_in.deliver(&nobody, &reversed).send().expect(200);
    house
        .stand_in
        .deliver(&nobody, &house.stand_in.created(&made))
        .send()
        .expect(200);
    assert_eq!(status(&run), "paid");
    house.world.books_balance();
}
