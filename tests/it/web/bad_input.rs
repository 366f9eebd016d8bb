//! Requests that are wrong in every way that the document can tell.

use crate::world::{Operation, Reply, World, operations};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

const PARTNERS: &str = "/v1/partners";

/// Calls an operation with another body than it wants.
fn send(world: &World, operation: &Operation, content_type: &str, body: Vec<u8>) -> Reply {
    let path = operation.path_to_nothing();
    // The example body is replaced, because the last Content-Type and body count.
    let mut ask = world.admin().ask(&operation.method, &path);
    for name in ["Idempotency-Key", "If-Match"] {
        if operation.demands_header(name) {
            ask = ask.header(name, "\"1\"");
        }
    }
    ask.bytes(content_type, body).send()
}

fn with_json_body() -> Vec<Operation> {
    let all = operations().into_iter();
    all.filter(Operation::requires_json).collect()
}

#[test]
fn a_body_that_is_no_json_is_refused_at_every_door() {
    let world = World::new();
    assert!(with_json_body().len() >= 5);
    for operation in with_json_body() {
        for body in [
            "",
            "{",
            "{\"name\": }",
            "{} {}",
            "\u{feff}{}",
            "nul",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":1,\"a\":1}",
        ] {
            send(&world, &operation, "application/json", body.as_bytes().to_vec())
                .refused(400, "malformed_json");
        }
        send(&world, &operation, "application/json", vec![b'"', 0xff, b'"']).refused(400, "malformed_json");
        let deep = "[".repeat(100_000);
        send(&world, &operation, "application/json", deep.into_bytes()).refused(400, "malformed_json");
    }
}

#[test]
fn a_body_of_another_shape_is_refused_at_every_door() {
    let world = World::new();
    for operation in with_json_body() {
        for body in ["null", "[]", "1", "\"text\"", "true", "{\"nonsense\": 1}"] {
            send(&world, &operation, "application/json", body.as_bytes().to_vec())
                .refused(422, "validation_failed");
        }
        let unknown = send(&world, &operation, "application/json", b"{\"a/b~c\": 1}".to_vec());
        unknown
            .refused(422, "validation_failed")
            .pointer("/a~1b~0c", "unknown_field");
    }
}

#[test]
fn a_body_of_another_media_type_is_refused_at_every_door() {
    let world = World::new();
    for operation in with_json_body() {
        let body = || operation.example_body().unwrap().to_string().into_bytes();
        for content_type in [
            "text/plain",
            "application/xml",
            "application/x-www-form-urlencoded",
            "json",
        ] {
            send(&world, &operation, content_type, body()).refused(415, "unsupported_media_type");
        }
    }
    for content_type in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/merge-patch+json",
    ] {
        let ask = world.admin().ask("PATCH", "/v1/organization");
        ask.bytes(content_type, b"{\"name\": \"Renamed\"}".to_vec())
            .send()
            .expect(200);
    }
}

#[test]
fn a_body_beyond_the_limit_is_refused_at_every_door() {
    let world = World::new();
    for operation in with_json_body() {
        let body = json!({ "name": "x".repeat(300 * 1024) }).to_string();
        send(&world, &operation, "application/json", body.into_bytes()).refused(413, "body_too_large");
    }
}

/// The example with one of its texts replaced.
fn with_text(example: &Value, field: &str, text: &str) -> Value {
    let mut body = example.clone();
    body[field] = json!(text);
    body
}

#[test]
fn every_text_refuses_nul_and_what_is_too_long() {
    let world = World::new();
    let mut tried = 0;
    for operation in with_json_body() {
        let example = operation.example_body().unwrap();
        for (field, text) in example.as_object().unwrap() {
            if !text.is_string() {
                continue;
            }
            let send = |text: &str| {
                let body = with_text(example, field, text).to_string();
                send(&world, &operation, "application/json", body.into_bytes())
                    .refused(422, "validation_failed")
            };
            let nul = send("a\u{0}b");
            let pointer = nul["errors"][0]["pointer"].as_str().unwrap();
            assert!(
                pointer.starts_with(&format!("/{field}")),
                "{} {field}",
                operation.id
            );
            send(&"x".repeat(70_000));
            tried += 1;
        }
    }
    assert!(tried >= 8, "only {tried} texts");
}

