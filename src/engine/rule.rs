//! An alert rule with its conditions compiled, and its judgement of one group's signals.

use std::sync::Arc;

use super::condition::Condition;
use super::rarity::days_apart;
use crate::model::{Alert, Evidence, Severity, Signals, Term};

/// An alert rule, ready to judge.
#[derive(Debug)]
pub struct Rule {
    /// As meant.
    pub alert: Alert,
    condition: Condition,
    calm: Option<Condition>,
    raise: Vec<(Severity, Condition)>,
    /// With fewer or more mentions the condition cannot hold.
    bounds: (u64, u64),
    silence: bool,
    negative: bool,
}

/// Alert rules with their conditions compiled, shared by all that run them.
#[derive(Debug, Clone, Default)]
pub struct Compiled(Arc<Vec<Rule>>);

impl Compiled {
    /// Compiles rules, which the rules room has checked: one whose condition does not compile is left out.
    pub fn new(alerts: &[Alert]) -> Compiled {
        Compiled(Arc::new(alerts.iter().filter_map(Rule::new).collect()))
    }
}

impl std::ops::Deref for Compiled {
    type Target = [Rule];

    fn deref(&self) -> &[Rule] {
        &self.0
    }
}

impl Rule {
    /// Compiles a rule, which the rules room has checked: one whose condition does not compile is left out.
    pub fn new(alert: &Alert) -> Option<Rule> {
        let condition = Condition::parse(&alert.condition).ok()?;
        let calm = alert.calm.as_ref().and_then(|text| Condition::parse(text).ok());
        let raise = alert.raise.iter().filter_map(|r| Some((r.to, Condition::parse(&r.when).ok()?))).collect();
        let bounds = condition.bounds();
        let raise: Vec<(Severity, Condition)> = raise;
        let names = |signal: &str| {
            let mut all = raise.iter().map(|(_, when)| when).chain(&calm).chain([&condition]);
            all.any(|c| c.names().contains(&signal))
        };
        let (silence, negative) = (names("silence"), names("negative_surprise"));
        Some(Rule { alert: alert.clone(), condition, calm, raise, bounds, silence, negative })
    }

    /// Whether so many mentions can be enough.
    pub fn may_hold(&self, mentions: u64) -> bool {
        (self.bounds.0..=self.bounds.1).contains(&mentions)
    }

    /// Whether its condition holds.
    pub fn holds(&self, s: &Signals) -> bool {
        self.may_hold(s.mentions) && s.sources >= self.alert.min_sources && self.condition.holds(s)
    }

    /// Whether it is judged by the silence.
    pub fn names_silence(&self) -> bool {
        self.silence
    }

    /// Whether it is judged by the surprise of the negative mentions alone.
    pub fn names_negative_surprise(&self) -> bool {
        self.negative
    }

    /// Whether its condition cannot hold, whatever the signals that cost most turn out to be.
    pub fn cannot_hold(&self, s: &Signals) -> bool {
        s.sources < self.alert.min_sources || self.condition.cannot_hold(s)
    }

    /// Whether an open incident of it goes on: its condition holds, or it is not yet calm.
    pub fn goes_on(&self, s: &Signals) -> bool {
        self.holds(s) || self.calm.as_ref().is_some_and(|calm| s.mentions > 0 && !calm.holds(s))
    }

    /// The severity that it asks for where it rings, and the reasons that raise it.
    pub fn severity(&self, s: &Signals) -> (Severity, Vec<(Severity, String)>) {
        let held = self.raise.iter().filter(|(_, when)| when.holds(s));
        let raised: Vec<(Severity, String)> = held.map(|(to, when)| (*to, when.text().to_owned())).collect();
        let severity = raised.iter().map(|(to, _)| *to).chain([self.alert.severity]).max();
        (severity.unwrap_or(self.alert.severity), raised)
    }

    /// Why it is judged so.
    pub fn evidence(&self, signals: Signals, raised: Vec<(Severity, String)>) -> Evidence {
        let mut terms = self.condition.terms(&signals);
        if self.alert.min_sources > 0 {
            let (value, threshold) = (signals.sources as f64, self.alert.min_sources as f64);
            let held = value >= threshold;
            terms.push(Term { signal: "sources".into(), op: ">=".into(), threshold, value, held });
        }
        let days_apart = self.days_apart(&signals, &terms);
        Evidence {
            signals,
            condition: self.condition.text().to_owned(),
            terms,
            raised,
            days_apart,
            ..Evidence::default()
        }
    }

    /// How seldom chance alone would bring what the rule asks for; 0 where it asks for nothing strange. How many negative
    /// ones are usual is taken as none, which counts too many looks rather than too few.
    fn days_apart(&self, s: &Signals, terms: &[Term]) -> f64 {
        let window = self.alert.window;
        let asked = |signal: &str| terms.iter().any(|t| t.signal == signal);
        let all = asked("surprise").then(|| days_apart(s.surprise, s.mentions, s.expected, window));
        let negative = asked("negative_surprise").then(|| days_apart(s.negative_surprise, s.negative, 0.0, window));
        all.into_iter().chain(negative).fold(0.0, f64::max)
    }
}
