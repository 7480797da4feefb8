//! `people.toml`: whom to call, when, and in which order.

mod coverage;
mod feed;
mod policies;
mod schedules;

use super::{Place, calendar, topics::languages, twice};
use crate::config::fault::Fault;
use crate::config::written::{At, Form};
use crate::model::people::{Quiet, Way, is_mail_address};
use crate::model::policy::EVERYBODY;
use crate::model::schedule::{HOURS, Hours};
use crate::model::{People, Person, Severity, Team};

#[derive(Debug, Default)]
pub(super) struct Written {
    persons: Vec<(Place, Person)>,
    /// Every way, with where it stands.
    pub(super) ways: Vec<WayWritten>,
    pub(super) teams: Vec<TeamWritten>,
    schedules: Vec<schedules::Written>,
    pub(super) policies: Vec<policies::Written>,
}

#[derive(Debug)]
pub(super) struct TeamWritten {
    pub(super) name: Place,
    title: String,
    members: Vec<Place>,
}

/// A way with where its channel stands.
#[derive(Debug, Clone)]
pub(super) struct WayWritten {
    pub(super) channel: Place,
    pub(super) to: String,
}

pub(super) fn read(form: Form<'_>, out: &mut Written) {
    for person in form.tables("person", "person") {
        out.persons.extend(read_person(person, &mut out.ways));
    }
    for team in form.tables("team", "team") {
        out.teams.extend(read_team(team));
    }
    for schedule in form.tables("schedule", "schedule") {
        out.schedules.extend(schedules::read(schedule));
    }
    for policy in form.tables("policy", "policy") {
        out.policies.extend(policies::read(policy));
    }
    form.finish();
}

fn read_person(form: Form<'_>, written: &mut Vec<WayWritten>) -> Option<(Place, Person)> {
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
    let time_zone = time_zone(&form);
    let phone = form.text("phone").map_or(Ok(String::new()), phone);
    if let Some(at) = phone.as_ref().err() {
        let message = format!("`{}` is no telephone number", at.value);
        desk.error(at.span.clone(), message, "write it as +46701234567, with the country's code");
    }
    let quiet = hours(&form, "quiet_hours");
    let wake_for = form.choice("wake_for", &Severity::ALL.map(Severity::as_str), Severity::parse);
    if let Some(wake) = wake_for.as_ref().filter(|_| quiet.is_empty()) {
        desk.error(wake.span.clone(), "`wake_for` needs quiet hours", "add quiet_hours = [\"22:00-07:00\"]");
    }
    let wake_for = wake_for.map_or(Severity::Escalate, |w| w.value);
    let budget = form.number("budget", 1..=10_000).and_then(|n| u32::try_from(n.value).ok());
    let reach = ways(&form, written);
    form.finish();
    let (name, email) = (name?, email?);
    let person = Person {
        name: name.value.clone(),
        full_name: full_name.map_or_else(|| name.value.clone(), |f| f.value),
        email: email.value,
        languages,
        time_zone: time_zone.map_or_else(|| "UTC".into(), |z| z.value),
        phone: phone.unwrap_or_default(),
        quiet: (!quiet.is_empty()).then_some(Quiet { hours: quiet, wake_for }),
        budget,
        reach,
    };
    Some((Place::new(desk, name), person))
}

/// Most ways of one person: each waits for those before it.
const MOST_WAYS: usize = 8;

/// The ways to a person in their order. Whether there are such channels, the settings know.
fn ways(form: &Form<'_>, written: &mut Vec<WayWritten>) -> Vec<Way> {
    let mut out: Vec<Way> = Vec::new();
    for (n, way) in form.tables("reach", "way").into_iter().enumerate() {
        let channel = way.must_text("channel");
        let to = way.text("to");
        let from = way.choice("from", &Severity::ALL.map(Severity::as_str), Severity::parse);
        let (desk, span) = (way.desk, way.span.clone());
        way.finish();
        let Some(channel) = channel else { continue };
        let from = from.map_or(Severity::Escalate, |f| f.value);
        let to = to.map(|t| t.value).unwrap_or_default();
        let one = Way { channel: channel.value.clone(), to: to.clone(), from };
        if out.iter().any(|w| (&w.channel, &w.to) == (&one.channel, &one.to)) {
            desk.error(channel.span.clone(), "this way stands here twice", "take one of them away");
        }
        if n == MOST_WAYS {
            desk.error(span, format!("a person has {MOST_WAYS} ways at most"), "take the last ones away");
        }
        out.push(one);
        written.push(WayWritten { channel: Place::new(desk, channel), to });
    }
    out
}

