//! A body as it came, byte for byte, for whoever signs what they send.

use super::command::{arriving, is_json, operation, parse};
use super::problem::Refusal;
use crate::kernel::problem::Problem;
use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;

/// A body that nobody has looked at yet.
#[derive(Debug, Clone)]
pub struct Raw(Bytes);

impl FromRequest for Raw {
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refusal>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let arriving = arriving(request, payload);
        Box::pin(async move { arriving.await.map(Self) })
    }
}

impl Raw {
    /// What was signed.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The body as JSON, once its sender is known; with it the rest of the request is checked. It may hold more than the
    /// document names, because it is the sender's to say more.
    pub fn json(&self, request: &HttpRequest) -> Result<Value, Problem> {
        operation(request)?.check_query(request.query_string())?;
        is_json(request.headers())?;
        parse(&self.0)
    }
}
