//! Store → search index, from the index's own checkpoint. Nothing that rings waits for it.

mod anew;
mod desk;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Stage;
use crate::ground::Ground;
use crate::index::{self, IndexError};
use crate::model::time::Span;
use crate::store::{Store, StoreError, changes};
use anew::{Rebuild, Turn};
use desk::Desk;

pub use anew::Anew;

/// How often the stage looks by itself.
const IDLE: Span = Span::secs(5);
/// How soon it looks again while something waits to be committed or to be written anew.
const SOON: Duration = Duration::from_millis(100);

/// What goes wrong with indexing.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its thread.
    #[error("the indexing thread panicked")]
    Panicked,
}

/// The stage that indexes.
pub struct Indexing {
    ground: Arc<Ground>,
    dir: PathBuf,
    desk: Option<Desk>,
    rebuild: Rebuild,
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
            tokio::task::spawn_blocking(move || desk.close().ok()).await.ok();
        }
    }
}

impl Indexing {
    /// The stage over a ground, writing to a folder.
    pub fn new(ground: Arc<Ground>, dir: PathBuf) -> Indexing {
        Indexing { ground, dir, desk: None, rebuild: Rebuild::default() }
    }

    /// Reads on; says whether there is more, or something waits to be committed.
    async fn step(&mut self, now: Timestamp) -> Result<bool, Failure> {
        let ground = self.ground.clone();
        let dir = self.dir.clone();
        let desk = self.desk.take();
        // Where this fails, a rebuild that was under way begins again.
        let mut rebuild = std::mem::take(&mut self.rebuild);
        // Indexing is work for a processor, so it has a thread to itself.
        let work = tokio::task::spawn_blocking(move || {
            let mut desk = match desk {
                Some(desk) => desk,
                None => Desk::open(&ground.store, &dir, now)?,
            };
            desk.hold(rebuild.is_under_way());
            let more = desk.read_on(&ground.store, Some(&ground))?;
            if !more {
                desk.look()?;
            }
            let turn = rebuild.turn(&ground.store, &dir)?;
            if turn == Turn::Whole {
                // What it has not committed is read again by the new one.
                drop(desk);
                rebuild.finish(&ground.store)?;
                return Ok((None, rebuild, true));
            }
            Ok::<_, Failure>((Some(desk), rebuild, more || turn == Turn::Busy))
        });
        let (desk, rebuild, more) = work.await.map_err(|_| Failure::Panicked)??;
        let wait = !more && desk.as_ref().is_some_and(Desk::has_work);
        (self.desk, self.rebuild) = (desk, rebuild);
        if wait {
            // Come back soon, in real time.
            tokio::time::sleep(SOON).await;
        }
        Ok(more || wait)
    }
}

/// Brings the index of a folder up to the store, deletions included, for a command that has the data to itself. Where
/// there is no index there is nothing to do: one that is built later never sees what is gone.
///
/// # Errors
/// When the index or the store cannot be read or written.
pub fn settle(store: &Store, dir: &Path, now: Timestamp) -> Result<(), Failure> {
    if !dir.join("meta.json").exists() {
        index::remove_aside(dir)?;
        return Ok(store.write_blocking(|tx| changes::passed(tx, i64::MAX))?);
    }
    let mut desk = Desk::open(store, dir, now)?;
    loop {
        let more = desk.read_on(store, None)?;
        if !more && !desk.has_work() {
            break;
        }
        if !more {
            desk.commit(store)?;
            std::thread::sleep(SOON / 10);
        }
    }
    Ok(desk.close()?)
}
