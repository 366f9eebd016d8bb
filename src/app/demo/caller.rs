//! A key's holder who calls the service and shows each call.

use super::DemoError;
use serde_json::Value;
use std::io::Write;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Request, Response};

/// The longest that a call may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service, a key for it, and where to show what is called.
pub(super) struct Caller<'a> {
    base_url: &'a str,
    key: String,
    agent: Agent,
    /// Makes each Idempotency-Key of this caller another one.
    name: &'static str,
    calls: u32,
}

/// What came back.
pub(super) struct Answer {
    status: u16,
    etag: String,
    body: Value,
    raw: String,
}

impl<'a> Caller<'a> {
    pub(super) fn new(base_url: &'a str, name: &'static str, key: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build();
        Self {
            base_url,
            key: key.to_owned(),
            agent: Agent::new_with_config(config),
            name,
            calls: 0,
        }
    }

    /// Reads, and shows the call with what `tell` makes of the answer.
    pub(super) fn get(
        &mut self,
        out: &mut dyn Write,
        path: &str,
        tell: impl FnOnce(&Answer) -> String,
    ) -> Result<Answer, DemoError> {
        let answer = self.send("GET", path, None, None)?;
        shown(out, "GET", path, answer, tell)
    }

    /// Posts, and shows the call with what `tell` makes of the answer.
    pub(super) fn post(
        &mut self,
        out: &mut dyn Write,
        path: &str,
        body: &Value,
        tell: impl FnOnce(&Answer) -> String,
    ) -> Result<Answer, DemoError> {
        let answer = self.send("POST", path, Some(body), None)?;
        shown(out, "POST", path, answer, tell)
    }

    /// A verb on a record that nobody has changed since it was `seen`.
    pub(super) fn act(
        &mut self,
        out: &mut dyn Write,
        path: &str,
        seen: Option<&Answer>,
        tell: impl FnOnce(&Answer) -> String,
    ) -> Result<Answer, DemoError> {
        let answer = self.send("POST", path, None, seen)?;
        shown(out, "POST", path, answer, tell)
    }

    /// A verb that the service must refuse with this status.
    pub(super) fn refused(
        &mut self,
        out: &mut dyn Write,
        path: &str,
        seen: &Answer,
        status: u16,
    ) -> Result<(), DemoError> {
        let answer = self.send("POST", path, None, Some(seen))?;
        if answer.status != status {
            return Err(answer.unexpected("POST", path));
        }
        show(
            out,
            "POST",
            path,
            &answer,
            &format!("refused: {}", answer.text("/code")?),
        )
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        seen: Option<&Answer>,
    ) -> Result<Answer, DemoError> {
        self.calls += 1;
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base_url))
            .header("Authorization", format!("Bearer {}", self.key));
        if method == "POST" {
            request = request.header("Idempotency-Key", format!("demo-{}-{}", self.name, self.calls));
        }
        if let Some(seen) = seen {
            request = request.header("If-Match", &seen.etag);
        }
        let sent = match (method, body) {
            ("GET", _) => request.body(()).map(|request| self.agent.run(request)),
            (_, None) => request.body(Vec::new()).map(|request| self.agent.run(request)),
            (_, Some(body)) => request
                .header("Content-Type", "application/json")
                .body(body.to_string().into_bytes())
                .map(|request| self.agent.run(request)),
        };
        let response = sent.map_err(|error| Box::new(ureq::Error::from(error)))?;
        Answer::read(response.map_err(Box::new)?)
    }
}

impl Answer {
    fn read(mut response: Response<ureq::Body>) -> Result<Self, DemoError> {
        let etag = response.headers().get("etag");
        let etag = etag.and_then(|etag| etag.to_str().ok()).unwrap_or_default();
        let (status, etag) = (response.status().as_u16(), etag.to_owned());
        let raw = response.body_mut().read_to_string().map_err(Box::new)?;
        Ok(Self {
            status,
            etag,
            body: serde_json::from_str(&raw).unwrap_or_default(),
            raw,
        })
    }

    /// The record's id.
    pub(super) fn id(&self) -> Result<String, DemoError> {
        self.text("/id").map(str::to_owned)
    }

    /// A text, by its pointer.
    pub(super) fn text(&self, pointer: &str) -> Result<&str, DemoError> {
        let value = self.body.pointer(pointer).and_then(Value::as_str);
        value.ok_or_else(|| DemoError::Missing(pointer.to_owned()))
    }

    /// A list, by its pointer.
    pub(super) fn list(&self, pointer: &str) -> Result<&[Value], DemoError> {
        let value = self.body.pointer(pointer).and_then(Value::as_array);
        let value = value.ok_or_else(|| DemoError::Missing(pointer.to_owned()))?;
        Ok(value)
    }

    /// Anything, by its pointer, as a person reads it: an amount with its currency, a text without quotes.
    pub(super) fn read_out(&self, pointer: &str) -> String {
        read_out(self.body.pointer(pointer).unwrap_or(&Value::Null))
    }

    fn unexpected(&self, method: &str, path: &str) -> DemoError {
        DemoError::Unexpected {
            call: format!("{method} {path}"),
            status: self.status,
            body: self.raw.clone(),
        }
    }
}

/// A value as a person reads it.
pub(super) fn read_out(value: &Value) -> String {
    match (value, &value["amount"], &value["currency"]) {
        (_, Value::String(amount), Value::String(currency)) => format!("{amount} {currency}"),
        (Value::String(text), _, _) => text.clone(),
        (other, _, _) => other.to_string(),
    }
}

fn shown(
    out: &mut dyn Write,
    method: &str,
    path: &str,
    answer: Answer,
    tell: impl FnOnce(&Answer) -> String,
) -> Result<Answer, DemoError> {
    if !(200..300).contains(&answer.status) {
        return Err(answer.unexpected(method, path));
    }
    show(out, method, path, &answer, &tell(&answer))?;
    Ok(answer)
}

fn show(
    out: &mut dyn Write,
    method: &str,
    path: &str,
    answer: &Answer,
    result: &str,
) -> Result<(), DemoError> {
    writeln!(out, "  {method} {path} -> {}", answer.status)?;
    if !result.is_empty() {
        writeln!(out, "      {result}")?;
    }
    Ok(())
}
