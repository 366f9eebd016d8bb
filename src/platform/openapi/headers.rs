//! The headers of answers, declared once and referred to by every answer that carries them.

use serde_json::{Value, json};

use super::operations::{is_public, is_verb};
use super::walk::{each_operation, member, resolve, set_missing, take};

/// An extension of operations whose resource has no version, and so no `ETag`; removed when read.
const UNVERSIONED: &str = "x-unversioned";

/// Puts every header where its rule wants it.
pub(super) fn complete(document: &mut Value) {
    let components = json!({ "components": document.get("components") });
    each_operation(document, "paths", &mut |path, method, operation| {
        let place = Place::of(path, method, operation);
        let Some(responses) = member(operation, "responses").as_object_mut() else {
            return;
        };
        for (status, response) in responses {
            if response.get("$ref").is_none() {
                add(&components, &place, status, response);
            }
        }
    });
    let shared = member(member(document, "components"), "responses").as_object_mut();
    for (name, response) in shared.into_iter().flatten() {
        let status = match name.as_str() {
            "Unauthorized" => "401",
            "TooManyRequests" => "429",
            "Unavailable" => "503",
            other => other,
        };
        add(&components, &Place::default(), status, response);
    }
    declare(document);
}

/// What the rules ask about an operation.
#[derive(Default)]
struct Place {
    is_create: bool,
    is_read_of_one: bool,
    is_change_of_one: bool,
    is_idempotent_write: bool,
    is_versioned: bool,
}

impl Place {
    fn of(path: &str, method: &str, operation: &mut Value) -> Self {
        let is_unversioned = take(operation, UNVERSIONED).is_some_and(|value| value == json!(true));
        Self {
            is_create: method == "post",
            is_read_of_one: method == "get",
            is_change_of_one: matches!(method, "patch" | "put") || is_verb(path, method, operation),
            is_idempotent_write: method == "post" && !is_public(operation),
            is_versioned: !is_unversioned,
        }
    }
}

fn add(components: &Value, place: &Place, status: &str, response: &mut Value) {
    // What a handler declares is always sent; without `required` no tool would check it.
    if let Some(declared) = member(response, "headers").as_object_mut() {
        declared
            .values_mut()
            .for_each(|header| set_missing(header, "required", json!(true)));
    }
    let body = body_of(components, response);
    let has_property = |name: &str| body.pointer(&format!("/properties/{name}")).is_some();
    let is_resource = has_property("id") && place.is_versioned;
    let carries_tag = match status {
        "201" => place.is_create && is_resource,
        "200" => (place.is_read_of_one || place.is_change_of_one) && is_resource,
        "304" => true,
        _ => false,
    };
    let rules = [
        ("Location", matches!(status, "201" | "202")),
        ("ETag", carries_tag),
        ("Link", has_property("next_cursor")),
        (
            "Idempotency-Replayed",
            status.starts_with('2') && place.is_idempotent_write,
        ),
        ("WWW-Authenticate", status == "401"),
        ("Retry-After", matches!(status, "202" | "429" | "503")),
        ("Request-Id", true),
        ("RateLimit", true),
        ("RateLimit-Policy", true),
        ("Access-Control-Allow-Origin", true),
    ];
    let headers = member(response, "headers");
    for (name, _) in rules.iter().filter(|(_, applies)| *applies) {
        let component = if *name == "Retry-After" && status != "429" {
            "Retry-Hint"
        } else {
            name
        };
        set_missing(
            headers,
            name,
            json!({ "$ref": format!("#/components/headers/{component}") }),
        );
    }
}

/// The schema of the JSON body of an answer.
pub(super) fn body_of<'a>(components: &'a Value, response: &'a Value) -> &'a Value {
    let schema = response.pointer("/content/application~1json/schema");
    schema.map_or(&Value::Null, |schema| resolve(components, schema))
}

fn text(description: &str, required: bool, pattern: &str, example: &str) -> Value {
    json!({
        "description": description,
        "required": required,
        "schema": { "type": "string", "maxLength": 2048, "pattern": pattern },
        "example": example
    })
}

fn seconds(description: &str, required: bool) -> Value {
    json!({
        "description": description,
        "required": required,
        "schema": { "type": "integer", "format": "int32", "minimum": 0, "maximum": 86400 },
        "example": 30
    })
}

/// All headers that an answer refers to, under the name that they have on the wire.
fn declare(document: &mut Value) {
    const PRINTABLE: &str = "^[\\x20-\\x7e]+$";
    let known = [
        (
            "Access-Control-Allow-Origin",
            text(
                "The origin that may read the answer, when CORS is on.",
                false,
                PRINTABLE,
                "https://portal.example.com",
            ),
        ),
        (
            "ETag",
            text(
                "Version of the resource, for `If-Match` and `If-None-Match`.",
                true,
                "^\"[\\x21-\\x7e]+\"$",
                "\"7\"",
            ),
        ),
        (
            "Idempotency-Replayed",
            text(
                "`true` when this is the stored answer to an earlier request with the same key.",
                false,
                "^true$",
                "true",
            ),
        ),
        (
            "Link",
            text(
                "The next page, with `rel=\"next\"` (RFC 8288).",
                false,
                PRINTABLE,
                "</v1/partners?cursor=b2Zmc2V0>; rel=\"next\"",
            ),
        ),
        (
            "Location",
            text(
                "Where the new resource, or the job, is found.",
                true,
                PRINTABLE,
                "/v1/partners/ptn_01j9zq4y8k7m5n3p2r1s0t6v4w",
            ),
        ),
        (
            "RateLimit",
            text(
                "What is left of the quota, and in how many seconds it is renewed.",
                true,
                PRINTABLE,
                "\"default\";r=587;t=31",
            ),
        ),
        (
            "RateLimit-Policy",
            text(
                "The quota, and its window in seconds.",
                true,
                PRINTABLE,
                "\"default\";q=600;w=60",
            ),
        ),
        (
            "Request-Id",
            text(
                "Identifier of the request, for support.",
                true,
                "^[\\x21-\\x7e]+$",
                "req_01j9zq4y8k7m5n3p2r1s0t6v4w",
            ),
        ),
        (
            "Retry-After",
            seconds("Seconds to wait before the next attempt.", true),
        ),
        (
            "Retry-Hint",
            seconds("Seconds after which it is worth asking again.", false),
        ),
        (
            "WWW-Authenticate",
            text(
                "The challenge: which kind of credential is expected.",
                true,
                PRINTABLE,
                "Bearer",
            ),
        ),
    ];
    let written = document.to_string();
    for (name, header) in known {
        if written.contains(&format!("\"#/components/headers/{name}\"")) {
            set_missing(member(member(document, "components"), "headers"), name, header);
        }
    }
}
