//! `vakt oncall`: who is on call, now or at another time, and over a week.

pub(super) mod course;

use std::path::Path;

use clap::Args;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::{Paint, Refused, Verdict, settings, show_faults};
use crate::config::fault::suggest;
use crate::engine::oncall::{Shift, zone};
use crate::ground::Clock;
use crate::model::time::{Span, between, moment};
use crate::model::{People, Schedule, Severity};
use crate::rules::Rules;

/// Who is on call.
#[derive(Debug, Args)]
pub(super) struct OnCall {
    /// A schedule; without it all of them
    #[arg(value_name = "SCHEDULE")]
    schedule: Option<String>,
    /// Another time than now: 2026-12-24, 2026-12-24T18:00, in the zone of the calendars
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Whom an incident of this alert rule would call, and when, if nobody took it
    #[arg(long, value_name = "ALERT", conflicts_with_all = ["schedule", "week"])]
    alert: Option<String>,
    /// How bad that incident is; as the rule says unless you do
    #[arg(long, requires = "alert", value_parser = super::incident::severity)]
    severity: Option<Severity>,
    /// The whole week, Monday to Sunday, in the schedule's zone
    #[arg(long)]
    week: bool,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl OnCall {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let config = settings(file)?;
        let now = Clock::System.now();
        let load = |around: Timestamp| {
            Rules::load(&config.rules_dir, around).map_err(|faults| {
                show_faults(&faults);
                Refused("the rules cannot be used".into())
            })
        };
        let mut rules = load(now)?;
        let at = match &self.at {
            None => now,
            Some(text) => {
                let at = moment(text, now, &zone(&rules.time_zone)).map_err(Refused)?;
                // Calendars that schedules follow are read around the time that is asked for.
                rules = load(at)?;
                at
            }
        };
        if let Some(alert) = &self.alert {
            return course::tell(&rules, alert, self.severity, at, self.json);
        }
        let people = &rules.people;
        let chosen: Vec<&Schedule> = match &self.schedule {
            None => people.schedules.iter().collect(),
            Some(name) => vec![people.schedule(name).ok_or_else(|| {
                let help = suggest(name, people.schedules.iter().map(|s| s.name.as_str()));
                Refused(format!("there is no schedule `{name}`: {help}"))
            })?],
        };
        if self.json {
            let list: Vec<_> = chosen.iter().map(|s| as_json(s, at, self.week)).collect();
            say!("{}", serde_json::Value::from(list));
        } else if chosen.is_empty() {
            say!(
                "There is no schedule: policies call teams and persons at all hours. Write a [[schedule]] into people.toml"
            );
        } else {
            self.tell(&chosen, people, at);
        }
        let covered = chosen.iter().all(|s| !s.who(at).is_empty());
        Ok(if covered { Verdict::Done } else { Verdict::No })
    }

    fn tell(&self, chosen: &[&Schedule], people: &People, at: Timestamp) {
        let paint = Paint::new();
        if self.week {
            for (n, schedule) in chosen.iter().enumerate() {
                if n > 0 {
                    say!("");
                }
                week(schedule, people, at, paint);
            }
            return;
        }
        // Names are measured without their colours.
        let bare = |s: &Schedule| names(&s.who(at), people, Paint(false)).chars().count();
        let widths = (
            chosen.iter().map(|s| s.name.chars().count()).max().unwrap_or(0),
            chosen.iter().map(|s| bare(s)).max().unwrap_or(0),
        );
        for schedule in chosen {
            let pad = " ".repeat(widths.1 - bare(schedule));
            say!("{:<width$}  {}", schedule.name, line(schedule, people, at, &pad, paint), width = widths.0);
        }
    }
}

/// Who is on call at an instant, padded, until when, and who then.
fn line(schedule: &Schedule, people: &People, at: Timestamp, pad: &str, paint: Paint) -> String {
    let (who, zone) = (schedule.who(at), zone(&schedule.time_zone));
    let until = match schedule.next_change(at) {
        None => "for good".to_owned(),
        Some(change) => {
            let when = change.to_zoned(zone.clone()).strftime("%a %-d %b %H:%M");
            let length = Span::mins(between(at, change).as_millis() / 60_000);
            format!("until {when} ({length}), then {}", names(&schedule.who(change), people, paint))
        }
    };
    let who = names(&who, people, paint);
    format!("{}{pad}  {until}  {}", paint.bold(&who), paint.dim(&schedule.time_zone))
}

fn names(who: &[&str], people: &People, paint: Paint) -> String {
    if who.is_empty() {
        return paint.bad("nobody");
    }
    let full = |name: &&str| people.person(name).map_or_else(|| (*name).to_owned(), |p| p.full_name.clone());
    who.iter().map(full).collect::<Vec<_>>().join(" and ")
}

/// The first and the last instant of the week that an instant falls into.
fn monday_to_monday(zone: &TimeZone, at: Timestamp) -> (Date, Timestamp, Timestamp) {
    let day = at.to_zoned(zone.clone()).date();
    let monday = day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days());
    let instant = |d: Date| zone.to_timestamp(d.to_datetime(Time::midnight())).unwrap_or(at);
    (monday, instant(monday), instant(monday.saturating_add(7.days())))
}

/// A week's calendar: for each day its stretches.
fn week(schedule: &Schedule, people: &People, at: Timestamp, paint: Paint) {
    let zone = zone(&schedule.time_zone);
    let (monday, from, to) = monday_to_monday(&zone, at);
    let head = format!("· week of {} · {}", monday.strftime("%-d %B %Y"), schedule.time_zone);
    say!("{} {}\n", paint.bold(&schedule.title), paint.dim(&head));
    let today = at.to_zoned(zone.clone()).date();
    for day in monday.series(1.day()).take(7) {
        let midnight = |d: Date| zone.to_timestamp(d.to_datetime(Time::midnight())).unwrap_or(to);
        let (begin, end) = (midnight(day).max(from), midnight(day.saturating_add(1.day())).min(to));
        for (n, shift) in schedule.shifts(begin, end).iter().enumerate() {
            let label = if n == 0 { day.strftime("%a %e %b").to_string() } else { String::new() };
            let label = format!("{label:<10}");
            let label = if day == today { paint.bold(&label) } else { label };
            let who: Vec<&str> = shift.who.iter().map(String::as_str).collect();
            say!("{label}  {:<11}  {}", hours(shift, &zone, (begin, end)), names(&who, people, paint));
        }
    }
}

fn hours(shift: &Shift, zone: &TimeZone, (begin, end): (Timestamp, Timestamp)) -> String {
    let show = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%H:%M").to_string();
    match (shift.from == begin, shift.to == end) {
        (true, true) => "all day".to_owned(),
        (_, true) => format!("{}–24:00", show(shift.from)),
        _ => format!("{}–{}", show(shift.from), show(shift.to)),
    }
}

fn as_json(schedule: &Schedule, at: Timestamp, week: bool) -> serde_json::Value {
    let next = schedule.next_change(at);
    let mut out = serde_json::json!({
        "schedule": schedule.name, "time_zone": schedule.time_zone, "at": at, "who": schedule.who(at), "until": next,
        "next": next.map(|n| schedule.who(n)),
    });
    if week {
        let (_, from, to) = monday_to_monday(&zone(&schedule.time_zone), at);
        let shifts = schedule.shifts(from, to);
        let list: Vec<_> =
            shifts.iter().map(|s| serde_json::json!({ "from": s.from, "to": s.to, "who": s.who })).collect();
        out["shifts"] = list.into();
    }
    out
}
