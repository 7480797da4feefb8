//! `vakt test`: the rules on mentions that tests tell, by a clock of their own.

pub(in crate::cli) mod cast;
mod crowd;
mod junit;
mod play;
mod show;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::Context;
use clap::Args;

use self::play::{Outcome, Stage};
use super::{Paint, Refused, Verdict, settings, show_faults};
use crate::config::fault::any_error;
use crate::ground::Knowledge;
use crate::model::time::between;
use crate::rules::Rules;
use crate::rules::cases::{self, Case};

/// Test the rules: what tests/*.toml of the rules directory tell must ring, and must not.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// Only tests whose names contain one of these
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// A rules directory in place of the settings' own
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Print what became of the tests as JSON
    #[arg(long)]
    json: bool,
    /// Write what became of them as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Show what happened in tests that passed, too
    #[arg(short, long)]
    verbose: bool,
}

/// A test with what became of it.
#[derive(Debug)]
struct Played<'c> {
    case: &'c Case,
    outcome: Outcome,
    seconds: f64,
}

impl Test {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let dir = match &self.rules {
            Some(dir) => dir.clone(),
            None => settings(file)?.rules_dir,
        };
        let rules = Rules::load(&dir, cases::begin()).map_err(|faults| {
            show_faults(&faults);
            Refused(format!("the rules in {} cannot be used", dir.display()))
        })?;
        let (all, faults) = cases::load(&dir, &rules);
        if any_error(&faults) {
            show_faults(&faults);
            return Err(Refused(format!("the tests in {} cannot be used", dir.join(cases::FOLDER).display())).into());
        }
        if all.is_empty() {
            let folder = dir.join(cases::FOLDER).display().to_string();
            return Err(
                Refused(format!("there are no tests in {folder}; rules/README.md says how to write them")).into()
            );
        }
        let words: Vec<String> = self.names.iter().map(|n| n.to_lowercase()).collect();
        let wanted = |c: &&Case| words.is_empty() || words.iter().any(|w| c.name.to_lowercase().contains(w));
        let chosen: Vec<&Case> = all.iter().filter(wanted).collect();
        if chosen.is_empty() {
            return Err(Refused(format!("no test's name contains {}", self.names.join(" or "))).into());
        }
        let stage = Stage::new(Knowledge::new(rules, 0), &chosen);
        let began = Instant::now();
        let played = play_all(&stage, &chosen);
        let seconds = began.elapsed().as_secs_f64();
        if let Some(path) = &self.junit {
            std::fs::write(path, junit::report(&played)).with_context(|| format!("cannot write {}", path.display()))?;
        }
        let failed = played.iter().filter(|p| !p.outcome.misses.is_empty()).count();
        match self.json {
            true => say!("{}", as_json(&played, seconds)),
            false => self.show(&played, failed, seconds),
        }
        Ok(if failed == 0 { Verdict::Done } else { Verdict::No })
    }

    fn show(&self, played: &[Played<'_>], failed: usize, seconds: f64) {
        let paint = Paint::new();
        for p in played {
            say!("{}", show::line(p, paint));
            match (p.outcome.misses.is_empty(), self.verbose) {
                (false, _) => say!("{}", show::failure(p, paint)),
                (true, true) => say!("{}", show::timeline(p, paint).trim_end_matches('\n')),
                (true, false) => {}
            }
        }
        let passed = played.len() - failed;
        let mentions: usize = played.iter().map(|p| p.outcome.mentions).sum();
        let sum = match failed {
            0 => paint.good(&format!("{passed} passed")),
            _ => format!("{passed} passed, {}", paint.bad(&format!("{failed} failed"))),
        };
        let time = if seconds < 1.0 { format!("{:.0} ms", seconds * 1e3) } else { format!("{seconds:.1} s") };
        say!("{sum}; {mentions} mentions in {time}");
    }
}

/// Plays tests on all cores; their order stays.
fn play_all<'c>(stage: &Stage, cases: &[&'c Case]) -> Vec<Played<'c>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done: Vec<(usize, Played<'c>)> = Vec::new();
        while let Some((n, case)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, *cases.get(n)?))) {
            let began = Instant::now();
            let outcome = stage.play(case);
            done.push((n, Played { case, outcome, seconds: began.elapsed().as_secs_f64() }));
        }
        done
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(cases.len());
    let mut all: Vec<(usize, Played<'c>)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..cores).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_by_key(|(n, _)| *n);
    all.into_iter().map(|(_, p)| p).collect()
}

fn as_json(played: &[Played<'_>], seconds: f64) -> serde_json::Value {
    let one = |p: &Played<'_>| {
        let miss = |m: &play::Miss| {
            let terms = m.near.as_ref().map(|n| {
                serde_json::json!({ "alert": n.alert, "group": n.group, "at": n.at.map(show::clock), "terms": n.terms })
            });
            serde_json::json!({
                "line": m.line, "at": show::clock(m.at), "expected": m.expected, "happened": m.instead, "nearest": terms,
            })
        };
        let event = |h: &crate::engine::replay::Happening| {
            let mut event = serde_json::json!(h);
            if let Some(object) = event.as_object_mut() {
                object.insert("after".into(), show::clock(between(p.case.start, h.at)).into());
            }
            event
        };
        serde_json::json!({
            "name": p.case.name, "file": p.case.place.0, "line": p.case.place.1,
            "passed": p.outcome.misses.is_empty(), "mentions": p.outcome.mentions, "seconds": p.seconds,
            "misses": p.outcome.misses.iter().map(miss).collect::<Vec<_>>(),
            "timeline": p.outcome.log.iter().map(event).collect::<Vec<_>>(),
        })
    };
    let failed = played.iter().filter(|p| !p.outcome.misses.is_empty()).count();
    serde_json::json!({
        "passed": played.len() - failed, "failed": failed, "seconds": seconds,
        "tests": played.iter().map(one).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;
