//! Events of an iCalendar file: what each is called, when it is, each time that it comes back.
//!
//! calcard reads properties and rules; times, zones and places are ours, since faults need places and clocks that change
//! need jiff. Length is counted on the wall: a shift from nine to nine is one in the night of the clock change too.

use std::cell::Cell;
use std::collections::HashMap;
use std::ops::Range;

use calcard::common::timezone::Tz;
use calcard::icalendar::{ICalendarDuration, ICalendarEntry, ICalendarParameterName, ICalendarValue};
use calcard::{Entry, Parser};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp};

use super::lines::{self, Block, Line};
use super::recur;
use crate::config::fault::{Fault, nearest};
use crate::config::written::Desk;

/// How long an event without an end is taken to last.
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Events of a file that may come back: one that began long ago and counts may cost a millisecond to walk.
const MOST_RULES: usize = 2000;
/// Faults of one file after which the rest of it is not read.
const ENOUGH: usize = 50;

/// One event as it stands in a file, with every time that it comes.
#[derive(Debug)]
pub(in crate::rules) struct Event<'a> {
    /// Its block.
    pub(super) block: Block<'a>,
    /// Its SUMMARY; empty where it has none.
    pub(in crate::rules) name: String,
    /// From when until when, in order.
    pub(in crate::rules) spans: Vec<(Timestamp, Timestamp)>,
    /// It takes whole days.
    pub(in crate::rules) whole_day: bool,
    /// People who take part: addresses and names.
    pub(in crate::rules) attendees: Vec<String>,
    /// Where its first line stands.
    pub(in crate::rules) head: Range<usize>,
}

/// An instant as it is written: a local time, or a whole day, in a zone.
#[derive(Debug, Clone)]
struct When {
    local: DateTime,
    zone: TimeZone,
    whole_day: bool,
}

impl When {
    fn instant(&self) -> Option<Timestamp> {
        self.zone.to_timestamp(self.local).ok()
    }

    fn at(&self, local: DateTime) -> Option<Timestamp> {
        self.zone.to_timestamp(local).ok()
    }
}

/// How long an event lasts.
enum Length {
    /// So long on the wall, to a time in this zone.
    Wall(SignedDuration, TimeZone),
    /// Days on the wall, then time by the stopwatch (RFC 5545, 3.3.6).
    Nominal(ICalendarDuration),
}

/// An event before its returns are known.
struct Raw<'a> {
    block: Block<'a>,
    uid: String,
    start: When,
    length: Length,
    /// It stands in for the time of another that this names.
    instead: Option<When>,
    cancelled: bool,
}

/// Reads the events of a file. `zone` is meant by whole days, and by times where neither they nor the file name one; those that come back do so from the first of
/// `range` to the second. Mistakes are noted.
pub(in crate::rules) fn read<'a>(desk: &'a Desk, zone: &TimeZone, range: (Timestamp, Timestamp)) -> Vec<Event<'a>> {
    let mut out = Vec::new();
    for mut calendar in lines::calendars(desk) {
        let zones = zones(&calendar);
        let own = calendar.line("X-WR-TIMEZONE").and_then(|l| text_of(l)).and_then(|name| named(&zones, name.trim()));
        let reader = Reader {
            desk,
            zones,
            zone: own.unwrap_or_else(|| zone.clone()),
            days: zone.clone(),
            range,
            never: Cell::new(0),
        };
        let blocks: Vec<Block<'_>> = std::mem::take(&mut calendar.inner);
        let mut raws = Vec::new();
        let mut told = 0;
        for block in blocks.into_iter().filter(|b| b.kind == "VEVENT") {
            match reader.raw(block) {
                Some(raw) => raws.push(raw),
                None => told += 1,
            }
            if told == ENOUGH {
                desk.error(0..0, format!("{ENOUGH} events are wrong; the rest is not read"), "mend these first");
                return out;
            }
        }
        out.extend(reader.events(raws));
    }
    out
}

