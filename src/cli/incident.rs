//! `vakt incident`: list, show, and what people do with them.

mod acts;
mod steps;
mod why;

pub(super) use acts::{ground_for, severity, to_come};

use std::path::Path;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::{Paint, Refused, Verdict, open_store, settings};
use crate::config::Config;
use crate::ground::Clock;
use crate::model::Severity;
use crate::rules::Rules;
use crate::stages::reload;
use crate::store::{drafts, incidents, outbox, ticks};

/// List and show incidents, take them, put them off, end them.
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
    #[command(flatten)]
    People(acts::Acts),
}

impl Incidents {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let config = settings(file)?;
        match self.act {
            Act::List { json } => list(&config, json),
            Act::Show { id, why, json } => show(&config, id, why, json),
            Act::People(act) => act.run(&config),
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
            painted(i.severity, paint),
            i.status.as_str(),
            i.alert,
            i.group,
            paint.dim(&day(i.opened))
        );
    }
    Ok(Verdict::Done)
}

fn painted(s: Severity, paint: Paint) -> String {
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
    let (store, now) = (open_store(config)?, Clock::System.now());
    let (found, timeline, messages) =
        store.read(|c| Ok((incidents::get(c, id)?, incidents::timeline(c, id)?, outbox::of_incident(c, id)?)))?;
    let (ticks, drafts) = store.read(|c| Ok((ticks::of_incident(c, id)?, drafts::of_incident(c, id)?)))?;
    let Some(i) = found else {
        return Err(Refused(format!("there is no incident {id}; `vakt incident list` shows all")).into());
    };
    if json {
        let whole = serde_json::json!({
            "incident": i, "timeline": timeline, "messages": messages, "ticks": ticks, "drafts": drafts,
        });
        say!("{whole}");
        return Ok(Verdict::Done);
    }
    let paint = Paint::new();
    say!("{} {} · {}", painted(i.severity, paint), paint.bold(&i.alert), i.group);
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
    // Rules with mistakes hide the plan and nothing else.
    let rules = Rules::load(&config.rules_dir, now).ok().or_else(|| reload::last_good(&store, now).ok().flatten());
    let playbook = rules.as_ref().and_then(|r| r.playbook(&r.alert(&i.alert)?.playbook));
    if let Some(guide) = playbook.and_then(|p| p.guides.first()) {
        say!("\n{}", paint.bold(&format!("What to do: {}", guide.title)));
        if let Some((_, within)) =
            playbook.iter().flat_map(|p| &p.targets).rfind(|(severity, _)| *severity <= i.severity)
        {
            say!("  answered within {within} of its opening: by {}", day(i.opened + *within));
        }
        steps::lines(&i, &guide.checklist, &ticks, now, paint).iter().for_each(|line| say!("{line}"));
    }
    if !drafts.is_empty() {
        say!("\n{}", paint.bold("What is to be said"));
        steps::drafted(&drafts, paint).iter().for_each(|line| say!("{line}"));
    }
    say!("\n{}", paint.bold("Timeline"));
    for e in timeline {
        say!("  {}  {:<12} {} {}", day(e.at), e.what, e.detail, paint.dim(&e.who));
    }
    say!("\n{}", paint.bold("Who was told"));
    for m in messages {
        let when = m.done.map_or_else(|| format!("since {}", day(m.created)), day);
        say!("  {:<14} {:<10} {:<10} {when}  {}", m.person, m.channel, m.state, super::safe(&m.subject, 80));
    }
    Ok(Verdict::Done)
}
