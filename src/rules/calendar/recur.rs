//! Events that come back: a rule of iCalendar to the local times at which it holds.
//!
//! A rule is walked in local time and the zone is put in afterwards: an event of nine o'clock stays one, whatever the
//! clocks do. The walk is ours and not calcard's, which takes UNTIL, told in UTC, for local time and so loses the last
//! event east of Greenwich, and takes most of a second for a rule that can never hold. Where neither matters, a test holds
//! both to the same answer.

use calcard::icalendar::{ICalendarFrequency as Frequency, ICalendarRecurrenceRule as Rule, ICalendarWeekday};
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{Span, ToSpan};

use crate::config::fault::suggest;

/// How often an event may come back within what is read.
pub(super) const MOST_TIMES: usize = 10_000;
/// The parts that a rule may have.
const PARTS: [&str; 14] = [
    "FREQ",
    "UNTIL",
    "COUNT",
    "INTERVAL",
    "BYSECOND",
    "BYMINUTE",
    "BYHOUR",
    "BYDAY",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYMONTH",
    "BYSETPOS",
    "WKST",
];

/// What is wrong with a rule, and what to do.
pub(super) type Wrong = (String, String);

/// The first part of a written rule that is wrong, with what is wrong: calcard passes over what it does not know, and cuts
/// numbers to their last bits.
pub(super) fn odd_part(raw: &str) -> Option<(String, Wrong)> {
    let value = raw.split_once(':').map_or("", |(_, v)| v);
    let mut seen: Vec<String> = Vec::new();
    for part in value.split(';').map(str::trim).filter(|p| !p.is_empty()) {
        let (name, values) = part.split_once('=').unwrap_or((part, ""));
        let name = name.to_ascii_uppercase();
        let wrong = if !PARTS.contains(&name.as_str()) {
            (format!("`{part}` is no part of a rule"), suggest(&name, PARTS))
        } else if seen.contains(&name) {
            (format!("`{name}` stands twice in this rule"), "take one away".into())
        } else if let Some((low, high)) = numbers(&name)
            && let Some(odd) =
                values.split(',').find(|n| !n.trim().parse().is_ok_and(|n: i64| (low..=high).contains(&n)))
        {
            (format!("`{odd}` makes no sense as {name}"), format!("use {low} to {high}"))
        } else {
            seen.push(name);
            continue;
        };
        return Some((part.to_owned(), wrong));
    }
    None
}

/// The smallest and the largest number that a part may hold, where it holds numbers.
fn numbers(part: &str) -> Option<(i64, i64)> {
    Some(match part {
        "COUNT" => (1, i64::try_from(MOST_TIMES).unwrap_or(0)),
        "INTERVAL" => (1, 1000),
        "BYSECOND" | "BYMINUTE" => (0, 59),
        "BYHOUR" => (0, 23),
        "BYMONTHDAY" => (-31, 31),
        "BYWEEKNO" => (-53, 53),
        "BYMONTH" => (1, 12),
        "BYYEARDAY" | "BYSETPOS" => (-366, 366),
        _ => return None,
    })
}

/// The local times of a rule between `first` and `last`, in order: `start` is the event's own first time, from which COUNT
/// counts.
pub(super) fn times(rule: &Rule, start: DateTime, first: DateTime, last: DateTime) -> Result<Vec<DateTime>, Wrong> {
    if rule.freq >= Frequency::Hourly {
        let why = "this event comes back more often than daily".to_owned();
        return Err((why, "write FREQ=DAILY, with BYHOUR=8,12,16 where it must be".into()));
    }
    if !rule.bysetpos.is_empty()
        && Days::new(rule, start).is_plain()
        && rule.byhour.is_empty()
        && rule.byminute.is_empty()
    {
        return Err(("BYSETPOS picks among the days of another part".into(), "add BYDAY or BYMONTHDAY".into()));
    }
    let monthly = matches!(rule.freq, Frequency::Monthly | Frequency::Yearly);
    if !monthly && rule.byday.iter().any(|d| d.ordwk.is_some()) {
        return Err(("a numbered BYDAY needs a month or a year".into(), "write FREQ=MONTHLY, or BYDAY=MO".into()));
    }
    let (days, clock) = (Days::new(rule, start), clock(rule, start.time()));
    let mut out = Vec::new();
    let mut left = rule.count.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let mut period = Period::first(rule, start.date());
    if rule.count.is_none() {
        period.skip(first.date());
    }
    while let Some(dates) = period.next(last.date()) {
        let dates = dates.into_iter().filter(|d| days.hold(*d));
        let all: Vec<DateTime> = dates.flat_map(|d| clock.iter().map(move |t| d.to_datetime(*t))).collect();
        for at in picked(&all, &rule.bysetpos) {
            if at > last {
                return Ok(out);
            }
            if at < start {
                continue;
            }
            if at >= first {
                out.push(at);
            }
            left -= 1;
            if left == 0 {
                return Ok(out);
            }
            if out.len() > MOST_TIMES {
                let why = format!("this event comes back more than {MOST_TIMES} times");
                return Err((why, "let it come back less often".into()));
            }
        }
    }
    Ok(out)
}

