//! What a backtest tells, for people on a terminal, as CSV and as a picture.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;

use super::super::{Paint, safe, warn};
use super::report::{Report, Swept, Timeline};
use crate::engine::compare::{Change, Difference};
use crate::engine::crises::{Crisis, Score};
use crate::engine::hindsight::{Course, Summary};
use crate::model::Severity;
use crate::model::time::Span;
use crate::report::chart::{self, Series};
use crate::report::csv::cells;
use crate::report::timeline::{Band, Mark, Picture};

fn day_and_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// A length in minutes, as people say it.
fn length(minutes: f64) -> String {
    let whole = minutes.abs().round() as i64;
    let sign = if minutes < 0.0 && whole > 0 { "-" } else { "" };
    let text = if whole == 0 { "0m".to_owned() } else { Span::mins(whole).to_string() };
    // Days and hours are enough.
    let short = if whole >= 24 * 60 { text.split_inclusive('h').next().unwrap_or("").to_owned() } else { text };
    format!("{sign}{short}")
}

fn lead(minutes: Option<f64>) -> String {
    minutes.map_or_else(|| "–".to_owned(), length)
}

/// Rows in columns, numbers to the right.
fn table(head: &[&str], rows: &[Vec<String>], right: &[usize]) -> String {
    let paint = Paint::new();
    let count = |t: &str| t.chars().count();
    let widths: Vec<usize> = (0..head.len())
        .map(|n| {
            rows.iter()
                .filter_map(|r| r.get(n))
                .map(|t| count(t))
                .chain(head.get(n).map(|h| count(h)))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let line = |row: &mut dyn Iterator<Item = &str>| {
        let mut out = String::new();
        for (n, (text, width)) in row.zip(&widths).enumerate() {
            let room = " ".repeat(width - count(text));
            let gap = if n == 0 { "" } else { "  " };
            out += &if right.contains(&n) { format!("{gap}{room}{text}") } else { format!("{gap}{text}{room}") };
        }
        out.trim_end().to_owned()
    };
    let mut out = vec![paint.dim(&line(&mut head.iter().copied()))];
    out.extend(rows.iter().map(|r| line(&mut r.iter().map(String::as_str))));
    out.join("\n")
}

/// The severities that an incident went through.
fn severities(c: &Course) -> String {
    c.rises.iter().map(|r| r.to.as_str()).collect::<Vec<_>>().join("→")
}

fn remarks(c: &Course, score: Option<&Score>) -> String {
    let mut out = Vec::new();
    out.extend(c.shadow.then(|| "shadow".to_owned()));
    out.extend(c.muted_by.map(|by| format!("muted by {by}")));
    out.extend((c.kept_back > 0).then(|| format!("stands for {}", c.kept_back)));
    out.extend(c.open.last().is_some_and(|s| s.to.is_none()).then(|| "still open".to_owned()));
    out.extend((c.open.len() > 1).then(|| format!("came back {} times", c.open.len() - 1)));
    let crisis = score.and_then(|s| s.crises.iter().find(|o| o.incident == Some(c.incident)));
    out.extend(crisis.map(|o| format!("caught {}", safe(&o.crisis, 40))));
    out.extend(score.is_some_and(|s| s.false_alarms.contains(&c.incident)).then(|| "false alarm".to_owned()));
    out.join(", ")
}

fn told(c: &Course) -> String {
    c.told.iter().map(|(person, n)| format!("{person} {n}")).collect::<Vec<_>>().join(", ")
}

fn incidents(report: &Report) -> String {
    let row = |c: &Course| {
        vec![
            c.incident.to_string(),
            day_and_time(c.opened),
            severities(c),
            c.alert.clone(),
            safe(&c.group, 40),
            c.peak.to_string(),
            format!("{:.1}", c.expected),
            length(c.minutes),
            told(c),
            remarks(c, report.score.as_ref()),
        ]
    };
    let rows: Vec<Vec<String>> = report.incidents.iter().map(row).collect();
    let head = ["#", "opened", "severity", "alert", "group", "peak", "usual", "open for", "messages", ""];
    table(&head, &rows, &[0, 5, 6, 7])
}

/// The letter that stands for a severity on the timeline.
fn letter(s: Severity) -> &'static str {
    match s {
        Severity::Watch => "w",
        Severity::Review => "r",
        Severity::Escalate => "E",
        Severity::Crisis => "C",
    }
}

fn bucket(hours: i64) -> String {
    match hours {
        1 => "an hour".to_owned(),
        24 => "a day".to_owned(),
        168 => "a week".to_owned(),
        n if n % 24 == 0 => format!("in {} days", n / 24),
        n => format!("in {n} hours"),
    }
}

/// Mentions over time, with marks where incidents opened and where crises were.
fn timeline(report: &Report, crises: &[Crisis]) -> String {
    let paint = Paint::new();
    let t = &report.timeline;
    let slots = t.mentions.len();
    let mut worst: Vec<Option<Severity>> = vec![None; slots];
    for c in &report.incidents {
        if let Some(slot) = worst.get_mut(t.slot(c.opened)) {
            *slot = (*slot).max(Some(c.severity));
        }
    }
    let marks: String = worst
        .iter()
        .map(|s| match s {
            None => " ".to_owned(),
            Some(s @ (Severity::Crisis | Severity::Escalate)) => paint.bad(letter(*s)),
            Some(s) => paint.warm(letter(*s)),
        })
        .collect();
    let most = t.mentions.iter().max().copied().unwrap_or(0);
    let mut out = format!(
        "mentions   {}  {}\n",
        chart::sparkline(&t.mentions),
        paint.dim(&format!("most {most} {}", bucket(t.hours)))
    );
    write!(out, "incidents  {}", marks.trim_end()).ok();
    if !crises.is_empty() {
        let (first, last) = (report.summary.from, report.summary.to);
        let inside: Vec<&Crisis> = crises.iter().filter(|c| c.to >= first && c.from <= last).collect();
        let within =
            |n: usize| inside.iter().any(|c| (t.slot(c.from.max(first))..=t.slot(c.to.min(last))).contains(&n));
        let bands: String = (0..slots).map(|n| if within(n) { '─' } else { ' ' }).collect();
        write!(out, "\ncrises     {}", bands.trim_end()).ok();
    }
    let (first, last) = (axis(t, report.summary.from), axis(t, report.summary.to));
    let room = slots.saturating_sub(first.len() + last.len()).max(2);
    write!(out, "\n           {}", paint.dim(&format!("{first}{}{last}", " ".repeat(room)))).ok();
    out
}

fn axis(t: &Timeline, at: Timestamp) -> String {
    at.strftime(if t.hours < 24 { "%d %b %H:%M" } else { "%Y-%m-%d" }).to_string()
}

fn crises(score: &Score) -> String {
    let row = |o: &crate::engine::crises::Outcome| {
        vec![
            safe(&o.crisis, 40),
            o.caught.map_or_else(|| "missed".to_owned(), day_and_time),
            o.severity.map_or_else(String::new, |s| s.as_str().to_owned()),
            o.incident.map_or_else(String::new, |n| n.to_string()),
            o.alert.clone().unwrap_or_default(),
            lead(o.after_start),
            lead(o.before_peak),
            lead(o.before_article),
        ]
    };
    let rows: Vec<Vec<String>> = score.crises.iter().map(row).collect();
    table(
        &["crisis", "caught", "severity", "#", "alert", "after start", "before peak", "before first article"],
        &rows,
        &[3, 5, 6, 7],
    )
}

fn numbers(s: &Summary) -> String {
    let severities = s.severities.iter().filter(|(_, n)| **n > 0).map(|(severity, n)| format!("{n} {severity}"));
    let kinds: Vec<String> = severities
        .chain((s.shadow > 0).then(|| format!("{} in shadow", s.shadow)))
        .chain((s.muted > 0).then(|| format!("{} muted", s.muted)))
        .collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    let posts: Vec<String> = s.posts.iter().map(|p| format!("{} {:.1}", p.person, p.a_week)).collect();
    let posts = if posts.is_empty() { "none".to_owned() } else { posts.join(", ") };
    format!(
        "{} incidents in {:.1} weeks, {:.2} a week{kinds}\nmessages a week: {posts}\nquiet for {:.1} % of the time",
        s.incidents,
        s.weeks,
        s.a_week,
        s.quiet * 100.0
    )
}

fn scored(s: &Score) -> String {
    let median = s
        .median_before_peak
        .map_or_else(String::new, |m| format!("; half of them {} or more before the peak", length(m)));
    format!(
        "{} of {} crises caught{median}; {} false alarm{}, {:.2} a week",
        s.caught,
        s.crises.len(),
        s.false_alarms.len(),
        if s.false_alarms.len() == 1 { "" } else { "s" },
        s.false_alarms_a_week
    )
}

fn change(c: Change) -> &'static str {
    match c {
        Change::OnlyHere => "only here",
        Change::OnlyThere => "only there",
        Change::Earlier => "earlier there",
        Change::Later => "later there",
        Change::Severity => "other severity",
        Change::Same => "same",
    }
}

