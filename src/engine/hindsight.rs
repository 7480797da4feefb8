//! What a run over the past came to: the course of each incident, whom it would have told, and how quiet it was.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::replay::Happening;
use crate::model::time::{Span, between, from_millis};
use crate::model::{Incident, Notice, Severity};

/// A stretch of time in which an incident was open; without an end it still is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// When it opened, or came back.
    pub from: Timestamp,
    /// When it was resolved.
    pub to: Option<Timestamp>,
}

/// A severity that an incident reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rise {
    /// When.
    pub at: Timestamp,
    /// To what.
    pub to: Severity,
}

/// The course of one incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Course {
    /// Its number within the run, counted from 1.
    pub incident: i64,
    /// The alert rule.
    pub alert: String,
    /// The group.
    pub group: String,
    /// The topic that people know it by.
    pub topic: String,
    /// When it opened.
    pub opened: Timestamp,
    /// The worst severity that it reached.
    pub severity: Severity,
    /// The severities that it went through, the one that it opened with first.
    pub rises: Vec<Rise>,
    /// When it was open.
    pub open: Vec<Stretch>,
    /// Minutes that it was open altogether, within the run.
    pub minutes: f64,
    /// Most mentions seen in one window.
    pub peak: u64,
    /// Mentions that were expected in that window.
    pub expected: f64,
    /// Messages to each person, reminders included. Of a rule that is only tried out: those that it would have caused.
    pub told: BTreeMap<String, u32>,
    /// The worse incident that muted it last.
    pub muted_by: Option<i64>,
    /// Its rule is only tried out: nobody would have been called.
    pub shadow: bool,
    /// Incidents that its rule would have opened beyond its cap, for which it stands.
    pub kept_back: u64,
}

impl Course {
    /// Messages altogether.
    pub fn messages(&self) -> u32 {
        self.told.values().sum()
    }

    /// When it was first open within a stretch of time; `None` where it was not.
    pub fn open_within(&self, from: Timestamp, to: Timestamp) -> Option<Timestamp> {
        let first = self.open.iter().find(|s| s.from <= to && s.to.is_none_or(|end| end >= from));
        first.map(|s| s.from.max(from))
    }
}

/// The courses of all incidents of a run that ended at an instant, in the order of their numbers.
pub fn courses(log: &[Happening], incidents: &[Incident], end: Timestamp) -> Vec<Course> {
    let mut out: Vec<Course> = incidents.iter().map(beginning).collect();
    for h in log {
        let place = usize::try_from(h.incident - 1).ok();
        let Some(course) = place.and_then(|n| out.get_mut(n)) else { continue };
        for person in &h.told {
            *course.told.entry(person.clone()).or_default() += 1;
        }
        if course.rises.last().is_none_or(|last| h.severity > last.to) {
            course.rises.push(Rise { at: h.at, to: h.severity });
        }
        course.muted_by = h.muted_by.or(course.muted_by);
        let is_open = course.open.last().is_some_and(|s| s.to.is_none());
        match h.notice {
            Notice::Opened | Notice::Reopened if !is_open => course.open.push(Stretch { from: h.at, to: None }),
            Notice::Resolved => {
                if let Some(last) = course.open.last_mut() {
                    last.to = Some(h.at);
                }
            }
            _ => {}
        }
    }
    for course in &mut out {
        let length = |s: &Stretch| between(s.from, s.to.unwrap_or(end)).as_minutes().max(0.0);
        course.minutes = course.open.iter().map(length).sum();
    }
    out
}

fn beginning(i: &Incident) -> Course {
    Course {
        incident: i.id,
        alert: i.alert.clone(),
        group: i.group.clone(),
        topic: i.topic.clone(),
        opened: i.opened,
        severity: i.severity,
        rises: Vec::new(),
        open: Vec::new(),
        minutes: 0.0,
        peak: i.peak,
        expected: i.evidence.signals.expected,
        told: BTreeMap::new(),
        muted_by: i.muted_by,
        shadow: i.shadow,
        kept_back: i.flood.as_ref().map_or(0, |f| f.kept_back),
    }
}

/// Messages to one person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Post {
    /// The person's name.
    pub person: String,
    /// Messages.
    pub messages: u32,
    /// Messages a week.
    pub a_week: f64,
}

/// A run in a few numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// When it began.
    pub from: Timestamp,
    /// When it ended.
    pub to: Timestamp,
    /// Its length.
    pub weeks: f64,
    /// Incidents.
    pub incidents: usize,
    /// Incidents by their worst severity, mildest first.
    pub severities: BTreeMap<Severity, usize>,
    /// Incidents of rules that are only tried out.
    pub shadow: usize,
    /// Incidents that a worse one muted.
    pub muted: usize,
    /// Incidents a week.
    pub a_week: f64,
    /// Messages to persons, by name; what is only tried out sends none.
    pub posts: Vec<Post>,
    /// The share of the time in which no incident was open that calls somebody, 0..1.
    pub quiet: f64,
}

/// The length of a run in weeks; never nothing, so that it can be divided by.
pub fn weeks(from: Timestamp, to: Timestamp) -> f64 {
    (between(from, to).as_minutes() / Span::days(7).as_minutes()).max(1e-9)
}

