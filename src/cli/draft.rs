//! `vakt draft`: replies and statements, from the first word to whoever publishes them. vakt itself publishes nothing.

mod lint;
mod propose;
mod show;

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};

pub(super) use propose::{ask, tell};

use super::incident::ground_for;
use super::{Refused, Verdict, open_store, settings};
use crate::channels;
use crate::config::Config;
use crate::config::fault::suggest;
use crate::engine::drafts::{Act, whom};
use crate::ground::drafts::{DraftError, Order, Way};
use crate::model::draft::{About, State};
use crate::model::{Draft, Network};
use crate::store::drafts;
use crate::text::language;

/// Write, look over, approve and hand over what is said.
#[derive(Debug, Args)]
pub(super) struct Drafts {
    #[command(subcommand)]
    act: Doing,
}

#[derive(Debug, Subcommand)]
enum Doing {
    /// Look a text over: the voice guide, and the length of its network
    Lint(lint::Lint),
    /// Write a draft: by the playbook of an incident, or in your own words
    New(New),
    /// Have the assistant of the settings propose one; people approve it or not
    Propose(propose::Propose),
    /// Drafts that are not handed over yet, newest first
    List {
        /// Those that are handed over as well
        #[arg(long)]
        all: bool,
        /// Those of one incident
        #[arg(long, value_name = "N")]
        incident: Option<i64>,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// One draft: its text, what is wrong with it, and who has approved it
    Show {
        /// Its number
        id: i64,
        /// For somebody in rules/people.toml: what is wrong with it in their language
        #[arg(long = "for", value_name = "NAME")]
        reader: Option<String>,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Have a draft say something else; it needs its approvals anew
    Edit {
        #[command(flatten)]
        who: Who,
        /// A file with the text, or `-`
        #[arg(long, value_name = "FILE")]
        text: PathBuf,
    },
    /// Approve a draft that you have read and that others have written
    Approve {
        #[command(flatten)]
        who: Who,
        /// The version that you have read; `vakt draft show` names it
        #[arg(long, value_name = "VERSION")]
        read: u32,
    },
    /// Send a draft back
    Reject {
        #[command(flatten)]
        who: Who,
        /// Why
        #[arg(long)]
        reason: String,
        /// The version that you have read; another one is not rejected then
        #[arg(long, value_name = "VERSION")]
        read: Option<u32>,
    },
    /// Print an approved draft, ready to be published, and note that it is out of the house
    HandOver {
        #[command(flatten)]
        who: Who,
        /// To whom, or where it is published
        #[arg(long, default_value = "")]
        to: String,
        /// A webhook of the settings that publishes it, in place of printing it
        #[arg(long, value_name = "NAME", conflicts_with = "mail")]
        channel: Option<String>,
        /// The person in rules/people.toml who posts it, and gets it by mail, in place of printing it
        #[arg(long, value_name = "NAME")]
        mail: Option<String>,
    },
}

#[derive(Debug, Args)]
struct Who {
    /// The draft's number
    id: i64,
    /// Your name in rules/people.toml
    #[arg(long = "as", value_name = "NAME")]
    by: String,
}

#[derive(Debug, Args)]
struct New {
    #[command(flatten)]
    what: What,
    /// A file with the text, or `-`; else the playbook's statement
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
}

/// What a draft is about.
#[derive(Debug, Args)]
struct What {
    /// Your name in rules/people.toml
    #[arg(long = "as", value_name = "NAME")]
    by: String,
    /// The incident that it is said in; its playbook is taken
    #[arg(long, value_name = "N")]
    incident: Option<i64>,
    /// The mention that it replies to
    #[arg(long, value_name = "N")]
    mention: Option<i64>,
    /// The playbook that it follows
    #[arg(long, value_name = "NAME")]
    playbook: Option<String>,
    /// Its language, such as `de`
    #[arg(long, value_parser = tongue)]
    language: String,
    /// The network that it is for: x, bluesky, mastodon, threads, facebook, instagram, linkedin, youtube, tiktok or sms
    #[arg(long, value_parser = network)]
    network: Option<Network>,
    /// The address that the statement leads to
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    /// It is said to one person, and signed
    #[arg(long)]
    reply: bool,
}

/// A language as people write it.
pub(super) fn tongue(text: &str) -> Result<String, String> {
    match language::known(text) {
        language::UNKNOWN => Err("write an ISO 639-1 code such as `sv`".into()),
        code => Ok(code.to_owned()),
    }
}

/// A network as people write it.
fn network(text: &str) -> Result<Network, String> {
    Network::parse(text).ok_or_else(|| suggest(text, Network::ALL.map(Network::as_str)))
}

/// Most bytes that are read of a text: more is no draft.
const MOST: u64 = 1 << 20;

/// A text out of a file, or from standard input.
fn text_of(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = match file.as_os_str() == "-" {
        true => std::io::stdin().take(MOST).read_to_string(&mut text),
        false => std::fs::File::open(file).and_then(|f| f.take(MOST).read_to_string(&mut text)),
    };
    read.with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text)
}

/// What people can set right is a call that was wrong, and not a fault of the machine.
pub(super) fn told<T>(result: Result<T, DraftError>) -> anyhow::Result<T> {
    result.map_err(|e| match e {
        DraftError::Store(e) => e.into(),
        other => Refused(other.to_string()).into(),
    })
}

impl Drafts {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let config = settings(file)?;
        match self.act {
            Doing::Lint(lint) => return lint.run(&config),
            Doing::New(new) => new.run(&config)?,
            Doing::Propose(propose) => propose.run(&config)?,
            Doing::List { all, incident, json } => {
                let store = open_store(&config)?;
                let mut found = match incident {
                    Some(id) => store.read(|c| drafts::of_incident(c, id))?,
                    None => store.read(|c| drafts::latest(c, all, 200))?,
                };
                found.retain(|d| all || d.state != State::HandedOver);
                show::list(&found, json)?;
            }
            Doing::Show { id, reader, json } => {
                let found = open_store(&config)?.read(|c| drafts::get(c, id))?;
                let missing = || Refused(format!("there is no draft {id}; `vakt draft list` shows all"));
                let draft = found.ok_or_else(missing)?;
                let (voice, reads) = lint::voice(&config, reader.as_deref())?;
                show::one(&draft, &voice, &reads, json)?;
            }
            Doing::Edit { who, text } => {
                let draft = does(&config, &who, Act::Write(text_of(&text)?), "")?;
                show::one(&draft, &lint::voice(&config, None)?.0, "en", false)?;
            }
            Doing::Approve { who, read } => {
                let draft = does(&config, &who, Act::Approve(read), "")?;
                match draft.state {
                    State::Approved => say!("draft {} is approved; `vakt draft hand-over` gives it out", who.id),
                    _ => {
                        let (has, asked) = (draft.approvals.len(), draft.asked);
                        say!("draft {} has {has} of {asked} approvals; ask {}", who.id, whom(&draft));
                    }
                }
            }
            Doing::Reject { who, reason, read } => {
                let draft = does(&config, &who, Act::Reject(read), &reason)?;
                say!("draft {} is rejected; it was written by {}", who.id, draft.authors.join(", "));
            }
            Doing::HandOver { who, to, channel: Some(channel), .. } => {
                publisher(&config, &channel)?;
                let ground = ground_for(&config, &[&who.by])?;
                let to = if to.is_empty() { &channel } else { &to };
                told(ground.hand_over(who.id, &who.by, to, Way::Channel(&channel)))?;
                say!("draft {} goes to {channel}; `vakt run` posts it", who.id);
            }
            Doing::HandOver { who, to, mail: Some(name), .. } => {
                let ground = ground_for(&config, &[&who.by, &name])?;
                let to = if to.is_empty() { &name } else { &to };
                told(ground.hand_over(who.id, &who.by, to, Way::Mail(&name)))?;
                say!("draft {} goes to {name} by mail; `vakt run` sends it", who.id);
            }
            Doing::HandOver { who, to, .. } => {
                // The words alone, so that they can be passed on; they are handed over only when that is written down.
                say!("{}", does(&config, &who, Act::HandOver, &to)?.text);
            }
        }
        Ok(Verdict::Done)
    }
}

