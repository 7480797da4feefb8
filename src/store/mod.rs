//! SQLite, the one commit point: mentions with cursors, incidents with messages, each pair in one transaction.
//!
//! One thread writes; it takes whatever work has gathered into one transaction and answers once the disk has it
//! (`synchronous=FULL`), so an answer means durable and a crowd shares one sync. Readers have connections of their own.
//! The files beside this one are functions over a connection or a transaction.

pub mod answers;
pub mod audit;
pub mod authors;
pub mod changes;
pub mod counts;
pub mod drafts;
pub mod erasures;
pub mod groups;
pub mod hooks;
pub mod hours;
pub mod incidents;
pub mod mentions;
pub mod meta;
pub mod old;
pub mod outbox;
pub mod past;
pub mod pauses;
pub mod silences;
pub mod sketches;
pub mod sources;
pub mod subscriptions;
pub mod sums;
pub mod ticks;
pub mod wish;
pub mod withdrawn;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub use rusqlite::{Connection, Transaction};
use rusqlite::{ErrorCode, OpenFlags};
use rusqlite_migration::{M, Migrations};

use writer::{Job, Writer};

/// What goes wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full: nothing was written, and trying later is right.
    #[error("the disk is full")]
    Full,
    /// Somebody holds the database: trying later is right.
    #[error("the database is busy")]
    Busy,
    /// The disk or the database failed in a way that must not be glossed over: stop.
    #[error("the database cannot be trusted: {0}")]
    Broken(String),
    /// The database was written by a newer vakt.
    #[error("the database {0} was written by a newer vakt; install that version, or restore a backup")]
    Newer(PathBuf),
    /// The writer has stopped.
    #[error("the store is closed")]
    Closed,
    /// Any other error of SQLite.
    #[error("database error")]
    Sqlite(#[source] rusqlite::Error),
    /// A file could not be made or opened.
    #[error("cannot open {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A kept value cannot be read back.
    #[error("a kept value cannot be read: {0}")]
    Value(#[from] serde_json::Error),
}

impl StoreError {
    /// Whether the same work may succeed later.
    pub fn is_passing(&self) -> bool {
        matches!(self, StoreError::Full | StoreError::Busy)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(e: rusqlite::Error) -> StoreError {
        match e.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
            Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StoreError::Broken(e.to_string())
            }
            _ => StoreError::Sqlite(e),
        }
    }
}

/// The result of work on the store.
pub type Stored<T> = Result<T, StoreError>;

fn migrations() -> Migrations<'static> {
    Migrations::new(vec![
        M::up(include_str!("migrations/001_ground.sql")),
        M::up(include_str!("migrations/002_facts.sql")),
        M::up_with_hook(include_str!("migrations/003_hours.sql"), |tx| Ok(hours::fill(tx)?)),
        M::up(include_str!("migrations/004_gone.sql")),
        M::up(include_str!("migrations/005_erasures.sql")),
        M::up(include_str!("migrations/006_spared.sql")),
        M::up(include_str!("migrations/007_toward.sql")),
        M::up_with_hook(include_str!("migrations/008_sketches.sql"), |tx| Ok(sketches::fill(tx)?)),
        M::up(include_str!("migrations/009_scopes.sql")),
        M::up(include_str!("migrations/010_acts.sql")),
        M::up(include_str!("migrations/011_channels.sql")),
        M::up(include_str!("migrations/012_drafts.sql")),
        M::up(include_str!("migrations/013_urgent.sql")),
        M::up(include_str!("migrations/014_answers.sql")),
        M::up(include_str!("migrations/015_hooks.sql")),
        M::up(include_str!("migrations/016_streams.sql")),
    ])
}

/// How long a connection waits for another one's lock.
const BUSY: Duration = Duration::from_secs(5);
/// Reading connections kept open.
const READERS: usize = 4;
/// How often they give back what they hold in memory.
const RELEASE: Duration = Duration::from_secs(10);

/// The open store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    path: PathBuf,
    writer: Arc<Writer>,
    readers: Arc<Mutex<Readers>>,
}

/// Reading connections that nobody uses.
#[derive(Debug, Default)]
struct Readers {
    spare: Vec<Connection>,
    /// When they gave the pages back that they held.
    released: Option<Instant>,
}

