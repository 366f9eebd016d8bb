//! Who may do what: every operation of the document, with every permission but its own.

use crate::world::{Actor, Operation, Reply, World, operations};
use chrono::{SecondsFormat, TimeDelta};
use copartner::kernel::permission::Permission;
use serde_json::json;
use std::collections::BTreeMap;

/// Operations that need no credential, and why.
const PUBLIC: &[(&str, &str)] = &[
    ("getServiceInfo", "says what this is, before anybody has a key"),
    ("getHealth", "a supervisor asks it"),
    ("getReadiness", "a load balancer asks it"),
    (
        "refreshSession",
        "the refresh token in the body is the credential",
    ),
    ("getIssuerKeys", "public keys are for everybody"),
    ("receiveStripeEvent", "Stripe signs what it sends"),
];

/// Operations that need a credential and no permission, and why.
const FOR_ANYBODY: &[(&str, &str)] = &[
    ("getMe", "whoever is known may ask what it may do"),
    (
        "createSession",
        "a session lets in no more than the caller may do",
    ),
    ("logOut", "whoever has a session may end it"),
];

/// Every operation that needs a permission.
fn secured() -> Vec<Operation> {
    let private = private().into_iter();
    private
        .filter(|operation| FOR_ANYBODY.iter().all(|(name, _)| *name != operation.id))
        .collect()
}

/// Every operation that needs a credential.
fn private() -> Vec<Operation> {
    let all = operations();
    all.into_iter().filter(|operation| !operation.is_public).collect()
}

fn call(operation: &Operation, actor: &Actor) -> Reply {
    operation.ask(actor, &operation.path_to_nothing()).send()
}

#[test]
fn only_the_listed_operations_are_public() {
    let all = operations();
    let public: Vec<&str> = all
        .iter()
        .filter(|operation| operation.is_public)
        .map(|operation| operation.id)
        .collect();
    let listed: Vec<&str> = PUBLIC.iter().map(|(name, _)| *name).collect();
    assert_eq!(public, listed);
    for operation in secured() {
        assert!(
            !operation.permissions.is_empty(),
            "{} needs a permission",
            operation.id
        );
        for name in &operation.permissions {
            assert!(Permission::from_name(name).is_some(), "{}: {name}", operation.id);
        }
    }
}

#[test]
fn public_operations_ask_for_nothing() {
    let world = World::new();
    for operation in operations().iter().filter(|operation| operation.is_public) {
        let expected = if operation.method == "POST" { 401 } else { 200 };
        call(operation, &world.nobody()).expect(expected);
        call(operation, &world.bearer("cpk_nonsense")).expect(expected);
    }
}

#[test]
fn every_permission_but_its_own_is_not_enough() {
    let world = World::new();
    let all: Vec<&str> = Permission::ALL
        .iter()
        .map(|permission| permission.name())
        .collect();
    let mut keys: BTreeMap<Vec<&str>, Actor> = BTreeMap::new();
    for operation in secured() {
        let others: Vec<&str> = all
            .iter()
            .copied()
            .filter(|name| !operation.permissions.contains(name))
            .collect();
        let actor = keys
            .entry(operation.permissions.clone())
            .or_insert_with(|| world.key(&others));
        call(&operation, actor).refused(403, "permission_denied");
    }
}

#[test]
fn exactly_its_permission_is_enough() {
    let world = World::new();
    for operation in secured() {
        for permission in &operation.permissions {
            let reply = call(&operation, &world.key(&[permission]));
            let through = reply.status != 401 && reply.status != 403 && reply.status < 500;
            assert!(through, "{} {}: {}", operation.id, reply.status, reply.raw());
            assert!(
                operation.documents(reply.status),
                "{} answers {}, which its document does not know: {}",
                operation.id,
                reply.status,
                reply.raw()
            );
        }
    }
}

