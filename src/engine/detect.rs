//! Turns mentions and the passing of time into verdicts: which alert rule rings for which group, and why.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::baseline::Baseline;
use super::condition::Condition;
use super::window::Window;
use crate::model::time::{Span, between};
use crate::model::{Alert, Evidence, Mention, Severity, Signals};

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
    /// Why.
    pub evidence: Evidence,
}

/// An alert rule with its conditions compiled.
#[derive(Debug)]
struct Rule {
    alert: Alert,
    condition: Condition,
    raise: Vec<(Severity, Condition)>,
}

#[derive(Debug)]
struct Group {
    window: Window,
    baseline: Baseline,
    topic: String,
    /// Mentions came, or a baseline learned, since it was last saved.
    changed: bool,
}

/// What is kept of a group over a restart; its window is filled again from the mentions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// The topic that people know the group by.
    pub topic: String,
    /// Its learned level.
    pub baseline: Baseline,
}

/// Watches all groups of all alert rules.
#[derive(Debug, Default)]
pub struct Detector {
    rules: Vec<Rule>,
    groups: BTreeMap<GroupKey, Group>,
    last_tick: Option<Timestamp>,
    /// Hours that nobody watched: from and to.
    unwatched: Vec<(Timestamp, Timestamp)>,
    /// Groups whose past became known after it was learned: they are to learn it anew.
    late: BTreeSet<GroupKey>,
}

/// A pause between ticks longer than this was not watched.
const PAUSE: Span = Span::mins(30);
/// How far back a group learns from what is stored.
pub const PAST: Span = Span::days(14);

impl Detector {
    /// A detector for alert rules, which the rules room has checked: one whose condition does not compile is left out.
    pub fn new(alerts: &[Alert]) -> Detector {
        let rules = alerts.iter().filter_map(|alert| {
            let condition = Condition::parse(&alert.condition).ok()?;
            let raise = alert.raise.iter().filter_map(|r| Some((r.to, Condition::parse(&r.when).ok()?))).collect();
            Some(Rule { alert: alert.clone(), condition, raise })
        });
        Detector { rules: rules.collect(), ..Detector::default() }
    }

    /// The longest window of any rule.
    pub fn longest_window(&self) -> Span {
        self.rules.iter().map(|r| r.alert.window).max().unwrap_or(Span::ZERO)
    }

    /// The alert rule of that name.
    pub fn alert(&self, name: &str) -> Option<&Alert> {
        self.rules.iter().map(|r| &r.alert).find(|a| a.name == name)
    }

    /// Puts a group back as it was kept. One whose rule is gone is dropped.
    pub fn restore(&mut self, key: GroupKey, kept: Kept) {
        if let Some(alert) = self.alert(&key.alert) {
            let window = Window::new(alert.window);
            self.groups.insert(key, Group { window, baseline: kept.baseline, topic: kept.topic, changed: false });
        }
    }

    /// When the last tick was, as kept over a restart.
    pub fn restore_tick(&mut self, at: Timestamp) {
        self.last_tick = Some(at);
    }

    /// The groups that a mention belongs to, with the topic of each.
    fn groups_of(&self, m: &Mention) -> Vec<(GroupKey, String, Span)> {
        let mut out = Vec::new();
        for Rule { alert, .. } in &self.rules {
            let matching: Vec<&String> = alert.topics.iter().filter(|t| m.topics.contains(t)).collect();
            if matching.is_empty() || (!alert.any && matching.len() < alert.topics.len()) {
                continue;
            }
            // A rule over several topics at once is known by its first, which is the brand.
            let per_topic = alert.any && alert.group_by.iter().any(|g| g == "topic");
            let topics = if per_topic { matching.as_slice() } else { matching.get(..1).unwrap_or(&[]) };
            for topic in topics {
                let parts: Vec<&str> = alert
                    .group_by
                    .iter()
                    .map(|by| match by.as_str() {
                        "topic" => topic.as_str(),
                        "language" => m.language.as_str(),
                        "network" => m.network.as_str(),
                        _ => m.source.as_str(),
                    })
                    .collect();
                let key = GroupKey { alert: alert.name.clone(), group: parts.join("/") };
                out.push((key, (*topic).clone(), alert.window));
            }
        }
        out
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
        for (key, topic, span) in self.groups_of(m) {
            let sentiment = m.sentiment_toward(&topic);
            let group = self.groups.entry(key.clone()).or_insert_with(|| Group {
                window: Window::new(span),
                baseline: Baseline::default(),
                topic,
                changed: true,
            });
            if count && m.history && group.baseline.is_past(m.at) {
                if recent {
                    self.late.insert(key);
                }
            } else if count {
                group.baseline.count_felt(m, sentiment);
                group.changed = true;
            }
            if !m.history {
                group.window.add_felt(m, sentiment);
            }
        }
    }

