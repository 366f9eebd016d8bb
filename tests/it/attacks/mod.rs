//! What somebody with a key, or without, may try, and what comes of it.

mod broken;
mod cursors;
mod injected;

use crate::world::{Operation, Reply, World, count, operations, resolve};
use serde_json::{Value, json};

/// Fields that belong to the service and to nobody's body.
const GUARDED: [&str; 14] = [
    "organization_id",
    "partner_id",
    "status",
    "role",
    "role_ids",
    "roles",
    "permissions",
    "is_admin",
    "id",
    "secret",
    "row_version",
    "created_at",
    "created_by",
    "__proto__",
];

/// The operations that take a JSON body.
fn with_body() -> Vec<Operation> {
    let all = operations().into_iter();
    all.filter(Operation::takes_json).collect()
}

/// Every object in a schema, by its pointer.
fn objects(schema: &'static Value, pointer: String, into: &mut Vec<(String, &'static Value)>) {
    let schema = resolve(schema);
    for several in ["allOf", "anyOf", "oneOf"] {
        for one in schema[several].as_array().into_iter().flatten() {
            objects(one, pointer.clone(), into);
        }
    }
    if let Some(fields) = schema["properties"].as_object() {
        into.push((pointer.clone(), schema));
        for (name, field) in fields {
            objects(field, format!("{pointer}/{name}"), into);
        }
    }
    if !schema["items"].is_null() {
        objects(&schema["items"], format!("{pointer}/0"), into);
    }
}

#[test]
fn no_body_has_room_for_more_than_the_document_names() {
    for operation in with_body() {
        let mut found = Vec::new();
        objects(operation.body_schema().unwrap(), String::new(), &mut found);
        assert!(!found.is_empty(), "{}", operation.id);
        for (pointer, schema) in found {
            let what = format!("{} {pointer}", operation.id);
            assert_eq!(schema["additionalProperties"], json!(false), "{what}");
        }
    }
}

#[test]
fn mass_assignment_is_refused_at_every_door() {
    let world = World::new();
    for operation in with_body() {
        let schema = resolve(operation.body_schema().unwrap());
        for field in GUARDED
            .iter()
            .filter(|field| schema["properties"][**field].is_null())
        {
            let mut body = operation.example_body().unwrap().clone();
            body[*field] = json!("x");
            let ask = world.admin().ask(&operation.method, &operation.path_to_nothing());
            let reply = demanded(&operation, ask).json(&body).send();
            reply
                .refused(422, "validation_failed")
                .pointer(&format!("/{field}"), "unknown_field");
        }
    }
}

/// The request with the headers that the operation demands.
fn demanded<'a>(operation: &Operation, mut ask: crate::world::Ask<'a>) -> crate::world::Ask<'a> {
    for name in ["Idempotency-Key", "If-Match"] {
        if operation.demands_header(name) {
            ask = ask.header(name, "\"1\"");
        }
    }
    ask
}

#[test]
fn a_key_cannot_give_more_than_it_holds() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let own = world.partner_key(&partner, &["deals:read", "api_keys:write"]);
    for more in ["payouts:read", "partners:write", "users:write"] {
        let body = json!({ "name": "More", "permissions": ["deals:read", more] });
        own.post("/v1/api-keys", body).refused(422, "validation_failed");
    }
    let rival = world.partner("Rival");
    let body = json!({ "name": "Elsewhere", "permissions": ["deals:read"], "partner_id": rival });
    let made = own.post("/v1/api-keys", body);
    let is_confined = made.status == 422 || made["partner_id"] == partner.as_str();
    assert!(is_confined, "{}", made.raw());
    let body = json!({ "name": "More", "permissions": ["partners:write"], "partner_id": partner });
    world
        .admin()
        .post("/v1/api-keys", body)
        .refused(422, "validation_failed")
        .pointer("/permissions/0", "not_for_partners");
}

#[test]
fn an_idempotency_key_belongs_to_its_key() {
    let world = World::new();
    let stranger = world.second_organization();
    let colleague = world.key(&["accounts:write"]);
    let body = json!({ "name": "Customer" });
    let post = |actor: &crate::world::Actor| actor.post_with_key("the-same", "/v1/accounts", body.clone());
    let made: Vec<Reply> = [world.admin(), &colleague, &stranger.admin]
        .into_iter()
        .map(|actor| post(actor).expect(201))
        .collect();
    for reply in &made {
        assert!(!reply.has_header("idempotency-replayed"));
    }
    let again = post(&colleague).expect(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.id(), made[1].id());
    let accounts = "SELECT count(*) AS count FROM accounts";
    assert_eq!(count(&mut world.database().owner(), accounts), 3);
}

#[test]
fn a_callers_request_id_never_becomes_ours() {
    let world = World::new();
    let theirs = "req_01j9zq4y8k7m5n3p2r1s0t6v4w";
    let mut ask = world.admin().ask("POST", "/v1/accounts");
    for name in [
        "Request-Id",
        "X-Request-Id",
        "X-Correlation-Id",
        "X-Amzn-Trace-Id",
    ] {
        ask = ask.header(name, theirs);
    }
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let ask = ask
        .header("traceparent", trace)
        .header("X-Forwarded-For", "203.0.113.7");
    let made = ask.json(&json!({ "name": "Customer" })).send().expect(201);
    let ours = made.header("request-id");
    assert!(ours.starts_with("req_") && ours != theirs, "{ours}");
    let path = format!("/v1/audit-events?subject_id={}", made.id());
    let noted = world.admin().all(&path).remove(0);
    assert_eq!(noted["request_id"], ours);
    assert_eq!(noted["address"], "127.0.0.1");
}
