//! The pulse of a stage: when it last finished a pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::model::time::from_millis;

/// When a stage last finished a pass, by its clock and by the machine's.
#[derive(Debug)]
pub struct Pulse {
    begun: Instant,
    seen: AtomicI64,
    beat: AtomicI64,
}

impl Pulse {
    /// A pulse that has not beaten yet.
    pub fn new() -> Arc<Pulse> {
        Arc::new(Pulse { begun: Instant::now(), seen: AtomicI64::new(i64::MIN), beat: AtomicI64::new(0) })
    }

    /// A pass has ended.
    pub fn beat(&self, now: Timestamp) {
        self.seen.store(now.as_millisecond(), Ordering::Release);
        let elapsed = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.beat.store(elapsed, Ordering::Release);
    }

    /// The clock's time of the last pass; the beginning of time before the first.
    pub fn seen(&self) -> Timestamp {
        from_millis(self.seen.load(Ordering::Acquire))
    }

    /// How long ago the last pass ended, in real time.
    pub fn age(&self) -> Duration {
        let beat = u64::try_from(self.beat.load(Ordering::Acquire)).unwrap_or(0);
        self.begun.elapsed().saturating_sub(Duration::from_millis(beat))
    }

    /// Whether a pass has ended at all.
    pub fn has_beaten(&self) -> bool {
        self.seen.load(Ordering::Acquire) != i64::MIN
    }
}