impl Readers {
    fn give_back(&mut self, connection: Connection) {
        if self.spare.len() < READERS {
            self.spare.push(connection);
        }
        if self.released.is_none_or(|at| at.elapsed() >= RELEASE) {
            // What is read again is at hand in the system's own cache.
            self.spare.iter().for_each(|c| c.release_memory().unwrap_or_default());
            self.released = Some(Instant::now());
        }
    }
}

impl Store {
    /// Opens the database, making or migrating it, and starts its writer.
    ///
    /// # Errors
    /// When it cannot be opened, is damaged, or was written by a newer vakt.
    pub fn open(path: &Path) -> Stored<Store> {
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir).map_err(|source| StoreError::Open { path: dir.to_owned(), source })?;
        }
        let _alone = alone(path)?;
        let mut connection = Connection::open(path)?;
        prepare(&connection)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // What is deleted is overwritten with zeros.
        connection.pragma_update(None, "secure_delete", true)?;
        // A commit is one sync of the log; the log is folded in every 4,000 pages, about 16 MiB.
        connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        migrations().to_latest(&mut connection).map_err(|e| match e {
            rusqlite_migration::Error::MigrationDefinition(
                rusqlite_migration::MigrationDefinitionError::DatabaseTooFarAhead,
            ) => StoreError::Newer(path.to_owned()),
            rusqlite_migration::Error::RusqliteError { err, .. } => err.into(),
            other => StoreError::Broken(other.to_string()),
        })?;
        let writer = Arc::new(Writer::start(connection)?);
        Ok(Store { path: path.to_owned(), writer, readers: Arc::default() })
    }

    /// Whether a database is there in this version: opening it would not move it to a newer one.
    pub fn is_current(path: &Path) -> bool {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let current = |c: Connection| migrations().pending_migrations(&c).is_ok_and(|n| n == 0);
        Connection::open_with_flags(path, flags).is_ok_and(current)
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Does work in a transaction; the answer means that it is on disk.
    ///
    /// # Errors
    /// The work's own error, which undoes the work and nothing else, or the commit's.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Stored<T> + Send + 'static,
    ) -> Stored<T> {
        self.write_then(work, |done| done).await
    }

    /// The same, and what was done is handed to `then` right after the commit, in the order of the commits, before
    /// whoever waits for it is told.
    ///
    /// # Errors
    /// As for [`Store::write`].
    pub async fn write_then<T: Send + 'static, U: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Stored<T> + Send + 'static,
        then: impl FnOnce(T) -> U + Send + 'static,
    ) -> Stored<U> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        self.writer.send(Job::new(work, move |result| {
            // Whoever asked may have gone; the work is done all the same.
            answer.send(result.map(then)).ok();
        }))?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    /// The same for callers that are not asynchronous.
    ///
    /// # Errors
    /// As for [`Store::write`].
    pub fn write_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Stored<T> + Send + 'static,
    ) -> Stored<T> {
        let (answer, answered) = std::sync::mpsc::channel();
        self.writer.send(Job::new(work, move |result| {
            answer.send(result).ok();
        }))?;
        answered.recv().unwrap_or(Err(StoreError::Closed))
    }

    /// Reads on a connection of its own.
    ///
    /// # Errors
    /// The work's error.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> Stored<T>) -> Stored<T> {
        let spare = self.readers.lock().ok().and_then(|mut r| r.spare.pop());
        let connection = match spare {
            Some(c) => c,
            None => open_reader(&self.path)?,
        };
        let result = work(&connection);
        if let Ok(mut readers) = self.readers.lock() {
            readers.give_back(connection);
        }
        result
    }

    /// Leaves nothing of what was deleted in the files of the database: writes it anew where `anew`, and empties its log.
    /// Others may use it meanwhile; says whether it came to the end within `patience`.
    ///
    /// # Errors
    /// When the database cannot be written, for other reasons than that it is busy or the disk full.
    pub fn scrub(&self, anew: bool, patience: Duration) -> Stored<bool> {
        let connection = Connection::open(&self.path)?;
        prepare(&connection)?;
        connection.pragma_update(None, "secure_delete", true)?;
        let began = Instant::now();
        let mut written = !anew;
        loop {
            if !written {
                match connection.execute_batch("VACUUM").map_err(StoreError::from) {
                    Ok(()) => written = true,
                    Err(StoreError::Full) => return Ok(false),
                    Err(e) if e.is_passing() => {}
                    Err(e) => return Err(e),
                }
            }
            if written {
                let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0))?;
                if busy == 0 {
                    return Ok(true);
                }
            }
            if began.elapsed() >= patience {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the store can write no more: the disk failed it, or its writer died. Then the daemon has to end, so
    /// that it is started again from what is on disk (F05).
    pub async fn failed(&self) -> StoreError {
        self.writer.broken().await;
        StoreError::Broken("a write failed for good".into())
    }

    /// Whether SQLite finds the database whole.
    ///
    /// # Errors
    /// What it finds wrong.
    pub fn check(&self) -> Stored<()> {
        self.read(|c| {
            let found: String = c.query_row("PRAGMA quick_check(1)", [], |r| r.get(0))?;
            if found == "ok" { Ok(()) } else { Err(StoreError::Broken(found)) }
        })
    }
}

