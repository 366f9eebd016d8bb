//! How far a partner's start in a program is: a list of steps, computed when it is asked, and set by nobody.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;
