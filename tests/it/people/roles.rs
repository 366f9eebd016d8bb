//! Roles: those that come with the service, and those that an organization makes.

use super::{built_in, key_of};
use crate::world::{World, texts};
use serde_json::json;

#[test]
fn seven_roles_come_with_the_service_and_never_change() {
    let world = World::new();
    let roles = world.admin().all("/v1/roles");
    let names = [
        "admin",
        "partner_manager",
        "sales",
        "finance",
        "analyst",
        "partner_admin",
        "partner_member",
    ];
    assert_eq!(texts(&roles, "built_in"), names);
    let path = format!("/v1/roles/{}", built_in(&world, "analyst"));
    world
        .admin()
        .patch(&path, json!({ "permissions": ["payouts:confirm"] }))
        .refused(409, "built_in_role");
}

#[test]
fn a_role_of_ones_own_gives_what_it_holds_and_follows_its_changes() {
    let world = World::new();
    let body = json!({ "name": "Deal desk", "permissions": ["deals:read", "accounts:read", "deals:read"] });
    let role = world.admin().post("/v1/roles", body).expect(201);
    assert_eq!(role["permissions"], json!(["deals:read", "accounts:read"]));
    let ada = json!({ "name": "Ada", "email": "ada@example.com", "role_ids": [role.id()] });
    let ada = world.admin().post("/v1/users", ada).expect(201).id();
    let key = key_of(&world, &ada, None, &["deals:read", "accounts:read"]);
    key.get("/v1/deals").expect(200);
    let patch = json!({ "permissions": ["accounts:read"] });
    world.admin().patch(role.header("location"), patch).expect(200);
    key.get("/v1/deals").refused(403, "permission_denied");
    key.get("/v1/accounts").expect(200);
    let again = json!({ "name": "Deal desk", "permissions": ["deals:read"] });
    world
        .admin()
        .post("/v1/roles", again)
        .refused(409, "already_exists");
}

#[test]
fn nobody_makes_a_role_of_what_they_do_not_hold() {
    let world = World::new();
    let clerk = world.key(&["roles:read", "roles:write", "deals:read"]);
    let refused = |body| clerk.post("/v1/roles", body).refused(422, "validation_failed");
    refused(json!({ "name": "More", "permissions": ["deals:read", "deals:write"] }))
        .pointer("/permissions/1", "not_held");
    refused(json!({ "name": "None", "permissions": ["deals:fly"] }))
        .pointer("/permissions/0", "unknown_permission");
    world
        .admin()
        .post(
            "/v1/roles",
            json!({ "name": "P", "for_partners": true, "permissions": ["payouts:confirm"] }),
        )
        .refused(422, "validation_failed")
        .pointer("/permissions/0", "not_for_partners");
    let own = clerk
        .post(
            "/v1/roles",
            json!({ "name": "Own", "permissions": ["deals:read"] }),
        )
        .expect(201);
    clerk
        .patch(own.header("location"), json!({ "permissions": ["users:write"] }))
        .refused(422, "validation_failed")
        .pointer("/permissions/0", "not_held");
}

#[test]
fn nobody_takes_away_of_a_role_what_they_could_not_give() {
    let world = World::new();
    let clerk = world.key(&["roles:read", "roles:write", "deals:read"]);
    let body = json!({ "name": "Approver", "permissions": ["deals:read", "payout_runs:approve"] });
    let role = world.admin().post("/v1/roles", body).expect(201);
    let path = role.header("location");
    clerk
        .patch(path, json!({ "permissions": ["deals:read"] }))
        .refused(422, "validation_failed")
        .pointer("/permissions", "not_held");
    let left = world.admin().get(path).expect(200);
    assert_eq!(left["permissions"], json!(["deals:read", "payout_runs:approve"]));
    // What is within reach is taken away and given.
    let body = json!({ "name": "Reader", "permissions": ["deals:read", "roles:read"] });
    let role = world.admin().post("/v1/roles", body).expect(201);
    clerk
        .patch(role.header("location"), json!({ "permissions": ["deals:read"] }))
        .expect(200);
}
