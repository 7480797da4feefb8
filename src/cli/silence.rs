//! `vakt silence`: what people know of and do not want to be called for.

use std::path::Path;

use clap::{Args, Subcommand};

use super::incident::{ground_for, to_come};
use super::{Paint, Refused, Verdict, open_store, safe, settings};
use crate::ground::Clock;
use crate::ground::acts::words;
use crate::model::{Severity, Silence};
use crate::store::silences;

/// Lay, list and end silences.
#[derive(Debug, Args)]
pub(super) struct Silences {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Record incidents, but call nobody for them
    Add {
        /// Incidents about this topic
        #[arg(long)]
        topic: Option<String>,
        /// Incidents of this alert rule
        #[arg(long)]
        alert: Option<String>,
        /// How long, as `4h`, or until when
        #[arg(long = "for", value_name = "TIME")]
        until: String,
        /// When it begins, as `2h` from now or a time to come; now unless you say so
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Why
        #[arg(long)]
        reason: String,
        /// Your name in rules/people.toml
        #[arg(long = "as", value_name = "NAME")]
        by: String,
        /// Crises as well; otherwise what becomes a crisis calls all the same
        #[arg(long)]
        even_crisis: bool,
    },
    /// Those in force and those to come
    List {
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// End one now
    Expire {
        /// Its number
        id: i64,
        /// Your name in rules/people.toml
        #[arg(long = "as", value_name = "NAME")]
        by: String,
    },
}

impl Silences {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let config = settings(file)?;
        let now = Clock::System.now();
        match self.act {
            Act::List { json } => {
                let all = open_store(&config)?.read(|c| silences::until_after(c, now))?;
                if json {
                    say!("{}", serde_json::to_string(&all)?);
                    return Ok(Verdict::Done);
                }
                if all.is_empty() {
                    say!("Nothing is silenced.");
                }
                let paint = Paint::new();
                for s in all {
                    let when = if s.holds(now) { "in force" } else { "to come" };
                    let said = paint.dim(&format!("{}: {}", s.by, safe(&s.reason, 120)));
                    say!("{:>4}  {when}  {}  {said}", s.id, words(&s));
                }
            }
            Act::Expire { id, by } => {
                if !ground_for(&config, &[&by])?.end_silence(id, &by)? {
                    return Err(Refused(format!("no silence {id} is in force; `vakt silence list` shows all")).into());
                }
                say!("silence {id} is over");
            }
            Act::Add { topic, alert, until, from, reason, by, even_crisis } => {
                let from = from.map(|text| to_come(&text, now)).transpose()?.unwrap_or(now);
                let until = to_come(&until, from)?;
                let ground = ground_for(&config, &[&by])?;
                let knowledge = ground.knowledge();
                let rules = &knowledge.rules;
                if topic.is_none() && alert.is_none() {
                    return Err(Refused("say what is silenced: --topic NAME, --alert NAME, or both".into()).into());
                }
                topic.as_deref().map(|t| rules.must_topic(t)).transpose().map_err(Refused)?;
                alert.as_deref().map(|a| rules.must_alert(a)).transpose().map_err(Refused)?;
                let upto = if even_crisis { Severity::Crisis } else { Severity::Escalate };
                let silence = Silence { id: 0, alert, topic, upto, from, until, by, reason };
                let said = words(&silence);
                say!("silence {}: {said}", ground.silence(silence)?);
            }
        }
        Ok(Verdict::Done)
    }
}
