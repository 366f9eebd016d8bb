//! Enrollments: a partner in a program.

pub mod http;
