//! What is past its time → gone, a little at a time, once an hour.
//!
//! Pages of the database that become free are taken by what comes next: once mentions go as fast as they come the file
//! grows no more. It is not made smaller: that would move pages about for a night's quiet that the next day undoes.

use std::sync::Arc;

use jiff::Timestamp;

use super::Stage;
use crate::config::Retention;
use crate::engine::stories;
use crate::ground::{Ground, evidence};
use crate::model::time::Span;
use crate::model::{Incident, Mention, Status};
use crate::store::mentions::{self, TopicIds};
use crate::store::{Connection, Stored, incidents, old, sketches};

/// How often it begins.
const EVERY: Span = Span::hours(1);
/// The rest between steps, and after a step that failed.
const PAUSE: Span = Span::millis(100);
const REST: Span = Span::mins(1);
/// Mentions looked at in one step, and deleted in one: nobody else waits longer than it takes to delete so many.
const LOOK: u32 = 2000;
const MOST: usize = 200;
/// Letters emptied in one step.
const LETTERS: u32 = 50;

/// The stage that tidies.
pub struct Tidy {
    ground: Arc<Ground>,
    keep: Retention,
    next: Timestamp,
    task: Option<Task>,
    deleted: u64,
}

/// What a round has yet to do.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Task {
    /// Mentions kept for now, after a number.
    Spared(i64),
    /// Mentions of a rule, and of those behind it.
    Rule(usize),
    Letters,
    /// What stories were known by that take no more copies.
    Sketches,
}

impl Stage for Tidy {
    const NAME: &'static str = "tidy";

    async fn pass(&mut self, now: Timestamp) -> Timestamp {
        let Some(task) = self.task.clone() else {
            if now < self.next {
                return self.next;
            }
            return match self.begin(now).await {
                Ok(()) => now,
                Err(e) => rest(&e, now),
            };
        };
        match self.step(task, now).await {
            Ok(Some(next)) => {
                self.task = Some(next);
                now + PAUSE
            }
            Ok(None) => {
                self.task = None;
                if self.deleted > 0 {
                    tracing::info!(stage = "tidy", mentions = self.deleted, "mentions past their time are deleted");
                }
                self.next
            }
            Err(e) => rest(&e, now),
        }
    }
}

fn rest(e: &crate::store::StoreError, now: Timestamp) -> Timestamp {
    tracing::warn!(stage = "tidy", error = %e, "what is past its time cannot be deleted; it is tried again");
    now + REST
}

impl Tidy {
    /// The stage over a ground.
    pub fn new(ground: Arc<Ground>, keep: Retention) -> Tidy {
        Tidy { ground, keep, next: Timestamp::MIN, task: None, deleted: 0 }
    }

    async fn begin(&mut self, now: Timestamp) -> Stored<()> {
        let rules = format!("{:?} {:?}", self.keep.mentions, self.keep.sources);
        self.ground.store.write(move |tx| old::begin(tx, &rules)).await?;
        (self.task, self.next, self.deleted) = (Some(Task::Spared(0)), now + EVERY, 0);
        Ok(())
    }

    /// One step; the task that follows, if any.
    async fn step(&mut self, task: Task, now: Timestamp) -> Stored<Option<Task>> {
        match task {
            Task::Spared(after) => {
                let some = self.ground.store.read(|c| old::spared(c, after, LOOK / 10))?;
                let Some(last) = some.last().copied() else { return Ok(Some(Task::Rule(0))) };
                self.delete(some, None, now).await?;
                Ok(Some(Task::Spared(last)))
            }
            Task::Rule(n) => {
                let Some(rule) = self.keep.rules().nth(n).map(str::to_owned) else { return Ok(Some(Task::Letters)) };
                let Some(term) = self.keep.term(&rule) else { return Ok(Some(Task::Rule(n + 1))) };
                let more = self.sweep(rule, now - term, now).await?;
                Ok(Some(Task::Rule(if more { n } else { n + 1 })))
            }
            Task::Letters => {
                let Some(term) = self.keep.letters else { return Ok(Some(Task::Sketches)) };
                let before = (now - term).as_millisecond();
                let emptied = self.ground.store.write(move |tx| old::empty_letters(tx, before, LETTERS)).await?;
                Ok(Some(if emptied > 0 { Task::Letters } else { Task::Sketches }))
            }
            Task::Sketches => {
                let before = now - stories::WINDOW;
                let swept = self.ground.store.write(move |tx| sketches::sweep(tx, before, stories::MOST, LOOK)).await?;
                Ok((swept > 0).then_some(Task::Sketches))
            }
        }
    }

