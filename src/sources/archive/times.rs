//! Times as people and tools write them: which of day and month stands first, and the instant that is meant.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// Which comes first in a date of numbers alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// 31/12/2026.
    DayFirst,
    /// 12/31/2026.
    MonthFirst,
}

/// How the times of a column are read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Which comes first where both are possible.
    pub order: Order,
    /// What is meant where the text names no offset.
    pub zone: TimeZone,
}

/// What one date tells about the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// It is read the same either way.
    None,
    /// It could be either; whether the time beside it is told in halves of the day, as Americans do.
    Either(bool),
    /// It can only be so.
    Only(Order),
}

/// What a text tells about the order of day and month.
pub fn hint(text: &str) -> Hint {
    let Some(parts) = Parts::of(text) else { return Hint::None };
    match parts.date {
        Day::Open(a, b, _) if a > 12 && b <= 12 => Hint::Only(Order::DayFirst),
        Day::Open(a, b, _) if b > 12 && a <= 12 => Hint::Only(Order::MonthFirst),
        Day::Open(..) => Hint::Either(parts.halves),
        _ => Hint::None,
    }
}

/// The instant that a text means; `None` where it is no time.
pub fn instant(text: &str, how: &Reading) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    if let Some(at) = counted(text, how) {
        return Some(at);
    }
    if let Ok(civil) = text.parse::<DateTime>() {
        return zoned(civil, how);
    }
    if let Ok(zoned) = jiff::fmt::rfc2822::parse(text) {
        return Some(zoned.timestamp());
    }
    let parts = Parts::of(text)?;
    let (year, month, day) = match (parts.date, how.order) {
        (Day::Known(y, m, d), _) => (y, m, d),
        (Day::Open(d, m, y), Order::DayFirst) | (Day::Open(m, d, y), Order::MonthFirst) => (y, m, d),
    };
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let civil = date.to_datetime(parts.time);
    match parts.offset {
        Some(seconds) => jiff::tz::Offset::from_seconds(seconds).ok()?.to_timestamp(civil).ok(),
        None => zoned(civil, how),
    }
}

/// The instant of a time on the wall.
pub fn zoned(civil: DateTime, how: &Reading) -> Option<Timestamp> {
    how.zone.to_timestamp(civil).ok()
}

/// Seconds or milliseconds since 1970, or the days of a spreadsheet.
fn counted(text: &str, how: &Reading) -> Option<Timestamp> {
    if !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let whole = text.split('.').next().unwrap_or(text);
    let number: f64 = text.parse().ok()?;
    match whole.len() {
        10 => Timestamp::from_millisecond((number * 1000.0).round() as i64).ok(),
        13 => Timestamp::from_millisecond(whole.parse().ok()?).ok(),
        16 => Timestamp::from_microsecond(whole.parse().ok()?).ok(),
        5 if text.matches('.').count() <= 1 => zoned(of_days(number)?, how),
        _ => None,
    }
}

/// A time as spreadsheets count it: days, with 1970 at 25,569.
pub(super) fn of_days(days: f64) -> Option<DateTime> {
    let ms = ((days - 25_569.0) * 86_400_000.0).round();
    (ms.abs() < 1e14).then_some(())?;
    Some(Timestamp::from_millisecond(ms as i64).ok()?.to_zoned(TimeZone::UTC).datetime())
}

/// A date as far as the text alone tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// Year, month, day.
    Known(i16, u16, u16),
    /// Two numbers that are day and month, and the year.
    Open(u16, u16, i16),
}

#[derive(Debug)]
struct Parts {
    date: Day,
    time: Time,
    offset: Option<i32>,
    /// The time has AM or PM.
    halves: bool,
}

/// Beginnings of the months' names in English, German, Swedish, Italian and Spanish.
const MONTHS: [&[&str]; 12] = [
    &["jan", "jän", "gen", "ene"],
    &["feb"],
    &["mar", "mär"],
    &["apr", "abr"],
    &["may", "mai", "maj", "mag"],
    &["jun", "giu"],
    &["jul", "lug"],
    &["aug", "ago"],
    &["sep", "set"],
    &["oct", "okt", "ott"],
    &["nov"],
    &["dec", "dez", "dic"],
];

/// Offsets from Greenwich that have names; those of other places are told by `--time-zone`.
const ZONES: &[(&str, i32)] = &[
    ("utc", 0),
    ("gmt", 0),
    ("z", 0),
    ("cet", 1),
    ("cest", 2),
    ("mez", 1),
    ("mesz", 2),
    ("bst", 1),
    ("est", -5),
    ("edt", -4),
    ("cst", -6),
    ("cdt", -5),
    ("mst", -7),
    ("mdt", -6),
    ("pst", -8),
    ("pdt", -7),
];

