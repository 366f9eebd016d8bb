//! The private Postgres that all contestants use, in a temporary folder that goes with it.

use super::Fault;
use copartner::platform::db::{Db, DbSettings, migrate};
use copartner::platform::embedded_postgres::{Durability, EmbeddedPostgres, Options};
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A running Postgres and its folder.
#[derive(Debug)]
pub struct Stage {
    postgres: Option<EmbeddedPostgres>,
    folder: PathBuf,
    url: String,
    programs: PathBuf,
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct NumberRow {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

impl Stage {
    /// Brings up a Postgres whose commits are durable, as in production.
    pub fn start(clients: u64) -> Result<Self, Fault> {
        let folder = std::env::temp_dir().join(format!("copartner-bench-{}", std::process::id()));
        let options = Options {
            folder: &folder,
            programs: None,
            durability: Durability::Durable,
            max_connections: u32::try_from(clients)? + 60,
        };
        let postgres = EmbeddedPostgres::start(&options, &mut |_| {})?;
        Ok(Self {
            url: postgres.url("ROLE", "DATABASE"),
            programs: postgres.programs().to_path_buf(),
            postgres: Some(postgres),
            folder,
        })
    }

    /// The connection URL of the superuser, whom no policy binds.
    pub fn url(&self, database: &str) -> String {
        self.role_url("postgres", database)
    }

    /// The connection URL of a role.
    pub fn role_url(&self, role: &str, database: &str) -> String {
        self.url.replace("ROLE", role).replace("DATABASE", database)
    }

    /// A program that came with Postgres.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Where files of the run may lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a database with the schema and nothing in it.
    pub fn migrated(&self, name: &str) -> Result<(), Fault> {
        self.run("postgres", &format!("CREATE DATABASE {name}"))?;
        migrate::run(&self.url(name))?;
        Ok(())
    }

    /// The door to a database, as the service has it.
    pub fn door(&self, database: &str) -> Db {
        Db::new(&DbSettings {
            url: self.url(database),
            read_url: None,
            write_connections: 2,
            read_connections: 2,
            wait: Duration::from_secs(10),
            statement_timeout_ms: 0,
        })
    }

    /// Runs SQL as the superuser.
    pub fn run(&self, database: &str, sql: &str) -> Result<(), Fault> {
        Ok(PgConnection::establish(&self.url(database))?.batch_execute(sql)?)
    }

    /// What a query gives in its one text column, called `value`.
    pub fn texts(&self, database: &str, sql: &str) -> Result<Vec<String>, Fault> {
        let mut connection = PgConnection::establish(&self.url(database))?;
        let rows: Vec<TextRow> = sql_query(sql).load(&mut connection)?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    /// How many rows a table has.
    pub fn count(&self, database: &str, table: &str) -> Result<u64, Fault> {
        let mut connection = PgConnection::establish(&self.url(database))?;
        let query = sql_query(format!("SELECT count(*) AS value FROM {table}"));
        let row: NumberRow = query.get_result(&mut connection)?;
        Ok(u64::try_from(row.value)?)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The server must be gone before its folder is.
        drop(self.postgres.take());
        // A folder that is left behind lies where the system cleans up.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
