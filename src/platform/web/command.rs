//! A request to change something: its body, its Idempotency-Key, and the version it was made for.

use super::contract::Operation;
use super::once::RequestKey;
use super::problem::Refusal;
use super::state::WebState;
use super::unique_names::UniqueNames;
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::version::Precondition;
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

/// The body of an operation that takes none.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate)]
pub struct Nothing {}

/// A checked request to change something.
#[derive(Debug, Clone)]
pub struct Command<T> {
    /// The body, valid by the document and by its own rules.
    pub body: T,
    /// The version that the caller wants to change.
    pub precondition: Precondition,
    pub(super) key: Option<RequestKey>,
}

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Command<T> {
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refusal>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, bytes) = (request.clone(), Bytes::from_request(request, payload));
        Box::pin(async move {
            let bytes = arrived(request.clone(), bytes).await?;
            Ok(check(&request, &bytes)?)
        })
    }
}

/// The whole body, once it is there; its sender has so long and no longer.
pub(super) async fn arrived(
    request: HttpRequest,
    bytes: impl Future<Output = Result<Bytes, actix_web::Error>>,
) -> Result<Bytes, Refusal> {
    let state = request.app_data::<Data<WebState>>();
    let wait = state.map_or(Duration::ZERO, |state| state.patience.wait);
    timeout(wait, bytes)
        .await
        .map_err(|_| Refusal(Problem::new(Code::RequestTimeout)))?
        .map_err(|error| Refusal(unreadable(&error)))
}

impl<T> Command<T> {
    /// A request whose body was read in another way than as JSON; `digest` is a fingerprint of all of it.
    pub fn streamed(request: &HttpRequest, body: T, digest: &[u8]) -> Result<Self, Problem> {
        let operation = operation(request)?;
        operation.check_query(request.query_string())?;
        Ok(Self {
            body,
            precondition: precondition(operation, request.headers())?,
            key: key(operation, request, digest)?,
        })
    }

    /// Whether the caller wants the same answer when it asks again.
    pub fn is_keyed(&self) -> bool {
        self.key.is_some()
    }
}

/// What the document says about the operation that was asked for.
pub(super) fn operation(request: &HttpRequest) -> Result<&Operation, Problem> {
    let state = request
        .app_data::<Data<WebState>>()
        .ok_or_else(Problem::internal)?;
    state.contract.operation_of(request).ok_or_else(Problem::internal)
}

fn check<T: DeserializeOwned + Validate>(request: &HttpRequest, bytes: &[u8]) -> Result<Command<T>, Problem> {
    let operation = operation(request)?;
    operation.check_query(request.query_string())?;
    let precondition = precondition(operation, request.headers())?;
    let key = key(operation, request, &Sha256::digest(bytes))?;
    let body = match &operation.body {
        Some(contract) if contract.required || !bytes.is_empty() => {
            is_json(request.headers())?;
            let mut value = parse(bytes)?;
            contract.check(&value)?;
            whole_numbers(&mut value);
            read(value)?
        }
        _ => read(Value::Object(serde_json::Map::new()))?,
    };
    Ok(Command {
        body,
        precondition,
        key,
    })
}

fn unreadable(error: &actix_web::Error) -> Problem {
    if error.as_response_error().status_code() == 413 {
        Problem::new(Code::BodyTooLarge)
    } else {
        Problem::new(Code::MalformedRequest).because("The body could not be read to its end.")
    }
}

pub(super) fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = given
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match essence.as_str() {
        "application/json" | "application/merge-patch+json" => Ok(()),
        _ => Err(Problem::new(Code::UnsupportedMediaType).because("Send application/json.")),
    }
}

/// Parses the body; nesting beyond 128 levels is refused by the parser.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice::<UniqueNames>(bytes)
        .map(|unique| unique.0)
        .map_err(|error| Problem::new(Code::MalformedJson).because(format!("The body is not JSON: {error}.")))
}

