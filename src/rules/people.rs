//! `people.toml`: whom to call.

use super::{Place, topics::languages, twice};
use crate::config::fault::Fault;
use crate::config::written::Form;
use crate::model::people::is_mail_address;
use crate::model::time::Span;
use crate::model::{People, Person, Policy, Step, Team};

#[derive(Debug, Default)]
pub(super) struct Written {
    persons: Vec<(Place, Person)>,
    pub(super) teams: Vec<TeamWritten>,
    pub(super) policies: Vec<PolicyWritten>,
}

#[derive(Debug)]
pub(super) struct TeamWritten {
    pub(super) name: Place,
    title: String,
    members: Vec<Place>,
}

#[derive(Debug)]
pub(super) struct PolicyWritten {
    pub(super) name: Place,
    steps: Vec<(Vec<Place>, Span)>,
    repeat: u32,
    last_resort: Vec<Place>,
}

pub(super) fn read(form: Form<'_>, out: &mut Written) {
    for person in form.tables("person", "person") {
        out.persons.extend(read_person(person));
    }
    for team in form.tables("team", "team") {
        out.teams.extend(read_team(team));
    }
    for policy in form.tables("policy", "policy") {
        out.policies.extend(read_policy(policy));
    }
    form.finish();
}

fn read_person(form: Form<'_>) -> Option<(Place, Person)> {
    let desk = form.desk;
    let name = form.must_name();
    let full_name = form.text("full_name");
    let email = form.must_text("email");
    if let Some(email) = &email
        && !is_mail_address(&email.value)
    {
        desk.error(
            email.span.clone(),
            format!("`{}` is no mail address", email.value),
            "write name@example.org in ASCII letters",
        );
    }
    let languages = languages(&form);
    let time_zone = form.text("time_zone");
    if let Some(zone) = &time_zone
        && jiff::tz::TimeZone::get(&zone.value).is_err()
    {
        desk.error(
            zone.span.clone(),
            format!("unknown time zone `{}`", zone.value),
            "write an IANA name such as \"Europe/Stockholm\"",
        );
    }
    form.finish();
    let (name, email) = (name?, email?);
    let person = Person {
        name: name.value.clone(),
        full_name: full_name.map_or_else(|| name.value.clone(), |f| f.value),
        email: email.value,
        languages,
        time_zone: time_zone.map_or_else(|| "UTC".into(), |z| z.value),
    };
    Some((Place::new(desk, name), person))
}

fn read_team(form: Form<'_>) -> Option<TeamWritten> {
    let desk = form.desk;
    let name = form.must_name();
    let title = form.text("title");
    let members: Vec<Place> = form.texts("members").into_iter().map(|m| Place::new(desk, m)).collect();
    form.finish();
    let name = name?;
    if members.is_empty() {
        desk.error(name.span.clone(), format!("team `{}` has no members", name.value), "add members = [\"name\", …]");
    }
    Some(TeamWritten {
        title: title.map_or_else(|| name.value.clone(), |t| t.value),
        name: Place::new(desk, name),
        members,
    })
}

fn read_policy(form: Form<'_>) -> Option<PolicyWritten> {
    let desk = form.desk;
    let name = form.must_name();
    let mut steps = Vec::new();
    for step in form.tables("steps", "step") {
        let notify: Vec<Place> = step.texts("notify").into_iter().map(|n| Place::new(desk, n)).collect();
        let wait = step.span("wait").map_or(Span::mins(15), |w| w.value);
        if notify.is_empty() {
            desk.error(step.span.clone(), "this step calls nobody", "add notify = [\"a person or team\"]");
        }
        if wait < Span::mins(1) {
            desk.error(step.span.clone(), "a step waits for at least a minute", "write wait = \"15m\"");
        }
        steps.push((notify, wait));
        step.finish();
    }
    let repeat = form.number("repeat", 1..=20).map_or(1, |r| u32::try_from(r.value).unwrap_or(1));
    let last_resort = form.texts("last_resort").into_iter().map(|n| Place::new(desk, n)).collect();
    form.finish();
    let name = name?;
    if steps.is_empty() {
        desk.error(
            name.span.clone(),
            format!("policy `{}` has no steps", name.value),
            "add steps = [{ notify = [\"team\"], wait = \"15m\" }]",
        );
    }
    Some(PolicyWritten { name: Place::new(desk, name), steps, repeat, last_resort })
}

impl Written {
    /// Names of all persons.
    pub(super) fn person_names(&self) -> Vec<&str> {
        self.persons.iter().map(|(p, _)| p.name()).collect()
    }

    pub(super) fn check(&self) -> Vec<Fault> {
        let persons = self.person_names();
        let mut all = persons.clone();
        all.extend(self.teams.iter().map(|t| t.name.name()));
        let named = self.persons.iter().map(|(p, _)| p).chain(self.teams.iter().map(|t| &t.name));
        let mut faults = twice("person or team", named);
        faults.extend(twice("policy", self.policies.iter().map(|p| &p.name)));
        for team in &self.teams {
            faults.extend(team.members.iter().filter_map(|m| m.among("person", &persons)));
        }
        for policy in &self.policies {
            let called = policy.steps.iter().flat_map(|(n, _)| n).chain(&policy.last_resort);
            faults.extend(called.filter_map(|n| n.among("person or team", &all)));
            faults.extend(self.lonely(policy));
        }
        faults
    }

    /// A policy that can reach one person only: when that one sleeps, nobody is called (F99).
    fn lonely(&self, policy: &PolicyWritten) -> Option<Fault> {
        let mut reached: Vec<&str> = Vec::new();
        for name in policy.steps.iter().flat_map(|(n, _)| n).chain(&policy.last_resort) {
            match self.teams.iter().find(|t| t.name.name() == name.name()) {
                Some(team) => reached.extend(team.members.iter().map(Place::name)),
                None => reached.push(name.name()),
            }
        }
        reached.sort_unstable();
        reached.dedup();
        (reached.len() == 1).then(|| {
            policy
                .name
                .warning(format!("policy `{}` reaches one person only", policy.name.name()))
                .help("add a second step or a last_resort, so that somebody is called when that one sleeps")
        })
    }

    pub(super) fn mean(self) -> People {
        let names = |places: Vec<Place>| places.into_iter().map(|p| p.at.value).collect::<Vec<_>>();
        let teams = self.teams.into_iter();
        let policies = self.policies.into_iter();
        People {
            persons: self.persons.into_iter().map(|(_, p)| p).collect(),
            teams: teams.map(|t| Team { name: t.name.at.value, title: t.title, members: names(t.members) }).collect(),
            policies: policies
                .map(|p| Policy {
                    name: p.name.at.value,
                    steps: p.steps.into_iter().map(|(notify, wait)| Step { notify: names(notify), wait }).collect(),
                    repeat: p.repeat,
                    last_resort: names(p.last_resort),
                })
                .collect(),
        }
    }
}