/// A telephone number without the marks that people write between its digits; else what was written.
fn phone(written: At<String>) -> Result<String, At<String>> {
    let plain: String = written.value.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '/' | '.')).collect();
    let digits =
        plain.strip_prefix('+').filter(|d| (7..=15).contains(&d.len()) && d.bytes().all(|b| b.is_ascii_digit()));
    if digits.is_some() { Ok(plain) } else { Err(written) }
}

/// The `time_zone` of a table; one that is not known is noted.
fn time_zone(form: &Form<'_>) -> Option<At<String>> {
    let zone = form.text("time_zone")?;
    if jiff::tz::TimeZone::get(&zone.value).is_err() {
        let message = format!("unknown time zone `{}`", zone.value);
        form.desk.error(zone.span.clone(), message, "write an IANA name such as \"Europe/Stockholm\"");
    }
    Some(zone)
}

/// Hours of the week under a key; those that cannot be read are noted.
fn hours(form: &Form<'_>, key: &'static str) -> Vec<Hours> {
    let mut out = Vec::new();
    for text in form.texts(key) {
        match Hours::parse(&text.value) {
            Ok(hours) => out.push(hours),
            Err(why) => form.desk.error(text.span, why, HOURS),
        }
    }
    out
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

impl Written {
    /// Names of all persons.
    pub(super) fn person_names(&self) -> Vec<&str> {
        self.persons.iter().map(|(p, _)| p.name()).collect()
    }

    /// What does not fit together. `calendars` are the names of those that there are.
    pub(super) fn check(&self, calendars: &[&str]) -> Vec<Fault> {
        let persons = self.person_names();
        let named = || {
            let teams = self.teams.iter().map(|t| &t.name);
            self.persons.iter().map(|(p, _)| p).chain(teams).chain(self.schedules.iter().map(|s| &s.name))
        };
        let mut all: Vec<&str> = named().map(Place::name).collect();
        all.push(EVERYBODY);
        let mut faults = twice("person, team or schedule", named());
        for place in named().filter(|p| p.name() == EVERYBODY) {
            faults.push(
                place
                    .error(format!("`{EVERYBODY}` means all persons, and names nothing else"))
                    .help("take another name"),
            );
        }
        faults.extend(twice("policy", self.policies.iter().map(|p| &p.name)));
        for team in &self.teams {
            faults.extend(team.members.iter().filter_map(|m| m.among("person", &persons)));
        }
        for schedule in &self.schedules {
            faults.extend(schedule.persons().filter_map(|p| p.among("person", &persons)));
        }
        for policy in &self.policies {
            faults.extend(policy.called().filter_map(|n| n.among("person, team or schedule", &all)));
            faults.extend(policy.holidays.iter().filter_map(|h| h.among("calendar", calendars)));
        }
        faults
    }

    /// All of it as meant; days off are those of the calendars.
    pub(super) fn meant(&self, calendar: &calendar::Read) -> People {
        let names = |places: &[Place]| places.iter().map(|p| p.name().to_owned()).collect::<Vec<_>>();
        let team = |t: &TeamWritten| Team {
            name: t.name.name().to_owned(),
            title: t.title.clone(),
            members: names(&t.members),
        };
        People {
            persons: self.persons.iter().map(|(_, p)| p.clone()).collect(),
            teams: self.teams.iter().map(team).collect(),
            schedules: self.schedules.iter().map(|s| s.schedule.clone()).collect(),
            policies: self.policies.iter().map(|p| p.meant(calendar)).collect(),
        }
    }
}
