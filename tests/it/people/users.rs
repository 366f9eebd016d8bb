//! Users: what may be said of them, how they move, and that whoever leaves is out at the next request.

use super::{built_in, key_of, reason, user};
use crate::world::{World, texts};
use copartner::platform::clock::Clock;
use serde_json::{Value, json};
use std::thread;

#[test]
fn a_user_is_written_once_and_found_again() {
    let world = World::new();
    let role = built_in(&world, "finance");
    let body = json!({ "name": "Ada Okafor", "email": "Ada@Example.com", "external_id": "hr-1", "role_ids": [role, role] });
    let made = world.admin().post("/v1/users", body).expect(201);
    assert_eq!(made["email"], "ada@example.com");
    assert_eq!(made["role_ids"], json!([role]));
    assert_eq!(made["status"], "active");
    let read = world.admin().get(made.header("location")).expect(200);
    assert_eq!(read.header("etag"), made.header("etag"));
    for query in [
        "?email=ADA@example.com".to_owned(),
        "?external_id=hr-1".to_owned(),
        format!("?role_id={role}"),
        "?status=active".to_owned(),
    ] {
        let found = world.admin().all(&format!("/v1/users{query}"));
        assert_eq!(texts(&found, "id"), [made.id()], "{query}");
    }
    assert_eq!(world.admin().all("/v1/users?status=suspended"), [] as [Value; 0]);
    let again = json!({ "name": "Ada", "email": "ADA@example.com" });
    world
        .admin()
        .post("/v1/users", again)
        .refused(409, "already_exists")
        .pointer("/email", "taken");
    let patched = world
        .admin()
        .patch(
            made.header("location"),
            json!({ "name": "Ada Lind", "external_id": null, "role_ids": [] }),
        )
        .expect(200);
    assert_eq!(
        (&patched["name"], &patched["external_id"], &patched["role_ids"]),
        (&json!("Ada Lind"), &Value::Null, &json!([]))
    );
}

#[test]
fn a_user_that_is_out_is_out_with_all_its_keys() {
    let world = World::new();
    let ada = user(&world, "ada@example.com", "finance", None);
    let path = format!("/v1/users/{ada}");
    let key = key_of(&world, &ada, None, &["payout_runs:read"]);
    key.get("/v1/payout-runs").expect(200);
    world
        .admin()
        .post(&format!("{path}/suspend"), reason())
        .expect(200);
    key.get("/v1/payout-runs").refused(401, "unauthorized");
    world.admin().act(&format!("{path}/reinstate")).expect(200);
    key.get("/v1/payout-runs").expect(200);
    world
        .admin()
        .post(&format!("{path}/terminate"), reason())
        .expect(200);
    key.get("/v1/payout-runs").refused(401, "unauthorized");
    let keys = world.admin().all(&format!("/v1/api-keys?owner_id={ada}"));
    assert!(keys[0]["revoked_at"].is_string());
    let verbs = [
        world.admin().act(&format!("{path}/reinstate")),
        world.admin().post(&format!("{path}/suspend"), reason()),
        world.admin().patch(&path, json!({ "name": "Back" })),
    ];
    for refused in verbs {
        refused.refused(409, "wrong_state");
    }
    // The address is free again for somebody else.
    user(&world, "ada@example.com", "finance", None);
}

#[test]
fn a_partner_that_ends_takes_its_people_along() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let ada = user(&world, "ada@nordlicht.example", "partner_admin", Some(&partner));
    let key = key_of(&world, &ada, Some(&partner), &["deals:read"]);
    key.get("/v1/deals").expect(200);
    let terminate = format!("/v1/partners/{partner}/terminate");
    world.admin().post(&terminate, reason()).expect(200);
    key.get("/v1/deals").refused(401, "unauthorized");
    let seen = world.admin().get(&format!("/v1/users/{ada}")).expect(200);
    assert_eq!(seen["status"], "terminated");
}

#[test]
fn changed_roles_count_at_the_next_request() {
    let world = World::new();
    let ada = user(&world, "ada@example.com", "finance", None);
    let path = format!("/v1/users/{ada}");
    let key = key_of(
        &world,
        &ada,
        None,
        &["invoices:read", "invoices:write", "deals:read"],
    );
    key.get("/v1/invoices").expect(200);
    let sales = built_in(&world, "sales");
    world
        .admin()
        .patch(&path, json!({ "role_ids": [sales] }))
        .expect(200);
    key.get("/v1/invoices").refused(403, "permission_denied");
    key.get("/v1/deals").expect(200);
    let finance = built_in(&world, "finance");
    world
        .admin()
        .patch(&path, json!({ "role_ids": [finance] }))
        .expect(200);
    key.get("/v1/invoices").expect(200);
    let me = key.get("/v1/me").expect(200);
    assert_eq!(
        me["permissions"],
        json!(["invoices:read", "invoices:write", "deals:read"])
    );
}