const COMPARED: [&str; 8] = ["change", "alert", "group", "here", "there", "by", "severity here", "there"];

/// Who reads a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    Person,
    Program,
}

impl Reader {
    /// A length in minutes, or what stands where there is none.
    fn length(self, minutes: Option<f64>, none: &str) -> String {
        match self {
            Reader::Person => minutes.map_or_else(|| none.to_owned(), length),
            Reader::Program => minutes.map_or_else(String::new, |m| format!("{:.1}", (m * 10.0).round() / 10.0 + 0.0)),
        }
    }
}

fn differences(all: &[Difference], reader: Reader) -> Vec<Vec<String>> {
    let none = || if reader == Reader::Person { "–".to_owned() } else { String::new() };
    let time = |at: Option<Timestamp>| match (at, reader) {
        (None, _) => none(),
        (Some(at), Reader::Person) => day_and_time(at),
        (Some(at), Reader::Program) => at.to_string(),
    };
    let word = |s: Option<Severity>| s.map_or_else(none, |s| s.as_str().to_owned());
    let row = |d: &Difference| {
        vec![
            change(d.change).to_owned(),
            d.alert.clone(),
            safe(&d.group, 40),
            time(d.here),
            time(d.there),
            reader.length(d.minutes.filter(|m| *m != 0.0 || reader == Reader::Program), ""),
            word(d.severity_here),
            word(d.severity_there),
        ]
    };
    all.iter().map(row).collect()
}