/// `6000.0` is the integer 6000 by JSON Schema, and is written so, since a type would refuse it.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if !number.is_i64() && !number.is_u64() => {
            let text = number.to_string();
            if let Some(Ok(whole)) = text.strip_suffix(".0").map(str::parse::<i64>) {
                *value = Value::from(whole);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

/// The value as its type, then the rules that a schema cannot say.
fn read<T: DeserializeOwned + Validate>(value: Value) -> Result<T, Problem> {
    let body: T = serde_path_to_error::deserialize(value).map_err(|error| {
        let pointer = pointer_of(&error.path().to_string());
        Problem::field(pointer, "invalid_value", error.inner().to_string())
    })?;
    body.validate().map_err(|errors| {
        let mut problems = Vec::new();
        collect(&errors, String::new(), &mut problems);
        Problem::fields(problems)
    })?;
    Ok(body)
}

/// `lines[0].net` as `/lines/0/net`.
fn pointer_of(path: &str) -> String {
    if path == "." {
        return String::new();
    }
    format!(
        "/{}",
        path.replace('[', ".")
            .replace(']', "")
            .replace('.', "/")
            .replace("//", "/")
    )
}

fn collect(errors: &ValidationErrors, base: String, into: &mut Vec<FieldProblem>) {
    for (field, kind) in errors.errors() {
        let pointer = if field == "__all__" {
            base.clone()
        } else {
            format!("{base}/{field}")
        };
        match kind {
            ValidationErrorsKind::Struct(inner) => collect(inner, pointer, into),
            ValidationErrorsKind::List(items) => {
                items
                    .iter()
                    .for_each(|(index, inner)| collect(inner, format!("{pointer}/{index}"), into));
            }
            ValidationErrorsKind::Field(problems) => into.extend(problems.iter().map(|problem| {
                let pointer = problem
                    .params
                    .get("pointer")
                    .and_then(Value::as_str)
                    .map_or(pointer.clone(), str::to_owned);
                let message = problem
                    .message
                    .as_ref()
                    .map_or_else(|| "The value is invalid.".to_owned(), ToString::to_string);
                FieldProblem::new(pointer, problem.code.to_string(), message)
            })),
        }
    }
}

fn precondition(operation: &Operation, headers: &HeaderMap) -> Result<Precondition, Problem> {
    match headers.get(header::IF_MATCH) {
        // What can be no tag is refused here, before an earlier answer could be repeated for the same key.
        Some(value) => match value.to_str() {
            Ok(tags) if operation.takes_header("If-Match", tags) => Ok(Precondition::parse(tags)),
            _ => Err(Problem::new(Code::PreconditionFailed).because(
                "The If-Match header is not an ETag; send it with its quotes, such as If-Match: \"7\".",
            )),
        },
        None if operation.requires_if_match => Err(Problem::new(Code::PreconditionRequired)
            .because("Send If-Match with the ETag of the record as you last read it.")),
        None => Ok(Precondition::Any),
    }
}

/// The request's Idempotency-Key with what it stands for; bare and quoted keys are the same.
pub(super) fn key(
    operation: &Operation,
    request: &HttpRequest,
    body_hash: &[u8],
) -> Result<Option<RequestKey>, Problem> {
    let Some(given) = request.headers().get("Idempotency-Key") else {
        return if operation.requires_idempotency_key {
            Err(Problem::new(Code::IdempotencyKeyRequired))
        } else {
            Ok(None)
        };
    };
    let text = match given.to_str() {
        Ok(text) if operation.takes_header("Idempotency-Key", text) => text,
        _ => return Err(Problem::new(Code::IdempotencyKeyInvalid)),
    };
    let text = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(text);
    if text.is_empty() {
        return Err(Problem::new(Code::IdempotencyKeyInvalid));
    }
    let mut hash = Sha256::new();
    hash.update(request.method().as_str());
    hash.update([0]);
    hash.update(request.path());
    hash.update([0]);
    hash.update(body_hash);
    let route = format!("{} {}", request.method(), request.path());
    Ok(Some(RequestKey {
        key: text.to_owned(),
        route,
        hash: hash.finalize().to_vec(),
    }))
}
