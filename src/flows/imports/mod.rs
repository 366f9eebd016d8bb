//! A file becomes records of several rooms: read a batch, resolve what it refers to, write it, go on.
//!
//! Each batch is one transaction with its counts, its rejections and the place where the next one starts, so that a
//! worker that dies loses nothing and counts nothing twice. A dry run does all of it and takes the records back; an
//! atomic import is one transaction from its first row to its last.

mod batch;
mod catalog;
mod deals;
mod exchange_rates;
mod invoices;
mod partners;
mod reading;
mod references;
mod work;

pub use work::work;
