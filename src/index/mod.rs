//! The search index, derived from the store: it remembers in its own commits how far it has read.
//!
//! A lost or damaged index is put aside and read anew from the store; nothing that rings waits for it.

mod calendar;
mod compile;
mod facet;
mod files;
mod hunt;
mod packed;
mod ranked;
mod schema;
pub mod search;
mod spots;
mod swap;
mod view;
mod words;
mod writer;

use std::path::{Path, PathBuf};

use tantivy::directory::MmapDirectory;
use tantivy::index::{IndexSettings, IndexSortByField, Order as Way};
use tantivy::{Index, TantivyError};

pub use calendar::{Bar, Bucket, Quarters};
pub use facet::{Facet, Values};
pub use ranked::Cursor;
pub use schema::Fields;
pub use search::{Counts, Found, Order, Search, Searcher};
pub use swap::{beside, clear, replace, size};
pub use writer::{Checkpoint, IndexWriter};

/// What goes wrong with the index.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// It is damaged and has to be built anew.
    #[error("the index is damaged: {0}")]
    Damaged(String),
    /// There is none yet.
    #[error("there is no index at {0} yet; `vakt run` makes it")]
    Missing(PathBuf),
    /// Another process writes to it.
    #[error("another process writes to the index")]
    Locked,
    /// The disk is full or failed.
    #[error("the index cannot be written")]
    Io(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Anything else.
    #[error("index error")]
    Other(#[source] Box<TantivyError>),
    /// The mentions behind the hits cannot be fetched.
    #[error("the mentions found cannot be fetched")]
    Fetch(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<TantivyError> for IndexError {
    fn from(e: TantivyError) -> IndexError {
        match e {
            TantivyError::DataCorruption(why) => IndexError::Damaged(format!("{why:?}")),
            TantivyError::OpenReadError(why) => IndexError::Damaged(why.to_string()),
            TantivyError::LockFailure(..) => IndexError::Locked,
            TantivyError::IoError(why) => IndexError::Io(Box::new(why)),
            TantivyError::OpenWriteError(why) => IndexError::Io(Box::new(why)),
            other => IndexError::Other(Box::new(other)),
        }
    }
}

/// Does work over files that may be damaged: the engine can panic over them, and that is damage like any other (F09).
fn guarded<T>(what: &str, work: impl FnOnce() -> Result<T, IndexError>) -> Result<T, IndexError> {
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    done.unwrap_or_else(|_| Err(IndexError::Damaged(format!("it cannot be {what}"))))
}

/// Every segment lies in the order of event time, newest first: pages of the newest and spans of time are pieces of it.
pub fn settings() -> IndexSettings {
    let newest = IndexSortByField { field: "at".to_owned(), order: Way::Desc };
    IndexSettings { sort_by_field: Some(newest), ..IndexSettings::default() }
}

/// Opens the index of a folder for reading.
fn open(dir: &Path) -> Result<(Index, Fields), IndexError> {
    if !dir.join("meta.json").exists() {
        return Err(IndexError::Missing(dir.to_owned()));
    }
    let index = guarded("opened", || Ok(Index::open_in_dir(dir)?))?;
    let fields = Fields::of(&index.schema()).ok_or_else(|| IndexError::Damaged("its schema is another one".into()))?;
    if index.settings().sort_by_field != settings().sort_by_field {
        return Err(IndexError::Damaged("its order is another one".into()));
    }
    Fields::teach(&index);
    Ok((index, fields))
}

/// Opens the index of a folder for writing, making it where there is none. One that is damaged, or of another schema,
/// is put aside as `index.corrupt-TIME` and made anew; the second value says so.
///
/// # Errors
/// When the folder cannot be written or another process writes to it.
pub fn open_or_make(dir: &Path, stamp: i64) -> Result<(IndexWriter, Option<String>), IndexError> {
    let mut told = None;
    match check(dir) {
        Ok(()) | Err(IndexError::Missing(_)) => {}
        Err(IndexError::Damaged(why)) => {
            let aside = dir.with_extension(format!("corrupt-{stamp}"));
            std::fs::rename(dir, &aside).map_err(|e| IndexError::Io(Box::new(e)))?;
            told = Some(why);
        }
        Err(other) => return Err(other),
    }
    std::fs::create_dir_all(dir).map_err(|e| IndexError::Io(Box::new(e)))?;
    let (schema, fields) = Fields::make();
    let directory = MmapDirectory::open(dir).map_err(|e| IndexError::Io(Box::new(e)))?;
    let index = Index::builder().schema(schema).settings(settings()).open_or_create(directory)?;
    Fields::teach(&index);
    Ok((IndexWriter::new(index, fields)?, told))
}

/// Removes the indexes that were put aside beside the folder, damaged as they are, and those that were never finished:
/// they too hold what people wrote.
///
/// # Errors
/// When one of them cannot be removed.
pub fn remove_aside(dir: &Path) -> Result<(), IndexError> {
    let (Some(home), Some(name)) = (dir.parent(), dir.file_name().and_then(|n| n.to_str())) else { return Ok(()) };
    let io = |e: std::io::Error| IndexError::Io(Box::new(e));
    clear(dir)?;
    let aside = format!("{name}.corrupt-");
    for entry in std::fs::read_dir(home).map_err(io)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&aside) {
            std::fs::remove_dir_all(entry.path()).map_err(io)?;
        }
    }
    Ok(())
}

/// Whether every file of the index is there and can be opened; much quicker than [`check`].
///
/// # Errors
/// What is wrong with it.
pub fn glance(dir: &Path) -> Result<(), IndexError> {
    match Searcher::open(dir) {
        // Where a writer is open there was an index a moment ago.
        Err(IndexError::Missing(dir)) => Err(IndexError::Damaged(format!("{} is gone", dir.display()))),
        other => other.map(|_| ()),
    }
}

/// Whether the index is whole: it opens, its files are all there and their checksums are right.
///
/// # Errors
/// What is wrong with it.
pub fn check(dir: &Path) -> Result<(), IndexError> {
    let (index, _) = open(dir)?;
    let wrong = guarded("read", || Ok(index.validate_checksum()?))?;
    match wrong.iter().next() {
        None => Ok(()),
        Some(file) => Err(IndexError::Damaged(format!("the checksum of {} is wrong", file.display()))),
    }
}

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod tests;
