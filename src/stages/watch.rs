//! New mentions and the passing of time → incidents and messages, in one transaction with the place read up to.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::Stage;
use crate::engine::detect::{Detector, Kept, PAST, Scope, ScopeKey, Verdict};
use crate::engine::duty::{Decision, Duty, live};
use crate::engine::incident::REOPEN;
use crate::ground::{Ground, Knowledge, Reader, tell};
use crate::model::time::{Span, between};
use crate::model::{Incident, Mention, Status};
use crate::store::mentions::about::{self, About};
use crate::store::{Connection, StoreError, Stored, audit, groups, incidents, mentions, meta, silences};

/// Mentions read at a time.
const CHUNK: u32 = 2000;
/// Ticks come at least this often.
const TICK: Span = Span::secs(1);
/// The time of the last tick is kept at least this often.
const KEEP_TICK: Span = Span::mins(5);
/// Most mentions that a group learns from what is stored.
const WARM_MOST: u32 = 50_000;

const WATCHED: &str = "watched_upto";
const TICKED: &str = "watched_at";
/// Times that were not watched.
const UNWATCHED: &str = "unwatched";
/// Groups that are to learn their past anew.
const LATE: &str = "watched_late";
/// A past that comes late, such as by an import, is learned once no more of it has come for a while, or after so long.
const QUIET: Span = Span::secs(10);
const LONGEST_QUIET: Span = Span::mins(10);

/// What changed in one pass, to be stored together.
#[derive(Default)]
struct Changes {
    incidents: Vec<(Decision, tell::Letters)>,
    groups: Vec<(ScopeKey, Kept)>,
    late: String,
    unwatched: String,
}

/// The stage that detects.
pub struct Watch {
    ground: Arc<Ground>,
    state: Option<State>,
}

struct State {
    detector: Detector,
    generation: u64,
    upto: i64,
    kept_tick: Timestamp,
    /// The first and the last time that some past came late, since it was learned.
    late: Option<(Timestamp, Timestamp)>,
}

impl Stage for Watch {
    const NAME: &'static str = "watch";

    async fn pass(&mut self, now: Timestamp) -> Timestamp {
        match self.watch(now).await {
            Ok(more) => {
                if more {
                    now
                } else {
                    now + TICK
                }
            }
            Err(e) => {
                // What is in memory may be ahead of the store: it is read again.
                self.state = None;
                metrics::counter!("vakt_watch_failures_total").increment(1);
                tracing::error!(stage = "watch", error = %e, "a pass failed and is done again");
                now + TICK
            }
        }
    }
}

impl Watch {
    /// The stage over a ground.
    pub fn new(ground: Arc<Ground>) -> Watch {
        Watch { ground, state: None }
    }

    /// One pass; says whether more mentions wait.
    async fn watch(&mut self, now: Timestamp) -> Stored<bool> {
        let ground = self.ground.clone();
        let knowledge = ground.knowledge();
        let mut state = match self.state.take() {
            Some(state) if state.generation == knowledge.generation => state,
            _ => begin(&ground, &knowledge, now)?,
        };
        // A new mention's number is that of its change: what was just stored is at hand, and the store has the rest.
        let most = usize::try_from(CHUNK).unwrap_or(usize::MAX);
        let fresh = ground.fresh_after(state.upto, most);
        let upto = fresh.last().map_or(state.upto, |f| f.mention.id);
        let stored = ground.store.read(|c| mentions::after(c, upto, CHUNK))?;
        let new: Vec<&Mention> = fresh.iter().map(|f| &f.mention).chain(&stored).collect();
        for m in &new {
            state.detector.feed(m);
            state.upto = m.id;
        }
        ground.has_read(Reader::Watch, state.upto);
        let before = ground.store.read(|c| incidents::live(c, now - REOPEN))?;
        let verdicts = state.detector.tick(now, &live(&before));
        let more = stored.len() >= most;
        if !more {
            state.learn_late(&ground, new.iter().any(|m| m.history), now)?;
        }
        let mut changes = judge(&ground, &knowledge, &before, &verdicts, now)?;
        changes.groups = state.detector.take_changes();
        changes.late = serde_json::to_string(state.detector.late())?;
        changes.unwatched = serde_json::to_string(state.detector.unwatched())?;
        let tick_due = between(state.kept_tick, now) >= KEEP_TICK;
        if !new.is_empty() || tick_due || !changes.incidents.is_empty() || !changes.groups.is_empty() {
            state.kept_tick = now;
            self.keep(changes, state.upto, now).await?;
        }
        self.state = Some(state);
        Ok(more)
    }

