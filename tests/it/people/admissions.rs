//! By what a key is let in: drawn anew whenever anything changes on which it rests.

use super::{built_in, key_of, reason, user};
use crate::world::{World, names};
use diesel::connection::SimpleConnection;
use serde_json::json;

/// The admissions of all keys, the newest key first; empty for those that have none.
fn admissions(world: &World) -> Vec<String> {
    let query = "SELECT coalesce(admission_id::text, '') AS name FROM api_keys ORDER BY id DESC";
    names(&mut world.database().owner(), query)
}

#[test]
fn an_admission_changes_with_all_it_rests_on_and_with_nothing_else() {
    let world = World::new();
    let partner = world.partner("Hansa Logistik");
    let ada = user(&world, "ada@hansa.example", "partner_admin", Some(&partner));
    let key = key_of(&world, &ada, Some(&partner), &["deals:read"]);
    let id = key.key_id.clone().unwrap();
    let mut last = admissions(&world).remove(0);
    let mut step = |what: &str, changes: bool, act: &dyn Fn()| {
        act();
        let now = admissions(&world).remove(0);
        assert_eq!(now != last, changes, "{what}");
        last = now;
    };
    let post = |path: String| world.admin().post(&path, reason()).expect(200);
    step("a use", false, &|| {
        key.get("/v1/deals").expect(200);
        world.tell_uses();
    });
    step("a changed key", true, &|| {
        let body = json!({ "name": "Another" });
        world
            .admin()
            .patch(&format!("/v1/api-keys/{id}"), body)
            .expect(200);
    });
    step("a suspended partner", true, &|| {
        drop(post(format!("/v1/partners/{partner}/suspend")))
    });
    step("a partner who is back", true, &|| {
        drop(
            world
                .admin()
                .act(&format!("/v1/partners/{partner}/reinstate"))
                .expect(200),
        )
    });
    step("other roles", true, &|| {
        let body = json!({ "role_ids": [built_in(&world, "partner_member")] });
        world.admin().patch(&format!("/v1/users/{ada}"), body).expect(200);
    });
    step("a suspended owner", true, &|| {
        drop(post(format!("/v1/users/{ada}/suspend")))
    });
    step("a revoked key", true, &|| {
        drop(
            world
                .admin()
                .act(&format!("/v1/api-keys/{id}/revoke"))
                .expect(200),
        )
    });
    assert_eq!(last, "");
}

/// Shows that callers do come in by admissions: were none drawn anew, a suspended owner's key would still be let in.
#[test]
fn an_admission_that_is_not_drawn_anew_lets_in() {
    let world = World::new();
    let ada = user(&world, "ada@vendor.example", "sales", None);
    let key = key_of(&world, &ada, None, &["deals:read"]);
    key.get("/v1/deals").expect(200);
    let mut owner = world.database().owner();
    owner
        .batch_execute("ALTER TABLE users DISABLE TRIGGER users_admissions")
        .unwrap();
    world
        .admin()
        .post(&format!("/v1/users/{ada}/suspend"), reason())
        .expect(200);
    key.get("/v1/deals").expect(200);
    owner
        .batch_execute("UPDATE api_keys SET admission_id = gen_random_uuid()")
        .unwrap();
    key.get("/v1/deals").refused(401, "unauthorized");
}
