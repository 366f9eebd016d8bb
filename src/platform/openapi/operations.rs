//! What every operation has by rule, so that no handler writes it: security, permission, write headers.

use serde_json::{Value, json};

use super::problems::{self, Traits};
use super::rights;
use super::walk::{each_operation, member, resolve, set_missing, take};

const REQUIRES_IF_MATCH: &str = "x-requires-if-match";
const REQUIRES_KEY: &str = "x-requires-idempotency-key";
const WITHOUT_IF_MATCH: &str = "x-without-if-match";
const DEPENDS_ON_STATE: &str = "x-depends-on-state";
const CARRIES_CREDENTIAL: &str = "x-carries-credential";

/// Completes every operation, and declares what they refer to.
pub(super) fn complete(document: &mut Value) {
    secure(document);
    let components = json!({ "components": document.get("components") });
    each_operation(document, "paths", &mut |path, method, operation| {
        declare_public(operation);
        if !is_public(operation) {
            rights::state(operation);
        }
        let traits = write_headers(&components, path, method, operation);
        problems::add_to(operation, &traits);
        problems::make_own(&components, path, operation);
    });
    problems::declare(document);
    each_operation(document, "webhooks", &mut |_, _, operation| webhook(operation));
}

/// One scheme for tokens and keys. It has no `bearerFormat`: a made-up one breaks generated clients.
fn secure(document: &mut Value) {
    let scheme = json!({
        "type": "http",
        "scheme": "bearer",
        "description": "An access token of a user, or an API key of an integration."
    });
    set_missing(
        member(member(document, "components"), "securitySchemes"),
        "bearerAuth",
        scheme,
    );
    set_missing(document, "security", json!([{ "bearerAuth": [] }]));
}

/// `security(())` of the derive means "without credential", and is written as an empty list.
fn declare_public(operation: &mut Value) {
    if operation
        .get("security")
        .is_some_and(|security| *security == json!([{}]))
    {
        *member(operation, "security") = json!([]);
    }
}

/// Whether an operation may be called without a credential.
pub(super) fn is_public(operation: &Value) -> bool {
    operation
        .get("security")
        .is_some_and(|security| *security == json!([]))
}

/// Declares `Idempotency-Key` and `If-Match` where the rules put them, and answers the operation's traits.
fn write_headers(components: &Value, path: &str, method: &str, operation: &mut Value) -> Traits {
    let requires_if_match = flag(operation, REQUIRES_IF_MATCH);
    let requires_key = flag(operation, REQUIRES_KEY);
    let takes_no_version = flag(operation, WITHOUT_IF_MATCH);
    let carries_credential = flag(operation, CARRIES_CREDENTIAL);
    let is_secured = !is_public(operation);
    let is_write = matches!(method, "post" | "patch" | "delete");
    // What is patched may be patched again: the body says how it shall be, and `If-Match` what it was.
    if is_secured && method == "post" {
        declare(components, operation, idempotency_key(requires_key));
    }
    let changes_one =
        !takes_no_version && (matches!(method, "patch" | "delete") || is_verb(path, method, operation));
    if requires_if_match || (is_secured && changes_one) {
        declare(components, operation, if_match(requires_if_match));
    }
    Traits {
        is_secured,
        carries_credential,
        is_write,
        depends_on_state: flag(operation, DEPENDS_ON_STATE),
        has_body: operation.get("requestBody").is_some(),
        has_query: parameters(components, operation).any(|one| one["in"] == "query"),
        has_path_parameter: path.contains('{'),
        has_if_match: has_parameter(components, operation, "If-Match"),
        has_if_none_match: has_parameter(components, operation, "If-None-Match"),
        requires_if_match,
    }
}

/// Reads and removes an extension that only steers this step.
fn flag(operation: &mut Value, extension: &str) -> bool {
    take(operation, extension).is_some_and(|value| value == json!(true))
}

/// An action on one resource: `POST /v1/things/{thing_id}/verb` that creates nothing below it.
pub(super) fn is_verb(path: &str, method: &str, operation: &Value) -> bool {
    let mut steps = path.rsplit('/');
    let is_word = steps.next().is_some_and(|step| !step.starts_with('{'));
    let follows_id = steps.next().is_some_and(|step| step.starts_with('{'));
    method == "post" && is_word && follows_id && operation.pointer("/responses/201").is_none()
}

pub(super) fn parameters<'a>(components: &'a Value, operation: &'a Value) -> impl Iterator<Item = &'a Value> {
    let list = operation.get("parameters").and_then(Value::as_array);
    list.into_iter().flatten().map(|one| resolve(components, one))
}

/// Whether the operation takes the parameter, in its own words or by reference.
pub(super) fn has_parameter(components: &Value, operation: &Value, name: &str) -> bool {
    parameters(components, operation).any(|one| one["name"] == name)
}

fn declare(components: &Value, operation: &mut Value, parameter: Value) {
    let name = parameter["name"].as_str().unwrap_or_default();
    if has_parameter(components, operation, name) {
        return;
    }
    set_missing(operation, "parameters", json!([]));
    if let Some(list) = member(operation, "parameters").as_array_mut() {
        list.push(parameter);
    }
}

fn idempotency_key(required: bool) -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": required,
        "description": "A key of your choice. The same request with the same key within 24 hours happens \
                        once and is answered the same.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$" },
        "example": "6f1c2f0e-5d0b-4b5e-9a52-0d6f1f0c7a11"
    })
}

fn if_match(required: bool) -> Value {
    json!({
        "name": "If-Match",
        "in": "header",
        "required": required,
        "description": "The `ETag` of the version that you have read; refused when it is no longer current.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[\\x20-\\x7e]+$" },
        "example": "\"7\""
    })
}

/// A webhook is our request to the client: signed (Standard Webhooks 1.0) instead of a credential.
fn webhook(operation: &mut Value) {
    set_missing(operation, "security", json!([]));
    declare_public(operation);
    for (name, description, example) in [
        (
            "webhook-id",
            "Identifier of the message; the same when it is sent again.",
            "msg_01j9zq4y8k7m5n3p2r1s0t6v4w",
        ),
        (
            "webhook-timestamp",
            "Time of this attempt, in Unix seconds.",
            "1767258000",
        ),
        (
            "webhook-signature",
            "One signature per active secret, separated by spaces: `v1,` and the base64 of HMAC-SHA256 over \
             `id.timestamp.body`.",
            "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
        ),
    ] {
        let parameter = json!({
            "name": name, "in": "header", "required": true, "description": description,
            "schema": { "type": "string", "maxLength": 512, "pattern": "^[\\x20-\\x7e]+$" },
            "example": example
        });
        declare(&Value::Null, operation, parameter);
    }
}
