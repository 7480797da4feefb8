//! New mentions and the passing of time → incidents and messages, in one transaction with the place read up to.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::{Stage, tell};
use crate::engine::detect::{Detector, GroupKey, Kept, PAST, Verdict};
use crate::engine::incident::{self, Call, REOPEN};
use crate::ground::{Ground, Knowledge};
use crate::model::time::{Span, between};
use crate::model::{Alert, Incident, Mention, Policy, Status};
use crate::store::{StoreError, Stored, groups, incidents, mentions, meta};

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
/// Groups that are to learn their past anew.
const LATE: &str = "watched_late";
/// A past that comes late, such as by an import, is learned once no more of it has come for a while, or after so long.
const QUIET: Span = Span::secs(10);
const LONGEST_QUIET: Span = Span::mins(10);

/// What changed in one pass, to be stored together.
#[derive(Default)]
struct Changes {
    incidents: Vec<Changed>,
    groups: Vec<(GroupKey, Kept)>,
    late: String,
}

struct Changed {
    incident: Incident,
    /// As it was read; `None` for a new one. Somebody may acknowledge it meanwhile.
    before: Option<Incident>,
    calls: Vec<Call>,
    letters: tell::Letters,
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
        let live = ground.store.read(|c| incidents::live(c, now - REOPEN))?;
        let busy: HashSet<GroupKey> = live.iter().filter(|i| i.status != Status::Resolved).map(key_of).collect();
        let verdicts = state.detector.tick(now, &busy);
        let more = stored.len() >= most;
        if !more {
            state.learn_late(&ground, &knowledge, new.iter().any(|m| m.history), now)?;
        }
        let mut changes = judge(&ground, &knowledge, live, &verdicts, now)?;
        changes.groups = state.detector.take_changes();
        changes.late = serde_json::to_string(state.detector.late())?;
        let tick_due = between(state.kept_tick, now) >= KEEP_TICK;
        if !new.is_empty() || tick_due || !changes.incidents.is_empty() || !changes.groups.is_empty() {
            state.kept_tick = now;
            self.keep(changes, state.upto, now).await?;
        }
        self.state = Some(state);
        Ok(more)
    }

    async fn keep(&self, changes: Changes, upto: i64, now: Timestamp) -> Stored<()> {
        let calls = changes.incidents.iter().any(|c| !c.letters.messages.is_empty());
        for Changed { incident, calls, .. } in &changes.incidents {
            for call in calls {
                tracing::info!(
                    incident = incident.id,
                    alert = incident.alert,
                    group = incident.group,
                    severity = incident.severity.as_str(),
                    notice = call.notice.as_str(),
                    "incident"
                );
                metrics::counter!("vakt_notices_total", "notice" => call.notice.as_str()).increment(1);
            }
        }
        self.ground
            .store
            .write(move |tx| {
                for changed in &changes.incidents {
                    let Changed { incident, before, calls, letters } = changed;
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
                    tell::post(tx, incident, calls, letters, now)?;
                }
                for (key, kept) in &changes.groups {
                    groups::put(tx, &key.alert, &key.group, &serde_json::to_string(kept)?)?;
                }
                meta::set(tx, WATCHED, &upto.to_string())?;
                meta::set(tx, LATE, &changes.late)?;
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
    fn learn_late(&mut self, ground: &Ground, knowledge: &Knowledge, came: bool, now: Timestamp) -> Stored<()> {
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
        let names: BTreeSet<String> = self.detector.late().iter().map(|key| key.alert.clone()).collect();
        for name in &names {
            let Some(alert) = knowledge.rules.alert(name) else {
                self.detector.learn_anew(name, &[], false, now);
                continue;
            };
            let from = (now - PAST).as_millisecond();
            let mut of =
                ground.store.read(|c| mentions::of_topics(c, &alert.topics, alert.any, from, i64::MAX, WARM_MOST))?;
            let whole = of.len() < usize::try_from(WARM_MOST).unwrap_or(usize::MAX);
            of.retain(|m| m.id <= self.upto);
            self.detector.learn_anew(name, &of, whole, now);
            tracing::info!(stage = "watch", alert = name, mentions = of.len(), "what is usual was learned anew");
        }
        Ok(())
    }
}

fn key_of(i: &Incident) -> GroupKey {
    GroupKey { alert: i.alert.clone(), group: i.group.clone() }
}

/// Reads everything back: baselines, the place read up to, and the mentions that are still in some window.
fn begin(ground: &Ground, knowledge: &Knowledge, now: Timestamp) -> Stored<State> {
    let mut detector = Detector::new(&knowledge.rules.alerts);
    ground.store.read(|c| {
        let mut known: HashSet<GroupKey> = HashSet::new();
        for (alert, group, text) in groups::all(c)? {
            let key = GroupKey { alert, group };
            known.insert(key.clone());
            detector.restore(key, serde_json::from_str(&text)?);
        }
        let upto = meta::number(c, WATCHED)?.unwrap_or(0);
        if let Some(at) = meta::number(c, TICKED)? {
            detector.restore_tick(crate::model::time::from_millis(at));
        }
        if let Some(late) = meta::get(c, LATE)? {
            let late: Vec<GroupKey> = serde_json::from_str(&late)?;
            detector.restore_late(late.into_iter().filter(|key| known.contains(key)));
        }
        let mut seen: HashSet<i64> = HashSet::new();
        let from = now - detector.longest_window();
        for alert in &knowledge.rules.alerts {
            let of = |from: Timestamp, most| {
                mentions::of_topics(c, &alert.topics, alert.any, from.as_millisecond(), i64::MAX, most)
            };
            for m in of(from, WARM_MOST)?.iter().filter(|m| m.id <= upto) {
                if seen.insert(m.id) {
                    detector.refill(m);
                }
            }
        }
        // A group that was never kept learns from what is stored; each mention warms every such group once. Where all
        // topics of a rule have one, there is none.
        let heard = |topic: &String| known.iter().any(|k| k.group.split('/').any(|part| part == topic));
        let fresh = |a: &&Alert| !known.iter().any(|k| k.alert == a.name) || (a.any && !a.topics.iter().all(heard));
        let fresh: Vec<&Alert> = knowledge.rules.alerts.iter().filter(fresh).collect();
        let mut warmed: BTreeMap<i64, crate::model::Mention> = BTreeMap::new();
        for alert in fresh {
            let of =
                mentions::of_topics(c, &alert.topics, alert.any, (now - PAST).as_millisecond(), i64::MAX, WARM_MOST)?;
            warmed.extend(of.into_iter().filter(|m| m.id <= upto).map(|m| (m.id, m)));
        }
        for m in warmed.values() {
            detector.warm(m, &known);
        }
        Ok(State { detector, generation: knowledge.generation, upto, kept_tick: Timestamp::MIN, late: None })
    })
}

/// Verdicts on incidents: which open, change, or end, and who is told what.
fn judge(
    ground: &Ground,
    knowledge: &Knowledge,
    live: Vec<Incident>,
    verdicts: &[Verdict],
    now: Timestamp,
) -> Stored<Changes> {
    let mut changes = Changes::default();
    let mut judged: HashSet<GroupKey> = HashSet::new();
    // The latest incident of a group is the one that goes on.
    for before in live.into_iter().rev() {
        let key = key_of(&before);
        if !judged.insert(key.clone()) {
            continue;
        }
        let verdict = verdicts.iter().find(|v| v.key == key);
        let alert = knowledge.rules.alert(&before.alert);
        let policy = policy(knowledge, alert.map_or("", |a| &a.escalation));
        let mut incident = before.clone();
        let calls = incident::judge(&mut incident, verdict, policy, alert, now);
        if incident != before {
            let letters = ground.store.read(|c| tell::letters(ground, knowledge, c, &mut incident, &calls, now))?;
            changes.incidents.push(Changed { incident, before: Some(before), calls, letters });
        }
    }
    let mut next_id = None;
    for verdict in verdicts {
        let Some(severity) = verdict.severity.filter(|_| !judged.contains(&verdict.key)) else { continue };
        let Some(alert) = knowledge.rules.alert(&verdict.key.alert) else { continue };
        let id = match next_id {
            Some(id) => id,
            None => ground.store.read(incidents::next_id)?,
        };
        next_id = Some(id + 1);
        let (mut incident, calls) = incident::open(verdict, severity, policy(knowledge, &alert.escalation), alert, now);
        incident.id = id;
        let letters = ground.store.read(|c| tell::letters(ground, knowledge, c, &mut incident, &calls, now))?;
        changes.incidents.push(Changed { incident, before: None, calls, letters });
    }
    Ok(changes)
}

fn policy<'a>(knowledge: &'a Knowledge, name: &str) -> Option<&'a Policy> {
    knowledge.rules.people.policy(name)
}

#[cfg(test)]
mod tests;
