//! Optimistic concurrency: a row's version is its `ETag`, and `If-Match` says which version the caller has seen.

use super::problem::{Code, Problem};

/// What the caller demands of the row's version before anything changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Precondition {
    /// No `If-Match`, or `*`.
    #[default]
    Any,
    /// One of these versions; an empty list matches nothing (a malformed tag).
    OneOf(Vec<i64>),
}

impl Precondition {
    /// Reads an `If-Match` header. A malformed tag can match no version. Proxies that compress make a tag weak; it stands
    /// for the same version all the same.
    pub fn parse(header: &str) -> Self {
        if header.trim() == "*" {
            return Self::Any;
        }
        let version = |tag: &str| {
            let tag = tag.trim();
            let quoted = tag.strip_prefix("W/").unwrap_or(tag);
            quoted.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
        };
        Self::OneOf(header.split(',').filter_map(version).collect())
    }

    /// Refuses with `precondition_failed` when the row has moved on.
    pub fn check(&self, row_version: i64) -> Result<(), Problem> {
        match self {
            Self::Any => Ok(()),
            Self::OneOf(versions) if versions.contains(&row_version) => Ok(()),
            Self::OneOf(versions) if versions.is_empty() => Err(Problem::new(Code::PreconditionFailed)
                .because(format!(
                    "If-Match names no version: send the ETag of the record with its quotes. It is at \
                     If-Match: \"{row_version}\" now."
                ))),
            Self::OneOf(_) => Err(Problem::new(Code::PreconditionFailed).because(format!(
                "The record is at version \"{row_version}\" now; read it again before changing it."
            ))),
        }
    }
}
