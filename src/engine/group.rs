//! One group: its windows, what it has learned and remembers, and what its rules say when it is looked at.

use std::sync::Arc;

use jiff::Timestamp;

use super::baseline::{Baseline, GRACE, Outlook, Prior};
use super::detect::{GroupKey, Standing, Verdict};
use super::firsts::Firsts;
use super::rule::Rule;
use super::terms::{Said, Terms};
use super::wall::Ahead;
use super::window::Window;
use crate::model::time::{Span, between};
use crate::model::{Evidence, Mention, Planned, Signals};

/// What one rule knows of a group.
#[derive(Debug)]
struct Watcher {
    /// Number of the rule.
    rule: usize,
    /// Number of its window.
    window: usize,
    /// Since when its condition holds.
    since: Option<Timestamp>,
    firsts: Option<Box<Firsts>>,
    terms: Option<Box<Terms>>,
}

/// What is known of times, beside what groups learn themselves.
#[derive(Debug, Clone, Copy)]
pub struct Times<'t> {
    /// Times that nobody watched: from and to.
    pub unwatched: &'t [(Timestamp, Timestamp)],
    /// Known events.
    pub planned: &'t [Planned],
    /// Those of them that may be on.
    pub near: &'t [Planned],
    /// What the clock on the wall shows; `None` where all go by UTC.
    pub ahead: Option<Ahead>,
}

/// What each window of a group shows while it is looked at, and whether that holds the surprise; lent to one group after
/// the other.
pub type Looked = Vec<Option<(Outlook, Signals, bool)>>;

/// A group of a scope.
#[derive(Debug)]
pub struct Group {
    /// Number of the scope.
    pub scope: usize,
    /// The values grouped by, joined by `/`.
    pub name: String,
    /// The topic that people know it by.
    pub topic: String,
    /// What it has learned.
    pub baseline: Baseline,
    /// When it is looked at next.
    pub next_look: Option<Timestamp>,
    /// Rules of the same span share a window.
    windows: Vec<Window>,
    watchers: Vec<Watcher>,
    /// It watches over a source's silence: it is looked at though nothing comes.
    silent: bool,
}

/// What holds and is not yet told is looked at this often, and this often what is live.
const CLOSELY: Span = Span::secs(1);
const LIVE: Span = Span::secs(15);
/// A group that nothing comes for is looked at this often while its windows hold something.
const PACE: Span = Span::mins(1);
/// The most that is told of who speaks for the first time and which words are new.
const ABOUT: usize = 5;

impl Group {
    /// A new group of a scope, taken for one like its siblings, for the rules over it.
    pub fn new<'r>(
        scope: usize,
        name: String,
        topic: String,
        prior: Prior,
        rules: impl Iterator<Item = (usize, &'r Rule)>,
    ) -> Group {
        let mut windows: Vec<Window> = Vec::new();
        let (mut watchers, mut silent) = (Vec::new(), false);
        for (number, rule) in rules {
            let alert = &rule.alert;
            let window = windows.iter().position(|w| w.span() == alert.window).unwrap_or_else(|| {
                windows.push(Window::new(alert.window));
                windows.len() - 1
            });
            silent |= !alert.silence_of.is_empty();
            watchers.push(Watcher {
                rule: number,
                window,
                since: None,
                firsts: alert.first_seen.clone().map(|want| Box::new(Firsts::new(want))),
                terms: alert.new_term.map(|least| Box::new(Terms::new(least, alert.window))),
            });
        }
        windows.shrink_to_fit();
        Group { scope, name, topic, baseline: Baseline::with_prior(prior), next_look: None, windows, watchers, silent }
    }

    /// Hears who speaks and which words are used. What is not `fresh` was heard before a restart.
    pub fn hear(&mut self, said: &Said<'_>, fresh: bool) {
        let news = fresh && !said.mention().history;
        for w in &mut self.watchers {
            if let Some(firsts) = &mut w.firsts {
                firsts.hear(said.mention(), news);
            }
            if let Some(terms) = &mut w.terms {
                terms.read(said, news);
            }
        }
    }

    /// Takes a mention into the windows, with the sentiment toward the group's topic.
    pub fn add(&mut self, m: &Mention, sentiment: Option<f32>) {
        self.windows.iter_mut().for_each(|w| w.add_felt(m, sentiment));
    }

    fn key(&self, rule: &Rule) -> GroupKey {
        GroupKey { alert: rule.alert.name.clone(), group: self.name.clone() }
    }

    /// What the rule of that number sees at an instant; `None` where it is not about this group.
    pub fn peek(&mut self, number: usize, rule: &Rule, now: Timestamp, planned: &[Planned]) -> Option<Evidence> {
        let w = self.watchers.iter().find(|w| w.rule == number)?;
        let window = self.windows.get_mut(w.window)?;
        window.slide(now);
        let near: Vec<Planned> = planned.iter().filter(|p| p.concerns(&self.topic)).cloned().collect();
        let outlook = self.baseline.outlook(now, window.span(), &near);
        let mut s = window.signals(now, &outlook, &self.baseline);
        let from = now - window.span();
        s.first_seen = w.firsts.as_ref().map_or(0, |f| f.since(from).len() as u64);
        s.new_terms = w.terms.as_ref().map_or(0, |t| t.new_at(now).len() as u64);
        let mut evidence = rule.evidence(s, Vec::new());
        evidence.range = (outlook.range(0.0, 0.95).1, outlook.range(0.0, 0.999).1);
        evidence.held = w.since.map_or(Span::ZERO, |since| between(since, now));
        Some(evidence)
    }

