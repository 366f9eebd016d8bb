//! The problem answers (RFC 9457) that operations share, and the rule which operation has which.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::problem_schemas;
use super::walk::{member, set_missing};
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

const ANSWERS: [Answer; 13] = [
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
    pub is_write: bool,
    pub has_body: bool,
    pub has_query: bool,
    pub has_path_parameter: bool,
    pub has_if_match: bool,
    pub requires_if_match: bool,
    pub has_if_none_match: bool,
}

impl Traits {
    fn statuses(&self) -> impl Iterator<Item = u16> {
        let rules: [(bool, &[u16]); 8] = [
            // Any request can be malformed as HTTP, whatever the operation reads of it.
            (true, &[400, 429, 500, 503]),
            (self.is_secured, &[401, 403]),
            (self.has_path_parameter, &[404]),
            (self.has_body, &[409, 413, 415, 422]),
            (self.has_query, &[422]),
            (self.is_write, &[409, 422]),
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

fn reference(answer: &Answer) -> Value {
    json!({ "$ref": format!("#/components/responses/{}", answer.name) })
}

/// An error that a handler declared with a description only gets the body that all errors have.
fn complete(status: &str, response: &mut Value) {
    if response.get("$ref").is_some() || response.get("content").is_some() {
        return;
    }
    if let Some(answer) = ANSWERS.iter().find(|answer| answer.status.to_string() == status) {
        *member(response, "content") = content(answer);
    }
}

fn content(answer: &Answer) -> Value {
    json!({
        "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" },
            "example": example(answer)
        }
    })
}

fn example(answer: &Answer) -> Value {
    let errors = match answer.status {
        422 => json!([{
            "pointer": "/name",
            "code": "too_short",
            "message": "The name must have at least 1 character."
        }]),
        _ => json!([]),
    };
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
                let body = json!({ "description": answer.description, "content": content(answer) });
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
                .map(example)
                .collect(),
        ),
    );
    set_missing(
        member(components, "schemas"),
        "FieldError",
        problem_schemas::field_error(),
    );
}
