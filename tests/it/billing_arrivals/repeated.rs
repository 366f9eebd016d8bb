//! However often and at however many places at once: k deliveries of one event equal one.

use super::{PATH, Story, invoice, now, payment, refund};
use crate::money::races::at_once;
use crate::world::{World, money};
use copartner::app::worker;
use serde_json::json;
use std::thread;

#[test]
fn a_fact_that_is_told_again_is_what_it_was() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let story = Story::of_a_won_deal(&world, &program, "a");
    let facts = [
        refund("a", ("refund", "back", "one"), "60.00", "2026-02-15"),
        payment("a", "one", "600.00", "2026-02-01"),
        invoice("a"),
    ];
    for fact in facts.iter().chain(&facts) {
        let first = story.tell(fact);
        for _ in 0..2 {
            let again = story.tell(fact).expect(200);
            assert_eq!((again.id(), &again["status"]), (first.id(), &first["status"]));
        }
    }
    world.work();
    for fact in &facts {
        assert_eq!(story.tell(fact).expect(200)["status"], "applied");
    }
    story.all_applied(3);
    assert_eq!(world.balance(&story.partner, "payable"), "54.00");
    // The same amount in other words is the same.
    let mut same = facts[1].clone();
    same["amount"]["amount"] = json!("600");
    story.tell(&same).expect(200);
    world.books_balance();
}

#[test]
fn a_key_says_one_thing_of_each_kind() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let story = Story::of_a_won_deal(&world, &program, "a");
    let told = payment("a", "one", "600.00", "2026-02-01");
    let arrival = story.tell(&told).expect(201);
    let mut other = told.clone();
    other["amount"] = money("600.01 USD");
    let refused = story.tell(&other).refused(409, "external_id_taken");
    refused.pointer("/external_id", "taken");
    let mut elsewhere = told;
    elsewhere["invoice"] = json!("in-b");
    story.tell(&elsewhere).refused(409, "external_id_taken");
    assert_eq!(now(&world, &arrival).body, arrival.body);
    // Of another kind the key is free.
    let mut void = super::void("a");
    void["external_id"] = json!("one-a");
    story.tell(&void).expect(201);
    assert_eq!(world.admin().all(PATH).len(), 2);
}

#[test]
fn twenty_deliveries_at_once_are_one() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let story = Story::of_a_won_deal(&world, &program, "a");
    story.tell(&invoice("a")).expect(201);
    // Half of what is open, so that a second one would find room.
    let early = refund("a", ("refund", "back", "one"), "10.00", "2026-02-15");
    let fact = payment("a", "one", "400.00", "2026-02-01");
    for (told, status) in [(early, "parked"), (fact, "applied")] {
        let replies = at_once(20, |_| story.tell(&told));
        let made = replies.iter().filter(|reply| reply.status == 201);
        assert_eq!(made.count(), 1);
        for reply in &replies {
            assert!([200, 201].contains(&reply.status), "{}", reply.raw());
            assert_eq!((reply.id(), &reply["status"]), (replies[0].id(), &json!(status)));
        }
    }
    world.work();
    story.all_applied(3);
    assert_eq!(world.balance(&story.partner, "payable"), "39.00");
    world.books_balance();
}

#[test]
fn several_workers_settle_once() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let story = Story::of_a_won_deal(&world, &program, "a");
    for number in 0..8 {
        let (one, back) = (format!("one{number}"), format!("back{number}"));
        story
            .tell(&refund("a", ("refund", &back, &one), "10.00", "2026-02-15"))
            .expect(201);
        story
            .tell(&payment("a", &one, "100.00", "2026-02-01"))
            .expect(201);
    }
    story.tell(&invoice("a")).expect(201);
    thread::scope(|scope| {
        for _ in 0..4 {
            // Who meets another one at the same work may be turned away; what is left is done below.
            scope.spawn(|| drop(worker::step(&world.db, &world.clock, None)));
        }
    });
    world.work();
    story.all_applied(17);
    assert_eq!(world.balance(&story.partner, "payable"), "72.00");
    assert_eq!(world.admin().all("/v1/payments").len(), 8);
    assert_eq!(world.admin().all("/v1/refunds").len(), 8);
    world.books_balance();
}
