//! The one loop around a stage's pass, with its bell, its pulse and its end.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::ground::{Clock, Pulse};
use crate::model::time::Span;

/// A loop's work, one step of which tests can do by hand.
pub trait Stage: Send {
    /// Its name in logs and metrics.
    const NAME: &'static str;

    /// Does what is due at `now` and says when it wants to be called next, if no bell rings before.
    fn pass(&mut self, now: Timestamp) -> impl Future<Output = Timestamp> + Send;

    /// Finishes what is in hand.
    fn close(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// A stage is called at least this often, so that its pulse shows that it lives.
const AT_LEAST: Span = Span::secs(5);
/// So many panics within `PANIC_WINDOW` are too many.
const PANICS: usize = 5;
const PANIC_WINDOW: Duration = Duration::from_secs(600);

/// Runs a stage until it is stopped. A pass that panics is told and tried again after a while.
///
/// # Errors
/// When it panics over and over: the daemon has to stop.
pub async fn run<S: Stage>(
    mut stage: S,
    clock: Clock,
    bell: Arc<Notify>,
    pulse: Arc<Pulse>,
    stop: CancellationToken,
) -> Result<(), &'static str> {
    let mut panics: Vec<Instant> = Vec::new();
    while !stop.is_cancelled() {
        let now = clock.now();
        let due = match AssertUnwindSafe(stage.pass(now)).catch_unwind().await {
            Ok(due) => due,
            Err(_) => {
                metrics::counter!("vakt_stage_panics_total", "stage" => S::NAME).increment(1);
                tracing::error!(stage = S::NAME, "a pass panicked; it is tried again");
                panics.retain(|at| at.elapsed() < PANIC_WINDOW);
                panics.push(Instant::now());
                if panics.len() >= PANICS {
                    return Err(S::NAME);
                }
                tokio::time::sleep(Duration::from_secs(1 << panics.len())).await;
                now
            }
        };
        pulse.beat(now);
        tokio::select! {
            () = stop.cancelled() => {}
            () = bell.notified() => {}
            () = clock.sleep_until(due.min(now + AT_LEAST)) => {}
        }
    }
    stage.close().await;
    Ok(())
}
