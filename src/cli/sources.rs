//! `vakt sources`: what is read, and how each source stands.

use std::collections::BTreeMap;
use std::path::Path;

use clap::{Args, Subcommand};

use super::{Paint, Refused, Verdict, safe, settings, show_faults};
use crate::model::time::{Span, from_millis};
use crate::sources::{self, KINDS};
use crate::store::Store;
use crate::store::sources::{SourceState, all};

/// List the sources and how each stands.
#[derive(Debug, Args)]
pub(super) struct Sources {
    #[command(subcommand)]
    act: Option<Act>,
    /// Print as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// The sources of the settings (the default)
    List,
    /// The kinds of source that there are
    Kinds,
    /// The settings of one kind, with an example
    Explain {
        /// The kind
        kind: String,
    },
}

impl Sources {
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
                    let help = crate::config::fault::suggest(kind, KINDS.iter().map(|k| k.name));
                    Err(Refused(format!("there is no kind `{kind}`: {help}")).into())
                }
            },
        }
    }
}

fn list(file: Option<&Path>, json: bool) -> anyhow::Result<Verdict> {
    let config = settings(file)?;
    let named = match sources::read(&config.sheet, &config.fetch.allow_private) {
        Ok(named) => named,
        Err(faults) => {
            show_faults(&faults);
            return Ok(Verdict::Wrong);
        }
    };
    let states: BTreeMap<String, SourceState> = match config.database().exists() {
        true => Store::open(&config.database())?.read(all)?.into_iter().collect(),
        false => BTreeMap::new(),
    };
    if json {
        let list: Vec<_> = named
            .iter()
            .map(|n| serde_json::json!({ "name": n.name, "kind": n.kind, "standing": standing(states.get(&n.name)), "state": states.get(&n.name) }))
            .collect();
        say!("{}", serde_json::Value::from(list));
        return Ok(Verdict::Done);
    }
    let paint = Paint::new();
    for source in &named {
        let state = states.get(&source.name);
        let word = match standing(state) {
            "blind" => paint.bad("blind   "),
            "degraded" | "failing" => paint.warm(&format!("{:<8}", standing(state))),
            other => format!("{other:<8}"),
        };
        say!("{word}  {:<24} {:<8} {}", safe(&source.name, 24), source.kind, detail(state));
    }
    if named.is_empty() {
        say!("No sources yet. Add [[source]] tables to vakt.toml; `vakt sources explain feed` shows how.");
    }
    let blind = named.iter().any(|n| standing(states.get(&n.name)) == "blind");
    Ok(if blind { Verdict::No } else { Verdict::Done })
}

fn standing(state: Option<&SourceState>) -> &'static str {
    match state {
        None => "new",
        Some(s) if !s.blind.is_empty() => "blind",
        Some(s) if s.failures > 0 => "failing",
        Some(s) if !s.degraded.is_empty() => "degraded",
        Some(_) => "well",
    }
}

fn detail(state: Option<&SourceState>) -> String {
    let Some(s) = state else { return "not asked yet".to_owned() };
    let mut parts = vec![format!("{} mentions", s.mentions)];
    if s.last_ok > 0 {
        parts.push(format!("read {}", from_millis(s.last_ok).strftime("%Y-%m-%d %H:%M")));
    }
    if s.interval > 0 {
        parts.push(format!("every {}", Span::secs(s.interval / 1000)));
    }
    if s.skipped > 0 {
        parts.push(format!("{} items skipped ({})", s.skipped, safe(&s.skipped_last, 60)));
    }
    if s.gaps > 0 {
        parts.push(format!("{} gaps", s.gaps));
    }
    for why in [&s.blind, &s.degraded, &s.error].into_iter().filter(|w| !w.is_empty()).take(1) {
        parts.push(safe(why, 120));
    }
    parts.join(", ")
}
