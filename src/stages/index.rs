//! Store → search index, from the index's own checkpoint. Nothing that rings waits for it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::Stage;
use crate::ground::Ground;
use crate::index::{self, IndexError, IndexWriter};
use crate::model::time::Span;
use crate::store::{StoreError, mentions};

/// Changes read at a time.
const CHUNK: u32 = 1000;
/// So many changes at once say that the index is behind.
const BEHIND: u32 = 250;
/// Uncommitted mentions that force a commit.
const MOST: usize = 50_000;
/// A commit comes this long after the first uncommitted mention, or this many times what the last one took,
/// whichever is longer: under load commits are fewer and larger. While more waits to be read, it waits longer still.
const COMMIT_AFTER: Duration = Duration::from_millis(1000);
const COMMIT_SHARE: u32 = 8;
const COMMIT_BEHIND: Duration = Duration::from_secs(5);
/// How often the stage looks by itself.
const IDLE: Span = Span::secs(5);
/// How often it looks whether somebody took its files away, and how often it reads them all for their checksums.
const GLANCE: Duration = Duration::from_secs(10);
const CHECK: Duration = Duration::from_secs(24 * 3600);

/// What goes wrong in this stage.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the indexing thread panicked")]
    Panicked,
}

/// The stage that indexes.
pub struct Indexing {
    ground: Arc<Ground>,
    dir: PathBuf,
    desk: Option<Desk>,
}

/// The writer with what it has not committed.
struct Desk {
    writer: IndexWriter,
    pending: usize,
    since: Option<Instant>,
    commit_took: Duration,
    glanced: Instant,
    checked: Instant,
}

impl Stage for Indexing {
    const NAME: &'static str = "index";

    async fn pass(&mut self, now: Timestamp) -> Timestamp {
        match self.step(now).await {
            Ok(true) => now,
            Ok(false) => now + IDLE,
            Err(e) => {
                self.desk = None;
                metrics::counter!("vakt_index_failures_total").increment(1);
                tracing::warn!(stage = "index", error = %e, "indexing failed and is tried again");
                now + IDLE
            }
        }
    }

    async fn close(&mut self) {
        if let Some(desk) = self.desk.take() {
            // What is not committed is read again at the next start.
            tokio::task::spawn_blocking(move || desk.writer.close().ok()).await.ok();
        }
    }
}

impl Indexing {
    /// The stage over a ground, writing to a folder.
    pub fn new(ground: Arc<Ground>, dir: PathBuf) -> Indexing {
        Indexing { ground, dir, desk: None }
    }

    /// Reads on; says whether there is more, or something waits to be committed.
    async fn step(&mut self, now: Timestamp) -> Result<bool, Failure> {
        let ground = self.ground.clone();
        let dir = self.dir.clone();
        let desk = self.desk.take();
        // Indexing is work for a processor, so it has a thread to itself.
        let work = tokio::task::spawn_blocking(move || {
            let mut desk = match desk {
                Some(desk) => desk,
                None => open(&dir, now)?,
            };
            let more = desk.read_on(&ground)?;
            if !more {
                desk.look(&dir)?;
            }
            Ok::<_, Failure>((desk, more))
        });
        let (desk, more) = work.await.map_err(|_| Failure::Panicked)??;
        let wait = !more && desk.since.is_some();
        self.desk = Some(desk);
        if wait {
            // Something waits to be committed: come back soon, in real time.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(more || wait)
    }
}

fn open(dir: &std::path::Path, now: Timestamp) -> Result<Desk, Failure> {
    let (writer, damage) = index::open_or_make(dir, now.as_millisecond())?;
    if let Some(why) = damage {
        metrics::counter!("vakt_index_rebuilds_total").increment(1);
        tracing::warn!(
            stage = "index",
            why,
            "the search index was damaged; it is put aside and built anew from the store"
        );
    }
    let now = Instant::now();
    Ok(Desk { writer, pending: 0, since: None, commit_took: Duration::ZERO, glanced: now, checked: now })
}

impl Desk {
    fn read_on(&mut self, ground: &Ground) -> Result<bool, Failure> {
        let from = self.writer.reached().seq;
        let fresh = ground.fresh_after(from, usize::try_from(CHUNK).unwrap_or(0));
        for f in &fresh {
            self.writer.add(f.seq, &f.mention, Some(&f.terms))?;
        }
        let stored =
            if fresh.is_empty() { ground.store.read(|c| mentions::changed_after(c, from, CHUNK))? } else { Vec::new() };
        for (seq, m) in &stored {
            self.writer.add(*seq, m, None)?;
        }
        let read = fresh.len() + stored.len();
        self.pending += read;
        if read > 0 {
            self.since.get_or_insert_with(Instant::now);
        }
        let waited = self.since.map_or(Duration::ZERO, |s| s.elapsed());
        let behind = read >= usize::try_from(BEHIND).unwrap_or(usize::MAX);
        let patience = if behind { COMMIT_BEHIND } else { COMMIT_AFTER };
        if self.pending >= MOST || (self.pending > 0 && waited >= patience.max(self.commit_took * COMMIT_SHARE)) {
            self.commit()?;
        }
        // After what was at hand there may be more in the store.
        Ok(!fresh.is_empty() || read >= usize::try_from(CHUNK).unwrap_or(usize::MAX))
    }

    /// Looks whether the index is still what was written; one that is not is given up, and built anew (F09, F10).
    fn look(&mut self, dir: &std::path::Path) -> Result<(), Failure> {
        if self.glanced.elapsed() >= GLANCE && self.writer.reached().seq > 0 && self.pending == 0 {
            self.glanced = Instant::now();
            index::glance(dir)?;
        }
        if self.checked.elapsed() >= CHECK {
            self.checked = Instant::now();
            index::check(dir)?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let committed = self.writer.commit()?;
        metrics::gauge!("vakt_index_seq").set(committed.seq as f64);
        self.commit_took = began.elapsed();
        self.pending = 0;
        self.since = None;
        metrics::histogram!("vakt_index_commit_seconds").record(self.commit_took.as_secs_f64());
        Ok(())
    }
}
