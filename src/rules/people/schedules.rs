//! `[[schedule]]`: who is on call when.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::super::Place;
use super::{hours, time_zone};
use crate::config::written::{At, Form};
use crate::model::Schedule;
use crate::model::schedule::{Layer, Watch, hand_over};
use crate::model::time::Span;

/// A Monday from which turns are counted where a layer names no start.
const EPOCH: Date = Date::constant(2024, 1, 1);
/// The hand-over of a layer that names none.
const NINE: Time = Time::constant(9, 0, 0, 0);

#[derive(Debug)]
pub(super) struct Written {
    pub(super) name: Place,
    /// The calendar that it follows: the name of a file beside `people.toml`.
    pub(super) ics: Option<Place>,
    pub(super) schedule: Schedule,
    persons: Vec<Place>,
}

impl Written {
    /// Everybody whom it names.
    pub(super) fn persons(&self) -> impl Iterator<Item = &Place> {
        self.persons.iter()
    }
}

pub(super) fn read(form: Form<'_>) -> Option<Written> {
    let desk = form.desk;
    let name = form.must_name();
    let title = form.text("title");
    let time_zone = time_zone(&form);
    let zone = time_zone.as_ref().and_then(|z| TimeZone::get(&z.value).ok()).unwrap_or(TimeZone::UTC);
    let mut persons = Vec::new();
    let layers = form.tables("layers", "layer").into_iter().filter_map(|l| layer(l, &mut persons)).collect();
    let overrides = form.tables("overrides", "override");
    let overrides = overrides.into_iter().filter_map(|o| exception(o, &zone, &mut persons)).collect();
    let ics = form.text("ics").map(|f| Place::new(desk, f));
    let empty = !form.has("layers") && ics.is_none();
    form.finish();
    let name = name?;
    if time_zone.is_none() {
        let message = format!("schedule `{}` has no time zone", name.value);
        desk.error(name.span.clone(), message, "add time_zone = \"Europe/Stockholm\"");
    }
    if empty {
        let message = format!("schedule `{}` has neither layers nor a calendar", name.value);
        let help = "add layers = [{ rotation = [\"anna\", \"bo\"], every = \"1w\", hand_over = \"Mon 09:00\" }]";
        desk.error(name.span.clone(), message, help);
    }
    let schedule = Schedule {
        name: name.value.clone(),
        title: title.map_or_else(|| name.value.clone(), |t| t.value),
        time_zone: time_zone.map_or_else(|| "UTC".to_owned(), |z| z.value),
        layers,
        feed: Vec::new(),
        overrides,
    };
    Some(Written { name: Place::new(desk, name), ics, schedule, persons })
}

fn layer(form: Form<'_>, persons: &mut Vec<Place>) -> Option<Layer> {
    let desk = form.desk;
    let rotation = form.texts("rotation");
    if rotation.is_empty() {
        desk.error(form.span.clone(), "in this layer nobody takes turns", "add rotation = [\"anna\", \"bo\"]");
    }
    let every = form.span("every").unwrap_or(At { value: Span::days(7), span: form.span.clone() });
    let day = Span::days(1).as_millis();
    let days = match every.value.as_millis() {
        ms if ms % day == 0 && (1..=366).contains(&(ms / day)) => i32::try_from(ms / day).unwrap_or(7),
        _ => {
            let help = "write \"1d\", \"3d\" or \"1w\"; for day and night make two layers with `only`";
            desk.error(every.span.clone(), "a turn lasts whole days", help);
            7
        }
    };
    let written = form.text("hand_over");
    let (weekday, time) = match written.as_ref().map(|w| hand_over(&w.value)) {
        Some(Ok(read)) => read,
        Some(Err(why)) => {
            if let Some(at) = &written {
                desk.error(at.span.clone(), why, "write hand_over = \"Mon 09:00\" or \"09:00\"");
            }
            (None, NINE)
        }
        None => (None, NINE),
    };
    if let Some(at) = written.as_ref().filter(|_| weekday.is_some() && days % 7 != 0) {
        let help = "leave out the day, or write every = \"1w\"";
        desk.error(at.span.clone(), "a hand-over on a day of the week needs turns of whole weeks", help);
    }
    let start = start(&form, weekday);
    let only = hours(&form, "only");
    form.finish();
    let names: Vec<String> = rotation.iter().map(|r| r.value.clone()).collect();
    persons.extend(rotation.into_iter().map(|r| Place::new(desk, r)));
    let begins = start.is_some();
    let start = start.unwrap_or_else(|| {
        EPOCH.saturating_add(i64::from(EPOCH.weekday().until(weekday.unwrap_or(Weekday::Monday))).days())
    });
    (!names.is_empty()).then_some(Layer { rotation: names, days, hand_over: time, start, begins, only })
}

/// The day of the first hand-over, where one is named; it falls on the day of the week of the hand-over.
fn start(form: &Form<'_>, weekday: Option<Weekday>) -> Option<Date> {
    let written = form.time("start")?;
    let Ok(day) = written.value.parse::<Date>() else {
        form.desk.error(written.span, format!("`{}` is no day", written.value), "write start = 2026-01-05");
        return None;
    };
    if let Some(weekday) = weekday.filter(|w| *w != day.weekday()) {
        let meant = day.saturating_sub(i64::from(day.weekday().since(weekday)).days());
        let message = format!("`{day}` is a {}, the hand-over a {}", day.strftime("%A"), meant.strftime("%A"));
        form.desk.error(written.span, message, format!("write start = {meant}"));
    }
    Some(day)
}

fn exception(form: Form<'_>, zone: &TimeZone, persons: &mut Vec<Place>) -> Option<Watch> {
    let desk = form.desk;
    let person = form.must_text("person");
    let from = instant(&form, "from", zone);
    let to = instant(&form, "to", zone);
    if let (Some(from), Some(to)) = (&from, &to)
        && to.value <= from.value
    {
        desk.error(to.span.clone(), "this ends before it begins", "write a later time");
    }
    form.finish();
    let person = person?;
    persons.push(Place::new(desk, person.clone()));
    Some(Watch { person: person.value, from: from?.value, to: to?.value })
}

/// A time that must be there: of the schedule's zone, unless it names an offset.
fn instant(form: &Form<'_>, key: &'static str, zone: &TimeZone) -> Option<At<Timestamp>> {
    let example = format!("write {key} = 2026-12-24T09:00:00 or \"2026-12-24 09:00\"");
    if !form.has(key) {
        form.desk.error(form.span.clone(), format!("this override has no `{key}`"), example.as_str());
    }
    let written = form.time(key)?;
    let text = written.value.trim();
    let local = || {
        let day = || text.parse::<Date>().ok().map(|d| d.to_datetime(Time::midnight()));
        zone.to_timestamp(text.parse::<DateTime>().ok().or_else(day)?).ok()
    };
    match text.parse::<Timestamp>().ok().or_else(local) {
        Some(value) => Some(At { value, span: written.span }),
        None => {
            form.desk.error(written.span, format!("`{text}` is no time"), example);
            None
        }
    }
}
