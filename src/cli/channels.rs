//! `vakt channels`: by what people can be told, and how each kind is written.

use std::path::Path;

use clap::{Args, Subcommand};

use super::{Refused, Verdict, settings, show_faults};
use crate::channels::{self, KINDS};
use crate::config::fault::suggest;

/// List the channels and the kinds that there are.
#[derive(Debug, Args)]
pub(super) struct Channels {
    #[command(subcommand)]
    act: Option<Act>,
    /// Print as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// The channels of the settings (the default)
    List,
    /// The kinds of channel that there are
    Kinds,
    /// The settings of one kind, with an example
    Explain {
        /// The kind
        kind: String,
    },
}

impl Channels {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        match &self.act {
            None | Some(Act::List) => list(file, self.json),
            Some(Act::Kinds) => {
                for kind in KINDS {
                    say!("{:<12} {}", kind.name, kind.about);
                }
                Ok(Verdict::Done)
            }
            Some(Act::Explain { kind }) => match KINDS.iter().find(|k| k.name == kind) {
                Some(row) => {
                    say!("{}\n\n{}", row.about, row.manual);
                    Ok(Verdict::Done)
                }
                None => {
                    let help = suggest(kind, KINDS.iter().map(|k| k.name));
                    Err(Refused(format!("there is no kind `{kind}`: {help}")).into())
                }
            },
        }
    }
}

fn list(file: Option<&Path>, json: bool) -> anyhow::Result<Verdict> {
    let config = settings(file)?;
    let all = match channels::read(&config.sheet, &config.fetch.allow_private) {
        Ok(all) => all,
        Err(faults) => {
            show_faults(&faults);
            return Ok(Verdict::No);
        }
    };
    if json {
        let list: Vec<_> = all.iter().map(|n| serde_json::json!({ "name": n.name, "kind": n.kind.name })).collect();
        say!("{}", serde_json::Value::from(list));
        return Ok(Verdict::Done);
    }
    for named in &all {
        say!("{:<20} {:<12} {}", named.name, named.kind.name, named.kind.about);
    }
    if all.is_empty() {
        say!("Mail only. Add [[channel]] tables to vakt.toml; `vakt channels kinds` lists what there is.");
    }
    Ok(Verdict::Done)
}
