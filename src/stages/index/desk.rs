//! The index's writer at work: reads changes in order, commits in good time, and carries deletions out.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::Failure;
use crate::ground::{Ground, Reader};
use crate::index::{self, IndexError, IndexWriter};
use crate::store::Store;
use crate::store::changes::{self, Change};

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
/// How often it looks whether somebody took its files away, and how often it reads them all for their checksums.
const GLANCE: Duration = Duration::from_secs(10);
const CHECK: Duration = Duration::from_secs(24 * 3600);

/// The writer with what it has not committed.
pub(super) struct Desk {
    dir: PathBuf,
    writer: IndexWriter,
    pending: usize,
    since: Option<Instant>,
    commit_took: Duration,
    glanced: Instant,
    checked: Instant,
    /// Deletions were read that the store still notes; some of them are to be thorough.
    buried: bool,
    thorough: bool,
    /// Somebody else has to read them too before they are forgotten.
    hold: bool,
}

impl Desk {
    /// Opens the index of a folder for writing; one that is damaged is put aside and begun anew.
    pub(super) fn open(store: &Store, dir: &Path, now: Timestamp) -> Result<Desk, Failure> {
        let (writer, damage) = index::open_or_make(dir, now.as_millisecond())?;
        if let Some(why) = damage {
            metrics::counter!("vakt_index_rebuilds_total").increment(1);
            tracing::warn!(
                stage = "index",
                why,
                "the search index was damaged; it is put aside and built anew from the store"
            );
        }
        // What was deleted from the index before it was closed, and not carried out to the end.
        let reached = writer.reached().seq;
        let (buried, thorough) = store.read(|c| changes::noted_upto(c, reached))?;
        let now = Instant::now();
        let mut desk = Desk {
            dir: dir.to_owned(),
            writer,
            pending: 0,
            since: None,
            commit_took: Duration::ZERO,
            glanced: now,
            checked: now,
            buried: buried > 0,
            thorough,
            hold: false,
        };
        desk.carry_out(store)?;
        Ok(desk)
    }

    /// Reads on; says whether there is more to read at once.
    pub(super) fn read_on(&mut self, store: &Store, ground: Option<&Ground>) -> Result<bool, Failure> {
        let from = self.writer.reached().seq;
        let fresh = ground.map(|g| g.fresh_after(from, usize::try_from(CHUNK).unwrap_or(0))).unwrap_or_default();
        for f in &fresh {
            self.writer.add(f.seq, &f.mention, Some(&f.terms))?;
        }
        let stored = if fresh.is_empty() { store.read(|c| changes::after(c, from, CHUNK))? } else { Vec::new() };
        let mut gone = Vec::new();
        for (seq, change) in &stored {
            match change {
                Change::Put(m) => self.writer.add(*seq, m, None)?,
                Change::Gone { mention, thorough } => {
                    self.writer.remove(*seq, *mention);
                    gone.push(*mention);
                    (self.buried, self.thorough) = (true, self.thorough || *thorough);
                }
            }
        }
        if let Some(ground) = ground.filter(|_| !gone.is_empty()) {
            ground.forget_fresh(&gone);
        }
        if let Some(ground) = ground {
            ground.has_read(Reader::Index, self.writer.reached().seq);
        }
        let read = fresh.len() + stored.len();
        self.pending += read;
        if read > 0 {
            self.since.get_or_insert_with(Instant::now);
        }
        let waited = self.since.map_or(Duration::ZERO, |s| s.elapsed());
        let behind = read >= usize::try_from(BEHIND).unwrap_or(usize::MAX);
        let patience = if behind { COMMIT_BEHIND } else { COMMIT_AFTER };
        let due = self.pending > 0 && waited >= patience.max(self.commit_took * COMMIT_SHARE);
        if self.pending >= MOST || due || (self.pending > 0 && self.thorough) {
            self.commit(store)?;
        } else if self.writer.is_purging() {
            if self.writer.purge_on()? {
                self.passed(store)?;
            }
        } else if self.buried && self.since.is_none() {
            // They had to be held, and need not any more.
            self.passed(store)?;
        }
        // After what was at hand there may be more in the store.
        Ok(!fresh.is_empty() || read >= usize::try_from(CHUNK).unwrap_or(usize::MAX))
    }

    /// Whether something waits to be committed, or deletions to be carried out.
    pub(super) fn has_work(&self) -> bool {
        self.since.is_some() || self.writer.is_purging()
    }

    /// Looks whether the index is still what was written; one that is not is given up, and built anew (F09, F10).
    pub(super) fn look(&mut self) -> Result<(), Failure> {
        if self.glanced.elapsed() >= GLANCE && self.writer.reached().seq > 0 && self.pending == 0 {
            self.glanced = Instant::now();
            index::glance(&self.dir)?;
        }
        if self.checked.elapsed() >= CHECK {
            self.checked = Instant::now();
            index::check(&self.dir)?;
        }
        Ok(())
    }

    /// Commits what was read, and begins to carry out the deletions in it.
    pub(super) fn commit(&mut self, store: &Store) -> Result<(), Failure> {
        if self.since.is_none() {
            return Ok(());
        }
        let began = Instant::now();
        let committed = self.writer.commit()?;
        metrics::gauge!("vakt_index_seq").set(committed.seq as f64);
        self.commit_took = began.elapsed();
        self.pending = 0;
        self.since = None;
        metrics::histogram!("vakt_index_commit_seconds").record(self.commit_took.as_secs_f64());
        self.carry_out(store)
    }

    /// After the commit, never before: a deletion is noted until the index has it.
    fn carry_out(&mut self, store: &Store) -> Result<(), Failure> {
        if self.thorough {
            self.thorough = false;
            self.writer.begin_purge();
        } else if self.buried && !self.writer.is_purging() {
            self.passed(store)?;
        }
        Ok(())
    }

    fn passed(&mut self, store: &Store) -> Result<(), Failure> {
        if self.hold {
            return Ok(());
        }
        // What was put aside beside this index holds the same words.
        index::remove_aside(&self.dir)?;
        self.buried = false;
        let committed = self.writer.committed().seq;
        Ok(store.write_blocking(move |tx| changes::passed(tx, committed))?)
    }

    /// Whether deletions stay noted though this index has passed them, since another one is being built.
    pub(super) fn hold(&mut self, hold: bool) {
        self.hold = hold;
    }

    /// Commits and closes.
    pub(super) fn close(self) -> Result<(), IndexError> {
        self.writer.close()
    }
}
