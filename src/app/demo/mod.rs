//! The demo: a small, invented program that walks through the service by real calls over HTTP.
//!
//! bring up a database and the service → found an organization → the story, call by call → stop everything
//!
//! Invariant: it never touches data that is somebody's: its database is a throwaway, or, on a database that was
//! named, it has an organization of its own.
//! Invariant: inputs and clock are fixed, so that the figures are the same every time.

mod caller;
mod story;
mod table;

pub use story::walk;

use super::bootstrap;
use super::serve::{self, Database, ServeError};
use crate::kernel::problem::Problem;
use crate::platform::clock::{Clock, ManualClock};
use crate::platform::config::{DatabaseSettings, ServeSettings};
use crate::platform::db::{Db, migrate};
use crate::platform::embedded_postgres::EmbeddedPostgresError;
use crate::platform::telemetry::{self, TelemetryError};
use crate::platform::web::WebState;
use actix_web::dev::ServerHandle;
use chrono::{DateTime, NaiveDate, Utc};
use metrics_exporter_prometheus::PrometheusHandle;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use thiserror::Error;

/// Why the demo did not come to its end.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The database or the server.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The private Postgres did not stop.
    #[error(transparent)]
    Postgres(#[from] EmbeddedPostgresError),
    /// The schema.
    #[error(transparent)]
    Migrate(#[from] migrate::MigrateError),
    /// The figures.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The organization could not be founded.
    #[error("the organization of the demo: {0}")]
    Organization(#[from] Problem),
    /// A call that should have succeeded did not, or the other way around.
    #[error("{call} answered {status}: {body}")]
    Unexpected {
        /// Its method and path.
        call: String,
        /// The status that came.
        status: u16,
        /// The body that came.
        body: String,
    },
    /// A call did not get through.
    #[error("{0}")]
    Call(#[from] Box<ureq::Error>),
    /// An answer lacks what the story needs.
    #[error("an answer has no {0}")]
    Missing(String),
    /// The server ended before it listened.
    #[error("the server did not start: {0}")]
    Start(#[from] RecvError),
    /// What happens could not be shown.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// Runs the demo; `report` hears of the database, `out` gets the story.
pub fn run(
    settings: &DatabaseSettings,
    report: &mut dyn FnMut(&str),
    out: &mut dyn Write,
) -> Result<(), DemoError> {
    let mut settings = settings.clone();
    let throwaway = Throwaway::unless_named(&mut settings);
    let database = serve::database(&settings, report)?;
    migrate::run(&database.owner_url)?;
    let told = tell(&database, out);
    if let Some(postgres) = database.private {
        postgres.stop()?;
    }
    drop(throwaway);
    told
}

/// Founds the organization, serves, and walks.
fn tell(database: &Database, out: &mut dyn Write) -> Result<(), DemoError> {
    let clock = ManualClock::new(today());
    let db = Db::new(&database.settings);
    let founded = bootstrap::organization(
        &db,
        "Copartner demo",
        bootstrap::OrganizationMode::Live,
        clock.now(),
    )?;
    let settings = serve_settings();
    let state = serve::state(db, Arc::new(clock), &settings, None)?;
    let figures = telemetry::metrics()?;
    let served = Served::start(state, figures, settings, database.settings.write_connections)?;
    walk(&format!("http://{}", served.address), &founded.secret.text, out)
}

/// The day on which the demo takes place, after everything that it tells of.
fn today() -> DateTime<Utc> {
    let day = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap_or_default();
    day.and_time(chrono::NaiveTime::default()).and_utc()
}

/// A free port that nobody but this machine reaches.
fn serve_settings() -> ServeSettings {
    ServeSettings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        workers: Some(1),
        rate_limit_per_minute: NonZeroU32::MAX,
        import_max_mib: 1,
        client_wait_ms: 20_000,
        upload_least_bytes_per_second: NonZeroU32::MIN,
        cors_origins: Vec::new(),
        behind_tls: false,
        public_url: "http://127.0.0.1".to_owned(),
        outbound_http: false,
        outbound_networks: Vec::new(),
        metrics_token: None,
        bootstrap_key_file: None,
        without_worker: true,
    }
}

/// A data folder that is gone when the demo is.
struct Throwaway(PathBuf);

impl Throwaway {
    /// Makes the settings point to a new folder, unless they name a database.
    fn unless_named(settings: &mut DatabaseSettings) -> Option<Self> {
        if settings.database_url.is_some() {
            return None;
        }
        let folder = std::env::temp_dir().join(format!("copartner-demo-{}", std::process::id()));
        settings.data_dir = Some(folder.clone());
        Some(Self(folder))
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "the demo's folder stays");
        }
    }
}

/// The service in a thread of this process; dropping it stops it.
struct Served {
    address: SocketAddr,
    handle: ServerHandle,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Served {
    fn start(
        state: WebState,
        figures: PrometheusHandle,
        settings: ServeSettings,
        connections: u32,
    ) -> Result<Self, DemoError> {
        let (born, birth) = sync_channel(1);
        let serve = move || serve_until_stopped(state, figures, &settings, connections, &born);
        let thread = std::thread::Builder::new().name("demo".to_owned()).spawn(serve)?;
        match birth.recv() {
            Ok((handle, address)) => Ok(Self {
                address,
                handle,
                thread: Some(thread),
            }),
            // The thread ended without a word; what it ended with says more.
            Err(silence) => Err(match thread.join() {
                Ok(Err(error)) => error.into(),
                _ => silence.into(),
            }),
        }
    }
}

fn serve_until_stopped(
    state: WebState,
    figures: PrometheusHandle,
    settings: &ServeSettings,
    connections: u32,
    born: &SyncSender<(ServerHandle, SocketAddr)>,
) -> Result<(), ServeError> {
    actix_web::rt::System::new().block_on(async {
        let listener = serve::listen(settings)?;
        let address = listener.local_addr()?;
        let running = serve::server(listener, state, figures, settings, connections)?;
        // Nobody listens any more when the demo has given up; the server then ends with its thread.
        if born.send((running.handle(), address)).is_ok() {
            running.await?;
        }
        Ok(())
    })
}

impl Drop for Served {
    fn drop(&mut self) {
        // The order to stop is given by the call itself; joining the thread is the wait for it.
        drop(self.handle.stop(false));
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the demo's server panicked");
        }
    }
}