/// Those of a period's times that BYSETPOS picks, in order; all where it picks none.
fn picked(all: &[DateTime], positions: &[i32]) -> Vec<DateTime> {
    if positions.is_empty() {
        return all.to_vec();
    }
    let count = i32::try_from(all.len()).unwrap_or(i32::MAX);
    let mut places: Vec<usize> = positions
        .iter()
        .map(|p| if *p > 0 { p - 1 } else { count + p })
        .filter_map(|p| usize::try_from(p).ok())
        .collect();
    places.sort_unstable();
    places.dedup();
    places.into_iter().filter_map(|p| all.get(p).copied()).collect()
}

/// The times of a day at which a rule holds, in order.
fn clock(rule: &Rule, start: Time) -> Vec<Time> {
    let or = |given: &[u8], own: i8| -> Vec<i8> {
        if given.is_empty() { vec![own] } else { given.iter().filter_map(|n| i8::try_from(*n).ok()).collect() }
    };
    let (hours, minutes) = (or(&rule.byhour, start.hour()), or(&rule.byminute, start.minute()));
    let seconds = or(&rule.bysecond, start.second());
    let mut out = Vec::new();
    for hour in &hours {
        for minute in &minutes {
            out.extend(seconds.iter().filter_map(|second| Time::new(*hour, *minute, *second, 0).ok()));
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// A year, month, week or day of a rule, and those after it.
struct Period {
    frequency: Frequency,
    every: i64,
    /// Its first day; for a month the first, for a week the one that weeks begin with.
    begin: Option<Date>,
}

impl Period {
    fn first(rule: &Rule, start: Date) -> Period {
        let begin = match rule.freq {
            Frequency::Yearly => start.first_of_year(),
            Frequency::Monthly => start.first_of_month(),
            Frequency::Weekly => week_begin(start, week_start(rule)),
            _ => start,
        };
        Period { frequency: rule.freq, every: i64::from(rule.interval.unwrap_or(1).max(1)), begin: Some(begin) }
    }

    fn step(&self, periods: i64) -> Option<Span> {
        let n = self.every.checked_mul(periods)?;
        let span = Span::new();
        match self.frequency {
            Frequency::Yearly => span.try_years(n).ok(),
            Frequency::Monthly => span.try_months(n).ok(),
            Frequency::Weekly => span.try_weeks(n).ok(),
            _ => span.try_days(n).ok(),
        }
    }

    /// Goes on to the last period that begins before a day; stays where that is over.
    fn skip(&mut self, day: Date) {
        let Some(begin) = self.begin.filter(|b| *b < day) else { return };
        // No period is longer than it is counted here, so that the day is never passed.
        let longest = match self.frequency {
            Frequency::Yearly => 366,
            Frequency::Monthly => 31,
            Frequency::Weekly => 7,
            _ => 1,
        };
        let days = i64::from((day - begin).get_days());
        let periods = days / (longest * self.every);
        self.begin = self.step(periods).and_then(|s| begin.checked_add(s).ok());
    }

    /// The days of the next period that begins by a day.
    fn next(&mut self, last: Date) -> Option<Vec<Date>> {
        let begin = self.begin.filter(|b| *b <= last)?;
        self.begin = self.step(1).and_then(|s| begin.checked_add(s).ok());
        let end = match self.frequency {
            Frequency::Yearly => begin.last_of_year(),
            Frequency::Monthly => begin.last_of_month(),
            Frequency::Weekly => begin.checked_add(6.days()).ok()?,
            _ => begin,
        };
        Some(begin.series(1.day()).take_while(|d| *d <= end).collect())
    }
}

fn week_start(rule: &Rule) -> Weekday {
    rule.wkst.map_or(Weekday::Monday, weekday)
}

fn week_begin(day: Date, start: Weekday) -> Date {
    let since = day.weekday().since(start);
    day.saturating_sub(i64::from(since).days())
}

fn weekday(day: ICalendarWeekday) -> Weekday {
    match day {
        ICalendarWeekday::Sunday => Weekday::Sunday,
        ICalendarWeekday::Monday => Weekday::Monday,
        ICalendarWeekday::Tuesday => Weekday::Tuesday,
        ICalendarWeekday::Wednesday => Weekday::Wednesday,
        ICalendarWeekday::Thursday => Weekday::Thursday,
        ICalendarWeekday::Friday => Weekday::Friday,
        ICalendarWeekday::Saturday => Weekday::Saturday,
    }
}

/// Which days of a period a rule holds on (RFC 5545, 3.3.10). Parts that are not there hold on every day.
struct Days {
    months: Vec<i8>,
    month_days: Vec<i8>,
    year_days: Vec<i16>,
    weeks: Vec<i8>,
    weekdays: Vec<(Option<i16>, Weekday)>,
    week_start: Weekday,
    /// Numbered weekdays are those of the month, else of the year.
    by_month: bool,
    plain: bool,
}

impl Days {
    fn new(rule: &Rule, start: DateTime) -> Days {
        let mut days = Days {
            months: rule.bymonth.iter().filter_map(|m| i8::try_from(m.month()).ok()).collect(),
            month_days: rule.bymonthday.clone(),
            year_days: rule.byyearday.clone(),
            weeks: rule.byweekno.clone(),
            weekdays: rule.byday.iter().map(|d| (d.ordwk, weekday(d.weekday))).collect(),
            week_start: week_start(rule),
            by_month: rule.freq == Frequency::Monthly || !rule.bymonth.is_empty(),
            plain: false,
        };
        // What a rule leaves open is as it was the first time.
        days.plain = days.month_days.is_empty()
            && days.year_days.is_empty()
            && days.weeks.is_empty()
            && days.weekdays.is_empty();
        if days.plain {
            match rule.freq {
                Frequency::Yearly => {
                    if days.months.is_empty() {
                        days.months.push(start.month());
                    }
                    days.month_days.push(start.day());
                }
                Frequency::Monthly => days.month_days.push(start.day()),
                Frequency::Weekly => days.weekdays.push((None, start.weekday())),
                _ => {}
            }
        }
        days
    }

    /// No part says which days.
    fn is_plain(&self) -> bool {
        self.plain && self.months.is_empty()
    }

    fn hold(&self, day: Date) -> bool {
        (self.months.is_empty() || self.months.contains(&day.month()))
            && (self.month_days.is_empty()
                || self.month_days.contains(&day.day())
                || self.month_days.contains(&(day.day() - day.days_in_month() - 1)))
            && (self.year_days.is_empty()
                || self.year_days.contains(&day.day_of_year())
                || self.year_days.contains(&(day.day_of_year() - day.days_in_year() - 1)))
            && (self.weekdays.is_empty() || self.weekdays.iter().any(|(n, w)| self.is_weekday(day, *n, *w)))
            && (self.weeks.is_empty() || self.is_week(day))
    }

    fn is_weekday(&self, day: Date, number: Option<i16>, weekday: Weekday) -> bool {
        if day.weekday() != weekday {
            return false;
        }
        let (at, length) = match self.by_month {
            true => (i16::from(day.day()), i16::from(day.days_in_month())),
            false => (day.day_of_year(), day.days_in_year()),
        };
        match number {
            None => true,
            Some(n) if n > 0 => (at - 1) / 7 + 1 == n,
            Some(n) => (length - at) / 7 + 1 == -n,
        }
    }

    /// Weeks are counted from the first that has four days in the year.
    fn is_week(&self, day: Date) -> bool {
        let begin = week_begin(day, self.week_start);
        // The week belongs to the year that its fourth day is in.
        let middle = begin.saturating_add(3.days());
        let number = i8::try_from((middle.day_of_year() - 1) / 7 + 1).unwrap_or(0);
        let all = i8::try_from((middle.days_in_year() - middle.day_of_year()) / 7).unwrap_or(0) + number;
        self.weeks.iter().any(|n| *n == number || *n < 0 && all + 1 + n == number)
    }
}

#[cfg(test)]
mod tests;
