//! The token that whoever gathers the figures has to send, where the operator wants one.

use super::granted::bearer;
use crate::kernel::problem::{Code, Problem};
use actix_web::HttpRequest;
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;
use subtle::ConstantTimeEq;
use thiserror::Error;

/// The least length of a token, in bytes.
const LEAST: usize = 16;

/// The token could be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a token needs at least {LEAST} characters")]
pub struct TooShort;

/// The hash of the token: it is shown nowhere, and how long two take to be compared tells nothing of either.
#[derive(Clone)]
pub struct FiguresToken(Vec<u8>);

impl FiguresToken {
    /// Refuses a request that does not carry it.
    pub fn check(&self, request: &HttpRequest) -> Result<(), Problem> {
        match bearer(request).map(Self::of) {
            Some(sent) if sent.0.ct_eq(&self.0).into() => Ok(()),
            _ => Err(Problem::new(Code::Unauthorized)),
        }
    }

    fn of(text: &str) -> Self {
        Self(Sha256::digest(text).to_vec())
    }
}

impl FromStr for FiguresToken {
    type Err = TooShort;

    fn from_str(text: &str) -> Result<Self, TooShort> {
        if text.len() < LEAST {
            return Err(TooShort);
        }
        Ok(Self::of(text))
    }
}

impl fmt::Debug for FiguresToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FiguresToken(..)")
    }
}
