//! What the service answered, and what a test expects of it.

use super::document::problem_faults;
use serde_json::Value;
use std::ops::Index;
use ureq::Body;
use ureq::http::{HeaderMap, Response};

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON; `null` when it is none.
    pub body: Value,
    what: String,
    raw: String,
    bytes: Vec<u8>,
}

impl Reply {
    pub(super) fn read(what: String, mut response: Response<Body>) -> Self {
        let bytes = response.body_mut().read_to_vec().unwrap_or_default();
        let raw = String::from_utf8(bytes.clone()).unwrap_or_default();
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: serde_json::from_str(&raw).unwrap_or_default(),
            what,
            raw,
            bytes,
        }
    }

    /// The body as it came, whatever it is.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The body as it came; empty when it is no text.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Fails unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.what, self.raw);
        self
    }

    /// Fails unless it is a problem document with this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        let reply = self.expect(status);
        assert_eq!(reply.body["code"], code, "{}: {}", reply.what, reply.raw);
        assert_eq!(
            reply.header("content-type"),
            "application/problem+json",
            "{}",
            reply.what
        );
        assert_eq!(reply.body["status"], status, "{}", reply.what);
        // The detail says what happened here or what to do, never the title again.
        assert_ne!(reply.body["detail"], reply.body["title"], "{}", reply.what);
        assert_eq!(
            reply.body["request_id"],
            reply.header("request-id"),
            "{}",
            reply.what
        );
        assert_eq!(
            problem_faults(&reply.body),
            Vec::<String>::new(),
            "{}",
            reply.what
        );
        reply
    }

    /// Fails unless one of the invalid fields is this one, with this code.
    #[track_caller]
    pub fn pointer(self, pointer: &str, code: &str) -> Self {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        let found = errors
            .iter()
            .any(|error| error["pointer"] == pointer && error["code"] == code);
        assert!(found, "{}: no {pointer} {code} in {}", self.what, self.raw);
        self
    }

    /// A header's value.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        let value = value.unwrap_or_else(|| panic!("{}: no header {name}", self.what));
        value.to_str().unwrap()
    }

    /// Whether the header is there.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// The id of the record in the body.
    #[track_caller]
    pub fn id(&self) -> String {
        self.text("/id").to_owned()
    }

    /// A text in the body, by its pointer.
    #[track_caller]
    pub fn text(&self, pointer: &str) -> &str {
        let value = self.body.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_else(|| panic!("{}: no text at {pointer} in {}", self.what, self.raw))
    }

    /// The records of a list.
    #[track_caller]
    pub fn data(&self) -> &[Value] {
        let data = self.body["data"].as_array();
        data.unwrap_or_else(|| panic!("{}: no list in {}", self.what, self.raw))
    }
}

impl Index<&str> for Reply {
    type Output = Value;

    fn index(&self, member: &str) -> &Value {
        &self.body[member]
    }
}