struct Reader<'a> {
    desk: &'a Desk,
    zones: HashMap<String, TimeZone>,
    /// Of times that name none: the calendar's own, else the brand's.
    zone: TimeZone,
    /// Of whole days: the brand's.
    days: TimeZone,
    range: (Timestamp, Timestamp),
    /// Rules that never held so far.
    never: Cell<usize>,
}

impl<'a> Reader<'a> {
    fn wrong(&self, line: &Line<'_>, message: impl Into<String>, help: impl Into<String>) {
        self.desk.error(line.head(), message, help);
    }

    fn raw(&self, block: Block<'a>) -> Option<Raw<'a>> {
        let Some(begin) = block.line("DTSTART") else {
            self.desk.error(
                block.head.clone(),
                "this event has no DTSTART",
                "write for example DTSTART:20260310T090000Z",
            );
            return None;
        };
        let start = self.whens(begin)?.into_iter().next()?;
        let length = self.length(&block, &start)?;
        let instead = match block.line("RECURRENCE-ID") {
            Some(line) => {
                if line.raw.to_ascii_uppercase().contains("RANGE=THISANDFUTURE") {
                    let fault = Fault::warning(
                        &self.desk.sheet,
                        line.head(),
                        "only this one time is changed, not those after it",
                    );
                    self.desk.push(fault.help("end the old event with UNTIL and write a new one from here on"));
                }
                Some(self.whens(line)?.into_iter().next()?)
            }
            None => None,
        };
        let text = |name| block.line(name).and_then(text_of).map(|t| t.trim().to_owned()).unwrap_or_default();
        let cancelled = block.line("STATUS").is_some_and(|l| value_of(l).eq_ignore_ascii_case("CANCELLED"));
        Some(Raw { uid: text("UID"), start, length, instead, cancelled, block })
    }

    fn length(&self, block: &Block<'_>, start: &When) -> Option<Length> {
        if let Some(line) = block.line("DTEND") {
            let end = self.whens(line)?.into_iter().next()?;
            if end.whole_day != start.whole_day {
                self.wrong(
                    line,
                    "the event begins with a day and ends with a time, or the other way",
                    "write both as days or both as times",
                );
                return None;
            }
            // Some write the end of a whole day as the day itself.
            if start.whole_day && end.local == start.local {
                return Some(Length::Wall(SignedDuration::from_hours(24), start.zone.clone()));
            }
            if end.instant()? < start.instant()? {
                self.wrong(line, "the event ends before it begins", "write a DTEND after DTSTART");
                return None;
            }
            // A post has a moment and no length.
            let length = start.local.duration_until(end.local);
            return Some(Length::Wall(if end.instant()? == start.instant()? { HOUR } else { length }, end.zone));
        }
        if let Some(line) = block.line("DURATION") {
            let length = entry_of(line).and_then(|e| match e.values.into_iter().next() {
                Some(ICalendarValue::Duration(d)) if !d.neg => Some(d),
                _ => None,
            });
            if length.is_none() {
                self.wrong(line, "this is no length of time", "write for example DURATION:PT2H or DURATION:P1D");
            }
            return length.map(Length::Nominal);
        }
        let length = if start.whole_day { SignedDuration::from_hours(24) } else { HOUR };
        Some(Length::Wall(length, start.zone.clone()))
    }

    /// The end of a time that began at `local`.
    fn end(&self, raw: &Raw<'_>, local: DateTime) -> Option<Timestamp> {
        match &raw.length {
            Length::Wall(length, zone) => {
                let (from, to) = (raw.start.at(local)?, zone.to_timestamp(local.checked_add(*length).ok()?).ok()?);
                // Where the clocks jump over all of it, it keeps its length.
                if from < to { Some(to) } else { from.checked_add(*length).ok() }
            }
            Length::Nominal(d) => {
                let days = i64::from(d.weeks).checked_mul(7)?.checked_add(i64::from(d.days))?;
                let day = local.checked_add(Span::new().try_days(days).ok()?).ok()?;
                let seconds = i64::from(d.hours) * 3600 + i64::from(d.minutes) * 60 + i64::from(d.seconds);
                raw.start.at(day)?.checked_add(SignedDuration::from_secs(seconds)).ok()
            }
        }
    }

    fn events(&self, raws: Vec<Raw<'a>>) -> Vec<Event<'a>> {
        // Times that another event of the same UID stands in for.
        let mut replaced: HashMap<String, Vec<When>> = HashMap::new();
        for raw in raws.iter().filter(|r| !r.uid.is_empty()) {
            if let Some(instead) = &raw.instead {
                replaced.entry(raw.uid.clone()).or_default().push(instead.clone());
            }
        }
        let (mut out, mut rules) = (Vec::new(), 0);
        for raw in raws {
            if raw.cancelled {
                continue;
            }
            let mut starts = vec![raw.start.local];
            if raw.instead.is_none() {
                if let Some(line) = raw.block.line("RRULE") {
                    rules += 1;
                    if rules > MOST_RULES {
                        let message = format!("more than {MOST_RULES} events of this file come back");
                        self.wrong(line, message, "export fewer of them, or as single events");
                        break;
                    }
                    match self.returns(&raw, line) {
                        Some(times) => starts = times,
                        None => continue,
                    }
                }
                let Some(()) = self.extras(&raw, replaced.get(&raw.uid), &mut starts) else { continue };
            }
            let spans: Vec<_> = starts
                .iter()
                .filter_map(|local| Some((raw.start.at(*local)?, self.end(&raw, *local)?)))
                .filter(|(from, to)| from < to)
                .collect();
            out.push(self.event(raw, spans));
        }
        out
    }

    fn event(&self, raw: Raw<'a>, spans: Vec<(Timestamp, Timestamp)>) -> Event<'a> {
        let name = raw.block.line("SUMMARY").and_then(text_of).unwrap_or_default();
        let mut attendees = Vec::new();
        for entry in raw.block.lines("ATTENDEE").filter_map(entry_of) {
            attendees.extend(entry.calendar_address().map(|a| a.to_ascii_lowercase()));
            attendees
                .extend(entry.parameters(&ICalendarParameterName::Cn).filter_map(|n| n.as_text()).map(str::to_owned));
        }
        Event {
            name: name.split_whitespace().collect::<Vec<_>>().join(" "),
            whole_day: raw.start.whole_day,
            head: raw.block.head.clone(),
            block: raw.block,
            spans,
            attendees,
        }
    }

    /// The local times at which an event with a rule begins, within what is read.
    fn returns(&self, raw: &Raw<'_>, line: &Line<'_>) -> Option<Vec<DateTime>> {
        let unfolded = unfold(line.raw);
        if let Some((part, (message, help))) = recur::odd_part(&unfolded) {
            self.desk.error(line.word(&part), message, help);
            return None;
        }
        let rule = entry_of(line).and_then(|e| e.values.into_iter().next());
        let Some(ICalendarValue::RecurrenceRule(rule)) = rule else {
            self.wrong(line, "this is no rule", "write for example RRULE:FREQ=WEEKLY;BYDAY=MO");
            return None;
        };
        let until = match unfolded.to_ascii_uppercase().split_once("UNTIL=") {
            None => None,
            Some((_, rest)) => {
                let value = rest.split(';').next().unwrap_or("").trim().to_owned();
                let Some((date, time, utc)) = moment(&value) else {
                    self.desk.error(line.word(&value), format!("`{value}` is no time"), "write UNTIL=20261231T235959Z");
                    return None;
                };
                // A day ends with its last second; UTC is told in the event's own zone, where the rule is walked.
                let local = date.to_datetime(time.unwrap_or(Time::constant(23, 59, 59, 0)));
                Some(match (utc && time.is_some()).then(|| TimeZone::UTC.to_timestamp(local).ok()).flatten() {
                    Some(at) => at.to_zoned(raw.start.zone.clone()).datetime(),
                    None => local,
                })
            }
        };
        let local = |at: Timestamp| at.to_zoned(raw.start.zone.clone()).datetime();
        let last = until.map_or(local(self.range.1), |until| until.min(local(self.range.1)));
        // Whatever is still going on when reading begins is read too.
        let first = match &raw.length {
            Length::Wall(length, _) => local(self.range.0).saturating_sub(*length),
            Length::Nominal(d) => local(self.range.0).saturating_sub(SignedDuration::from_secs(d.as_seconds())),
        };
        match recur::times(&rule, raw.start.local, first, last) {
            Ok(times) => {
                let never = times.is_empty() && (first..=last).contains(&raw.start.local);
                if never && self.never.replace(self.never.get() + 1) < ENOUGH {
                    let never = "this event never comes, or not within the next 400 days";
                    let fault = Fault::warning(&self.desk.sheet, line.head(), never);
                    self.desk.push(fault.help("let DTSTART be the first time that it comes"));
                }
                Some(times)
            }
            Err((message, help)) => {
                self.wrong(line, message, help);
                None
            }
        }
    }

    /// Takes away what EXDATE and stand-ins name, and adds what RDATE names.
    fn extras(&self, raw: &Raw<'_>, replaced: Option<&Vec<When>>, starts: &mut Vec<DateTime>) -> Option<()> {
        for line in raw.block.lines("RDATE") {
            for when in self.whens(line)? {
                let local = match when.whole_day && !raw.start.whole_day {
                    true => when.local.date().to_datetime(raw.start.local.time()),
                    false => when.instant()?.to_zoned(raw.start.zone.clone()).datetime(),
                };
                starts.push(local);
            }
        }
        let mut gone: Vec<When> = replaced.cloned().unwrap_or_default();
        for line in raw.block.lines("EXDATE") {
            gone.extend(self.whens(line)?);
        }
        starts.retain(|local| {
            !gone.iter().any(|g| match g.whole_day {
                true => g.local.date() == local.date(),
                false => g.instant() == raw.start.at(*local),
            })
        });
        starts.sort_unstable();
        starts.dedup();
        Some(())
    }

    /// The times of a line; the first that is none is noted.
    fn whens(&self, line: &Line<'_>) -> Option<Vec<When>> {
        let entry = entry_of(line);
        let tzid = entry.as_ref().and_then(ICalendarEntry::tz_id).map(str::to_owned);
        let zone = match &tzid {
            None => self.zone.clone(),
            Some(name) => match named(&self.zones, name) {
                Some(zone) => zone,
                None => {
                    let known = ["Europe/Stockholm", "Europe/Berlin", "Europe/Rome", "Europe/Madrid", "Europe/London"];
                    let meant = nearest(name, known).unwrap_or("Europe/Stockholm");
                    let help = format!("write an IANA name such as TZID={meant}");
                    self.desk.error(line.word(name), format!("unknown time zone `{name}`"), help);
                    return None;
                }
            },
        };
        let mut out = Vec::new();
        let value = value_of(line);
        for text in value.split(',').map(str::trim).filter(|t| !t.is_empty()) {
            // RDATE may hold periods: only their beginning is taken.
            let Some((date, time, utc)) = moment(text.split('/').next().unwrap_or(text)) else {
                let help = "write 20260310, 20260310T090000 or 20260310T080000Z";
                self.desk.error(line.word(text), format!("`{text}` is no time"), help);
                return None;
            };
            let zone = match (utc, time, &tzid) {
                (true, ..) => TimeZone::UTC,
                (false, None, None) => self.days.clone(),
                _ => zone.clone(),
            };
            let local = date.to_datetime(time.unwrap_or(Time::midnight()));
            out.push(When { local, zone, whole_day: time.is_none() });
        }
        if out.is_empty() {
            self.wrong(line, "here a time is missing", "write 20260310, 20260310T090000 or 20260310T080000Z");
            return None;
        }
        Some(out)
    }
}

/// The zones that a calendar defines itself, by their names: those that calcard can tell the IANA name of.
fn zones(calendar: &Block<'_>) -> HashMap<String, TimeZone> {
    let mut out = HashMap::new();
    for block in calendar.blocks("VTIMEZONE") {
        let text = |name| block.line(name).and_then(text_of).map(|t| t.trim().to_owned());
        let Some(id) = text("TZID") else { continue };
        let place = text("X-LIC-LOCATION").and_then(|p| by_name(&p));
        let microsoft = || text("X-MICROSOFT-CDO-TZID").and_then(|n| Tz::from_ms_cdo_zone_id(&n)).and_then(of_calcard);
        if let Some(zone) = by_name(&id).or(place).or_else(microsoft) {
            out.insert(id, zone);
        }
    }
    out
}

fn named(zones: &HashMap<String, TimeZone>, name: &str) -> Option<TimeZone> {
    zones.get(name).cloned().or_else(|| by_name(name))
}

/// A zone by its IANA name, or by the names that Windows and old programs give it.
fn by_name(name: &str) -> Option<TimeZone> {
    let iana = TimeZone::get(name).ok();
    iana.or_else(|| name.parse::<Tz>().ok().and_then(of_calcard))
}

fn of_calcard(zone: Tz) -> Option<TimeZone> {
    match zone {
        Tz::Floating => None,
        Tz::Fixed(offset) => Offset::from_seconds(offset.local_minus_utc()).ok().map(TimeZone::fixed),
        Tz::Tz(_) => zone.name().and_then(|n| TimeZone::get(&n).ok()),
    }
}

/// Reads `20260310`, `20260310T0900`, `20260310T090000` and `20260310T080000Z`: day, time, and whether it is UTC.
fn moment(text: &str) -> Option<(Date, Option<Time>, bool)> {
    let text = text.trim();
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (day, time) = match text.split_once(['T', 't']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    if day.len() != 8 || !digits(day) {
        return None;
    }
    let part = |s: &str, r: Range<usize>| s.get(r).and_then(|p| p.parse::<i16>().ok());
    let date = Date::new(part(day, 0..4)?, i8::try_from(part(day, 4..6)?).ok()?, i8::try_from(part(day, 6..8)?).ok()?);
    let date = date.ok().filter(|d| (1900..=9000).contains(&d.year()))?;
    let Some(time) = time else { return Some((date, None, false)) };
    let bare = time.strip_suffix(['Z', 'z']);
    let clock = bare.unwrap_or(time);
    if !matches!(clock.len(), 4 | 6) || !digits(clock) {
        return None;
    }
    let two = |at: usize| part(clock, at..at + 2).and_then(|n| i8::try_from(n).ok());
    // A leap second is the last one of its minute.
    let second = two(4).unwrap_or(0).min(59);
    Some((date, Some(Time::new(two(0)?, two(2)?, second, 0).ok()?), bare.is_some()))
}

/// A line as calcard reads it.
fn entry_of(line: &Line<'_>) -> Option<ICalendarEntry> {
    let text = format!("BEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\n", line.raw);
    match Parser::new(&text).entry() {
        Entry::ICalendar(c) => c.components.into_iter().next()?.entries.into_iter().next(),
        _ => None,
    }
}

/// The text of a line, without its escapes.
pub(super) fn text_of(line: &Line<'_>) -> Option<String> {
    entry_of(line)?.values.into_iter().next()?.into_text().map(|t| t.into_owned())
}

/// The texts of a line that may hold several.
pub(super) fn texts_of(line: &Line<'_>) -> Vec<String> {
    let values = entry_of(line).map(|e| e.values).unwrap_or_default();
    values.into_iter().filter_map(|v| v.into_text().map(|t| t.into_owned())).collect()
}

/// The value of a line that has neither text nor colons in it.
fn value_of(line: &Line<'_>) -> String {
    unfold(line.raw).rsplit_once(':').map_or(String::new(), |(_, v)| v.trim().to_owned())
}

/// A folded line as one.
fn unfold(raw: &str) -> String {
    if !raw.contains('\n') {
        return raw.to_owned();
    }
    raw.split('\n').enumerate().map(|(n, l)| l.trim_end_matches('\r').get(usize::from(n > 0)..).unwrap_or("")).collect()
}
