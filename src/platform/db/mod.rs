//! The one door to Postgres: only [`Db::read`], [`Db::snapshot`] and [`Db::write`] block.
//!
//! Connections stay in the scope of their last caller: the settings that row-level security reads are sent only when
//! the next caller's differ, so that a read by the same caller is one round trip. Reads run in sessions that are
//! read-only by default, on the replica when one is configured. A revoked key is refused by the policies themselves
//! (see `scope_organization` in the migrations), so nothing here depends on how fresh a cache is.

mod connection;
mod door;
mod due;
pub mod error;
mod first_rows;
mod history;
pub mod migrate;
pub mod page;
mod prepared;
#[rustfmt::skip]
pub mod schema;
mod seen;
mod tx;

pub use connection::{SERVICE_ROLE, ScopedConnection, SessionScope};
pub use door::{Db, DbSettings};
pub use due::{due, step_in};
pub use first_rows::FirstRows;
pub use history::as_it_was;
pub use page::{Page, PageRequest, Position};
pub use prepared::Prepared;
pub use seen::Seen;
pub use tx::{Change, Subject, Tx};
