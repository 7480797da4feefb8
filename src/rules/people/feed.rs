//! A schedule's calendar: events that name persons are their watches.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::calendar::{AROUND, ical};
use super::Written;
use crate::config::fault::{Fault, Sheet, suggest};
use crate::config::written::Desk;
use crate::model::Person;
use crate::model::schedule::Watch;

/// Events of a calendar that name nobody and are told of each by itself.
const TOLD: usize = 10;

impl Written {
    /// Reads the calendars that schedules follow; `sheets` are those that stand in the rules.
    pub(in crate::rules) fn follow(&mut self, sheets: &[Arc<Sheet>], now: Timestamp) -> Vec<Fault> {
        let mut faults = Vec::new();
        let persons: Vec<Person> = self.persons.iter().map(|(_, p)| p.clone()).collect();
        let mut read = vec![false; sheets.len()];
        for schedule in &mut self.schedules {
            let Some(ics) = &schedule.ics else { continue };
            let path = Path::new(&ics.sheet.name).parent().unwrap_or(Path::new("")).join(ics.name());
            let Some(n) = sheets.iter().position(|s| Path::new(&s.name) == path) else {
                let names: Vec<&str> = sheets.iter().filter_map(|s| Path::new(&s.name).file_name()?.to_str()).collect();
                let message = format!("there is no calendar `{}` beside this file", ics.name());
                faults.push(ics.error(message).help(suggest(ics.name(), names)));
                continue;
            };
            let (Some(sheet), Some(seen)) = (sheets.get(n), read.get_mut(n)) else { continue };
            *seen = true;
            let desk = Desk::new(sheet.clone());
            let zone = TimeZone::get(&schedule.schedule.time_zone).unwrap_or(TimeZone::UTC);
            schedule.schedule.feed = watches(&desk, &zone, &persons, now);
            faults.extend(desk.into_faults());
        }
        for (sheet, _) in sheets.iter().zip(read).filter(|(_, read)| !read) {
            let fault = Fault::error(sheet, 0..0, "no schedule follows this calendar");
            faults.push(fault.help("write ics = \"…\" into a [[schedule]], or put it into calendar/"));
        }
        faults
    }
}

fn watches(desk: &Desk, zone: &TimeZone, persons: &[Person], now: Timestamp) -> Vec<Watch> {
    let (mut out, mut nobody) = (Vec::new(), 0);
    for event in ical::read(desk, zone, (now - AROUND, now + AROUND)) {
        let named = named(&event.name, &event.attendees, persons);
        if named.is_empty() {
            nobody += 1;
            if nobody <= TOLD {
                let message = format!("the event `{}` names nobody of people.toml", event.name);
                let fault = Fault::warning(&desk.sheet, event.head.clone(), message);
                desk.push(fault.help("put a person's name into its title, or invite their mail address"));
            }
        }
        for person in named {
            let watch = |(from, to): &(Timestamp, Timestamp)| Watch { person: person.clone(), from: *from, to: *to };
            out.extend(event.spans.iter().map(watch));
        }
    }
    out.sort_by(|a, b| (a.from, a.to, &a.person).cmp(&(b.from, b.to, &b.person)));
    out
}

/// Names of the persons whom an event means: those invited, else those in its title.
fn named(title: &str, attendees: &[String], persons: &[Person]) -> Vec<String> {
    let invited = |p: &&Person| {
        attendees.iter().any(|a| {
            let address = a.strip_prefix("mailto:").unwrap_or(a);
            address.eq_ignore_ascii_case(&p.email) || same(a, &p.full_name)
        })
    };
    let mut found: Vec<String> = persons.iter().filter(invited).map(|p| p.name.clone()).collect();
    if found.is_empty() {
        let said = |p: &&Person| holds(title, &p.full_name) || holds(title, &p.name);
        found = persons.iter().filter(said).map(|p| p.name.clone()).collect();
    }
    found
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// Whether a name stands in a title as words of their own.
fn holds(title: &str, name: &str) -> bool {
    let (title, name) = (title.to_lowercase(), name.to_lowercase());
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-');
    !name.is_empty()
        && title.match_indices(&name).any(|(at, _)| {
            let (before, after) = (title.get(..at).unwrap_or(""), title.get(at + name.len()..).unwrap_or(""));
            !letter(before.chars().next_back()) && !letter(after.chars().next())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_name_persons() {
        let person = |name: &str, full: &str| Person {
            name: name.into(),
            full_name: full.into(),
            email: format!("{name}@acme.example"),
            ..Person::default()
        };
        let all = [person("anna", "Anna Alm"), person("bo", "Bo Berg"), person("anna-maria", "Anna-Maria Öst")];
        let ask = |title: &str, attendees: &[&str]| {
            let attendees: Vec<String> = attendees.iter().map(|a| (*a).to_owned()).collect();
            named(title, &attendees, &all).join(" ")
        };
        assert_eq!(ask("On call: Anna Alm - primary", &[]), "anna");
        assert_eq!(ask("ANNA-MARIA ÖST", &[]), "anna-maria");
        assert_eq!(ask("bo, anna", &[]), "anna bo");
        assert_eq!(ask("Bob", &[]), "");
        assert_eq!(ask("Anna", &["mailto:BO@acme.example"]), "bo");
        assert_eq!(ask("Rota", &["Bo Berg"]), "bo");
    }
}
