//! `vakt run`: the daemon, until it is told to stop.

use std::path::Path;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{Refused, Verdict, logs, runtime, settings, show_faults, warn};
use crate::daemon::{Daemon, DaemonError};
use crate::ground::Clock;

/// Run the daemon.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// Write logs as JSON, one object a line
    #[arg(long)]
    json: bool,
}

impl Run {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let config = settings(file)?;
        logs(self.json);
        let metrics = crate::telemetry::start_metrics();
        runtime()?.block_on(async {
            let daemon = match Daemon::start(&config, Clock::System, metrics).await {
                Ok(daemon) => daemon,
                Err(DaemonError::Faults(faults)) => {
                    show_faults(&faults);
                    return Err(Refused("the settings or the rules cannot be used".into()).into());
                }
                Err(e) => return Err(e.into()),
            };
            for fault in &daemon.warnings {
                tracing::warn!(fault = fault.brief(), "rules");
            }
            let address = daemon.address.map(|a| a.to_string()).unwrap_or_default();
            tracing::info!(data_dir = %config.data_dir.display(), rules_dir = %config.rules_dir.display(), address, "vakt is on watch");
            if config.mail.relays.is_empty() {
                tracing::warn!(folder = %config.mail_dir().display(), "no mail relay is set: mails go to a folder");
            }
            daemon.run_until(stop_signal()).await?;
            tracing::info!("vakt has stopped");
            Ok(Verdict::Done)
        })
    }
}

/// SIGTERM or Ctrl-C; a second one leaves at once.
pub(super) async fn stop_signal() {
    let (Ok(mut term), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        warn("vakt: signals cannot be heard");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
    std::thread::spawn(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            if let (Ok(mut term), Ok(mut interrupt)) =
                (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
            {
                tokio::select! {
                    _ = term.recv() => {}
                    _ = interrupt.recv() => {}
                }
                std::process::exit(130);
            }
        });
    });
}
