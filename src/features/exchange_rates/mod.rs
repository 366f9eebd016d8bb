//! Exchange rates: how much of one currency there is for one of another on a day, as the ECB published it or as somebody
//! entered it.
//!
//! Invariant: a rate never changes; a correction is a further rate with its reason, which supersedes the one before.
//! Invariant: of a day, what was entered by hand goes before what the ECB published; what is superseded counts no more.
//! Invariant: where no rate of the last days leads from one currency to the other, there is none; never 1.
//! Events: `exchange_rate.recorded`. The rates of an import are told by the import.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{Asked, MAX_AGE_DAYS};
pub use dto::LegView;
pub use service::rates_for;
pub use store::{GivenRate, LoadedDay, load};
