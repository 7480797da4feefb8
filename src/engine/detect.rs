//! Turns mentions and the passing of time into verdicts: which alert rule rings for which group, and why.
//!
//! A group is looked at when a mention came for it, while an incident of it is live, and else once a minute for as long
//! as its window holds anything. Quiet groups cost nothing; they learn the hours that they were quiet when something
//! comes next.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::baseline::{Baseline, Prior};
use super::group::{Group, Looked, Times};
pub use super::rule::Compiled;
use super::scope::Scopes;
pub use super::scope::{Scope, ScopeKey};
use super::terms::Said;
use super::wall::Wall;
use crate::model::time::{Span, between};
use crate::model::{Alert, Evidence, Mention, Planned, Severity};

/// A group of one alert rule: the rule's name and the group's value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupKey {
    /// Name of the alert rule.
    pub alert: String,
    /// The values grouped by, joined by `/`; empty where nothing is grouped by.
    pub group: String,
}

/// What is judged of a group at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Whose.
    pub key: GroupKey,
    /// The topic that people know the group by.
    pub topic: String,
    /// The severity that it asks for; `None` where its condition does not hold.
    pub severity: Option<Severity>,
    /// Why. Of what rings as it did, no worse than before, only the signals are told.
    pub evidence: Arc<Evidence>,
}

/// What is kept of a group over a restart; its windows are filled again from the mentions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// The topic that people know the group by.
    pub topic: String,
    /// Its learned level.
    pub baseline: Baseline,
}

/// The groups with live incidents, and how the incident stands.
pub type Live = HashMap<GroupKey, Standing>;

/// How a live incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// It is not resolved: its hours teach nothing.
    pub open: bool,
    /// What is worse than this is worse than people know.
    pub severity: Severity,
    /// The most mentions seen so far.
    pub peak: u64,
}

/// Watches all groups of all alert rules.
#[derive(Debug, Default)]
pub struct Detector {
    rules: Compiled,
    /// Of each scope, the numbers of its rules.
    rules_of: Vec<Vec<usize>>,
    /// Of each rule by its name, its number and that of its scope.
    scope_of: HashMap<String, (usize, usize)>,
    scopes: Scopes,
    groups: Vec<Group>,
    /// Of each scope, the numbers of its groups by their values.
    places: Vec<HashMap<String, usize>>,
    /// The groups of each scope.
    members: HashMap<usize, Vec<usize>>,
    /// When each active group is looked at next.
    agenda: BTreeSet<(Timestamp, usize)>,
    /// Groups that mentions came for, or that learned, since they were last kept.
    changed: BTreeSet<usize>,
    planned: Vec<Planned>,
    /// The clock of the people; `None` for UTC.
    wall: Option<Wall>,
    last_tick: Option<Timestamp>,
    /// Times that nobody watched: from and to.
    unwatched: Vec<(Timestamp, Timestamp)>,
    /// Groups whose past became known after it was learned: they are to learn it anew.
    late: BTreeSet<ScopeKey>,
}

/// A pause between ticks longer than this was not watched.
const PAUSE: Span = Span::mins(30);
/// How far back a group learns from what is stored.
pub const PAST: Span = Span::days(14);
/// Quiet groups learn within this time; what was not watched is remembered for as long.
const REMEMBERED: Span = Span::days(62);
/// Groups that a new one is compared with.
const SIBLINGS: usize = 30;

impl Detector {
    /// A detector for alert rules, which the rules room has checked: one whose condition does not compile is left out.
    pub fn new(alerts: &[Alert]) -> Detector {
        Detector::of(&Compiled::new(alerts))
    }

    /// A detector for rules that are compiled already.
    pub fn of(rules: &Compiled) -> Detector {
        let mut detector = Detector { rules: rules.clone(), ..Detector::default() };
        for (n, rule) in rules.iter().enumerate() {
            let scope = detector.scopes.add(&rule.alert);
            detector.scope_of.entry(rule.alert.name.clone()).or_insert((n, scope));
            detector.rules_of.resize(detector.scopes.count(), Vec::new());
            detector.places.resize(detector.scopes.count(), HashMap::new());
            if let Some(of) = detector.rules_of.get_mut(scope) {
                of.push(n);
            }
        }
        // The silence of a source that never spoke is silence as well.
        for n in 0..detector.scopes.count() {
            let sources = detector.scopes.get(n).map(|s| s.sources.clone()).unwrap_or_default();
            for source in sources {
                let place = detector.place(n, source, String::new());
                detector.look_at(place, Timestamp::MIN);
            }
        }
        detector
    }

