//! What verdicts mean for incidents: which open, go on or end, what mutes what, and when a rule only floods.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::detect::{GroupKey, Live, Standing, Verdict};
use super::incident::{self, Call, Charge};
use crate::model::incident::Flood;
use crate::model::{Alert, Incident, People, Person, Severity, Silence, Status};

/// The group of the incident that stands for all that a rule would have opened beyond its cap.
pub const FLOOD: &str = "*";
/// Groups that a flood names.
const NAMED: usize = 1000;

/// An incident that is new or has changed, and the calls that follow.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// As it is now.
    pub incident: Incident,
    /// As it was; `None` for a new one.
    pub before: Option<Incident>,
    /// Whom to call.
    pub calls: Vec<Call>,
}

/// What decisions rest on.
#[derive(Debug)]
pub struct Duty<'r> {
    /// The alert rules in force.
    pub alerts: &'r [Alert],
    /// People with their policies.
    pub people: &'r People,
    /// The silences in force.
    pub silences: &'r [Silence],
    /// How many incidents each rule has opened within the last hour.
    pub opened: BTreeMap<String, u32>,
}

/// The group of an incident.
pub fn key_of(i: &Incident) -> GroupKey {
    GroupKey { alert: i.alert.clone(), group: i.group.clone() }
}

/// The persons whom a call reaches, who are told from now on.
pub fn reached<'p>(incident: &mut Incident, call: &Call, people: &'p People, now: Timestamp) -> Vec<&'p Person> {
    incident.messages += 1;
    // Those who are told of an exercise in the place of others are told whatever happens to it.
    let instead = incident.drill.as_ref().map(|d| d.to.clone()).filter(|to| !to.is_empty() && !call.notify.is_empty());
    let names = instead.as_ref().unwrap_or(&call.notify);
    let reached = match call.notice.asks_nothing() {
        true => people.reach(names, now),
        false => people.reach_awake(names, incident.severity, now),
    };
    for person in &reached {
        if !incident.told.contains(&person.name) {
            incident.told.push(person.name.clone());
        }
    }
    reached
}

fn pair(key: &GroupKey) -> (&str, &str) {
    (&key.alert, &key.group)
}

/// How an incident stands for the detector.
pub fn standing(i: &Incident) -> Standing {
    Standing { open: i.status != Status::Resolved, severity: i.known(), peak: i.peak }
}

/// The groups of live incidents, as the detector wants them.
pub fn live<'i>(incidents: impl IntoIterator<Item = &'i Incident>) -> Live {
    incidents.into_iter().map(|i| (key_of(i), standing(i))).collect()
}

/// What may mute incidents: others that are not over.
#[derive(Default)]
struct Muters {
    /// The first open incident about each topic that is a crisis: it mutes lesser ones about the same.
    crises: BTreeMap<String, i64>,
    /// How bad each is.
    severities: BTreeMap<i64, Severity>,
    /// Of those that are over, how bad each was, and whether it ended by calm.
    over: BTreeMap<i64, (Severity, bool)>,
}

impl Muters {
    fn of<'i>(incidents: impl Iterator<Item = &'i Incident>, now: Timestamp) -> Muters {
        let mut out = Muters::default();
        for i in incidents.filter(|i| i.drill.is_none()) {
            if i.status == Status::Resolved {
                // People end between two looks, calm ends in one.
                out.over.insert(i.id, (i.severity, i.resolved == Some(now)));
                continue;
            }
            out.severities.insert(i.id, i.severity);
            if i.severity == Severity::Crisis && !i.shadow && !i.topic.is_empty() && i.merged_into.is_none() {
                out.crises.entry(i.topic.clone()).or_insert(i.id);
            }
        }
        out
    }

    /// The number of the incident that mutes one.
    fn muter(&self, i: &Incident) -> Option<i64> {
        // What has become worse than that which it is part of is no longer only a part.
        let part_of = |into: &i64| self.severities.get(into).is_some_and(|severity| i.severity <= *severity);
        if let Some(into) = i.merged_into.filter(part_of) {
            return Some(into);
        }
        let crisis = self.crises.get(&i.topic).copied().filter(|id| *id != i.id);
        crisis.filter(|_| i.severity != Severity::Crisis)
    }

    /// Whether the incident that it is part of is over.
    fn is_alone(&self, i: &Incident) -> bool {
        i.status != Status::Resolved && i.merged_into.is_some_and(|into| !self.severities.contains_key(&into))
    }

    /// Whether a part ends with its whole: people ended that, or it calmed and the part no longer rings either. A part that
    /// has become worse is no part any more.
    fn ends(&self, i: &Incident, before: Option<&Incident>, now: Timestamp) -> bool {
        let Some((severity, calm)) = i.merged_into.and_then(|into| self.over.get(&into)) else { return false };
        was_part(before) && i.severity <= *severity && (!calm || i.fired < now)
    }
}