/// The channel of that name, behind which a program publishes what it is given.
fn publisher(config: &Config, name: &str) -> anyhow::Result<()> {
    let all = channels::read(&config.sheet, &config.fetch.allow_private)
        .map_err(|_| Refused("the settings have mistakes; `vakt check` shows them".into()))?;
    let able: Vec<&str> = all.iter().filter(|n| n.publishes()).map(|n| n.name.as_str()).collect();
    if able.contains(&name) {
        return Ok(());
    }
    let help = match able.is_empty() {
        true => "add a [[channel]] with kind = \"webhook\" to vakt.toml".to_owned(),
        false => suggest(name, able),
    };
    Err(Refused(format!("no webhook is called `{name}` in the settings: {help}")).into())
}

fn does(config: &Config, who: &Who, act: Act, note: &str) -> anyhow::Result<Draft> {
    told(ground_for(config, &[&who.by])?.act_on_draft(who.id, &act, &who.by, note))
}

impl What {
    fn order(self) -> Order {
        Order {
            about: About { incident: self.incident, mention: self.mention },
            playbook: self.playbook,
            language: self.language,
            network: self.network,
            reply: self.reply,
            link: self.link,
            ..Order::default()
        }
    }
}

impl New {
    fn run(self, config: &Config) -> anyhow::Result<()> {
        let by = self.what.by.clone();
        let ground = ground_for(config, &[&by])?;
        let order = Order { text: self.text.as_deref().map(text_of).transpose()?, ..self.what.order() };
        let draft = told(ground.draft(order, &by))?;
        show::one(&draft, &ground.knowledge().rules.voice, "en", false)
    }
}