#[test]
fn without_a_good_key_nothing_is_told() {
    let world = World::new();
    let unknown = format!("cpk_{}", "A".repeat(43));
    let revoked = world.key(&["partners:read"]);
    revoke(&world, &revoked).expect(200);
    let strangers = [
        world.nobody(),
        world.bearer(""),
        world.bearer("nonsense"),
        world.bearer(&unknown),
        world.bearer(&format!("cpk_{}", "A".repeat(500))),
        revoked,
    ];
    for operation in private() {
        for stranger in &strangers {
            let reply = call(&operation, stranger).refused(401, "unauthorized");
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
    }
    for scheme in ["Basic YTpi", "Bearer", "bearer  ", "cpk_x"] {
        let reply = world
            .nobody()
            .ask("GET", "/v1/partners")
            .header("Authorization", scheme)
            .send();
        reply.refused(401, "unauthorized");
    }
}

/// A stranger must not learn from validation what a body looks like, nor somebody without the permission.
#[test]
fn permission_is_asked_before_the_request_is_looked_at() {
    let world = World::new();
    for operation in secured() {
        let path = operation.path_to_nothing();
        let ask = |actor: &Actor| {
            let ask = actor.ask(&operation.method, &format!("{path}?nonsense=1"));
            match operation.method.as_str() {
                "GET" => ask.send(),
                _ => ask.bytes("application/json", b"{".to_vec()).send(),
            }
        };
        let other = Permission::ALL
            .iter()
            .map(|permission| permission.name())
            .find(|name| !operation.permissions.contains(name))
            .unwrap();
        // The service has not seen either key before.
        ask(&world.bearer(&format!("cpk_{:0<43}", operation.id))).refused(401, "unauthorized");
        ask(&world.key(&[other])).refused(403, "permission_denied");
    }
}

fn revoke(world: &World, actor: &Actor) -> Reply {
    let id = actor.key_id.as_deref().unwrap();
    world.admin().act(&format!("/v1/api-keys/{id}/revoke"))
}

#[test]
fn a_revoked_key_is_refused_at_its_next_request() {
    let world = World::new();
    let actor = world.key(&["partners:read", "partners:write"]);
    actor.get("/v1/partners").expect(200);
    actor.post("/v1/partners", json!({ "name": "One" })).expect(201);
    revoke(&world, &actor).expect(200);
    actor.get("/v1/partners").refused(401, "unauthorized");
    actor
        .post("/v1/partners", json!({ "name": "Two" }))
        .refused(401, "unauthorized");
    revoke(&world, &actor).refused(409, "wrong_state");
    assert_eq!(world.admin().get("/v1/partners").expect(200).data().len(), 1);
}

#[test]
fn a_key_ends_at_its_expiry() {
    let world = World::new();
    let end = world.pass(TimeDelta::zero()) + TimeDelta::hours(1);
    let body = json!({
        "name": "For an hour",
        "permissions": ["partners:read"],
        "expires_at": end.to_rfc3339_opts(SecondsFormat::AutoSi, true),
    });
    let key = world.admin().post("/v1/api-keys", body).expect(201);
    let actor = world.bearer(key.text("/secret"));
    actor.get("/v1/partners").expect(200);
    world.clock.set(end - TimeDelta::microseconds(1));
    actor.get("/v1/partners").expect(200);
    world.clock.set(end);
    actor.get("/v1/partners").refused(401, "unauthorized");
}

#[test]
fn nobody_gives_what_they_do_not_hold() {
    let world = World::new();
    let giver = world.key(&["api_keys:write", "partners:read"]);
    let body = |permissions: &[&str]| json!({ "name": "Given", "permissions": permissions });
    giver.post("/v1/api-keys", body(&["partners:read"])).expect(201);
    giver
        .post("/v1/api-keys", body(&["partners:read", "partners:write"]))
        .refused(422, "validation_failed")
        .pointer("/permissions/1", "not_held");
}

#[test]
fn a_partners_key_holds_nothing_of_the_organization() {
    let world = World::new();
    let partner_id = world.partner("Nordlicht");
    for permission in Permission::ALL {
        let body = json!({ "name": "Key", "permissions": [permission.name()], "partner_id": partner_id });
        let reply = world.admin().post("/v1/api-keys", body);
        if permission.open_to_partners() {
            reply.expect(201);
        } else {
            reply
                .refused(422, "validation_failed")
                .pointer("/permissions/0", "not_for_partners");
        }
    }
}

#[test]
fn a_terminated_partners_keys_stop_at_once() {
    let world = World::new();
    let (one, other) = (world.partner("Nordlicht"), world.partner("Südwind"));
    let mine = [
        world.full_partner_key(&one),
        world.partner_key(&one, &["partners:read"]),
    ];
    let theirs = world.full_partner_key(&other);
    for actor in &mine {
        actor.get("/v1/partners").expect(200);
    }
    let terminate = format!("/v1/partners/{one}/terminate");
    world
        .admin()
        .post(&terminate, json!({ "reason": "Contract ended." }))
        .expect(200);
    for actor in &mine {
        actor.get("/v1/partners").refused(401, "unauthorized");
    }
    theirs.get("/v1/partners").expect(200);
}