    /// Warms the baselines of groups that are new, with a mention of the past. `known` are the groups that have learned
    /// already.
    pub fn warm(&mut self, m: &Mention, known: &HashSet<GroupKey>) {
        for (key, topic, span) in self.groups_of(m) {
            if known.contains(&key) {
                continue;
            }
            let sentiment = m.sentiment_toward(&topic);
            let group = self.groups.entry(key).or_insert_with(|| Group {
                window: Window::new(span),
                baseline: Baseline::default(),
                topic,
                changed: true,
            });
            group.baseline.count_felt(m, sentiment);
            group.changed = true;
        }
    }

    /// Groups whose past became known after it was learned, such as by an import.
    pub fn late(&self) -> &BTreeSet<GroupKey> {
        &self.late
    }

    /// Puts groups back that are to learn their past anew.
    pub fn restore_late(&mut self, late: impl IntoIterator<Item = GroupKey>) {
        self.late.extend(late);
    }

    /// Lets the late groups of an alert rule learn anew, from its mentions of the past. `whole` says that these are all.
    pub fn learn_anew(&mut self, alert: &str, mentions: &[Mention], whole: bool, now: Timestamp) {
        let mut of: HashMap<GroupKey, Vec<Cow<'_, Mention>>> = HashMap::new();
        for m in mentions {
            for (key, topic, _) in self.groups_of(m) {
                if key.alert == alert && self.late.contains(&key) {
                    of.entry(key).or_default().push(m.seen_from(&topic));
                }
            }
        }
        for (key, mentions) in of {
            if let Some(group) = self.groups.get_mut(&key)
                && let Some(anew) = group.baseline.anew(mentions.iter().map(|m| &**m), whole, now)
            {
                group.baseline = anew;
                group.changed = true;
            }
        }
        self.late.retain(|key| key.alert != alert);
    }

    /// Judges every group that has mentions in its window or an incident. `busy` tells of the open incidents, whose
    /// hours teach nothing.
    pub fn tick(&mut self, now: Timestamp, busy: &HashSet<GroupKey>) -> Vec<Verdict> {
        if let Some(last) = self.last_tick
            && between(last, now) > PAUSE
        {
            self.unwatched.push((last, now));
        }
        self.unwatched.retain(|(_, to)| between(*to, now) < Span::days(3));
        self.last_tick = Some(self.last_tick.map_or(now, |t| t.max(now)));
        let mut verdicts = Vec::new();
        for (key, group) in &mut self.groups {
            let ringing = busy.contains(key);
            let unwatched = &self.unwatched;
            let unknown = |from, to| ringing || unwatched.iter().any(|(a, b)| *a < to && *b > from);
            group.changed |= group.baseline.learn(now, unknown);
            group.window.slide(now);
            if group.window.is_empty() && !ringing {
                continue;
            }
            let Some(rule) = self.rules.iter().find(|r| r.alert.name == key.alert) else { continue };
            let signals = group.window.signals(now, &group.baseline);
            verdicts.push(judge(rule, key.clone(), group.topic.clone(), signals));
        }
        // An incident whose group has nothing left, not even a baseline, still has to calm down.
        for key in busy.iter().filter(|k| !self.groups.contains_key(*k)) {
            let evidence = Evidence::default();
            verdicts.push(Verdict { key: key.clone(), topic: String::new(), severity: None, evidence });
        }
        verdicts
    }

    /// What has changed since it was last asked, to be kept.
    pub fn take_changes(&mut self) -> Vec<(GroupKey, Kept)> {
        let mut out = Vec::new();
        for (key, group) in self.groups.iter_mut().filter(|(_, g)| g.changed) {
            group.changed = false;
            out.push((key.clone(), Kept { topic: group.topic.clone(), baseline: group.baseline.clone() }));
        }
        out
    }
}

