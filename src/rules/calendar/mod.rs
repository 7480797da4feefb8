//! `calendar/`: what is known beforehand, from iCalendar, CSV and XLSX files, with `*.toml` for what those cannot say.
//!
//! What comes back is read from 400 days before the given time to 400 days after it; whoever lives longer reads again.
//! What comes once is read whenever it is, so that a look at old history finds the events of its time.

pub(in crate::rules) mod book;
pub(in crate::rules) mod ical;
mod lines;
mod marks;
mod recur;
mod sheet;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Place;
use crate::config::fault::{Fault, Sheet, suggest};
use crate::config::written::{At, Desk, Form};
use crate::model::Planned;
use crate::model::time::Span;
use marks::{Marks, Odd};

/// How far to both sides of the given time events come back.
pub(super) const AROUND: Span = Span::days(400);
/// Most that all calendars hold together.
const MOST: usize = 20_000;
/// Longest text of a post that is kept, in characters.
const LONGEST_TEXT: usize = 4000;

/// What `calendar/*.toml` says.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// IANA name of the brand's zone.
    zone: Option<String>,
    files: Vec<FileWritten>,
}

/// What holds for all events of a file that say nothing else.
#[derive(Debug)]
struct FileWritten {
    name: Place,
    factor: Option<f64>,
    topics: Vec<Place>,
    channel: String,
}

/// The calendars as meant.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// All events, in order.
    pub(super) planned: Vec<Planned>,
    /// IANA name of the brand's zone.
    pub(super) zone: String,
    /// Names of the calendars: their files' without the endings.
    pub(super) names: Vec<String>,
}

pub(super) fn settings(form: Form<'_>, out: &mut Settings) {
    let desk = form.desk;
    if let Some(zone) = form.text("time_zone") {
        match TimeZone::get(&zone.value) {
            Ok(_) if out.zone.is_some() => {
                desk.error(zone.span, "the calendars' time zone is said twice", "take one away")
            }
            Ok(_) => out.zone = Some(zone.value),
            Err(_) => {
                let message = format!("unknown time zone `{}`", zone.value);
                desk.error(zone.span, message, "write an IANA name such as \"Europe/Stockholm\"");
            }
        }
    }
    for file in form.tables("file", "file") {
        let name = file.must_text("name");
        let factor = file.float("factor").and_then(|f| match marks::factor(&f.value.to_string()) {
            Ok(n) => Some(n),
            Err((message, help)) => {
                desk.error(f.span, message, help);
                None
            }
        });
        let topics = file.texts("topics").into_iter().map(|t| Place::new(desk, t)).collect();
        let channel = file.text("channel").map(|c| c.value).unwrap_or_default();
        file.finish();
        out.files.extend(name.map(|n| FileWritten { name: Place::new(desk, n), factor, topics, channel }));
    }
    form.finish();
}

/// Reads the calendars around a time. `topics` are those that there are.
pub(super) fn read(settings: &Settings, sheets: &[Arc<Sheet>], topics: &[&str], now: Timestamp) -> (Read, Vec<Fault>) {
    let zone_name = settings.zone.clone().unwrap_or_else(|| "UTC".to_owned());
    let zone = TimeZone::get(&zone_name).unwrap_or(TimeZone::UTC);
    let mut faults = Vec::new();
    let files: Vec<&str> = sheets.iter().map(|s| file_name(s)).collect();
    for file in &settings.files {
        faults.extend(file.name.among("calendar", &files));
        faults.extend(file.topics.iter().filter_map(|t| t.among("topic", topics)));
    }
    let mut read = Read { zone: zone_name, ..Read::default() };
    for sheet in sheets {
        let name = file_name(sheet);
        let calendar = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
        let usual = settings.files.iter().find(|f| f.name.name() == name);
        let desk = Desk::new(sheet.clone());
        let file = File { desk: &desk, usual, topics, calendar: &calendar };
        let rows = [".csv", ".xlsx"].iter().any(|end| name.to_ascii_lowercase().ends_with(end));
        match rows {
            true => file.rows(&zone, &mut read.planned),
            false => file.events(&zone, (now - AROUND, now + AROUND), &mut read.planned),
        }
        if read.planned.len() > MOST {
            let help = "leave out what is long over, or comes back many times a day";
            desk.error(0..0, format!("with this file the calendars hold more than {MOST} events"), help);
            read.planned.truncate(MOST);
        }
        faults.extend(desk.into_faults());
        read.names.push(calendar);
    }
    read.planned.sort_by(|a, b| (a.from, a.to, &a.name).cmp(&(b.from, b.to, &b.name)));
    (read, faults)
}

