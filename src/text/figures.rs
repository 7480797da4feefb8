//! Numbers, shares, days and lengths of time as people of five languages read them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::model::time::Span;

/// How one language writes figures.
#[derive(Debug, PartialEq, Eq)]
pub struct Figures {
    /// ISO 639-1 code.
    pub code: &'static str,
    /// Its place in tables of words: English, Swedish, German, Italian, Spanish.
    pub column: usize,
    /// What parts thousands.
    thousands: &'static str,
    /// What parts a number from its fraction.
    point: &'static str,
    /// What stands between a number and its percent sign.
    percent: &'static str,
    /// Monday first.
    days: [&'static str; 7],
    months: [&'static str; 12],
    /// What stands between the day and the month.
    after_day: &'static str,
}

/// A space at which no line ends.
const CLOSE: &str = "\u{a0}";

static ALL: [Figures; 5] = [
    Figures {
        code: "en",
        column: 0,
        thousands: ",",
        point: ".",
        percent: "",
        days: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        months: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
        after_day: CLOSE,
    },
    Figures {
        code: "sv",
        column: 1,
        thousands: CLOSE,
        point: ",",
        percent: CLOSE,
        days: ["mån", "tis", "ons", "tors", "fre", "lör", "sön"],
        months: ["jan.", "feb.", "mars", "apr.", "maj", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "dec."],
        after_day: CLOSE,
    },
    Figures {
        code: "de",
        column: 2,
        thousands: ".",
        point: ",",
        percent: CLOSE,
        days: ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"],
        months: ["Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."],
        after_day: ".\u{a0}",
    },
    Figures {
        code: "it",
        column: 3,
        thousands: ".",
        point: ",",
        percent: CLOSE,
        days: ["lun", "mar", "mer", "gio", "ven", "sab", "dom"],
        months: ["gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"],
        after_day: CLOSE,
    },
    Figures {
        code: "es",
        column: 4,
        thousands: ".",
        point: ",",
        percent: CLOSE,
        days: ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"],
        months: ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"],
        after_day: CLOSE,
    },
];

impl Figures {
    /// The codes of all, English first.
    pub const CODES: [&'static str; 5] = ["en", "sv", "de", "it", "es"];

    /// Those of a language; English ones where it is none of the five.
    pub fn of(code: &str) -> &'static Figures {
        let [english, ..] = &ALL;
        ALL.iter().find(|f| f.code == code).unwrap_or(english)
    }

    /// A whole number: `12,000`.
    pub fn number(&self, n: u64) -> String {
        let digits = n.to_string();
        let mut out = String::new();
        for (i, c) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                out.push_str(self.thousands);
            }
            out.push(c);
        }
        out
    }

