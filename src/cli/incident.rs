//! `vakt incident`: list, show, acknowledge, resolve.

mod why;

use std::path::Path;
use std::sync::Arc;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::{Paint, Refused, Verdict, open_store, settings};
use crate::config::Config;
use crate::engine::incident::{self, Call};
use crate::ground::{Clock, Ground};
use crate::model::{Incident, Severity};
use crate::rules::Rules;
use crate::stages::{reload, tell};
use crate::store::{StoreError, incidents, outbox};

/// List, show, acknowledge and resolve incidents.
#[derive(Debug, Args)]
pub(super) struct Incidents {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// The latest incidents
    List {
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// One incident: why it rang, its timeline, who was told
    Show {
        /// Its number
        id: i64,
        /// Every reason: the condition with all its terms, all signals, the usual range, what was muted and merged
        #[arg(long)]
        why: bool,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Take an incident: nobody else is called
    Ack(Word),
    /// End an incident
    Resolve(Word),
}

#[derive(Debug, Args)]
struct Word {
    /// Its number
    id: i64,
    /// Your name in rules/people.toml
    #[arg(long = "as", value_name = "NAME")]
    by: String,
    /// What the others should know
    #[arg(long, default_value = "")]
    note: String,
}

impl Incidents {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let config = settings(file)?;
        match self.act {
            Act::List { json } => list(&config, json),
            Act::Show { id, why, json } => show(&config, id, why, json),
            Act::Ack(word) => {
                act(&config, &word, "acknowledged", |i, now| incident::acknowledge(i, &word.by, &word.note, now))
            }
            Act::Resolve(word) => act(&config, &word, "resolved", incident::resolve),
        }
    }
}

fn list(config: &Config, json: bool) -> anyhow::Result<Verdict> {
    let all = open_store(config)?.read(|c| incidents::latest(c, 50))?;
    if json {
        say!("{}", serde_json::to_string(&all)?);
        return Ok(Verdict::Done);
    }
    if all.is_empty() {
        say!("All is quiet: there has been no incident.");
    }
    let paint = Paint::new();
    for i in all {
        say!(
            "{:>4}  {}  {:<12}  {} · {}  {}",
            i.id,
            severity(i.severity, paint),
            i.status.as_str(),
            i.alert,
            i.group,
            paint.dim(&day(i.opened))
        );
    }
    Ok(Verdict::Done)
}

fn severity(s: Severity, paint: Paint) -> String {
    let word = format!("{s:<8}");
    match s {
        Severity::Crisis | Severity::Escalate => paint.bad(&word),
        Severity::Review => paint.warm(&word),
        Severity::Watch => word,
    }
}

fn day(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

fn show(config: &Config, id: i64, all: bool, json: bool) -> anyhow::Result<Verdict> {
    let store = open_store(config)?;
    let (found, timeline, messages) =
        store.read(|c| Ok((incidents::get(c, id)?, incidents::timeline(c, id)?, outbox::of_incident(c, id)?)))?;
    let Some(i) = found else {
        return Err(Refused(format!("there is no incident {id}; `vakt incident list` shows all")).into());
    };
    if json {
        say!("{}", serde_json::json!({ "incident": i, "timeline": timeline, "messages": messages }));
        return Ok(Verdict::Done);
    }
    let paint = Paint::new();
    say!("{} {} · {}", severity(i.severity, paint), paint.bold(&i.alert), i.group);
    say!("{}, opened {}", i.status.as_str(), day(i.opened));
    if let Some(ack) = &i.ack {
        say!(
            "{} has it since {}{}",
            ack.by,
            day(ack.at),
            if ack.note.is_empty() { String::new() } else { format!(": {}", super::safe(&ack.note, 200)) }
        );
    }
    let muted = store.read(|c| incidents::muted_by(c, i.id))?;
    for line in why::lines(&i, &muted, all, paint) {
        say!("{line}");
    }
    say!("\n{}", paint.bold("Timeline"));
    for e in timeline {
        say!("  {}  {:<12} {} {}", day(e.at), e.what, e.detail, paint.dim(&e.who));
    }
    say!("\n{}", paint.bold("Who was told"));
    for m in messages {
        let when = m.done.map_or_else(|| format!("since {}", day(m.created)), day);
        say!("  {:<14} {:<10} {when}  {}", m.person, m.state, super::safe(&m.subject, 80));
    }
    Ok(Verdict::Done)
}

/// Acts on an incident, tells the others, and keeps both together.
fn act(
    config: &Config,
    word: &Word,
    what: &'static str,
    change: impl Fn(&mut Incident, Timestamp) -> Vec<Call>,
) -> anyhow::Result<Verdict> {
    let store = open_store(config)?;
    let rules = Rules::load(&config.rules_dir, Clock::System.now()).ok();
    let rules = rules.map_or_else(|| reload::last_good(&store, Clock::System.now()), |r| Ok(Some(r)))?;
    let rules = rules.ok_or_else(|| Refused("the rules have mistakes; `vakt check` shows them".into()))?;
    if rules.people.person(&word.by).is_none() {
        let known = rules.people.persons.iter().map(|p| p.name.as_str());
        let help = crate::config::fault::suggest(&word.by, known);
        return Err(Refused(format!("nobody is called `{}` in the rules: {help}", word.by)).into());
    }
    let ground: Arc<Ground> = Ground::new(store, Clock::System, rules, crate::daemon::letterhead(config))?;
    let now = ground.clock.now();
    // Whatever the daemon does to it meanwhile comes first; then this is tried on what it has become.
    for _ in 0..20 {
        let before = ground.store.read(|c| incidents::get(c, word.id))?;
        let Some(before) = before else { return Err(Refused(format!("there is no incident {}", word.id)).into()) };
        let mut incident = before.clone();
        let calls = change(&mut incident, now);
        if calls.is_empty() {
            say!("incident {} is {} already", word.id, before.status.as_str());
            return Ok(Verdict::Done);
        }
        let knowledge = ground.knowledge();
        let letters = ground.store.read(|c| tell::letters(&ground, &knowledge, c, &mut incident, &calls, now))?;
        let (by, note) = (word.by.clone(), word.note.clone());
        let kept = ground.store.write_blocking(move |tx| {
            if incidents::get(tx, incident.id)?.as_ref() != Some(&before) {
                return Err(StoreError::Busy);
            }
            incidents::update(tx, &incident)?;
            incidents::note(tx, incident.id, now, &by, what, &note)?;
            tell::post(tx, &incident, &calls, &letters, now)
        });
        match kept {
            Ok(()) => {
                say!("incident {} is {what} by {}", word.id, word.by);
                return Ok(Verdict::Done);
            }
            Err(e) if e.is_passing() => {}
            Err(e) => return Err(e.into()),
        }
    }
    anyhow::bail!("the database is busy; try again")
}
