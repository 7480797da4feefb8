//! Whether the disk has room for more, so that a flood of mentions leaves place for what has to ring.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// With less free than this, or than a twentieth of a small disk, nothing more is taken in (F04).
const LEAST: u64 = 256 << 20;
/// The disk is asked at most this often.
const EVERY: Duration = Duration::from_secs(2);

/// The disk of the data directory.
#[derive(Debug)]
pub(super) struct Room {
    dir: PathBuf,
    last: Mutex<Option<(Instant, bool)>>,
}

impl Room {
    pub(super) fn of(database: &Path) -> Room {
        let dir = database.parent().unwrap_or(Path::new(".")).to_owned();
        Room { dir, last: Mutex::default() }
    }

    /// Whether there is room; true where the disk does not say.
    pub(super) fn left(&self) -> bool {
        let Ok(mut last) = self.last.lock() else { return true };
        if let Some((_, left)) = last.filter(|(at, _)| at.elapsed() < EVERY) {
            return left;
        }
        let left = rustix::fs::statvfs(&self.dir).map_or(true, |disk| {
            let (free, all) =
                (disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_blocks.saturating_mul(disk.f_frsize));
            metrics::gauge!("vakt_disk_free_bytes").set(free as f64);
            free >= LEAST.min(all / 20)
        });
        *last = Some((Instant::now(), left));
        left
    }
}
