//! `vakt sources`: what is read, how each source stands, and lists of feeds from and for other readers.

mod add;
mod feeds;
mod list;
mod parse;
mod probe;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{Refused, Verdict, settings, show_faults};
use crate::config::Config;
use crate::ground::{Clock, sought};
use crate::rules::Rules;
use crate::sources::{self, Entry, KINDS, Named, hooks};

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
    /// Ask a source now, and show what would be kept; nothing is stored
    Try {
        /// The name of the source
        name: String,
        /// Show so many of the newest
        #[arg(long, default_value_t = 10)]
        limit: usize,
    },
    /// Show what feed documents yield: files, as they would be read from the web
    Parse {
        /// The documents
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Where they were found, for their relative links
        #[arg(long, value_name = "URL", default_value = "")]
        base: String,
    },
    /// The kinds of source that there are
    Kinds,
    /// The settings of one kind, with an example
    Explain {
        /// The kind
        kind: String,
    },
    /// Find what can be read at an address, and propose sources
    Add {
        /// The address of a site, forum, server, channel, subreddit, app, …
        address: String,
        /// Write the tables at the end of this file, instead of to standard output
        #[arg(long, value_name = "FILE")]
        into: Option<PathBuf>,
    },
    /// Turn an OPML list of feeds into [[source]] tables
    Import {
        /// The list
        file: PathBuf,
        /// Write the tables at the end of this file, instead of to standard output
        #[arg(long, value_name = "FILE")]
        into: Option<PathBuf>,
        /// How often the feeds are asked; without it as often as each changes
        #[arg(long)]
        every: Option<String>,
        /// Their network: news, blog, forum, …
        #[arg(long)]
        network: Option<String>,
        /// Their language, where the list does not say
        #[arg(long)]
        language: Option<String>,
    },
    /// Write the feeds of the settings as an OPML list
    Export,
}

impl Sources {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        match self.act {
            None | Some(Act::List) => list::list(file, self.json),
            Some(Act::Try { name, limit }) => probe::probe(file, &name, limit, self.json),
            Some(Act::Parse { files, base }) => parse::parse(&files, &base, self.json),
            Some(Act::Kinds) => {
                kinds(self.json);
                Ok(Verdict::Done)
            }
            Some(Act::Explain { kind }) => explain(&kind),
            Some(Act::Import { file: opml, into, every, network, language }) => {
                let defaults = feeds::Defaults { every, network, language };
                feeds::import(file, &opml, into.as_deref(), &defaults)
            }
            Some(Act::Add { address, into }) => add::add(file, &address, into.as_deref()),
            Some(Act::Export) => feeds::export(file),
        }
    }
}

/// The manual of a kind; of both where a source and a hook have it.
fn explain(kind: &str) -> anyhow::Result<Verdict> {
    let source = KINDS.iter().find(|k| k.name == kind).map(|k| (k.about, k.manual));
    let hook = hooks::KINDS.iter().find(|k| k.name == kind).map(|k| (k.about, k.manual));
    let manuals: Vec<String> =
        source.into_iter().chain(hook).map(|(about, manual)| format!("{about}\n\n{manual}")).collect();
    if manuals.is_empty() {
        let all = KINDS.iter().map(|k| k.name).chain(hooks::KINDS.iter().map(|k| k.name));
        let help = crate::config::fault::suggest(kind, all);
        return Err(Refused(format!("there is no kind `{kind}`: {help}")).into());
    }
    say!("{}", manuals.join("\n\n"));
    Ok(Verdict::Done)
}

/// The kinds by what one needs to get in, and the places that have no door.
fn kinds(json: bool) {
    let entry = |e: Entry| match e {
        Entry::Open => "open",
        Entry::Key => "key",
        Entry::Contract => "contract",
    };
    if json {
        let all: Vec<_> = KINDS
            .iter()
            .map(|k| serde_json::json!({ "name": k.name, "about": k.about, "entry": entry(k.entry), "every": k.every.map(|e| e.to_string()) }))
            .collect();
        let hooks =
            hooks::KINDS.iter().map(|k| serde_json::json!({ "name": k.name, "about": k.about, "entry": "hook" }));
        say!("{}", serde_json::Value::from(all.into_iter().chain(hooks).collect::<Vec<_>>()));
        return;
    }
    let groups = [
        (Entry::Open, "Open to anybody"),
        (Entry::Key, "With a key or an account that costs nothing"),
        (Entry::Contract, "By contract, or once the place has approved you"),
    ];
    for (group, title) in groups {
        say!("{title}:");
        for kind in KINDS.iter().filter(|k| k.entry == group) {
            say!("  {:<14} {}", kind.name, kind.about);
        }
        say!("");
    }
    say!("They call vakt themselves ([[hook]]):");
    for kind in hooks::KINDS {
        say!("  {:<14} {}", kind.name, kind.about);
    }
    say!("");
    say!(
        "Not by vakt itself: TikTok and LinkedIn without a contract, and Quora and closed groups, which let nobody in. What\n\
         they write to a member comes in by mail (maildir), what another tool or a person exports by `vakt import`, and\n\
         whatever else by a push to /api/v1/mentions.\n\n`vakt sources explain KIND` shows a kind's settings."
    );
}

/// The settings with their sources; `None` where those have mistakes, which have been told then.
fn named(file: Option<&Path>) -> anyhow::Result<Option<(Config, Vec<Named>)>> {
    let config = settings(file)?;
    // Rules with mistakes are another command's business: then nothing is said of topics.
    let rules = Rules::load(&config.rules_dir, Clock::System.now()).ok();
    let topics = rules.as_ref().map(sought);
    match sources::read_for(&config.sheet, &config.fetch.allow_private, topics.as_deref()) {
        Ok(named) => Ok(Some((config, named))),
        Err(faults) => {
            show_faults(&faults);
            Ok(None)
        }
    }
}
