//! Due sources → mentions. Each source is asked on its own; a slow one holds up nobody else.

mod again;
mod blindness;
mod hubs;
mod ledger;
mod streams;

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use jiff::Timestamp;

use again::Again;
use blindness::BLIND_INTERVALS;
use hubs::Hubs;
use streams::{MOST_HEARD, Streams};

use super::{Stage, operator};
use crate::ground::Ground;
use crate::ground::intake::{self, Batch, Followed, Receipt};
use crate::model::time::{Span, between, from_millis};
use crate::sources::pace::{Outcome, Pace};
use crate::sources::{Brought, FetchError, Http, Named, Sought};
use crate::store::sources::{self, SourceState};
use crate::store::{StoreError, Stored};

/// What only a person can end is tried again after so long, and a feed that says that it is gone after a day.
const HOPELESS: Span = Span::hours(1);
const GONE: Span = Span::hours(24);
/// Nothing is put off longer than this, so what is due later was put off by a clock that was wrong.
const LONGEST_WAIT: Span = Span::hours(30);
/// What an undated feed shows after a pause longer than this may be as old as the pause.
const PAUSE: Span = Span::hours(1);
/// A clock that goes back by more than this has been set.
const SET_BACK: Span = Span::mins(1);
/// Real time that one pass waits for answers before it looks for other due sources.
const PATIENCE: Duration = Duration::from_millis(250);
/// The rest between looks when nothing is due.
const IDLE: Span = Span::secs(30);

/// Sources that are asked at a time; many of them stand in line for a host that others ask too.
const AIRBORNE: usize = 1024;

type Answer = (usize, Result<Brought, FetchError>);

