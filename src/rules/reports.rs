//! `reports.toml`: who gets which digest by mail, and when.

use jiff::civil::Time;

use super::{Place, twice};
use crate::config::fault::{Fault, suggest};
use crate::config::written::Form;
use crate::model::{Length, People};
use crate::text::figures::Figures;

/// A digest that goes out by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// Unique name.
    pub name: String,
    /// How long its periods are.
    pub period: Length,
    /// When it goes out, on the day after the period, in the readers' own zone.
    pub at: Time,
    /// Name of the topic; `None` for the first brand.
    pub topic: Option<String>,
    /// The language; `None` for that of each reader.
    pub language: Option<String>,
    /// Names of the persons who get it.
    pub readers: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Written {
    name: Place,
    period: Length,
    at: Time,
    topic: Option<Place>,
    language: Option<String>,
    to: Vec<Place>,
}

/// When nobody says.
const USUAL: Time = Time::constant(7, 0, 0, 0);

pub(super) fn read(form: Form<'_>, out: &mut Vec<Written>) {
    for report in form.tables("report", "report") {
        out.extend(read_one(report));
    }
    form.finish();
}

fn read_one(form: Form<'_>) -> Option<Written> {
    let desk = form.desk;
    let name = form.must_name();
    let period = form.choice("period", &Length::ALL.map(Length::as_str), Length::parse);
    let at = form.text("at").map(|at| {
        let time = at.value.parse::<Time>();
        if time.is_err() {
            desk.error(at.span, format!("`{}` is no time of day", at.value), "write it as \"07:30\"");
        }
        time.unwrap_or(USUAL)
    });
    let topic = form.text("topic").map(|t| Place::new(desk, t));
    let language = form.text("language").and_then(|l| {
        let known = Figures::CODES.contains(&l.value.as_str());
        if !known {
            desk.error(l.span, format!("reports are not written in `{}`", l.value), suggest(&l.value, Figures::CODES));
        }
        known.then_some(l.value)
    });
    let to: Vec<Place> = form.texts("to").into_iter().map(|t| Place::new(desk, t)).collect();
    if to.is_empty() {
        desk.error(form.head(), "this report goes to nobody", "add to = [\"name of a person or team\", …]");
    }
    form.finish();
    let period = period.map_or(Length::Week, |p| p.value);
    Some(Written { name: Place::new(desk, name?), period, at: at.unwrap_or(USUAL), topic, language, to })
}

/// What does not fit together. `named` are persons and teams.
pub(super) fn check(all: &[Written], named: &[&str], topics: &[&str]) -> Vec<Fault> {
    let mut faults = twice("report", all.iter().map(|r| &r.name));
    for report in all {
        faults.extend(report.to.iter().filter_map(|n| n.among("person or team", named)));
        faults.extend(report.topic.as_ref().and_then(|t| t.among("topic", topics)));
    }
    faults
}

impl Written {
    pub(super) fn mean(self, people: &People) -> Scheduled {
        let mut readers: Vec<String> = Vec::new();
        for name in self.to.iter().map(Place::name) {
            let of = people.team(name).map_or_else(|| vec![name.to_owned()], |t| t.members.clone());
            for reader in of {
                if !readers.contains(&reader) {
                    readers.push(reader);
                }
            }
        }
        Scheduled {
            name: self.name.at.value,
            period: self.period,
            at: self.at,
            topic: self.topic.map(|t| t.at.value),
            language: self.language,
            readers,
        }
    }
}
