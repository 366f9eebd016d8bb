//! What can keep the private Postgres from starting or stopping, told so that the reader knows what to do.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why the private Postgres could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedPostgresError {
    /// No folder of this machine holds both `postgres` and `initdb`.
    #[error(
        "no PostgreSQL programs were found on this machine. {advice}. \
         Or set DATABASE_URL to use a PostgreSQL server that runs elsewhere"
    )]
    ProgramsNotFound {
        /// How to install PostgreSQL on this system.
        advice: String,
    },

    /// The folder named by the caller does not hold the programs.
    #[error("{} holds no `postgres` and `initdb`. {advice}", folder.display())]
    NotAProgramsFolder {
        /// The folder that was named.
        folder: PathBuf,
        /// How to install PostgreSQL on this system.
        advice: String,
    },

    /// The cluster was created by a major version whose programs are not installed.
    #[error(
        "the cluster in {} was created by PostgreSQL {cluster}, whose programs were not found. \
         Install PostgreSQL {cluster} beside the other versions, or move the data with pg_upgrade",
        folder.display()
    )]
    VersionNotInstalled {
        /// The data folder of the service.
        folder: PathBuf,
        /// Major version that created the cluster.
        cluster: u32,
    },

    /// The process is root and no account exists that Postgres could run as.
    #[error(
        "PostgreSQL refuses to run as root, and this system has neither a user `postgres` nor a user `nobody`. \
         Create a user `postgres`, or run copartner as an ordinary user"
    )]
    NoAccount,

    /// The account that Postgres runs as may not execute the programs.
    #[error(
        "the user {account}, which PostgreSQL runs as, may not execute the programs in {}. \
         Install PostgreSQL where every user can reach it",
        programs.display()
    )]
    ProgramsOutOfReach {
        /// Folder of the programs.
        programs: PathBuf,
        /// Name of the account.
        account: String,
    },

    /// The account that Postgres runs as may not enter the data folder.
    #[error(
        "the user {account}, which PostgreSQL runs as, cannot reach {}, because {} is closed to it. \
         Set COPARTNER_DATA_DIR to a folder that {account} can reach, for example {}",
        folder.display(), blocked_at.display(), example.display()
    )]
    FolderOutOfReach {
        /// The data folder of the service.
        folder: PathBuf,
        /// The outermost folder on the way that the account cannot enter.
        blocked_at: PathBuf,
        /// Name of the account.
        account: String,
        /// A folder that works.
        example: PathBuf,
    },

    /// Another copartner runs on this folder.
    #[error(
        "the data folder {} is in use by another copartner{}. \
         Stop that one, or name the database to work on in DATABASE_URL, or another folder in COPARTNER_DATA_DIR",
        folder.display(), holder.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    InUse {
        /// The data folder of the service.
        folder: PathBuf,
        /// Process id of the holder, when it has already written it down.
        holder: Option<u32>,
    },

    /// Unix sockets have short paths, about 100 bytes on every system.
    #[error(
        "the socket path {} has {length} bytes, but unix sockets allow only {limit}. \
         Set COPARTNER_DATA_DIR to a folder with a shorter path",
        path.display()
    )]
    SocketPathTooLong {
        /// The path of the socket.
        path: PathBuf,
        /// Its length in bytes.
        length: usize,
        /// The longest path in bytes that works on every system.
        limit: usize,
    },

    /// Clients of Postgres take a comma in a socket's path for the end of one host and the begin of another.
    #[error(
        "the data folder {} contains a comma in its path, which PostgreSQL's clients cannot use. \
         Set COPARTNER_DATA_DIR to a folder without one",
        folder.display()
    )]
    CommaInPath {
        /// The data folder of the service.
        folder: PathBuf,
    },

    /// `initdb` failed.
    #[error("initdb could not create a cluster in {}: {output}", folder.display())]
    InitializationFailed {
        /// The data folder of the service.
        folder: PathBuf,
        /// What initdb said.
        output: String,
    },

    /// Postgres ended while it started.
    #[error("PostgreSQL ended while starting ({status}); the end of {}:\n{log_end}", log.display())]
    EndedEarly {
        /// How it ended.
        status: ExitStatus,
        /// The log file.
        log: PathBuf,
        /// The last lines of the log.
        log_end: String,
    },

    /// Postgres runs but does not become ready.
    #[error("PostgreSQL was not ready after {seconds} seconds; see {}", log.display())]
    NotReady {
        /// How long we waited, in seconds.
        seconds: u64,
        /// The log file.
        log: PathBuf,
    },

    /// A Postgres that an earlier run left behind does not stop.
    #[error(
        "PostgreSQL process {pid}, left behind by an earlier run on {}, did not stop within {seconds} seconds. \
         Stop it by hand (kill -QUIT {pid}) and start again",
        folder.display()
    )]
    LeftoverKeepsRunning {
        /// The data folder of the service.
        folder: PathBuf,
        /// Process id of the leftover.
        pid: u32,
        /// How long we waited, in seconds.
        seconds: u64,
    },

    /// Postgres has ended, but not by a clean shutdown.
    #[error("PostgreSQL did not shut down cleanly ({status}); see {}", log.display())]
    UncleanStop {
        /// How it ended.
        status: ExitStatus,
        /// The log file.
        log: PathBuf,
    },

    /// There is no place for the data: neither a setting nor a home folder.
    #[error("no home folder is known for the data. Set COPARTNER_DATA_DIR to the folder that shall hold it")]
    NoHome,

    /// The operating system refused something.
    #[error("could not {action}: {source}")]
    Io {
        /// What was attempted, as the end of "could not".
        action: String,
        /// The refusal.
        source: io::Error,
    },
}

/// Says what an input or output operation was for, which its error alone does not tell.
pub(super) trait Attempt<T> {
    /// Names the attempt, as the end of the sentence "could not".
    fn attempting(self, action: impl FnOnce() -> String) -> Result<T, EmbeddedPostgresError>;
}

impl<T> Attempt<T> for io::Result<T> {
    fn attempting(self, action: impl FnOnce() -> String) -> Result<T, EmbeddedPostgresError> {
        self.map_err(|source| EmbeddedPostgresError::Io {
            action: action(),
            source,
        })
    }
}
