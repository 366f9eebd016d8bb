//! One Postgres for the whole run, and a copy of a migrated database for each test.

use super::Settings;
use copartner::platform::db::{DbSettings, migrate};
use copartner::platform::embedded_postgres::{Durability, EmbeddedPostgres, Options};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::{env, fs, process};

/// What the folders of test runs are called, before the number of their process.
const FOLDER: &str = "copartner-it-";
/// The database that all others are copies of.
const TEMPLATE: &str = "template_copartner";

/// A Postgres server and its template.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    durability: Durability,
    // The shared server is never dropped: it gets its signal to stop when this process ends.
    postgres: Mutex<Option<EmbeddedPostgres>>,
    programs: PathBuf,
    socket_url: String,
}

/// A database of its own; dropping it removes it.
#[derive(Debug)]
pub struct Database {
    cluster: Arc<Cluster>,
    name: String,
}

impl Cluster {
    /// The server that all tests share.
    pub fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<Cluster>> = OnceLock::new();
        Arc::clone(SHARED.get_or_init(|| {
            remove_folders_of_the_dead();
            Self::start("", Durability::Volatile)
        }))
    }

    /// A server of its own, for a test that breaks it.
    pub fn of_its_own() -> Arc<Self> {
        Self::start(&next_suffix(), Durability::Volatile)
    }

    /// One of its own that keeps what it committed, whatever becomes of it.
    pub fn that_lasts() -> Arc<Self> {
        Self::start(&next_suffix(), Durability::Durable)
    }

    fn start(suffix: &str, durability: Durability) -> Arc<Self> {
        let folder = env::temp_dir().join(format!("{FOLDER}{}{suffix}", process::id()));
        let postgres = bring_up(&folder, durability);
        let cluster = Self {
            programs: postgres.programs().to_path_buf(),
            socket_url: postgres.url("ROLE", "DATABASE"),
            postgres: Mutex::new(Some(postgres)),
            durability,
            folder,
        };
        cluster.run(&format!("CREATE DATABASE {TEMPLATE}"));
        migrate::run(&cluster.url("postgres", TEMPLATE)).unwrap();
        Arc::new(cluster)
    }

    /// A migrated database.
    pub fn database(self: &Arc<Self>) -> Database {
        self.copy_of(TEMPLATE)
    }

    /// A database with nothing in it.
    pub fn empty_database(self: &Arc<Self>) -> Database {
        self.copy_of("template0")
    }

    fn copy_of(self: &Arc<Self>, template: &str) -> Database {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.run(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        Database {
            cluster: Arc::clone(self),
            name,
        }
    }

    /// Stops the server; what it holds stays.
    pub fn stop(&self) {
        let postgres = self.postgres.lock().unwrap().take();
        postgres.expect("a running server").stop().unwrap();
    }

    /// Kills the server and all its processes at one blow.
    pub fn kill(&self) {
        let postgres = self.postgres.lock().unwrap().take().expect("a running server");
        let server = postgres.process_id().expect("its process").to_string();
        let below = Command::new("pgrep").args(["-P", &server]).output().unwrap();
        let below = String::from_utf8_lossy(&below.stdout).into_owned();
        let all = std::iter::once(server.as_str()).chain(below.split_whitespace());
        let killed = Command::new("kill").arg("-KILL").args(all).output().unwrap();
        drop(killed);
        drop(postgres);
    }

    /// Starts the server again.
    pub fn start_again(&self) {
        *self.postgres.lock().unwrap() = Some(bring_up(&self.folder, self.durability));
    }

    fn url(&self, role: &str, database: &str) -> String {
        self.socket_url
            .replace("ROLE", role)
            .replace("DATABASE", database)
    }

    /// Runs a statement as the superuser, outside the tests' databases.
    fn run(&self, statement: &str) {
        let mut connection = PgConnection::establish(&self.url("postgres", "postgres")).unwrap();
        connection.batch_execute(statement).unwrap();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.postgres.lock().map(|mut postgres| postgres.take()));
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Database {
    /// The connection URL for a role.
    pub fn url(&self, role: &str) -> String {
        self.cluster.url(role, &self.name)
    }

    /// A session of the tables' owner.
    pub fn owner(&self) -> PgConnection {
        PgConnection::establish(&self.url("postgres")).unwrap()
    }

    /// A session of the role that the service runs as.
    pub fn service_role(&self) -> PgConnection {
        PgConnection::establish(&self.url("copartner_service")).unwrap()
    }

    /// How the service reaches it.
    pub fn settings(&self, settings: &Settings) -> DbSettings {
        DbSettings {
            url: self.url("postgres"),
            read_url: None,
            write_connections: settings.connections,
            read_connections: settings.connections,
            wait: settings.wait,
            statement_timeout_ms: 60_000,
        }
    }

    /// The schema as `pg_dump` writes it.
    pub fn schema(&self) -> String {
        let answer = Command::new(self.cluster.programs.join("pg_dump"))
            .args(["--schema-only", "--no-comments", "--dbname"])
            .arg(self.url("postgres"))
            .output()
            .unwrap();
        assert!(
            answer.status.success(),
            "{}",
            String::from_utf8_lossy(&answer.stderr)
        );
        String::from_utf8(answer.stdout).unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Ok(mut connection) = PgConnection::establish(&self.cluster.url("postgres", "postgres")) else {
            return;
        };
        let _ = connection.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn next_suffix() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

fn bring_up(folder: &Path, durability: Durability) -> EmbeddedPostgres {
    let options = Options {
        folder,
        programs: None,
        durability,
        max_connections: 300,
    };
    EmbeddedPostgres::start(&options, &mut |_| {}).unwrap()
}

/// A run leaves its folder behind, because its server stops only after it; the next run clears up.
fn remove_folders_of_the_dead() {
    for entry in fs::read_dir(env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(rest) = name.strip_prefix(FOLDER) else {
            continue;
        };
        let process = rest.split('-').next().unwrap_or_default();
        if !is_alive(process) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_alive(process: &str) -> bool {
    let asked = Command::new("kill").args(["-0", process]).output();
    asked.is_ok_and(|answer| answer.status.success())
}