#[test]
fn the_last_admin_cannot_be_removed() {
    let world = World::new();
    let admin = built_in(&world, "admin");
    let ada = format!("/v1/users/{}", user(&world, "ada@example.com", "admin", None));
    let bob = format!("/v1/users/{}", user(&world, "bob@example.com", "admin", None));
    world
        .admin()
        .post(&format!("{bob}/suspend"), reason())
        .expect(200);
    let removals = [
        world.admin().post(&format!("{ada}/suspend"), reason()),
        world.admin().post(&format!("{ada}/terminate"), reason()),
        world.admin().patch(&ada, json!({ "role_ids": [] })),
    ];
    for refused in removals {
        refused.refused(409, "last_admin");
    }
    let left = world.admin().get(&ada).expect(200);
    assert_eq!(
        (&left["status"], &left["role_ids"]),
        (&json!("active"), &json!([admin]))
    );
    world.admin().act(&format!("{bob}/reinstate")).expect(200);
    world.admin().patch(&ada, json!({ "role_ids": [] })).expect(200);
}

#[test]
fn two_admins_who_remove_each_other_leave_one() {
    let world = World::new();
    let users = ["ada", "bob"].map(|name| user(&world, &format!("{name}@example.com"), "admin", None));
    let outcomes: Vec<u16> = thread::scope(|scope| {
        let removals = users.each_ref().map(|id| {
            let world = &world;
            scope.spawn(move || {
                world
                    .admin()
                    .post(&format!("/v1/users/{id}/suspend"), reason())
                    .status
            })
        });
        removals.map(|removal| removal.join().unwrap()).to_vec()
    });
    let mut outcomes = outcomes;
    outcomes.sort_unstable();
    assert_eq!(outcomes, [200, 409]);
}

#[test]
fn nobody_gives_a_role_that_holds_more_than_they_do() {
    let world = World::new();
    let clerk = world.key(&["users:read", "users:write", "roles:read", "deals:read"]);
    let finance = built_in(&world, "finance");
    let body = json!({ "name": "Mallory", "email": "m@example.com", "role_ids": [finance] });
    clerk
        .post("/v1/users", body)
        .refused(422, "validation_failed")
        .pointer("/role_ids", "not_held");
    let mallory = clerk
        .post("/v1/users", json!({ "name": "M", "email": "m@example.com" }))
        .expect(201);
    clerk
        .patch(mallory.header("location"), json!({ "role_ids": [finance] }))
        .refused(422, "validation_failed")
        .pointer("/role_ids", "not_held");
    // Nor does a clerk put out somebody who holds more.
    let ada = format!("/v1/users/{}", user(&world, "ada@example.com", "finance", None));
    clerk
        .post(&format!("{ada}/terminate"), reason())
        .refused(422, "validation_failed");
    clerk
        .patch(&ada, json!({ "role_ids": [] }))
        .refused(422, "validation_failed");
}

