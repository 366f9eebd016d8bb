//! Creates the cluster and brings its server up, whatever an earlier run left in the folder.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use super::account::RunAs;
use super::error::{Attempt, EmbeddedPostgresError};
use super::folder::Layout;
use super::pid_file::{self, PidFile, Process};
use super::programs::Programs;
use super::server::{self, Server, Signal};
use super::{Durability, Options};
use crate::platform::memory;

/// How long a server may take to become ready: after a crash it recovers first.
const READY_LIMIT: Duration = Duration::from_secs(180);
/// How long a server that an earlier run left behind may take to stop.
const LEFTOVER_LIMIT: Duration = Duration::from_secs(60);
/// How long the processes of a killed server may hold its shared memory.
const RELEASE_LIMIT: Duration = Duration::from_secs(30);
/// The time between two attempts to start while they do.
const RELEASE_INTERVAL: Duration = Duration::from_millis(200);
/// How many lines of the log an error shows.
const LOG_LINES_SHOWN: usize = 12;

/// The least that Postgres keeps of its tables in memory, in mebibytes.
const LEAST_BUFFERS: u64 = 128;
/// And the most; the system's own cache does the rest.
const MOST_BUFFERS: u64 = 2048;

/// What Postgres says, in the C locale, when processes of its predecessor are still alive.
const MEMORY_IN_USE: &str = "pre-existing shared memory block";

/// Everything that does not change while the cluster is brought up.
#[derive(Debug)]
pub(super) struct Cluster<'a> {
    pub(super) layout: &'a Layout,
    pub(super) programs: &'a Programs,
    pub(super) run_as: &'a RunAs,
    pub(super) options: &'a Options<'a>,
}

/// The major version that created the cluster, `None` when there is no cluster yet.
pub(super) fn version(layout: &Layout) -> Result<Option<u32>, EmbeddedPostgresError> {
    let path = layout.cluster.join("PG_VERSION");
    match fs::read_to_string(&path) {
        Ok(text) => Ok(super::programs::major_version(&text)),
        Err(absent) if absent.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(source).attempting(|| format!("read {}", path.display())),
    }
}

enum Start {
    Ready(Server),
    Ended(ExitStatus),
}

