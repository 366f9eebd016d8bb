//! Stripe, as far as it is needed to pay by it: transfers to connected accounts, and the events by which it tells of them.
//!
//! Invariant: a secret is neither printed nor serialized; it goes into requests to Stripe alone.
//! Invariant: an answer says for sure that a transfer was made, or for sure that there is none, or that nobody knows.
//! Whatever is not understood is the last of these.

mod client;
mod settings;
mod signature;
mod transfer;

pub use client::{Made, Stripe};
pub use settings::{KeyMode, Secret, StripeSettings, StripeSettingsError};
pub use signature::SignatureError;
pub use transfer::{CURRENCIES, Notice, Transfer, TransferOrder};
