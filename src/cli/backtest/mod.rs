//! `vakt backtest`: what rules would have done with the past.

mod labels;
mod lines;
mod past;
mod progress;
mod report;
mod show;
mod sweep;

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Refused, Verdict, settings, show_faults};
use crate::config::fault::suggest;
use crate::engine::crises::{Crisis, Observed};
use crate::engine::hindsight::Hours;
use crate::engine::replay::Replay;
use crate::ground::{Clock, Knowledge};
use crate::model::time::{Span, moment};
use crate::model::{Alert, Mention};
use crate::rules::Rules;
use past::{Again, Past};
use progress::Progress;
use report::Report;
use sweep::Sweep;

/// What rules would have done with the past: which incidents would have opened, when, how severe, and whom they would have
/// told.
///
/// The past is what vakt has stored, or a file. Nothing is stored, nobody is told. Times are UTC.
#[derive(Debug, Args)]
#[command(after_help = "Exit code 1: with --labels, a crisis was missed.")]
pub(super) struct Backtest {
    /// Mentions in place of the stored ones: JSON, one a line, as `vakt search --json` writes and `vakt import` reads; -
    /// for standard input
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// From this time on: 7d, 36h, 2026-03-10, or 2026-03-10T08:00Z; the eight weeks before it teach what is usual
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Up to this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// The rules to try [default: those of the settings]
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Try this alert rule only; may be given several times
    #[arg(long, value_name = "NAME")]
    alert: Vec<String>,
    /// Crises that are known to have been: which would have been caught, and how early
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// What these other rules would have changed
    #[arg(long, value_name = "DIR", conflicts_with = "sweep")]
    compare: Option<PathBuf>,
    /// Try other thresholds for a signal, as in surprise=2..8 or surprise=2..8:0.5
    #[arg(long, value_name = "SIGNAL=FROM..TO", value_parser = Sweep::parse)]
    sweep: Option<Sweep>,
    /// Draw the timeline into a file, SVG or PNG by its name
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
    /// Print the incidents as CSV; with --compare or --sweep, that table
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print everything as one JSON object
    #[arg(long)]
    json: bool,
}

/// What comes before the time that is tried teaches what is usual.
const WARM: Span = Span::days(56);