impl Parts {
    fn of(text: &str) -> Option<Parts> {
        if text.len() > 80 {
            return None;
        }
        let text =
            text.to_lowercase().replace(['\u{202f}', '\u{a0}', ','], " ").replace("a.m.", "am").replace("p.m.", "pm");
        let (mut numbers, mut month, mut date, mut time, mut offset) = (Vec::new(), None, None, None, None);
        let (mut late, mut halves) = (None, false);
        for token in text.split_whitespace().flat_map(halves_apart) {
            let token = token.trim_matches(['(', ')']);
            if token.is_empty() {
                continue;
            }
            let bare = token.trim_end_matches('.');
            if let Some(found) = offset_of(token) {
                offset = Some(found);
            } else if token.contains(':') {
                let (clock, rest) = token.split_at(token.find(['+', 'z']).unwrap_or(token.len()));
                time = Some(clock_of(clock, ':')?);
                offset = offset_of(rest).or(offset);
            } else if matches!(bare, "am" | "pm") {
                (late, halves) = (Some(bare == "pm"), true);
            } else if let Some(d) = date_of(token) {
                date = date.or(Some(d));
            } else if date.is_some()
                && time.is_none()
                && token.matches('.').count() == 1
                && clock_of(token, '.').is_some()
            {
                time = clock_of(token, '.');
            } else if let Ok(n) = ordinal(bare).parse::<u16>() {
                numbers.push(n);
            } else if let Some(m) = MONTHS.iter().position(|names| names.iter().any(|n| bare.starts_with(n))) {
                month = month.or(u16::try_from(m + 1).ok());
            }
        }
        // A date in words: 3 March 2026, Mar 3 2026, 2026 March 3.
        let date = date.or_else(|| {
            let (month, &[a, b]) = (month?, numbers.get(..2)?) else { return None };
            let (year, day) = if a > 31 { (a, b) } else { (b, a) };
            Some(Day::Known(full_year(year)?, month, day))
        })?;
        let mut time = time.unwrap_or(Time::midnight());
        if let Some(late) = late {
            let hour = time.hour() % 12 + if late { 12 } else { 0 };
            time = Time::new(hour, time.minute(), time.second(), time.subsec_nanosecond()).ok()?;
        }
        Some(Parts { date, time, offset, halves })
    }
}

/// `8:15pm` is two words.
fn halves_apart(token: &str) -> [&str; 2] {
    let at = ["am", "pm"].iter().find_map(|half| token.strip_suffix(half).map(str::len));
    match at.filter(|at| token.as_bytes().get(at.wrapping_sub(1)).is_some_and(u8::is_ascii_digit)) {
        Some(at) => token.split_at(at).into(),
        None => [token, ""],
    }
}

/// `3rd` is 3.
fn ordinal(token: &str) -> &str {
    let digits = token.trim_end_matches(|c: char| c.is_alphabetic() || matches!(c, 'º' | 'ª'));
    let tail = token.get(digits.len()..).unwrap_or("");
    if matches!(tail, "st" | "nd" | "rd" | "h" | "th" | "º" | "ª") { digits } else { token }
}

fn full_year(year: u16) -> Option<i16> {
    let year = i16::try_from(year).ok()?;
    match year {
        0..=69 => Some(2000 + year),
        70..=99 => Some(1900 + year),
        1000.. => Some(year),
        _ => None,
    }
}

/// Three numbers with dots, slashes or lines between.
fn date_of(token: &str) -> Option<Day> {
    let sign = token.chars().find(|c| matches!(c, '.' | '/' | '-'))?;
    let mut parts = token.trim_end_matches(sign).split(sign);
    let (a, b, c) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let number = |t: &str| t.parse::<u16>().ok();
    if a.len() == 4 {
        return Some(Day::Known(full_year(number(a)?)?, number(b)?, number(c)?));
    }
    let year = full_year(number(c)?)?;
    if let Some(m) = MONTHS.iter().position(|names| names.iter().any(|n| b.starts_with(n))) {
        return Some(Day::Known(year, u16::try_from(m + 1).ok()?, number(a)?));
    }
    let (a, b) = (number(a)?, number(b)?);
    // With dots the day stands first wherever dots are written.
    Some(if sign == '.' { Day::Known(year, b, a) } else { Day::Open(a, b, year) })
}

