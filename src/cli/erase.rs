//! `vakt erase`: forgets an author, everywhere, with a receipt that names nobody.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::beside::{self, Beside};
use super::{Paint, Refused, Verdict, open_store, settings};
use crate::config::Config;
use crate::ground::erasure::{self, Erasure, Found, Who};
use crate::ground::{Clock, Ground};
use crate::rules::Rules;
use crate::stages::{index, reload};
use crate::store::erasures::{self, Receipt};
use crate::store::{Store, changes};

/// Forget an author: mentions, letters that quote them, notes that name them, the words in the index.
#[derive(Debug, Args)]
pub(super) struct Erase {
    /// The author's name or handle, with or without @, in any case
    #[arg(long, value_name = "NAME", required_unless_present = "list", conflicts_with = "list")]
    author: Option<String>,
    /// In this network only
    #[arg(long)]
    network: Option<String>,
    /// In what this source told only
    #[arg(long)]
    source: Option<String>,
    /// Why, for the receipt; name nobody here
    #[arg(long, default_value = "")]
    reason: String,
    /// Erase without asking
    #[arg(long)]
    yes: bool,
    /// Show the receipts
    #[arg(long)]
    list: bool,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// Beside a running daemon the database is written anew up to this size, in seconds; a larger one would keep alarms
/// waiting, and is written anew when the daemon starts next.
const AT_ONCE: u64 = 512 << 20;
/// How long the database may be busy, and how long the daemon's index may take.
const PATIENCE: Duration = Duration::from_secs(60);
const INDEX_PATIENCE: Duration = Duration::from_secs(120);

impl Erase {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let config = settings(file)?;
        let store = open_store(&config)?;
        if self.list {
            return list(&store, self.json);
        }
        let name = self.author.as_deref().unwrap_or_default();
        let who = Who::new(name, self.network.as_deref(), self.source.as_deref());
        if who.is_empty() {
            return Err(Refused("--author is empty; name an author or a handle".into()).into());
        }
        let found = erasure::find(&store, &who)?;
        if found.mentions.is_empty() && found.letters == 0 {
            finish_others(&config, &store)?;
            match self.json {
                true => say!("{}", serde_json::json!({ "found": 0, "named": found.named })),
                false => say!("Nothing is stored of that author."),
            }
            tell_of_others(name, found.named, self.json);
            return Ok(Verdict::No);
        }
        if !self.json {
            show(&found);
            tell_of_others(name, found.named, false);
        }
        if !self.yes && !confirmed()? {
            say!("Nothing was erased.");
            return Ok(Verdict::No);
        }
        let (named, mail_dir) = (found.named, config.mail_dir());
        let beside = Beside::of(&config.data_dir)?;
        let ground = ground(&config, &store)?;
        let mut done = Erasure::carry_out(&ground, &mail_dir, &who, found, self.reason.trim(), Clock::System.now())?;
        done.receipt.database_done = scrub(&store, &config, &beside)?;
        done.receipt.index_done = settle_index(&store, &config, beside, done.receipt.seq)?;
        done.look_again()?;
        if done.receipt.database_done {
            let upto = done.receipt.id;
            store.write_blocking(move |tx| erasures::scrubbed(tx, upto))?;
        }
        match self.json {
            true => say!("{}", serde_json::json!({ "receipt": done.receipt, "named": named })),
            false => print(&done.receipt),
        }
        Ok(Verdict::Done)
    }
}

/// What the erasure stands on: whoever has approved a text that is another one now is asked again. Mistakes in the rules keep
/// nobody from being erased.
fn ground(config: &Config, store: &Store) -> anyhow::Result<Arc<Ground>> {
    let now = Clock::System.now();
    let rules = Rules::load(&config.rules_dir, now).ok();
    let rules = rules.map_or_else(|| reload::last_good(store, now), |r| Ok(Some(r)))?.unwrap_or_default();
    Ok(Ground::new(store.clone(), Clock::System, rules, crate::daemon::letterhead(config))?)
}

/// Whether a person at a terminal says yes.
fn confirmed() -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Refused("nobody can be asked here; say --yes to erase it".into()).into());
    }
    write!(std::io::stdout(), "Erase it for good? Type yes: ")?;
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}

fn show(found: &Found) {
    let mut networks: BTreeMap<&str, usize> = BTreeMap::new();
    found.mentions.iter().for_each(|m| *networks.entry(&m.network).or_default() += 1);
    let networks: Vec<String> = networks.iter().map(|(n, k)| format!("{k} in {}", or_none(n))).collect();
    let at = found.mentions.iter().map(|m| m.at);
    say!(
        "{} mentions{}",
        found.mentions.len(),
        if networks.is_empty() { String::new() } else { format!(": {}", networks.join(", ")) }
    );
    if let (Some(first), Some(last)) = (at.clone().min(), at.max()) {
        say!("from {} to {}", first.strftime("%Y-%m-%d"), last.strftime("%Y-%m-%d"));
    }
    let incidents: Vec<String> = found.incidents.iter().map(i64::to_string).collect();
    match incidents.is_empty() {
        true => say!("no message quotes them"),
        false => say!("{} messages quote them, about the incidents {}", found.letters, incidents.join(", ")),
    }
}