    /// Events that are known to come: more is expected with them, and what they bring teaches nothing.
    pub fn plan(&mut self, planned: Vec<Planned>) {
        self.planned = planned.into_iter().filter(|p| p.factor > 1.0).collect();
    }

    /// The zone whose hours the days and weeks of groups have, by its IANA name; UTC where none is set.
    pub fn set_zone(&mut self, name: &str) {
        self.wall = Wall::of(name);
    }

    /// The longest window of any rule.
    pub fn longest_window(&self) -> Span {
        self.rules.iter().map(|r| r.alert.window).max().unwrap_or(Span::ZERO)
    }

    /// The alert rule of that name.
    pub fn alert(&self, name: &str) -> Option<&Alert> {
        self.rules.iter().map(|r| &r.alert).find(|a| a.name == name)
    }

    /// What the rules are about, each scope once.
    pub fn scopes(&self) -> impl Iterator<Item = &Scope> {
        (0..self.scopes.count()).filter_map(|n| self.scopes.get(n))
    }

    /// Whether rules over a scope have to hear its past again after a restart, beside what is kept.
    pub fn remembers(&self, scope: &Scope) -> bool {
        let of = self.scopes.find(&scope.name).and_then(|n| self.rules_of.get(n));
        let mut rules = of.into_iter().flatten().filter_map(|n| self.rules.get(*n));
        rules.any(|r| r.alert.first_seen.is_some() || r.alert.new_term.is_some())
    }

    /// The number of a group, which is made where it is not there yet.
    fn place(&mut self, scope: usize, group: String, topic: String) -> usize {
        if let Some(n) = self.find(scope, &group) {
            return n;
        }
        let rules = self.rules_of.get(scope).into_iter().flatten().filter_map(|n| self.rules.get(*n).map(|r| (*n, r)));
        // A new group is taken for one like its siblings.
        let like = self.members.get(&scope).into_iter().flatten().rev().take(SIBLINGS);
        let siblings = like.filter_map(|n| self.groups.get(*n));
        let prior = Prior::of(siblings.map(|g| &g.baseline));
        self.changed.insert(self.groups.len());
        let mut new = Group::new(scope, group.clone(), topic, prior, rules);
        if self.wall.is_some() {
            new.baseline.begin_local();
        }
        self.groups.push(new);
        let n = self.groups.len() - 1;
        self.members.entry(scope).or_default().push(n);
        if let Some(of) = self.places.get_mut(scope) {
            of.insert(group, n);
        }
        n
    }

    /// The number of a group, where it is there.
    fn find(&self, scope: usize, group: &str) -> Option<usize> {
        self.places.get(scope)?.get(group).copied()
    }

    fn key_of(&self, group: &Group) -> ScopeKey {
        let scope = self.scopes.get(group.scope).map(|s| s.name.clone()).unwrap_or_default();
        ScopeKey { scope, group: group.name.clone() }
    }

    /// Puts a group back as it was kept. One whose scope is gone is dropped.
    pub fn restore(&mut self, key: ScopeKey, kept: Kept) {
        if let Some(scope) = self.scopes.find(&key.scope) {
            let n = self.place(scope, key.group, kept.topic);
            if let Some(group) = self.groups.get_mut(n) {
                group.baseline = kept.baseline;
                self.changed.remove(&n);
            }
        }
    }

    /// When the last tick was, and what was not watched, as kept over a restart.
    pub fn restore_watch(&mut self, at: Timestamp, unwatched: Vec<(Timestamp, Timestamp)>) {
        self.last_tick = Some(at);
        self.unwatched = unwatched;
    }

