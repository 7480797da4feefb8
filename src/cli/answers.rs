//! `vakt answers`: mentions that need an answer, who has each, and how fast they are answered.

use std::path::Path;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::incident::ground_for;
use super::{Paint, Refused, Verdict, open_store, safe, settings};
use crate::config::Config;
use crate::engine::answers::{Act, severity};
use crate::ground::Clock;
use crate::ground::answers::{AnswerError, Asked, queue};
use crate::model::Severity;
use crate::model::answer::State;
use crate::model::time::{Span, between};
use crate::store::answers::numbers;

/// Mentions that need an answer.
#[derive(Debug, Args)]
pub(super) struct Answers {
    #[command(subcommand)]
    act: Doing,
}

#[derive(Debug, Subcommand)]
enum Doing {
    /// What is to be answered, due first; or what is done as well
    List(Which),
    /// Praise: thank, send a present, ask to quote
    Praise(Which),
    /// Answer it yourself: the others know
    Take(Who),
    /// Give it back to everybody
    Release(Who),
    /// It is answered, or thanked for
    Done {
        #[command(flatten)]
        who: Who,
        /// What was done
        #[arg(long, default_value = "")]
        note: String,
    },
    /// It needs no answer
    Dismiss {
        #[command(flatten)]
        who: Who,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// How fast, and how many in time
    Numbers {
        /// Over how long, as `7d`
        #[arg(long, default_value = "7d", value_parser = Span::parse)]
        since: Span,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct Which {
    /// Those that are done as well, latest first
    #[arg(long)]
    all: bool,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Who {
    /// The mention's number
    id: i64,
    /// Your name in rules/people.toml
    #[arg(long = "as", value_name = "NAME")]
    by: String,
}

/// Rows that a listing shows.
const LISTED: u32 = 200;

impl Answers {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let config = settings(file)?;
        match self.act {
            Doing::List(which) => list(&config, false, &which)?,
            Doing::Praise(which) => list(&config, true, &which)?,
            Doing::Take(who) => does(&config, &who, Act::Take, "")?,
            Doing::Release(who) => does(&config, &who, Act::Release, "")?,
            Doing::Done { who, note } => does(&config, &who, Act::Done, &note)?,
            Doing::Dismiss { who, reason } => does(&config, &who, Act::Dismiss, &reason)?,
            Doing::Numbers { since, json } => figures(&config, since, json)?,
        }
        Ok(Verdict::Done)
    }
}

fn does(config: &Config, who: &Who, act: Act, note: &str) -> anyhow::Result<()> {
    let answer = ground_for(config, &[&who.by])?.act_on_answer(who.id, act, &who.by, note).map_err(|e| match e {
        AnswerError::Store(e) => anyhow::Error::from(e),
        other => Refused(other.to_string()).into(),
    })?;
    match answer.state {
        State::New => say!("mention {} waits for anybody again", who.id),
        state => say!("mention {} is {} by {}", who.id, state.as_str(), answer.owner),
    }
    Ok(())
}

fn list(config: &Config, praise: bool, which: &Which) -> anyhow::Result<()> {
    let found = open_store(config)?.read(|c| queue(c, praise, which.all, LISTED))?;
    if which.json {
        say!("{}", serde_json::to_string(&found)?);
        return Ok(());
    }
    if found.is_empty() {
        say!("{}", if praise { "Nobody waits for thanks." } else { "Nobody waits for an answer." });
    }
    let (paint, now) = (Paint::new(), Clock::System.now());
    found.iter().for_each(|asked| say!("{}", line(asked, now, paint)));
    Ok(())
}

fn line(asked: &Asked, now: Timestamp, paint: Paint) -> String {
    let (a, m) = (&asked.answer, &asked.mention);
    let when = match a.done {
        Some(done) => format!("after {}", rounded(between(a.asked, done))),
        None if a.due < now => paint.bad(&format!("late by {}", rounded(between(a.due, now)))),
        None => format!("due in {}", rounded(between(now, a.due))),
    };
    let urgency = format!("{:>3}", a.urgency);
    let urgency = match severity(a.urgency) {
        Severity::Crisis | Severity::Escalate => paint.bad(&urgency),
        Severity::Review => paint.warm(&urgency),
        Severity::Watch => urgency,
    };
    let who = if a.owner.is_empty() { String::new() } else { format!(" {}", a.owner) };
    let author = if m.author.name.is_empty() { &m.author.handle } else { &m.author.name };
    let words = if m.title.is_empty() { &m.text } else { &m.title };
    format!(
        "{:>6}  {urgency}  {:<9}{who}  {when}  {} {}  {}\n        {}",
        a.mention,
        a.state.as_str(),
        safe(&m.network, 12),
        safe(author, 24),
        paint.dim(&safe(&m.intent, 12)),
        safe(words, 110),
    )
}

/// To whole minutes: seconds are no news here.
fn rounded(span: Span) -> Span {
    Span::mins((span.as_millis() / 60_000).max(1))
}

fn figures(config: &Config, since: Span, json: bool) -> anyhow::Result<()> {
    let now = Clock::System.now();
    let n = open_store(config)?.read(|c| numbers(c, None, now - since, now + Span::millis(1), now))?;
    if json {
        say!("{}", serde_json::to_string(&n)?);
        return Ok(());
    }
    let share = |part: u64| format!("{part} ({:.0} %)", part as f64 * 100.0 / n.needed.max(1) as f64);
    say!("in the last {since}");
    say!("  needed an answer   {}", n.needed);
    say!("  answered           {}", share(n.answered));
    say!("  answered in time   {}", share(n.in_time));
    say!("  open and late      {}", n.overdue);
    if let Some(median) = n.median {
        say!("  median             {}", rounded(median));
    }
    Ok(())
}