/// Makes whoever opens a database wait for its turn, until what it returns is dropped: two that make or migrate it at
/// once would both find that it has to be done.
fn alone(path: &Path) -> Stored<File> {
    let path = path.with_added_extension("opening");
    let wrong = |source| StoreError::Open { path: path.clone(), source };
    let file = File::options().write(true).create(true).truncate(false).open(&path).map_err(wrong)?;
    file.lock().map_err(wrong)?;
    Ok(file)
}

fn prepare(connection: &Connection) -> Stored<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -8192)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn open_reader(path: &Path) -> Stored<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    prepare(&connection)?;
    // Several are open: what is read again soon is at hand in the system's own cache too.
    connection.pragma_update(None, "cache_size", -1024)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::time::Span;

    #[test]
    fn a_newer_database_is_refused_in_words() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("vakt.db");
        drop(Store::open(&path).expect("it opens"));
        Connection::open(&path).and_then(|c| c.pragma_update(None, "user_version", 99)).expect("set");
        let refused = Store::open(&path).expect_err("it is newer");
        assert!(refused.to_string().contains("newer vakt"), "{refused}");
    }

    #[test]
    fn many_may_open_a_new_database_at_once() {
        for _ in 0..5 {
            let dir = tempfile::tempdir().expect("a folder");
            let path = dir.path().join("vakt.db");
            let opened: Vec<bool> = std::thread::scope(|s| {
                let all: Vec<_> = (0..8).map(|_| s.spawn(|| Store::open(&path).is_ok())).collect();
                all.into_iter().map(|one| one.join().expect("it ends")).collect()
            });
            assert!(opened.iter().all(|o| *o), "{opened:?}");
        }
    }

    #[test]
    fn migrations_are_sound() {
        assert_eq!(migrations().validate(), Ok(()));
    }

    #[test]
    fn messages_of_before_there_were_channels_are_mails() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("vakt.db");
        let mut c = Connection::open(&path).expect("it opens");
        migrations().to_version(&mut c, 10).expect("as it was");
        let put = "INSERT INTO outbox (message_id, person, address, subject, body, created, due, attempts, state, relay, error)
                   VALUES ('m', 'a', 'a@acme.example', 's', x'00', 1, 1, 0, 'waiting', '', '')";
        c.execute(put, []).expect("put");
        drop(c);
        let store = Store::open(&path).expect("it opens");
        let due = store.read(|c| outbox::due(c, "mail", Timestamp::UNIX_EPOCH + Span::secs(1), 9)).expect("read");
        assert_eq!((due.len(), &due[0].by), (1, &outbox::By::default()));
    }

    #[tokio::test]
    async fn failed_work_undoes_itself_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
        let good = store.write(|tx| meta::set(tx, "a", "1"));
        let bad = store.write(|tx| {
            meta::set(tx, "a", "2")?;
            tx.execute("INSERT INTO nowhere VALUES (1)", [])?;
            Ok(())
        });
        let (good, bad) = tokio::join!(good, bad);
        assert!(good.is_ok() && bad.is_err());
        assert_eq!(store.read(|c| meta::get(c, "a")).expect("read"), Some("1".into()));
    }
}
