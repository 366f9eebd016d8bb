//! The real service on a free port, in a thread of this process.

use super::{Actor, Settings};
use copartner::app::serve;
use copartner::platform::clock::ManualClock;
use copartner::platform::config::ServeSettings;
use copartner::platform::credentials::Credentials;
use copartner::platform::db::Db;
use copartner::platform::stripe::Stripe;
use copartner::platform::telemetry;
use copartner::platform::web::contract::Contract;
use copartner::platform::web::rate_limit::RateLimit;
use copartner::platform::web::{Patience, WebState};
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

/// A listening service; dropping it stops it.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    handle: actix_web::dev::ServerHandle,
    thread: Option<JoinHandle<()>>,
    credentials: Arc<Credentials>,
}

impl Service {
    /// Starts the service and returns when it listens.
    pub fn start(db: Db, clock: &ManualClock, settings: &Settings, stripe: Option<Stripe>) -> Self {
        let serve_settings = ServeSettings {
            listen: "127.0.0.1:0".parse().unwrap(),
            workers: Some(1),
            rate_limit_per_minute: settings.rate_limit_per_minute,
            import_max_mib: 16,
            client_wait_ms: settings.client_wait_ms,
            upload_least_bytes_per_second: settings.upload_least_bytes_per_second,
            cors_origins: settings
                .cors_origins
                .iter()
                .map(|origin| (*origin).to_owned())
                .collect(),
            behind_tls: settings.behind_tls,
            public_url: "http://127.0.0.1:8080".to_owned(),
            outbound_http: settings.outbound,
            outbound_networks: if settings.outbound {
                vec!["127.0.0.0/8".parse().unwrap()]
            } else {
                Vec::new()
            },
            metrics_token: settings.metrics_token.map(|token| token.parse().unwrap()),
            bootstrap_key_file: None,
            without_worker: true,
        };
        let state = state(db, clock, &serve_settings, stripe);
        let credentials = Arc::clone(&state.credentials);
        let (connections, figures) = (settings.connections, figures());
        let (born, birth) = channel();
        let run = move || {
            actix_web::rt::System::new().block_on(async {
                let listener = serve::listen(&serve_settings).unwrap();
                let address = listener.local_addr().unwrap();
                let server = serve::server(listener, state, figures, &serve_settings, connections).unwrap();
                born.send((server.handle(), address)).unwrap();
                server.await.unwrap();
            });
        };
        let thread = std::thread::Builder::new()
            .name("service".to_owned())
            .spawn(run)
            .unwrap();
        let (handle, address) = birth.recv().unwrap();
        Self {
            address,
            handle,
            thread: Some(thread),
            credentials,
        }
    }

    /// Tells Postgres which keys were used, as the service does every few seconds.
    pub fn tell_uses(&self, db: &Db) {
        let told = self.credentials.tell_uses(db);
        actix_web::rt::System::new().block_on(told).unwrap();
    }

    /// Waits until the refusals of this service are in the login history.
    pub fn settle(&self) {
        actix_web::rt::System::new().block_on(self.credentials.settle());
    }

    /// Somebody who calls this service.
    pub fn actor(&self, token: Option<&str>) -> Actor {
        Actor::at(self.address, token)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The order to stop is given by the call itself; joining the thread is the wait for it.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The state as the service makes it; the document is compiled once for all tests.
fn state(db: Db, clock: &ManualClock, settings: &ServeSettings, stripe: Option<Stripe>) -> WebState {
    static CONTRACT: OnceLock<Arc<Contract>> = OnceLock::new();
    let clock = Arc::new(clock.clone());
    let contract = CONTRACT.get_or_init(|| {
        serve::state(db.clone(), clock.clone(), settings, None)
            .unwrap()
            .contract
    });
    WebState {
        db,
        clock,
        credentials: Arc::new(serve::credentials(settings)),
        rate_limit: Arc::new(RateLimit::new(settings.rate_limit_per_minute)),
        contract: Arc::clone(contract),
        patience: Patience {
            wait: Duration::from_millis(settings.client_wait_ms),
            least_bytes_per_second: settings.upload_least_bytes_per_second,
        },
        metrics_token: settings.metrics_token.clone(),
        behind_tls: settings.behind_tls,
        import_max_bytes: u64::from(settings.import_max_mib) * 1024 * 1024,
        stripe,
    }
}

/// A process has one recorder of figures.
fn figures() -> PrometheusHandle {
    static FIGURES: OnceLock<PrometheusHandle> = OnceLock::new();
    FIGURES.get_or_init(|| telemetry::metrics().unwrap()).clone()
}