    async fn keep(&self, changes: Changes, upto: i64, now: Timestamp) -> Stored<()> {
        let calls = changes.incidents.iter().any(|(_, letters)| !letters.messages.is_empty());
        for (Decision { incident, calls, .. }, _) in &changes.incidents {
            for call in calls {
                tracing::info!(
                    incident = incident.id,
                    alert = incident.alert,
                    group = incident.group,
                    severity = incident.severity.as_str(),
                    notice = call.notice.as_str(),
                    shadow = incident.shadow,
                    "incident"
                );
                metrics::counter!("vakt_notices_total", "notice" => call.notice.as_str()).increment(1);
            }
        }
        self.ground
            .store
            .write(move |tx| {
                for (decision, letters) in &changes.incidents {
                    let Decision { incident, before, calls } = decision;
                    match before {
                        None => incidents::insert(tx, incident)?,
                        Some(before) => {
                            if incidents::get(tx, incident.id)?.as_ref() != Some(before) {
                                // Somebody acted on it since it was read: judge it again.
                                return Err(StoreError::Busy);
                            }
                            incidents::update(tx, incident)?;
                        }
                    }
                    for (what, detail) in hushing(before.as_ref(), incident) {
                        incidents::note(tx, incident.id, now, "vakt", what, &detail)?;
                        audit::append(tx, now, "vakt", what, &incident.about(), &detail)?;
                    }
                    tell::post(tx, incident, calls, letters, now)?;
                }
                for (key, kept) in &changes.groups {
                    groups::put(tx, &key.scope, &key.group, &serde_json::to_string(kept)?)?;
                }
                meta::set(tx, WATCHED, &upto.to_string())?;
                meta::set(tx, LATE, &changes.late)?;
                meta::set(tx, UNWATCHED, &changes.unwatched)?;
                meta::set(tx, TICKED, &now.as_millisecond().to_string())
            })
            .await?;
        if calls {
            self.ground.bells.deliver.notify_one();
        }
        Ok(())
    }
}

impl State {
    /// Lets groups learn their past anew that came late, once no more of it comes.
    fn learn_late(&mut self, ground: &Ground, came: bool, now: Timestamp) -> Stored<()> {
        if self.detector.late().is_empty() {
            return Ok(());
        }
        let (first, last) = self.late.unwrap_or((now, now));
        let last = if came { now } else { last };
        self.late = Some((first, last));
        if between(last, now) < QUIET && between(first, now) < LONGEST_QUIET {
            return Ok(());
        }
        self.late = None;
        let late = |scope: &&Scope| self.detector.late().iter().any(|key| key.scope == scope.name);
        let scopes: Vec<Scope> = self.detector.scopes().filter(late).cloned().collect();
        for scope in scopes {
            let mut of = ground.store.read(|c| of_scope(c, &scope, now - PAST))?;
            let whole = of.len() < usize::try_from(WARM_MOST).unwrap_or(usize::MAX);
            of.retain(|m| m.id <= self.upto);
            self.detector.learn_anew(&scope.name, &of, whole, now);
            tracing::info!(stage = "watch", scope = scope.name, mentions = of.len(), "what is usual was learned anew");
        }
        Ok(())
    }
}

/// Mentions of a scope since an instant, the latest [`WARM_MOST`] of them.
fn of_scope(c: &Connection, scope: &Scope, from: Timestamp) -> Stored<Vec<Mention>> {
    let from = from.as_millisecond();
    match scope.sources.is_empty() {
        true => about::latest(c, &About::topics(&scope.topics, scope.any), from, i64::MAX, WARM_MOST),
        false => mentions::of_sources(c, &scope.sources, from, WARM_MOST),
    }
}