fn judge(rule: &Rule, key: GroupKey, topic: String, signals: Signals) -> Verdict {
    let mut severity = rule.condition.holds(&signals).then_some(rule.alert.severity);
    let mut raised = Vec::new();
    if let Some(s) = &mut severity {
        for (to, when) in rule.raise.iter().filter(|(_, when)| when.holds(&signals)) {
            raised.push((*to, when.text().to_owned()));
            *s = (*s).max(*to);
        }
    }
    let terms = rule.condition.terms(&signals);
    let evidence = Evidence { signals, condition: rule.condition.text().to_owned(), terms, raised };
    Verdict { key, topic, severity, evidence }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::window::tests::mention;
    use super::*;
    use crate::model::Raise;

    pub(crate) fn alert() -> Alert {
        Alert {
            name: "acme-negative".into(),
            title: "Acme, negative".into(),
            topics: vec!["acme".into()],
            any: false,
            window: Span::mins(15),
            condition: "mentions >= 5 && surprise >= 4.0 && negative_share >= 0.5".into(),
            severity: Severity::Escalate,
            raise: vec![Raise { to: Severity::Crisis, when: "reach > 3000".into() }],
            group_by: vec!["topic".into()],
            playbook: String::new(),
            escalation: "pr".into(),
            remind: Some(Span::mins(30)),
            resolve_after: Span::hours(2),
        }
    }

    fn quiet_day(d: &mut Detector) -> Timestamp {
        for h in 0..48 {
            for i in 0..4 {
                d.feed(&mention(h * 10 + i, h * 60 + i * 14, 0.2));
            }
            d.tick(mention(0, h * 60 + 59, 0.0).at, &HashSet::new());
        }
        mention(0, 48 * 60, 0.0).at
    }

    #[test]
    fn a_spike_of_complaints_rings_and_says_why() {
        let mut d = Detector::new(&[alert()]);
        quiet_day(&mut d);
        for i in 0..20 {
            d.feed(&mention(10_000 + i, 48 * 60 + i / 2, -0.8));
        }
        let verdicts = d.tick(mention(0, 48 * 60 + 10, 0.0).at, &HashSet::new());
        assert_eq!(verdicts.len(), 1);
        assert_eq!(verdicts[0].severity, Some(Severity::Escalate));
        assert_eq!(verdicts[0].key.group, "acme");
        assert!(verdicts[0].evidence.terms.iter().all(|t| t.held));
    }

    #[test]
    fn history_and_praise_do_not_ring() {
        let mut d = Detector::new(&[alert()]);
        quiet_day(&mut d);
        for i in 0..40 {
            let m = mention(10_000 + i, 48 * 60 + i / 4, if i < 20 { 0.8 } else { -0.8 });
            d.feed(&Mention { history: i >= 20, ..m });
        }
        let verdicts = d.tick(mention(0, 48 * 60 + 10, 0.0).at, &HashSet::new());
        assert!(verdicts.iter().all(|v| v.severity.is_none()), "{verdicts:?}");
    }

    #[test]
    fn a_restart_changes_nothing() {
        let mut a = Detector::new(&[alert()]);
        quiet_day(&mut a);
        let mut kept = Vec::new();
        let spike: Vec<Mention> = (0..20).map(|i| mention(10_000 + i, 48 * 60 + i / 2, -0.8)).collect();
        spike.iter().for_each(|m| a.feed(m));
        kept.extend(a.take_changes());
        let mut b = Detector::new(&[alert()]);
        kept.into_iter().for_each(|(k, v)| b.restore(k, v));
        b.restore_tick(mention(0, 48 * 60 - 1, 0.0).at);
        spike.iter().for_each(|m| b.refill(m));
        let now = mention(0, 48 * 60 + 10, 0.0).at;
        let (x, y) = (a.tick(now, &HashSet::new()), b.tick(now, &HashSet::new()));
        assert_eq!(x[0].severity, y[0].severity);
        assert_eq!(x[0].evidence.signals.mentions, 20 + u64::from(x[0].evidence.signals.mentions > 20));
        assert_eq!(y[0].evidence.signals.mentions, 20);
    }

    #[test]
    fn groups_by_language_and_by_any_topic() {
        let by_language = Alert { group_by: vec!["topic".into(), "language".into()], ..alert() };
        let any = Alert { name: "any".into(), any: true, topics: vec!["acme".into(), "globex".into()], ..alert() };
        let d = Detector::new(&[by_language, any]);
        let m = Mention { topics: vec!["acme".into(), "globex".into()], ..mention(1, 1, 0.0) };
        let groups: Vec<String> =
            d.groups_of(&m).into_iter().map(|(k, ..)| format!("{}:{}", k.alert, k.group)).collect();
        assert_eq!(groups, ["acme-negative:acme/en", "any:acme", "any:globex"]);
    }
}
