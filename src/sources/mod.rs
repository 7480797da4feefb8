//! Where mentions come from: one file for each kind of source, and one visible table of them.

mod again;
mod aim;
mod api;
mod appstore;
pub mod archive;
mod bluesky;
mod bounds;
mod charset;
mod discord;
mod discourse;
pub mod discover;
mod facebook;
pub mod feed;
mod folder;
mod gdelt;
mod github;
mod graph;
mod hackernews;
pub mod hooks;
mod imap;
mod instagram;
mod lemmy;
mod linkedin;
mod listing;
pub mod live;
mod mail;
mod maildir;
mod mastodon;
mod mend;
pub mod opml;
mod page;
mod playstore;
pub mod pushed;
mod reddit;
mod refs;
mod salvage;
mod settings;
mod sieve;
mod slack;
mod sse;
mod stackexchange;
mod tags;
mod telegram;
mod terms;
mod threads;
mod tiktok;
mod told;
mod trustpilot;
mod x;
mod youtube;

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use crate::config::fault::{self, Fault, Sheet, Weight, suggest};
use crate::config::written::{At, Desk, Form};
use crate::model::Capture;
use crate::model::time::Span;

pub use again::{Asking, Now};
pub use aim::Sought;

pub use crate::net::http::Quota;
pub use crate::net::{Allow, FetchError, Http, Limits, guard, http, pace};

/// What one fetch brought.
#[derive(Debug, Default)]
pub struct Brought {
    /// What the source told, in its order.
    pub captures: Vec<Capture>,
    /// Why items were left out, the first few.
    pub skipped: Vec<String>,
    /// How many were left out.
    pub skipped_total: usize,
    /// Why the answer had to be mended; `None` where it was whole.
    pub degraded: Option<String>,
    /// More was published than the answer could show.
    pub gap: bool,
    /// The source began from nothing, as it does where its settings lead to another place: what it brought is history.
    pub anew: bool,
    /// Where to go on, in the source's own words. Kept in the transaction that stores the captures.
    pub cursor: serde_json::Value,
    /// How long the answer says that it holds.
    pub max_age: Option<Span>,
    /// How much may still be asked, where the place says so.
    pub quota: Option<Quota>,
    /// There is more to be had at once: it is asked for as soon as this is stored.
    pub more: bool,
    /// What was taken back there, by the ids that it gives to captures.
    pub gone: Vec<String>,
}

/// A fetch under way.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Brought, FetchError>> + Send + 'a>>;

/// What it was read from, being put away.
pub type Storing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A place that mentions come from.
pub trait Source: Send + Sync {
    /// Asks for what is new since `cursor`, which is null at first.
    fn fetch<'a>(&'a self, http: &'a Http, cursor: &'a serde_json::Value, now: Timestamp) -> Fetching<'a>;

    /// Whether what it brings first is what had been said before anybody listened: history, which never rings.
    fn begins_with_history(&self) -> bool {
        true
    }

    /// What it brought up to `cursor` is stored, so that what it was read from may be put away. After a crash this is
    /// not said: the next fetch begins with the same cursor, and finds it out.
    fn stored<'a>(&'a self, _cursor: &'a serde_json::Value) -> Storing<'a> {
        Box::pin(async {})
    }

    /// How it stays connected, where it does.
    fn live(&self) -> Option<&dyn live::Live> {
        None
    }

    /// How many things it can be asked for again at once; 0 where it cannot.
    fn most_again(&self) -> usize {
        0
    }

    /// How often it may be asked for them again.
    fn again_every(&self) -> Span {
        Span::ZERO
    }

    /// Asks how things stand by now that it is asked for by these ids, [`Source::most_again`] of them at most.
    fn ask_again<'a>(&'a self, _: &'a Http, _: &'a [String], _: Timestamp) -> Asking<'a> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Looks for topics besides what its settings say, in its network's own words; what that cannot be asked, for people.
    /// `None` where it cannot look for topics.
    fn aim(&mut self, _: &[Sought<'_>]) -> Option<Vec<String>> {
        None
    }

    /// Whether a hub is to tell what is new.
    fn wants_hub(&self) -> bool {
        false
    }

    /// The hub that tells what is new, as the source was read up to `cursor`.
    fn hub(&self, _: &serde_json::Value) -> Option<feed::Hub> {
        None
    }

    /// Reads what its hub delivered, with the media type that the hub gave it.
    fn delivered<'a>(&'a self, _: &'a serde_json::Value, _: &'a str, _: Vec<u8>) -> Fetching<'a> {
        let reason = "nobody asked a hub to deliver for it".to_owned();
        Box::pin(async { Err(FetchError::Unreadable { place: "the delivery".to_owned(), reason }) })
    }

    /// The address of its feed, where it is one.
    fn feed(&self) -> Option<&str> {
        None
    }

    /// The listings that it reads, for tests of all kinds.
    #[cfg(test)]
    #[expect(private_interfaces, reason = "no test stands outside this room")]
    fn listings(&self) -> &[Box<dyn listing::Listing>] {
        &[]
    }
}

