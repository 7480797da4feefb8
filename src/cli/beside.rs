//! Work on the data directory, alone or beside a running daemon, which then does its part.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::daemon::{DaemonError, DataLock};

/// Whether a daemon runs on the data.
pub(super) enum Beside {
    /// None does, and none can start while this is held.
    Alone(DataLock),
    /// One does.
    Daemon,
}

impl Beside {
    /// Finds out.
    ///
    /// # Errors
    /// When the data directory cannot be used.
    pub(super) fn of(dir: &Path) -> Result<Beside, DaemonError> {
        match DataLock::take(dir) {
            Ok(lock) => Ok(Beside::Alone(lock)),
            Err(DaemonError::Running { .. }) => Ok(Beside::Daemon),
            Err(e) => Err(e),
        }
    }

    /// Whether no daemon runs.
    pub(super) fn is_alone(&self) -> bool {
        matches!(self, Beside::Alone(_))
    }
}

/// How waiting for the daemon ended.
pub(super) enum End {
    /// It has done its part.
    Done,
    /// It has not, in the time given; it will.
    Late,
    /// There is no daemon, or no longer: the part is the caller's.
    Alone(DataLock),
}

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(100);
/// How often it is looked whether the daemon still runs.
const ALIVE: Duration = Duration::from_secs(2);

/// Waits until the daemon has done its part.
///
/// # Errors
/// When `done` fails, or the data directory cannot be used.
pub(super) fn wait(
    beside: Beside,
    dir: &Path,
    patience: Duration,
    mut done: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<End> {
    if let Beside::Alone(lock) = beside {
        return Ok(End::Alone(lock));
    }
    let (began, mut seen) = (Instant::now(), Instant::now());
    loop {
        if done()? {
            return Ok(End::Done);
        }
        if began.elapsed() >= patience {
            return Ok(End::Late);
        }
        if seen.elapsed() >= ALIVE {
            seen = Instant::now();
            if let Beside::Alone(lock) = Beside::of(dir)? {
                return Ok(End::Alone(lock));
            }
        }
        std::thread::sleep(LOOK);
    }
}