/// Whether its whole muted it until now.
fn was_part(before: Option<&Incident>) -> bool {
    before.is_some_and(|b| b.merged_into.is_some() && b.muted_by == b.merged_into)
}

impl Duty<'_> {
    fn alert(&self, name: &str) -> Option<&Alert> {
        self.alerts.iter().find(|a| a.name == name)
    }

    fn charge<'a>(&'a self, alert: Option<&'a Alert>) -> Charge<'a> {
        Charge::of(alert, self.people)
    }

    /// Decides on live incidents, oldest first, and on what rings beside them; new incidents are numbered from `next`.
    pub fn decide(&mut self, live: &[&Incident], verdicts: &[Verdict], next: i64, now: Timestamp) -> Vec<Decision> {
        let mut out: Vec<Decision> = Vec::new();
        // Those that nothing happens to, each with how many decisions came before it.
        let mut same: Vec<(usize, &Incident)> = Vec::new();
        let mut judged: HashSet<(&str, &str)> = HashSet::new();
        let of: HashMap<(&str, &str), &Verdict> = verdicts.iter().map(|v| (pair(&v.key), v)).collect();
        // The latest incident of a group is the one that goes on.
        for before in live.iter().copied().rev().filter(|i| i.group != FLOOD) {
            let key = (before.alert.as_str(), before.group.as_str());
            if !judged.insert(key) {
                continue;
            }
            let verdict = of.get(&key).copied();
            let alert = self.alert(&before.alert);
            if incident::stays(before, verdict, alert, now) == Some(before.fired) {
                same.push((out.len(), before));
                continue;
            }
            let mut incident = before.clone();
            let calls = incident::judge(&mut incident, verdict, self.charge(alert), now);
            out.push(Decision { incident, before: Some(before.clone()), calls });
        }
        let mut next = next;
        let mut kept_back: BTreeMap<&str, Vec<&Verdict>> = BTreeMap::new();
        let rings = |v: &&Verdict| v.severity.is_some() && v.key.group != FLOOD && !judged.contains(&pair(&v.key));
        for verdict in verdicts.iter().filter(rings) {
            let (Some(severity), Some(alert)) = (verdict.severity, self.alert(&verdict.key.alert)) else { continue };
            let opened = self.opened.get(&alert.name).copied().unwrap_or(0);
            if opened >= alert.most_an_hour {
                kept_back.entry(&verdict.key.alert).or_default().push(verdict);
                continue;
            }
            let (mut incident, calls) = incident::open(verdict, severity, self.charge(Some(alert)), now);
            incident.id = next;
            next += 1;
            out.push(Decision { incident, before: None, calls });
            *self.opened.entry(verdict.key.alert.clone()).or_default() += 1;
        }
        self.flood(live, &kept_back, next, now, &mut out);
        self.hush(live, &same, now, &mut out);
        out.retain(|d| d.before.as_ref() != Some(&d.incident));
        out
    }

    /// One incident of each rule stands for what it keeps back.
    fn flood(
        &self,
        live: &[&Incident],
        kept_back: &BTreeMap<&str, Vec<&Verdict>>,
        next: i64,
        now: Timestamp,
        out: &mut Vec<Decision>,
    ) {
        let mut next = next;
        let floods: Vec<&Incident> = live.iter().copied().filter(|i| i.group == FLOOD).collect();
        let going_on = floods.iter().map(|i| i.alert.as_str());
        let names: BTreeSet<&str> = kept_back.keys().copied().chain(going_on).collect();
        for name in names {
            let verdicts = kept_back.get(name).map(Vec::as_slice).unwrap_or_default();
            let worst = verdicts.iter().max_by_key(|v| v.severity);
            let whole = worst.map(|v| Verdict {
                key: GroupKey { alert: name.to_owned(), group: FLOOD.to_owned() },
                topic: String::new(),
                ..(*v).clone()
            });
            let alert = self.alert(name);
            let before = floods.iter().rev().find(|i| i.alert == name);
            let (mut incident, calls) = match (before, &whole, alert) {
                (Some(before), ..) => {
                    let mut incident = (*before).clone();
                    let calls = incident::judge(&mut incident, whole.as_ref(), self.charge(alert), now);
                    (incident, calls)
                }
                (None, Some(whole), Some(alert)) => {
                    let severity = whole.severity.unwrap_or(alert.severity);
                    let (mut incident, calls) = incident::open(whole, severity, self.charge(Some(alert)), now);
                    incident.id = next;
                    next += 1;
                    (incident, calls)
                }
                _ => continue,
            };
            let flood = incident.flood.get_or_insert_with(Flood::default);
            for group in verdicts.iter().map(|v| &v.key.group) {
                if flood.groups.len() < NAMED && !flood.groups.contains(group) {
                    flood.groups.push(group.clone());
                    flood.kept_back += 1;
                }
            }
            out.push(Decision { incident, before: before.map(|b| (*b).clone()), calls });
        }
    }

    /// A crisis mutes lesser incidents about the same topic, a whole mutes and ends its parts, and people silence what they know of; when that is over, those
    /// that still ring call.
    fn hush(&self, live: &[&Incident], same: &[(usize, &Incident)], now: Timestamp, out: &mut Vec<Decision>) {
        let mut all: Vec<&Incident> = out.iter().map(|d| &d.incident).collect();
        same.iter().rev().for_each(|(place, i)| all.insert(*place, i));
        let decided: HashSet<i64> = all.iter().map(|i| i.id).collect();
        let others = live.iter().copied().filter(|i| !decided.contains(&i.id));
        let muters = Muters::of(all.into_iter().chain(others), now);
        let silence = |i: &Incident| {
            let covers = |s: &&Silence| i.drill.is_none() && s.covers(i, now);
            self.silences.iter().find(covers).map(|s| s.id)
        };
        for (place, i) in same.iter().rev() {
            let hushed = muters.muter(i).is_some() || silence(i).is_some();
            if (i.status == Status::Open && i.is_hushed() != hushed) || muters.is_alone(i) {
                let (incident, before) = ((*i).clone(), Some((*i).clone()));
                out.insert(*place, Decision { incident, before, calls: Vec::new() });
            }
        }
        for d in out.iter_mut() {
            if d.incident.status == Status::Resolved && was_part(d.before.as_ref()) {
                // Its people hear of the whole.
                d.calls.clear();
            } else if muters.is_alone(&d.incident) {
                if muters.ends(&d.incident, d.before.as_ref(), now) {
                    incident::end(&mut d.incident, now);
                    d.calls.clear();
                } else {
                    d.incident.merged_into = None;
                }
            }
        }
        for d in out.iter_mut().filter(|d| d.incident.status == Status::Open) {
            let (muted_by, silenced_by) = (muters.muter(&d.incident), silence(&d.incident));
            if muted_by.is_some() || silenced_by.is_some() {
                // What it would have called is not called.
                d.calls.clear();
                if d.before.is_none() {
                    d.incident.steps_taken = 0;
                }
            }
            let charge = self.charge(self.alert(&d.incident.alert));
            let calls = incident::hush(&mut d.incident, muted_by, silenced_by, charge, now);
            if !calls.is_empty() {
                d.calls = calls;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::detect::tests::alert;
    use super::*;
    use crate::model::time::Span;
    use crate::model::{Evidence, Notice, Policy, Step};

    fn people() -> People {
        let step = |who: &str| Step { notify: vec![who.into()], wait: Span::mins(15), ..Step::default() };
        let policy =
            Policy { name: "pr".into(), steps: vec![step("anna"), step("bo")], repeat: 1, ..Policy::default() };
        let person = |name: &str| Person {
            name: name.into(),
            full_name: name.into(),
            email: format!("{name}@acme.example"),
            time_zone: "UTC".into(),
            ..Person::default()
        };
        People { persons: vec![person("anna"), person("bo")], policies: vec![policy], ..People::default() }
    }

    fn rings(alert: &str, group: &str, severity: Option<Severity>) -> Verdict {
        let key = GroupKey { alert: alert.into(), group: group.into() };
        Verdict { key, topic: "acme".into(), severity, evidence: Evidence::default().into() }
    }

    /// Incidents over time, as a store would hold them.
    #[derive(Default)]
    struct Book {
        all: Vec<Incident>,
        opened: BTreeMap<String, u32>,
        silences: Vec<Silence>,
    }

    impl Book {
        fn tick(&mut self, alerts: &[Alert], verdicts: &[Verdict], minute: i64) -> Vec<(i64, Notice)> {
            let people = people();
            let mut duty = Duty { alerts, people: &people, silences: &self.silences, opened: self.opened.clone() };
            let now = Timestamp::UNIX_EPOCH + Span::mins(minute);
            let next = self.all.iter().map(|i| i.id).max().unwrap_or(0) + 1;
            let decisions = duty.decide(&self.all.iter().collect::<Vec<_>>(), verdicts, next, now);
            self.opened = duty.opened;
            let mut told = Vec::new();
            for d in decisions {
                told.extend(d.calls.iter().map(|c| (d.incident.id, c.notice)));
                self.all.retain(|i| i.id != d.incident.id);
                self.all.push(d.incident);
            }
            self.all.sort_by_key(|i| i.id);
            told
        }
    }

    #[test]
    fn a_crisis_mutes_lesser_alarms_about_the_same_until_it_is_over() {
        let alerts = [Alert { name: "small".into(), ..alert() }, Alert { name: "big".into(), ..alert() }];
        let (mut book, review) = (Book::default(), Some(Severity::Review));
        let both = [rings("small", "acme", review), rings("big", "acme", Some(Severity::Crisis))];
        assert_eq!(book.tick(&alerts, &both, 0), [(2, Notice::Opened)]);
        assert_eq!(book.all[0].muted_by, Some(2));
        // Nothing is escalated or reminded of meanwhile; the crisis is.
        assert_eq!(book.tick(&alerts, &both, 16), [(2, Notice::Escalated)]);
        incident::end(&mut book.all[1], Timestamp::UNIX_EPOCH + Span::mins(17));
        assert_eq!(book.tick(&alerts, &both[..1], 18), [(1, Notice::Opened)]);
        assert_eq!((book.all[0].muted_by, book.all[0].steps_taken), (None, 1));
        let other = Verdict { topic: "globex".into(), ..rings("small", "globex", review) };
        let told = book.tick(&alerts, &[rings("big", "acme", Some(Severity::Crisis)), other], 19);
        assert!(told.contains(&(3, Notice::Opened)), "another brand is another cause: {told:?}");
    }

    #[test]
    fn what_is_silenced_calls_nobody_until_it_is_worse_or_the_silence_ends() {
        let alerts = [Alert { name: "small".into(), remind: None, ..alert() }];
        let mut book = Book::default();
        let t = |minute| Timestamp::UNIX_EPOCH + Span::mins(minute);
        book.silences = vec![Silence {
            id: 7,
            alert: None,
            topic: Some("acme".into()),
            upto: Severity::Escalate,
            from: t(0),
            until: t(60),
            by: "anna".into(),
            reason: "known".into(),
        }];
        let rings = |s| [rings("small", "acme", Some(s))];
        assert_eq!(book.tick(&alerts, &rings(Severity::Review), 1), [], "it is recorded, and calls nobody");
        assert_eq!((book.all[0].silenced_by, book.all[0].next_step, book.all[0].steps_taken), (Some(7), None, 0));
        assert_eq!(book.tick(&alerts, &rings(Severity::Review), 30), []);
        let mut other = Book { silences: book.silences.clone(), all: book.all.clone(), ..Book::default() };
        assert_eq!(other.tick(&alerts, &rings(Severity::Review), 60), [(1, Notice::Opened)], "the silence is over");
        assert_eq!(
            book.tick(&alerts, &rings(Severity::Crisis), 31),
            [(1, Notice::Opened)],
            "a crisis calls all the same"
        );
        assert_eq!(book.all[0].silenced_by, None);
    }

    #[test]
    fn what_is_muted_and_becomes_a_crisis_itself_calls() {
        let alerts = [Alert { name: "small".into(), ..alert() }, Alert { name: "big".into(), ..alert() }];
        let mut book = Book::default();
        let both = |s| [rings("big", "acme", Some(Severity::Crisis)), rings("small", "acme", Some(s))];
        book.tick(&alerts, &both(Severity::Review), 0);
        assert!(book.all[1].muted_by.is_some());
        let told = book.tick(&alerts, &both(Severity::Crisis), 1);
        assert!(told.iter().any(|(id, _)| *id == 2), "{told:?}");
    }

    #[test]
    fn a_rule_that_floods_opens_one_incident_for_the_rest() {
        let alerts = [Alert { most_an_hour: 20, ..alert() }];
        let mut book = Book::default();
        let all: Vec<Verdict> =
            (0..5000).map(|n| rings("acme-negative", &format!("g{n}"), Some(Severity::Review))).collect();
        let told = book.tick(&alerts, &all, 0);
        assert_eq!(told.len(), 21);
        assert_eq!(book.all.len(), 21);
        let flood = book.all.iter().find(|i| i.group == FLOOD).expect("it stands for the rest");
        assert_eq!(flood.flood.as_ref().map(|f| f.kept_back), Some(1000));
        // The same again is not more of it, and nobody is told twice.
        assert_eq!(book.tick(&alerts, &all, 1), []);
        assert_eq!(book.all.len(), 21);
        let calm: Vec<Verdict> = all.iter().map(|v| Verdict { severity: None, ..v.clone() }).collect();
        let told = book.tick(&alerts, &calm, 200);
        assert_eq!(told.iter().filter(|(_, n)| *n == Notice::Resolved).count(), 21);
    }

    #[test]
    fn a_part_that_still_rings_outlives_the_calm_of_its_whole_and_not_its_end_by_people() {
        let rules = [Alert { name: "x".into(), ..alert() }, Alert { name: "y".into(), ..alert() }];
        for (by_people, worse) in [(true, false), (false, false), (true, true), (false, true)] {
            let mut book = Book::default();
            let both = |part| [rings("x", "g", Some(Severity::Escalate)), rings("y", "g", Some(part))];
            book.tick(&rules, &both(Severity::Escalate), 0);
            let now = Timestamp::UNIX_EPOCH + Span::mins(1);
            let mut part = book.all.remove(1);
            let people = people();
            let charge = Charge::of(Some(&rules[0]), &people);
            crate::engine::acts::merge(&mut part, &mut book.all[0], charge, now).expect("it can").expect("it is new");
            book.all.push(part);
            let severity = if worse { Severity::Crisis } else { Severity::Escalate };
            book.tick(&rules, &both(severity), 2);
            assert_eq!(book.all[1].is_hushed(), !worse, "what is worse is no part");
            incident::end(&mut book.all[0], Timestamp::UNIX_EPOCH + Span::mins(if by_people { 3 } else { 4 }));
            let told = book.tick(&rules, &[rings("x", "g", None), rings("y", "g", Some(severity))], 4);
            let part = &book.all[1];
            let ends = by_people && !worse;
            assert_eq!(part.status == Status::Resolved, ends, "by people {by_people}, worse {worse}");
            assert_eq!((part.merged_into.is_some(), part.is_hushed()), (ends, ends));
            // What was muted calls now; what had called goes on as it did.
            assert_eq!(told.is_empty(), ends || worse, "{told:?}");
        }
    }

    #[test]
    fn what_is_tried_out_is_recorded_as_such() {
        let alerts = [Alert { shadow: true, ..alert() }];
        let mut book = Book::default();
        book.tick(&alerts, &[rings("acme-negative", "acme", Some(Severity::Crisis))], 0);
        assert!(book.all[0].shadow);
        let loud = [Alert { name: "small".into(), ..alert() }, alerts[0].clone()];
        let told = book.tick(&loud, &[rings("small", "acme", Some(Severity::Review))], 1);
        assert_eq!(told, [(2, Notice::Opened)], "what is tried out mutes nothing");
    }
}
