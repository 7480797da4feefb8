//! `vakt calendar`: a month of what is planned.

use std::path::Path;

use clap::Args;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Paint, Refused, Verdict, safe, settings, show_faults};
use crate::ground::Clock;
use crate::model::Planned;
use crate::rules::Rules;

/// A month of what is planned: launches, match days, holidays, posts.
#[derive(Debug, Args)]
pub(super) struct Month {
    /// The month, such as 2026-12; without it this one
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<String>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// Longest title in the table, in characters.
const TITLE: usize = 44;

impl Month {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let config = settings(file)?;
        let asked = self.month.as_deref().map(month).transpose()?;
        // What comes back is read around the month that is asked for.
        let around = asked.and_then(|first| TimeZone::UTC.to_timestamp(first.at(0, 0, 0, 0)).ok());
        let now = around.unwrap_or_else(|| Clock::System.now());
        let rules = Rules::load(&config.rules_dir, now).map_err(|faults| {
            show_faults(&faults);
            Refused("the rules cannot be used".into())
        })?;
        let zone = TimeZone::get(&rules.time_zone).unwrap_or(TimeZone::UTC);
        let first = asked.unwrap_or_else(|| now.to_zoned(zone.clone()).date().first_of_month());
        let days = Days { zone, first };
        let planned: Vec<&Planned> = rules.calendar.iter().filter(|p| days.hold(p)).collect();
        if self.json {
            say!("{}", serde_json::to_string(&planned)?);
            return Ok(Verdict::Done);
        }
        let paint = Paint::new();
        let name = first.strftime("%B %Y").to_string();
        say!("{} {}", paint.bold(&name), paint.dim(&format!("· {}", rules.time_zone)));
        if planned.is_empty() {
            let folder = config.rules_dir.join("calendar");
            say!("Nothing is planned. Calendars are .ics, .csv and .xlsx files in {}/", folder.display());
        }
        for line in days.table(&planned, paint) {
            say!("{line}");
        }
        Ok(Verdict::Done)
    }
}

fn month(text: &str) -> anyhow::Result<Date> {
    let first = format!("{}-01", text.trim()).parse::<Date>();
    let first = first.ok().filter(|d| (1970..=9000).contains(&d.year()));
    first.ok_or_else(|| Refused(format!("`{text}` is no month; write for example 2026-12")).into())
}

/// The days of a month in a zone.
struct Days {
    zone: TimeZone,
    first: Date,
}

impl Days {
    fn day(&self, at: jiff::Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    /// The last day that something touches.
    fn last_day(&self, p: &Planned) -> Date {
        // What ends at midnight is over on the day before.
        self.day(p.to - jiff::SignedDuration::from_secs(1)).max(self.day(p.from))
    }

    fn hold(&self, p: &Planned) -> bool {
        self.day(p.from) <= self.first.last_of_month() && self.last_day(p) >= self.first
    }

    /// A line for each event, on the first of its days in this month; weeks stand apart.
    fn table(&self, planned: &[&Planned], paint: Paint) -> Vec<String> {
        let rows: Vec<(Date, [String; 5])> = planned.iter().map(|p| self.row(p)).collect();
        let widths: [usize; 5] = std::array::from_fn(|n| {
            rows.iter().filter_map(|(_, cells)| cells.get(n)).map(|c| c.chars().count()).max().unwrap_or(0)
        });
        let (mut out, mut before): (Vec<String>, Option<Date>) = (Vec::new(), None);
        for (day, cells) in &rows {
            let monday = |d: Date| d.saturating_sub(i64::from(d.weekday().to_monday_zero_offset()).days());
            if before.is_none_or(|b| monday(b) != monday(*day)) {
                out.push(String::new());
            }
            let shown = match before == Some(*day) {
                true => " ".repeat(6),
                false => day.strftime("%a %e").to_string(),
            };
            let [time, title, factor, topics, channel] = cells;
            let padded = |text: &str, n: usize| {
                let width = widths.get(n).copied().unwrap_or(0);
                format!("{text}{}", " ".repeat(width.saturating_sub(text.chars().count())))
            };
            let line = format!(
                "{}  {}  {}  {}  {}  {}",
                paint.bold(&shown),
                padded(time, 0),
                padded(title, 1),
                paint.warm(&padded(factor, 2)),
                paint.dim(&padded(topics, 3)),
                channel,
            );
            out.push(line.trim_end().to_owned());
            before = Some(*day);
        }
        out
    }

    fn row(&self, p: &Planned) -> (Date, [String; 5]) {
        let (from, to) = (p.from.to_zoned(self.zone.clone()), p.to.to_zoned(self.zone.clone()));
        let last = self.last_day(p);
        let one_day = last == from.date();
        let end = last.strftime(if last.month() == from.month() { "%a %-d" } else { "%-d %b" }).to_string();
        let time = match (p.whole_day, one_day) {
            (true, true) => "all day".to_owned(),
            (true, false) => format!("until {end}"),
            (false, true) => format!("{}–{}", from.strftime("%H:%M"), to.strftime("%H:%M")),
            (false, false) => format!("{}–{end} {}", from.strftime("%H:%M"), to.strftime("%H:%M")),
        };
        let topics = if p.topics.is_empty() { "every topic".to_owned() } else { p.topics.join(", ") };
        let channel = if p.is_post() { format!("→ {}", safe(&p.channel, 20)) } else { String::new() };
        let cells = [time, safe(&p.name, TITLE), format!("×{}", p.factor), safe(&topics, 40), channel];
        (from.date().max(self.first), cells)
    }
}
