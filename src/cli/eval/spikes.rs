//! `vakt eval spikes`: a stream of counts through the daemon's own baseline, with how strange each bucket is.

use std::collections::HashMap;
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::super::{Paint, Refused, Verdict, colours_on_error, safe, warn};
use super::labelled::Labelled;
use crate::engine::spikes::{self, THRESHOLD};
use crate::model::time::{Span, between};
use crate::report::curve;

/// Spikes: how strange each bucket of a stream of counts is.
///
/// FILE has columns `timestamp` and `value`: when a bucket begins (2026-03-10T08:00:00Z; without a zone it is UTC) and what was
/// counted in it. Buckets come in order; those that are missing are unknown. They are told as `timestamp,value,expected,anomaly_score`
/// on standard output, or with --out in files of the same names. Each is judged by what came before it and by itself. A score is
/// 0 to 1, higher is stranger; from 0.5 on a spike begins, as is seen once in two weeks. Its further course is scored below that.
#[derive(Debug, Args)]
pub(super) struct Spikes {
    /// A .csv file, or a directory of them; the first line names the columns
    #[arg(value_name = "FILE|DIR")]
    path: PathBuf,
    /// Write the scores into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Draw each series into this directory, as SVG
    #[arg(long, value_name = "DIR")]
    chart: Option<PathBuf>,
    /// Strangest moments to show of each series
    #[arg(long, default_value_t = 5)]
    worst: usize,
    /// Print a summary as JSON
    #[arg(long)]
    json: bool,
}

/// One bucket.
#[derive(Debug, Clone, PartialEq)]
struct Bucket {
    /// As it was written.
    written: String,
    at: Timestamp,
    count: u32,
}

/// One bucket with its score.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
struct Scored {
    timestamp: String,
    value: u32,
    expected: f64,
    anomaly_score: f64,
}

/// What is told of a series.
#[derive(Debug, serde::Serialize)]
struct Summary {
    series: String,
    rows: usize,
    bad_rows: usize,
    bucket_minutes: f64,
    /// Rows whose score is the threshold or more: so many spikes began.
    spikes: usize,
    strangest: Vec<Scored>,
}

impl Spikes {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let many = self.path.is_dir();
        if many && self.out.is_none() && self.chart.is_none() && !self.json {
            let why = format!("{} is a directory; say with --out where the scores go", self.path.display());
            return Err(Refused(why).into());
        }
        let files = if many { files(&self.path)? } else { vec![self.path.clone()] };
        for dir in self.out.iter().chain(&self.chart) {
            std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        }
        let mut summaries = Vec::new();
        for (n, file) in files.iter().enumerate() {
            summaries.push(self.series(file, n, files.len(), many)?);
        }
        if self.json {
            say!("{}", serde_json::json!({ "threshold": THRESHOLD, "series": summaries }));
        } else if many || self.out.is_some() {
            show(&summaries, |line| say!("{line}"), Paint::new());
        } else {
            // The scores have standard output to themselves.
            show(&summaries, warn, Paint(colours_on_error()));
        }
        Ok(Verdict::Done)
    }

    /// Scores one file, and writes what was asked for.
    fn series(&self, file: &Path, n: usize, of: usize, many: bool) -> anyhow::Result<Summary> {
        let (buckets, bad) = read(file)?;
        let name = file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let bucket = bucket_of(&buckets);
        let scored = scored(&buckets, bucket, &Progress::start(&name, n, of, buckets.len()));
        if let Some(dir) = &self.out {
            let to = dir.join(file.file_name().unwrap_or_default());
            if std::fs::canonicalize(&to).is_ok_and(|to| std::fs::canonicalize(file).is_ok_and(|from| from == to)) {
                return Err(Refused(format!("{} would be written over; name another --out", file.display())).into());
            }
            std::fs::write(&to, csv(&scored)).with_context(|| format!("cannot write {}", to.display()))?;
        } else if !self.json && !many {
            say!("{}", csv(&scored).trim_end());
        }
        if let Some(dir) = &self.chart {
            let to = dir.join(&name).with_added_extension("svg");
            let points: Vec<curve::Point> = scored.iter().map(Scored::point).collect();
            let ends = (scored.first(), scored.last());
            let word = |s: Option<&Scored>| s.map_or_else(String::new, |s| s.timestamp.clone());
            let svg = curve::svg(&safe(&name, 80), &points, &word(ends.0), &word(ends.1));
            std::fs::write(&to, svg).with_context(|| format!("cannot write {}", to.display()))?;
        }
        let mut strangest: Vec<&Scored> = scored.iter().collect();
        strangest.sort_by(|a, b| b.anomaly_score.total_cmp(&a.anomaly_score));
        Ok(Summary {
            series: name,
            rows: scored.len(),
            bad_rows: bad,
            bucket_minutes: bucket.as_minutes(),
            spikes: scored.iter().filter(|s| s.anomaly_score >= THRESHOLD).count(),
            strangest: strangest.into_iter().take(self.worst).cloned().collect(),
        })
    }
}