#[test]
fn a_partners_admin_looks_after_its_own_people_alone() {
    let world = World::new();
    let (own, other) = (world.partner("Nordlicht"), world.partner("Südwind"));
    let ada = user(&world, "ada@nordlicht.example", "partner_admin", Some(&own));
    let open = world.full_partner_key(&own).get("/v1/me").expect(200);
    let open: Vec<&str> = open["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let admin = key_of(&world, &ada, Some(&own), &open);
    let stranger = user(&world, "eve@suedwind.example", "partner_member", Some(&other));
    let vendor = user(&world, "vic@example.com", "analyst", None);
    for id in [&stranger, &vendor] {
        admin.get(&format!("/v1/users/{id}")).refused(404, "not_found");
        admin
            .post(&format!("/v1/users/{id}/suspend"), reason())
            .refused(404, "not_found");
        admin
            .patch(&format!("/v1/users/{id}"), json!({ "name": "x" }))
            .refused(404, "not_found");
    }
    // A new user belongs to the caller's own partner, and may have the stranger's address.
    let member = built_in(&world, "partner_member");
    let body =
        json!({ "name": "Eve", "email": "eve@suedwind.example", "partner_id": own, "role_ids": [member] });
    let made = admin.post("/v1/users", body).expect(201);
    assert_eq!(made["partner_id"], json!(own));
    let roles = admin.all("/v1/roles");
    assert_eq!(texts(&roles, "built_in"), ["partner_admin", "partner_member"]);
    let finance = built_in(&world, "finance");
    for body in [
        json!({ "name": "M", "email": "m@nordlicht.example", "role_ids": [finance] }),
        json!({ "name": "M", "email": "m@nordlicht.example", "external_id": "hr-1" }),
    ] {
        admin.post("/v1/users", body).refused(422, "validation_failed");
    }
    let elsewhere = json!({ "name": "M", "email": "m@nordlicht.example", "partner_id": other });
    admin
        .post("/v1/users", elsewhere)
        .refused(422, "validation_failed")
        .pointer("/partner_id", "unknown_reference");
    assert_eq!(texts(&admin.all("/v1/users"), "id"), [made.id(), ada.clone()]);
    let elsewhere = json!({ "name": "Sync", "permissions": ["deals:read"], "partner_id": other });
    admin
        .post("/v1/api-keys", elsewhere)
        .refused(422, "validation_failed")
        .pointer("/partner_id", "unknown_reference");
    let key = json!({ "name": "Sync", "permissions": ["deals:read"] });
    let key = admin.post("/v1/api-keys", key).expect(201);
    assert_eq!((&key["partner_id"], &key["owner_id"]), (&json!(own), &json!(ada)));
    assert_eq!(world.admin().all("/v1/audit-events?action=user.created").len(), 4);
}

#[test]
fn keys_of_one_person_are_one_person() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let ada = user(&world, "ada@example.com", "finance", None);
    let rights = ["payout_runs:read", "payout_runs:write", "payout_runs:approve"];
    let [first, second] = [(), ()].map(|()| key_of(&world, &ada, None, &rights));
    let bob = user(&world, "bob@example.com", "finance", None);
    let other = key_of(&world, &bob, None, &rights);
    let run = json!({ "rail": "manual", "cut_off_at": world.clock.now() });
    let run = first.post_once("/v1/payout-runs", run).expect(201);
    assert_eq!(run["created_by"], json!(ada));
    let approve = |actor: &crate::world::Actor| {
        let path = format!("/v1/payout-runs/{}/approve", run.id());
        actor
            .ask("POST", &path)
            .header("Idempotency-Key", &format!("approve-{:?}", actor.key_id))
            .header("If-Match", run.header("etag"))
            .send()
    };
    approve(&second).refused(409, "second_person_required");
    assert_eq!(approve(&other).expect(200)["approved_by"], json!(bob));
    let entry = world.admin().all(&format!("/v1/audit-events?user_id={bob}"));
    assert_eq!(texts(&entry, "action"), ["payout_run.approved"]);
    assert_eq!(entry[0]["actor_id"], json!(other.key_id));
}

#[test]
fn a_key_of_a_partners_user_is_that_partners() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let mia = user(&world, "mia@nordlicht.example", "partner_admin", Some(&partner));
    let key = json!({ "name": "Mia's", "owner_id": mia, "permissions": ["deals:read"] });
    let key = world.admin().post("/v1/api-keys", key).expect(201);
    assert_eq!(
        (&key["partner_id"], &key["owner_id"]),
        (&json!(partner), &json!(mia))
    );
    let beyond = json!({ "name": "Mia's", "owner_id": mia, "permissions": ["payout_runs:approve"] });
    world
        .admin()
        .post("/v1/api-keys", beyond)
        .refused(422, "validation_failed")
        .pointer("/permissions/0", "not_for_partners");
}

#[test]
fn a_key_is_no_more_than_its_owner() {
    let world = World::new();
    let ada = user(&world, "ada@example.com", "sales", None);
    let partner = world.partner("Nordlicht");
    let key = |body: Value| {
        world
            .admin()
            .post("/v1/api-keys", body)
            .refused(422, "validation_failed")
    };
    key(json!({ "name": "K", "owner_id": ada, "permissions": ["deals:read", "payouts:confirm"] }))
        .pointer("/permissions/1", "not_held_by_owner");
    key(json!({ "name": "K", "owner_id": ada, "partner_id": partner, "permissions": ["deals:read"] }))
        .pointer("/owner_id", "other_partner");
    key(json!({ "name": "K", "owner_id": "usr_01j9zq4y8k7m5n3p2r1s0t6v4w", "permissions": ["deals:read"] }))
        .pointer("/owner_id", "unknown_reference");
    world
        .admin()
        .post(&format!("/v1/users/{ada}/suspend"), reason())
        .expect(200);
    key(json!({ "name": "K", "owner_id": ada, "permissions": ["deals:read"] }))
        .pointer("/owner_id", "not_active");
}
