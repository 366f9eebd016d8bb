//! The life cycle, the deadline, and who reads what.

use super::{PATH, decide, earned, open, status, verb};
use crate::world::{Actor, World, texts};
use chrono::TimeDelta;
use copartner::features::disputes::{DisputeStatus, MOVES};
use serde_json::{Value, json};

/// A verb with whatever body it needs.
fn body_of(name: &str) -> Value {
    match name {
        "review" => json!({}),
        "request_information" => json!({ "reason": "Which order?" }),
        "answer" => {
            json!({ "body": "This one.", "evidence": [{ "name": "Order", "url": "https://files.example/1" }] })
        }
        "decide" => json!({ "outcome": "denied", "reason": "It stands." }),
        _ => Value::Null,
    }
}

/// One dispute in each state, and every verb that the state does not allow.
#[test]
fn every_illegal_move_is_refused_with_the_state_and_what_it_allows() {
    let mut tried = 0;
    for &status in DisputeStatus::ALL {
        let (world, _, _, actor, line) = earned();
        let id = open(&actor, &[&line], "15.00 USD").expect(201).id();
        bring(&world, &actor, &id, status);
        let found = world.admin().get(&format!("{PATH}/{id}")).expect(200);
        assert_eq!(found["status"], status.as_str());
        for illegal in MOVES.iter().filter(|one| !one.from.contains(&status)) {
            let refused = verb(world.admin(), &id, illegal.verb, body_of(illegal.verb));
            let refused = refused.refused(409, "wrong_state");
            assert_eq!(refused["current_state"], status.as_str());
            assert_eq!(refused["allowed_moves"], json!(status.moves()));
            tried += 1;
        }
        let after = world.admin().get(&format!("{PATH}/{id}")).expect(200);
        assert_eq!(after.header("etag"), found.header("etag"), "{status}");
        world.books_balance();
    }
    let legal: usize = MOVES.iter().map(|one| one.from.len()).sum();
    assert_eq!(tried, MOVES.len() * DisputeStatus::ALL.len() - legal);
}

/// Moves an open dispute to where it is wanted.
fn bring(world: &World, actor: &Actor, id: &str, status: DisputeStatus) {
    let path: &[&str] = match status {
        DisputeStatus::Open => &[],
        DisputeStatus::InReview => &["review"],
        DisputeStatus::NeedsInformation => &["review", "request_information"],
        DisputeStatus::Denied => &["review", "decide"],
        DisputeStatus::Withdrawn => {
            verb(actor, id, "withdraw", Value::Null).expect(200);
            &[]
        }
        DisputeStatus::Upheld | DisputeStatus::PartiallyUpheld => {
            let is_whole = status == DisputeStatus::Upheld;
            let found = if is_whole { "15.00 USD" } else { "12.00 USD" };
            let finding = json!({ "found_amount": crate::world::money(found) });
            verb(world.admin(), id, "review", finding).expect(200);
            decide(&super::judge(world), id, status.as_str()).expect(200);
            &[]
        }
    };
    for name in path {
        verb(world.admin(), id, name, body_of(name)).expect(200);
    }
}

#[test]
fn an_overdue_answer_is_told_once_and_a_question_gives_the_time_back() {
    let (world, _, _, actor, line) = earned();
    let id = open(&actor, &[&line], "15.00 USD").expect(201);
    let promised = id.text("/respond_by").to_owned();
    let id = id.id();
    verb(world.admin(), &id, "review", json!({})).expect(200);
    verb(
        world.admin(),
        &id,
        "request_information",
        body_of("request_information"),
    )
    .expect(200);
    world.pass(TimeDelta::days(30));
    world.work();
    let overdue = |world: &World| {
        world
            .admin()
            .all("/v1/events?type=dispute.response_overdue")
            .len()
    };
    assert_eq!(overdue(&world), 0);
    let answered = verb(&actor, &id, "answer", body_of("answer")).expect(200);
    assert!(answered.text("/respond_by") > promised.as_str());
    assert_eq!(answered["evidence"].as_array().unwrap().len(), 1);
    world.pass(TimeDelta::days(30));
    world.work();
    world.work();
    assert_eq!(overdue(&world), 1);
    assert_ne!(
        world.admin().get(&format!("{PATH}/{id}"))["overdue_at"],
        Value::Null
    );
}

#[test]
fn a_dispute_that_nobody_looks_into_is_overdue_too() {
    let (world, _, _, actor, line) = earned();
    let id = open(&actor, &[&line], "15.00 USD").expect(201).id();
    world.pass(TimeDelta::days(30));
    world.work();
    let found = world.admin().get(&format!("{PATH}/{id}")).expect(200);
    assert_eq!(found["status"], "open");
    assert_ne!(found["overdue_at"], Value::Null);
}

#[test]
fn a_partner_sees_its_own_and_never_what_is_internal() {
    let (world, program, _, actor, line) = earned();
    let id = open(&actor, &[&line], "15.00 USD").expect(201).id();
    let path = format!("{PATH}/{id}/comments");
    let said = json!({ "body": "Secret.", "visibility": "internal" });
    world.admin().post(&path, said.clone()).expect(200);
    actor.post(&path, said).pointer("/visibility", "not_for_partners");
    actor.post(&path, json!({ "body": "Please look." })).expect(200);
    assert_eq!(
        texts(&actor.all("/v1/dispute-comments"), "body"),
        ["Please look."]
    );
    assert_eq!(world.admin().all("/v1/dispute-comments").len(), 2);
    verb(world.admin(), &id, "review", json!({ "note": "Secret." })).expect(200);
    world.work();
    let told: Vec<String> = actor.all("/v1/events").iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|event| event.contains("dispute.review_started")));
    assert!(told.iter().all(|event| !event.contains("Secret.")));
    let rival = world.enrolled("B", &program);
    let rival = world.full_partner_key(&rival);
    assert_eq!(rival.all(PATH).len(), 0);
    rival.get(&format!("{PATH}/{id}")).refused(404, "not_found");
    verb(&rival, &id, "withdraw", Value::Null).refused(404, "not_found");
    verb(&actor, &id, "review", json!({})).refused(403, "permission_denied");
    assert_eq!(status(&world, &id), "in_review");
}