fn clock_of(token: &str, sign: char) -> Option<Time> {
    let mut parts = token.split(sign);
    let hour = parts.next()?.parse().ok()?;
    let minute = parts.next()?.parse().ok()?;
    let seconds: f64 = parts.next().map_or(Some(0.0), |s| s.parse().ok())?;
    let nanos = (seconds.fract() * 1e9).round().min(999_999_999.0);
    Time::new(hour, minute, seconds.trunc() as i8, nanos as i32).ok()
}

/// Seconds from Greenwich: `utc`, `cet`, `+0100`, `+01:00`, `utc+1`.
fn offset_of(token: &str) -> Option<i32> {
    if let Some((_, hours)) = ZONES.iter().find(|(name, _)| *name == token) {
        return Some(hours * 3600);
    }
    let rest = token.strip_prefix("utc").or_else(|| token.strip_prefix("gmt")).unwrap_or(token);
    let (sign, digits) = match rest.strip_prefix('+') {
        Some(digits) => (1, digits),
        None => (-1, rest.strip_prefix('-')?),
    };
    let digits: String = digits.chars().filter(|c| *c != ':').collect();
    let n: i32 = digits.parse().ok()?;
    let (hours, minutes) = if digits.len() <= 2 { (n, 0) } else { (n / 100, n % 100) };
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn how(order: Order) -> Reading {
        Reading { order, zone: TimeZone::get("Europe/Stockholm").expect("bundled") }
    }

    fn read(text: &str) -> String {
        instant(text, &how(Order::DayFirst)).map_or("none".into(), |t| t.to_string())
    }

    #[test]
    fn many_ways_to_say_one_instant() {
        for text in [
            "2026-03-10T07:15:00Z",
            "2026-03-10T08:15:00+01:00",
            "2026-03-10 07:15:00+00:00",
            "2026-03-10 08:15:00",
            "2026-03-10T08:15",
            "2026-03-10 08:15:00.0",
            "2026-03-10 07:15 UTC",
            "2026-03-10 07:15:00 +0000",
            "Tue, 10 Mar 2026 07:15:00 GMT",
            "10.03.2026 08:15",
            "10.03.2026, 08:15 Uhr",
            "10/03/2026 08.15",
            "10-03-2026 8:15",
            "10/03/26 8:15 AM",
            "10 March 2026 08:15",
            "March 10, 2026 8:15 AM",
            "Mar 10, 2026, 8:15:00 a.m.",
            "10-Mar-2026 08:15AM",
            "10. März 2026 08:15",
            "10 mars 2026 kl. 08:15",
            "10 marzo 2026 alle 08:15",
            "10 de marzo de 2026 08:15",
            "1773126900",
            "1773126900000",
            "46091.34375",
        ] {
            assert_eq!(read(text), "2026-03-10T07:15:00Z", "{text}");
        }
        assert_eq!(read("2026-07-01"), "2026-06-30T22:00:00Z");
        assert_eq!(read("1 maggio 2026 20:00"), "2026-05-01T18:00:00Z");
        assert_eq!(read("12/05/2026 12:30 PM"), "2026-05-12T10:30:00Z");
        for text in ["", "yesterday", "13/13/2026", "99", "2026-13-40", "Acme", "may be"] {
            assert_eq!(read(text), "none", "{text}");
        }
    }

    #[test]
    fn the_order_of_day_and_month() {
        assert_eq!(hint("25/03/2026 10:00"), Hint::Only(Order::DayFirst));
        assert_eq!(hint("03/25/2026 10:00"), Hint::Only(Order::MonthFirst));
        assert_eq!(hint("03/04/2026 1:00 PM"), Hint::Either(true));
        assert_eq!(hint("03/04/2026"), Hint::Either(false));
        assert_eq!(
            (hint("03.04.2026"), hint("2026-03-04"), hint("3 April 2026")),
            (Hint::None, Hint::None, Hint::None)
        );
        let american = instant("03/04/2026 01:00", &how(Order::MonthFirst)).expect("a time");
        assert_eq!(american.to_string(), "2026-03-04T00:00:00Z");
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,40}") {
            hint(&text);
            instant(&text, &how(Order::DayFirst));
        }

        #[test]
        fn written_dates_are_read(text in "[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}( [0-9]{1,2}[:.][0-9]{1,2}(:[0-9]{2})?)?( ?[ap]m)?") {
            hint(&text);
            instant(&text, &how(Order::MonthFirst));
        }
    }
}