/// A year of two digits is a slip.
#[test]
fn nothing_happened_before_1900() {
    let world = World::new();
    let account = world.account();
    let amount = json!({ "amount": "1.00", "currency": "EUR" });
    let body = |opened_on: &str| json!({ "name": "Deal", "account_id": account, "amount": amount, "opened_on": opened_on });
    for opened_on in ["0026-03-02", "1899-12-31"] {
        let refused = world.admin().post("/v1/deals", body(opened_on));
        let refused = refused.refused(422, "validation_failed");
        let refused = refused.pointer("/opened_on", "invalid_format");
        assert!(refused.text("/errors/0/message").contains("1900 or later"));
    }
    let deal = world.admin().post("/v1/deals", body("1900-01-01")).expect(201);
    let win = format!("/v1/deals/{}/win", deal.id());
    world
        .admin()
        .post(&win, json!({ "won_at": "0001-01-01T00:00:00Z" }))
        .refused(422, "validation_failed")
        .pointer("/won_at", "invalid_format");
}

/// The messages that people meet first say what to do.
#[test]
fn messages_name_what_is_wanted() {
    let world = World::new();
    let account = "acc_01j9zq4y8k7m5n3p2r1s0t6v4w";
    let refusal = |account: &str, amount: Value| {
        let body =
            json!({ "name": "Deal", "account_id": account, "amount": amount, "opened_on": "2026-01-02" });
        let refused = world
            .admin()
            .post("/v1/deals", body)
            .refused(422, "validation_failed");
        assert_eq!(
            refused["errors"].as_array().unwrap().len(),
            1,
            "{}",
            refused.raw()
        );
        refused.text("/errors/0/message").to_owned()
    };
    for (account, amount, expected) in [
        (
            account,
            json!({ "amount": "10.555", "currency": "EUR" }),
            "EUR has at most 2 decimals.",
        ),
        (
            account,
            json!({ "amount": "10.55", "currency": "XQQ" }),
            "Unknown currency: send an ISO 4217 code such as EUR.",
        ),
        (
            account,
            json!({ "amount": "10.55", "currency": "EURO" }),
            "The value must be an ISO 4217 code, three capital letters such as EUR.",
        ),
        (
            account,
            json!({ "amount": 10.55, "currency": "EUR" }),
            "The value must be of type string and is a number: send it in quotes, \"10.55\".",
        ),
        (
            "4711",
            json!({ "amount": "10.55", "currency": "EUR" }),
            "The value must be an id that begins with acc_, such as acc_01j9zq4y8k7m5n3p2r1s0t6v4w.",
        ),
    ] {
        assert_eq!(refusal(account, amount), expected);
    }
}

#[test]
fn every_list_refuses_wrong_parameters() {
    let world = World::new();
    let lists = operations()
        .into_iter()
        .filter(|operation| operation.method == "GET" && operation.query_names().contains(&"limit"));
    let mut tried = 0;
    for list in lists.filter(|operation| operation.path_names().is_empty()) {
        let ask = |query: &str| {
            let path = format!("{}?{query}", list.path);
            world.admin().get(&path).refused(422, "validation_failed")
        };
        ask("limit=0").pointer("?limit", "too_small");
        ask("limit=101").pointer("?limit", "too_large");
        ask("limit=1000").pointer("?limit", "too_large");
        ask("limit=-1").pointer("?limit", "too_small");
        ask("limit=ten").pointer("?limit", "wrong_type");
        ask("limit=1.5").pointer("?limit", "wrong_type");
        ask("limit=99999999999999999999").pointer("?limit", "wrong_type");
        ask("limit=1&limit=2").pointer("?limit", "repeated");
        ask("nonsense=1").pointer("?nonsense", "unknown_parameter");
        ask("cursor=a%20b").pointer("?cursor", "invalid_format");
        ask(&format!("cursor={}", "a".repeat(513))).pointer("?cursor", "too_long");
        for name in list.query_names() {
            let parameter = list.query_parameter(name).unwrap();
            if parameter["schema"]["type"] != "integer" {
                ask(&format!("{name}=%00%00"));
            }
        }
        let several = ask("limit=0&nonsense=1");
        several
            .pointer("?limit", "too_small")
            .pointer("?nonsense", "unknown_parameter");
        for cursor in ["abc", "e30", "bnVsbA", "_-_-"] {
            let path = format!("{}?cursor={cursor}", list.path);
            world
                .admin()
                .get(&path)
                .refused(422, "invalid_cursor")
                .pointer("?cursor", "invalid_cursor");
        }
        tried += 1;
    }
    assert!(tried >= 2);
}

#[test]
fn operations_without_a_query_refuse_one() {
    let world = World::new();
    for operation in operations() {
        // A file is refused for not being one before anything else of the request is looked at.
        if operation.method != "GET" && !operation.is_public && operation.id != "createImport" {
            let path = format!("{}?nonsense=1", operation.path_to_nothing());
            let reply = operation.ask(world.admin(), &path).send();
            assert_eq!(reply.status, 422, "{}: {}", operation.id, reply.raw());
        }
    }
}

