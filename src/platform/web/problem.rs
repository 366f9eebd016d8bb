//! Problem documents (RFC 9457) on the wire.

use crate::kernel::id::RequestId;
use crate::kernel::problem::{Code, Problem};
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Map, Value, json};
use std::fmt;

/// The media type of every refusal.
pub const PROBLEM_JSON: &str = "application/problem+json";
/// The most invalid fields that one answer lists; the rest shows once these are mended.
pub const MOST_ERRORS: usize = 100;
/// The longest pointer to an invalid field, in characters. Callers choose the names in it.
pub const LONGEST_POINTER: usize = 512;
/// The longest message about an invalid field, in characters.
pub const LONGEST_MESSAGE: usize = 1024;
/// The longest detail of a problem, in characters.
pub const LONGEST_DETAIL: usize = 2048;
/// Where the service describes a code, from the service's own address.
pub const TYPE_BASE: &str = "/problems/";

/// A problem as a handler's error: `?` is all a handler says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub Problem);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        status_of(self.0.code)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        response(&self.0)
    }
}

fn status_of(code: Code) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// What a client is told to come with: any credential (RFC 6750), or a sign-in by more than a password (RFC 9470).
const fn challenge(code: Code) -> Option<&'static str> {
    match code {
        Code::Unauthorized => Some("Bearer"),
        Code::SecondFactorRequired => Some("Bearer error=\"insufficient_user_authentication\""),
        _ => None,
    }
}

/// The document as JSON.
pub fn document(problem: &Problem, request_id: Option<RequestId>) -> Value {
    let errors: Vec<Value> = problem
        .errors
        .iter()
        .take(MOST_ERRORS)
        .map(|error| {
            json!({
                "pointer": legible(&error.pointer, LONGEST_POINTER),
                "code": error.code,
                "message": legible(&error.message, LONGEST_MESSAGE),
            })
        })
        .collect();
    let mut document = Map::new();
    document.insert(
        "type".to_owned(),
        json!(format!("{TYPE_BASE}{}", problem.code.name())),
    );
    document.insert("title".to_owned(), json!(problem.code.title()));
    document.insert("status".to_owned(), json!(problem.code.status()));
    document.insert("code".to_owned(), json!(problem.code.name()));
    let detail = problem.detail.as_deref().unwrap_or(problem.code.advice());
    document.insert("detail".to_owned(), json!(legible(detail, LONGEST_DETAIL)));
    document.insert(
        "request_id".to_owned(),
        json!(request_id.map(|id| id.to_string())),
    );
    document.insert("errors".to_owned(), Value::Array(errors));
    if let Some(state) = &problem.current_state {
        document.insert("current_state".to_owned(), json!(state));
    }
    if let Some(moves) = &problem.allowed_moves {
        document.insert("allowed_moves".to_owned(), json!(moves));
    }
    if let Some(conflict_id) = &problem.conflict_id {
        document.insert("conflict_id".to_owned(), json!(conflict_id));
    }
    Value::Object(document)
}

/// Text that may repeat what a caller sent, within the bounds that the document promises.
fn legible(text: &str, longest: usize) -> String {
    let shown = text.chars().take(longest);
    shown
        .map(|letter| {
            if letter == '\0' {
                char::REPLACEMENT_CHARACTER
            } else {
                letter
            }
        })
        .collect()
}

/// The document as a response. The request id is that of the request being answered.
pub fn response(problem: &Problem) -> HttpResponse<BoxBody> {
    let mut response = HttpResponse::build(status_of(problem.code));
    if let Some(challenge) = challenge(problem.code) {
        response.insert_header(("WWW-Authenticate", challenge));
    }
    if let Some(seconds) = problem.retry_after_seconds {
        response.insert_header(("Retry-After", seconds.to_string()));
    }
    let body = document(problem, super::layers::current_request_id());
    response.content_type(PROBLEM_JSON).body(body.to_string())
}
