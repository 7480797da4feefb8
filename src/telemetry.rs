//! Logs and metrics: structured lines on standard error, to the journal where it listens, or as JSON.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Logs {
    /// To the journal where standard error is connected to it, else as lines.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// Not at all.
    Off,
}

/// Starts logging. `RUST_LOG` narrows it; without it vakt's own lines from `info` up are shown, and others' warnings.
pub fn start_logs(logs: Logs) {
    let filter =
        || EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,vakt=info,tantivy=error"));
    let layer = match logs {
        Logs::Off => return,
        Logs::Json => {
            tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr).with_filter(filter()).boxed()
        }
        Logs::Auto => match std::env::var_os("JOURNAL_STREAM").and_then(|_| tracing_journald::layer().ok()) {
            Some(journal) => journal.with_filter(filter()).boxed(),
            None => {
                let colour =
                    std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none();
                let lines =
                    tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colour).with_target(false);
                lines.with_filter(filter()).boxed()
            }
        },
    };
    // A second start, in tests, changes nothing.
    tracing_subscriber::registry().with(layer).try_init().ok();
}

/// Starts counting; `None` when this process counts already.
pub fn start_metrics() -> Option<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().ok()
}
