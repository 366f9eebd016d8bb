//! Somebody who calls the service.

use super::reply::Reply;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Request, Response};

/// A caller: where the service is and what the caller comes with.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The id of the caller's key, when it was made through the API.
    pub key_id: Option<String>,
    address: SocketAddr,
    agent: Agent,
    token: Option<String>,
}

/// A request that is being put together.
#[derive(Debug)]
pub struct Ask<'a> {
    actor: &'a Actor,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Actor {
    pub(super) fn at(address: SocketAddr, token: Option<&str>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Self {
            key_id: None,
            address,
            agent: Agent::new_with_config(config),
            token: token.map(str::to_owned),
        }
    }

    /// Where the service listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the caller comes with.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A request to be put together.
    pub fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        let mut headers = Vec::new();
        if let Some(token) = &self.token {
            headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
        }
        Ask {
            actor: self,
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            body: None,
        }
    }

    /// Reads.
    pub fn get(&self, path: &str) -> Reply {
        self.ask("GET", path).send()
    }

    /// Posts a body.
    pub fn post(&self, path: &str, body: Value) -> Reply {
        self.ask("POST", path).json(&body).send()
    }

    /// Patches.
    pub fn patch(&self, path: &str, body: Value) -> Reply {
        self.ask("PATCH", path).json(&body).send()
    }

    /// A verb that takes no body.
    pub fn act(&self, path: &str) -> Reply {
        self.ask("POST", path).send()
    }
}

impl Ask<'_> {
    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends this as JSON.
    pub fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string().into_bytes())
    }

    /// Sends these bytes as this media type.
    pub fn bytes(mut self, content_type: &str, body: Vec<u8>) -> Self {
        self.body = Some(body);
        self.header("Content-Type", content_type)
    }

    /// Sends it and waits for the answer.
    pub fn send(self) -> Reply {
        let what = format!("{} {}", self.method, self.path);
        let uri = format!("http://{}{}", self.actor.address, self.path);
        let mut request = Request::builder().method(self.method.as_str()).uri(uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let agent = &self.actor.agent;
        let may_have_body = !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE");
        let response: Response<ureq::Body> = match self.body {
            Some(body) => agent.run(request.body(body).unwrap()),
            None if may_have_body => agent.run(request.body(Vec::new()).unwrap()),
            None => agent.run(request.body(()).unwrap()),
        }
        .unwrap_or_else(|error| panic!("{what}: {error}"));
        Reply::read(what, response)
    }
}
