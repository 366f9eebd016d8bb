//! Serving: from settings to a listening service and back to nothing.

use super::ledger_check::organizations;
use super::worker::Worker;
use super::{application, document};
use crate::flows;
use crate::kernel::id::OrganizationId;
use crate::kernel::problem::Problem;
use crate::platform::clock::Clock;
use crate::platform::config::{DatabaseSettings, ServeSettings};
use crate::platform::credentials::Credentials;
use crate::platform::db::{Db, DbSettings, SERVICE_ROLE};
use crate::platform::embedded_postgres::{
    Durability, EmbeddedPostgres, EmbeddedPostgresError, Options, default_data_folder,
};
use crate::platform::memory;
use crate::platform::outbound::{Outbound, OutboundRules};
use crate::platform::stripe::{KeyMode, Stripe, StripeSettings, StripeSettingsError};
use crate::platform::tokens::signing::Signer;
use crate::platform::web::contract::{Contract, ContractError};
use crate::platform::web::rate_limit::RateLimit;
use crate::platform::web::{Patience, WebState};
use actix_web::HttpServer;
use actix_web::dev::Server;
use actix_web::web::Data;
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// The longest a statement may run, in milliseconds.
const STATEMENT_TIMEOUT_MS: u32 = 300_000;
/// Seconds that requests in flight have to finish when the service stops.
const SHUTDOWN_SECONDS: u64 = 30;
/// How often the samples of the figures are gathered.
const UPKEEP: Duration = Duration::from_secs(5);

