//! The record that the path names.

use super::problem::Refusal;
use crate::kernel::problem::Problem;
use actix_web::dev::Payload;
use actix_web::web::Path;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use std::future::{Ready, ready};
use std::ops::Deref;

/// The path's parameters. A malformed id names no record, so it is `404` like a missing one.
#[derive(Debug, Clone, Copy)]
pub struct Target<T>(pub T);

impl<T> Deref for Target<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Target<T> {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = Path::<T>::from_request(request, payload).into_inner();
        ready(
            read.map(|path| Self(path.into_inner()))
                .map_err(|_| Refusal(Problem::not_found())),
        )
    }
}
