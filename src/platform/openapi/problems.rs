//! The problem answers (RFC 9457) that operations share, and the rule which operation has which.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::operations::parameters;
use super::problem_schemas;
use super::walk::{member, resolve, set_missing};
use crate::kernel::problem::Code;
use crate::platform::web::problem::TYPE_BASE;

/// One problem answer of the service: status, component name, meaning, and the code of its example.
struct Answer {
    status: u16,
    name: &'static str,
    description: &'static str,
    code: Code,
    detail: &'static str,
}

const fn answer(
    status: u16,
    name: &'static str,
    description: &'static str,
    code: Code,
    detail: &'static str,
) -> Answer {
    Answer {
        status,
        name,
        description,
        code,
        detail,
    }
}

const ANSWERS: [Answer; 14] = [
    answer(
        400,
        "BadRequest",
        "The request cannot be read.",
        Code::MalformedJson,
        "The body is not JSON: expected `,` or `}` at line 3 column 5.",
    ),
    answer(
        401,
        "Unauthorized",
        "The credential is missing, unknown, expired or revoked.",
        Code::Unauthorized,
        "Send a valid credential as `Authorization: Bearer <token>`.",
    ),
    answer(
        403,
        "Forbidden",
        "The credential lacks the permission for this operation.",
        Code::PermissionDenied,
        "The credential lacks the permission that this operation requires.",
    ),
    answer(
        404,
        "NotFound",
        "There is no such resource within reach of the credential.",
        Code::NotFound,
        "There is no such resource.",
    ),
    answer(
        408,
        "RequestTimeout",
        "The body did not arrive in time. Nothing was changed.",
        Code::RequestTimeout,
        "The request did not arrive in time.",
    ),
    answer(
        409,
        "Conflict",
        "The state of the resource, or another resource, does not allow this.",
        Code::WrongState,
        "The resource is not in a state that allows this.",
    ),
    answer(
        412,
        "PreconditionFailed",
        "The resource has changed since the version named in `If-Match`.",
        Code::PreconditionFailed,
        "The resource has changed. Read it again and repeat with its current `ETag`.",
    ),
    answer(
        413,
        "ContentTooLarge",
        "The body is larger than this operation accepts.",
        Code::BodyTooLarge,
        "The body is larger than this operation accepts.",
    ),
    answer(
        415,
        "UnsupportedMediaType",
        "The media type of the body is not one that this operation reads.",
        Code::UnsupportedMediaType,
        "Send the body as `application/json`.",
    ),
    answer(
        422,
        "Unprocessable",
        "The request can be read, but some of its values are refused; `errors` names all of them.",
        Code::ValidationFailed,
        "1 field is invalid.",
    ),
    answer(
        428,
        "PreconditionRequired",
        "This operation requires `If-Match`.",
        Code::PreconditionRequired,
        "Read the resource first and send its `ETag` as `If-Match`.",
    ),
    answer(
        429,
        "TooManyRequests",
        "The quota of the credential is used up.",
        Code::TooManyRequests,
        "Wait as long as `Retry-After` says, then repeat the request.",
    ),
    answer(
        500,
        "InternalError",
        "The service failed. Nothing was changed.",
        Code::InternalError,
        "The service failed. Report the `request_id` to its operator.",
    ),
    answer(
        503,
        "Unavailable",
        "The service cannot take the request now. Nothing was changed.",
        Code::ServiceUnavailable,
        "The database is busy or being maintained. Repeat the request later.",
    ),
];

/// What decides about the problem answers of an operation.
#[derive(Debug, Default)]
pub(super) struct Traits {
    pub is_secured: bool,
    /// Whether the credential is in the body.
    pub carries_credential: bool,
    pub is_write: bool,
    /// Whether it is a read that the record's state may refuse.
    pub depends_on_state: bool,
    pub has_body: bool,
    pub has_query: bool,
    pub has_path_parameter: bool,
    pub has_if_match: bool,
    pub requires_if_match: bool,
    pub has_if_none_match: bool,
}

