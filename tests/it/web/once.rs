//! Ask twice, happen once.

use crate::world::{Actor, Reply, World, count};
use serde_json::{Value, json};
use std::thread;

const PARTNERS: &str = "/v1/partners";

fn create(actor: &Actor, key: &str, body: &Value) -> Reply {
    let ask = actor.ask("POST", PARTNERS).header("Idempotency-Key", key);
    ask.json(body).send()
}

fn partners(world: &World) -> usize {
    world
        .admin()
        .get("/v1/partners?limit=100")
        .expect(200)
        .data()
        .len()
}

#[test]
fn the_same_request_again_gets_the_first_answer() {
    let world = World::new();
    let body = json!({ "name": "Nordlicht", "external_id": "crm-1" });
    let first = create(world.admin(), "key-1", &body).expect(201);
    assert!(!first.has_header("idempotency-replayed"));
    let again = create(world.admin(), "key-1", &body).expect(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.raw(), first.raw());
    for name in ["etag", "location", "content-type"] {
        assert_eq!(again.header(name), first.header(name));
    }
    assert_ne!(again.header("request-id"), first.header("request-id"));
    // Bare and quoted keys are the same.
    create(world.admin(), "\"key-1\"", &body).expect(201);
    assert_eq!(partners(&world), 1);
}

#[test]
fn a_key_stands_for_one_request() {
    let world = World::new();
    create(world.admin(), "key-1", &json!({ "name": "One" })).expect(201);
    create(world.admin(), "key-1", &json!({ "name": "Two" })).refused(422, "idempotency_key_reused");
    // Another route and another caller have keys of their own.
    let ask = world.admin().ask("PATCH", "/v1/organization");
    ask.header("Idempotency-Key", "key-1")
        .json(&json!({ "name": "Renamed" }))
        .send()
        .expect(200);
    let other = world.key(&["partners:write"]);
    create(&other, "key-1", &json!({ "name": "Three" })).expect(201);
    let stranger = world.second_organization();
    create(&stranger.admin, "key-1", &json!({ "name": "Four" })).expect(201);
    assert_eq!(partners(&world), 2);
}

#[test]
fn keys_have_a_form() {
    let world = World::new();
    let body = json!({ "name": "One" });
    for key in ["", "\"\"", "  "] {
        create(world.admin(), key, &body).refused(400, "idempotency_key_invalid");
    }
    create(world.admin(), &"k".repeat(256), &body).refused(400, "idempotency_key_invalid");
    create(world.admin(), "mit Umlaut ä", &body).refused(400, "idempotency_key_invalid");
    create(world.admin(), &"k".repeat(255), &body).expect(201);
    assert_eq!(partners(&world), 1);
}

#[test]
fn a_refusal_is_not_kept() {
    let world = World::new();
    let body = json!({ "name": "Below", "external_id": "crm-1" });
    world.admin().post(PARTNERS, body.clone()).expect(201);
    create(world.admin(), "key-1", &body).refused(409, "external_id_taken");
    let taken = json!({ "name": "Renamed", "external_id": "crm-1" });
    create(world.admin(), "key-1", &taken).refused(409, "external_id_taken");
    create(world.admin(), "key-1", &json!({ "name": "Good" })).expect(201);
}

#[test]
fn fifty_at_once_make_one_record() {
    let world = World::new();
    let body = json!({ "name": "Nordlicht" });
    let replies: Vec<Reply> = thread::scope(|scope| {
        let threads: Vec<_> = (0..50)
            .map(|_| scope.spawn(|| create(world.admin(), "key-1", &body)))
            .collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let made: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 201).collect();
    let first = made
        .iter()
        .filter(|reply| !reply.has_header("idempotency-replayed"))
        .count();
    assert_eq!(first, 1, "one request does the work");
    assert!(made.iter().all(|reply| reply.raw() == made[0].raw()));
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        let reply = reply.clone().refused(409, "idempotency_key_in_use");
        assert_eq!(reply.header("retry-after"), "1");
    }
    assert_eq!(partners(&world), 1);
    let events = "SELECT count(*) AS count FROM events WHERE type = 'partner.created'";
    assert_eq!(count(&mut world.database().owner(), events), 1);
}

#[test]
fn a_secret_is_shown_once_and_not_kept() {
    let world = World::new();
    let ask = || {
        let ask = world
            .admin()
            .ask("POST", "/v1/api-keys")
            .header("Idempotency-Key", "key-1");
        ask.json(&json!({ "name": "Key", "permissions": ["deals:read"] }))
            .send()
            .expect(201)
    };
    let (first, again) = (ask(), ask());
    let secret = first.text("/secret").to_owned();
    assert_eq!(again["secret"], Value::Null);
    assert_eq!(again["id"], first["id"]);
    let kept = format!(
        "SELECT count(*) AS count FROM idempotency_keys WHERE position('{secret}' in encode(answer_body, 'escape')) > 0"
    );
    assert_eq!(count(&mut world.database().owner(), &kept), 0);
}
