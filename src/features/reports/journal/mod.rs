//! The journal as a file, for whoever keeps the books elsewhere. It goes out piece by piece.

mod dto;
pub mod http;
mod service;
mod store;
