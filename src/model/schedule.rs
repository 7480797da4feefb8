//! On-call schedules: who has the watch when, by layers of rotations, with hours, overrides and a calendar.
//!
//! Who it is at an instant is worked out by `engine::oncall`.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};

/// Who is on call when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Unique name; no person and no team has the same.
    pub name: String,
    /// The name to show.
    pub title: String,
    /// IANA name of the zone that hand-overs and hours are meant in.
    pub time_zone: String,
    /// Rotations; a later one goes before the earlier ones wherever it applies.
    pub layers: Vec<Layer>,
    /// Watches that a calendar names; they go before all layers. Several at once are all on call.
    pub feed: Vec<Watch>,
    /// Exceptions; they go before everything, the later before the earlier ones.
    pub overrides: Vec<Watch>,
}

/// Persons who take turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Names of persons, in the order of their turns; never empty.
    pub rotation: Vec<String>,
    /// Days that a turn lasts; at least one.
    pub days: i32,
    /// The local time of the hand-over.
    pub hand_over: Time,
    /// The day of the first hand-over: there the turn of the first person begins.
    pub start: Date,
    /// Nobody is called by this layer before its start; else turns are counted backwards as well.
    pub begins: bool,
    /// When it applies; always where this is empty.
    pub only: Vec<Hours>,
}

/// Somebody who has the watch for once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// Name of the person.
    pub person: String,
    /// From when.
    pub from: Timestamp,
    /// Until when; this instant is no part of it.
    pub to: Timestamp,
}

/// Hours of the week, as people write them: `Mon-Fri 08:00-18:00`, `Sat,Sun`, `20:00-08:00`, `Fri 18:00-Mon 08:00`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// As written.
    pub text: String,
    /// Stretches that come back each week, in local time.
    pub stretches: Vec<Stretch>,
}

/// A stretch of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The day that it begins on.
    pub day: Weekday,
    /// When it begins.
    pub from: Time,
    /// Days from the one that it begins on to the one that it ends on.
    pub days: i8,
    /// When it ends; this minute is no part of it.
    pub to: Time,
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The remedy for hours that cannot be read.
pub const HOURS: &str = "write \"Mon-Fri 08:00-18:00\", \"Sat,Sun\", \"20:00-08:00\" or \"Fri 18:00-Mon 08:00\"";

impl Hours {
    /// Reads hours; days without hours are whole days, hours without days come every day. `24:00` is a day's end.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Hours, String> {
        let plain = text.trim().to_lowercase().replace(" - ", "-").replace('–', "-").replace(", ", ",");
        let words: Vec<&str> = plain.split_whitespace().collect();
        let stretches = match words.as_slice() {
            [one] if one.contains(':') => daily(&all_days(), clock_range(one)?),
            [days] => daily(&day_list(days)?, (Time::midnight(), 1, Time::midnight())),
            [days, hours] => daily(&day_list(days)?, clock_range(hours)?),
            // `Fri 18:00-Mon 08:00`
            [first, middle, last] => {
                let (from, day) = middle.split_once('-').ok_or_else(|| format!("`{text}` is no time of the week"))?;
                let (begin, end) = (weekday(first)?, weekday(day)?);
                let (from, (more, to)) = (clock(from)?.1, clock(last)?);
                let days = begin.until(end) + more;
                let days = if days == 0 && to <= from { 7 } else { days };
                vec![Stretch { day: begin, from, days, to }]
            }
            _ => return Err(format!("`{text}` is no time of the week")),
        };
        Ok(Hours { text: text.trim().to_owned(), stretches })
    }
}

fn all_days() -> Vec<Weekday> {
    DAYS.iter().map(|(_, day)| *day).collect()
}

fn daily(days: &[Weekday], (from, more, to): (Time, i8, Time)) -> Vec<Stretch> {
    days.iter().map(|day| Stretch { day: *day, from, days: more, to }).collect()
}

/// Reads `08:00-18:00`: begin, days from it to the end, end.
fn clock_range(text: &str) -> Result<(Time, i8, Time), String> {
    let (from, to) = text.split_once('-').ok_or_else(|| format!("`{text}` has no end"))?;
    let (from, (more, to)) = (clock(from)?.1, clock(to)?);
    Ok((from, if more == 0 && to <= from { 1 } else { more }, to))
}