    /// Deletes mentions of a rule that were received before an instant, from where it stopped last; says whether there may
    /// be more.
    async fn sweep(&mut self, rule: String, before: Timestamp, now: Timestamp) -> Stored<bool> {
        let from = self.ground.store.read(|c| old::place(c, &rule))?;
        let some = self.ground.store.read(|c| old::after(c, from, LOOK))?;
        let is_old = |a: &old::Aged| a.received < before.as_millisecond();
        let mut chosen = Vec::new();
        let mut upto = from;
        let last_old = some.iter().rposition(is_old).map_or(0, |n| n + 1);
        for aged in some.iter().take(last_old) {
            if chosen.len() >= MOST {
                break;
            }
            upto = aged.id;
            // Where the clock was wrong for a while a younger one may stand before an older one: it is looked at again.
            if self.keep.rule(&aged.source, &aged.network) == rule {
                chosen.push(aged.id);
            }
        }
        if upto == from {
            return Ok(false);
        }
        self.delete(chosen, Some((rule, upto)), now).await?;
        Ok(true)
    }

    /// Deletes those of some mentions that are past their time and no evidence; the others are spared for now. The place
    /// of the rule moves on in the same transaction.
    async fn delete(&mut self, ids: Vec<i64>, place: Option<(String, i64)>, now: Timestamp) -> Stored<()> {
        let (ground, keep) = (self.ground.clone(), self.keep.clone());
        let deleted = self
            .ground
            .store
            .write(move |tx| {
                let held = Held::read(tx, &ground, &keep, now)?;
                let (mut seq, mut topics, mut deleted) = (mentions::last_seq(tx)?, TopicIds::default(), 0);
                for id in ids {
                    let Some(m) = mentions::get(tx, id)? else {
                        old::unspare(tx, id)?;
                        continue;
                    };
                    match keep.term(keep.rule(&m.source, &m.network)) {
                        None => old::unspare(tx, id)?,
                        Some(term) if m.received >= now - term || held.holds(&m) => old::spare(tx, id)?,
                        Some(_) => {
                            deleted += u64::from(mentions::remove(tx, &m, false, &mut seq, &mut topics)?);
                            old::unspare(tx, id)?;
                        }
                    }
                }
                topics.close(tx)?;
                if let Some((rule, upto)) = place {
                    old::move_place(tx, &rule, upto)?;
                }
                Ok(deleted)
            })
            .await?;
        if deleted > 0 {
            self.deleted += deleted;
            metrics::counter!("vakt_tidied_total").increment(deleted);
            self.ground.bells.index.notify_one();
        }
        Ok(())
    }
}

/// Incidents whose mentions are kept: those that are open, and those that were resolved not long ago.
struct Held(Vec<(crate::model::Alert, Incident)>);

impl Held {
    fn read(c: &Connection, ground: &Ground, keep: &Retention, now: Timestamp) -> Stored<Held> {
        let since = keep.evidence.map_or(Timestamp::MIN, |term| now - term);
        let knowledge = ground.knowledge();
        let live = incidents::live(c, since)?.into_iter();
        let live = live.filter(|i| i.status != Status::Resolved || i.resolved.is_none_or(|r| r >= since));
        Ok(Held(live.map(|i| (evidence::alert_of(&knowledge, &i), i)).collect()))
    }

    fn holds(&self, m: &Mention) -> bool {
        self.0.iter().any(|(alert, incident)| evidence::is_evidence(alert, incident, m))
    }
}

#[cfg(test)]
pub(super) mod tests;
