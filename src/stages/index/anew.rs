//! The index built anew beside the one in use, which is searched and goes on until the new one is whole.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Failure;
use crate::index::{self, IndexError, IndexWriter};
use crate::store::changes::{self, Change};
use crate::store::wish::{self, Standing, Wish};
use crate::store::{Store, Stored, mentions};

/// Changes read at a time.
const CHUNK: u32 = 1000;
/// How often it is looked whether somebody wishes for a new index, and how often it is told how far it is.
const LOOK: Duration = Duration::from_secs(1);
const TELL: Duration = Duration::from_millis(500);

/// An index being built.
pub struct Anew {
    dir: PathBuf,
    work: Work,
    done: u64,
    of: u64,
    began: Instant,
}

enum Work {
    Reading(Box<IndexWriter>),
    /// Its last files are merged, by a thread of its own.
    Closing(JoinHandle<Result<(), IndexError>>),
    Whole,
}

impl Anew {
    /// Begins to build an index beside a folder.
    ///
    /// # Errors
    /// When the store cannot be read or the folder not be written.
    pub fn begin(store: &Store, dir: &Path) -> Result<Anew, Failure> {
        index::clear(dir)?;
        let (writer, _) = index::open_or_make(&index::beside(dir), 0)?;
        let of = u64::try_from(store.read(mentions::count)?).unwrap_or(0);
        Ok(Anew { dir: dir.to_owned(), work: Work::Reading(Box::new(writer)), done: 0, of, began: Instant::now() })
    }

    /// Goes on for a moment; says whether it is whole.
    ///
    /// # Errors
    /// When the store cannot be read or the index not be written.
    pub fn go_on(&mut self, store: &Store) -> Result<bool, Failure> {
        match std::mem::replace(&mut self.work, Work::Whole) {
            Work::Reading(mut writer) => {
                let from = writer.reached().seq;
                let read = store.read(|c| changes::after(c, from, CHUNK))?;
                for (seq, change) in &read {
                    match change {
                        Change::Put(m) => {
                            writer.add(*seq, m, None)?;
                            self.done += 1;
                        }
                        Change::Gone { mention, .. } => writer.remove(*seq, *mention),
                    }
                }
                self.work = match read.len() >= usize::try_from(CHUNK).unwrap_or(usize::MAX) {
                    true => Work::Reading(writer),
                    false => Work::Closing(close(*writer)?),
                };
            }
            Work::Closing(thread) if thread.is_finished() => {
                thread.join().map_err(|_| Failure::Panicked)??;
                return Ok(true);
            }
            Work::Closing(thread) => {
                self.work = Work::Closing(thread);
                std::thread::sleep(Duration::from_millis(20));
            }
            Work::Whole => return Ok(true),
        }
        Ok(false)
    }

    /// Puts it in the place of the one in use, which nobody may have open for writing any more.
    ///
    /// # Errors
    /// When the folders cannot be renamed.
    pub fn replace(self) -> Result<Wish, Failure> {
        index::replace(&self.dir)?;
        Ok(Wish { standing: Standing::Done, bytes: index::size(&self.dir), ..self.stands() })
    }

    /// How far it is.
    pub fn stands(&self) -> Wish {
        Wish {
            standing: Standing::Running,
            done: self.done,
            of: self.of.max(self.done),
            seconds: self.began.elapsed().as_secs_f64(),
            ..Wish::default()
        }
    }
}

fn close(mut writer: IndexWriter) -> Result<JoinHandle<Result<(), IndexError>>, IndexError> {
    // An index of nothing has a commit too.
    writer.commit()?;
    let thread = std::thread::Builder::new().name("index-close".into());
    thread.spawn(move || writer.close()).map_err(|e| IndexError::Io(Box::new(e)))
}

/// Fulfils wishes for a new index, within the stage.
#[derive(Default)]
pub(super) struct Rebuild {
    anew: Option<Anew>,
    looked: Option<Instant>,
    told: Option<Instant>,
}

/// What a turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// There is nothing to do.
    Idle,
    /// There is more to do.
    Busy,
    /// The new index is whole: once the old one is closed, it is to be put in its place.
    Whole,
}

impl Rebuild {
    /// Whether one is under way: deletions stay noted until it has read them as well.
    pub(super) fn is_under_way(&self) -> bool {
        self.anew.is_some()
    }

    /// Goes on for a moment, where somebody wishes it.
    pub(super) fn turn(&mut self, store: &Store, dir: &Path) -> Result<Turn, Failure> {
        if self.anew.is_none() {
            if self.looked.is_some_and(|at| at.elapsed() < LOOK) {
                return Ok(Turn::Idle);
            }
            self.looked = Some(Instant::now());
            // One that runs and is not ours was left by a daemon that has ended.
            if !store.read(wish::get)?.is_some_and(|w| w.is_open()) {
                return Ok(Turn::Idle);
            }
            tracing::info!(stage = "index", "the search index is built anew, as was asked");
        }
        match self.build(store, dir) {
            Ok(whole) => Ok(if whole { Turn::Whole } else { Turn::Busy }),
            Err(e) => self.give_up(store, e),
        }
    }

    fn build(&mut self, store: &Store, dir: &Path) -> Result<bool, Failure> {
        let anew = match &mut self.anew {
            Some(anew) => anew,
            none => none.insert(Anew::begin(store, dir)?),
        };
        let whole = anew.go_on(store)?;
        if self.told.is_none_or(|at| at.elapsed() >= TELL) {
            self.told = Some(Instant::now());
            tell(store, anew.stands())?;
        }
        Ok(whole)
    }

    /// The old index is closed: the new one takes its place.
    pub(super) fn finish(&mut self, store: &Store) -> Result<(), Failure> {
        let Some(anew) = self.anew.take() else { return Ok(()) };
        match anew.replace() {
            Ok(wish) => {
                tracing::info!(
                    stage = "index",
                    mentions = wish.done,
                    seconds = wish.seconds,
                    "the search index is new"
                );
                metrics::counter!("vakt_index_rebuilds_total").increment(1);
                Ok(tell(store, wish)?)
            }
            Err(e) => self.give_up(store, e).map(|_| ()),
        }
    }

    fn give_up(&mut self, store: &Store, e: Failure) -> Result<Turn, Failure> {
        self.anew = None;
        tracing::warn!(stage = "index", error = %e, "the search index cannot be built anew; the old one stays");
        tell(store, Wish { standing: Standing::Failed, error: e.to_string(), ..Wish::default() })?;
        Ok(Turn::Idle)
    }
}

fn tell(store: &Store, wish: Wish) -> Stored<()> {
    store.write_blocking(move |tx| wish::put(tx, &wish))
}