/// One kind of source.
pub struct Kind {
    /// The word after `kind =`.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// What one needs to get in.
    pub entry: Entry,
    /// How often it is asked where the settings do not say; adaptive where this does not either.
    pub every: Option<Span>,
    /// Its settings with an example, as its manual.
    pub manual: &'static str,
    /// Reads the settings; mistakes go to the form's desk. The networks are those that the whole house may reach.
    pub read: Read,
}

/// What one needs to read a kind of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Nothing: anybody may ask.
    Open,
    /// A key or an account that the place gives for nothing.
    Key,
    /// A contract, or the place's approval.
    Contract,
}

/// Reads a source's settings off a form.
type Read = fn(&Form<'_>, &[String]) -> Option<Box<dyn Source>>;

/// Every kind of source. A new kind is a file in this folder and a row here.
pub const KINDS: &[Kind] = &[
    feed::kind::KIND,
    mastodon::KIND,
    lemmy::KIND,
    discourse::KIND,
    hackernews::KIND,
    stackexchange::KIND,
    github::KIND,
    gdelt::KIND,
    appstore::KIND,
    maildir::KIND,
    bluesky::KIND,
    reddit::KIND,
    youtube::KIND,
    discord::KIND,
    slack::KIND,
    x::KIND,
    facebook::KIND,
    instagram::KIND,
    threads::KIND,
    tiktok::KIND,
    linkedin::KIND,
    trustpilot::KIND,
    page::KIND,
    folder::KIND,
    telegram::KIND,
    playstore::KIND,
    imap::KIND,
];

/// A source that the settings name.
#[derive(Clone)]
pub struct Named {
    /// Its name, unique.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// How often it is asked; adaptive where the settings do not say.
    pub every: Option<Span>,
    /// Changes when its settings do, or the topics that it looks for.
    pub settings: u64,
    /// The topics that it looks for.
    pub topics: Vec<String>,
    /// What its network cannot be asked of them, for people.
    pub notes: Vec<String>,
    /// The source itself.
    pub source: Arc<dyn Source>,
}

impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.kind)
    }
}

/// Reads the `[[source]]` tables of the settings, and of the files that `source_files` names beside them.
///
/// # Errors
/// Every mistake in them; a file that cannot be read is one.
pub fn read(sheet: &Arc<Sheet>, allow_private: &[String]) -> Result<Vec<Named>, Vec<Fault>> {
    read_for(sheet, allow_private, None)
}

/// The same, with the sources aimed at the topics of the rules, where they are known.
///
/// # Errors
/// As for [`read`]; a topic that is not there is a mistake.
pub fn read_for(
    sheet: &Arc<Sheet>,
    allow_private: &[String],
    topics: Option<&[Sought<'_>]>,
) -> Result<Vec<Named>, Vec<Fault>> {
    read_aimed(sheet, allow_private, Aims { topics, missing: Weight::Error }).map(|(named, _)| named)
}

/// The same, aimed at the topics that are in force, for a daemon that has to watch whatever the rules say by now: a topic
/// that is not there is no mistake then but a warning, and its source looks for the others.
///
/// # Errors
/// As for [`read`].
pub fn read_in_force(
    sheet: &Arc<Sheet>,
    allow_private: &[String],
    topics: &[Sought<'_>],
) -> Result<(Vec<Named>, Vec<Fault>), Vec<Fault>> {
    read_aimed(sheet, allow_private, Aims { topics: Some(topics), missing: Weight::Warning })
}

/// What sources are aimed at, and what it means that a topic is not there.
#[derive(Clone, Copy)]
struct Aims<'a> {
    topics: Option<&'a [Sought<'a>]>,
    missing: Weight,
}