impl Scored {
    fn point(&self) -> curve::Point {
        let strange = self.anomaly_score >= THRESHOLD;
        curve::Point { count: self.value.into(), expected: self.expected, strange }
    }
}

/// The .csv files of a directory, by name.
fn files(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", dir.display()))?.path();
        if path.is_file() && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")) {
            files.push(path);
        }
    }
    files.sort();
    match files.is_empty() {
        true => Err(Refused(format!("{} has no .csv file", dir.display())).into()),
        false => Ok(files),
    }
}

/// An instant; without a zone it is UTC.
fn instant(text: &str) -> Option<Timestamp> {
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    text.parse().ok().or_else(|| civil().map(|z| z.timestamp()))
}

/// A whole count; some tools write it with a decimal point.
fn count(text: &str) -> Option<u32> {
    let n: f64 = text.parse().ok()?;
    ((0.0..=f64::from(u32::MAX)).contains(&n) && n.fract() == 0.0).then_some(n as u32)
}

/// The columns of a file.
const COLUMNS: &[&str] = &["timestamp", "value"];
/// Rows that are no buckets and are told one by one.
const TOLD: usize = 5;

/// The buckets of a file, and how many of its rows cannot be used.
fn read(file: &Path) -> anyhow::Result<(Vec<Bucket>, usize)> {
    let labelled = Labelled::read(file, COLUMNS, &[])?;
    let (buckets, bad) = buckets(&labelled);
    for (line, why) in bad.iter().take(TOLD) {
        warn(&format!("{}:{line}: {why}", file.display()));
    }
    if !bad.is_empty() {
        warn(&format!("{}: {} rows are no buckets", file.display(), bad.len()));
    }
    match buckets.is_empty() {
        true => Err(Refused(format!("{} has no row that can be used", file.display())).into()),
        false => Ok((buckets, bad.len() + labelled.bad)),
    }
}

/// The buckets of rows, and line and reason of the rows that are none.
fn buckets(labelled: &Labelled) -> (Vec<Bucket>, Vec<(u64, String)>) {
    let mut buckets: Vec<Bucket> = Vec::with_capacity(labelled.rows.len());
    let mut bad = Vec::new();
    for row in &labelled.rows {
        let (written, value) = (labelled.cell(row, "timestamp"), labelled.cell(row, "value"));
        let why = match (instant(written), count(value)) {
            (None, _) => format!("`{}` is no time; write 2026-03-10T08:00:00Z", safe(written, 40)),
            (_, None) => format!("`{}` is no count", safe(value, 40)),
            (Some(at), _) if buckets.last().is_some_and(|b| b.at >= at) => {
                "it is not later than the row before".to_owned()
            }
            (Some(at), Some(count)) => {
                buckets.push(Bucket { written: written.to_owned(), at, count });
                continue;
            }
        };
        bad.push((row.line, why));
    }
    (buckets, bad)
}

/// The length of a bucket: the most usual distance of two.
fn bucket_of(buckets: &[Bucket]) -> Span {
    let mut steps: HashMap<i64, usize> = HashMap::new();
    for (a, b) in buckets.iter().zip(buckets.iter().skip(1)) {
        *steps.entry(between(a.at, b.at).as_millis()).or_default() += 1;
    }
    let most = steps.into_iter().max_by_key(|(step, n)| (*n, -step));
    most.map_or(Span::mins(5), |(step, _)| Span::millis(step.max(1)))
}

/// Every bucket with its score, to six decimals, as they are written.
fn scored(buckets: &[Bucket], bucket: Span, progress: &Progress) -> Vec<Scored> {
    let mut spikes = spikes::Spikes::new(bucket);
    let rounded = |n: f64| (n * 1e6).round() / 1e6;
    let mut out = Vec::with_capacity(buckets.len());
    for b in buckets {
        let moment = spikes.take(b.at, b.count);
        out.push(Scored {
            timestamp: b.written.clone(),
            value: b.count,
            expected: rounded(moment.expected),
            anomaly_score: rounded(moment.score),
        });
        progress.at(out.len());
    }
    progress.end();
    out
}

