//! A world of its own for each test: a database, a service on a free port, a clock that the test moves.
//!
//! Invariant: tests share the Postgres server and nothing in it, so that they run side by side.
//! Invariant: nothing waits for time to pass; the clock is moved and the worker is driven by hand.

mod actor;
pub mod document;
mod pdf;
mod pipeline;
mod postgres;
mod provider;
mod reply;
mod service;
mod sql;
mod stripe;

pub use actor::{Actor, Ask};
pub use document::{Operation, document, operations, resolve};
pub use pdf::Pdf;
pub use pipeline::{FINANCE, Run, money, texts};
pub use postgres::{Cluster, Database};
pub use provider::{AUDIENCE, Mood, Provider, ProviderKey};
pub use reply::Reply;
pub use sql::{Names, count, names};
pub use stripe::{ROLLED_KEY, StandIn, Turn, sign, sign_as_stand_in, webhook};

use chrono::{DateTime, TimeDelta, Utc};
use copartner::app::bootstrap::{self, OrganizationMode};
use copartner::app::worker;
use copartner::kernel::id::OrganizationId;
use copartner::kernel::permission::Permission;
use copartner::platform::clock::{Clock, ManualClock};
use copartner::platform::db::Db;
use copartner::platform::stripe::Stripe;
use serde_json::{Value, json};
use service::Service;
use std::num::NonZeroU32;
use std::time::Duration;

/// More rounds than any test gives the worker; beyond it, the worker never finds an end.
const MOST_ROUNDS: usize = 1_000;

/// How a world differs from the usual one.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Requests a minute for each caller.
    pub rate_limit_per_minute: NonZeroU32,
    /// Connections for writes, and as many for reads.
    pub connections: u32,
    /// How long a request waits for a connection.
    pub wait: Duration,
    /// Milliseconds that a client has to send its request.
    pub client_wait_ms: u64,
    /// Bytes of a file that have to arrive for each second of waiting.
    pub upload_least_bytes_per_second: NonZeroU32,
    /// Origins whose pages may ask.
    pub cors_origins: &'static [&'static str],
    /// Whether clients come by TLS only.
    pub behind_tls: bool,
    /// Whether identity providers on this machine may be asked, by plain http.
    pub outbound: bool,
    /// What whoever gathers the figures has to send.
    pub metrics_token: Option<&'static str>,
    /// What the home organization is for.
    pub mode: OrganizationMode,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rate_limit_per_minute: NonZeroU32::new(1_000_000).unwrap(),
            connections: 4,
            wait: Duration::from_secs(2),
            client_wait_ms: 20_000,
            upload_least_bytes_per_second: NonZeroU32::MIN,
            cors_origins: &[],
            behind_tls: false,
            outbound: false,
            metrics_token: None,
            mode: OrganizationMode::Live,
        }
    }
}

/// An organization and its first key.
#[derive(Debug)]
pub struct Tenant {
    /// The organization.
    pub id: OrganizationId,
    /// The key that holds every permission.
    pub admin: Actor,
}

/// One running service and everything around it.
#[derive(Debug)]
pub struct World {
    /// What time the service thinks it is.
    pub clock: ManualClock,
    /// The organization that every world has.
    pub home: Tenant,
    /// The door to the database, as the service has it.
    pub db: Db,
    /// What it pays by Stripe with, if it does.
    pub stripe: Option<Stripe>,
    settings: Settings,
    service: Service,
    // Dropped last: the service must be gone before its database is.
    database: Database,
}

impl World {
    /// The usual world.
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    /// A world with settings of its own, on the server that all tests share.
    pub fn with(settings: Settings) -> Self {
        Self::on(Cluster::shared().database(), settings)
    }

    /// The usual world, but the home organization is a sandbox.
    pub fn sandbox() -> Self {
        Self::with(Settings {
            mode: OrganizationMode::Sandbox,
            ..Settings::default()
        })
    }

    /// A world on this database.
    pub fn on(database: Database, settings: Settings) -> Self {
        let clock = ManualClock::new("2026-03-02T09:00:00Z".parse().unwrap());
        let db = Db::new(&database.settings(&settings));
        let service = Service::start(db.clone(), &clock, &settings, None);
        let home = found(&db, &clock, &service, "Example Cloud", settings.mode);
        Self {
            clock,
            home,
            db,
            stripe: None,
            settings,
            service,
            database,
        }
    }

