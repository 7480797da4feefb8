//! Who is on call: at an instant, until when, over a stretch of time, and when nobody is.
//!
//! Hand-overs and hours are local times of the schedule's zone, turned to instants each by itself: what falls into the
//! hour that is skipped comes when that hour is over, what falls into the one that comes twice comes the first time.
//! So nobody's watch is left open in the night of the clock change. A test holds all of it to a reference that goes
//! minute by minute.

mod reach;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::model::schedule::{Hours, Layer, Schedule, Watch};
use crate::model::time::Span;

/// The farthest that the next change is looked for.
const HORIZON: Span = Span::days(400);

/// A stretch of time with those who are on call in it; nobody where `who` is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// From when.
    pub from: Timestamp,
    /// Until when; this instant is no part of it.
    pub to: Timestamp,
    /// Names of persons.
    pub who: Vec<String>,
}

/// The zone of a name that the rules room has checked.
pub fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

impl Schedule {
    /// Names of those who are on call at an instant.
    pub fn who(&self, at: Timestamp) -> Vec<&str> {
        Reader::new(self).who(at)
    }

    /// When those who are on call change next after an instant; `None` where they do not within 400 days.
    pub fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        let now = self.who(after);
        let (mut from, mut length) = (after, Span::days(2));
        while from < after + HORIZON {
            let to = (from + length).min(after + HORIZON);
            let shifts = self.shifts(from, to);
            if let Some(next) = shifts.iter().find(|d| d.who != now) {
                return Some(next.from);
            }
            (from, length) = (to, Span::millis(length.as_millis() * 4));
        }
        None
    }

    /// Who is on call between two instants, one stretch after the other without a hole; those in which nobody is are
    /// among them.
    pub fn shifts(&self, from: Timestamp, to: Timestamp) -> Vec<Shift> {
        let reader = Reader::new(self);
        let mut out: Vec<Shift> = Vec::new();
        let mut edges = reader.edges(from, to);
        edges.push(to);
        let mut begin = from;
        for end in edges {
            let who = reader.who(begin);
            match out.last_mut() {
                Some(last) if last.who == who => last.to = end,
                _ => out.push(Shift { from: begin, to: end, who: who.into_iter().map(str::to_owned).collect() }),
            }
            begin = end;
        }
        out.retain(|d| d.from < d.to);
        out
    }

    /// When nobody is on call between two instants.
    pub fn gaps(&self, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        self.shifts(from, to).into_iter().filter(|d| d.who.is_empty()).map(|d| (d.from, d.to)).collect()
    }
}

/// A schedule with its zone at hand.
struct Reader<'s> {
    schedule: &'s Schedule,
    zone: TimeZone,
}

impl<'s> Reader<'s> {
    fn new(schedule: &'s Schedule) -> Reader<'s> {
        Reader { schedule, zone: zone(&schedule.time_zone) }
    }

    fn who(&self, at: Timestamp) -> Vec<&'s str> {
        let holds = |w: &&Watch| w.from <= at && at < w.to;
        if let Some(exception) = self.schedule.overrides.iter().rev().find(holds) {
            return vec![&exception.person];
        }
        let mut fed: Vec<&str> = Vec::new();
        for watch in self.schedule.feed.iter().filter(holds) {
            if !fed.contains(&watch.person.as_str()) {
                fed.push(&watch.person);
            }
        }
        if !fed.is_empty() {
            return fed;
        }
        let layer = self.schedule.layers.iter().rev().find_map(|l| self.on_layer(l, at));
        layer.into_iter().collect()
    }

    fn on_layer(&self, layer: &'s Layer, at: Timestamp) -> Option<&'s str> {
        if !layer.only.is_empty() && !any_holds(&layer.only, at, &self.zone) {
            return None;
        }
        let turn = self.turn(layer, at);
        if layer.begins && turn < 0 {
            return None;
        }
        let count = i64::try_from(layer.rotation.len()).ok().filter(|n| *n > 0)?;
        layer.rotation.get(usize::try_from(turn.rem_euclid(count)).ok()?).map(String::as_str)
    }

    /// The number of the turn that an instant falls into; the first one is 0.
    fn turn(&self, layer: &Layer, at: Timestamp) -> i64 {
        let days = i64::from(layer.days.max(1));
        let local = at.to_zoned(self.zone.clone()).date();
        let guess = i64::from((local - layer.start).get_days()).div_euclid(days);
        // A hand-over is at most a day away from what the date alone tells.
        let begun = |turn: i64| self.hand_over(layer, turn).is_some_and(|begin| begin <= at);
        (guess - 1..=guess + 1).rev().find(|turn| begun(*turn)).unwrap_or(guess - 2)
    }

    /// When a turn begins.
    fn hand_over(&self, layer: &Layer, turn: i64) -> Option<Timestamp> {
        let days = turn.checked_mul(i64::from(layer.days.max(1)))?;
        let day = layer.start.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
        self.zone.to_timestamp(day.to_datetime(layer.hand_over)).ok()
    }

    /// Instants between two others at which something may change, in order.
    fn edges(&self, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        let mut out = Vec::new();
        for layer in &self.schedule.layers {
            let (first, last) = (self.turn(layer, from), self.turn(layer, to));
            out.extend((first..=last).filter_map(|turn| self.hand_over(layer, turn)));
            out.extend(stretches(&layer.only, from, to, &self.zone).into_iter().flat_map(|(a, b)| [a, b]));
        }
        for watch in self.schedule.feed.iter().chain(&self.schedule.overrides) {
            out.extend([watch.from, watch.to]);
        }
        out.retain(|at| from < *at && *at < to);
        out.sort_unstable();
        out.dedup();
        out
    }
}

/// Whether an instant falls into some of the hours, as they are in a zone.
pub fn any_holds(hours: &[Hours], at: Timestamp, zone: &TimeZone) -> bool {
    stretches(hours, at, at + Span::millis(1), zone).iter().any(|(from, to)| *from <= at && at < *to)
}

/// The stretches of hours that touch the time between two instants, as they are in a zone.
pub fn stretches(hours: &[Hours], from: Timestamp, to: Timestamp, zone: &TimeZone) -> Vec<(Timestamp, Timestamp)> {
    let mut out = Vec::new();
    if hours.is_empty() {
        return out;
    }
    let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
    // A stretch is a week long at most, and a clock change is less than a day.
    let (first, last) = (day(from).saturating_sub(8.days()), day(to).saturating_add(1.day()));
    for stretch in hours.iter().flat_map(|h| &h.stretches) {
        let mut begin = next_weekday(first, stretch.day);
        while begin <= last {
            let end = begin.saturating_add(i64::from(stretch.days).days());
            let instant = |date: Date, time: Time| zone.to_timestamp(DateTime::from_parts(date, time)).ok();
            if let (Some(a), Some(b)) = (instant(begin, stretch.from), instant(end, stretch.to))
                && a < to
                && b > from
                && a < b
            {
                out.push((a, b));
            }
            let Ok(next) = begin.checked_add(7.days()) else { break };
            begin = next;
        }
    }
    out.sort_unstable();
    out
}

/// The first day of that name from a day on.
fn next_weekday(from: Date, day: Weekday) -> Date {
    from.saturating_add(i64::from(from.weekday().until(day)).days())
}

#[cfg(test)]
mod tests;
