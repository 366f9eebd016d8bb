//! The first rows of a select, with their number in the SQL text.
//!
//! A limit sent as a parameter is unknown to Postgres when it plans for any parameters: it takes a tenth of all rows,
//! finds that plan dear, and plans each list anew for its own values, which takes longer than the list itself. With
//! the number in the text the plan is made once for each connection. Pages have at most a hundred sizes, so that the
//! texts stay few.

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::{PgConnection, QueryResult, RunQueryDsl};

/// At most this many rows of a select that has no limit of its own.
#[derive(Debug, Clone, Copy)]
pub struct FirstRows<Select> {
    pub(super) select: Select,
    pub(super) rows: i64,
}

impl<Select> QueryId for FirstRows<Select> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Select: Query> Query for FirstRows<Select> {
    type SqlType = Select::SqlType;
}

impl<Select, DB> QueryFragment<DB> for FirstRows<Select>
where
    DB: Backend,
    Select: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.select.walk_ast(pass.reborrow())?;
        pass.push_sql(" LIMIT ");
        pass.push_sql(&self.rows.to_string());
        Ok(())
    }
}

impl<Select> RunQueryDsl<PgConnection> for FirstRows<Select> {}