fn compared(report: &Report, all: &[Difference]) -> String {
    let kinds = [Change::OnlyHere, Change::OnlyThere, Change::Earlier, Change::Later, Change::Severity, Change::Same];
    let counts: Vec<String> = kinds
        .into_iter()
        .map(|k| (k, all.iter().filter(|d| d.change == k).count()))
        .filter(|(_, n)| *n > 0)
        .map(|(k, n)| format!("{n} {}", change(k)))
        .collect();
    let counts = if counts.is_empty() { "no incident under either".to_owned() } else { counts.join(", ") };
    let other = report.other_rules.clone().unwrap_or_default();
    let mut out = format!("{} (here) and {other} (there): {counts}", report.rules);
    let told: Vec<Difference> = all.iter().filter(|d| d.change != Change::Same).cloned().collect();
    if !told.is_empty() {
        write!(out, "\n\n{}", table(&COMPARED, &differences(&told, Reader::Person), &[5])).ok();
    }
    if let Some(s) = &report.other_summary {
        write!(out, "\n\nthere: {}", numbers(s)).ok();
    }
    out
}

fn swept(s: &Swept, reader: Reader) -> (Vec<String>, Vec<Vec<String>>) {
    let scored = s.tried.iter().any(|t| t.score.is_some());
    let mut head = vec![s.signal.clone(), "incidents".into(), "a week".into(), "messages a week".into()];
    if scored {
        head.extend(["caught", "missed", "false alarms a week", "median before peak"].map(str::to_owned));
    }
    let row = |t: &super::report::Tried| {
        let mut row = vec![
            t.threshold.to_string(),
            t.incidents.to_string(),
            format!("{:.2}", t.a_week),
            format!("{:.1}", t.messages_a_week),
        ];
        if let Some(s) = &t.score {
            let rate = format!("{:.2}", s.false_alarms_a_week);
            let before = reader.length(s.median_before_peak, "–");
            row.extend([s.caught.to_string(), s.missed.to_string(), rate, before]);
        }
        row
    };
    if reader == Reader::Program {
        head = head.iter().map(|w| w.replace(' ', "_")).collect();
    }
    (head, s.tried.iter().map(row).collect())
}

