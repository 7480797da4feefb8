//! What is legal and leaves somebody uncalled: hours in which nobody is on call, steps and policies that reach nobody (F99).

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Written;
use super::policies;
use crate::config::fault::Fault;
use crate::engine::oncall::{stretches, zone};
use crate::model::time::{Span, between};
use crate::model::{People, Policy, Severity};

/// How far is looked ahead.
const AHEAD: Span = Span::days(28);
/// Stretches that a warning names.
const NAMED: usize = 3;

impl Written {
    /// Looks four weeks ahead.
    pub(in crate::rules) fn coverage(&self, people: &People, now: Timestamp) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (written, schedule) in self.schedules.iter().zip(&people.schedules) {
            let gaps = schedule.gaps(now, now + AHEAD);
            if !gaps.is_empty() {
                let message = format!(
                    "nobody is on call by `{}` {} of the next four weeks: {}",
                    schedule.name,
                    for_so_long(&gaps),
                    told(&gaps, &zone(&schedule.time_zone))
                );
                faults.push(written.name.warning(message).help("add a layer without `only` before the others"));
            }
        }
        for (written, policy) in self.policies.iter().zip(&people.policies) {
            faults.extend(Watched { written, policy, people, now }.faults());
        }
        faults
    }
}

/// A policy over the next four weeks.
struct Watched<'w> {
    written: &'w policies::Written,
    policy: &'w Policy,
    people: &'w People,
    now: Timestamp,
}

impl Watched<'_> {
    fn faults(&self) -> Vec<Fault> {
        let instants = self.instants();
        let mut faults = self.steps(&instants);
        // What no step can do at any time has been told.
        if faults.is_empty() {
            faults.extend(self.silent(&instants));
            faults.extend(self.lonely(&instants));
        }
        faults.extend(self.waived(&instants));
        faults
    }

    /// Every instant from which on something may be different, the first one now.
    fn instants(&self) -> Vec<Timestamp> {
        let (from, to) = (self.now, self.now + AHEAD);
        let mut out = vec![from];
        let names = self.written.called().map(|p| p.name());
        for schedule in names.filter_map(|n| self.people.schedule(n)) {
            out.extend(schedule.shifts(from, to).iter().map(|s| s.from));
        }
        let zone = zone(&self.policy.time_zone);
        for step in &self.policy.steps {
            out.extend(stretches(&step.only, from, to, &zone).into_iter().flat_map(|(a, b)| [a, b]));
        }
        let first = from.to_zoned(zone.clone()).date();
        let days = first.series(jiff::ToSpan::day(1)).take(30);
        out.extend(days.filter_map(|d| zone.to_timestamp(d.at(0, 0, 0, 0)).ok()));
        out.retain(|at| from <= *at && *at < to);
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Steps that never reach anybody.
    fn steps(&self, instants: &[Timestamp]) -> Vec<Fault> {
        let steps = self.written.steps.iter().zip(&self.policy.steps).enumerate();
        let mut faults = Vec::new();
        for (n, ((places, _), step)) in steps {
            let reaches = |at: &Timestamp| !self.people.reach(&step.notify, *at).is_empty();
            if let Some(place) = places.first().filter(|_| !instants.iter().any(reaches)) {
                let message =
                    format!("step {} of policy `{}` reaches nobody in the next four weeks", n + 1, self.policy.name);
                faults.push(place.warning(message).help("name a person or a team as well"));
            }
        }
        faults
    }

    /// Times at which the whole policy reaches nobody.
    fn silent(&self, instants: &[Timestamp]) -> Option<Fault> {
        let names: Vec<String> = self.written.called().map(|p| p.name().to_owned()).collect();
        let when = self.when(instants, |at| self.people.reach(&names, at).is_empty());
        (!when.is_empty()).then(|| {
            let message =
                format!("policy `{}` reaches nobody {}: {}", self.policy.name, for_so_long(&when), self.told(&when));
            self.written.name.warning(message).help("add a last_resort that names a person or a team")
        })
    }

    /// A policy that can reach one person only: when that one sleeps, nobody is called.
    fn lonely(&self, instants: &[Timestamp]) -> Option<Fault> {
        let names: Vec<String> = self.written.called().map(|p| p.name().to_owned()).collect();
        let mut most: Vec<&str> = Vec::new();
        for at in instants {
            for person in self.people.reach(&names, *at) {
                if !most.contains(&person.name.as_str()) {
                    most.push(&person.name);
                }
            }
        }
        (most.len() == 1).then(|| {
            let message = format!("policy `{}` reaches one person only", self.policy.name);
            let help = "add a second step or a last_resort, so that somebody is called when that one sleeps";
            self.written.name.warning(message).help(help)
        })
    }

    /// Times at which no step counts for the mildest severity, and there is no last resort: conditions are waived then.
    fn waived(&self, instants: &[Timestamp]) -> Option<Fault> {
        if !self.policy.last_resort.is_empty() {
            return None;
        }
        for severity in Severity::ALL {
            let none = |at: Timestamp| !self.policy.steps.iter().any(|s| self.policy.applies(s, severity, at));
            let when = self.when(instants, none);
            if !when.is_empty() {
                let message = format!(
                    "no step of policy `{}` counts for `{severity}` {}, and it has no last_resort: {}",
                    self.policy.name,
                    for_so_long(&when),
                    self.told(&when)
                );
                let help =
                    "add a last_resort; without one the conditions do not count then, so that somebody is called";
                return Some(self.written.name.warning(message).help(help));
            }
        }
        None
    }

    /// The stretches in which something holds, neighbours as one.
    fn when(&self, instants: &[Timestamp], holds: impl Fn(Timestamp) -> bool) -> Vec<(Timestamp, Timestamp)> {
        let mut out: Vec<(Timestamp, Timestamp)> = Vec::new();
        let ends = instants.iter().skip(1).copied().chain([self.now + AHEAD]);
        for (from, to) in instants.iter().copied().zip(ends).filter(|(from, _)| holds(*from)) {
            match out.last_mut() {
                Some(last) if last.1 == from => last.1 = to,
                _ => out.push((from, to)),
            }
        }
        out
    }

    fn told(&self, when: &[(Timestamp, Timestamp)]) -> String {
        told(when, &zone(&self.policy.time_zone))
    }
}

/// How long all of it is together.
fn for_so_long(when: &[(Timestamp, Timestamp)]) -> String {
    let all: i64 = when.iter().map(|(from, to)| between(*from, *to).as_millis()).sum();
    if all == AHEAD.as_millis() { "for all".to_owned() } else { format!("for {}", Span::mins(all / 60_000)) }
}

fn told(when: &[(Timestamp, Timestamp)], zone: &TimeZone) -> String {
    let show = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%a %-d %b %H:%M").to_string();
    let mut parts: Vec<String> =
        when.iter().take(NAMED).map(|(from, to)| format!("{} to {}", show(*from), show(*to))).collect();
    if when.len() > NAMED {
        parts.push(format!("and {} times more", when.len() - NAMED));
    }
    parts.join(", ")
}