fn read_aimed(
    sheet: &Arc<Sheet>,
    allow_private: &[String],
    aims: Aims<'_>,
) -> Result<(Vec<Named>, Vec<Fault>), Vec<Fault>> {
    let desk = Desk::new(sheet.clone());
    let mut out: Vec<Named> = Vec::new();
    if let Err(e) = Allow::parse(allow_private) {
        desk.error(0..0, e.to_string(), "write networks such as \"10.0.0.0/8\"");
    }
    let mut files = Vec::new();
    let mut reachable = false;
    desk.read(|root| {
        reachable = root.has("base_url");
        read_all(&root, allow_private, aims, &mut out);
        files = root.texts("source_files");
    });
    // The rest of the sheet is the settings' business, syntax included.
    let mut faults = desk.into_faults();
    for file in files {
        // Paths in the settings are meant from where the settings stand.
        let path = Path::new(&sheet.name).parent().unwrap_or(Path::new("")).join(&file.value);
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let desk = Desk::new(Sheet::new(path.display().to_string(), text));
                desk.read(|root| {
                    read_all(&root, allow_private, aims, &mut out);
                    root.finish();
                });
                faults.extend(desk.into_faults());
            }
            Err(e) => {
                let fault = Fault::error(sheet, file.span, format!("{} cannot be read: {e}", path.display()));
                faults.push(fault.help("name a file with [[source]] tables, from where these settings stand"));
            }
        }
    }
    if let Some(source) = out.iter().find(|n| n.source.wants_hub()).filter(|_| !reachable) {
        let message = format!("`{}` wants its hub to tell what is new, and no hub knows where to", source.name);
        let help = "set `base_url` to an address that the hub can reach, or take `websub` out";
        faults.push(Fault::error(sheet, 0..0, message).help(help));
    }
    if fault::any_error(&faults) { Err(faults) } else { Ok((out, faults)) }
}

fn read_all(root: &Form<'_>, allow_private: &[String], aims: Aims<'_>, out: &mut Vec<Named>) {
    for form in root.tables("source", "source") {
        read_one(form, allow_private, aims, out);
    }
}

fn read_one(form: Form<'_>, allow_private: &[String], aims: Aims<'_>, out: &mut Vec<Named>) {
    let name = form.must_text("name");
    let kind = form.must_text("kind");
    let every = form.span("every").map(|e| e.value);
    if let Some(name) = name.as_ref().filter(|n| out.iter().any(|s| s.name == n.value)) {
        form.desk.error(name.span.clone(), format!("there are two sources named `{}`", name.value), "rename one");
    }
    let Some(kind) = kind else { return };
    let Some(row) = KINDS.iter().find(|k| k.name == kind.value) else {
        let help = suggest(&kind.value, KINDS.iter().map(|k| k.name));
        form.desk.error(kind.span, format!("unknown kind of source `{}`", kind.value), help);
        return;
    };
    let mut source = (row.read)(&form, allow_private);
    let mut settings = form.digest() ^ xxh3_64(allow_private.join(" ").as_bytes());
    let wanted = form.texts("topics");
    let mut notes = Vec::new();
    if let Some(source) = source.as_mut().filter(|_| !wanted.is_empty()) {
        let sought = sought(&form, &wanted, aims);
        let queries: Vec<_> = sought.iter().map(|s| (s.node, s.languages)).collect();
        settings ^= if queries.is_empty() { 0 } else { xxh3_64(format!("{queries:?}").as_bytes()) };
        match source.aim(&sought) {
            Some(told) => notes = told,
            None => {
                let span = wanted.first().map_or(form.span.clone(), |w| w.span.clone());
                form.desk.error(
                    span,
                    format!("a source of kind `{}` looks for no topics", row.name),
                    "take `topics` out",
                );
            }
        }
    }
    form.finish();
    if let (Some(name), Some(source)) = (name, source) {
        out.push(Named {
            name: name.value,
            kind: row.name,
            every: every.or(row.every),
            settings,
            topics: wanted.into_iter().map(|w| w.value).collect(),
            notes,
            source: source.into(),
        });
    }
}

/// The topics that are wanted; nothing where the rules are not known.
fn sought<'a>(form: &Form<'_>, wanted: &[At<String>], aims: Aims<'a>) -> Vec<Sought<'a>> {
    let Some(topics) = aims.topics else { return Vec::new() };
    let mut out = Vec::new();
    for name in wanted {
        match topics.iter().find(|t| t.name == name.value) {
            Some(topic) => out.push(*topic),
            None => {
                let message = format!("the rules have no topic `{}`", name.value);
                let fault = Fault::error(&form.desk.sheet, name.span.clone(), message);
                let help = suggest(&name.value, topics.iter().map(|t| t.name));
                form.desk.push(Fault { weight: aims.missing, ..fault }.help(help));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
