//! How people are told: letters and short texts composed, addresses made harmless, mail and every other channel.

pub mod defang;
pub mod folder;
mod hook;
pub mod letter;
pub mod mail;
mod matrix;
pub mod meanings;
mod ntfy;
mod pagerduty;
pub mod plea;
mod post;
mod quoted;
pub mod short;
mod slack;
mod sms;
mod sms_mail;
pub mod strike;
mod teams;
mod telegram;
mod webhook;
mod words;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;

pub use post::Post;
use short::Short;

use crate::config::SecretRef;
use crate::config::fault::{self, Fault, Sheet, suggest};
use crate::config::written::{Desk, Form};
use crate::model::Severity;
use crate::model::people::{MAIL, Way};
use crate::model::time::Span;
use crate::net::{Allow, Http, Limits};

/// What became of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody has it, or a file holds it: which.
    Taken(String),
    /// It may be taken later.
    Later {
        /// Why not now.
        why: String,
        /// How long whoever refused it asks to be left alone.
        wait: Option<Span>,
    },
    /// It is refused for good: why.
    Never(String),
}

impl Outcome {
    /// It may be taken later.
    pub fn later(why: impl Into<String>) -> Outcome {
        Outcome::Later { why: why.into(), wait: None }
    }
}

/// One message on its way by a channel.
#[derive(Debug, Clone, Copy)]
pub struct Parcel<'a> {
    /// Its id, the same at each try.
    pub id: &'a str,
    /// Whom it is for, in the channel's own words: a topic, a chat, a number; may be empty where the settings say all.
    pub to: &'a str,
    /// What it says.
    pub short: &'a Short,
}

/// What channels send by.
pub struct Means {
    /// HTTP within the guard.
    pub http: Http,
    /// Mail.
    pub post: Post,
    /// The sender of mails.
    pub from: String,
}

impl std::fmt::Debug for Means {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Means({:?})", self.post)
    }
}

/// A try under way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A way by which short texts reach people.
pub trait Channel: Send + Sync {
    /// Sends once. The same parcel is the same request, so that whoever takes it twice can tell.
    fn send<'a>(&'a self, means: &'a Means, parcel: Parcel<'a>, now: Timestamp) -> Sending<'a>;

    /// The secrets that it needs.
    fn secrets(&self) -> Vec<&SecretRef>;
}

/// What people write as `to` of a channel.
#[derive(Clone, Copy)]
pub struct To {
    /// In words, such as "a topic".
    pub what: &'static str,
    /// It must be there.
    pub needed: bool,
    /// Whether a text is one.
    pub fits: fn(&str) -> bool,
}

/// One kind of channel.
pub struct Kind {
    /// The word after `kind =`.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// Its settings with an example, as its manual.
    pub manual: &'static str,
    /// Whom it takes messages for; `None` where its settings alone say so.
    pub to: Option<To>,
    /// It keeps alerts open until it is told that they are over.
    pub closes: bool,
    /// Reads the settings; mistakes go to the form's desk. The networks are those that the whole house may reach.
    pub read: Read,
}

type Read = fn(&Form<'_>, &[String]) -> Option<Box<dyn Channel>>;

/// Every kind of channel beside mail. A new kind is a file in this folder and a row here.
pub const KINDS: &[Kind] = &[
    ntfy::KIND,
    slack::KIND,
    teams::KIND,
    matrix::KIND,
    telegram::KIND,
    pagerduty::KIND,
    sms::KIND,
    sms_mail::KIND,
    webhook::KIND,
];

/// A channel that the settings name.
#[derive(Clone)]
pub struct Named {
    /// Its name, unique.
    pub name: String,
    /// Its kind.
    pub kind: &'static Kind,
    /// The channel itself.
    pub channel: Arc<dyn Channel>,
}

impl Named {
    /// Whether a program of one's own listens there, which can publish what it is given.
    pub fn publishes(&self) -> bool {
        self.kind.name == webhook::KIND.name
    }
}

impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.kind.name)
    }
}

/// Reads the `[[channel]]` tables of the settings.
///
/// # Errors
/// Every mistake in them.
pub fn read(sheet: &Arc<Sheet>, allow_private: &[String]) -> Result<Vec<Named>, Vec<Fault>> {
    let desk = Desk::new(sheet.clone());
    let mut out: Vec<Named> = Vec::new();
    desk.read(|root| {
        for form in root.tables("channel", "channel") {
            read_one(form, allow_private, &mut out);
        }
    });
    let faults = desk.into_faults();
    if fault::any_error(&faults) { Err(faults) } else { Ok(out) }
}

/// Reads the `[operator]` table of the settings: by which channels the operator is told things, beside mail.
///
/// # Errors
/// Every mistake in it.
pub fn operator(sheet: &Arc<Sheet>, all: &[Named]) -> Result<Vec<Way>, Vec<Fault>> {
    let desk = Desk::new(sheet.clone());
    let mut out = Vec::new();
    desk.read(|root| {
        let Some(form) = root.table("operator", "[operator] table") else { return };
        for way in form.tables("reach", "way") {
            let (channel, to) = (way.must_text("channel"), way.text("to").map(|t| t.value).unwrap_or_default());
            way.finish();
            let Some(channel) = channel else { continue };
            match wrong(all, &channel.value, &to) {
                Some((what, help)) => desk.error(channel.span, what, help),
                None if channel.value == MAIL => {
                    desk.error(channel.span, "mail to the operator goes always", "take this way away");
                }
                None => out.push(Way { channel: channel.value, to, from: Severity::Watch }),
            }
        }
        form.finish();
    });
    let faults = desk.into_faults();
    if fault::any_error(&faults) { Err(faults) } else { Ok(out) }
}

