//! API keys over HTTP. What keys may do is held in `authorization`.

use crate::world::{World, names};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

const PATH: &str = "/v1/api-keys";

#[test]
fn a_key_is_shown_once() {
    let world = World::new();
    let body = json!({ "name": "Finance", "permissions": ["payouts:read", "deals:read"] });
    let made = world.admin().post(PATH, body).expect(201);
    let secret = made.text("/secret");
    assert!(secret.starts_with("cpk_") && secret.len() == 47, "{secret}");
    assert!(secret.starts_with(made.text("/prefix")));
    assert_eq!(made["permissions"], json!(["payouts:read", "deals:read"]));
    assert_eq!(made.header("location"), format!("{PATH}/{}", made.id()));
    let read = world.admin().get(made.header("location")).expect(200);
    assert_eq!(read.header("etag"), made.header("etag"));
    assert_eq!(read["secret"], Value::Null);
    assert!(!world.admin().get(PATH).expect(200).raw().contains(secret));
    let tables = "SELECT coalesce(string_agg(x, ''), '') AS name FROM (SELECT k::text AS x FROM api_keys k \
        UNION ALL SELECT e::text FROM events e UNION ALL SELECT a::text FROM audit_events a) all_rows";
    let everything = names(&mut world.database().owner(), tables).remove(0);
    assert!(everything.contains("Finance") && !everything.contains(secret));
}

#[test]
fn two_keys_are_never_the_same() {
    let world = World::new();
    let make = || {
        let body = json!({ "name": "Key", "permissions": ["deals:read"] });
        world
            .admin()
            .post(PATH, body)
            .expect(201)
            .text("/secret")
            .to_owned()
    };
    assert_ne!(make(), make());
}

#[test]
fn every_invalid_field_is_named_at_once() {
    let world = World::new();
    let refuse = |body| world.admin().post(PATH, body).refused(422, "validation_failed");
    refuse(json!({ "name": "Key", "permissions": ["deals:fly", "deals:read", "nonsense:read"] }))
        .pointer("/permissions/0", "unknown_permission")
        .pointer("/permissions/2", "unknown_permission");
    refuse(json!({ "permissions": [] }))
        .pointer("/name", "missing")
        .pointer("/permissions", "too_few");
    refuse(json!({ "name": "Key", "permissions": ["deals:read"], "expires_at": "2026-03-02T09:00:00Z" }))
        .pointer("/expires_at", "in_the_past");
    refuse(json!({ "name": "Key", "permissions": ["deals:read"], "expires_at": "tomorrow" }))
        .pointer("/expires_at", "invalid_format");
    let nobody = "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w";
    refuse(json!({ "name": "Key", "permissions": ["deals:read"], "partner_id": nobody }))
        .pointer("/partner_id", "unknown_reference");
    assert_eq!(world.admin().get(PATH).expect(200).data().len(), 1);
}

