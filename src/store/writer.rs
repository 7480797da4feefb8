//! The one thread that writes: gathers work, commits it together, answers when it is on disk.

use std::sync::{Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::watch;

use super::{StoreError, Stored};
use crate::failpoint;

type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
type Work = Box<dyn FnOnce(Result<&Transaction<'_>, StoreError>) -> Answer + Send>;

/// One piece of work: what it does, and who is told when it is on disk.
pub(super) struct Job {
    work: Work,
}

impl Job {
    /// Work with its result handed to `answer` after the commit.
    pub(super) fn new<T: Send + 'static>(
        work: impl FnOnce(&Transaction<'_>) -> Stored<T> + Send + 'static,
        answer: impl FnOnce(Stored<T>) + Send + 'static,
    ) -> Job {
        let work: Work = Box::new(move |tx| {
            let result = tx.and_then(|tx| in_savepoint(tx, work));
            Box::new(move |committed| answer(committed.and(result)))
        });
        Job { work }
    }
}

/// Work that fails leaves nothing behind, and the rest of the transaction stands.
fn in_savepoint<T>(tx: &Transaction<'_>, work: impl FnOnce(&Transaction<'_>) -> Stored<T>) -> Stored<T> {
    tx.execute_batch("SAVEPOINT work")?;
    let result = work(tx);
    match &result {
        Ok(_) => tx.execute_batch("RELEASE work")?,
        Err(_) => tx.execute_batch("ROLLBACK TO work; RELEASE work")?,
    }
    result
}

/// Most work in one transaction.
const MOST_JOBS: usize = 256;
/// Work waiting before senders are held up.
const QUEUE: usize = 1024;
/// How often it is looked whether pages are held in memory for nothing, and how few rows changed meanwhile if so.
const LOOK: Duration = Duration::from_secs(10);
const FEW: u64 = 1000;

#[derive(Debug)]
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    broken: watch::Sender<bool>,
}

/// Says that the writer is broken when its thread ends, however it ends.
struct Ended(watch::Sender<bool>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Stored<Writer> {
        let (queue, work) = mpsc::sync_channel(QUEUE);
        let broken = watch::Sender::new(false);
        let ended = Ended(broken.clone());
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(connection, &work, &ended))
            .map_err(|source| StoreError::Open { path: "store-writer thread".into(), source })?;
        Ok(Writer { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)), broken })
    }

    pub(super) fn send(&self, job: Job) -> Stored<()> {
        if *self.broken.borrow() {
            return Err(StoreError::Broken("an earlier write failed; vakt has to be restarted".into()));
        }
        let queue = self.queue.lock().ok().and_then(|q| q.clone()).ok_or(StoreError::Closed)?;
        queue.send(job).map_err(|_| StoreError::Closed)
    }

    /// Waits until no more can be written.
    pub(super) async fn broken(&self) {
        // The sender lives as long as this writer.
        self.broken.subscribe().wait_for(|broken| *broken).await.ok();
    }
}

impl Drop for Writer {
    /// Finishes what is queued.
    fn drop(&mut self) {
        if let Ok(mut queue) = self.queue.lock() {
            queue.take();
        }
        let thread = self.thread.lock().ok().and_then(|mut t| t.take());
        // A writer that panicked has said so already.
        thread.map(|t| t.join().ok());
    }
}

fn run(mut connection: Connection, queue: &mpsc::Receiver<Job>, ended: &Ended) {
    let (mut looked, mut changed) = (Instant::now(), connection.total_changes());
    while let Ok(first) = queue.recv() {
        let mut answers: Vec<Answer> = Vec::new();
        let committed = commit(&mut connection, first, queue, &mut answers);
        let verdict = match committed {
            Ok(()) => None,
            Err(e) => {
                // After a failed sync nobody knows what is on disk: no more writes (F05).
                if matches!(e, StoreError::Broken(_)) {
                    ended.0.send_replace(true);
                }
                Some(e)
            }
        };
        for answer in answers {
            answer(verdict.as_ref().map_or(Ok(()), |e| Err(again(e))));
        }
        if looked.elapsed() >= LOOK {
            let now = connection.total_changes();
            if now.saturating_sub(changed) < FEW {
                // What is read again is at hand in the system's own cache.
                connection.release_memory().ok();
            }
            (looked, changed) = (Instant::now(), now);
        }
    }
    connection.close().ok();
}

/// The same error for everybody who shared the commit.
fn again(e: &StoreError) -> StoreError {
    match e {
        StoreError::Full => StoreError::Full,
        StoreError::Busy => StoreError::Busy,
        StoreError::Closed => StoreError::Closed,
        other => StoreError::Broken(other.to_string()),
    }
}

fn commit(
    connection: &mut Connection,
    first: Job,
    queue: &mpsc::Receiver<Job>,
    answers: &mut Vec<Answer>,
) -> Stored<()> {
    let tx = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(tx) => tx,
        Err(e) => {
            let e: StoreError = e.into();
            answers.push((first.work)(Err(again(&e))));
            return Err(e);
        }
    };
    answers.push((first.work)(Ok(&tx)));
    while answers.len() < MOST_JOBS {
        match queue.try_recv() {
            Ok(job) => answers.push((job.work)(Ok(&tx))),
            Err(_) => break,
        }
    }
    failpoint::pass("commit", "before");
    tx.commit()?;
    failpoint::pass("commit", "after");
    Ok(())
}
