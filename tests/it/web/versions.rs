//! Versions of records: ETag, If-Match, If-None-Match.

use crate::world::{Operation, World, operations};
use serde_json::json;
use std::thread;

fn partner(world: &World) -> (String, String) {
    let made = world
        .admin()
        .post("/v1/partners", json!({ "name": "Nordlicht" }))
        .expect(201);
    (made.header("location").to_owned(), made.header("etag").to_owned())
}

#[test]
fn a_stale_version_is_refused() {
    let world = World::new();
    let (path, first) = partner(&world);
    let rename = |tag: &str, name: &str| {
        let ask = world.admin().ask("PATCH", &path).header("If-Match", tag);
        ask.json(&json!({ "name": name })).send()
    };
    let second = rename(&first, "Two").expect(200).header("etag").to_owned();
    assert_ne!(first, second);
    rename(&first, "Three").refused(412, "precondition_failed");
    rename(&format!("{first}, {second}"), "Four").expect(200);
    rename("*", "Five").expect(200);
    let approve = world
        .admin()
        .ask("POST", &format!("{path}/approve"))
        .header("If-Match", &first);
    approve.send().refused(412, "precondition_failed");
    let now = world.admin().get(&path).expect(200);
    assert_eq!(now["name"], "Five");
    assert_eq!(now["status"], "applied");
}

#[test]
fn a_malformed_version_matches_nothing_and_hears_why() {
    let world = World::new();
    let (path, _) = partner(&world);
    for tag in [
        "1",
        "\"one\"",
        "W/1",
        "\"1",
        "\"\"",
        "\"99999999999999999999\"",
        "",
        "nonsense",
    ] {
        let ask = world.admin().ask("PATCH", &path).header("If-Match", tag);
        let refused = ask.json(&json!({ "name": "Renamed" })).send();
        let refused = refused.refused(412, "precondition_failed");
        assert!(
            refused.text("/detail").contains("quotes"),
            "{tag}: {}",
            refused.raw()
        );
    }
}

#[test]
fn a_tag_that_a_proxy_made_weak_is_the_same_version() {
    let world = World::new();
    let (path, tag) = partner(&world);
    let rename = |tag: &str| {
        let ask = world.admin().ask("PATCH", &path).header("If-Match", tag);
        ask.json(&json!({ "name": "Renamed" })).send()
    };
    rename(&format!("W/{tag}")).expect(200);
    let stale = rename(&format!("W/{tag}")).refused(412, "precondition_failed");
    assert!(
        stale.text("/detail").contains("at version \"2\""),
        "{}",
        stale.raw()
    );
}

#[test]
fn a_known_version_is_not_sent_again() {
    let world = World::new();
    let (path, tag) = partner(&world);
    let read = |known: &str| {
        world
            .admin()
            .ask("GET", &path)
            .header("If-None-Match", known)
            .send()
    };
    for known in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"77\", {tag}"),
        "*".to_owned(),
    ] {
        let reply = read(&known).expect(304);
        assert_eq!(reply.raw(), "");
        assert_eq!(reply.header("etag"), tag);
    }
    read("\"77\"").expect(200);
    read("nonsense").expect(200);
    world
        .admin()
        .patch(&path, json!({ "name": "Renamed" }))
        .expect(200);
    read(&tag).expect(200);
}

#[test]
fn of_many_that_change_the_same_version_one_succeeds() {
    let world = World::new();
    let (path, tag) = partner(&world);
    let (world, path, tag) = (&world, &path, &tag);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let rename = |number: u32| {
            move || {
                let ask = world.admin().ask("PATCH", path).header("If-Match", tag);
                ask.json(&json!({ "name": format!("Name {number}") }))
                    .send()
                    .status
            }
        };
        let threads: Vec<_> = (0..20).map(|number| scope.spawn(rename(number))).collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let done = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(done, 1, "{statuses:?}");
    assert!(
        statuses.iter().all(|status| [200, 412].contains(status)),
        "{statuses:?}"
    );
    assert_eq!(world.admin().get(path).header("etag"), "\"2\"");
}

#[test]
fn headers_that_an_operation_demands_are_demanded() {
    let world = World::new();
    let without = |operation: &Operation, left_out: &str| {
        let mut ask = world.admin().ask(&operation.method, &operation.path_to_nothing());
        for name in ["Idempotency-Key", "If-Match"] {
            if name != left_out && operation.demands_header(name) {
                ask = ask.header(name, "\"1\"");
            }
        }
        match operation.example_body() {
            Some(body) => ask.json(body).send(),
            None => ask.send(),
        }
    };
    for operation in operations() {
        if operation.demands_header("If-Match") {
            without(&operation, "If-Match").refused(428, "precondition_required");
        }
        if operation.demands_header("Idempotency-Key") {
            without(&operation, "Idempotency-Key").refused(400, "idempotency_key_required");
        }
    }
}
