//! A private Postgres: brought up from the installed programs when no `DATABASE_URL` is set, and for the tests.
//!
//! find the programs → lock the folder → create the cluster once → clear leftovers → start → ready → stop
//!
//! Invariant: one service at a time uses a data folder; the lock lasts as long as the service.
//! Invariant: Postgres listens on a unix socket only, in a folder that nobody but its own account (and root) may enter.
//! Invariant: Postgres does not outlive the service; where a kill leaves one behind, the next start stops it.

mod account;
mod cluster;
mod error;
mod folder;
mod pid_file;
mod programs;
mod server;
#[cfg(test)]
mod tests;

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use account::RunAs;
use cluster::Cluster;
use error::Attempt;
use folder::{FolderLock, Layout};
use pid_file::Process;
use programs::Programs;
use server::Server;

pub use error::EmbeddedPostgresError;
pub use folder::default_data_folder;

/// What the data is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// What was committed survives a crash.
    Durable,
    /// A crash may lose or damage everything; much faster, for tests.
    Volatile,
}

/// How to run the private Postgres.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// The data folder of the service; created if need be.
    pub folder: &'a Path,
    /// The folder of the Postgres programs, or `None` to look for them.
    pub programs: Option<&'a Path>,
    /// What the data is worth.
    pub durability: Durability,
    /// How many connections Postgres accepts.
    pub max_connections: u32,
}

/// A running private Postgres. Dropping it stops it; [`EmbeddedPostgres::stop`] also tells how that went.
///
/// The fields are dropped in their order: the server must be gone before another service gets the folder.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    server: Server,
    layout: Layout,
    programs: Programs,
    _lock: FolderLock,
}

impl EmbeddedPostgres {
    /// Whether there is a cluster in the folder.
    pub fn is_in(folder: &Path) -> Result<bool, EmbeddedPostgresError> {
        Ok(cluster::version(&Layout::at(folder))?.is_some())
    }

    /// Brings the private Postgres up and returns when it accepts connections; `report` hears each step.
    ///
    /// The superuser is `postgres`, trusted without a password on the socket.
    pub fn start(options: &Options<'_>, report: &mut dyn FnMut(&str)) -> Result<Self, EmbeddedPostgresError> {
        let cluster_version = cluster::version(&Layout::at(options.folder))?;
        let programs = Programs::find(options.programs, cluster_version, options.folder)?;
        report(&format!(
            "Using PostgreSQL {} from {}",
            programs.major_version(),
            programs.folder().display()
        ));
        let layout = Layout::prepare(options.folder)?;
        let lock = FolderLock::take(&layout.root)?;
        let run_as = RunAs::choose(&layout.cluster)?;
        run_as.check_reach(&programs, &layout.root)?;
        Layout::make_private(&layout.socket, &run_as)?;
        let cluster = Cluster {
            layout: &layout,
            programs: &programs,
            run_as: &run_as,
            options,
        };
        if cluster::version(&layout)?.is_none() {
            report(&format!(
                "Creating a private cluster in {}{}",
                layout.root.display(),
                as_whom(&run_as)
            ));
            cluster.create()?;
        }
        cluster.clear_leftovers(report)?;
        report(&format!(
            "Starting PostgreSQL in {}{}",
            layout.root.display(),
            as_whom(&run_as)
        ));
        let server = cluster.serve(report)?;
        report(&format!("PostgreSQL is ready (process {})", server.process_id()));
        Ok(Self {
            server,
            layout,
            programs,
            _lock: lock,
        })
    }

    /// The connection URL of a database for a role, by way of the unix socket.
    pub fn url(&self, role: &str, database: &str) -> String {
        let socket = percent_encoded(self.layout.socket.as_os_str().as_bytes());
        let (role, database) = (
            percent_encoded(role.as_bytes()),
            percent_encoded(database.as_bytes()),
        );
        // The port is part of the socket's name and would else be taken from the environment.
        format!("postgresql://{role}@{socket}:5432/{database}")
    }

    /// The folder of the Postgres programs, where `psql` and `pgbench` are found too.
    pub fn programs(&self) -> &Path {
        self.programs.folder()
    }

    /// The process id of the server, or `None` when it has ended by itself.
    pub fn process_id(&self) -> Option<u32> {
        let pid = self.server.process_id();
        (pid_file::identify(pid, &self.layout.cluster) == Process::ServesCluster).then_some(pid)
    }

    /// Ends all sessions, stops Postgres and waits until it is gone.
    ///
    /// An error says that it did not end cleanly; its process is gone nevertheless, unless it could not be asked.
    pub fn stop(mut self) -> Result<(), EmbeddedPostgresError> {
        let pid = self.server.process_id();
        let status = self
            .server
            .stop()
            .attempting(|| format!("stop PostgreSQL process {pid}"))?;
        if status.success() {
            return Ok(());
        }
        Err(EmbeddedPostgresError::UncleanStop {
            status,
            log: self.layout.log.clone(),
        })
    }
}

fn as_whom(run_as: &RunAs) -> String {
    run_as
        .name()
        .map(|account| format!(" as user {account}"))
        .unwrap_or_default()
}

/// Encodes everything that may have a meaning of its own in a URL.
fn percent_encoded(bytes: &[u8]) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) {
            encoded.push(char::from(*byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
