//! Keyset pages: an order that ends in the id, and an opaque cursor that is bound to the list, its filter and order, and
//! to the organization and partner that it was given to.
//!
//! A cursor is not signed. Whoever makes one up chooses a position among rows that the scope shows anyway.

use super::first_rows::FirstRows;
use crate::kernel::ctx::Ctx;
use crate::kernel::problem::{Code, Problem};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Where a page starts: after the row with this sort key and id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The sort key of the last row seen, as text.
    #[serde(rename = "k")]
    pub key: String,
    /// Its id.
    #[serde(rename = "i")]
    pub id: Uuid,
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    #[serde(rename = "p")]
    position: Position,
    /// A fingerprint of list, filter, order and scope.
    #[serde(rename = "f")]
    fingerprint: String,
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// How many rows.
    pub limit: i64,
    /// After which row; `None` is the beginning.
    pub after: Option<Position>,
    fingerprint: String,
}

/// The default number of rows on a page.
pub const DEFAULT_LIMIT: u8 = 25;

impl PageRequest {
    /// Reads the page parameters. The cursor is bound to the caller's scope, to the list, which the type of the query
    /// names, and to everything else in the query: filters and order.
    pub fn new<Query: Serialize>(
        ctx: &Ctx,
        limit: Option<u8>,
        cursor: Option<&str>,
        query: &Query,
    ) -> Result<Self, Problem> {
        let mut bound_to = serde_json::to_value(query).map_err(|_| Problem::internal())?;
        if let Some(fields) = bound_to.as_object_mut() {
            fields.retain(|name, _| name != "limit" && name != "cursor");
        }
        let bound_to = format!("{:?} {} {bound_to}", ctx.scope, std::any::type_name::<Query>());
        let digest = Sha256::digest(bound_to.as_bytes());
        let fingerprint = URL_SAFE_NO_PAD.encode(digest.get(..9).unwrap_or_default());
        let after = cursor.map(|cursor| open(cursor, &fingerprint)).transpose()?;
        Ok(Self {
            limit: i64::from(limit.unwrap_or(DEFAULT_LIMIT)),
            after,
            fingerprint,
        })
    }

    /// The page from one row more than asked for: that row only tells whether more follow.
    pub fn page<T>(&self, mut rows: Vec<T>, position: impl Fn(&T) -> Position) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows
            .last()
            .filter(|_| has_more)
            .map(|last| self.cursor(position(last)));
        Page { rows, next_cursor }
    }

    /// How many rows to fetch: one more than the page shows.
    pub fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// The rows to fetch of a select that has its order and no limit of its own.
    pub fn rows_of<Select>(&self, select: Select) -> FirstRows<Select> {
        FirstRows {
            select,
            rows: self.fetch(),
        }
    }

    fn cursor(&self, position: Position) -> String {
        let cursor = Cursor {
            position,
            fingerprint: self.fingerprint.clone(),
        };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
    }
}

fn open(cursor: &str, fingerprint: &str) -> Result<Position, Problem> {
    let invalid = || {
        let field = crate::kernel::problem::FieldProblem::new(
            "?cursor",
            "invalid_cursor",
            "Start again without a cursor.",
        );
        Problem {
            errors: vec![field],
            ..Problem::new(Code::InvalidCursor)
        }
    };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
    let cursor: Cursor = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    if cursor.fingerprint == fingerprint {
        Ok(cursor.position)
    } else {
        Err(invalid())
    }
}

/// Rows and the way on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows in order.
    pub rows: Vec<T>,
    /// The cursor of the next page, if there is one.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The page with each row turned into another shape.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page {
            rows: self.rows.into_iter().map(turn).collect(),
            next_cursor: self.next_cursor,
        }
    }
}

/// Declares the page of a view: `page_of!(DealPage, DealView, "deals")`.
#[macro_export]
macro_rules! page_of {
    ($page:ident, $view:ident, $noun:literal) => {
        #[doc = concat!("One page of ", $noun, ".")]
        #[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
        #[schema(description = concat!("One page of ", $noun, "."))]
        pub struct $page {
            /// The records on this page, in the order asked for.
            #[schema(max_items = 100)]
            pub data: Vec<$view>,
            /// Give this as `cursor` to read on; `null` on the last page.
            #[schema(required, max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
            pub next_cursor: Option<String>,
            /// Whether another page follows.
            pub has_more: bool,
        }

        impl From<$crate::platform::db::Page<$view>> for $page {
            fn from(page: $crate::platform::db::Page<$view>) -> Self {
                Self {
                    has_more: page.next_cursor.is_some(),
                    next_cursor: page.next_cursor,
                    data: page.rows,
                }
            }
        }
    };
}
