//! Rows into the store, batch by batch, each with the place that was read up to.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::progress::Progress;
use crate::ground::Ground;
use crate::ground::intake::{self, Batch, Receipt};
use crate::model::Capture;
use crate::sources::archive::{Archive, ArchiveError, Plan};
use crate::store::{StoreError, meta};

/// Mentions stored together.
const BATCH: usize = 500;
/// Bytes of their texts, so that long texts take no more memory than short ones.
const BATCH_BYTES: usize = 4 << 20;
/// Batches read ahead.
const AHEAD: usize = 4;
/// Bad rows that are shown.
const SHOWN: usize = 5;
/// Tries while another process holds the database, each of several seconds.
const TRIES: usize = 12;

/// A file, and how it is to be imported.
pub(super) struct Job {
    pub(super) archive: Archive,
    pub(super) plan: Plan,
    pub(super) source: String,
    pub(super) again: bool,
}

/// What became of a file.
#[derive(Debug, Default, Serialize)]
pub(super) struct Sum {
    pub(super) source: String,
    /// Rows read now.
    pub(super) read: u64,
    pub(super) new: u64,
    pub(super) known: u64,
    pub(super) edited: u64,
    /// Rows that are no mentions.
    pub(super) skipped: u64,
    /// Rows that an earlier import had read.
    pub(super) before: u64,
    pub(super) seconds: f64,
    /// The first bad rows, and why they are.
    pub(super) faults: Vec<String>,
}

/// How far an import has come, kept with what it stored.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Mark {
    rows: u64,
    done: bool,
}

/// Rows that were read together.
#[derive(Default)]
struct Bundle {
    captures: Vec<Capture>,
    bytes: usize,
    rows: u64,
    skipped: u64,
    faults: Vec<String>,
}

impl Sum {
    fn add(&mut self, receipt: &Receipt, bundle: &Bundle) {
        self.read += bundle.rows;
        self.new += receipt.new as u64;
        self.known += receipt.known as u64;
        self.edited += receipt.edited as u64;
        self.skipped += bundle.skipped + receipt.empty as u64;
        let free = SHOWN.saturating_sub(self.faults.len());
        self.faults.extend(bundle.faults.iter().take(free).cloned());
    }
}

/// Imports a file, from where an earlier import of it ended.
pub(super) async fn bring(ground: &Arc<Ground>, job: Job) -> anyhow::Result<Sum> {
    let Job { archive, plan, source, again } = job;
    let began = Instant::now();
    let key = format!("import:{}:{:x}", archive.identity, xxh3_64(source.as_bytes()));
    let kept = ground.store.read(|c| meta::get(c, &key))?.filter(|_| !again);
    let mark: Mark = kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let mut sum = Sum { source: source.clone(), before: mark.rows, ..Sum::default() };
    if mark.done {
        return Ok(sum);
    }
    let progress = Progress::start(&archive, mark.rows);
    let (bundles, reader) = read_ahead(archive, plan, mark.rows);
    let mut at = mark.rows;
    while let Ok(bundle) = bundles.recv() {
        if !ground.has_room() {
            progress.end();
            return Err(no_room(at));
        }
        at += bundle.rows;
        let receipt = store(ground, &source, &key, &bundle, Mark { rows: at, done: false }).await?;
        sum.add(&receipt, &bundle);
        progress.at(&sum);
    }
    progress.end();
    let read = reader.join().map_err(|_| anyhow::anyhow!("the file could not be read on; vakt made a mistake"))?;
    read?;
    let done = serde_json::to_string(&Mark { rows: at, done: true })?;
    ground.store.write(move |tx| meta::set(tx, &key, &done)).await?;
    sum.seconds = (began.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    Ok(sum)
}

fn no_room(rows: u64) -> anyhow::Error {
    anyhow::anyhow!(
        "the disk is nearly full: {rows} rows are imported, the rest is not; make room and run the same command again"
    )
}

/// Stores one batch with its mark. While somebody else writes for long, it is tried again.
async fn store(ground: &Arc<Ground>, source: &str, key: &str, bundle: &Bundle, mark: Mark) -> anyhow::Result<Receipt> {
    let text = serde_json::to_string(&mark)?;
    for n in 1.. {
        let captures = bundle.captures.clone();
        let batch = Batch { source: source.to_owned(), captures, history: true, undated_is_old: false, archive: true };
        let (key, text) = (key.to_owned(), text.clone());
        let now = ground.clock.now();
        match intake::accept(ground, batch, now, move |tx, _| meta::set(tx, &key, &text)).await {
            Ok(receipt) => return Ok(receipt),
            Err(StoreError::Busy) if n < TRIES => {}
            Err(StoreError::Full) => return Err(no_room(mark.rows - bundle.rows)),
            Err(e) => return Err(e.into()),
        }
    }
    anyhow::bail!("the database is busy; run the same command again")
}

type Reading = std::thread::JoinHandle<Result<(), ArchiveError>>;

/// Reads the file on a thread of its own, a few batches ahead.
fn read_ahead(archive: Archive, plan: Plan, skip: u64) -> (Receiver<Bundle>, Reading) {
    let (sender, receiver) = sync_channel(AHEAD);
    let reader = std::thread::spawn(move || {
        let (mut n, mut bundle) = (0u64, Bundle::default());
        let mut shown = 0;
        archive.rows(&mut |row| {
            n += 1;
            if n <= skip {
                return ControlFlow::Continue(());
            }
            bundle.rows += 1;
            match row.cells.and_then(|cells| plan.capture(&cells)) {
                Ok(capture) => {
                    bundle.bytes += capture.text.len();
                    bundle.captures.push(capture);
                }
                Err(why) => {
                    bundle.skipped += 1;
                    shown += 1;
                    if shown <= SHOWN {
                        bundle.faults.push(format!("row at line {}: {why}", row.number));
                    }
                }
            }
            let full = bundle.captures.len() >= BATCH || bundle.bytes >= BATCH_BYTES;
            if !full && bundle.rows < 20 * BATCH as u64 {
                return ControlFlow::Continue(());
            }
            match sender.send(std::mem::take(&mut bundle)) {
                Ok(()) => ControlFlow::Continue(()),
                // Nobody takes them any more: the store has failed, and says why.
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        if bundle.rows > 0 {
            sender.send(bundle).ok();
        }
        Ok(())
    });
    (receiver, reader)
}