fn read_one(form: Form<'_>, allow_private: &[String], out: &mut Vec<Named>) {
    let name = form.must_name();
    let kind = form.must_text("kind");
    if let Some(name) = name.as_ref().filter(|n| n.value == MAIL) {
        form.desk.error(name.span.clone(), "`mail` is the mail of [mail]", "take another name");
    }
    if let Some(name) = name.as_ref().filter(|n| out.iter().any(|s| s.name == n.value)) {
        form.desk.error(name.span.clone(), format!("there are two channels named `{}`", name.value), "rename one");
    }
    let Some(kind) = kind else { return };
    let Some(row) = KINDS.iter().find(|k| k.name == kind.value) else {
        let help = suggest(&kind.value, KINDS.iter().map(|k| k.name));
        form.desk.error(kind.span, format!("unknown kind of channel `{}`", kind.value), help);
        return;
    };
    let channel = (row.read)(&form, allow_private);
    form.finish();
    if let (Some(name), Some(channel)) = (name, channel) {
        out.push(Named { name: name.value, kind: row, channel: channel.into() });
    }
}

/// What is wrong with a way by which a person wants to be reached, and what to write instead; `None` where all is well.
pub fn wrong(all: &[Named], channel: &str, to: &str) -> Option<(String, String)> {
    if channel == MAIL {
        let help = "mail goes to the person's `email`: leave `to` out".to_owned();
        return (!to.is_empty()).then(|| ("`mail` takes no `to`".to_owned(), help));
    }
    let Some(named) = all.iter().find(|n| n.name == channel) else {
        let help = suggest(channel, all.iter().map(|n| n.name.as_str()).chain([MAIL]));
        return Some((format!("there is no channel `{channel}` in the settings"), help));
    };
    let Some(To { what, needed, fits }) = named.kind.to else {
        let help = "leave `to` out: its settings say who is told".to_owned();
        return (!to.is_empty()).then(|| (format!("channel `{channel}` takes no `to`"), help));
    };
    let help = format!("write to = \"…\" with {what}");
    match (to.is_empty(), fits(to)) {
        (true, _) => needed.then(|| (format!("channel `{channel}` does not know whom to tell"), help)),
        (_, false) => Some((format!("`{to}` is not {what}"), help)),
        _ => None,
    }
}

/// The bounds of sending: what is not taken by then is tried again, and other channels have their turn.
pub fn limits() -> Limits {
    let (connect, headers, total) = (Span::secs(5), Span::secs(15), Span::secs(20));
    Limits { max_body: 64 << 10, connect, headers, total, per_host: 4, at_once: 64 }
}

/// Every way out of the house.
#[derive(Debug)]
pub struct Channels {
    all: Vec<Named>,
    means: Means,
}

impl Channels {
    /// Mail, and the channels of the settings.
    pub fn new(all: Vec<Named>, means: Means) -> Channels {
        Channels { all, means }
    }

    /// What is wrong with a way by which a person wants to be reached; see [`wrong`].
    pub fn wrong(&self, channel: &str, to: &str) -> Option<(String, String)> {
        wrong(&self.all, channel, to)
    }

    /// Names of the channels behind which a program of one's own publishes what it is given.
    pub fn publishers(&self) -> Vec<String> {
        self.all.iter().filter(|n| n.publishes()).map(|n| n.name.clone()).collect()
    }

    /// The folder that mails go to, while there is no relay.
    pub fn folder(&self) -> Option<&std::path::Path> {
        match &self.means.post {
            Post::Folder(dir) => Some(dir),
            Post::Relays(_) => None,
        }
    }

    /// Sends a mail once; `file` is its name in the folder.
    pub async fn mail(&self, file: &str, to: &str, bytes: &[u8]) -> Outcome {
        self.means.post.send(&self.means.from, file, to, bytes).await
    }

    /// Sends a short text once by the channel of that name.
    pub async fn tell(&self, channel: &str, parcel: Parcel<'_>, now: Timestamp) -> Outcome {
        match self.all.iter().find(|n| n.name == channel) {
            Some(named) => named.channel.send(&self.means, parcel, now).await,
            None => Outcome::Never(format!("there is no channel `{channel}` in the settings")),
        }
    }
}

/// The networks that a channel may reach: the house's and its own.
fn allow(form: &Form<'_>, allow_private: &[String]) -> Allow {
    let own = form.texts("allow_private");
    let networks = allow_private.iter().cloned().chain(own.iter().map(|n| n.value.clone()));
    Allow::parse(networks).unwrap_or_else(|e| {
        let span = own.first().map_or(form.span.clone(), |n| n.span.clone());
        form.desk.error(span, e.to_string(), "write networks such as \"10.0.0.0/8\"");
        Allow::none()
    })
}

/// A secret under a key; one that has to be there and is not is noted.
fn secret(form: &Form<'_>, key: &'static str, needed: bool) -> Option<SecretRef> {
    if needed && !form.has(key) {
        let help = format!("add {key} = {{ credential = \"name\" }}, {{ file = \"/path\" }} or {{ env = \"NAME\" }}");
        form.desk.error(form.span.clone(), format!("this channel has no `{key}`"), help);
    }
    form.table(key, "secret").and_then(SecretRef::read)
}

#[cfg(test)]
pub(crate) mod tests;