impl Traits {
    fn statuses(&self) -> impl Iterator<Item = u16> {
        let rules: [(bool, &[u16]); 10] = [
            // Any request can be malformed as HTTP, whatever the operation reads of it.
            (true, &[400, 429, 500, 503]),
            (self.is_secured, &[401, 403]),
            (self.carries_credential, &[401]),
            (self.has_path_parameter, &[404]),
            (self.has_body, &[408, 409, 413, 415, 422]),
            (self.has_query, &[422]),
            (self.is_write, &[409, 422]),
            (self.depends_on_state, &[409]),
            (self.has_if_match, &[412]),
            (self.requires_if_match, &[428]),
        ];
        rules
            .into_iter()
            .filter(|(applies, _)| *applies)
            .flat_map(|(_, statuses)| statuses.iter().copied())
    }
}

/// Adds the answers that the operation's traits call for, and puts all answers in order.
pub(super) fn add_to(operation: &mut Value, traits: &Traits) {
    let responses = member(operation, "responses");
    for status in traits.statuses() {
        if let Some(answer) = ANSWERS.iter().find(|answer| answer.status == status) {
            set_missing(responses, &status.to_string(), reference(answer));
        }
    }
    if traits.has_if_none_match {
        set_missing(
            responses,
            "304",
            json!({ "description": "The version named in `If-None-Match` is current." }),
        );
    }
    let Some(responses) = responses.as_object_mut() else {
        return;
    };
    for (status, response) in responses.iter_mut() {
        complete(status, response);
    }
    let sorted: BTreeMap<String, Value> = std::mem::take(responses).into_iter().collect();
    *responses = sorted.into_iter().collect();
}

/// Says of the commonest refusal what only this operation can say: which record it did not find, or else which of its
/// own values it did not take.
pub(super) fn make_own(components: &Value, path: &str, operation: &mut Value) {
    let noun = path
        .rsplit_once("_id}")
        .and_then(|(start, _)| start.rsplit_once('{'));
    let (status, description, errors) = match noun {
        Some((_, noun)) => {
            let noun = noun.replace('_', " ");
            let description = format!("There is no such {noun} within reach of the credential.");
            (404, Some(description), json!([]))
        }
        None => match refused_value(components, operation) {
            Some(error) => (422, None, json!([error])),
            None => (409, Some(impossible(operation)), json!([])),
        },
    };
    let is_documented = |status: u16| operation.pointer(&format!("/responses/{status}")).is_some();
    // What is refused to nobody but for want of a permission says which.
    let permission = operation.get("x-required-permission").and_then(Value::as_str);
    let (status, description, errors) = match permission {
        Some(permission) if !is_documented(status) => (
            403,
            Some(format!("The credential lacks the permission {permission}.")),
            json!([]),
        ),
        _ => (status, description, errors),
    };
    let Some(answer) = ANSWERS.iter().find(|answer| answer.status == status) else {
        return;
    };
    if !is_documented(status) {
        return;
    }
    let status = status.to_string();
    let response = member(member(operation, "responses"), &status);
    if *response == reference(answer) {
        let description = description.unwrap_or_else(|| answer.description.to_owned());
        *response = json!({ "description": description, "content": content(answer, errors) });
    }
}

/// What is refused of an operation that takes no values.
fn impossible(operation: &Value) -> String {
    let summary = operation["summary"].as_str().unwrap_or_default();
    format!("As things stand there is nothing to do here: {summary}.")
}

