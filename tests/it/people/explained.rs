//! Who am I, and why may somebody do something or not.

use super::{key_of, reason, user};
use crate::world::{Actor, World};
use serde_json::{Value, json};

#[test]
fn everybody_may_ask_who_they_are() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let ada = user(&world, "ada@nordlicht.example", "partner_member", Some(&partner));
    let key = key_of(&world, &ada, Some(&partner), &["deals:read"]);
    let me = key.get("/v1/me").expect(200);
    assert_eq!(me["actor_id"], json!(key.key_id));
    assert_eq!(
        (&me["user_id"], &me["partner_id"]),
        (&json!(ada), &json!(partner))
    );
    assert_eq!(
        (&me["permissions"], &me["expires_at"]),
        (&json!(["deals:read"]), &Value::Null)
    );
    let machine = world.key(&["deals:read"]).get("/v1/me").expect(200);
    assert_eq!(
        (&machine["user_id"], &machine["partner_id"]),
        (&Value::Null, &Value::Null)
    );
    world
        .admin()
        .post(&format!("/v1/partners/{partner}/suspend"), reason())
        .expect(200);
    key.get("/v1/me").refused(401, "unauthorized");
}

#[test]
fn the_rule_that_decides_is_named() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let [own, other] = ["A", "B"].map(|name| world.enrolled(name, &program));
    world.sale(&program, &other, "100.00 USD");
    let deal = world.admin().all("/v1/deals")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let ask = |who: &Actor, actor: &str, permission: &str, record: Option<&str>| {
        let mut body = json!({ "actor_id": actor, "permission": permission });
        if let Some(record) = record {
            body["record_id"] = json!(record);
        }
        who.post("/v1/authorization/explain", body)
    };
    let rule = |actor: &str, permission: &str, record: Option<&str>| {
        let answer = ask(world.admin(), actor, permission, record).expect(200);
        assert_eq!(answer["allowed"], json!(answer["rule"] == "granted"));
        answer.text("/rule").to_owned()
    };
    let ada = user(&world, "ada@a.example", "partner_admin", Some(&own));
    let eve = user(&world, "eve@b.example", "partner_member", Some(&other));
    let sam = user(&world, "sam@example.com", "sales", None);
    let key = key_of(&world, &sam, None, &["deals:read", "deals:close"])
        .key_id
        .unwrap();
    assert_eq!(rule(&sam, "deals:read", Some(&deal)), "granted");
    assert_eq!(rule(&sam, "payouts:confirm", None), "permission_missing");
    assert_eq!(rule(&eve, "deals:read", Some(&deal)), "granted");
    assert_eq!(rule(&ada, "deals:read", Some(&deal)), "record_out_of_reach");
    assert_eq!(rule(&ada, "deals:read", None), "granted");
    assert_eq!(rule(&key, "deals:close", None), "granted");
    assert_eq!(rule(&key, "deals:write", None), "permission_missing");
    world
        .admin()
        .patch(&format!("/v1/users/{sam}"), json!({ "role_ids": [] }))
        .expect(200);
    assert_eq!(rule(&key, "deals:close", None), "owner_lacks_permission");
    world
        .admin()
        .post(&format!("/v1/users/{sam}/suspend"), reason())
        .expect(200);
    assert_eq!(rule(&sam, "deals:read", None), "user_not_active");
    assert_eq!(rule(&key, "deals:close", None), "owner_not_active");
    world
        .admin()
        .act(&format!("/v1/api-keys/{key}/revoke"))
        .expect(200);
    assert_eq!(rule(&key, "deals:close", None), "key_revoked");
    world
        .admin()
        .post(&format!("/v1/partners/{own}/suspend"), reason())
        .expect(200);
    assert_eq!(rule(&ada, "deals:read", None), "partner_not_active");
    // Whoever asks hears nothing of actors and records beyond their own reach.
    let theirs = world.full_partner_key(&other);
    ask(&theirs, &ada, "deals:read", None)
        .refused(422, "validation_failed")
        .pointer("/actor_id", "unknown_reference");
    ask(&theirs, &eve, "deals:read", Some(&own))
        .refused(422, "validation_failed")
        .pointer("/record_id", "unknown_reference");
}
