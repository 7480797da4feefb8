//! Which step of a policy is next: by severity, hour and working day, and never silence for want of one.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use super::oncall::any_holds;
use crate::model::time::Span;
use crate::model::{People, Policy, Severity, Step};

/// What a policy says at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next<'p> {
    /// This step is taken.
    Step {
        /// The step.
        step: &'p Step,
        /// Steps that are taken with it, over all rounds, those that were passed over among them.
        taken: u32,
    },
    /// All steps have passed: these are told, once.
    LastResort {
        /// Names of those who are told.
        notify: &'p [String],
        /// The number that says that they have been.
        taken: u32,
    },
    /// It has run out.
    Nobody,
}

/// What is done when a step is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken<'p> {
    /// Names of those who are told.
    pub notify: &'p [String],
    /// Steps that are taken with it, over all rounds.
    pub steps: u32,
    /// When the next one is due.
    pub next: Option<Timestamp>,
    /// It is the last resort.
    pub last: bool,
}

/// One call of a policy's course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// Names of persons, teams and schedules, as the policy says.
    pub notify: Vec<String>,
    /// Names of the persons whom they mean then, but those who sleep.
    pub persons: Vec<String>,
    /// It is the last resort.
    pub last: bool,
}

impl Policy {
    fn zone(&self) -> TimeZone {
        super::oncall::zone(&self.time_zone)
    }

    /// Whether a day is no Saturday, Sunday or holiday in the policy's zone.
    pub fn is_working_day(&self, at: Timestamp) -> bool {
        let day = at.to_zoned(self.zone()).date();
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && self.days_off.binary_search(&day).is_err()
    }

    /// Whether a step counts for a severity at an instant.
    pub fn applies(&self, step: &Step, severity: Severity, at: Timestamp) -> bool {
        step.from.is_none_or(|from| severity >= from)
            && step.working_day.is_none_or(|working| working == self.is_working_day(at))
            && (step.only.is_empty() || any_holds(&step.only, at, &self.zone()))
    }

    /// Steps of all rounds together.
    pub fn all_steps(&self) -> u32 {
        u32::try_from(self.steps.len()).unwrap_or(u32::MAX).saturating_mul(self.repeat.max(1))
    }

