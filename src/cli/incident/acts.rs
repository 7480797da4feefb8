//! What people do with incidents from the command line.

use std::sync::Arc;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::super::draft::told;
use super::super::{Refused, Verdict, open_store};
use crate::config::Config;
use crate::engine::acts::Act;
use crate::ground::acts::{Deed, Outcome};
use crate::ground::{Clock, Ground};
use crate::model::Severity;
use crate::model::time;
use crate::rules::Rules;
use crate::stages::reload;

#[derive(Debug, Subcommand)]
pub(super) enum Acts {
    /// Take an incident: nobody else is called
    Ack(Word),
    /// Call nobody for a while, then begin again
    Snooze {
        /// How long, as `2h`, or until when
        #[arg(long = "for", value_name = "TIME")]
        until: String,
        #[command(flatten)]
        word: Word,
    },
    /// End an incident
    Resolve(Word),
    /// Nobody has it after all, or it is not over: the policy begins again
    Reopen(Word),
    /// Give an incident to somebody, who is told
    Assign {
        /// Their name in rules/people.toml
        #[arg(long, value_name = "NAME")]
        to: String,
        #[command(flatten)]
        word: Word,
    },
    /// Say how bad it is: watch, review, escalate or crisis
    Severity {
        /// How bad
        #[arg(long, value_parser = severity)]
        to: Severity,
        #[command(flatten)]
        word: Word,
    },
    /// Make an incident part of another, which calls the people of both from now on
    Merge {
        /// The number of the other
        #[arg(long, value_name = "NUMBER")]
        into: i64,
        #[command(flatten)]
        word: Word,
    },
    /// An incident is no part of another after all: its policy begins
    Split(Word),
    /// Write something down on its timeline
    Note(Word),
    /// Write down what was decided
    Decide {
        /// Its number
        id: i64,
        /// What was decided, and why
        what: String,
        /// Your name in rules/people.toml
        #[arg(long = "as", value_name = "NAME")]
        by: String,
    },
    /// Tick a step of its playbook off
    Tick {
        /// Its number
        id: i64,
        /// The step's place in the checklist, from 1
        step: u32,
        /// Your name in rules/people.toml
        #[arg(long = "as", value_name = "NAME")]
        by: String,
        /// It is not done after all
        #[arg(long)]
        undo: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Word {
    /// Its number
    id: i64,
    /// Your name in rules/people.toml
    #[arg(long = "as", value_name = "NAME")]
    by: String,
    /// What the others should know
    #[arg(long, default_value = "")]
    note: String,
}

/// A severity as people write it.
pub(in crate::cli) fn severity(text: &str) -> Result<Severity, String> {
    Severity::parse(text).ok_or_else(|| "it is watch, review, escalate or crisis".into())
}

/// An instant to come, in this machine's zone.
pub(in crate::cli) fn to_come(text: &str, now: Timestamp) -> Result<Timestamp, Refused> {
    time::to_come(text, now, &jiff::tz::TimeZone::system()).map_err(Refused)
}

/// The store and the rules, for somebody who acts and whom the rules know.
pub(in crate::cli) fn ground_for(config: &Config, who: &[&str]) -> anyhow::Result<Arc<Ground>> {
    let store = open_store(config)?;
    let rules = Rules::load(&config.rules_dir, Clock::System.now()).ok();
    let rules = rules.map_or_else(|| reload::last_good(&store, Clock::System.now()), |r| Ok(Some(r)))?;
    let rules = rules.ok_or_else(|| Refused("the rules have mistakes; `vakt check` shows them".into()))?;
    for name in who {
        rules.must_person(name).map_err(Refused)?;
    }
    Ok(Ground::new(store, Clock::System, rules, crate::daemon::letterhead(config))?)
}

impl Acts {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<Verdict> {
        let now = Clock::System.now();
        let (act, word) = match self {
            Acts::Ack(word) => (Act::Acknowledge, word),
            Acts::Snooze { until, word } => (Act::Snooze(to_come(&until, now)?), word),
            Acts::Resolve(word) => (Act::Resolve, word),
            Acts::Reopen(word) => (Act::Reopen, word),
            Acts::Assign { to, word } => (Act::Assign(to), word),
            Acts::Severity { to, word } => (Act::Severity(to), word),
            Acts::Split(word) => (Act::Split, word),
            Acts::Note(word) => (Act::Note, word),
            Acts::Merge { into, word } => return merge(config, into, &word),
            Acts::Decide { id, what, by } => (Act::Decide, Word { id, by, note: what }),
            Acts::Tick { id, step, by, undo } => return tick(config, id, step, &by, !undo),
        };
        let mut who = vec![word.by.as_str()];
        if let Act::Assign(to) = &act {
            who.push(to);
        }
        let ground = ground_for(config, &who)?;
        let what = [act.as_str(), &act.fact()].join(" ");
        match ground.act(&Deed { incident: word.id, by: word.by.clone(), act, note: word.note })? {
            Outcome::Done(i) => say!("incident {} is {} by {}", i.id, what.trim_end(), word.by),
            Outcome::Already(i) => say!("incident {} is {} already", i.id, i.status.as_str()),
            Outcome::Cannot(why) => return Err(Refused(why.into()).into()),
            Outcome::Unknown => return Err(unknown(&word.id.to_string())),
        }
        Ok(Verdict::Done)
    }
}

fn unknown(which: &str) -> anyhow::Error {
    Refused(format!("there is no incident {which}; `vakt incident list` shows all")).into()
}

fn merge(config: &Config, into: i64, word: &Word) -> anyhow::Result<Verdict> {
    let ground = ground_for(config, &[&word.by])?;
    match ground.merge(word.id, into, &word.by, &word.note)? {
        Outcome::Done(_) => say!("incident {} is part of incident {into} by {}", word.id, word.by),
        Outcome::Already(_) => say!("incident {} is part of incident {into} already", word.id),
        Outcome::Cannot(why) => return Err(Refused(why.into()).into()),
        Outcome::Unknown => return Err(unknown(&format!("{} or {into}", word.id))),
    }
    Ok(Verdict::Done)
}

fn tick(config: &Config, id: i64, step: u32, by: &str, done: bool) -> anyhow::Result<Verdict> {
    let ground = ground_for(config, &[by])?;
    let changed = told(ground.tick(id, step, by, done))?;
    let stands = if done { "done" } else { "open" };
    let already = if changed { "" } else { " already" };
    say!("step {step} of incident {id} is {stands}{already}");
    Ok(Verdict::Done)
}
