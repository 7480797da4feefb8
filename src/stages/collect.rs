//! Due sources → mentions. Each source is asked on its own; a slow one holds up nobody else.

mod again;
mod blindness;
mod hubs;
mod ledger;
mod settle;
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
use hubs::Hubs;
use settle::Settling;
use streams::{MOST_HEARD, Streams};

use super::{Stage, operator};
use crate::ground::Ground;
use crate::model::time::{Span, between, from_millis};
use crate::sources::pace::Pace;
use crate::sources::{Brought, FetchError, Http, Named, Sought};
use crate::store::Stored;
use crate::store::sources::{self, SourceState};

/// What only a person can end is tried again after so long, and a feed that says that it is gone after a day.
const HOPELESS: Span = Span::hours(1);
const GONE: Span = Span::hours(24);
/// Nothing is put off longer than this, so what is due later was put off by a clock that was wrong.
const LONGEST_WAIT: Span = Span::hours(30);
/// A clock that goes back by more than this has been set.
const SET_BACK: Span = Span::mins(1);
/// Real time that one pass waits for answers before it looks for other due sources.
const PATIENCE: Duration = Duration::from_millis(250);
/// The rest between looks when nothing is due.
const IDLE: Span = Span::secs(30);

/// Sources that are asked at a time; many of them stand in line for a host that others ask too, or for a turn of the client.
const AIRBORNE: usize = 1024;
/// Answers that are stored at a time.
const TOGETHER: usize = 16;

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
                Some(first) = self.flying.next(), if !self.flying.is_empty() => {
                    let mut answers = vec![first];
                    while answers.len() < TOGETHER {
                        let Some(Some(next)) = self.flying.next().now_or_never() else { break };
                        answers.push(next);
                    }
                    self.settle(answers, now).await;
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

    /// Stores what sources answered, each with its cursor in a transaction of its own; whoever answered at the same time
    /// shares the commit.
    async fn settle(&mut self, answers: Vec<Answer>, now: Timestamp) {
        let mut settlings = Vec::with_capacity(answers.len());
        for (i, answer) in answers {
            self.airborne.remove(&i);
            let (Some(source), Some(state)) = (self.sources.get(i).cloned(), self.states.get(&i).cloned()) else {
                continue;
            };
            let pace = Pace { every: self.every_of(i, &source, now), ..self.pace };
            let jitter = self.jitter();
            let settling = Settling { ground: self.ground.clone(), source, pace, jitter, now };
            settlings.push(async move { (i, settling.of(state, answer).await) });
        }
        for (i, stored) in futures_util::future::join_all(settlings).await {
            match stored {
                Ok(state) => {
                    self.states.insert(i, state);
                }
                Err(e) => {
                    // Not stored: the source is asked again from the same cursor.
                    let source = self.sources.get(i).map_or("", |s| &s.name);
                    tracing::error!(stage = "collect", source, error = %e, "what a source told cannot be stored");
                    if let Some(state) = self.states.get_mut(&i) {
                        state.due = (now + self.pace.min).as_millisecond();
                    }
                }
            }
        }
    }

    /// A number from −1 to 1 that spreads fetches over time; nothing depends on its quality.
    fn jitter(&mut self) -> f64 {
        self.draw ^= self.draw << 13;
        self.draw ^= self.draw >> 7;
        self.draw ^= self.draw << 17;
        (self.draw % 2001) as f64 / 1000.0 - 1.0
    }
}