    /// What comes after so many steps, for a severity at an instant.
    ///
    /// Steps whose conditions do not hold, and those that reach nobody, are passed over without waiting. Where nothing would
    /// be left to do before anybody has been told, conditions are waived (F99).
    pub fn next(&self, people: &People, taken: u32, severity: Severity, at: Timestamp) -> Next<'_> {
        let all = self.all_steps();
        let left = (taken..all).filter_map(|n| {
            let round = u32::try_from(self.steps.len()).ok().filter(|n| *n > 0)?;
            Some((n + 1, self.steps.get(usize::try_from(n % round).ok()?)?))
        });
        let left: Vec<(u32, &Step)> = left.filter(|(_, step)| !people.reach(&step.notify, at).is_empty()).collect();
        if let Some((taken, step)) = left.iter().find(|(_, step)| self.applies(step, severity, at)) {
            return Next::Step { step, taken: *taken };
        }
        if taken <= all && !people.reach(&self.last_resort, at).is_empty() {
            return Next::LastResort { notify: &self.last_resort, taken: all + 1 };
        }
        match left.first().filter(|_| taken == 0) {
            Some((taken, step)) => Next::Step { step, taken: *taken },
            None => Next::Nobody,
        }
    }

    /// What comes after so many steps, with when the one after it is due; nothing where it has run out.
    pub fn take(&self, people: &People, taken: u32, severity: Severity, at: Timestamp) -> Option<Taken<'_>> {
        match self.next(people, taken, severity, at) {
            Next::Step { step, taken } => {
                let next = self.wait(step, taken).map(|wait| at + wait);
                Some(Taken { notify: &step.notify, steps: taken, next, last: false })
            }
            Next::LastResort { notify, taken } => Some(Taken { notify, steps: taken, next: None, last: true }),
            Next::Nobody => None,
        }
    }

    /// All that it would call for an incident that opened at an instant and that nobody took.
    pub fn course(&self, people: &People, severity: Severity, opened: Timestamp) -> Vec<Due> {
        let (mut out, mut steps, mut due) = (Vec::new(), 0, Some(opened));
        while let Some(at) = due
            && let Some(taken) = self.take(people, steps, severity, at)
        {
            let persons = people.reach_awake(taken.notify, severity, at).into_iter().map(|p| p.name.clone()).collect();
            out.push(Due { at, notify: taken.notify.to_vec(), persons, last: taken.last });
            (steps, due) = (taken.steps, taken.next);
        }
        out
    }

    /// How long to wait after a step until the next, where there is any left.
    pub fn wait(&self, step: &Step, taken: u32) -> Option<Span> {
        (taken < self.all_steps() || !self.last_resort.is_empty()).then_some(step.wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Person;
    use crate::model::schedule::{Hours, Schedule};

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn people() -> People {
        let person = |name: &str| Person { name: name.into(), ..Person::default() };
        let empty = Schedule { name: "empty".into(), ..Schedule::default() };
        People { persons: ["anna", "bo", "eva"].map(person).to_vec(), schedules: vec![empty], ..People::default() }
    }

    fn step(who: &str) -> Step {
        Step { notify: vec![who.into()], wait: Span::mins(15), ..Step::default() }
    }

    fn policy(steps: Vec<Step>) -> Policy {
        Policy { name: "p".into(), steps, repeat: 2, time_zone: "Europe/Stockholm".into(), ..Policy::default() }
    }

    /// Who is told one after the other, all at one instant.
    fn told(policy: &Policy, severity: Severity, now: Timestamp) -> String {
        let (people, mut taken, mut out) = (people(), 0, Vec::new());
        while out.len() < 20 {
            let (notify, more) = match policy.next(&people, taken, severity, now) {
                Next::Step { step, taken } => (step.notify.as_slice(), taken),
                Next::LastResort { notify, taken } => (notify, taken),
                Next::Nobody => break,
            };
            assert!(more > taken, "it goes on");
            out.extend(notify.iter().map(String::as_str));
            taken = more;
        }
        out.join(" ")
    }

    #[test]
    fn steps_count_by_severity_hour_and_day() {
        let office = || vec![Hours::parse("Mon-Fri 08:00-18:00").expect("hours")];
        let mut p = policy(vec![
            Step { only: office(), ..step("anna") },
            Step { from: Some(Severity::Escalate), ..step("bo") },
            Step { working_day: Some(false), ..step("eva") },
        ]);
        p.days_off = vec!["2026-06-19".parse().expect("a day")];
        let (thursday, friday) = (at("2026-06-18T10:00:00Z"), at("2026-06-19T10:00:00Z"));
        assert_eq!(told(&p, Severity::Review, thursday), "anna anna");
        assert_eq!(told(&p, Severity::Crisis, thursday), "anna bo anna bo");
        assert_eq!(told(&p, Severity::Review, friday), "anna eva anna eva", "Midsommarafton");
        assert_eq!(told(&p, Severity::Review, at("2026-06-20T20:00:00Z")), "eva eva");
        assert!(p.is_working_day(at("2026-06-18T21:59:00Z")) && !p.is_working_day(at("2026-06-18T22:00:00Z")));
    }

    #[test]
    fn the_course_is_what_an_incident_would_live_through() {
        let mut p = policy(vec![step("anna"), Step { from: Some(Severity::Crisis), ..step("bo") }]);
        p.last_resort = vec!["eva".into()];
        let now = at("2026-06-18T10:00:00Z");
        let course = |severity| -> Vec<String> {
            let due = p.course(&people(), severity, now);
            due.iter().map(|d| format!("{:.0} {}", d.at - now, d.persons.join("+"))).collect()
        };
        assert_eq!(course(Severity::Review), ["PT0S anna", "PT900S anna", "PT1800S eva"]);
        assert_eq!(course(Severity::Crisis), ["PT0S anna", "PT900S bo", "PT1800S anna", "PT2700S bo", "PT3600S eva"]);
        assert_eq!(policy(vec![step("empty")]).course(&people(), Severity::Crisis, now), []);
    }

    #[test]
    fn nobody_to_call_never_means_silence() {
        let mut p = policy(vec![step("empty"), Step { from: Some(Severity::Crisis), ..step("bo") }]);
        let now = at("2026-06-18T10:00:00Z");
        assert_eq!(told(&p, Severity::Crisis, now), "bo bo", "a step that reaches nobody is passed over");
        assert_eq!(told(&p, Severity::Watch, now), "bo", "conditions are waived rather than to be silent");
        p.last_resort = vec!["eva".into()];
        assert_eq!(told(&p, Severity::Watch, now), "eva");
        assert_eq!(told(&p, Severity::Crisis, now), "bo bo eva");
        assert_eq!(p.wait(&p.steps[1], 4), Some(Span::mins(15)));
        p.last_resort = vec!["empty".into()];
        assert_eq!(told(&p, Severity::Watch, now), "bo");
        assert_eq!(told(&policy(vec![step("empty")]), Severity::Crisis, now), "");
    }
}
