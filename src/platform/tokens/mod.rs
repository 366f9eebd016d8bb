//! Tokens that prove themselves: JSON Web Tokens (RFC 7519) of identity providers and of the service itself.
//!
//! [`jwt`] reads and verifies, and knows nobody; [`keys`] are the public keys that a signature is checked with;
//! [`key_cache`] reads those of providers from where they publish them; [`signing`] makes and signs the service's own.
//! [`seals`] signs documents that stay, with keys of their own.

pub mod jwt;
pub mod key_cache;
pub mod keys;
pub mod refusal;
pub mod seals;
pub mod signing;
