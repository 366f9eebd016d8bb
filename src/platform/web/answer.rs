//! What goes back to the client; plain enough to be kept and given again for the same Idempotency-Key.

use super::problem;
use crate::kernel::id::RequestId;
use crate::kernel::problem::Problem;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use std::fmt::Display;

/// A successful answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Further headers: name and value.
    pub headers: Vec<(String, String)>,
    /// The body as it goes out.
    pub body: Vec<u8>,
    /// The body's media type.
    pub content_type: String,
    /// Whether this is the first answer given again.
    pub replayed: bool,
    /// What is kept instead of the body when the body holds a secret.
    pub kept_body: Option<Vec<u8>>,
}

impl Answer {
    fn json(status: u16, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_vec(body).map_err(|error| {
            tracing::error!(%error, "an answer could not be written");
            Problem::internal()
        })?;
        Ok(Self {
            status,
            headers: Vec::new(),
            body,
            content_type: "application/json".to_owned(),
            replayed: false,
            kept_body: None,
        })
    }

    /// `200` with a body that has no version.
    pub fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Self::json(200, body)
    }

    /// `200` with a record and its version as `ETag`.
    pub fn record(body: &impl Serialize, row_version: i64) -> Result<Self, Problem> {
        Ok(Self::json(200, body)?.with("ETag", format!("\"{row_version}\"")))
    }

    /// `201` with a new record, where it is and its version.
    pub fn created(
        path: &str,
        id: impl Display,
        body: &impl Serialize,
        row_version: i64,
    ) -> Result<Self, Problem> {
        let answer = Self::json(201, body)?;
        Ok(answer
            .with("Location", format!("/v1/{path}/{id}"))
            .with("ETag", format!("\"{row_version}\"")))
    }

    /// `202` with a job that runs on, and where to ask for it.
    pub fn accepted(path: &str, id: impl Display, body: &impl Serialize) -> Result<Self, Problem> {
        let answer = Self::json(202, body)?;
        Ok(answer
            .with("Location", format!("/v1/{path}/{id}"))
            .with("Retry-After", "1"))
    }

    /// A refusal of which something stays: unlike an error it is committed, and kept for a repeated request.
    pub fn refusal(problem: &Problem, request_id: RequestId) -> Result<Self, Problem> {
        let document = problem::document(problem, Some(request_id));
        Ok(Self {
            content_type: problem::PROBLEM_JSON.to_owned(),
            ..Self::json(problem.code.status(), &document)?
        })
    }

    /// `200` with text of another media type.
    pub fn text(content_type: &str, body: Vec<u8>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body,
            content_type: content_type.to_owned(),
            replayed: false,
            kept_body: None,
        }
    }

    /// Keeps this body for a repeated request instead of the one with the secret in it.
    pub fn keeping(mut self, body: &impl Serialize) -> Result<Self, Problem> {
        self.kept_body = Some(Self::json(self.status, body)?.body);
        Ok(self)
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the client has this version already (`If-None-Match` on a read).
    fn is_known_to(&self, request: &HttpRequest) -> bool {
        let asked = request
            .headers()
            .get(header::IF_NONE_MATCH)
            .and_then(|value| value.to_str().ok());
        let (Some(asked), Some(tag)) = (asked, self.header("ETag")) else {
            return false;
        };
        let weakly = |one: &str| one.trim().trim_start_matches("W/") == tag;
        request.method() == "GET" && (asked.trim() == "*" || asked.split(',').any(weakly))
    }
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse<BoxBody> {
        let not_modified = self.is_known_to(request);
        let status = if not_modified {
            StatusCode::NOT_MODIFIED
        } else {
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK)
        };
        let mut response = HttpResponse::build(status);
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.insert_header((name.as_str(), value));
            }
        }
        if self.replayed {
            response.insert_header(("Idempotency-Replayed", "true"));
        }
        if not_modified {
            return response.finish();
        }
        response.content_type(self.content_type).body(self.body)
    }
}
