//! `vakt incident report`: what happened, how soon, what was said, and what to change.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;

use super::super::draft::{ask, tell};
use super::super::{Refused, Verdict, open_store};
use crate::config::Config;
use crate::ground::{Clock, Knowledge, after, propose};
use crate::report::after::{Form, Summary, render};
use crate::rules::Rules;
use crate::stages::reload;

/// The after-action report of an incident.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// Its number
    id: i64,
    /// As Markdown, or as a page that needs nothing beside it
    #[arg(long, value_enum, default_value = "md")]
    format: Format,
    /// In the language of a reader: en, sv, de, it or es
    #[arg(long, value_parser = language)]
    language: Option<String>,
    /// For somebody in rules/people.toml: their language, and times of their zone
    #[arg(long = "for", value_name = "NAME")]
    reader: Option<String>,
    /// Write it into this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Have the assistant of the settings sum it up, marked as a machine's words
    #[arg(long)]
    summary: bool,
    /// Print what the assistant would be asked for a summary, and ask nobody
    #[arg(long)]
    show_prompt: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Md,
    Html,
}

/// A language of reports.
pub(in crate::cli) fn language(text: &str) -> Result<String, String> {
    let known = crate::text::figures::Figures::CODES;
    match known.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(format!("it is one of {}", known.join(", "))),
    }
}

/// Whom something is written for: language and zone, by what is asked for, the person, and the rules.
pub(in crate::cli) fn reader(
    rules: &Rules,
    named: Option<&str>,
    language: Option<&str>,
) -> anyhow::Result<(String, TimeZone)> {
    let person = match named {
        Some(name) => Some(rules.people.person(name).ok_or_else(|| {
            let help = crate::config::fault::suggest(name, rules.people.persons.iter().map(|p| p.name.as_str()));
            Refused(format!("nobody is called `{name}` in the rules: {help}"))
        })?),
        None => None,
    };
    let own = person.and_then(|p| p.languages.first()).map(String::as_str);
    let zone = person.map_or(rules.time_zone.as_str(), |p| p.time_zone.as_str());
    let code = language.or(own).unwrap_or("en").to_owned();
    Ok((code, TimeZone::get(zone).unwrap_or(TimeZone::UTC)))
}

/// Writes a text into a file, or to standard output.
pub(in crate::cli) fn put(out: Option<&std::path::Path>, text: &str) -> anyhow::Result<()> {
    match out {
        Some(path) => std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?,
        None => say!("{}", text.trim_end()),
    }
    Ok(())
}

impl Report {
    pub(super) fn run(&self, config: &Config) -> anyhow::Result<Verdict> {
        let (store, now) = (open_store(config)?, Clock::System.now());
        // Rules with mistakes hide no report: the last good ones know the plan as well.
        let rules = Rules::load(&config.rules_dir, now).ok();
        let rules = rules.map_or_else(|| reload::last_good(&store, now), |r| Ok(Some(r)))?.unwrap_or_default();
        let (code, zone) = reader(&rules, self.reader.as_deref(), self.language.as_deref())?;
        let knowledge = Knowledge::new(rules, 0);
        let found = store.read(|c| after::facts(&knowledge, c, self.id, &code, now))?;
        let missing = || Refused(format!("there is no incident {}; `vakt incident list` shows all", self.id));
        let mut facts = found.ok_or_else(missing)?;
        let prompt = propose::summary(&facts, &code);
        if self.show_prompt {
            tell(&prompt);
            return Ok(Verdict::Done);
        }
        if self.summary {
            let (model, text) = ask(config, &prompt)?;
            facts.summary = Some(Summary { model, text });
        }
        let form = match self.format {
            Format::Md => Form::Markdown,
            Format::Html => Form::Html,
        };
        put(self.out.as_deref(), &render(&facts, form, &code, &zone)?)?;
        Ok(Verdict::Done)
    }
}
