//! A statement with fixed SQL text that may be prepared once and kept.
//!
//! Diesel prepares and caches plain selects, but sends derived inserts, updates and raw SQL unprepared each time,
//! because their text may vary. Wrapped in [`Prepared`] the statement is cached by its text.

use diesel::backend::Backend;
use diesel::connection::{DefaultLoadingMode, LoadConnection};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Untyped;
use diesel::{PgConnection, QueryResult, RunQueryDsl};

/// Says of a statement that its SQL text is always the same.
#[derive(Debug, Clone, Copy)]
pub struct Prepared<Statement>(pub Statement);

impl<Statement: QueryFragment<diesel::pg::Pg>> Prepared<Statement> {
    /// Runs a statement that gives no rows. Diesel's own way to do so hands the statement on by reference and asks the
    /// reference whether it may be cached, which does not know of this wrapper; its way to load rows does.
    pub fn execute(self, connection: &mut PgConnection) -> QueryResult<()> {
        LoadConnection::<DefaultLoadingMode>::load(connection, WithoutRows(self.0)).map(drop)
    }
}

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

/// A prepared statement whose rows nobody reads, if it has any.
struct WithoutRows<Statement>(Statement);

impl<Statement> QueryId for WithoutRows<Statement> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Statement> Query for WithoutRows<Statement> {
    type SqlType = Untyped;
}

impl<Statement, DB> QueryFragment<DB> for WithoutRows<Statement>
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
