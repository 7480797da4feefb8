//! From names of persons, teams and schedules to the persons whom they mean at an instant.

use jiff::Timestamp;

use super::{any_holds, zone};
use crate::model::policy::EVERYBODY;
use crate::model::{People, Person, Severity};

impl People {
    /// The persons whom names mean at an instant, each once, in order. A schedule means those who are on call then.
    pub fn reach<'a>(&'a self, names: &[String], at: Timestamp) -> Vec<&'a Person> {
        let mut found: Vec<&Person> = Vec::new();
        let mut add = |person: Option<&'a Person>| {
            if let Some(p) = person.filter(|p| !found.iter().any(|f| f.name == p.name)) {
                found.push(p);
            }
        };
        for name in names {
            if name == EVERYBODY {
                self.persons.iter().for_each(|p| add(Some(p)));
            } else if let Some(team) = self.team(name) {
                team.members.iter().for_each(|m| add(self.person(m)));
            } else if let Some(schedule) = self.schedule(name) {
                schedule.who(at).into_iter().for_each(|p| add(self.person(p)));
            } else {
                add(self.person(name));
            }
        }
        found
    }

    /// The same without those who are to be left alone at that hour for so little. Where that would leave nobody it is
    /// all of them: nobody to call must never mean silence.
    pub fn reach_awake<'a>(&'a self, names: &[String], severity: Severity, at: Timestamp) -> Vec<&'a Person> {
        let all = self.reach(names, at);
        let awake: Vec<&Person> = all.iter().copied().filter(|p| !p.is_quiet(severity, at)).collect();
        if awake.is_empty() { all } else { awake }
    }
}

impl Person {
    /// Whether the person is to be left alone at an instant for a severity.
    pub fn is_quiet(&self, severity: Severity, at: Timestamp) -> bool {
        let quiet = self.quiet.as_ref().filter(|q| severity < q.wake_for);
        quiet.is_some_and(|q| any_holds(&q.hours, at, &zone(&self.time_zone)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Team;
    use crate::model::people::Quiet;
    use crate::model::schedule::{Hours, Schedule, Watch};

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn people() -> People {
        let person =
            |name: &str| Person { name: name.into(), time_zone: "Europe/Stockholm".into(), ..Person::default() };
        let hours = vec![Hours::parse("22:00-07:00").expect("hours")];
        let bo = Person { quiet: Some(Quiet { hours, wake_for: Severity::Crisis }), ..person("bo") };
        let watch = Watch { person: "bo".into(), from: at("2026-03-01T00:00:00Z"), to: at("2026-03-02T00:00:00Z") };
        People {
            persons: vec![person("anna"), bo, person("eva")],
            teams: vec![Team { name: "pr".into(), title: "PR".into(), members: vec!["anna".into(), "bo".into()] }],
            schedules: vec![Schedule { name: "on-call".into(), overrides: vec![watch], ..Schedule::default() }],
            policies: Vec::new(),
            answers: Vec::new(),
            publishing: None,
        }
    }

    fn names(found: Vec<&Person>) -> Vec<&str> {
        found.into_iter().map(|p| p.name.as_str()).collect()
    }

    #[test]
    fn names_mean_persons_at_an_instant() {
        let (people, during, after) = (people(), at("2026-03-01T12:00:00Z"), at("2026-03-02T00:00:00Z"));
        let ask = |name: &str, at| names(people.reach(&[name.to_owned()], at)).join(" ");
        assert_eq!(ask("on-call", during), "bo");
        assert_eq!(ask("on-call", after), "");
        assert_eq!(
            (ask("pr", after), ask("everybody", after), ask("nobody", after)),
            ("anna bo".into(), "anna bo eva".into(), String::new())
        );
        assert_eq!(names(people.reach(&["on-call".into(), "pr".into(), "eva".into()], during)), ["bo", "anna", "eva"]);
    }

    #[test]
    fn sleepers_are_left_alone_unless_it_burns_or_nobody_else_is_there() {
        let (people, night) = (people(), at("2026-03-01T22:30:00Z"));
        let ask = |name: &str, severity, at| names(people.reach_awake(&[name.to_owned()], severity, at)).join(" ");
        assert_eq!(ask("pr", Severity::Review, night), "anna");
        assert_eq!(ask("pr", Severity::Crisis, night), "anna bo");
        assert_eq!(ask("pr", Severity::Review, at("2026-03-01T06:30:00Z")), "anna bo");
        assert_eq!(ask("on-call", Severity::Watch, night), "bo");
    }
}