impl Cluster<'_> {
    /// Runs `initdb` in a folder of its own and renames that when it has finished.
    pub(super) fn create(&self) -> Result<(), EmbeddedPostgresError> {
        let unfinished = &self.layout.unfinished;
        match fs::remove_dir_all(unfinished) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(source).attempting(|| format!("remove {}", unfinished.display()));
            }
            _ => {}
        }
        Layout::make_private(unfinished, self.run_as)?;
        let mut command = self.run_as.command(&self.programs.initdb());
        command.arg("-D").arg(unfinished);
        command.args(["--username=postgres", "--auth-local=trust", "--auth-host=reject"]);
        command.args(["--encoding=UTF8", "--locale=C"]);
        match self.options.durability {
            Durability::Durable => command.arg("--data-checksums"),
            Durability::Volatile => command.arg("--no-sync"),
        };
        server::die_with_parent(&mut command);
        let answer = command
            .output()
            .attempting(|| format!("run {}", self.programs.initdb().display()))?;
        if !answer.status.success() {
            let output = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
            return Err(EmbeddedPostgresError::InitializationFailed {
                folder: self.layout.root.clone(),
                output,
            });
        }
        fs::rename(unfinished, &self.layout.cluster)
            .and_then(|()| File::open(&self.layout.root)?.sync_all())
            .attempting(|| format!("rename {}", unfinished.display()))
    }

    /// Clears what an earlier run left behind: a server that still runs, or a pid file that would stop ours.
    pub(super) fn clear_leftovers(&self, report: &mut dyn FnMut(&str)) -> Result<(), EmbeddedPostgresError> {
        let cluster = &self.layout.cluster;
        let Some(pid) = PidFile::read(cluster)?.and_then(|file| file.process_id()) else {
            return Ok(());
        };
        match pid_file::identify(pid, cluster) {
            // Postgres itself knows what to do with the file of a process that is gone, and checks more than we could.
            Process::Gone => Ok(()),
            Process::Stranger => {
                report(&format!(
                    "Removing a stale postmaster.pid: process {pid} is not this PostgreSQL"
                ));
                PidFile::remove(cluster)
            }
            Process::ServesCluster => {
                report(&format!(
                    "Stopping PostgreSQL process {pid}, left behind by an earlier run"
                ));
                self.stop_leftover(pid)
            }
        }
    }

    fn stop_leftover(&self, pid: u32) -> Result<(), EmbeddedPostgresError> {
        let is_gone = || pid_file::identify(pid, &self.layout.cluster) != Process::ServesCluster;
        match server::signal(pid, Signal::FastShutdown) {
            Err(source) if !is_gone() => return Err(source).attempting(|| format!("stop process {pid}")),
            _ => {}
        }
        if server::poll(LEFTOVER_LIMIT, || Ok::<_, EmbeddedPostgresError>(is_gone()))? {
            return Ok(());
        }
        let seconds = LEFTOVER_LIMIT.as_secs();
        Err(EmbeddedPostgresError::LeftoverKeepsRunning {
            folder: self.layout.root.clone(),
            pid,
            seconds,
        })
    }

    /// Starts the server and waits until it accepts connections.
    pub(super) fn serve(&self, report: &mut dyn FnMut(&str)) -> Result<Server, EmbeddedPostgresError> {
        self.layout.set_log_aside()?;
        let start = Instant::now();
        let mut has_reported = false;
        loop {
            let status = match self.start_once()? {
                Start::Ready(server) => return Ok(server),
                Start::Ended(status) => status,
            };
            let log_end = self.log_end();
            if !log_end.contains(MEMORY_IN_USE) || start.elapsed() > RELEASE_LIMIT {
                let log = self.layout.log.clone();
                return Err(EmbeddedPostgresError::EndedEarly { status, log, log_end });
            }
            if !has_reported {
                report("Waiting for the processes of an earlier PostgreSQL to end");
                has_reported = true;
            }
            thread::sleep(RELEASE_INTERVAL);
        }
    }

    fn start_once(&self) -> Result<Start, EmbeddedPostgresError> {
        // In a container the new server may get the very number of the old one, whose file then looks like its own.
        let old_file = PidFile::read(&self.layout.cluster)?;
        let postgres = self.programs.postgres();
        let starting = || format!("start {}", postgres.display());
        let mut server = Server::spawn(self.server_command()?).attempting(starting)?;
        let mut ended = None;
        let settled = server::poll(READY_LIMIT, || {
            ended = server.ended().attempting(starting)?;
            let file = PidFile::read(&self.layout.cluster)?;
            let is_ready = file != old_file && file.is_some_and(|file| file.says_ready(server.process_id()));
            Ok(ended.is_some() || is_ready)
        })?;
        match ended {
            Some(status) => Ok(Start::Ended(status)),
            None if settled => Ok(Start::Ready(server)),
            None => Err(EmbeddedPostgresError::NotReady {
                seconds: READY_LIMIT.as_secs(),
                log: self.layout.log.clone(),
            }),
        }
    }

    fn server_command(&self) -> Result<Command, EmbeddedPostgresError> {
        let log = self.layout.new_log()?;
        let log_again = log
            .try_clone()
            .attempting(|| format!("open {}", self.layout.log.display()))?;
        let mut command = self.run_as.command(&self.programs.postgres());
        command.arg("-D").arg(&self.layout.cluster).args(["-p", "5432"]);
        for setting in settings(self.options) {
            command.arg("-c").arg(setting);
        }
        command.arg("-c").arg(self.socket_setting());
        // The terminal sends Ctrl-C to a whole process group, and the service must have finished before Postgres stops.
        command.stdout(log).stderr(log_again).process_group(0);
        server::die_with_parent(&mut command);
        Ok(command)
    }

    /// The setting is a list; quoted, so that a comma or a space in the path does not end the entry.
    fn socket_setting(&self) -> OsString {
        let mut setting = b"unix_socket_directories=\"".to_vec();
        for byte in self.layout.socket.as_os_str().as_bytes() {
            setting.push(*byte);
            if *byte == b'"' {
                setting.push(b'"');
            }
        }
        setting.push(b'"');
        OsString::from_vec(setting)
    }

    fn log_end(&self) -> String {
        let log = fs::read(&self.layout.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

fn settings(options: &Options<'_>) -> Vec<String> {
    let connections = options.max_connections;
    let mut settings = vec![format!("max_connections={connections}")];
    settings.extend(["listen_addresses=", "timezone=UTC", "log_timezone=UTC"].map(str::to_owned));
    let by_durability: &[&str] = match options.durability {
        // Statistics soon after a large import; plans of these statements gain nothing from compilation.
        Durability::Durable => {
            settings.push(format!(
                "shared_buffers={}MB",
                shared_buffers(memory::mebibytes())
            ));
            &["max_wal_size=2GB", "autovacuum_naptime=15s", "jit=off"]
        }
        // Without standby servers and with rare checkpoints, making a database from a template is cheapest.
        Durability::Volatile => &[
            "shared_buffers=128MB",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "wal_level=minimal",
            "max_wal_senders=0",
            "checkpoint_timeout=1h",
            "max_wal_size=4GB",
        ],
    };
    settings.extend(by_durability.iter().map(|setting| (*setting).to_owned()));
    settings
}

/// How much Postgres keeps of its tables, in mebibytes: an eighth of the memory that there is. A quarter is usual where
/// Postgres has a machine for itself.
fn shared_buffers(memory: Option<u64>) -> u64 {
    memory
        .map_or(LEAST_BUFFERS, |memory| memory / 8)
        .clamp(LEAST_BUFFERS, MOST_BUFFERS)
}

#[cfg(test)]
mod tests {
    use super::shared_buffers;

    #[test]
    fn postgres_keeps_an_eighth_of_the_memory_within_bounds() {
        assert_eq!(shared_buffers(Some(512)), 128);
        assert_eq!(shared_buffers(Some(8_192)), 1_024);
        assert_eq!(shared_buffers(Some(262_144)), 2_048);
        assert_eq!(shared_buffers(None), 128);
    }
}
