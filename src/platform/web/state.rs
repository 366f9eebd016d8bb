//! What every request needs, shared by all workers.

use super::contract::Contract;
use super::figures_token::FiguresToken;
use super::patience::Patience;
use super::rate_limit::RateLimit;
use crate::platform::clock::Clock;
use crate::platform::credentials::Credentials;
use crate::platform::db::Db;
use crate::platform::stripe::Stripe;
use std::sync::Arc;

/// The shared state of the web.
#[derive(Debug, Clone)]
pub struct WebState {
    /// The door to Postgres.
    pub db: Db,
    /// Where `now` comes from.
    pub clock: Arc<dyn Clock>,
    /// Who holds which key.
    pub credentials: Arc<Credentials>,
    /// How often who may ask.
    pub rate_limit: Arc<RateLimit>,
    /// The document that requests are checked against.
    pub contract: Arc<Contract>,
    /// How long it waits for clients that are sending.
    pub patience: Patience,
    /// Whether clients reach the service by TLS only, through a proxy in front of it.
    pub behind_tls: bool,
    /// What whoever gathers the figures has to send; nothing where everybody may.
    pub metrics_token: Option<FiguresToken>,
    /// The largest file that an import takes, in bytes.
    pub import_max_bytes: u64,
    /// What the service pays by Stripe with, where it does.
    pub stripe: Option<Stripe>,
}