#[test]
fn keys_are_listed_newest_first_and_by_partner() {
    let world = World::new();
    let partner_id = world.partner("Nordlicht");
    let first = world.key(&["deals:read"]).key_id.unwrap();
    world.pass(TimeDelta::seconds(1));
    let second = world.full_partner_key(&partner_id).key_id.unwrap();
    let list = world.admin().get(PATH).expect(200);
    let ids: Vec<&str> = list
        .data()
        .iter()
        .map(|key| key["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids[..2], [second.as_str(), first.as_str()]);
    let of_partner = world
        .admin()
        .get(&format!("{PATH}?partner_id={partner_id}"))
        .expect(200);
    assert_eq!(of_partner.data().len(), 1);
    assert_eq!(of_partner.data()[0]["id"], second);
    assert_eq!(of_partner.data()[0]["partner_id"], partner_id);
}

#[test]
fn a_key_is_revoked_for_good() {
    let world = World::new();
    let id = world.key(&["deals:read"]).key_id.unwrap();
    let path = format!("{PATH}/{id}");
    let now = world.pass(TimeDelta::minutes(1));
    let stale = world
        .admin()
        .ask("POST", &format!("{path}/revoke"))
        .header("If-Match", "\"7\"");
    stale.send().refused(412, "precondition_failed");
    let revoked = world.admin().act(&format!("{path}/revoke")).expect(200);
    assert_eq!(revoked["revoked_at"], json!(now));
    let again = world
        .admin()
        .act(&format!("{path}/revoke"))
        .refused(409, "wrong_state");
    assert_eq!(again["current_state"], "revoked");
    assert_eq!(again["allowed_moves"], json!([]));
    assert_eq!(world.admin().get(&path).expect(200)["revoked_at"], json!(now));
}

#[test]
fn a_key_may_end_itself() {
    let world = World::new();
    let actor = world.key(&["api_keys:write"]);
    let path = format!("{PATH}/{}/revoke", actor.key_id.as_deref().unwrap());
    actor.act(&path).expect(200);
    actor.act(&path).refused(401, "unauthorized");
}

#[test]
fn a_rotated_key_has_two_secrets_for_a_while() {
    let world = World::new();
    let key = world.key(&["deals:read"]);
    let path = format!("{PATH}/{}", key.key_id.as_deref().unwrap());
    let rotate = |seconds: u32| {
        let body = json!({ "overlap_seconds": seconds });
        let rotated = world.admin().post(&format!("{path}/rotate"), body).expect(200);
        world.bearer(rotated.text("/secret"))
    };
    key.get("/v1/deals").expect(200);
    let second = rotate(3600);
    key.get("/v1/deals").expect(200);
    second.get("/v1/deals").expect(200);
    world.pass(TimeDelta::seconds(3599));
    key.get("/v1/deals").expect(200);
    world.pass(TimeDelta::seconds(1));
    key.get("/v1/deals").refused(401, "unauthorized");
    second.get("/v1/deals").expect(200);
    // Two rotations at once leave the last two secrets, and one without an overlap only the last.
    let third = rotate(3600);
    let fourth = rotate(3600);
    second.get("/v1/deals").refused(401, "unauthorized");
    third.get("/v1/deals").expect(200);
    let fifth = rotate(0);
    third.get("/v1/deals").refused(401, "unauthorized");
    fourth.get("/v1/deals").refused(401, "unauthorized");
    fifth.get("/v1/deals").expect(200);
    world.admin().act(&format!("{path}/revoke")).expect(200);
    fifth.get("/v1/deals").refused(401, "unauthorized");
    world
        .admin()
        .post(&format!("{path}/rotate"), json!({}))
        .refused(409, "wrong_state");
}

#[test]
fn nobody_comes_by_the_secret_of_a_key_that_may_do_more() {
    let world = World::new();
    let path = format!("{PATH}/{}", world.key(&["payouts:confirm"]).key_id.unwrap());
    let clerk = world.key(&["api_keys:write", "deals:read"]);
    clerk
        .post(&format!("{path}/rotate"), json!({}))
        .refused(403, "permission_denied");
    clerk
        .patch(&path, json!({ "allowed_networks": [] }))
        .refused(403, "permission_denied");
    // What a key may do never changes, not even by its maker.
    for field in [
        "permissions",
        "partner_id",
        "owner_id",
        "organization_id",
        "revoked_at",
    ] {
        world
            .admin()
            .patch(&path, json!({ field: null }))
            .refused(422, "validation_failed")
            .pointer(&format!("/{field}"), "unknown_field");
    }
}

#[test]
fn a_key_is_refused_from_elsewhere() {
    let world = World::new();
    let body =
        |networks: Value| json!({ "name": "K", "permissions": ["deals:read"], "allowed_networks": networks });
    let made = world
        .admin()
        .post(PATH, body(json!(["10.1.2.3/8", "2001:db8::/32"])))
        .expect(201);
    let (key, path) = (
        world.bearer(made.text("/secret")),
        format!("{PATH}/{}", made.id()),
    );
    key.get("/v1/deals").refused(401, "unauthorized");
    let read = world.admin().get(&path).expect(200);
    assert_eq!(read["allowed_networks"], json!(["10.0.0.0/8", "2001:db8::/32"]));
    let patch = |networks: Value| {
        world
            .admin()
            .patch(&path, json!({ "allowed_networks": networks }))
    };
    patch(json!(["127.0.0.0/8"])).expect(200);
    key.get("/v1/deals").expect(200);
    patch(json!(["192.0.2.0/24"])).expect(200);
    key.get("/v1/deals").refused(401, "unauthorized");
    patch(json!([])).expect(200);
    key.get("/v1/deals").expect(200);
    patch(json!(["127.0.0.0/33"]))
        .refused(422, "validation_failed")
        .pointer("/allowed_networks/0", "invalid_network");
}

#[test]
fn the_last_key_that_makes_keys_and_people_stays_where_no_user_is_an_admin() {
    let world = World::new();
    let keys = world.admin().all(PATH);
    let path = format!("{PATH}/{}", keys[0]["id"].as_str().unwrap());
    let end = world.clock.now() + TimeDelta::hours(1);
    let removals = || {
        [
            world.admin().act(&format!("{path}/revoke")),
            world.admin().patch(&path, json!({ "expires_at": end })),
        ]
    };
    for refused in removals() {
        refused.refused(409, "last_admin");
    }
    // One that can make keys alone is no other admin, nor is one that ends before.
    let body = |permissions: &[&str]| json!({ "name": "K", "permissions": permissions });
    world.admin().post(PATH, body(&["api_keys:write"])).expect(201);
    let both = ["api_keys:write", "users:write", "api_keys:read"];
    let mut ending = body(&both);
    ending["expires_at"] = json!(end);
    let other = world.admin().post(PATH, ending).expect(201);
    let other = world.bearer(other.text("/secret"));
    world.pass(TimeDelta::hours(1));
    world
        .admin()
        .act(&format!("{path}/revoke"))
        .refused(409, "last_admin");
    other.get(PATH).refused(401, "unauthorized");
    world.admin().post(PATH, body(&both)).expect(201);
    world.admin().act(&format!("{path}/revoke")).expect(200);
}

#[test]
fn a_key_tells_when_it_was_last_used() {
    let world = World::new();
    let key = world.key(&["deals:read"]);
    let path = format!("{PATH}/{}", key.key_id.as_deref().unwrap());
    let last_used = || world.admin().get(&path).expect(200)["last_used_at"].clone();
    world.tell_uses();
    assert_eq!(last_used(), Value::Null);
    let first = world.pass(TimeDelta::hours(1));
    key.get("/v1/deals").expect(200);
    world.tell_uses();
    assert_eq!(last_used(), json!(first));
    let second = world.pass(TimeDelta::hours(1));
    key.get("/v1/deals").expect(200);
    world.tell_uses();
    assert_eq!(last_used(), json!(second));
}

#[test]
fn a_key_may_end_later_or_earlier_than_it_was_made_for() {
    let world = World::new();
    let key = world.key(&["deals:read"]);
    let path = format!("{PATH}/{}", key.key_id.as_deref().unwrap());
    key.get("/v1/deals").expect(200);
    let end = world.pass(TimeDelta::zero()) + TimeDelta::hours(1);
    world
        .admin()
        .patch(&path, json!({ "expires_at": end }))
        .expect(200);
    world.pass(TimeDelta::hours(1));
    key.get("/v1/deals").refused(401, "unauthorized");
    world
        .admin()
        .patch(&path, json!({ "expires_at": null }))
        .expect(200);
    key.get("/v1/deals").expect(200);
}

#[test]
fn a_confined_key_makes_and_changes_none_that_is_less_confined() {
    let world = World::new();
    let end = world.pass(TimeDelta::zero()) + TimeDelta::days(1);
    let (later, home) = (end + TimeDelta::seconds(1), "127.0.0.0/8");
    let confined = json!({ "name": "Confined", "permissions": ["api_keys:read", "api_keys:write"],
        "expires_at": end, "allowed_networks": [home] });
    let made = world.admin().post(PATH, confined).expect(201);
    let (own, other) = (
        made.id(),
        world
            .admin()
            .post(PATH, json!({ "name": "Other", "permissions": ["api_keys:read"] })),
    );
    let other = other.expect(201).id();
    let key = world.bearer(made.text("/secret"));
    let body = |end: Value, networks: Value| json!({ "name": "Made", "permissions": ["api_keys:read"], "expires_at": end, "allowed_networks": networks });
    key.post(PATH, json!({ "name": "Made", "permissions": ["api_keys:read"] }))
        .refused(422, "validation_failed")
        .pointer("/expires_at", "beyond_own")
        .pointer("/allowed_networks", "beyond_own");
    key.post(PATH, body(json!(later), json!(["127.0.0.1/32"])))
        .refused(422, "validation_failed")
        .pointer("/expires_at", "beyond_own");
    key.post(PATH, body(json!(end), json!(["127.0.0.1/32", "10.0.0.0/8"])))
        .refused(422, "validation_failed")
        .pointer("/allowed_networks", "beyond_own");
    key.patch(&format!("{PATH}/{own}"), json!({ "expires_at": later }))
        .refused(422, "validation_failed")
        .pointer("/expires_at", "beyond_own");
    key.post(&format!("{PATH}/{other}/rotate"), json!({ "overlap_seconds": 0 }))
        .refused(422, "validation_failed")
        .pointer("/expires_at", "beyond_own");
    key.post(PATH, body(json!(end), json!(["127.0.0.1/32"])))
        .expect(201);
    key.post(&format!("{PATH}/{own}/rotate"), json!({ "overlap_seconds": 60 }))
        .expect(200);
}