/// Why the service could not serve.
#[derive(Debug, Error)]
pub enum ServeError {
    /// A build that lets everybody in would be reached from elsewhere.
    #[cfg(feature = "bench-open-doors")]
    #[error("this build lets everybody in, so it serves this machine only")]
    OpenDoors,
    /// The private Postgres.
    #[error(transparent)]
    Postgres(#[from] EmbeddedPostgresError),
    /// Nothing was ever kept in the folder.
    #[error(
        "there is no database in {}. Name the data folder of the service in COPARTNER_DATA_DIR, or its database in \
         DATABASE_URL", .0.display()
    )]
    NoDatabase(PathBuf),
    /// The address.
    #[error("cannot listen on {0}: {1}. Set COPARTNER_LISTEN, or --listen, to another address and port")]
    Listen(SocketAddr, std::io::Error),
    /// The settings of Stripe.
    #[error(transparent)]
    Stripe(#[from] StripeSettingsError),
    /// Stripe is set up for somebody who is not here.
    #[error("COPARTNER_STRIPE_ORGANIZATION_ID: there is no organization {0}")]
    StripeOrganization(OrganizationId),
    /// The database.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The document.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The server.
    #[error("the server failed: {0}")]
    Server(#[from] std::io::Error),
}

/// A database to work with: a private one, or the one that was named.
#[derive(Debug)]
pub struct Database {
    /// For migrations.
    pub owner_url: String,
    /// For the pools.
    pub settings: DbSettings,
    /// The private Postgres, which ends with this.
    pub private: Option<EmbeddedPostgres>,
}

/// Finds the database, bringing up the private one when none is named.
pub fn database(settings: &DatabaseSettings, report: &mut dyn FnMut(&str)) -> Result<Database, ServeError> {
    let (url, owner_url, private) = match &settings.database_url {
        Some(url) => (
            url.clone(),
            settings.database_owner_url.clone().unwrap_or_else(|| url.clone()),
            None,
        ),
        None => {
            let postgres = private_postgres(settings, report)?;
            let owner_url = postgres.url("postgres", "postgres");
            (postgres.url(SERVICE_ROLE, "postgres"), owner_url, Some(postgres))
        }
    };
    let connections = settings.database_connections;
    let settings = DbSettings {
        url,
        read_url: settings.read_database_url.clone(),
        write_connections: connections,
        read_connections: connections,
        wait: Duration::from_millis(settings.database_wait_ms),
        statement_timeout_ms: STATEMENT_TIMEOUT_MS,
    };
    Ok(Database {
        owner_url,
        settings,
        private,
    })
}

/// [`database`] for what only looks at what is there: it makes none.
pub fn known_database(
    settings: &DatabaseSettings,
    report: &mut dyn FnMut(&str),
) -> Result<Database, ServeError> {
    if settings.database_url.is_none() {
        let folder = settings.data_dir.clone().map_or_else(default_data_folder, Ok)?;
        if !EmbeddedPostgres::is_in(&folder)? {
            return Err(ServeError::NoDatabase(folder));
        }
    }
    database(settings, report)
}

fn private_postgres(
    settings: &DatabaseSettings,
    report: &mut dyn FnMut(&str),
) -> Result<EmbeddedPostgres, EmbeddedPostgresError> {
    let folder = settings.data_dir.clone().map_or_else(default_data_folder, Ok)?;
    let options = Options {
        folder: &folder,
        programs: settings.postgres_bin.as_deref(),
        durability: Durability::Durable,
        max_connections: 4 * settings.database_connections + 20,
    };
    EmbeddedPostgres::start(&options, report)
}

/// The shared state of the web over this database.
pub fn state(
    db: Db,
    clock: Arc<dyn Clock>,
    settings: &ServeSettings,
    stripe: Option<Stripe>,
) -> Result<WebState, ServeError> {
    Ok(WebState {
        db,
        clock,
        credentials: Arc::new(credentials(settings)),
        rate_limit: Arc::new(RateLimit::new(settings.rate_limit_per_minute)),
        contract: Arc::new(Contract::new(&document())?),
        patience: Patience {
            wait: Duration::from_millis(settings.client_wait_ms),
            least_bytes_per_second: settings.upload_least_bytes_per_second,
        },
        behind_tls: settings.behind_tls,
        metrics_token: settings.metrics_token.clone(),
        import_max_bytes: u64::from(settings.import_max_mib) * 1024 * 1024,
        stripe,
    })
}

/// What the service pays by Stripe with, if it does; the organization that it pays for has to be there.
pub fn stripe(
    db: &Db,
    settings: &StripeSettings,
    report: &mut dyn FnMut(&str),
) -> Result<Option<Stripe>, ServeError> {
    let Some(stripe) = Stripe::new(settings)? else {
        return Ok(None);
    };
    let organization_id = stripe.organization_id();
    if !organizations(db)?.contains(&organization_id) {
        return Err(ServeError::StripeOrganization(organization_id));
    }
    let money = match stripe.mode_for(organization_id) {
        Some(KeyMode::Live) => "with a live key",
        _ => "with a test key, so that no money moves",
    };
    report(&format!(
        "payouts of {organization_id} on the rail stripe are paid {money}"
    ));
    if settings.stripe_webhook_secret.is_none() {
        report("COPARTNER_STRIPE_WEBHOOK_SECRET is not set: transfers that come back are not heard of");
    }
    Ok(Some(stripe))
}

/// Who may come in, by these settings; nobody is known yet.
pub fn credentials(settings: &ServeSettings) -> Credentials {
    let outbound = Outbound::new(OutboundRules {
        plain_http: settings.outbound_http,
        inside: settings.outbound_networks.clone(),
    });
    let signer = Arc::new(Signer::new(&settings.public_url));
    Credentials::new(outbound, signer, flows::identity_arrived::run)
}

/// The address that the service listens on, taken before anything is made that cannot be made twice.
pub fn listen(settings: &ServeSettings) -> Result<TcpListener, ServeError> {
    TcpListener::bind(settings.listen).map_err(|error| ServeError::Listen(settings.listen, error))
}

/// A server on this listener, not yet running.
pub fn server(
    listener: TcpListener,
    state: WebState,
    figures: PrometheusHandle,
    settings: &ServeSettings,
    connections: u32,
) -> Result<Server, ServeError> {
    #[cfg(feature = "bench-open-doors")]
    if !settings.listen.ip().is_loopback() {
        return Err(ServeError::OpenDoors);
    }
    let usual = || default_workers(state.db.reads_on_answering_threads());
    let workers = settings.workers.map_or_else(usual, usize::from);
    let blocking = usize::try_from(2 * connections)
        .unwrap_or(usize::MAX)
        .div_ceil(workers)
        .max(2);
    actix_web::rt::spawn(keep_up(figures.clone(), state.clone()));
    let (state, figures) = (Data::new(state), Data::new(figures));
    let origins = settings.cors_origins.clone();
    let build = move || {
        let application = application(state.clone(), figures.clone(), origins.clone());
        // To register the operations describes them all once more.
        memory::give_back();
        application
    };
    let server = HttpServer::new(build)
        .workers(workers)
        .worker_max_blocking_threads(blocking)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .client_request_timeout(Duration::from_millis(settings.client_wait_ms))
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(server)
}

/// Gathers the samples of the figures now and then; else they would pile up until somebody asks for `/metrics`.
///
/// Also tells Postgres which keys were used meanwhile.
async fn keep_up(figures: PrometheusHandle, state: WebState) {
    loop {
        actix_web::rt::time::sleep(UPKEEP).await;
        figures.run_upkeep();
        if let Err(problem) = state.credentials.tell_uses(&state.db).await {
            tracing::warn!(%problem, "uses of keys are not noted");
        }
    }
}

/// Starts the background work over the same database.
pub fn worker(state: &WebState) -> Result<Worker, ServeError> {
    Ok(Worker::start(&state.db, &state.clock, state.stripe.as_ref())?)
}

/// Threads that answer: as many as there are cores, up to four; twice as many where they wait for Postgres themselves.
fn default_workers(wait: bool) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores.min(4) * if wait { 2 } else { 1 }
}
