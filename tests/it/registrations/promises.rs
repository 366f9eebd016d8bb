//! What is promised to registrants: answers in time, and a clock that stands still while they are late.

use super::{PATH, claim, partner, program, verb, verb_with_body, with};
use crate::world::{Actor, Reply, World, texts};
use chrono::{DateTime, TimeDelta, Utc};
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

const EXTENSIONS: &str = "/v1/registration-extensions";

fn instant(reply: &Reply, pointer: &str) -> DateTime<Utc> {
    reply.text(pointer).parse().unwrap()
}

fn told(world: &World, name: &str) -> usize {
    world.work();
    let events = world.admin().all("/v1/events");
    events.iter().filter(|event| event["type"] == name).count()
}

/// A protected claim whose partner has asked for more time: its id, the request, and by when it is to be answered.
fn asked(world: &World, actor: &Actor, body: Value) -> (String, String, DateTime<Utc>) {
    let id = actor.post(PATH, body).expect(201).id();
    verb(world.admin(), &id, "approve").expect(200);
    let evidence = json!({ "evidence": "The customer moved the date." });
    let request = actor
        .post(&format!("{PATH}/{id}/extensions"), evidence)
        .expect(200);
    (id, request.id(), instant(&request, "/respond_by"))
}

#[test]
fn accounts_are_not_merged_while_a_protection_is_held_open() {
    let world = World::new();
    let program = program(&world, json!({ "protection_days": 30, "extensions_allowed": 1 }));
    let (_, first) = partner(&world, "A", &program);
    let (_, second) = partner(&world, "B", &program);
    let (held, request, _) = asked(&world, &first, claim(&program, "ma.example"));
    world.pass(TimeDelta::days(60));
    let body = with(
        claim(&program, "mb.example"),
        json!({ "account_name": "Binnen Reederei" }),
    );
    let later = second.post(PATH, body).expect(201).id();
    verb(world.admin(), &later, "approve").expect(200);
    let account = |id: &str| world.admin().get(&format!("{PATH}/{id}")).expect(200)["account_id"].clone();
    let (one, other) = (account(&held), account(&later));
    for (from, to) in [(&one, &other), (&other, &one)] {
        let merge = json!({ "account_id": from, "survivor_id": to, "reason": "One company." });
        world
            .admin()
            .post("/v1/account-merges", merge)
            .refused(409, "registration_conflict");
    }
    let approve = format!("{EXTENSIONS}/{request}/approve");
    world.admin().act(&approve).expect(200);
    verb_with_body(world.admin(), &held, "revoke").expect(200);
    let merge = json!({ "account_id": other, "survivor_id": one, "reason": "One company." });
    world.admin().post("/v1/account-merges", merge).expect(201);
}

#[test]
fn what_was_not_answered_before_a_protection_ended_lapses_with_it() {
    let world = World::new();
    let program = program(&world, json!({ "protection_days": 30 }));
    let (_, actor) = partner(&world, "A", &program);
    let (id, request, _) = asked(&world, &actor, claim(&program, "a.example"));
    verb_with_body(world.admin(), &id, "revoke").expect(200);
    assert_eq!(texts(&actor.all(EXTENSIONS), "status"), ["lapsed"]);
    assert_eq!(told(&world, "registration_extension.lapsed"), 1);
    for path in ["approve", "refuse"] {
        let body = if path == "refuse" {
            json!({ "reason": "No" })
        } else {
            Value::Null
        };
        world
            .admin()
            .post(&format!("{EXTENSIONS}/{request}/{path}"), body)
            .refused(409, "wrong_state");
    }
    world.pass(TimeDelta::days(100));
    let why = json!({ "subject_ids": [id], "reason_code": "other", "statement": "Look again." });
    let dispute = actor.post("/v1/disputes", why).expect(201).id();
    world
        .admin()
        .post_once(&format!("/v1/disputes/{dispute}/review"), json!({}))
        .expect(200);
    let judge = world.another_hand(&[
        "disputes:read",
        "disputes:review",
        "disputes:decide",
        "deal_registrations:review",
    ]);
    let upheld = json!({ "outcome": "upheld", "reason": "We looked again." });
    judge
        .post_once(&format!("/v1/disputes/{dispute}/decide"), upheld)
        .expect(200);
    let again = actor.get(&format!("{PATH}/{id}")).expect(200);
    assert_eq!(
        (&again["status"], &again["paused_seconds"]),
        (&json!("approved"), &json!(0))
    );
    world.clock.set(instant(&again, "/protected_until"));
    assert_eq!(told(&world, "deal_registration.expired"), 1);
    let ended = actor.get(&format!("{PATH}/{id}")).expect(200);
    assert_eq!(
        (&ended["status"], &ended["paused_seconds"]),
        (&json!("expired"), &json!(0))
    );
}