    /// Times that nobody watched: from and to.
    pub fn unwatched(&self) -> &[(Timestamp, Timestamp)] {
        &self.unwatched
    }

    /// Takes a new mention in.
    pub fn feed(&mut self, m: &Mention) {
        self.take(m, true);
    }

    /// Fills the windows again from a mention that was fed before the restart; baselines have counted it already.
    pub fn refill(&mut self, m: &Mention) {
        self.take(m, false);
    }

    fn take(&mut self, m: &Mention, count: bool) {
        let recent = self.last_tick.is_none_or(|now| between(m.at, now) < PAST);
        let said = Said::of(m);
        for (scope, group, topic) in self.scopes.groups_of(m) {
            let sentiment = m.sentiment_toward(&topic);
            let n = self.place(scope, group, topic);
            let Some(group) = self.groups.get_mut(n) else { continue };
            if count && m.history && group.baseline.is_past(m.at) {
                if recent {
                    let key = self.groups.get(n).map(|g| self.key_of(g));
                    self.late.extend(key);
                }
            } else if count {
                group.baseline.count_felt(m, sentiment);
                self.changed.insert(n);
            }
            let Some(group) = self.groups.get_mut(n) else { continue };
            group.hear(&said, count);
            if !m.history {
                group.add(m, sentiment);
            }
            self.look_at(n, Timestamp::MIN);
        }
    }

    /// Has a group looked at no later than an instant.
    fn look_at(&mut self, n: usize, at: Timestamp) {
        let Some(group) = self.groups.get_mut(n) else { return };
        if group.next_look.is_some_and(|next| next <= at) {
            return;
        }
        if let Some(before) = group.next_look.replace(at) {
            self.agenda.remove(&(before, n));
        }
        self.agenda.insert((at, n));
    }

    /// Warms the baselines of groups that are new, and the memory of those that remember voices and words, with a mention
    /// of the past. `known` are the groups that have learned already.
    pub fn warm(&mut self, m: &Mention, known: &HashSet<ScopeKey>) {
        let said = Said::of(m);
        for (scope, group, topic) in self.scopes.groups_of(m) {
            let name = self.scopes.get(scope).map(|s| s.name.clone()).unwrap_or_default();
            let key = ScopeKey { scope: name, group: group.clone() };
            let sentiment = m.sentiment_toward(&topic);
            let n = self.place(scope, group, topic);
            let Some(group) = self.groups.get_mut(n) else { continue };
            group.hear(&said, false);
            if !known.contains(&key) {
                group.baseline.count_felt(m, sentiment);
                self.changed.insert(n);
                self.look_at(n, Timestamp::MIN);
            }
        }
    }

    /// Groups whose past became known after it was learned, such as by an import.
    pub fn late(&self) -> &BTreeSet<ScopeKey> {
        &self.late
    }

    /// Puts groups back that are to learn their past anew.
    pub fn restore_late(&mut self, late: impl IntoIterator<Item = ScopeKey>) {
        self.late.extend(late);
    }

    /// Lets the late groups of a scope learn anew, from its mentions of the past. `whole` says that these are all.
    pub fn learn_anew(&mut self, scope: &str, mentions: &[Mention], whole: bool, now: Timestamp) {
        let mut of: BTreeMap<usize, Vec<std::borrow::Cow<'_, Mention>>> = BTreeMap::new();
        for m in mentions {
            for (n, group, topic) in self.scopes.groups_of(m) {
                let name = self.scopes.get(n).map_or("", |s| &s.name);
                let key = ScopeKey { scope: name.to_owned(), group: group.clone() };
                if name == scope
                    && self.late.contains(&key)
                    && let Some(place) = self.find(n, &group)
                {
                    of.entry(place).or_default().push(m.seen_from(&topic));
                }
            }
        }
        for (place, mentions) in of {
            if let Some(group) = self.groups.get_mut(place)
                && let Some(anew) = group.baseline.anew(mentions.iter().map(|m| &**m), whole, now)
            {
                group.baseline = anew;
                self.changed.insert(place);
            }
        }
        self.late.retain(|key| key.scope != scope);
    }

