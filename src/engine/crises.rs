//! Crises that are known to have been, held against the incidents of a run: which were caught, how early, and what rang
//! for nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::hindsight::{Course, weeks};
use crate::model::time::{Span, between, from_millis};
use crate::model::{Alert, Mention, Severity};

/// What a crisis was about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum About {
    /// A topic: any rule that listens to it may catch it.
    Topic(String),
    /// An alert rule, which has to catch it.
    Alert(String),
}

/// A crisis that is known to have been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Crisis {
    /// What people call it.
    pub name: String,
    /// When it began.
    pub from: Timestamp,
    /// When it was over.
    pub to: Timestamp,
    /// What it was about.
    pub about: About,
    /// When it was at its height; `None` for the beginning of its busiest 15 minutes.
    pub peak: Option<Timestamp>,
    /// When the first article of the national press appeared; `None` for the first mention of a tier-1 site.
    pub first_article: Option<Timestamp>,
}

impl Crisis {
    /// Whether a mention is about it.
    fn concerns(&self, m: &Mention, alerts: &[Alert]) -> bool {
        if m.at < self.from || m.at > self.to {
            return false;
        }
        match &self.about {
            About::Topic(topic) => m.topics.contains(topic),
            About::Alert(name) => alerts.iter().find(|a| a.name == *name).is_some_and(|a| {
                let mut topics = a.topics.iter();
                let hit = |t: &String| m.topics.contains(t);
                if a.any { topics.any(hit) } else { !a.topics.is_empty() && topics.all(hit) }
            }),
        }
    }

    /// Whether an incident may stand for it.
    fn may_be(&self, course: &Course, alerts: &[Alert]) -> bool {
        match &self.about {
            About::Alert(name) => course.alert == *name,
            About::Topic(topic) => {
                let rule = alerts.iter().find(|a| a.name == course.alert);
                let each = rule.is_some_and(|a| a.any && a.group_by.iter().any(|g| g == "topic"));
                // A rule over several topics opens for each of them, or for all at once.
                course.topic == *topic || (!each && rule.is_some_and(|a| a.topics.contains(topic)))
            }
        }
    }
}

/// What the mentions of a run tell of each crisis.
#[derive(Debug)]
pub struct Observed<'c> {
    crises: &'c [Crisis],
    /// Of each: mentions by minute, and when a tier-1 site first carried it.
    seen: Vec<(BTreeMap<i64, u32>, Option<Timestamp>)>,
}

const MINUTE: i64 = Span::mins(1).as_millis();
/// Minutes of the stretch that is the height of a crisis.
const HEIGHT: i64 = 15;

impl<'c> Observed<'c> {
    /// Nothing is seen yet.
    pub fn new(crises: &'c [Crisis]) -> Observed<'c> {
        Observed { crises, seen: vec![(BTreeMap::new(), None); crises.len()] }
    }

    /// Takes a mention in; they come in the order of event time.
    pub fn see(&mut self, m: &Mention, alerts: &[Alert]) {
        for (crisis, (minutes, article)) in self.crises.iter().zip(&mut self.seen) {
            if crisis.concerns(m, alerts) {
                *minutes.entry(m.at.as_millisecond().div_euclid(MINUTE)).or_default() += 1;
                *article = article.or((m.tier == 1).then_some(m.at));
            }
        }
    }

    /// When a crisis was at its height, and when the first article appeared.
    fn of(&self, n: usize) -> (Option<Timestamp>, Option<Timestamp>) {
        let Some((crisis, (minutes, article))) = self.crises.get(n).zip(self.seen.get(n)) else { return (None, None) };
        (crisis.peak.or_else(|| busiest(minutes)), crisis.first_article.or(*article))
    }
}

/// When the busiest quarter of an hour began; the first of several.
fn busiest(minutes: &BTreeMap<i64, u32>) -> Option<Timestamp> {
    let mut best: Option<(u32, i64)> = None;
    for first in minutes.keys() {
        let sum = minutes.range(*first..*first + HEIGHT).map(|(_, n)| *n).sum();
        if best.is_none_or(|(most, _)| sum > most) {
            best = Some((sum, *first));
        }
    }
    best.map(|(_, minute)| from_millis(minute * MINUTE))
}

/// What became of one crisis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The crisis.
    pub crisis: String,
    /// When it was at its height; `None` where nothing was seen of it.
    pub peak: Option<Timestamp>,
    /// When the first article of the national press appeared, where one did.
    pub first_article: Option<Timestamp>,
    /// The incident that caught it first.
    pub incident: Option<i64>,
    /// Its alert rule.
    pub alert: Option<String>,
    /// When it was first open within the crisis.
    pub caught: Option<Timestamp>,
    /// The worst severity of the incidents that caught it.
    pub severity: Option<Severity>,
    /// Minutes from then to the height; negative where it was over.
    pub before_peak: Option<f64>,
    /// Minutes from then to the first article; negative where it had appeared.
    pub before_article: Option<f64>,
    /// Minutes from the beginning of the crisis until it was caught.
    pub after_start: Option<f64>,
}