#[test]
fn a_deal_that_ends_takes_the_request_along_and_so_does_time() {
    let world = World::new();
    let program = program(
        &world,
        json!({ "protection_days": 30, "response_business_hours": 800 }),
    );
    let (_, actor) = partner(&world, "A", &program);
    for domain in ["won.example", "over.example"] {
        let body = with(claim(&program, domain), json!({ "account_name": domain }));
        let (id, _, respond_by) = asked(&world, &actor, body);
        let made = actor.get(&format!("{PATH}/{id}")).expect(200);
        assert!(respond_by > instant(&made, "/protected_until"));
        if domain == "won.example" {
            let deal = made.text("/deal_id");
            world.admin().act(&format!("/v1/deals/{deal}/win")).expect(200);
        }
    }
    assert_eq!(texts(&actor.all(EXTENSIONS), "status"), ["lapsed", "requested"]);
    world.pass(TimeDelta::days(40));
    assert_eq!(told(&world, "registration_extension.lapsed"), 2);
}

#[test]
fn a_missed_promise_is_not_forgotten() {
    let world = World::new();
    let program = program(&world, json!({}));
    let (_, actor) = partner(&world, "A", &program);
    let made = actor.post(PATH, claim(&program, "a.example")).expect(201);
    let (id, first) = (made.id(), instant(&made, "/respond_by"));
    world.clock.set(first + TimeDelta::days(3));
    assert_eq!(told(&world, "deal_registration.response_missed"), 1);
    let missed = || {
        instant(
            &actor.get(&format!("{PATH}/{id}")).expect(200),
            "/sla_breached_at",
        )
    };
    assert_eq!(
        missed(),
        first,
        "by when it was promised, not when somebody noticed"
    );
    verb_with_body(world.admin(), &id, "request_action").expect(200);
    let again = verb(&actor, &id, "submit").expect(200);
    assert_eq!(missed(), first);
    let second = instant(&again, "/respond_by");
    world.clock.set(second + TimeDelta::days(1));
    assert_eq!(told(&world, "deal_registration.response_missed"), 2);
    assert_eq!(missed(), second);
    world.work();
    assert_eq!(told(&world, "deal_registration.response_missed"), 2);
}

#[test]
fn an_answer_that_is_late_is_so_although_the_worker_did_not_notice() {
    for name in ["approve", "reject", "request_action", "withdraw"] {
        let world = World::new();
        let program = program(&world, json!({}));
        let (_, actor) = partner(&world, "A", &program);
        for is_late in [false, true] {
            let body = claim(&program, &format!("{is_late}.example"));
            let body = with(body, json!({ "account_name": format!("Hafen {is_late}") }));
            let made = actor.post(PATH, body).expect(201);
            let respond_by = instant(&made, "/respond_by");
            // To look at it is no answer.
            verb(world.admin(), &made.id(), "review").expect(200);
            world
                .clock
                .set(respond_by + TimeDelta::seconds(i64::from(is_late)));
            let who = if name == "withdraw" { &actor } else { world.admin() };
            let after = verb_with_body(who, &made.id(), name).expect(200);
            let expected = if is_late {
                made["respond_by"].clone()
            } else {
                Value::Null
            };
            assert_eq!(after["sla_breached_at"], expected, "{name} {is_late}");
            assert_eq!(
                told(&world, "deal_registration.response_missed"),
                usize::from(is_late)
            );
        }
    }
}

#[test]
fn no_end_is_announced_while_the_clock_stands_still() {
    let world = World::new();
    let program = program(&world, json!({ "protection_days": 30, "reminder_days": [7] }));
    let (_, actor) = partner(&world, "A", &program);
    let (id, request, respond_by) = asked(&world, &actor, claim(&program, "a.example"));
    let until = instant(
        &actor.get(&format!("{PATH}/{id}")).expect(200),
        "/protected_until",
    );
    world.clock.set(until - TimeDelta::days(2));
    assert_eq!(told(&world, "deal_registration.expiry_announced"), 0);
    let late = world.clock.now() - respond_by;
    let refuse = format!("{EXTENSIONS}/{request}/refuse");
    world.admin().post(&refuse, json!({ "reason": "No" })).expect(200);
    let until = until + late;
    world
        .clock
        .set(until - TimeDelta::days(7) - TimeDelta::seconds(1));
    assert_eq!(told(&world, "deal_registration.expiry_announced"), 0);
    world.clock.set(until - TimeDelta::days(7));
    assert_eq!(told(&world, "deal_registration.expiry_announced"), 1);
}

#[test]
fn accounts_are_not_merged_before_the_worker_has_noted_which_of_two_protections_are_over() {
    let world = World::new();
    let program = program(&world, json!({ "protection_days": 30 }));
    let account = |id: &str| world.admin().get(&format!("{PATH}/{id}")).expect(200)["account_id"].clone();
    let accounts = ["A", "B"].map(|name| {
        let (_, actor) = partner(&world, name, &program);
        let body = with(
            claim(&program, &format!("{name}.example")),
            json!({ "account_name": format!("{name} Reederei") }),
        );
        let id = actor.post(PATH, body).expect(201).id();
        verb(world.admin(), &id, "approve").expect(200);
        account(&id)
    });
    world.pass(TimeDelta::days(40));
    let merge = json!({ "account_id": accounts[0], "survivor_id": accounts[1], "reason": "One company." });
    let refused = world.admin().post("/v1/account-merges", merge.clone());
    let refused = refused.refused(409, "registration_conflict");
    assert!(
        refused.raw().contains("would claim one account"),
        "{}",
        refused.raw()
    );
    assert_eq!(told(&world, "deal_registration.expired"), 2);
    world.admin().post("/v1/account-merges", merge).expect(201);
}