    /// A number with so many places: `0,25`. A minus is a minus sign.
    pub fn decimal(&self, x: f64, places: usize) -> String {
        if !x.is_finite() {
            return "–".to_owned();
        }
        let text = format!("{:.places$}", x.abs());
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        let whole = whole.parse().map_or_else(|_| whole.to_owned(), |n| self.number(n));
        let sign = if x < 0.0 && text.chars().any(|c| ('1'..='9').contains(&c)) { "−" } else { "" };
        if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}{}{part}", self.point) }
    }

    /// A share of 0 to 1 in whole percent: `42 %`.
    pub fn share(&self, x: f64) -> String {
        format!("{}{}%", self.decimal(x * 100.0, 0), self.percent)
    }

    /// A difference in whole percent with its sign: `+12 %`, `−3 %`, `±0 %`.
    pub fn change(&self, x: f64) -> String {
        let shown = self.decimal(x * 100.0, 0);
        let sign = match shown.as_str() {
            "0" => "±",
            _ if x > 0.0 => "+",
            _ => "",
        };
        format!("{sign}{shown}{}%", self.percent)
    }

    /// A day of the year: `10 Mar 2026`.
    pub fn day(&self, day: Date) -> String {
        format!("{}{CLOSE}{}", self.short_day(day), day.year())
    }

    /// A day without its year: `10 Mar`.
    pub fn short_day(&self, day: Date) -> String {
        let month = usize::try_from(day.month() - 1).ok().and_then(|m| self.months.get(m)).copied().unwrap_or("");
        format!("{}{}{month}", day.day(), self.after_day)
    }

    /// A day with the day of the week: `Tue 10 Mar 2026`.
    pub fn long_day(&self, day: Date) -> String {
        let week = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0);
        format!("{} {}", self.days.get(week).copied().unwrap_or(""), self.day(day))
    }

    /// A day and a time of day in a zone: `10 Mar 2026 08:15`.
    pub fn time(&self, at: Timestamp, zone: &TimeZone) -> String {
        let at = at.to_zoned(zone.clone());
        format!("{} {}", self.day(at.date()), at.strftime("%H:%M"))
    }

    /// A length of time by its two largest units, whose signs are the same everywhere: `2 h 5 min`.
    pub fn span(&self, span: Span) -> String {
        let mut rest = span.as_millis().unsigned_abs().saturating_add(500) / 1000;
        let mut parts: Vec<String> = Vec::new();
        for (unit, name) in [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")] {
            let n = rest / unit;
            rest %= unit;
            if n > 0 || (unit == 1 && parts.is_empty()) {
                parts.push(format!("{n}{CLOSE}{name}"));
            } else if !parts.is_empty() {
                break;
            }
            if parts.len() == 2 {
                break;
            }
        }
        let sign = if span < Span::ZERO { "−" } else { "" };
        format!("{sign}{}", parts.join(CLOSE))
    }
}

/// A sentence with `{0}`, `{1}` … filled in.
pub fn filled(sentence: &str, with: &[String]) -> String {
    let mut out = String::new();
    let mut rest = sentence;
    // One pass: what is filled in is never looked at again.
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((n, behind)) = after.split_once('}') else { break };
        out.push_str(n.parse::<usize>().ok().and_then(|n| with.get(n)).map_or("", String::as_str));
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_as_people_read_them() {
        let [en, sv, de] = ["en", "sv", "de"].map(Figures::of);
        assert_eq!((en.number(1_250_000), de.number(1_250_000)), ("1,250,000".into(), "1.250.000".into()));
        assert_eq!((sv.number(12_000), sv.decimal(-1234.5, 1)), ("12\u{a0}000".into(), "−1\u{a0}234,5".into()));
        assert_eq!((en.share(0.424), sv.share(1.0)), ("42%".into(), "100\u{a0}%".into()));
        assert_eq!([0.12, -0.031, 0.001, -0.001].map(|x| en.change(x)), ["+12%", "−3%", "±0%", "±0%"]);
        assert_eq!((en.decimal(f64::NAN, 1), en.decimal(-0.01, 1)), ("–".into(), "0.0".into()));
        let at: Timestamp = "2026-03-10T07:05:00Z".parse().expect("a time");
        let zone = TimeZone::get("Europe/Stockholm").expect("a zone");
        assert_eq!(de.time(at, &zone).replace('\u{a0}', " "), "10. März 2026 08:05");
        assert_eq!(sv.long_day(at.to_zoned(zone).date()).replace('\u{a0}', " "), "tis 10 mars 2026");
        let spans = [0, 59_499, 61_000, 7_500_000, 90_000_000, 86_400_000, -60_000];
        let shown = spans.map(|ms| en.span(Span::millis(ms)).replace('\u{a0}', " "));
        assert_eq!(shown, ["0 s", "59 s", "1 min 1 s", "2 h 5 min", "1 d 1 h", "1 d", "−1 min"]);
        assert_eq!(Figures::of("xx").code, "en");
        assert!(ALL.iter().enumerate().all(|(n, f)| f.column == n && Figures::CODES[n] == f.code));
    }
}