    /// Learns what is over, judges every rule, and says whether it learned something, and how soon it has to be looked at
    /// again; `None` where nothing is in its windows and nothing is live.
    pub fn look(
        &mut self,
        rules: &[Rule],
        now: Timestamp,
        live: &[(usize, Standing)],
        times: &Times<'_>,
        looked: &mut Looked,
        out: &mut Vec<Verdict>,
    ) -> (bool, Option<Span>) {
        let ringing = live.iter().any(|(_, standing)| standing.open);
        let blind = |from: Timestamp, to: Timestamp| times.unwatched.iter().any(|(a, b)| *a < to && *b > from);
        let topic = &self.topic;
        let planned =
            |from: Timestamp, to: Timestamp| times.planned.iter().any(|p| p.touches(from, to) && p.concerns(topic));
        let unknown = |from: Timestamp, to: Timestamp| ringing || blind(from, to) || planned(from, to);
        if let Some(ahead) = times.ahead.filter(|a| !self.baseline.is_ahead(a.hours)) {
            // The hours before clocks changed are those of the clock as it was.
            if self.baseline.has_begun() && ahead.since < now {
                self.baseline.learn(ahead.since + GRACE, unknown);
            }
            self.baseline.go_by(ahead.hours);
        }
        let learned = self.baseline.learn(now, unknown);
        let near: Vec<Planned> = times.near.iter().filter(|p| p.concerns(topic)).cloned().collect();
        self.windows.iter_mut().for_each(|w| w.slide(now));
        looked.clear();
        looked.resize(self.windows.len(), None);
        let mut wait = PACE;
        for n in 0..self.watchers.len() {
            let Some((w, window)) = self.watchers.get(n).and_then(|w| Some((w, self.windows.get_mut(w.window)?)))
            else {
                continue;
            };
            let standing = live.iter().find(|(rule, _)| *rule == w.rule).map(|(_, standing)| *standing);
            let state = standing.map(|s| s.open);
            let Some(rule) = rules.get(w.rule) else { continue };
            // Nobody can say that a source was silent while nobody listened.
            let deaf = self.silent && blind(now - window.span(), now);
            let may = rule.may_hold(window.mentions()) && (self.silent || !window.is_empty()) && !deaf;
            if !may && state.is_none() {
                if let Some(w) = self.watchers.get_mut(n) {
                    w.since = None;
                }
                continue;
            }
            let baseline = &self.baseline;
            let Some(seen) = looked.get_mut(w.window) else { continue };
            let (outlook, s, whole) = seen.get_or_insert_with(|| {
                let outlook = baseline.outlook(now, window.span(), &near);
                (outlook, window.plain_signals(now, &outlook, baseline), false)
            });
            if state.is_none() && rule.cannot_hold(s) {
                if let Some(w) = self.watchers.get_mut(n) {
                    w.since = None;
                }
                continue;
            }
            if !std::mem::replace(whole, true) {
                s.surprise = outlook.surprise(s.mentions);
            }
            // These are dear, and few ask for them.
            if rule.names_negative_surprise() {
                s.negative_surprise = baseline.negative_outlook(outlook).surprise(s.negative);
            }
            if rule.names_silence() {
                s.silence = outlook.silence(s.mentions);
            }
            let (outlook, mut s) = (*outlook, *s);
            let from = now - window.span();
            let firsts = w.firsts.as_ref().map(|f| f.since(from)).unwrap_or_default();
            let terms: Vec<String> = w
                .terms
                .as_ref()
                .map(|t| t.new_at(now).into_iter().map(|(word, people)| format!("{word} ({people} people)")).collect())
                .unwrap_or_default();
            (s.first_seen, s.new_terms) = (firsts.len() as u64, terms.len() as u64);
            let (holds, goes_on) = match may {
                true => (rule.holds(&s), state == Some(true) && rule.goes_on(&s)),
                false => (false, state == Some(true) && !deaf && rule.goes_on(&s)),
            };
            let since = holds.then(|| w.since.unwrap_or(now));
            let held = since.map_or(Span::ZERO, |since| between(since, now));
            let rings = goes_on || (holds && (state == Some(true) || held >= rule.alert.hold));
            wait = match (holds, state) {
                (true, None | Some(false)) => wait.min(CLOSELY),
                (_, Some(_)) => wait.min(LIVE),
                (false, None) => wait,
            };
            if rings || state.is_some() {
                let (severity, raised) = rule.severity(&s);
                let (severity, now_has) = (rings.then_some(severity), s.mentions);
                let known = |i: Standing| i.open && severity.is_none_or(|s| s <= i.severity && now_has <= i.peak);
                let evidence = if standing.is_some_and(known) {
                    Evidence { signals: s, ..Evidence::default() }
                } else {
                    s.silence = outlook.silence(s.mentions);
                    s.negative_surprise = baseline.negative_outlook(&outlook).surprise(s.negative);
                    let mut evidence = rule.evidence(s, if rings { raised } else { Vec::new() });
                    // What has rung already is told once; its range is worth computing once.
                    if state != Some(true) {
                        evidence.range = (outlook.range(0.0, 0.95).1, outlook.range(0.0, 0.999).1);
                    }
                    evidence.about = firsts.into_iter().take(ABOUT).chain(terms.into_iter().take(ABOUT)).collect();
                    evidence.held = held;
                    evidence
                };
                let evidence = Arc::new(evidence);
                out.push(Verdict { key: self.key(rule), topic: self.topic.clone(), severity, evidence });
            }
            if let Some(w) = self.watchers.get_mut(n) {
                w.since = since;
            }
        }
        let quiet = !self.silent && wait == PACE && self.windows.iter().all(Window::is_empty);
        (learned, (!quiet).then_some(wait))
    }
}
