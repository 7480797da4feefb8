//! `vakt check`: settings and rules, every mistake at once.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::{Paint, Verdict, open_store, settings_file, show_faults};
use crate::channels;
use crate::config::fault::{Fault, any_error};
use crate::config::{Config, Sheet, Weight};
use crate::ground::{Clock, sought};
use crate::model::time::Span;
use crate::rules::{Rules, cases};
use crate::sources;
use crate::store::{Store, outbox};

/// Check settings and rules: every mistake at once.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// A rules directory to check in place of the settings' own
    #[arg(value_name = "RULES")]
    rules: Option<PathBuf>,
    /// Print the mistakes as JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let mut faults = Vec::new();
        let mut config = Config::unwritten();
        let path = settings_file(file);
        if let Some(path) = &path {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the settings {}", path.display()))?;
            let (read, wrong) = Config::read_all(Sheet::new(path.display().to_string(), text));
            config = read.rebase(path);
            faults.extend(wrong);
        }
        let mut sources = None;
        match sources::read(&config.sheet, &config.fetch.allow_private) {
            // Without settings nobody can say which sources there are.
            Ok(read) => {
                let mut names: Vec<String> = read.iter().map(|s| s.name.clone()).collect();
                match sources::hooks::read(&config.sheet, &read) {
                    Ok(hooks) => names.extend(hooks.into_iter().map(|h| h.name)),
                    Err(wrong) => faults.extend(wrong),
                }
                sources = path.is_some().then_some(names);
            }
            // Syntax is told once.
            Err(wrong) => faults.extend(wrong.into_iter().filter(|f| !faults.contains(f)).collect::<Vec<_>>()),
        }
        let mut channels = None;
        match channels::read(&config.sheet, &config.fetch.allow_private) {
            Ok(read) => {
                let wrong = channels::operator(&config.sheet, &read).err().unwrap_or_default();
                faults.extend(wrong.into_iter().filter(|f| !faults.contains(f)).collect::<Vec<_>>());
                channels = path.is_some().then_some(read);
            }
            Err(wrong) => faults.extend(wrong.into_iter().filter(|f| !faults.contains(f)).collect::<Vec<_>>()),
        }
        let dir = self.rules.clone().unwrap_or_else(|| config.rules_dir.clone());
        let mut untested = Vec::new();
        let summary = match Rules::load(&dir, Clock::System.now()) {
            Ok(rules) => {
                faults.extend(rules.warnings.iter().cloned());
                if let Some(sources) = &sources {
                    let names: Vec<&str> = sources.iter().map(String::as_str).collect();
                    faults.extend(rules.unheard(&names));
                    // Topics that sources look for have to be there.
                    let topics = sought(&rules);
                    let wrong = sources::read_for(&config.sheet, &config.fetch.allow_private, Some(&topics)).err();
                    faults.extend(wrong.unwrap_or_default());
                }
                if let Some(all) = &channels {
                    faults.extend(rules.unreachable(|channel, to| channels::wrong(all, channel, to)));
                }
                let (tests, wrong) = cases::load(&dir, &rules);
                faults.extend(wrong);
                untested = never_mailed(&config, &rules)?;
                let (topics, alerts) = (rules.topics.len(), rules.alerts.len());
                format!(
                    "{}: {topics} topics, {alerts} alerts, {} playbooks, {} persons, {} planned, {} tests",
                    dir.display(),
                    rules.playbooks.len(),
                    rules.people.persons.len(),
                    rules.calendar.len(),
                    tests.len()
                )
            }
            Err(wrong) => {
                faults.extend(wrong);
                String::new()
            }
        };
        let broken = any_error(&faults);
        if self.json {
            let list: Vec<_> = faults.iter().map(as_json).collect();
            say!("{}", serde_json::json!({ "valid": !broken, "faults": list, "untested": untested }));
        } else {
            if !faults.is_empty() {
                show_faults(&faults);
            }
            if !untested.is_empty() {
                let names = untested.join(", ");
                let word = Paint::new().warm("never tried:");
                say!(
                    "{word} no mail has reached a relay for {names} within 30 days; `vakt doctor --mail NAME` sends one"
                );
            }
            if !broken {
                say!("{} {summary}", Paint::new().good("in order:"));
            }
        }
        Ok(if broken { Verdict::No } else { Verdict::Done })
    }
}

/// A mail within this time shows that somebody can be called.
const TRIED: Span = Span::days(30);

/// Those whom the rules call and whom no mail has been taken for of late, where there is a relay and a database (F99). One
/// of an older version is left as it is: a check changes nothing.
fn never_mailed(config: &Config, rules: &Rules) -> anyhow::Result<Vec<String>> {
    if config.mail.relays.is_empty() || !Store::is_current(&config.database()) {
        return Ok(Vec::new());
    }
    let last = open_store(config)?.read(outbox::last_taken)?;
    let since = Clock::System.now() - TRIED;
    let persons = rules.people.persons.iter().map(|p| p.name.clone());
    Ok(persons.filter(|name| last.get(name).is_none_or(|at| *at < since)).collect())
}

fn as_json(f: &Fault) -> serde_json::Value {
    serde_json::json!({
        "severity": if f.weight == Weight::Error { "error" } else { "warning" },
        "file": f.sheet.name, "line": f.line(), "start": f.span.start, "end": f.span.end,
        "message": f.message, "help": f.help,
    })
}
