//! The engine on mentions of the past or of a test, with a clock of its own: what would have opened, when, and who would
//! have been called.
//!
//! Time passes in whole seconds and jumps over those in which nothing is due. The same mentions give the same log, byte for
//! byte.

use std::collections::{BTreeMap, HashSet, VecDeque};

use jiff::Timestamp;
use serde::Serialize;

use super::acts::{self, Act};
pub use super::detect::Compiled;
use super::detect::{Detector, Live, Verdict};
use super::duty::{Decision, Duty, FLOOD, live, reached};
use super::incident::{self, Charge, REOPEN};
use crate::model::time::{Span, between, from_millis};
use crate::model::{Alert, Evidence, Incident, Mention, Notice, People, Planned, Severity, Silence, Status};

/// Something that happened to an incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    /// The incident's number.
    pub incident: i64,
    /// The alert rule.
    pub alert: String,
    /// The group.
    pub group: String,
    /// What happened.
    pub notice: Notice,
    /// How severe the incident was then.
    pub severity: Severity,
    /// Who was told, by name; nobody where it is muted.
    pub told: Vec<String>,
    /// The worse incident that mutes it.
    pub muted_by: Option<i64>,
    /// The rule is only tried out: they would have been told.
    pub shadow: bool,
}

/// A run of the engine.
#[derive(Debug)]
pub struct Replay<'r> {
    alerts: &'r [Alert],
    people: &'r People,
    detector: Detector,
    /// All incidents by number, the first being number 1.
    incidents: Vec<Incident>,
    /// The places of those that are live, oldest first.
    live: Vec<usize>,
    /// The groups of those, as the detector wants them.
    groups: Live,
    opened: VecDeque<(Timestamp, String)>,
    silences: Vec<Silence>,
    log: Vec<Happening>,
    now: Option<Timestamp>,
}

/// The beginning of the second after an instant.
fn second_after(at: Timestamp) -> Timestamp {
    from_millis((at.as_millisecond().div_euclid(1000) + 1) * 1000)
}

