//! The schemas of problem answers (RFC 9457).

use crate::platform::web::problem::{LONGEST_DETAIL, LONGEST_MESSAGE, LONGEST_POINTER, MOST_ERRORS};
use serde_json::{Value, json};

/// The body of every problem answer.
pub(super) fn problem(examples: Vec<Value>) -> Value {
    json!({
        "type": "object",
        "description": "What went wrong (RFC 9457). Decide by `code`; the other members are for people. \
                        Some codes add members of their own.",
        "required": ["type", "title", "status", "code", "detail", "request_id", "errors"],
        "properties": {
            "type": {
                "type": "string", "format": "uri-reference", "maxLength": 256,
                "description": "Address of the page that explains the code, from the address of the service."
            },
            "title": { "type": "string", "maxLength": 128, "description": "The code in words." },
            "status": {
                "type": "integer", "format": "int32", "minimum": 400, "maximum": 599,
                "description": "The HTTP status of the answer."
            },
            "code": {
                "type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 64,
                "description": "The contract: never renamed. `GET /problems/` lists every code, and so does the text at the \
                                top of this document."
            },
            "detail": {
                "type": "string", "maxLength": LONGEST_DETAIL,
                "description": "What happened this time, and what to do about it."
            },
            "request_id": {
                "type": "string", "pattern": "^[\\x21-\\x7e]+$", "maxLength": 128,
                "description": "Identifier of the request, for support."
            },
            "errors": {
                "type": "array", "maxItems": MOST_ERRORS, "items": { "$ref": "#/components/schemas/FieldError" },
                "description": "All fields whose form is invalid at once, up to 100, or else all that break a rule; empty when the problem is not about fields."
            }
        },
        "examples": examples
    })
}

/// One entry of `errors`.
pub(super) fn field_error() -> Value {
    json!({
        "type": "object",
        "description": "One invalid field of a request.",
        "required": ["pointer", "code", "message"],
        "properties": {
            "pointer": {
                "type": "string", "maxLength": LONGEST_POINTER,
                "description": "RFC 6901 pointer into the body, or `?name` of a query parameter."
            },
            "code": {
                "type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 64,
                "description": "What is wrong with the value; never renamed."
            },
            "message": { "type": "string", "maxLength": LONGEST_MESSAGE, "description": "The same for people." }
        },
        "examples": [{
            "pointer": "/name", "code": "too_short", "message": "The name must have at least 1 character."
        }]
    })
}