/// Reads `08:00`: days to add, which `24:00` needs, and the time.
fn clock(text: &str) -> Result<(i8, Time), String> {
    let wrong = || format!("`{text}` is no time of the day");
    if text == "24:00" {
        return Ok((1, Time::midnight()));
    }
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    if hour.len() > 2 || minute.len() != 2 {
        return Err(wrong());
    }
    let part = |s: &str| s.parse::<i8>().map_err(|_| wrong());
    Ok((0, Time::new(part(hour)?, part(minute)?, 0, 0).map_err(|_| wrong())?))
}

/// Reads the hand-over of a layer: `09:00` or `Mon 09:00`.
///
/// # Errors
/// A sentence that says what is wrong with the text.
pub fn hand_over(text: &str) -> Result<(Option<Weekday>, Time), String> {
    let plain = text.trim().to_lowercase();
    let (day, time) = match plain.split_once(char::is_whitespace) {
        Some((day, time)) => (Some(weekday(day)?), time.trim()),
        None => (None, plain.as_str()),
    };
    match clock(time)? {
        (0, time) => Ok((day, time)),
        _ => Err("a hand-over at 24:00 is one at 00:00 of the next day".to_owned()),
    }
}

/// Reads `mon`, `monday`.
fn weekday(text: &str) -> Result<Weekday, String> {
    let day = DAYS.iter().find(|(short, _)| {
        text.starts_with(short) && "mondaytuesdaywednesdaythursdayfridaysaturdaysunday".contains(text)
    });
    day.map(|(_, day)| *day).ok_or_else(|| format!("`{text}` is no day of the week"))
}

/// Reads `mon-fri`, `mon,wed`, `weekdays`, `weekends`, `daily`.
fn day_list(text: &str) -> Result<Vec<Weekday>, String> {
    let mut out = Vec::new();
    for part in text.split(',') {
        match part {
            "daily" => out.extend(all_days()),
            "weekdays" => out.extend(all_days().into_iter().take(5)),
            "weekends" => out.extend([Weekday::Saturday, Weekday::Sunday]),
            _ => match part.split_once('-') {
                Some((first, last)) => {
                    let (first, last) = (weekday(first)?, weekday(last)?);
                    let count = usize::try_from(first.until(last)).unwrap_or(0) + 1;
                    out.extend(first.cycle_forward().take(count));
                }
                None => out.push(weekday(part)?),
            },
        }
    }
    out.dedup();
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let show = |s: &Stretch| {
            format!(
                "{}{}+{}{}",
                s.day.to_monday_one_offset(),
                s.from.strftime("@%H:%M"),
                s.days,
                s.to.strftime("@%H:%M")
            )
        };
        Hours::parse(text).map_or_else(|e| e, |h| h.stretches.iter().map(show).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn hours_are_read_as_people_write_them() {
        assert_eq!(read("Mon-Tue 08:00-18:00"), "1@08:00+0@18:00 2@08:00+0@18:00");
        assert_eq!(read("Sat, Sun"), "6@00:00+1@00:00 7@00:00+1@00:00");
        assert_eq!(read("Sat-Mon 8:00 - 24:00"), "6@08:00+1@00:00 7@08:00+1@00:00 1@08:00+1@00:00");
        assert_eq!(read("Friday 18:00-Monday 08:00"), "5@18:00+3@08:00");
        assert_eq!(read("Mon 18:00-Mon 08:00"), "1@18:00+7@08:00");
        assert_eq!(read("20:00-08:00").split(' ').count(), 7);
        assert_eq!(read("weekdays 20:00–08:00").split(' ').next(), Some("1@20:00+1@08:00"));
        assert_eq!(read("weekends"), read("Sat-Sun"));
        for wrong in ["", "Mon-Fri 8-18", "Mon-Fir", "25:00-26:00", "08:00", "Mon 08:00", "nights", "a b c d"] {
            assert!(Hours::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(hand_over("Mon 09:00"), Ok((Some(Weekday::Monday), Time::constant(9, 0, 0, 0))));
        assert!(
            hand_over("09:00").is_ok_and(|(d, _)| d.is_none())
                && hand_over("Mon").is_err()
                && hand_over("24:00").is_err()
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,30}", like in "[a-zMTWFS]{0,4}[-, ]{0,2}[0-9:]{0,6}[- ]{0,2}[a-z0-9: ]{0,9}") {
            drop(Hours::parse(&text));
            drop(Hours::parse(&like));
            drop(hand_over(&like));
        }
    }
}
