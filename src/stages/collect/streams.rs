//! Sources that stay connected: connections opened, what they hear stored with their place in it, and opened again.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use futures_util::future::{AbortHandle, Abortable, BoxFuture};
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::Collect;
use crate::ground::intake::{self, Batch, Followed};
use crate::model::time::{Span, between};
use crate::sources::live::{Ear, Heard, Said};
use crate::sources::{FetchError, Named};
use crate::store::Stored;
use crate::store::sources;

/// Connections that are open at once.
const MOST_OPEN: usize = 64;
/// What may wait to be stored; beyond it whoever talks has to wait.
const QUEUE: usize = 512;
/// What is stored at once.
pub(super) const MOST_HEARD: usize = 256;
/// The rest after a connection that ended, doubled with each failure in a row, and the longest.
const REST: Span = Span::secs(1);
const LONGEST_REST: Span = Span::mins(5);
/// The rest after what only a person can end.
const HOPELESS: Span = Span::mins(15);
/// A connection that was open for so long was no failure.
const PROVEN: Span = Span::mins(1);
/// While a connection tells everything, asking is a net below it.
const NET: Span = Span::mins(15);

/// The connections.
pub(super) struct Streams {
    pub(super) queue: mpsc::Receiver<(u64, Said)>,
    pub(super) open: FuturesUnordered<BoxFuture<'static, (u64, FetchError)>>,
    ear: mpsc::Sender<(u64, Said)>,
    /// By the number of a connection: its source, and how it is cut.
    of: HashMap<u64, (usize, AbortHandle)>,
    last: u64,
}

impl Default for Streams {
    fn default() -> Streams {
        let (ear, queue) = mpsc::channel(QUEUE);
        Streams { queue, open: FuturesUnordered::new(), ear, of: HashMap::new(), last: 0 }
    }
}

impl Streams {
    pub(super) fn are_open(&self) -> bool {
        !self.open.is_empty()
    }

    fn has(&self, source: usize) -> bool {
        self.of.values().any(|(i, _)| *i == source)
    }

    /// Cuts the connections of a source; what they still had to say is told again by the next.
    pub(super) fn cut(&self, source: usize) {
        self.of.values().filter(|(i, _)| *i == source).for_each(|(_, cut)| cut.abort());
    }
}

impl Collect {
    /// When a connection is due to be opened, milliseconds.
    pub(super) fn next_connection(&self) -> Option<i64> {
        let live = self.sources.iter().enumerate().filter(|(_, s)| s.source.live().is_some());
        live.filter_map(|(i, _)| self.states.get(&i).map(|s| s.stream.due)).min()
    }

    /// How often a source is asked: seldom, while it is connected and hears all that asking would find, or its hub tells.
    pub(super) fn every_of(&self, i: usize, source: &Named, now: Timestamp) -> Option<Span> {
        if let Some(net) = self.net_of_hub(source, now) {
            return Some(source.every.unwrap_or(net).max(net));
        }
        let up = self.states.get(&i).is_some_and(|s| s.stream.since > 0);
        let net = up && source.source.live().is_some_and(|live| live.hears_all());
        if net { Some(source.every.unwrap_or(NET).max(NET)) } else { source.every }
    }

    /// Opens the connections that are due.
    pub(super) fn connect(&mut self, now: Timestamp) {
        for (i, source) in self.sources.iter().enumerate() {
            let due = self.states.get(&i).filter(|s| s.stream.due <= now.as_millisecond());
            let Some(state) = due.filter(|_| source.source.live().is_some() && !self.streams.has(i)) else { continue };
            if self.full || self.streams.open.len() >= MOST_OPEN {
                return;
            }
            self.streams.last += 1;
            let number = self.streams.last;
            let ear = Ear::new(number, self.streams.ear.clone());
            let (http, name) = (self.http.clone(), source.name.clone());
            let (source, cursor) = (source.source.clone(), state.stream.cursor.clone());
            let listening = async move {
                let Some(live) = source.live() else { return FetchError::Ended { place: name } };
                let ended = AssertUnwindSafe(live.listen(&http, &cursor, &ear, now)).catch_unwind().await;
                ended.unwrap_or_else(|_| {
                    let reason = "a fault of vakt's own while it was listened to; the log has more".to_owned();
                    FetchError::Unreadable { place: name, reason }
                })
            };
            let (cut, registration) = AbortHandle::new_pair();
            self.streams.of.insert(number, (i, cut));
            self.streams.open.push(Box::pin(async move {
                let ended = Abortable::new(listening, registration).await;
                (number, ended.unwrap_or_else(|_| FetchError::Ended { place: "vakt itself".to_owned() }))
            }));
        }
    }