/// A file's name without its folders.
fn file_name(sheet: &Sheet) -> &str {
    Path::new(&sheet.name).file_name().and_then(|f| f.to_str()).unwrap_or("")
}

/// One calendar while it is read.
struct File<'a> {
    desk: &'a Desk,
    usual: Option<&'a FileWritten>,
    topics: &'a [&'a str],
    calendar: &'a str,
}

impl File<'_> {
    fn rows(&self, zone: &TimeZone, out: &mut Vec<Planned>) {
        let mut unknown = Vec::new();
        for row in sheet::read(self.desk, zone) {
            self.check(&row.marks.topics, &mut unknown, |word| {
                let text = self.desk.sheet.text.get(row.span.clone()).unwrap_or("");
                text.find(word).map_or(row.span.clone(), |at| row.span.start + at..row.span.start + at + word.len())
            });
            out.push(self.planned(row.name, (row.from, row.to), row.whole_day, &row.marks, &row.text));
        }
    }

    fn events(&self, zone: &TimeZone, range: (Timestamp, Timestamp), out: &mut Vec<Planned>) {
        let mut unknown = Vec::new();
        for event in ical::read(self.desk, zone, range) {
            let (marks, text) = self.marks(&event, &mut unknown);
            let name = if event.name.is_empty() { "(no title)".to_owned() } else { event.name };
            for span in event.spans.into_iter().take(MOST + 1 - out.len().min(MOST)) {
                out.push(self.planned(name.clone(), span, event.whole_day, &marks, &text));
            }
        }
    }

    fn planned(
        &self,
        name: String,
        (from, to): (Timestamp, Timestamp),
        whole_day: bool,
        marks: &Marks,
        text: &str,
    ) -> Planned {
        let usual_factor = self.usual.and_then(|u| u.factor);
        let usual_topics = || self.usual.map(|u| u.topics.iter().map(|t| t.name().to_owned()).collect());
        Planned {
            name,
            from,
            to,
            factor: marks.factor.or(usual_factor).unwrap_or(Planned::FACTOR),
            topics: if marks.topics.is_empty() { usual_topics().unwrap_or_default() } else { marks.topics.clone() },
            whole_day,
            channel: marks.channel.clone().or_else(|| self.usual.map(|u| u.channel.clone())).unwrap_or_default(),
            text: text.chars().take(LONGEST_TEXT).collect(),
            calendar: self.calendar.to_owned(),
        }
    }

    /// What an event tells vakt, and its notes without that.
    fn marks(&self, event: &ical::Event<'_>, unknown: &mut Vec<String>) -> (Marks, String) {
        let (mut marks, mut text) = (Marks::default(), String::new());
        for line in &event.block.lines {
            let mut odd: Vec<Odd> = Vec::new();
            let name = line.name.to_ascii_uppercase();
            let before = marks.topics.len();
            if name == "DESCRIPTION" {
                text = marks.take(&ical::text_of(line).unwrap_or_default(), &mut odd);
            } else if name == "CATEGORIES" {
                for word in ical::texts_of(line) {
                    let topic = self.topics.iter().find(|t| t.eq_ignore_ascii_case(word.trim()));
                    match topic {
                        Some(topic) => marks.topics.push((*topic).to_owned()),
                        None => drop(marks.take(&word, &mut odd)),
                    }
                }
            } else if let Some(key) = name.strip_prefix("X-VAKT-") {
                marks.set(key, &ical::texts_of(line).join(","), line.name, &mut odd);
            }
            for odd in odd {
                self.desk.error(line.word(&odd.word), odd.message, odd.help);
            }
            let named = marks.topics.get(before..).unwrap_or_default();
            self.check(named, unknown, |word| line.word(word));
        }
        (marks, text)
    }

    /// Notes topics that there are not, each once a file.
    fn check(&self, topics: &[String], unknown: &mut Vec<String>, place: impl Fn(&str) -> Range<usize>) {
        for topic in topics.iter().filter(|t| !self.topics.contains(&t.as_str())) {
            if !unknown.contains(topic) {
                unknown.push(topic.clone());
                let at = Place::new(self.desk, At { value: topic.clone(), span: place(topic) });
                match at.among("topic", self.topics) {
                    Some(fault) => self.desk.push(fault),
                    None => self.desk.error(0..0, "unknown topic", suggest(topic, self.topics.iter().copied())),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
