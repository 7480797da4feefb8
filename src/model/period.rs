//! The days that a report is about: a day, a week or a month, and the one before it.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Length {
    /// One day.
    Day,
    /// Seven days.
    Week,
    /// A month.
    Month,
}

impl Length {
    /// All, as rules and commands name them.
    pub const ALL: [Length; 3] = [Length::Day, Length::Week, Length::Month];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Length::Day => "day",
            Length::Week => "week",
            Length::Month => "month",
        }
    }

    /// Reads the word back; `None` for any other.
    pub fn parse(word: &str) -> Option<Length> {
        Length::ALL.into_iter().find(|l| l.as_str() == word)
    }

    fn span(self) -> jiff::Span {
        match self {
            Length::Day => 1.day(),
            Length::Week => 1.week(),
            Length::Month => 1.month(),
        }
    }
}

/// Whole days, from midnight to midnight in some zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// How long it is.
    pub length: Length,
    /// Its first day.
    pub first: Date,
    /// The day after its last.
    pub end: Date,
}

impl Period {
    /// The period that ends with a day.
    pub fn until(length: Length, last: Date) -> Period {
        let end = last.saturating_add(1.day());
        Period { length, first: end.saturating_sub(length.span()), end }
    }

    /// The last one that is over on a day: yesterday, the week up to Sunday, the month before.
    pub fn over_by(length: Length, today: Date) -> Period {
        let end = match length {
            Length::Day => today,
            Length::Week => today.saturating_sub(i64::from(today.weekday().to_monday_zero_offset()).days()),
            Length::Month => today.first_of_month(),
        };
        Period { length, first: end.saturating_sub(length.span()), end }
    }

    /// The one before it.
    pub fn before(self) -> Period {
        Period { first: self.first.saturating_sub(self.length.span()), end: self.first, ..self }
    }

    /// Its last day.
    pub fn last(self) -> Date {
        self.end.saturating_sub(1.day())
    }

    /// Its days in order.
    pub fn days(self) -> impl Iterator<Item = Date> {
        self.first.series(1.day()).take_while(move |d| *d < self.end)
    }

    /// When it begins and when it is over, in a zone; days may have 23 or 25 hours.
    pub fn bounds(self, zone: &TimeZone) -> (Timestamp, Timestamp) {
        (midnight(self.first, zone), midnight(self.end, zone))
    }
}

/// When a day begins in a zone.
pub fn midnight(day: Date, zone: &TimeZone) -> Timestamp {
    day.to_zoned(zone.clone()).map_or(Timestamp::UNIX_EPOCH, |z| z.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().expect("a day")
    }

    #[test]
    fn periods_meet_and_end_where_people_say() {
        let shown = |p: Period| format!("{}..{}", p.first, p.last());
        let today = day("2026-03-11");
        let over = Length::ALL.map(|l| shown(Period::over_by(l, today)));
        assert_eq!(over, ["2026-03-10..2026-03-10", "2026-03-02..2026-03-08", "2026-02-01..2026-02-28"]);
        let month = Period::until(Length::Month, day("2026-03-31"));
        assert_eq!(
            (shown(month), shown(month.before())),
            ("2026-03-01..2026-03-31".into(), "2026-02-01..2026-02-28".into())
        );
        assert_eq!(shown(Period::until(Length::Week, today)), "2026-03-05..2026-03-11");
        assert_eq!(Period::until(Length::Week, today).days().count(), 7);
        // The clocks change on 29 March in Stockholm.
        let (from, to) =
            Period::until(Length::Day, day("2026-03-29")).bounds(&TimeZone::get("Europe/Stockholm").expect("a zone"));
        assert_eq!(super::super::time::between(from, to), super::super::time::Span::hours(23));
        assert!(Length::ALL.iter().all(|l| Length::parse(l.as_str()) == Some(*l)));
    }
}