impl Backtest {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let config = settings(file)?;
        if let Some(path) = self.chart.as_deref().filter(|p| show::form_of(p).is_none()) {
            return Err(Refused(format!("{}: a chart is written as .svg or .png", path.display())).into());
        }
        let dir = self.rules.clone().unwrap_or_else(|| config.rules_dir.clone());
        let here = Knowledge::new(load(&dir)?, 0);
        let other =
            self.compare.as_deref().map(|dir| Ok::<_, anyhow::Error>(Knowledge::new(load(dir)?, 0))).transpose()?;
        self.known(&here.rules, other.as_ref().map(|k| &k.rules))?;
        let crises = self.labels.as_deref().map(|path| labels::read(path, &here.rules)).transpose()?;
        let (past, in_force) = Past::open(&config, self.input.as_deref())?;
        let mut report = self.try_them(&past, in_force.as_ref(), &here, other.as_ref(), crises.as_deref())?;
        report.rules = dir.display().to_string();
        report.other_rules = self.compare.as_ref().map(|dir| dir.display().to_string());
        if let Some(path) = &self.chart {
            show::draw(&report, path, crises.as_deref().unwrap_or_default())?;
        }
        match (self.json, self.csv) {
            (true, _) => say!("{}", serde_json::to_string(&report)?),
            (_, true) => show::csv(&report)?,
            _ => show::text(&report, crises.as_deref().unwrap_or_default()),
        }
        let missed = report.score.as_ref().is_some_and(|s| s.missed > 0);
        Ok(if missed { Verdict::No } else { Verdict::Done })
    }

    /// Refuses names of alert rules that are in neither of the rules.
    fn known(&self, here: &Rules, other: Option<&Rules>) -> Result<(), Refused> {
        let names: Vec<&str> =
            [Some(here), other].into_iter().flatten().flat_map(|r| &r.alerts).map(|a| a.name.as_str()).collect();
        let unknown = self.alert.iter().find(|name| !names.contains(&name.as_str()));
        unknown.map_or(Ok(()), |name| {
            Err(Refused(format!("there is no alert rule `{name}`: {}", suggest(name, names.iter().copied()))))
        })
    }

    fn chosen(&self, rules: &Rules) -> Vec<Alert> {
        let chosen = |a: &&Alert| self.alert.is_empty() || self.alert.contains(&a.name);
        rules.alerts.iter().filter(chosen).cloned().collect()
    }

    /// The time that is tried: what the call says, else all that there is.
    fn time(&self, past: &Past) -> anyhow::Result<(Option<Timestamp>, Timestamp)> {
        let last = past.last()?.context("there are no mentions to try the rules on")?;
        let zone = TimeZone::system();
        let when = |text: &Option<String>| text.as_deref().map(|t| moment(t, last, &zone).map_err(Refused)).transpose();
        let (since, until) = (when(&self.since)?, when(&self.until)?);
        // The last mention has its second as well.
        let until = until.unwrap_or(last + Span::secs(1));
        if since.is_some_and(|since| since >= until) {
            return Err(Refused("the time to try ends before it begins".into()).into());
        }
        Ok((since, until))
    }

    fn try_them(
        &self,
        past: &Past,
        in_force: Option<&Rules>,
        here: &Knowledge,
        other: Option<&Knowledge>,
        crises: Option<&[Crisis]>,
    ) -> anyhow::Result<Report> {
        let alerts = self.chosen(&here.rules);
        let there = other.map(|k| self.chosen(&k.rules));
        let variants = self.sweep.as_ref().map(|s| s.variants(&alerts)).transpose()?.unwrap_or_default();
        let again = in_force.and_then(|before| Again::since(before, here));
        let again_there = other.and_then(|k| Again::since(in_force.unwrap_or(&here.rules), k));
        let mut own =
            Replay::new(&alerts, &here.rules.people).with_plan(&here.rules.calendar).in_zone(&here.rules.time_zone);
        let mut others: Vec<Replay<'_>> = variants
            .iter()
            .map(|v| Replay::new(v, &here.rules.people).with_plan(&here.rules.calendar).in_zone(&here.rules.time_zone))
            .collect();
        others.extend(there.as_ref().zip(other).map(|(alerts, k)| {
            Replay::new(alerts, &k.rules.people).with_plan(&k.rules.calendar).in_zone(&k.rules.time_zone)
        }));
        let (since, until) = self.time(past)?;
        let heard = Heard::by(alerts.iter().chain(there.iter().flatten()));
        let topics = (again.is_none() && again_there.is_none()).then(|| heard.topics()).flatten();
        let mut seen = Observed::new(crises.unwrap_or_default());
        let (mut hours, mut mentions, mut first) = (Hours::default(), 0u64, None);
        let (progress, step) = (&mut Progress::new(), std::cell::Cell::new(0u64));
        let begin = since.map_or(Timestamp::MIN, |since| since - WARM);
        let progress = std::cell::RefCell::new(progress);
        past.each(here, topics.as_deref(), (begin, until), &mut |of| progress.borrow_mut().start(of), &mut |m| {
            progress.borrow_mut().step();
            let history = since.is_some_and(|since| m.at < since);
            let told = if history { Cow::Owned(Mention { history, ..m.clone() }) } else { Cow::Borrowed(m) };
            let m = match &again {
                Some(again) => again.mention(&told),
                None => Cow::Borrowed(&*told),
            };
            if !history && heard.hears(&m) {
                first = first.or(Some(m.at));
                mentions += 1;
                hours.count(m.at, m.is_negative());
                seen.see(&m, &alerts);
            }
            own.feed(&m);
            match &again_there {
                // They differ from the rules by which the mentions were told their topics.
                Some(again) => {
                    let m = again.mention(&told);
                    others.iter_mut().for_each(|r| r.feed(&m));
                }
                None if other.is_some() => others.iter_mut().for_each(|r| r.feed(&told)),
                None => others.iter_mut().for_each(|r| r.feed(&m)),
            }
            step.set(step.get() + 1);
        })?;
        progress.borrow().end();
        own.until(until);
        others.iter_mut().for_each(|r| r.until(until));
        let from = since.or(first).unwrap_or(until);
        let mut report = Report::of(&own, &alerts, mentions, &hours, crises.map(|_| &seen), (from, until));
        report.read = step.get();
        match &self.sweep {
            Some(sweep) => report.sweep(sweep, &others, &variants, crises.map(|_| &seen)),
            None => report.compare(others.first()),
        }
        Ok(report)
    }
}

/// What some alert rules listen to.
#[derive(Debug)]
struct Heard {
    topics: HashSet<String>,
    sources: HashSet<String>,
}

impl Heard {
    fn by<'a>(alerts: impl Iterator<Item = &'a Alert>) -> Heard {
        let mut heard = Heard { topics: HashSet::new(), sources: HashSet::new() };
        for alert in alerts {
            heard.topics.extend(alert.topics.iter().cloned());
            heard.sources.extend(alert.silence_of.iter().cloned());
        }
        heard
    }

    fn hears(&self, m: &Mention) -> bool {
        m.topics.iter().any(|t| self.topics.contains(t)) || self.sources.contains(&m.source)
    }

    /// The topics that have to be read, in order; `None` where sources are watched, whatever they tell.
    fn topics(&self) -> Option<Vec<String>> {
        let mut topics: Vec<String> = self.topics.iter().cloned().collect();
        topics.sort();
        self.sources.is_empty().then_some(topics)
    }
}

fn load(dir: &Path) -> anyhow::Result<Rules> {
    Rules::load(dir, Clock::System.now()).map_err(|faults| {
        show_faults(&faults);
        Refused(format!("the rules in {} cannot be used", dir.display())).into()
    })
}