/// A value of the operation's own that it refuses: a field that the body lacks or has in a wrong form, or a parameter.
fn refused_value(components: &Value, operation: &Value) -> Option<Value> {
    let error = |pointer: String, code: &str, message: String| {
        Some(json!({ "pointer": pointer, "code": code, "message": message }))
    };
    let bodies = operation
        .pointer("/requestBody/content")
        .and_then(Value::as_object);
    if let Some(media) = bodies.and_then(|media| media.values().next()) {
        let body = resolve(components, &media["schema"]);
        if let Some(field) = body.pointer("/required/0").and_then(Value::as_str) {
            return error(
                format!("/{field}"),
                "missing",
                "This field is required.".to_owned(),
            );
        }
        if body.get("minProperties").is_some() {
            let message = "At least one field is needed.".to_owned();
            return error(String::new(), "empty_patch", message);
        }
        let (name, schema) = body.get("properties")?.as_object()?.iter().next()?;
        let (code, message) = refusal(resolve(components, schema))?;
        return error(format!("/{name}"), code, message);
    }
    let asked = || parameters(components, operation).filter(|one| one["in"] == "query");
    let limit = asked().find(|one| one["name"] == "limit");
    limit.into_iter().chain(asked()).find_map(|parameter| {
        let (code, message) = refusal(resolve(components, &parameter["schema"]))?;
        error(format!("?{}", parameter["name"].as_str()?), code, message)
    })
}

/// How a value that does not fit the schema is refused, in the words of the contract's check.
fn refusal(schema: &Value) -> Option<(&'static str, String)> {
    let bound = |name: &str| schema.get(name).filter(|value| !value.is_null());
    if let Some(most) = bound("maximum") {
        return Some(("too_large", format!("The greatest value is {most}.")));
    }
    let form = match (bound("pattern"), bound("format")) {
        (Some(pattern), _) => format!("The value must match {}.", pattern.as_str()?),
        (None, Some(format)) => format!("The value is not a {}.", format.as_str()?),
        (None, None) => return None,
    };
    Some(("invalid_format", form))
}

fn reference(answer: &Answer) -> Value {
    json!({ "$ref": format!("#/components/responses/{}", answer.name) })
}

/// An error that a handler declared with a description only gets the body that all errors have.
fn complete(status: &str, response: &mut Value) {
    if response.get("$ref").is_some() || response.get("content").is_some() {
        return;
    }
    if let Some(answer) = ANSWERS.iter().find(|answer| answer.status.to_string() == status) {
        *member(response, "content") = content(answer, example_errors(answer));
    }
}

fn content(answer: &Answer, errors: Value) -> Value {
    json!({
        "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" },
            "example": example(answer, errors)
        }
    })
}

fn example_errors(answer: &Answer) -> Value {
    match answer.status {
        422 => json!([{
            "pointer": "/name",
            "code": "too_short",
            "message": "The text must not be empty."
        }]),
        _ => json!([]),
    }
}

fn example(answer: &Answer, errors: Value) -> Value {
    json!({
        "type": format!("{TYPE_BASE}{}", answer.code.name()),
        "title": answer.code.title(),
        "status": answer.status,
        "code": answer.code.name(),
        "detail": answer.detail,
        "request_id": "req_01j9zq4y8k7m5n3p2r1s0t6v4w",
        "errors": errors
    })
}

/// Declares the problem schemas and the answers that at least one operation refers to.
pub(super) fn declare(document: &mut Value) {
    let mut used: Map<String, Value> = Map::new();
    for (_, _, operation) in super::walk::operations(document, "paths") {
        let responses = operation.get("responses").and_then(Value::as_object);
        for response in responses.into_iter().flat_map(|all| all.values()) {
            let answer = ANSWERS.iter().find(|answer| *response == reference(answer));
            if let Some(answer) = answer {
                let body = json!({ "description": answer.description, "content": content(answer, example_errors(answer)) });
                used.insert(answer.name.to_owned(), body);
            }
        }
    }
    used.sort_keys();
    let components = member(document, "components");
    for (name, response) in used {
        set_missing(member(components, "responses"), &name, response);
    }
    set_missing(
        member(components, "schemas"),
        "Problem",
        problem_schemas::problem(
            ANSWERS
                .iter()
                .filter(|answer| answer.status == 422)
                .map(|answer| example(answer, example_errors(answer)))
                .collect(),
        ),
    );
    set_missing(
        member(components, "schemas"),
        "FieldError",
        problem_schemas::field_error(),
    );
}