    /// Judges every group that is due, and those of live incidents. Verdicts come for what rings and for all live
    /// incidents, in the order of their keys.
    pub fn tick(&mut self, now: Timestamp, live: &Live) -> Vec<Verdict> {
        if let Some(last) = self.last_tick
            && between(last, now) > PAUSE
        {
            self.unwatched.push((last, now));
        }
        self.unwatched.retain(|(_, to)| between(*to, now) < REMEMBERED);
        self.last_tick = Some(self.last_tick.map_or(now, |t| t.max(now)));
        let mut due: BTreeSet<usize> = BTreeSet::new();
        while let Some((at, n)) = self.agenda.first().copied().filter(|(at, _)| *at <= now) {
            self.agenda.remove(&(at, n));
            if let Some(group) = self.groups.get_mut(n) {
                group.next_look = None;
            }
            due.insert(n);
        }
        let mut unknown: Vec<&GroupKey> = Vec::new();
        let mut standings: HashMap<usize, Vec<(usize, Standing)>> = HashMap::new();
        for (key, standing) in live {
            let found = self.scope_of.get(&key.alert);
            let Some((rule, n)) = found.and_then(|(rule, scope)| Some((*rule, self.find(*scope, &key.group)?))) else {
                unknown.push(key);
                continue;
            };
            standings.entry(n).or_default().push((rule, *standing));
            due.insert(n);
        }
        let mut verdicts = Vec::with_capacity(live.len());
        let from = now - self.longest_window() - Span::hours(2);
        let near: Vec<Planned> = self.planned.iter().filter(|p| p.touches(from, now)).cloned().collect();
        let times = Times {
            unwatched: &self.unwatched,
            planned: &self.planned,
            near: &near,
            ahead: self.wall.as_mut().map(|w| w.at(now)),
        };
        let (mut again, mut looked) = (Vec::new(), Looked::new());
        for n in due {
            let Some(group) = self.groups.get_mut(n) else { continue };
            let standings = standings.get(&n).map(Vec::as_slice).unwrap_or_default();
            let (learned, wait) = group.look(&self.rules, now, standings, &times, &mut looked, &mut verdicts);
            if learned {
                self.changed.insert(n);
            }
            again.extend(wait.map(|wait| (n, now + wait)));
        }
        again.into_iter().for_each(|(n, at)| self.look_at(n, at));
        // An incident whose group has nothing left, not even a baseline, still has to calm down.
        for key in unknown {
            let evidence = Arc::default();
            verdicts.push(Verdict { key: key.clone(), topic: String::new(), severity: None, evidence });
        }
        verdicts.sort_by(|a, b| a.key.cmp(&b.key));
        verdicts
    }

    /// What an alert rule sees at an instant, whether it rings or not, of each of its groups in their order.
    pub fn peek(&mut self, alert: &str, now: Timestamp) -> Vec<(String, Evidence)> {
        let Some((n, rule)) = self.rules.iter().enumerate().find(|(_, r)| r.alert.name == alert) else {
            return Vec::new();
        };
        let of = |g: &mut Group| g.peek(n, rule, now, &self.planned).map(|evidence| (g.name.clone(), evidence));
        self.groups.iter_mut().filter_map(of).collect()
    }

    /// All was watched until an instant, though nothing had to be looked at.
    pub fn attend(&mut self, now: Timestamp) {
        self.last_tick = Some(self.last_tick.map_or(now, |t| t.max(now)));
    }

    /// When a group is to be looked at next though nothing comes; `None` where all is quiet.
    pub fn next_look(&self) -> Option<Timestamp> {
        self.agenda.first().map(|(at, _)| *at)
    }

    /// What has changed since it was last asked, to be kept.
    pub fn take_changes(&mut self) -> Vec<(ScopeKey, Kept)> {
        let mut out = Vec::new();
        for n in std::mem::take(&mut self.changed) {
            if let Some(group) = self.groups.get(n) {
                let kept = Kept { topic: group.topic.clone(), baseline: group.baseline.clone() };
                out.push((self.key_of(group), kept));
            }
        }
        out
    }
}

#[cfg(test)]
pub(crate) mod tests;
