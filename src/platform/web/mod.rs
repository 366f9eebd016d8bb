//! The web: what every request is asked and every answer carries, so that a handler is one sentence.
//!
//! The OpenAPI document is the law here: [`contract`] checks each request's body and parameters against the very
//! document that is served, so that the two cannot drift apart.

pub mod answer;
mod as_of;
pub mod command;
pub mod contract;
pub mod doors;
pub mod fields;
mod figures;
mod figures_token;
pub mod filter;
pub mod granted;
pub mod layers;
pub mod money;
mod once;
pub mod patience;
mod permissions;
mod pieces;
pub mod problem;
pub mod rate_limit;
mod raw;
pub mod reason;
pub mod request_span;
mod short_texts;
mod spreadsheet;
pub mod state;
pub mod target;
mod unique_names;

pub use answer::Answer;
pub use as_of::AsOf;
pub use command::{Command, Nothing};
pub use fields::Fields;
pub use figures_token::FiguresToken;
pub use filter::Filter;
pub use granted::Granted;
pub use money::{MoneyBody, TotalBody};
pub use once::forget_answers;
pub use patience::{Patience, Patient};
pub use permissions::permissions_of;
pub use pieces::{File, Piece};
pub use raw::Raw;
pub use reason::ReasonBody;
pub use short_texts::{ClosedGate, CountryCode};
pub use spreadsheet::harmless;
pub use state::WebState;
pub use target::Target;

/// What a handler gives back.
pub type Reply = Result<Answer, problem::Refusal>;
