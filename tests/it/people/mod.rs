//! People over HTTP: users, the roles they hold, the keys they own, and what each of them may do.

mod admissions;
mod explained;
mod matrix;
mod roles;
mod users;

use crate::world::{Actor, World};
use serde_json::{Value, json};

/// The id of a role that comes with the service.
fn built_in(world: &World, name: &str) -> String {
    let roles = world.admin().all("/v1/roles");
    let role = roles.iter().find(|role| role["built_in"] == name).unwrap();
    role["id"].as_str().unwrap().to_owned()
}

/// A user with a built-in role; its id.
fn user(world: &World, email: &str, role: &str, partner_id: Option<&str>) -> String {
    let mut body = json!({ "name": "Ada", "email": email, "role_ids": [built_in(world, role)] });
    if let Some(partner_id) = partner_id {
        body["partner_id"] = json!(partner_id);
    }
    world.admin().post("/v1/users", body).expect(201).id()
}

/// A key of this user with these permissions.
fn key_of(world: &World, user_id: &str, partner_id: Option<&str>, permissions: &[&str]) -> Actor {
    let mut body = json!({ "name": "Ada's", "owner_id": user_id, "permissions": permissions });
    if let Some(partner_id) = partner_id {
        body["partner_id"] = json!(partner_id);
    }
    let key = world.admin().post("/v1/api-keys", body).expect(201);
    let mut actor = world.bearer(key.text("/secret"));
    actor.key_id = Some(key.id());
    actor
}

fn reason() -> Value {
    json!({ "reason": "Left." })
}