fn or_none(network: &str) -> &str {
    if network.is_empty() { "no network" } else { network }
}

/// Mentions by others stay; whoever erases should look at those that name the handle.
fn tell_of_others(name: &str, named: u64, json: bool) {
    if named > 0 && !json {
        let handle = name.trim().trim_start_matches('@');
        say!("{named} mentions by others name @{handle} and stay; `vakt search '@{handle}'` shows them");
    }
}

/// Leaves nothing in the free pages of the database.
fn scrub(store: &Store, config: &Config, beside: &Beside) -> anyhow::Result<bool> {
    let size = std::fs::metadata(config.database()).map_or(0, |m| m.len());
    let disk = rustix::fs::statvfs(&config.data_dir);
    let room = disk.map_or(u64::MAX, |d| d.f_bavail.saturating_mul(d.f_frsize)) > size.saturating_mul(2) + (256 << 20);
    let anew = room && (beside.is_alone() || size <= AT_ONCE);
    let emptied = store
        .scrub(anew, PATIENCE)
        .context("the erased is out of the tables, but not yet out of the free pages of the database; erase again")?;
    Ok(anew && emptied)
}

/// Has the index carry the deletions out, or waits for the daemon that does.
fn settle_index(store: &Store, config: &Config, beside: Beside, seq: i64) -> anyhow::Result<bool> {
    let carried_out = || Ok(store.read(changes::awaited)?.is_none_or(|waiting| waiting > seq));
    match beside::wait(beside, &config.data_dir, INDEX_PATIENCE, carried_out)? {
        beside::End::Done => Ok(true),
        beside::End::Late => Ok(false),
        beside::End::Alone(_lock) => {
            index::settle(store, &config.index_dir(), Clock::System.now()).context("the index cannot be written")?;
            Ok(true)
        }
    }
}

/// Finishes what erasures before left to be finished, where that is possible now.
fn finish_others(config: &Config, store: &Store) -> anyhow::Result<()> {
    let Some(last) = store.read(erasures::all)?.into_iter().rfind(|r| !r.database_done) else { return Ok(()) };
    let beside = Beside::of(&config.data_dir)?;
    if scrub(store, config, &beside)? {
        store.write_blocking(move |tx| erasures::scrubbed(tx, last.id))?;
    }
    Ok(())
}

fn list(store: &Store, json: bool) -> anyhow::Result<Verdict> {
    let waiting = store.read(changes::awaited)?;
    let mut all = store.read(erasures::all)?;
    all.iter_mut().for_each(|r| r.index_done = waiting.is_none_or(|waiting| waiting > r.seq));
    if json {
        say!("{}", serde_json::to_string(&all)?);
        return Ok(Verdict::Done);
    }
    if all.is_empty() {
        say!("Nobody has been erased.");
    }
    all.iter().for_each(print);
    Ok(Verdict::Done)
}

fn print(r: &Receipt) {
    let paint = Paint::new();
    let head = format!("Erasure {}", r.id);
    say!(
        "{}  {}{}",
        paint.bold(&head),
        r.at.strftime("%Y-%m-%d %H:%M UTC"),
        match r.reason.as_str() {
            "" => String::new(),
            why => format!("  {}", super::safe(why, 200)),
        }
    );
    say!("  tombstone   {}", r.tombstone);
    say!("  mentions    {} erased, with {} identities", r.mentions, r.identities);
    say!("  messages    {} done with, now stubs; {} waiting, now without it", r.stubbed, r.struck);
    if r.sent > 0 {
        say!("              {} of them had been sent: what is in people's mailboxes is theirs to delete", r.sent);
    }
    say!("  mail folder {} files, now stubs", r.files);
    let incidents: Vec<String> = r.incidents.iter().map(i64::to_string).collect();
    say!(
        "  incidents   {} notes changed{}",
        r.notes,
        match incidents.is_empty() {
            true => String::new(),
            false => format!("; messages or notes of the incidents {}", incidents.join(", ")),
        }
    );
    say!(
        "  index       {}",
        match r.index_done {
            true => "no word left in its files".to_owned(),
            false => paint.warm("pending: the running daemon finishes it; `vakt erase --list` tells when"),
        }
    );
    say!(
        "  database    {}",
        match r.database_done {
            true => "no trace left in its free pages".to_owned(),
            false =>
                paint.warm("deleted and overwritten; written anew when vakt starts next, so restart it when it suits"),
        }
    );
    say!("  backups     those made before still hold it: let them expire");
}
