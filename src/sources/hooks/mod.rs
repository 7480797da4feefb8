//! Webhooks: places that call when something is said. One file for each kind, and one visible table of them.
//!
//! A call is believed by its signature alone, so that its address may be known to anybody; what it brings is stored before
//! it is answered, and a call that comes again is known by its event.

mod github;
mod meta;
mod signature;
mod signed;
mod slack;

use std::sync::Arc;

use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_128;

use super::Named;
use super::bounds::{MOST_REASONS, bounded};
use crate::config::fault::{self, Fault, Sheet, suggest};
use crate::config::written::{Desk, Form};
use crate::config::{SecretError, SecretRef};
use crate::model::Capture;

/// A call as it came.
pub struct Call<'a> {
    /// The value of a header, by its name in small letters.
    pub header: &'a dyn Fn(&str) -> Option<String>,
    /// The body, byte for byte as it was signed.
    pub body: &'a [u8],
}

/// What a call brought.
#[derive(Debug, Default)]
pub struct Told {
    /// Mentions.
    pub captures: Vec<Capture>,
    /// Why items were left out, the first few.
    pub skipped: Vec<String>,
    /// How many were left out.
    pub skipped_total: usize,
    /// What the caller calls the event; the same call again has the same. Without it the body stands for itself.
    pub event: Option<String>,
    /// What was taken back there, by the ids that it gives to captures.
    pub gone: Vec<String>,
    /// What the answer says.
    pub reply: String,
}

/// Why a call is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Its signature is wrong, or it has none.
    #[error("{0}")]
    Forged(&'static str),
    /// It is signed, and not what it should be.
    #[error("{0}")]
    Malformed(String),
    /// The secret that it is checked with cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// A place that calls.
pub trait Hook: Send + Sync {
    /// Checks who calls, and reads what is told.
    ///
    /// # Errors
    /// Why the call is not taken.
    fn take(&self, call: &Call<'_>, now: Timestamp) -> Result<Told, Refusal>;

    /// Answers the question by which some places make sure that the address is ours: the fields of a `GET`.
    ///
    /// # Errors
    /// Why it is not answered.
    fn greet(&self, _fields: &[(String, String)]) -> Result<String, Refusal> {
        Err(Refusal::Malformed("nothing is to be read here: this address takes POST".into()))
    }

    /// The secrets that it needs.
    fn secrets(&self) -> Vec<&SecretRef>;
}

/// One kind of webhook.
pub struct Kind {
    /// The word after `kind =`.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// Its settings with an example, as its manual.
    pub manual: &'static str,
    read: fn(&Form<'_>) -> Option<Box<dyn Hook>>,
}

/// Every kind of webhook. A new kind is a file in this folder and a row here.
pub const KINDS: &[Kind] = &[slack::KIND, github::KIND, meta::KIND, signed::KIND];

/// A webhook that the settings name.
#[derive(Clone)]
pub struct NamedHook {
    /// Its name, unique among hooks and sources: the end of its address, and the source of its mentions.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// The hook itself.
    pub hook: Arc<dyn Hook>,
}

impl std::fmt::Debug for NamedHook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (hook {})", self.name, self.kind)
    }
}

/// Where a hook of this name is called, below the address of the house.
pub fn path(name: &str) -> String {
    format!("/hooks/{name}")
}

/// Reads the `[[hook]]` tables of the settings; `sources` are those that are read already.
///
/// # Errors
/// Every mistake in them.
pub fn read(sheet: &Arc<Sheet>, sources: &[Named]) -> Result<Vec<NamedHook>, Vec<Fault>> {
    let desk = Desk::new(sheet.clone());
    let mut out = Vec::new();
    // Syntax is told by whoever reads the whole sheet.
    desk.read(|root| {
        for form in root.tables("hook", "hook") {
            read_one(form, sources, &mut out);
        }
    });
    let faults = desk.into_faults();
    if fault::any_error(&faults) { Err(faults) } else { Ok(out) }
}

fn read_one(form: Form<'_>, sources: &[Named], out: &mut Vec<NamedHook>) {
    let name = form.must_name();
    let kind = form.must_text("kind");
    if let Some(name) = &name {
        let taken = out.iter().any(|h| h.name == name.value) || sources.iter().any(|s| s.name == name.value);
        if taken {
            let message = format!("there is another hook or source named `{}`", name.value);
            form.desk.error(name.span.clone(), message, "rename one");
        }
    }
    let Some(kind) = kind else { return };
    let Some(row) = KINDS.iter().find(|k| k.name == kind.value) else {
        let help = suggest(&kind.value, KINDS.iter().map(|k| k.name));
        form.desk.error(kind.span, format!("unknown kind of hook `{}`", kind.value), help);
        return;
    };
    let hook = (row.read)(&form);
    form.finish();
    if let (Some(name), Some(hook)) = (name, hook) {
        out.push(NamedHook { name: name.value, kind: row.name, hook: hook.into() });
    }
}

impl Told {
    /// Adds a mention within bounds; one that says nothing is left out without a word.
    fn add(&mut self, capture: Option<Capture>) {
        self.captures.extend(capture.and_then(bounded));
    }

    /// Notes that something was taken back; without an id nobody knows what.
    fn take_back(&mut self, id: String) {
        self.gone.extend(Some(id).filter(|id| !id.is_empty()));
    }

    /// Notes an item that cannot be read.
    fn skip(&mut self, why: impl Into<String>) {
        self.skipped_total += 1;
        if self.skipped.len() < MOST_REASONS {
            self.skipped.push(why.into());
        }
    }

    /// What the event is known by: what the caller calls it, or what it says.
    pub fn key(&self, body: &[u8]) -> i64 {
        let hash = match self.event.as_deref().filter(|event| !event.is_empty()) {
            Some(event) => xxh3_128(format!("event {event}").as_bytes()),
            None => xxh3_128(body),
        };
        // Half of it tells events of a week apart.
        (hash as u64).cast_signed()
    }
}

/// A signed body as JSON.
fn json(body: &[u8]) -> Result<serde_json::Value, Refusal> {
    serde_json::from_slice(body).map_err(|e| {
        let form = body.starts_with(b"payload=").then_some("; choose application/json as its content type");
        Refusal::Malformed(format!("the body is no JSON ({e}){}", form.unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests;
