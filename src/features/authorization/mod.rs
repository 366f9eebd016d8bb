//! Authorization: who am I, what may I do, and why may somebody do something or not.
//!
//! Invariant: an answer is about the organization of the caller, and a partner's caller hears only about its partner's
//! own people, keys and records.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;
