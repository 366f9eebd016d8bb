//! The query of a list or report, checked against the document before it is read.

use super::problem::Refusal;
use super::state::WebState;
use crate::kernel::problem::Problem;
use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use std::future::{Ready, ready};
use std::ops::Deref;

/// The query's parameters. Unknown ones are refused; all invalid ones are named at once.
#[derive(Debug, Clone)]
pub struct Filter<T>(pub T);

impl<T> Deref for Filter<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Filter<T> {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request).map(Self).map_err(Refusal))
    }
}

fn read<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Problem> {
    let state = request
        .app_data::<Data<WebState>>()
        .ok_or_else(Problem::internal)?;
    let operation = state
        .contract
        .operation_of(request)
        .ok_or_else(Problem::internal)?;
    let query = operation.check_query(request.query_string())?;
    serde_path_to_error::deserialize(query).map_err(|error| {
        let pointer = format!("?{}", error.path());
        Problem::field(pointer, "invalid_value", error.inner().to_string())
    })
}