/// Everything as text.
pub(super) fn text(report: &Report, known: &[Crisis]) {
    let paint = Paint::new();
    let s = &report.summary;
    say!(
        "{}: {} alert rules on {} mentions, {} to {} UTC",
        paint.bold(&report.rules),
        report.alerts,
        report.mentions,
        day_and_time(s.from),
        day_and_time(s.to)
    );
    say!("\n{}", timeline(report, known));
    if !report.incidents.is_empty() {
        say!("\n{}", incidents(report));
    }
    say!("\n{}", numbers(s));
    if let Some(score) = &report.score {
        say!("\n{}\n\n{}", crises(score), scored(score));
    }
    if let Some(all) = &report.compared {
        say!("\n{}", compared(report, all));
    }
    if let Some(all) = &report.swept {
        let (head, rows) = swept(all, Reader::Person);
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        let right: Vec<usize> = (0..head.len()).collect();
        say!("\n{}", table(&head, &rows, &right));
    }
}

/// The incidents as CSV, or the differences, or the thresholds.
pub(super) fn csv(report: &Report) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (head, rows): (Vec<String>, Vec<Vec<String>>) = match (&report.compared, &report.swept) {
        (Some(all), _) => {
            let head =
                ["change", "alert", "group", "here", "there", "minutes_later", "severity_here", "severity_there"];
            (head.map(str::to_owned).to_vec(), differences(all, Reader::Program))
        }
        (_, Some(all)) => swept(all, Reader::Program),
        _ => {
            let head = [
                "incident",
                "opened",
                "resolved",
                "severity",
                "rises",
                "alert",
                "group",
                "topic",
                "peak",
                "expected",
                "minutes_open",
                "messages",
                "told",
                "muted_by",
                "shadow",
                "kept_back",
            ];
            let row = |c: &Course| {
                vec![
                    c.incident.to_string(),
                    c.opened.to_string(),
                    c.open.last().and_then(|s| s.to).map_or_else(String::new, |at| at.to_string()),
                    c.severity.to_string(),
                    c.rises.iter().map(|r| format!("{} {}", r.at, r.to)).collect::<Vec<_>>().join("; "),
                    c.alert.clone(),
                    c.group.clone(),
                    c.topic.clone(),
                    c.peak.to_string(),
                    format!("{:.3}", c.expected),
                    format!("{:.1}", c.minutes),
                    c.messages().to_string(),
                    told(c),
                    c.muted_by.map_or_else(String::new, |n| n.to_string()),
                    c.shadow.to_string(),
                    c.kept_back.to_string(),
                ]
            };
            (head.map(str::to_owned).to_vec(), report.incidents.iter().map(row).collect())
        }
    };
    cells(&mut out, &head)?;
    for row in &rows {
        cells(&mut out, row)?;
    }
    out.flush()?;
    Ok(())
}

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Svg,
    Png,
}

/// The form that a file's name asks for.
pub(super) fn form_of(path: &Path) -> Option<Form> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "svg" => Some(Form::Svg),
        "png" => Some(Form::Png),
        _ => None,
    }
}

/// Draws the timeline into a file.
pub(super) fn draw(report: &Report, path: &Path, known: &[Crisis]) -> anyhow::Result<()> {
    let t = &report.timeline;
    let series = Series {
        start: t.from,
        bucket: Span::hours(t.hours),
        mentions: t.mentions.clone(),
        negative: t.negative.clone(),
        expected: Vec::new(),
    };
    let mark = |c: &Course| Mark {
        slot: t.slot(c.opened),
        severity: c.severity,
        about: format!("{} {} {} {}", day_and_time(c.opened), c.severity, c.alert, safe(&c.group, 40)),
    };
    let (first, last) = (report.summary.from, report.summary.to);
    let inside = known.iter().filter(|c| c.to >= first && c.from <= last);
    let band =
        |c: &Crisis| Band { slots: t.slot(c.from.max(first))..t.slot(c.to.min(last)) + 1, about: safe(&c.name, 60) };
    let picture = Picture {
        title: format!(
            "{} mentions, {} incidents, mentions {}",
            report.mentions,
            report.incidents.len(),
            bucket(t.hours)
        ),
        first: axis(t, first),
        last: axis(t, last),
        marks: report.incidents.iter().map(mark).collect(),
        bands: inside.map(band).collect(),
        series,
    };
    let bytes = match form_of(path) {
        Some(Form::Png) => {
            let marks: Vec<(usize, Severity)> = picture.marks.iter().map(|m| (m.slot, m.severity)).collect();
            chart::marked(&picture.series, &marks)?
        }
        _ => picture.svg().into_bytes(),
    };
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    warn(&format!("the timeline is in {}", path.display()));
    Ok(())
}
