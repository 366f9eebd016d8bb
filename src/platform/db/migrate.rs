//! The schema's migrations, embedded in the binary and run as the owner of the tables.

use diesel::{Connection, PgConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use thiserror::Error;

/// Every migration, oldest first.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Why the schema could not be brought up to date.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// No connection as the owner.
    #[error("cannot connect to Postgres to migrate: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// A migration failed; it left nothing behind.
    #[error("a migration failed: {0}")]
    Migration(Box<dyn std::error::Error + Send + Sync>),
}

/// Brings the schema up to date and returns the names of the migrations that ran. Two that start at once wait for
/// one another.
pub fn run(owner_url: &str) -> Result<Vec<String>, MigrateError> {
    let mut connection = PgConnection::establish(owner_url)?;
    lock(&mut connection)?;
    let applied = connection
        .run_pending_migrations(MIGRATIONS)
        .map_err(MigrateError::Migration)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

/// Undoes every migration; for the tests of the migrations themselves.
pub fn revert_all(owner_url: &str) -> Result<(), MigrateError> {
    let mut connection = PgConnection::establish(owner_url)?;
    lock(&mut connection)?;
    connection
        .revert_all_migrations(MIGRATIONS)
        .map_err(MigrateError::Migration)?;
    Ok(())
}

/// The names of the migrations that have not run yet.
pub fn pending(owner_url: &str) -> Result<Vec<String>, MigrateError> {
    let mut connection = PgConnection::establish(owner_url)?;
    let pending = connection
        .pending_migrations(MIGRATIONS)
        .map_err(MigrateError::Migration)?;
    Ok(pending
        .iter()
        .map(|migration| migration.name().to_string())
        .collect())
}

/// Held until the connection closes.
fn lock(connection: &mut PgConnection) -> Result<(), MigrateError> {
    use diesel::connection::SimpleConnection;
    connection
        .batch_execute("SELECT pg_advisory_lock(hashtext('copartner migrations'))")
        .map_err(|error| MigrateError::Migration(Box::new(error)))
}