#[test]
fn a_cursor_belongs_to_its_list_filter_and_order() {
    let world = World::new();
    for name in ["One", "Two", "Three"] {
        world.admin().post(PARTNERS, json!({ "name": name })).expect(201);
    }
    let page = world.admin().get("/v1/partners?limit=1&sort=name").expect(200);
    let cursor = page.text("/next_cursor");
    let follow = |query: &str| world.admin().get(&format!("{PARTNERS}?cursor={cursor}{query}"));
    follow("&limit=1&sort=name").expect(200);
    // The size of a page may change on the way.
    follow("&limit=2&sort=name").expect(200);
    for other in ["", "&sort=-name", "&sort=created_at", "&sort=name&status=applied"] {
        follow(other)
            .refused(422, "invalid_cursor")
            .pointer("?cursor", "invalid_cursor");
    }
    let damaged = format!("{}A", cursor);
    world
        .admin()
        .get(&format!("{PARTNERS}?sort=name&cursor={damaged}"))
        .refused(422, "invalid_cursor");
}

#[test]
fn unknown_paths_are_not_found() {
    let world = World::new();
    for path in [
        "/nonsense",
        "/v1",
        "/v1/",
        "/v1/nonsense",
        "/v2/partners",
        "/v1/partners/",
        "/v1//partners",
        "/V1/partners",
        "/v1/partners/ptn_01j9zq4y8k7m5n3p2r1s0t6v4w/nonsense",
        "/v1/partners/a/b/c/d",
        "/v1/%00",
        "/..%2f..%2fetc/passwd",
    ] {
        world.admin().get(path).refused(404, "route_not_found");
        world.nobody().get(path).refused(404, "route_not_found");
    }
}

#[test]
fn ids_of_no_good_form_name_nothing() {
    let world = World::new();
    let get = |id: &str| world.admin().get(&format!("/v1/partners/{id}"));
    for id in [
        "nonsense",
        "ptn_",
        "ptn_01j9zq4y8k7m5n3p2r1s0t6v4",
        "PTN_01J9ZQ4Y8K7M5N3P2R1S0T6V4W",
        "key_01j9zq4y8k7m5n3p2r1s0t6v4w",
        "019cadc6-9a80-7408-9875-5649230cd6d4",
        "ptn_81j9zq4y8k7m5n3p2r1s0t6v4w",
        "%00",
        "ptn_01j9zq4y8k7m5n3p2r1s0t6v4%00",
        "%F0%9F%92%A9",
    ] {
        get(id).refused(404, "not_found");
    }
    get(&"x".repeat(5000)).refused(404, "not_found");
}

#[test]
fn a_wrong_method_is_told_the_right_ones() {
    let world = World::new();
    let all = operations();
    for operation in &all {
        let mut allowed: Vec<&str> = all
            .iter()
            .filter(|other| other.path == operation.path)
            .map(|other| other.method.as_str())
            .collect();
        if allowed.contains(&"GET") {
            allowed.push("HEAD");
        }
        allowed.sort_unstable();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"] {
            if allowed.contains(&method) {
                continue;
            }
            let reply = world.admin().ask(method, &operation.path_to_nothing()).send();
            let reply = reply.refused(405, "method_not_allowed");
            let mut told: Vec<&str> = reply.header("allow").split(", ").collect();
            told.sort_unstable();
            assert_eq!(told, allowed, "{method} {}", operation.path);
        }
    }
}

#[test]
fn every_answer_has_its_headers() {
    let world = World::new();
    let replies = [
        world.nobody().get("/"),
        world.nobody().get("/healthz"),
        world.nobody().get("/metrics"),
        world.nobody().get("/openapi.json"),
        world.nobody().get("/docs"),
        world.nobody().get("/docs/"),
        world.nobody().get("/nonsense"),
        world.nobody().get(PARTNERS),
        world.admin().get(PARTNERS),
        world.admin().ask("PUT", PARTNERS).send(),
        world.admin().post(PARTNERS, json!({})),
        world.admin().post(PARTNERS, json!({ "name": "One" })),
        world.admin().get("/v1/partners/nonsense"),
    ];
    let mut ids: Vec<&str> = replies.iter().map(|reply| reply.header("request-id")).collect();
    for reply in &replies {
        assert!(reply.header("request-id").starts_with("req_"));
        assert!(reply.header("ratelimit").starts_with("\"default\";r="));
        assert!(reply.header("ratelimit-policy").starts_with("\"default\";q="));
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), replies.len(), "each request has an id of its own");
}

#[test]
fn a_caller_that_sends_headers_without_end_is_refused() {
    let world = World::new();
    let mut stream = TcpStream::connect(world.nobody().address()).unwrap();
    let head = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n",
        "a".repeat(200_000)
    );
    // The service may close before it has read everything.
    let _ = stream.write_all(head.as_bytes());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    world.nobody().get("/healthz").expect(200);
}