impl<'r> Replay<'r> {
    /// A run of some alert rules, which the rules room has checked.
    pub fn new(alerts: &'r [Alert], people: &'r People) -> Replay<'r> {
        Replay::of(&Compiled::new(alerts), alerts, people)
    }

    /// The same for rules that are compiled already.
    pub fn of(compiled: &Compiled, alerts: &'r [Alert], people: &'r People) -> Replay<'r> {
        Replay {
            alerts,
            people,
            detector: Detector::of(compiled),
            incidents: Vec::new(),
            live: Vec::new(),
            groups: Live::new(),
            opened: VecDeque::new(),
            silences: Vec::new(),
            log: Vec::new(),
            now: None,
        }
    }

    /// The same with events that are known to come.
    pub fn with_plan(mut self, planned: &[Planned]) -> Replay<'r> {
        self.detector.plan(planned.to_vec());
        self
    }

    /// The same in a zone, by its IANA name, whose hours the days of groups have.
    pub fn in_zone(mut self, name: &str) -> Replay<'r> {
        self.detector.set_zone(name);
        self
    }

    /// Takes a mention in when its time has come. Mentions come in the order of their event time; one that comes late is
    /// taken in now.
    pub fn feed(&mut self, m: &Mention) {
        if !m.history {
            self.until(m.at);
        }
        self.detector.feed(m);
    }

    /// Lets the time pass until an instant.
    pub fn until(&mut self, to: Timestamp) {
        // Time begins with the first that comes.
        let mut now = self.now.unwrap_or(to);
        while let Some(next) = self.next_due(now).filter(|next| *next <= to) {
            self.pass(next);
            now = next;
        }
        let now = now.max(to);
        self.now = Some(now);
        self.detector.attend(now);
    }

    /// The next whole second in which something is due.
    fn next_due(&self, from: Timestamp) -> Option<Timestamp> {
        let steps = self.live().flat_map(|i| [i.next_step, i.next_remind]).flatten();
        let ends = self.silences.iter().map(|s| s.until).filter(|until| *until > from);
        let due = self.detector.next_look().into_iter().chain(steps).chain(ends).min()?;
        Some(second_after(due.max(from) - Span::millis(1)).max(second_after(from)))
    }

    /// One second in which something is due.
    fn pass(&mut self, now: Timestamp) {
        self.now = Some(now);
        self.detector.attend(now);
        let verdicts = self.detector.tick(now, &self.groups);
        if self.live.is_empty() && verdicts.is_empty() {
            return;
        }
        while self.opened.front().is_some_and(|(at, _)| between(*at, now) >= Span::hours(1)) {
            self.opened.pop_front();
        }
        let mut opened: BTreeMap<String, u32> = BTreeMap::new();
        for (_, alert) in &self.opened {
            *opened.entry(alert.clone()).or_default() += 1;
        }
        let mut moved = false;
        for n in &self.live {
            let Some(i) = self.incidents.get_mut(*n) else { continue };
            let of =
                |v: &Verdict| (v.key.alert.as_str(), v.key.group.as_str()).cmp(&(i.alert.as_str(), i.group.as_str()));
            let verdict = verdicts.binary_search_by(of).ok().and_then(|n| verdicts.get(n));
            let alert = self.alerts.iter().find(|a| a.name == i.alert);
            // What goes on as it did needs no decision.
            if i.group != FLOOD
                && let Some(fired) = incident::stays(i, verdict, alert, now)
            {
                i.fired = fired;
            }
        }
        let next = i64::try_from(self.incidents.len()).unwrap_or(i64::MAX) + 1;
        let mut duty = Duty { alerts: self.alerts, people: self.people, silences: &self.silences, opened };
        let going: Vec<&Incident> = self.live().collect();
        for decision in duty.decide(&going, &verdicts, next, now) {
            moved = true;
            if decision.before.is_none() {
                self.opened.push_back((now, decision.incident.alert.clone()));
            }
            self.keep(decision, now);
        }
        let over = |i: &Incident| i.calm && i.resolved.is_some_and(|at| between(at, now) > REOPEN);
        let before = self.live.len();
        self.live.retain(|n| self.incidents.get(*n).is_some_and(|i| !over(i)));
        if moved || self.live.len() < before {
            self.groups = live(self.live());
        }
    }

    /// Incidents that are live, oldest first.
    fn live(&self) -> impl DoubleEndedIterator<Item = &Incident> {
        self.live.iter().filter_map(|n| self.incidents.get(*n))
    }

    /// Writes down what was decided.
    fn keep(&mut self, decision: Decision, now: Timestamp) {
        let Decision { mut incident, before, calls } = decision;
        let mut served: HashSet<String> = HashSet::new();
        let mut happened: Vec<(Notice, Vec<String>)> = Vec::new();
        for call in &calls {
            let persons = reached(&mut incident, call, self.people, now);
            let told = persons.into_iter().map(|p| p.name.clone()).filter(|name| served.insert(name.clone()));
            happened.push((call.notice, told.collect()));
        }
        let status = before.as_ref().map(|b| b.status);
        let silent = match (&before, status) {
            (None, _) => Some(Notice::Opened),
            (_, Some(s)) if s != Status::Resolved && incident.status == Status::Resolved => Some(Notice::Resolved),
            (_, Some(Status::Resolved)) if incident.status != Status::Resolved => Some(Notice::Reopened),
            (Some(b), _) if incident.severity > b.severity => Some(Notice::Raised),
            _ => None,
        };
        if let Some(notice) = silent.filter(|n| !happened.iter().any(|(h, _)| h == n)) {
            happened.insert(0, (notice, Vec::new()));
        }
        for (notice, told) in happened {
            self.log.push(Happening {
                at: now,
                incident: incident.id,
                alert: incident.alert.clone(),
                group: incident.group.clone(),
                notice,
                severity: incident.severity,
                told,
                muted_by: incident.muted_by,
                shadow: incident.shadow,
            });
        }
        if before.is_none() {
            self.live.push(self.incidents.len());
            self.incidents.push(incident);
            return;
        }
        if let Some(place) = usize::try_from(incident.id - 1).ok().and_then(|n| self.incidents.get_mut(n)) {
            *place = incident;
        }
    }

    /// Somebody does something with an incident at the present instant; there may be no such incident.
    pub fn act(&mut self, id: i64, by: &str, act: &Act) {
        let now = self.now.unwrap_or(Timestamp::MIN);
        let Some(before) = self.incident(id).cloned() else { return };
        let mut incident = before.clone();
        let charge = Charge::of(self.alerts.iter().find(|a| a.name == before.alert), self.people);
        let Some(calls) = act.on(&mut incident, by, "", charge, now) else { return };
        self.keep(Decision { incident, before: Some(before), calls }, now);
        self.groups = live(self.live());
    }

    /// One incident becomes part of another at the present instant, where it can be.
    pub fn merge(&mut self, part: i64, whole: i64) {
        let now = self.now.unwrap_or(Timestamp::MIN);
        let Some((before_part, before_whole)) = self.incident(part).cloned().zip(self.incident(whole).cloned()) else {
            return;
        };
        let (mut part, mut whole) = (before_part.clone(), before_whole.clone());
        let charge = Charge::of(self.alerts.iter().find(|a| a.name == whole.alert), self.people);
        let Ok(Some([of_part, of_whole])) = acts::merge(&mut part, &mut whole, charge, now) else { return };
        self.keep(Decision { incident: part, before: Some(before_part), calls: of_part }, now);
        self.keep(Decision { incident: whole, before: Some(before_whole), calls: of_whole }, now);
        self.groups = live(self.live());
    }

    /// Somebody lays a silence, which gets a number.
    pub fn silence(&mut self, silence: Silence) {
        let id = i64::try_from(self.silences.len()).unwrap_or(i64::MAX - 1) + 1;
        self.silences.push(Silence { id, ..silence });
    }

    /// What an alert rule sees now of each of its groups, whether it rings or not.
    pub fn peek(&mut self, alert: &str) -> Vec<(String, Evidence)> {
        self.now.map(|now| self.detector.peek(alert, now)).unwrap_or_default()
    }

    /// What has happened so far, in order.
    pub fn log(&self) -> &[Happening] {
        &self.log
    }

    /// All incidents, in the order of their numbers.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// One incident.
    pub fn incident(&self, id: i64) -> Option<&Incident> {
        self.incidents.get(usize::try_from(id - 1).ok()?)
    }

    /// The time that it is in this run; `None` before anything came.
    pub fn now(&self) -> Option<Timestamp> {
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::super::detect::tests::alert;
    use super::super::window::tests::mention;
    use super::*;
    use crate::model::{Person, Policy, Step};

    fn people() -> People {
        let person = |name: &str| Person {
            name: name.into(),
            full_name: name.into(),
            email: format!("{name}@acme.example"),
            time_zone: "UTC".into(),
            ..Person::default()
        };
        let step = |who: &str| Step { notify: vec![who.into()], wait: Span::mins(15), ..Step::default() };
        let policy =
            Policy { name: "pr".into(), steps: vec![step("anna"), step("bo")], repeat: 1, ..Policy::default() };
        People { persons: vec![person("anna"), person("bo")], policies: vec![policy], ..People::default() }
    }

    fn t(minute: i64) -> Timestamp {
        mention(0, minute, 0.0).at
    }

    /// Two quiet days, twenty complaints within ten minutes, then nothing.
    fn crisis() -> Vec<Mention> {
        let mut all: Vec<Mention> = (0..192).map(|n| mention(n, n * 15, 0.2)).collect();
        all.extend((0..20).map(|n| mention(1000 + n, 2880 + n / 2, -0.8)));
        all
    }

    fn run(alerts: &[Alert], people: &People, all: &[Mention], end: i64) -> Vec<String> {
        let mut replay = Replay::new(alerts, people);
        all.iter().for_each(|m| replay.feed(m));
        replay.until(t(end));
        let line = |h: &Happening| {
            let minutes = between(t(2880), h.at).as_minutes();
            format!("{minutes:.2} {} {} {}", h.notice.as_str(), h.severity, h.told.join("+"))
        };
        replay.log().iter().map(line).collect()
    }

    #[test]
    fn a_crisis_runs_its_course() {
        let log = run(&[Alert { remind: None, ..alert() }], &people(), &crisis(), 4000);
        let what: Vec<&str> = log.iter().map(|l| l.split_once(' ').map_or("", |(_, w)| w)).collect();
        assert_eq!(what, ["opened escalate anna", "escalated escalate bo", "resolved escalate anna+bo"], "{log:?}");
        assert!(log[0].starts_with("2.0") || log[0].starts_with("3.0") || log[0].starts_with("4.0"), "{log:?}");
        assert_eq!(log, run(&[Alert { remind: None, ..alert() }], &people(), &crisis(), 4000));
    }

    #[test]
    fn a_condition_has_to_hold_for_as_long_as_is_asked() {
        let soon = run(&[alert()], &people(), &crisis(), 2900);
        let later = run(&[Alert { hold: Span::mins(5), ..alert() }], &people(), &crisis(), 2900);
        let minute = |log: &[String]| log[0].split(' ').next().and_then(|m| m.parse::<f64>().ok()).unwrap_or(0.0);
        assert!((minute(&later) - minute(&soon) - 5.0).abs() < 0.05, "{soon:?} {later:?}");
        let never = run(&[Alert { hold: Span::mins(40), ..alert() }], &people(), &crisis(), 4000);
        assert_eq!(never, [""; 0]);
    }

    #[test]
    fn an_incident_goes_on_until_its_own_calm() {
        let end = |calm: Option<&str>| {
            let rule = Alert { calm: calm.map(str::to_owned), remind: None, resolve_after: Span::mins(5), ..alert() };
            // What comes after the crisis is not enough to ring, and not calm either.
            let mut all = crisis();
            all.extend((0..12).map(|n| mention(2000 + n, 2891 + n * 5, -0.8)));
            let log = run(&[rule], &people(), &all, 4000);
            log.iter().find(|l| l.contains("resolved")).and_then(|l| l.split(' ').next()?.parse::<f64>().ok())
        };
        let (plain, low) = (end(None).expect("it ends"), end(Some("mentions < 2")).expect("it ends"));
        assert!(low > plain + 30.0, "{plain} {low}");
    }

    #[test]
    fn a_source_that_falls_silent_is_noticed_and_a_quiet_one_is_not() {
        let watch = |name: &str| Alert {
            name: format!("silence-{name}"),
            silence_of: vec![name.into()],
            topics: Vec::new(),
            window: Span::hours(3),
            condition: "mentions == 0 && silence >= 4.0".into(),
            raise: Vec::new(),
            group_by: Vec::new(),
            remind: None,
            ..alert()
        };
        let source = |name: &str, m: Mention| Mention { source: name.into(), topics: Vec::new(), ..m };
        let mut all: Vec<Mention> = Vec::new();
        for hour in 0..240 {
            // One brings twelve an hour and stops after eight days; the other brings one a day.
            all.extend(
                (0..12).filter(|_| hour < 192).map(|n| source("wire", mention(hour * 100 + n, hour * 60 + n * 5, 0.0))),
            );
            all.extend((hour % 24 == 5).then(|| source("blog", mention(hour * 100 + 50, hour * 60, 0.0))));
        }
        let alerts = [watch("wire"), watch("blog")];
        let people = people();
        let mut replay = Replay::new(&alerts, &people);
        all.iter().for_each(|m| replay.feed(m));
        replay.until(t(241 * 60));
        let opened: Vec<&Incident> = replay.incidents().iter().collect();
        assert_eq!(opened.len(), 1, "{opened:?}");
        assert_eq!(opened[0].group, "wire");
        let after = between(t(192 * 60), opened[0].opened).as_minutes();
        assert!((150.0..200.0).contains(&after), "{after}");
    }

    #[test]
    fn who_acknowledges_stops_the_policy() {
        let (people, alerts) = (people(), [Alert { remind: None, ..alert() }]);
        let mut replay = Replay::new(&alerts, &people);
        crisis().iter().for_each(|m| replay.feed(m));
        replay.until(t(2893));
        replay.act(1, "anna", &Act::Acknowledge);
        replay.until(t(2950));
        let notices: Vec<Notice> = replay.log().iter().map(|h| h.notice).collect();
        assert_eq!(notices, [Notice::Opened, Notice::Acknowledged]);
    }
}
