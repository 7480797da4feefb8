//! Lengths of time as people write them: `15m`, `2h`, `1h30m`, `7d`.

use serde::{Deserialize, Serialize};

/// A length of time in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(i64);

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// So many milliseconds.
    pub const fn millis(n: i64) -> Span {
        Span(n)
    }

    /// So many seconds.
    pub const fn secs(n: i64) -> Span {
        Span(n.saturating_mul(1000))
    }

    /// So many minutes.
    pub const fn mins(n: i64) -> Span {
        Span(n.saturating_mul(60_000))
    }

    /// So many hours.
    pub const fn hours(n: i64) -> Span {
        Span(n.saturating_mul(3_600_000))
    }

    /// So many days of 24 hours.
    pub const fn days(n: i64) -> Span {
        Span(n.saturating_mul(86_400_000))
    }

    /// Its length in milliseconds.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Its length in minutes, with fractions.
    pub fn as_minutes(self) -> f64 {
        self.0 as f64 / 60_000.0
    }

    /// The same for the standard library; a negative length is none.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }

    /// Reads `250ms`, `90s`, `15m`, `2h`, `7d`, `1w`, `1y` (of 365 days) and sums of them such as `1h30m`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Span, String> {
        let mut total: i64 = 0;
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err("a length of time is missing; write for example `15m`".into());
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (number, tail) = rest.split_at(digits);
            let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            let number: i64 = number
                .parse()
                .map_err(|_| format!("`{text}` is no length of time; write for example `15m`, `2h` or `7d`"))?;
            let unit = match unit {
                "ms" => 1,
                "s" => 1000,
                "m" | "min" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                "w" => 604_800_000,
                "y" => 365 * 86_400_000,
                "" => {
                    return Err(format!("`{text}` has no unit; write `{text}m` for minutes or `{text}s` for seconds"));
                }
                other => return Err(format!("unknown unit `{other}` in `{text}`; use ms, s, m, h, d, w or y")),
            };
            total = number
                .checked_mul(unit)
                .and_then(|n| total.checked_add(n))
                .filter(|n| *n <= Span::days(3660).0)
                .ok_or_else(|| format!("`{text}` is longer than ten years"))?;
            rest = tail;
        }
        Ok(Span(total))
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0.abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")] {
            if rest >= unit {
                write!(f, "{}{name}", rest / unit)?;
                rest %= unit;
            }
        }
        Ok(())
    }
}

impl std::ops::Add<Span> for jiff::Timestamp {
    type Output = jiff::Timestamp;

    /// Saturates at the ends of time.
    fn add(self, span: Span) -> jiff::Timestamp {
        self.saturating_add(jiff::SignedDuration::from_millis(span.0)).unwrap_or(jiff::Timestamp::MAX)
    }
}

impl std::ops::Sub<Span> for jiff::Timestamp {
    type Output = jiff::Timestamp;

    /// Saturates at the ends of time.
    fn sub(self, span: Span) -> jiff::Timestamp {
        self + Span(-span.0)
    }
}

/// Reads an instant as people write it: `7d` (so long ago), `2026-03-10` (a day's beginning), `2026-03-10T08:00`, with or
/// without an offset. `zone` is meant where the text names none.
///
/// # Errors
/// A sentence that says what is wrong with the text.
pub fn moment(text: &str, now: jiff::Timestamp, zone: &jiff::tz::TimeZone) -> Result<jiff::Timestamp, String> {
    let text = text.trim();
    if let Ok(span) = Span::parse(text) {
        return Ok(now - span);
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(at);
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok();
    let civil =
        civil.or_else(|| text.parse::<jiff::civil::Date>().ok().map(|d| d.to_datetime(jiff::civil::Time::midnight())));
    let zoned = civil.and_then(|c| c.to_zoned(zone.clone()).ok());
    zoned
        .map(|z| z.timestamp())
        .ok_or_else(|| format!("`{text}` is no time; write 7d, 36h, 2026-03-10 or 2026-03-10T08:00Z"))
}

/// Reads an instant to come: `2h` (so long from now), or a date and time as [`moment`] takes it.
///
/// # Errors
/// A sentence that says what is wrong with the text.
pub fn to_come(text: &str, now: jiff::Timestamp, zone: &jiff::tz::TimeZone) -> Result<jiff::Timestamp, String> {
    let at = match Span::parse(text.trim()) {
        Ok(span) => now + span,
        Err(_) => moment(text, now, zone)?,
    };
    if at > now { Ok(at) } else { Err(format!("`{text}` is over already; write how long, as `2h`, or a time to come")) }
}

/// The time between two instants.
pub fn between(from: jiff::Timestamp, to: jiff::Timestamp) -> Span {
    Span(to.as_millisecond() - from.as_millisecond())
}

/// Reads an instant kept as milliseconds since 1970; out of range saturates.
pub fn from_millis(ms: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        assert_eq!(Span::parse("15m"), Ok(Span::mins(15)));
        assert_eq!(Span::parse("1h30m"), Ok(Span::mins(90)));
        assert_eq!(Span::parse("7d"), Ok(Span::days(7)));
        assert_eq!(Span::parse("250ms"), Ok(Span::millis(250)));
        assert!(Span::parse("15").is_err_and(|e| e.contains("`15m`")));
        assert!(Span::parse("3 moons").is_err());
        assert!(Span::parse("").is_err());
        assert!(Span::parse("99999999999999999999h").is_err());
    }

    proptest::proptest! {
        #[test]
        fn prints_what_it_reads(ms in 0i64..1_000_000_000_000) {
            let ms = ms % Span::days(3660).as_millis();
            proptest::prop_assert_eq!(Span::parse(&Span(ms).to_string()), Ok(Span(ms)));
        }
    }
}
