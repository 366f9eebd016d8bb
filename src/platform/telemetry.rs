//! Logs and figures.

use super::config::{LogFormat, LogSettings};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::io::IsTerminal;
use thiserror::Error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;

/// Why logs or figures could not be set up.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The filter of COPARTNER_LOG cannot be read.
    #[error("COPARTNER_LOG: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something else set up the log first.
    #[error("the log is already set up: {0}")]
    Log(Box<dyn std::error::Error + Send + Sync>),
    /// Something else set up the figures first.
    #[error("the figures are already set up: {0}")]
    Metrics(String),
}

/// Sends log lines to standard error.
pub fn log(settings: &LogSettings) -> Result<(), TelemetryError> {
    let filter = EnvFilter::builder().parse(&settings.log)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_timer(SystemTime);
    match settings.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .try_init(),
    }
    .map_err(TelemetryError::Log)
}

/// Collects the figures that `/metrics` shows.
pub fn metrics() -> Result<PrometheusHandle, TelemetryError> {
    PrometheusBuilder::new()
        .install_recorder()
        .map_err(|error| TelemetryError::Metrics(error.to_string()))
}
