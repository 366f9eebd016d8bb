//! Imports: bulk loading of product families, partners, accounts, deals and invoices from CSV files.
//!
//! queued → running → succeeded | failed; queued | running → canceled
//!
//! A file is taken in piece by piece ([`upload`]), read record by record ([`records`]) and turned into typed rows
//! ([`rows`]) by a mapping ([`mapping`]) onto the fields of a resource ([`targets`]). What the rows do to the other
//! rooms is the story of `flows::imports`; the queries that find and write their records, thousands at a time, are
//! here ([`stored`], [`references`], [`happened`]), because the stores of those rooms write one record at a time.
//!
//! Invariant: a row is matched by its `external_id`, so that importing a file twice changes nothing the second time.
//! Invariant: a batch of rows, its counts and the place where the next one starts are one transaction.
//! Invariant: no more than a batch of the file is ever in memory.
//! Events: `import.created`, `import.succeeded`, `import.failed`, `import.canceled`.

mod domain;
mod dto;
mod headings;
pub mod http;
pub mod mapping;
mod rate_columns;
pub mod records;
pub mod rows;
mod service;
mod store;
pub mod targets;
mod upload;

pub use domain::{Counts, Import, ImportError, ImportStatus};
pub use service::finish;
pub use store::{
    chunk, claim, discard_cut_off, discard_keys, discard_rejections, find, happened, keep_rejections, lease,
    note_keys, references, refresh_statistics, release_all, start_piece, stored, take_back, update,
};