/// Reads everything back: baselines, the place read up to, and the mentions that are still in some window.
fn begin(ground: &Ground, knowledge: &Knowledge, now: Timestamp) -> Stored<State> {
    let mut detector = Detector::new(&knowledge.rules.alerts);
    detector.plan(knowledge.rules.calendar.clone());
    detector.set_zone(&knowledge.rules.time_zone);
    ground.store.read(|c| {
        let mut known: HashSet<ScopeKey> = HashSet::new();
        for (scope, group, text) in groups::all(c)? {
            let key = ScopeKey { scope, group };
            known.insert(key.clone());
            detector.restore(key, serde_json::from_str(&text)?);
        }
        let upto = meta::number(c, WATCHED)?.unwrap_or(0);
        if let Some(at) = meta::number(c, TICKED)? {
            let unwatched = meta::get(c, UNWATCHED)?.map(|text| serde_json::from_str(&text)).transpose()?;
            detector.restore_watch(crate::model::time::from_millis(at), unwatched.unwrap_or_default());
        }
        if let Some(late) = meta::get(c, LATE)? {
            let late: Vec<ScopeKey> = serde_json::from_str(&late)?;
            detector.restore_late(late.into_iter().filter(|key| known.contains(key)));
        }
        let scopes: Vec<Scope> = detector.scopes().cloned().collect();
        // A group that was never kept learns from what is stored; each mention warms every such group once. Where all
        // topics of a scope have one, there is none.
        let heard = |topic: &String| known.iter().any(|k| k.group.split('/').any(|part| part == topic));
        let fresh = |s: &&Scope| {
            !known.iter().any(|k| k.scope == s.name) || (s.any && !s.topics.iter().all(heard)) || detector.remembers(s)
        };
        let fresh: Vec<&Scope> = scopes.iter().filter(fresh).collect();
        let mut warmed: BTreeMap<i64, Mention> = BTreeMap::new();
        for scope in fresh {
            let of = of_scope(c, scope, now - PAST)?;
            warmed.extend(of.into_iter().filter(|m| m.id <= upto).map(|m| (m.id, m)));
        }
        let mut in_order: Vec<&Mention> = warmed.values().collect();
        in_order.sort_by_key(|m| (m.at, m.id));
        for m in in_order {
            detector.warm(m, &known);
        }
        let mut seen: HashSet<i64> = HashSet::new();
        let from = now - detector.longest_window();
        for scope in &scopes {
            for m in of_scope(c, scope, from)?.iter().filter(|m| m.id <= upto) {
                if seen.insert(m.id) {
                    detector.refill(m);
                }
            }
        }
        Ok(State { detector, generation: knowledge.generation, upto, kept_tick: Timestamp::MIN, late: None })
    })
}

/// What the timeline says of an incident that is muted or silenced, or no longer is.
fn hushing(before: Option<&Incident>, incident: &Incident) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    match (before.and_then(|b| b.muted_by), incident.muted_by) {
        (None, Some(by)) if incident.merged_into == Some(by) => {}
        (None, Some(by)) => out.push(("muted", format!("incident {by} about the same is a crisis"))),
        (Some(by), None) => out.push(("unmuted", format!("incident {by} no longer mutes it"))),
        _ => {}
    }
    if let Some(whole) = incident.merged_into
        && incident.status == Status::Resolved
        && before.is_some_and(|b| b.status != Status::Resolved)
    {
        out.push(("resolved", format!("as part of incident {whole}")));
    }
    match (before.and_then(|b| b.silenced_by), incident.silenced_by) {
        (None, Some(by)) => out.push(("silenced", format!("silence {by} covers it"))),
        (Some(by), None) => out.push(("unsilenced", format!("silence {by} no longer covers it"))),
        _ => {}
    }
    out
}

/// Verdicts on incidents: which open, change, or end, and who is told what.
fn judge(
    ground: &Ground,
    knowledge: &Knowledge,
    live: &[Incident],
    verdicts: &[Verdict],
    now: Timestamp,
) -> Stored<Changes> {
    let (alerts, people) = (&knowledge.rules.alerts, &knowledge.rules.people);
    ground.store.read(|c| {
        let silences = silences::until_after(c, now)?;
        let opened = incidents::opened_since(c, now - Span::hours(1))?;
        let mut duty = Duty { alerts, people, silences: &silences, opened };
        let next = if verdicts.is_empty() { 0 } else { incidents::next_id(c)? };
        let mut changes = Changes::default();
        let live: Vec<&Incident> = live.iter().collect();
        for mut decision in duty.decide(&live, verdicts, next, now) {
            let letters = tell::letters(ground, knowledge, c, &mut decision.incident, &decision.calls, now)?;
            changes.incidents.push((decision, letters));
        }
        Ok(changes)
    })
}

#[cfg(test)]
mod tests;