    /// The key that holds every permission of the home organization.
    pub fn admin(&self) -> &Actor {
        &self.home.admin
    }

    /// Another organization on the same service.
    pub fn second_organization(&self) -> Tenant {
        self.another_organization(OrganizationMode::Live)
    }

    /// Another organization on the same service, for this.
    pub fn another_organization(&self, mode: OrganizationMode) -> Tenant {
        found(&self.db, &self.clock, &self.service, "Second Cloud", mode)
    }

    /// Tells Postgres which keys were used, as the service does every few seconds.
    pub fn tell_uses(&self) {
        self.service.tell_uses(&self.db);
    }

    /// Waits until the refusals that were given are in the login history.
    pub fn settle(&self) {
        self.service.settle();
    }

    /// Ends the service and starts it anew on the same database; callers from before call nobody any more.
    pub fn restart(&mut self) {
        self.service = Service::start(self.db.clone(), &self.clock, &self.settings, self.stripe.clone());
        let token = self.home.admin.token().map(str::to_owned);
        self.home.admin = self.service.actor(token.as_deref());
    }

    /// A caller without a credential.
    pub fn nobody(&self) -> Actor {
        self.service.actor(None)
    }

    /// A caller with this text as bearer token.
    pub fn bearer(&self, token: &str) -> Actor {
        self.service.actor(Some(token))
    }

    /// A new key of the home organization with exactly these permissions.
    pub fn key(&self, permissions: &[&str]) -> Actor {
        self.issue(json!({ "name": "A key", "permissions": permissions }))
    }

    /// A new key with exactly these permissions whose secret the admin did not make: a second person for what the admin
    /// does.
    pub fn another_hand(&self, permissions: &[&str]) -> Actor {
        self.another_hand_in(self.home.id, permissions)
    }

    /// The same in any organization.
    pub fn another_hand_in(&self, organization: OrganizationId, permissions: &[&str]) -> Actor {
        let second = bootstrap::admin_key(&self.db, Some(organization), self.clock.now()).unwrap();
        let body = json!({ "name": "Another hand", "permissions": permissions });
        let admin = self.bearer(&second.secret.text);
        let key = admin.post("/v1/api-keys", body).expect(201);
        let mut actor = self.bearer(key.text("/secret"));
        actor.key_id = Some(key.id());
        actor
    }

    /// A new key that is confined to a partner, with exactly these permissions.
    pub fn partner_key(&self, partner_id: &str, permissions: &[&str]) -> Actor {
        self.issue(json!({ "name": "A partner's key", "permissions": permissions, "partner_id": partner_id }))
    }

    /// A new key that is confined to a partner, with everything that partners may hold.
    pub fn full_partner_key(&self, partner_id: &str) -> Actor {
        let open = Permission::ALL
            .iter()
            .filter(|permission| permission.open_to_partners());
        let names: Vec<&str> = open.map(|permission| permission.name()).collect();
        self.partner_key(partner_id, &names)
    }

    fn issue(&self, body: Value) -> Actor {
        let key = self.admin().post("/v1/api-keys", body).expect(201);
        let mut actor = self.bearer(key.text("/secret"));
        actor.key_id = Some(key.id());
        actor
    }

    /// A new partner of the home organization, approved; its id.
    pub fn partner(&self, name: &str) -> String {
        let partner = self
            .admin()
            .post("/v1/partners", json!({ "name": name }))
            .expect(201);
        let approve = format!("/v1/partners/{}/approve", partner.id());
        self.admin().act(&approve).expect(200);
        partner.id()
    }

    /// Lets the worker do all there is to do.
    pub fn work(&self) {
        for _ in 0..MOST_ROUNDS {
            if !worker::step(&self.db, &self.clock, self.stripe.as_ref()).unwrap() {
                return;
            }
        }
        panic!("the worker finds no end");
    }

    /// Moves the clock forward and returns the new present.
    pub fn pass(&self, time: TimeDelta) -> DateTime<Utc> {
        let now = self.clock.now() + time;
        self.clock.set(now);
        now
    }

    /// The database, for what only SQL can tell.
    pub fn database(&self) -> &Database {
        &self.database
    }
}

fn found(db: &Db, clock: &ManualClock, service: &Service, name: &str, mode: OrganizationMode) -> Tenant {
    let founded = bootstrap::organization(db, name, mode, clock.now()).unwrap();
    Tenant {
        id: founded.organization_id,
        admin: service.actor(Some(&founded.secret.text)),
    }
}