/// A run of some courses, in a few numbers.
pub fn summary(courses: &[Course], from: Timestamp, to: Timestamp) -> Summary {
    let weeks = weeks(from, to);
    let mut severities: BTreeMap<Severity, usize> = Severity::ALL.into_iter().map(|s| (s, 0)).collect();
    let mut told: BTreeMap<&str, u32> = BTreeMap::new();
    for c in courses {
        *severities.entry(c.severity).or_default() += 1;
        for (person, n) in c.told.iter().filter(|_| !c.shadow) {
            *told.entry(person).or_default() += n;
        }
    }
    let post = |(person, messages): (&str, u32)| Post {
        person: person.to_owned(),
        messages,
        a_week: f64::from(messages) / weeks,
    };
    Summary {
        from,
        to,
        weeks,
        incidents: courses.len(),
        severities,
        shadow: courses.iter().filter(|c| c.shadow).count(),
        muted: courses.iter().filter(|c| c.muted_by.is_some()).count(),
        a_week: courses.len() as f64 / weeks,
        posts: told.into_iter().map(post).collect(),
        quiet: quiet(courses, from, to),
    }
}

/// The share of a time in which nothing was open.
fn quiet(courses: &[Course], from: Timestamp, to: Timestamp) -> f64 {
    let all = to.as_millisecond() - from.as_millisecond();
    let calling = courses.iter().filter(|c| !c.shadow).flat_map(|c| &c.open);
    let mut open: Vec<(i64, i64)> =
        calling.map(|s| (s.from.as_millisecond(), s.to.unwrap_or(to).as_millisecond())).collect();
    open.sort_unstable();
    let (mut until, mut loud) = (from.as_millisecond(), 0);
    for (begin, end) in open {
        let begin = begin.max(until);
        loud += (end - begin).max(0);
        until = until.max(end);
    }
    if all > 0 { 1.0 - loud as f64 / all as f64 } else { 1.0 }
}

/// Counts of mentions by hour, for a course over days and weeks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hours(BTreeMap<i64, (u32, u32)>);

const HOUR: i64 = Span::hours(1).as_millis();

impl Hours {
    /// Counts a mention.
    pub fn count(&mut self, at: Timestamp, negative: bool) {
        let hour = self.0.entry(at.as_millisecond().div_euclid(HOUR)).or_default();
        hour.0 = hour.0.saturating_add(1);
        hour.1 = hour.1.saturating_add(negative.into());
    }

    /// Mentions and negative ones in each bucket of so many hours, which begin with multiples of their length in UTC;
    /// and when the first bucket begins.
    pub fn buckets(&self, from: Timestamp, to: Timestamp, hours: i64) -> (Timestamp, Vec<u32>, Vec<u32>) {
        let hours = hours.max(1);
        let place = |at: Timestamp| at.as_millisecond().div_euclid(HOUR * hours);
        let (first, last) = (place(from), place(to));
        let slots = usize::try_from(last - first + 1).unwrap_or(0);
        let (mut all, mut negative) = (vec![0u32; slots], vec![0u32; slots]);
        for (hour, (n, bad)) in &self.0 {
            let slot = usize::try_from(hour.div_euclid(hours) - first).unwrap_or(usize::MAX);
            if let (Some(a), Some(b)) = (all.get_mut(slot), negative.get_mut(slot)) {
                *a = a.saturating_add(*n);
                *b = b.saturating_add(*bad);
            }
        }
        (from_millis(first * HOUR * hours), all, negative)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn t(minute: i64) -> Timestamp {
        from_millis(Span::mins(minute).as_millis())
    }

    /// An incident that was open from one minute to another.
    pub(crate) fn course(incident: i64, alert: &str, from: i64, to: i64) -> Course {
        Course {
            incident,
            alert: alert.into(),
            group: "acme".into(),
            topic: "acme".into(),
            opened: t(from),
            severity: Severity::Review,
            rises: vec![Rise { at: t(from), to: Severity::Review }],
            open: vec![Stretch { from: t(from), to: Some(t(to)) }],
            minutes: (to - from) as f64,
            peak: 12,
            expected: 1.5,
            told: [("anna".to_owned(), 2)].into(),
            muted_by: None,
            shadow: false,
            kept_back: 0,
        }
    }

    #[test]
    fn a_run_in_numbers() {
        let week = Span::days(7).as_minutes() as i64;
        let mut all = vec![course(1, "a", 0, 1008), course(2, "a", 504, 1512), course(3, "b", 3000, 4008)];
        all[1].severity = Severity::Crisis;
        all[2].shadow = true;
        let s = summary(&all, t(0), t(2 * week));
        assert_eq!((s.incidents, s.shadow, s.muted, s.a_week), (3, 1, 0, 1.5));
        assert_eq!(s.posts, [Post { person: "anna".into(), messages: 4, a_week: 2.0 }]);
        assert!((s.quiet - (1.0 - 1512.0 / (2 * week) as f64)).abs() < 1e-9, "{}", s.quiet);
        assert_eq!(s.severities.get(&Severity::Crisis), Some(&1));
    }

    #[test]
    fn counts_by_hour_are_put_into_longer_buckets() {
        let mut hours = Hours::default();
        for (minute, negative) in [(5, true), (59, false), (60, true), (26 * 60, false), (90 * 60, false)] {
            hours.count(t(minute), negative);
        }
        let (first, all, negative) = hours.buckets(t(3), t(26 * 60), 24);
        assert_eq!((first, all, negative), (t(0), vec![3, 1], vec![2, 0]));
        assert_eq!(hours.buckets(t(0), t(61), 1).1, [2, 1]);
    }
}