/// A run, held against what is known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Of each crisis within the run, in the order given.
    pub crises: Vec<Outcome>,
    /// Crises that were caught.
    pub caught: usize,
    /// Crises that were not.
    pub missed: usize,
    /// Numbers of the incidents that were open in no crisis that they may stand for, nor beside one that caught a crisis.
    pub false_alarms: Vec<i64>,
    /// The same a week.
    pub false_alarms_a_week: f64,
    /// The middle of the times from being caught to the height, minutes.
    pub median_before_peak: Option<f64>,
}

/// Holds the incidents of a run from one instant to another against the crises that fall into it.
pub fn score(
    courses: &[Course],
    alerts: &[Alert],
    observed: &Observed<'_>,
    (from, to): (Timestamp, Timestamp),
) -> Score {
    let mut crises = Vec::new();
    let mut right: Vec<i64> = Vec::new();
    for (n, crisis) in observed.crises.iter().enumerate().filter(|(_, c)| c.to >= from && c.from <= to) {
        let (peak, first_article) = observed.of(n);
        let opened = |c: &Course| c.open_within(crisis.from, crisis.to);
        let mut of: Vec<(Timestamp, &Course)> =
            courses.iter().filter(|c| crisis.may_be(c, alerts)).filter_map(|c| Some((opened(c)?, c))).collect();
        of.sort_by_key(|(at, c)| (*at, c.incident));
        // Whatever else rings meanwhile for what people know it by rings for the same cause.
        let same = |c: &&Course| of.iter().any(|(_, right)| right.topic == c.topic) && opened(c).is_some();
        right.extend(courses.iter().filter(same).map(|c| c.incident));
        let first = of.first();
        let caught = first.map(|(at, _)| *at);
        let until = |then: Option<Timestamp>| Some(between(caught?, then?).as_minutes());
        crises.push(Outcome {
            crisis: crisis.name.clone(),
            peak,
            first_article,
            incident: first.map(|(_, c)| c.incident),
            alert: first.map(|(_, c)| c.alert.clone()),
            caught,
            severity: of.iter().map(|(_, c)| c.severity).max(),
            before_peak: until(peak),
            before_article: until(first_article),
            after_start: caught.map(|at| between(crisis.from, at).as_minutes()),
        });
    }
    let caught = crises.iter().filter(|o| o.caught.is_some()).count();
    let false_alarms: Vec<i64> = courses.iter().map(|c| c.incident).filter(|id| !right.contains(id)).collect();
    Score {
        caught,
        missed: crises.len() - caught,
        false_alarms_a_week: false_alarms.len() as f64 / weeks(from, to),
        median_before_peak: median(crises.iter().filter_map(|o| o.before_peak).collect()),
        false_alarms,
        crises,
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() % 2 {
        1 => values.get(half).copied(),
        _ => Some((values.get(half.checked_sub(1)?)? + values.get(half)?) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::hindsight::tests::{course, t};
    use super::*;

    fn crisis(name: &str, from: i64, to: i64, about: About) -> Crisis {
        Crisis { name: name.into(), from: t(from), to: t(to), about, peak: None, first_article: None }
    }

    fn mention(minute: i64, tier: u8) -> Mention {
        Mention { topics: vec!["acme".into()], tier, ..Mention::of_text("", t(minute)) }
    }

    #[test]
    fn crises_are_caught_or_missed_and_the_rest_is_false() {
        let topic = || About::Topic("acme".into());
        let crises = [
            crisis("fire", 100, 300, topic()),
            crisis("strike", 1000, 1100, topic()),
            crisis("leak", 2000, 2100, About::Alert("other".into())),
        ];
        let mut seen = Observed::new(&crises);
        let busy = (100..200).step_by(10).chain(160..180);
        busy.for_each(|minute| seen.see(&mention(minute, u8::from(minute == 170)), &[]));
        // Open long before, and again in time; only after the end; by a rule that is not asked for.
        let mut all = vec![
            course(1, "a", 90, 120),
            course(2, "a", 1101, 1200),
            course(3, "a", 2000, 2010),
            course(4, "b", 150, 160),
        ];
        all[3].topic = "else".into();
        let week = Span::days(7).as_minutes() as i64;
        let score = score(&all, &[], &seen, (t(0), t(week)));
        assert_eq!((score.caught, score.missed), (1, 2));
        assert_eq!(score.false_alarms, [2, 3, 4]);
        assert_eq!(score.false_alarms_a_week, 3.0);
        let fire = &score.crises[0];
        assert_eq!((fire.peak, fire.first_article), (Some(t(160)), Some(t(170))));
        assert_eq!((fire.before_peak, fire.before_article, fire.after_start), (Some(60.0), Some(70.0), Some(0.0)));
        assert_eq!(score.median_before_peak, Some(60.0));
    }

    #[test]
    fn what_is_given_is_believed_and_other_times_are_left_out() {
        let given = Crisis { peak: Some(t(50)), ..crisis("a", 0, 100, About::Topic("acme".into())) };
        let crises = [given, crisis("b", 5000, 6000, About::Topic("acme".into()))];
        let seen = Observed::new(&crises);
        let score = score(&[course(1, "a", 60, 90)], &[], &seen, (t(0), t(1000)));
        assert_eq!((score.crises.len(), score.crises[0].before_peak), (1, Some(-10.0)));
        assert_eq!(median(vec![3.0, 1.0, 2.0, 10.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }
}
