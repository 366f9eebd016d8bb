//! Settings: typed, from the environment or the command line, checked at the start. `.env.example` documents them.

use crate::platform::web::FiguresToken;
use clap::{Args, ValueEnum};
use ipnet::IpNet;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For a person at a terminal.
    Text,
    /// One JSON object a line, for a log collector.
    Json,
}

/// Where the data is and how to reach it.
#[derive(Debug, Clone, Args)]
pub struct DatabaseSettings {
    /// Postgres to use. Without it the service brings up a private one in its data folder.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Connection of the tables' owner, for migrations. Default: DATABASE_URL.
    #[arg(long, env = "DATABASE_OWNER_URL", hide_env_values = true)]
    pub database_owner_url: Option<String>,
    /// A streaming replica for reads. Default: DATABASE_URL.
    #[arg(long, env = "READ_DATABASE_URL", hide_env_values = true)]
    pub read_database_url: Option<String>,
    /// Folder of the private Postgres. Default: the platform's data directory.
    #[arg(long, env = "COPARTNER_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Folder of the Postgres programs (initdb, postgres). Default: they are looked for.
    #[arg(long, env = "COPARTNER_POSTGRES_BIN")]
    pub postgres_bin: Option<PathBuf>,
    /// Connections for writes, and as many again for reads.
    #[arg(long, env = "COPARTNER_DATABASE_CONNECTIONS", default_value = "8", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub database_connections: u32,
    /// Milliseconds that a request waits for a free connection before it is answered 503.
    #[arg(long, env = "COPARTNER_DATABASE_WAIT_MS", default_value = "2000", value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pub database_wait_ms: u64,
}

/// How the service listens and behaves.
#[derive(Debug, Clone, Args)]
pub struct ServeSettings {
    /// Address and port to listen on.
    #[arg(long, env = "COPARTNER_LISTEN", default_value = "127.0.0.1:8080", value_parser = listen_address)]
    pub listen: SocketAddr,
    /// Threads that accept and answer requests. Default: one per core, at most four.
    #[arg(long, env = "COPARTNER_WORKERS", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub workers: Option<u16>,
    /// Requests a minute for each key, and for each address without one.
    #[arg(long, env = "COPARTNER_RATE_LIMIT_PER_MINUTE", default_value = "6000")]
    pub rate_limit_per_minute: NonZeroU32,
    /// Largest file that an import takes, in mebibytes.
    #[arg(long, env = "COPARTNER_IMPORT_MAX_MIB", default_value = "256", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub import_max_mib: u32,
    /// Milliseconds that a client has to send the head of a request, and again for its body; of a file, for any pause
    /// within it.
    #[arg(long, env = "COPARTNER_CLIENT_WAIT_MS", default_value = "20000", value_parser = clap::value_parser!(u64).range(1_000..=600_000))]
    pub client_wait_ms: u64,
    /// Bytes of a file that have to arrive for each second that is spent waiting for it.
    #[arg(long, env = "COPARTNER_UPLOAD_LEAST_BYTES_PER_SECOND", default_value = "8192")]
    pub upload_least_bytes_per_second: NonZeroU32,
    /// Origins whose pages may ask from a browser, separated by commas. Default: none.
    #[arg(long, env = "COPARTNER_CORS_ORIGINS", value_delimiter = ',', value_parser = origin)]
    pub cors_origins: Vec<String>,
    /// Clients reach the service by TLS only, through a proxy: tells browsers to stay with it.
    #[arg(long, env = "COPARTNER_BEHIND_TLS", default_value = "false", action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    pub behind_tls: bool,
    /// Where clients reach the service; the issuer of its own tokens begins with it.
    #[arg(long, env = "COPARTNER_PUBLIC_URL", default_value = "http://127.0.0.1:8080", value_parser = origin)]
    pub public_url: String,
    /// Ask identity providers by plain http too; without it by https only.
    #[arg(long, env = "COPARTNER_OUTBOUND_HTTP", default_value = "false", action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    pub outbound_http: bool,
    /// Networks that are not public and may be asked all the same, separated by commas. Default: none.
    #[arg(long, env = "COPARTNER_OUTBOUND_NETWORKS", value_delimiter = ',')]
    pub outbound_networks: Vec<IpNet>,
    /// Bearer token without which `/metrics` is refused. Default: none, so that it is open to whoever reaches the port.
    #[arg(long, env = "COPARTNER_METRICS_TOKEN", hide_env_values = true)]
    pub metrics_token: Option<FiguresToken>,
    /// Write the first admin key to this file (mode 0600) besides printing it.
    #[arg(long, env = "COPARTNER_BOOTSTRAP_KEY_FILE")]
    pub bootstrap_key_file: Option<PathBuf>,
    /// Run the background work (imports, holds, event numbers, audit seals) elsewhere, by `copartner worker`.
    #[arg(long, env = "COPARTNER_WITHOUT_WORKER", default_value = "false", action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    pub without_worker: bool,
}

/// What the log says and how.
#[derive(Debug, Clone, Args)]
pub struct LogSettings {
    /// Which messages: a level, or a list such as `info,copartner=debug`.
    #[arg(long, env = "COPARTNER_LOG", default_value = "info", global = true)]
    pub log: String,
    /// How they look; what is said of the start and the end, with the first key, is plain text in either format.
    #[arg(
        long,
        env = "COPARTNER_LOG_FORMAT",
        value_enum,
        default_value = "text",
        global = true
    )]
    pub log_format: LogFormat,
}

/// An address to listen on. Names are not resolved, since one may stand for several addresses.
pub fn listen_address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "it is written as address:port, such as 127.0.0.1:8080 or [::]:8080")
}

/// An origin as browsers write it: scheme, host and port, and nothing after it. No pattern, so that nobody is let in
/// by resemblance.
fn origin(text: &str) -> Result<String, String> {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let is_host_character = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-:[]".contains(c);
    match host {
        Some(host) if !host.is_empty() && host.chars().all(is_host_character) => Ok(text.to_owned()),
        _ => Err("an origin is written like https://portal.example:8443, in lower case".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn an_origin_is_exact() {
        for good in [
            "https://portal.example",
            "http://localhost:5173",
            "http://[::1]:80",
        ] {
            assert_eq!(origin(good), Ok(good.to_owned()));
        }
        for bad in [
            "*",
            "null",
            "",
            "https://",
            "portal.example",
            "https://*.example",
            "https://portal.example/",
            "https://Portal.example",
            "https://a.example https://b.example",
            "file://portal",
        ] {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }
}