    /// Stores what was heard, each source's in one transaction with its place.
    pub(super) async fn hear(&mut self, said: Vec<(u64, Said)>, now: Timestamp) {
        let mut all: Vec<(usize, bool, Heard)> = Vec::new();
        for (connection, said) in said {
            // What was still on its way when a connection was cut is told again.
            let Some((i, _)) = self.streams.of.get(&connection).filter(|(_, cut)| !cut.is_aborted()) else { continue };
            let place = all.iter().position(|(known, ..)| known == i).unwrap_or_else(|| {
                all.push((*i, false, Heard::default()));
                all.len() - 1
            });
            let Some((_, opened, heard)) = all.get_mut(place) else { continue };
            match said {
                Said::Open => *opened = true,
                Said::Heard(more) => heard.then(more),
            }
        }
        for (i, opened, heard) in all {
            let Some(source) = self.sources.get(i).cloned() else { continue };
            if let Err(e) = self.keep_heard(i, &source, opened, heard, now).await {
                tracing::error!(stage = "collect", source = source.name, error = %e, "what a source told cannot be stored");
                // Nothing after it may be stored before it.
                self.streams.cut(i);
            }
        }
    }

    async fn keep_heard(&mut self, i: usize, source: &Named, opened: bool, heard: Heard, now: Timestamp) -> Stored<()> {
        let Some(mut state) = self.states.get(&i).cloned() else { return Ok(()) };
        if opened {
            tracing::info!(source = source.name, "connected");
            state.stream.since = now.as_millisecond();
            (state.stream.error, state.stream.error_class) = (String::new(), String::new());
            // What was said while nobody listened is asked for.
            state.due = state.due.min(now.as_millisecond());
        }
        state.stream.cursor = heard.cursor.unwrap_or(state.stream.cursor);
        state.gaps += u64::from(heard.gap);
        let batch = Batch {
            source: source.name.clone(),
            captures: heard.captures,
            history: false,
            undated_is_old: false,
            archive: false,
        };
        let followed = Followed { changed: heard.changed, gone: heard.gone, closed: heard.closed };
        let (name, mut kept) = (source.name.clone(), state);
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let receipt = intake::follow(&self.ground, batch, followed, now, move |tx, receipt| {
            if receipt.new + receipt.edited > 0 {
                kept.note_new(now.as_millisecond(), receipt.new as u64);
            }
            sources::put(tx, &name, &kept)?;
            // The receiver waits in this very function.
            sender.send(kept).ok();
            Ok(())
        })
        .await?;
        let state = receiver.await.map_err(|_| crate::store::StoreError::Closed)?;
        self.states.insert(i, state);
        metrics::counter!("vakt_mentions_total", "source" => source.name.clone()).increment(receipt.new as u64);
        if receipt.new + receipt.edited + receipt.withdrawn > 0 {
            let (new, edited, withdrawn) = (receipt.new, receipt.edited, receipt.withdrawn);
            tracing::info!(source = source.name, new, edited, withdrawn, "heard");
        }
        if heard.gap {
            tracing::warn!(source = source.name, "more was said than its place remembers: some may be missed");
        }
        Ok(())
    }

    /// A connection has ended: it is opened again, the later the more often that happens.
    pub(super) async fn ended(&mut self, connection: u64, why: &FetchError, now: Timestamp) {
        // What it had said before counts.
        let mut last = Vec::new();
        while !self.full {
            let Ok(said) = self.streams.queue.try_recv() else { break };
            last.push(said);
        }
        self.hear(last, now).await;
        let Some((i, _)) = self.streams.of.remove(&connection) else { return };
        let jitter = self.jitter();
        let (Some(source), Some(state)) = (self.sources.get(i), self.states.get_mut(&i)) else { return };
        let stream = &mut state.stream;
        let was_open = stream.since > 0;
        let proven = was_open && between(crate::model::time::from_millis(stream.since), now) >= PROVEN;
        stream.failures = if proven { 1 } else { stream.failures.saturating_add(1) };
        (stream.error, stream.error_class) = (why.to_string(), why.class().to_owned());
        if was_open {
            (stream.since, stream.ended) = (0, now.as_millisecond());
            stream.ends += 1;
            // Until it is open again it is asked.
            state.due = state.due.min(now.as_millisecond());
        }
        let wait = rest(stream.failures, why, jitter);
        stream.due = (now + wait).as_millisecond();
        metrics::counter!("vakt_stream_ends_total", "outcome" => why.class()).increment(1);
        tracing::warn!(source = source.name, failures = stream.failures, error = %why, wait = %wait, "a connection ended");
        let (name, kept) = (source.name.clone(), state.clone());
        if let Err(e) = self.ground.store.write(move |tx| sources::put(tx, &name, &kept)).await {
            tracing::error!(error = %e, "the state of a source cannot be kept");
        }
    }
}

/// How long until a connection that ended is opened again.
fn rest(failures: u32, why: &FetchError, jitter: f64) -> Span {
    let doubled = REST.as_millis().saturating_mul(1 << failures.saturating_sub(1).min(16));
    let usual = match why {
        e if e.is_final() || matches!(e.class(), "unauthorized" | "secret" | "redirect") => HOPELESS,
        _ => Span::millis(doubled).min(LONGEST_REST),
    };
    let wait = usual.max(why.retry_after().unwrap_or(Span::ZERO));
    // Never all at once: between half of it and all of it.
    Span::millis((wait.as_millis() as f64 * (0.75 + 0.25 * jitter.clamp(-1.0, 1.0))) as i64)
        .max(why.retry_after().unwrap_or(Span::ZERO))
}

#[cfg(test)]
mod tests;