fn csv(scored: &[Scored]) -> String {
    let mut out = String::from("timestamp,value,expected,anomaly_score\n");
    for s in scored {
        // A time may have a comma before its fraction. A text in memory takes everything.
        let quote = if s.timestamp.contains(',') { "\"" } else { "" };
        let Scored { timestamp, value, expected, anomaly_score } = s;
        writeln!(out, "{quote}{timestamp}{quote},{value},{expected:.3},{anomaly_score:.6}").unwrap_or_default();
    }
    out
}

fn show(summaries: &[Summary], line: impl Fn(&str), paint: Paint) {
    for s in summaries {
        let bad = if s.bad_rows > 0 { format!(", {} bad rows", s.bad_rows) } else { String::new() };
        let bucket = Span::millis((s.bucket_minutes * 60_000.0) as i64);
        let head = format!("{}: {} buckets of {bucket}{bad}, {} spikes", safe(&s.series, 60), s.rows, s.spikes);
        line(&paint.bold(&head));
        for m in &s.strangest {
            line(&format!(
                "  {}  {:>7}  usual {:>9.1}  score {:.3}",
                safe(&m.timestamp, 32),
                m.value,
                m.expected,
                m.anomaly_score
            ));
        }
    }
    line(&paint.dim(&format!("a spike begins where the score is {THRESHOLD} or more")));
}

/// How far a series has come: a bar on a terminal, a line now and then elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    words: String,
    rows: usize,
    said: std::cell::Cell<Instant>,
}

/// Lines come this often where there is no terminal.
const EVERY: Duration = Duration::from_secs(5);
/// Rows between two looks at the clock.
const ROWS: usize = 4096;

impl Progress {
    fn start(name: &str, n: usize, of: usize, rows: usize) -> Progress {
        let words = format!("{} ({} of {of})", safe(name, 40), n + 1);
        let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}, {eta} left");
        let style = style.ok().filter(|_| std::io::stderr().is_terminal());
        let bar = style.map(|style| ProgressBar::new(rows as u64).with_style(style).with_message(words.clone()));
        Progress { bar, words, rows, said: std::cell::Cell::new(Instant::now()) }
    }

    fn at(&self, row: usize) {
        match &self.bar {
            _ if !row.is_multiple_of(ROWS) => {}
            Some(bar) => bar.set_position(row as u64),
            None if self.said.get().elapsed() >= EVERY => {
                self.said.set(Instant::now());
                warn(&format!("scoring {}: {} %", self.words, row * 100 / self.rows.max(1)));
            }
            None => {}
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn no_file_panics(text in "(timestamp,value\n)?([0-9TZ:, \"\n.-]|2026-03-1[0-9]T0[0-9]:00Z,[0-9]{1,12}\n){0,40}") {
            if let Ok(labelled) = Labelled::of(text.as_bytes(), false, COLUMNS, &[]) {
                let (buckets, bad) = buckets(&labelled);
                proptest::prop_assert_eq!(buckets.len() + bad.len(), labelled.rows.len());
                let rows = scored(&buckets, bucket_of(&buckets), &Progress::start("a", 0, 1, buckets.len()));
                proptest::prop_assert!(rows.iter().all(|r| (0.0..=1.0).contains(&r.anomaly_score)));
                proptest::prop_assert_eq!(csv(&rows).lines().count(), rows.len() + 1);
            }
        }
    }

    #[test]
    fn reads_times_and_counts_as_tools_write_them() {
        let at = instant("2026-03-10T08:00:00Z");
        assert!(at.is_some() && at == instant("2026-03-10 08:00:00") && at == instant("2026-03-10T09:00+01:00"));
        assert!(instant("2026-03-10").is_some() && instant("10.3.2026").is_none() && instant("").is_none());
        assert_eq!(
            (count("7"), count("7.0"), count("7.5"), count("-1"), count("NaN")),
            (Some(7), Some(7), None, None, None)
        );
    }

    #[test]
    fn the_bucket_is_the_most_usual_step() {
        let bucket =
            |minute: i64| Bucket { written: String::new(), at: Timestamp::UNIX_EPOCH + Span::mins(minute), count: 1 };
        assert_eq!(bucket_of(&[0, 15, 30, 90, 105, 135].map(bucket)), Span::mins(15));
        assert_eq!(bucket_of(&[bucket(0)]), Span::mins(5));
    }
}
