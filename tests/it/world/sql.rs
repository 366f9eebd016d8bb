//! Short questions to the database.

use diesel::sql_types::{BigInt, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// What a question about names answers.
pub type Names = Vec<String>;

/// The column `name` of every row.
#[track_caller]
pub fn names(connection: &mut PgConnection, query: &str) -> Names {
    let rows: Vec<Name> = sql_query(query)
        .load(connection)
        .unwrap_or_else(|error| panic!("{error}: {query}"));
    rows.into_iter().map(|row| row.name).collect()
}

/// The column `count` of the one row.
#[track_caller]
pub fn count(connection: &mut PgConnection, query: &str) -> i64 {
    let row: Count = sql_query(query)
        .get_result(connection)
        .unwrap_or_else(|error| panic!("{error}: {query}"));
    row.count
}
