//! Programs: sets of written terms for one motion.

pub mod http;
