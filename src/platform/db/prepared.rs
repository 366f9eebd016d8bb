//! A statement with fixed SQL text that may be prepared once and kept.
//!
//! Diesel prepares and caches plain selects, but sends derived inserts, updates and raw SQL unprepared each time,
//! because their text may vary. Wrapped in [`Prepared`] the statement is cached by its text.

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::{PgConnection, QueryResult, RunQueryDsl};

/// Says of a statement that its SQL text is always the same.
#[derive(Debug, Clone, Copy)]
pub struct Prepared<Statement>(pub Statement);

impl<Statement> QueryId for Prepared<Statement> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Statement: Query> Query for Prepared<Statement> {
    type SqlType = Statement::SqlType;
}

impl<Statement, DB> QueryFragment<DB> for Prepared<Statement>
where
    DB: Backend,
    Statement: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Statement> RunQueryDsl<PgConnection> for Prepared<Statement> {}