/// Reads the sources of the settings again, aimed at the topics that are in force now.
pub type Reread = Box<dyn Fn(&[Sought<'_>]) -> Option<Vec<Named>> + Send>;

/// The stage that collects.
pub struct Collect {
    ground: Arc<Ground>,
    http: Http,
    sources: Vec<Named>,
    pace: Pace,
    states: HashMap<usize, SourceState>,
    flying: FuturesUnordered<BoxFuture<'static, Answer>>,
    airborne: HashSet<usize>,
    streams: Streams,
    again: Again,
    hubs: Hubs,
    rests: Option<Vec<(String, Timestamp)>>,
    reread: Option<Reread>,
    generation: u64,
    told_at: Option<Timestamp>,
    last_pass: Option<Timestamp>,
    full: bool,
    draw: u64,
}

impl Stage for Collect {
    const NAME: &'static str = "collect";

    async fn pass(&mut self, now: Timestamp) -> Timestamp {
        self.mind_the_disk(now).await;
        if let Err(e) = self.load() {
            tracing::error!(stage = "collect", error = %e, "the timetable cannot be read");
            return now + IDLE;
        }
        self.mind_the_clock(now);
        self.mind_the_rules();
        self.launch(now);
        self.connect(now);
        self.ask_again(now);
        self.ask_hubs(now).await;
        self.read_deliveries(now).await;
        self.land(now).await;
        self.look_for_blindness(now).await;
        self.keep_rests(now).await;
        if !self.flying.is_empty() || !self.again.is_idle() || !self.hubs.is_idle() || self.streams.are_open() {
            return now;
        }
        let next = self.states.values().map(|s| s.due).min().into_iter().chain(self.next_connection()).min();
        next.map_or(now + IDLE, |due| from_millis(due).min(now + IDLE))
    }
}

impl Collect {
    /// The stage over a ground.
    pub fn new(ground: Arc<Ground>, http: Http, sources: Vec<Named>, min: Span, max: Span) -> Collect {
        Collect {
            ground,
            http,
            sources,
            pace: Pace { min, max, every: None },
            states: HashMap::new(),
            flying: FuturesUnordered::new(),
            airborne: HashSet::new(),
            streams: Streams::default(),
            again: Again::default(),
            hubs: Hubs::default(),
            rests: None,
            reread: None,
            generation: 0,
            told_at: None,
            last_pass: None,
            full: false,
            draw: 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// Has the sources aimed anew whenever the rules change.
    pub fn aimed(self, reread: Reread) -> Collect {
        Collect { generation: self.ground.knowledge().generation, reread: Some(reread), ..self }
    }

    fn load(&mut self) -> Stored<()> {
        self.remember_rests()?;
        for (i, source) in self.sources.iter().enumerate() {
            if !self.states.contains_key(&i) {
                let state = self.ground.store.read(|c| sources::get(c, &source.name))?;
                let mut state = state.unwrap_or_default();
                // No connection outlives the process that opened it.
                state.stream.since = 0;
                if state.settings != source.settings {
                    // Somebody has changed something: what was hopeless may not be any more.
                    state.settings = source.settings;
                    (state.due, state.failures, state.hopeless) = (0, 0, false);
                    (state.stream.due, state.stream.failures) = (0, 0);
                }
                self.states.insert(i, state);
            }
        }
        Ok(())
    }

    /// Tells the operator, once, that the disk is nearly full, and that nothing is read until it is not.
    async fn mind_the_disk(&mut self, now: Timestamp) {
        let full = !self.ground.has_room();
        if full && !self.full {
            tracing::error!(stage = "collect", "the disk is nearly full: nothing more is read until there is room");
            if let Err(e) = operator::disk_full(&self.ground, now).await {
                tracing::error!(error = %e, "the operator cannot be told of the full disk");
            }
        }
        self.full = full;
    }

    /// A clock that was set puts nothing off: what is due after the longest wait there is, or was due by a clock that
    /// has gone back since, is due now (F51).
    fn mind_the_clock(&mut self, now: Timestamp) {
        let back = self.last_pass.filter(|last| between(now, *last) > SET_BACK);
        self.last_pass = Some(now);
        let latest = now + LONGEST_WAIT.max(self.pace.max);
        for (i, state) in &mut self.states {
            if back.is_some() || state.stream.due > latest.as_millisecond() {
                state.stream.due = state.stream.due.min(now.as_millisecond());
            }
            let Some(source) = self.sources.get(*i) else { continue };
            let latest = source.every.map_or(latest, |every| latest.max(now + every + every));
            if back.is_some() || state.due > latest.as_millisecond() {
                state.due = state.due.min(now.as_millisecond());
            }
        }
    }

    /// Sends for every due source that is not asked already, the longest due first.
    fn launch(&mut self, now: Timestamp) {
        // A disk that is nearly full takes no more in; what is there still rings (F04).
        if self.airborne.len() >= AIRBORNE || !self.ground.has_room() {
            return;
        }
        let due = |(i, s): (&usize, &SourceState)| {
            (s.due <= now.as_millisecond() && !self.airborne.contains(i)).then_some((s.due, *i))
        };
        let mut due: Vec<(i64, usize)> = self.states.iter().filter_map(due).collect();
        due.sort_unstable();
        for (_, i) in due.into_iter().take(AIRBORNE - self.airborne.len()) {
            let (Some(source), Some(state)) = (self.sources.get(i), self.states.get(&i)) else { continue };
            self.airborne.insert(i);
            let (http, name) = (self.http.clone(), source.name.clone());
            let (source, cursor) = (source.source.clone(), state.cursor.clone());
            self.flying.push(Box::pin(async move {
                // A fault of ours is a fetch that failed, told and tried again like others.
                let answer = AssertUnwindSafe(source.fetch(&http, &cursor, now)).catch_unwind().await;
                let fault = |_| {
                    let reason = "a fault of vakt's own while it was read; the log has more".to_owned();
                    Err(FetchError::Unreadable { place: name, reason })
                };
                (i, answer.unwrap_or_else(fault))
            }));
        }
    }

    /// Takes in what is answered and what is heard, for as long as patience lasts.
    async fn land(&mut self, now: Timestamp) {
        let enough = tokio::time::sleep(PATIENCE);
        tokio::pin!(enough);
        loop {
            if self.flying.is_empty() && self.again.is_idle() && self.hubs.is_idle() && !self.streams.are_open() {
                return;
            }
            let room = !self.full;
            let mut heard = Vec::new();
            tokio::select! {
                Some((i, answer)) = self.flying.next(), if !self.flying.is_empty() => {
                    self.airborne.remove(&i);
                    self.settle(i, answer, now).await;
                }
                // On a disk that is nearly full nothing is heard: what is told waits, at last at the other end.
                n = self.streams.queue.recv_many(&mut heard, MOST_HEARD), if room && self.streams.are_open() => {
                    if n > 0 {
                        self.hear(heard, now).await;
                    }
                }
                Some((connection, why)) = self.streams.open.next(), if self.streams.are_open() => {
                    self.ended(connection, &why, now).await;
                }
                Some((i, answer)) = self.again.next(), if !self.again.is_idle() => {
                    self.stands(i, answer, now).await;
                }
                Some((i, answer)) = self.hubs.next(), if !self.hubs.is_idle() => self.hub_answered(i, answer).await,
                () = &mut enough => return,
            }
        }
    }

    async fn settle(&mut self, i: usize, answer: Result<Brought, FetchError>, now: Timestamp) {
        let (Some(source), Some(state)) = (self.sources.get(i).cloned(), self.states.get(&i).cloned()) else { return };
        let pace = Pace { every: self.every_of(i, &source, now), ..self.pace };
        let jitter = self.jitter();
        let stored = match answer {
            Ok(brought) => self.take_in(&source, state, brought, &pace, jitter, now).await,
            Err(e) => self.put_off(&source, state, &e, &pace, jitter, now).await,
        };
        match stored {
            Ok(state) => {
                self.states.insert(i, state);
            }
            Err(e) => {
                // Not stored: the source is asked again from the same cursor.
                tracing::error!(stage = "collect", source = source.name, error = %e, "what a source told cannot be stored");
                if let Some(state) = self.states.get_mut(&i) {
                    state.due = (now + pace.min).as_millisecond();
                }
            }
        }
    }

    async fn take_in(
        &mut self,
        source: &Named,
        mut state: SourceState,
        brought: Brought,
        pace: &Pace,
        jitter: f64,
        now: Timestamp,
    ) -> Stored<SourceState> {
        let history = (!state.begun && source.source.begins_with_history()) || brought.anew;
        let undated_is_old = was_away(&state, now);
        let batch =
            Batch { source: source.name.clone(), captures: brought.captures, history, undated_is_old, archive: false };
        state.begun = true;
        state.cursor = brought.cursor;
        state.failures = 0;
        state.hopeless = false;
        state.error.clear();
        state.error_class.clear();
        state.degraded = brought.degraded.unwrap_or_default();
        state.last_ok = now.as_millisecond();
        state.skipped += brought.skipped_total as u64;
        state.skipped_last = brought.skipped.last().cloned().unwrap_or(state.skipped_last);
        state.gaps += u64::from(brought.gap);
        state.quota_left = brought.quota.map(|q| q.left);
        state.quota_until = brought.quota.and_then(|q| q.until).map_or(0, |t| t.as_millisecond());
        let (name, kept) = (source.name.clone(), state);
        let pace = *pace;
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let (gap, more, max_age) = (brought.gap, brought.more, brought.max_age);
        let followed = Followed { gone: brought.gone, ..Followed::default() };
        let receipt = intake::follow(&self.ground, batch, followed, now, move |tx, receipt| {
            let mut state = after_answer(kept, receipt, &pace, gap, max_age, jitter, now);
            if more {
                state.due = now.as_millisecond();
            }
            sources::put(tx, &name, &state)?;
            // The receiver waits in this very function.
            sender.send(state).ok();
            Ok(())
        })
        .await?;
        let state = receiver.await.map_err(|_| StoreError::Closed)?;
        source.source.stored(&state.cursor).await;
        let fresh = receipt.new + receipt.edited;
        metrics::counter!("vakt_mentions_total", "source" => source.name.clone()).increment(receipt.new as u64);
        metrics::counter!("vakt_fetches_total", "outcome" => if fresh > 0 { "new" } else { "unchanged" }).increment(1);
        if fresh > 0 {
            tracing::info!(source = source.name, new = receipt.new, edited = receipt.edited, history, "mentions");
        }
        if gap {
            tracing::warn!(source = source.name, "more was published than the source could show: items may be missed");
        }
        Ok(state)
    }

    async fn put_off(
        &mut self,
        source: &Named,
        mut state: SourceState,
        e: &FetchError,
        pace: &Pace,
        jitter: f64,
        now: Timestamp,
    ) -> Stored<SourceState> {
        state.failures += 1;
        state.hopeless = e.is_final();
        state.error = e.to_string();
        state.error_class = e.class().to_owned();
        let last = Span::millis(state.interval).max(pace.min);
        let outcome = Outcome::Failed { streak: state.failures, retry_after: e.retry_after() };
        let wait = match e {
            FetchError::Gone { .. } => pace.max.max(GONE),
            e if e.is_final() => pace.max.max(HOPELESS),
            // It was not even asked, since its host rests for a moment: then it is asked as soon as that is over.
            FetchError::Paused { retry_after, .. } if *retry_after < last => *retry_after,
            _ => pace.next_interval(last, outcome, None, jitter),
        };
        state.due = (now + wait).as_millisecond();
        metrics::counter!("vakt_fetches_total", "outcome" => e.class()).increment(1);
        tracing::warn!(source = source.name, failures = state.failures, error = %e, wait = %wait, "a source cannot be read");
        let (name, kept) = (source.name.clone(), state.clone());
        self.ground.store.write(move |tx| sources::put(tx, &name, &kept)).await?;
        Ok(state)
    }

    /// A number from −1 to 1 that spreads fetches over time; nothing depends on its quality.
    fn jitter(&mut self) -> f64 {
        self.draw ^= self.draw << 13;
        self.draw ^= self.draw >> 7;
        self.draw ^= self.draw << 17;
        (self.draw % 2001) as f64 / 1000.0 - 1.0
    }
}

fn after_answer(
    mut state: SourceState,
    receipt: &Receipt,
    pace: &Pace,
    gap: bool,
    max_age: Option<Span>,
    jitter: f64,
    now: Timestamp,
) -> SourceState {
    let fresh = receipt.new + receipt.edited;
    let last = if state.interval > 0 {
        Span::millis(state.interval)
    } else {
        pace.every.unwrap_or(Span::mins(5)).max(pace.min)
    };
    let outcome = match fresh {
        _ if gap => Outcome::Gap,
        0 => Outcome::Unchanged,
        n => Outcome::New(n),
    };
    let next = pace.next_interval(last, outcome, max_age, jitter);
    state.interval = next.as_millis();
    state.due = (now + next).as_millisecond();
    if fresh > 0 {
        state.note_new(now.as_millisecond(), receipt.new as u64);
    }
    state
}

/// Whether a source was not read for so long that what bears no date may be as old as that.
fn was_away(state: &SourceState, now: Timestamp) -> bool {
    let paused = Span::millis(now.as_millisecond() - state.last_ok);
    paused > PAUSE.max(Span::millis(state.interval.saturating_mul(BLIND_INTERVALS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_pause_what_has_no_date_may_be_old() {
        let now = from_millis(1_000_000_000_000);
        let read = |ago: Span, interval: Span| SourceState {
            last_ok: now.as_millisecond() - ago.as_millis(),
            interval: interval.as_millis(),
            ..SourceState::default()
        };
        assert!(!was_away(&read(Span::mins(50), Span::mins(1)), now));
        assert!(was_away(&read(Span::mins(70), Span::mins(1)), now));
        assert!(!was_away(&read(Span::mins(70), Span::hours(1)), now));
    }
}
