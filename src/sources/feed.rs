//! Feeds: RSS, Atom and JSON Feed, read by feed-rs from mended text, and item by item where that fails.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::guard::Allow;
use super::http::{FetchError, Http, Request, Response, place_of};
use crate::model::mention::Capture;
use crate::model::time::{Span, between};

mod document;
mod hub;
pub mod kind;

pub use document::{Document, DocumentError, read_document};
pub use hub::Hub;

/// Every so often a document is asked for without validators: some sites say "not modified" for ever.
const FULL_EVERY: Span = Span::hours(24);
/// So many sightings make a permanent redirect permanent.
const MOVED_AFTER: u32 = 3;
const ACCEPT: &str = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, \
                      application/json;q=0.8, text/xml;q=0.8, */*;q=0.5";

/// Where reading a feed stands; kept in the transaction that keeps its mentions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedCursor {
    /// The configured address that all the rest is about; another address begins anew.
    pub url: String,
    /// Validator of the last document.
    pub etag: Option<String>,
    /// Validator of the last document.
    pub last_modified: Option<String>,
    /// Where permanent redirects lead.
    pub moved_to: Option<String>,
    /// How often in a row they led there; from the third time on it is asked there directly.
    pub moved_seen: u32,
    /// When the whole document was last here.
    pub last_full: Option<Timestamp>,
    /// What the last document held, as hashes of its items' identities.
    pub known: Vec<u64>,
    /// The hub that it names, and the address by which that knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hub: Option<(String, String)>,
}

/// A feed to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Its address.
    pub url: String,
    /// The network of its mentions: `news`, `forum`, `blog`.
    pub network: String,
    /// The language of its mentions, where the operator knows better than the feed.
    pub language: Option<String>,
    /// Networks that may be reached besides public ones.
    pub allow: Allow,
    /// Its hub tells what is new, where it names one.
    pub websub: bool,
}

/// What one fetch of a feed brought.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fetched {
    /// Its items, in the order of the document.
    pub captures: Vec<Capture>,
    /// How many of them were not in the last document.
    pub fresh: usize,
    /// Why items were dropped; the first few.
    pub skipped: Vec<String>,
    /// How many were dropped.
    pub skipped_total: usize,
    /// Why the document had to be salvaged, for a person; its validators were not taken then.
    pub degraded: Option<String>,
    /// Nothing of the last document was left: items may have been missed.
    pub gap: bool,
    /// The site says that nothing changed.
    pub not_modified: bool,
    /// Where reading stands now.
    pub cursor: FeedCursor,
    /// How long the site calls its answer fresh.
    pub max_age: Option<Span>,
}

impl Feed {
    /// Asks for the feed and reads it.
    ///
    /// # Errors
    /// See [`FetchError`]; a document that is no feed is [`FetchError::Unreadable`]. The cursor stays as it was.
    pub async fn fetch(&self, http: &Http, cursor: &FeedCursor, now: Timestamp) -> Result<Fetched, FetchError> {
        let mut cursor = cursor.clone();
        if cursor.url != self.url {
            cursor = FeedCursor { url: self.url.clone(), ..FeedCursor::default() };
        }
        let moved = cursor.moved_to.clone().filter(|_| cursor.moved_seen >= MOVED_AFTER);
        let direct = moved.is_some();
        let mut answer = self.ask(http, moved.as_deref().unwrap_or(&self.url), &cursor, now).await;
        if direct && answer.as_ref().is_err_and(|e| e.retry_after().is_none()) {
            // The move was not for good after all: back to the address that the operator gave.
            let original = self.ask(http, &self.url, &cursor, now).await;
            if original.is_ok() {
                (cursor.moved_to, cursor.moved_seen) = (None, 0);
                answer = original;
            }
        }
        let (body, charset, etag, last_modified, moved_to, max_age, headers) = match answer? {
            Response::NotModified { max_age } => {
                return Ok(Fetched { not_modified: true, cursor, max_age, ..Fetched::default() });
            }
            Response::Fresh { body, charset, etag, last_modified, moved_to, max_age, headers, .. } => {
                (body, charset, etag, last_modified, moved_to, max_age, headers)
            }
        };
        let document = self.read(body, charset, moved_to.clone()).await?;
        cursor.hub = headers.link("hub").or(document.hub).filter(|hub| is_address(hub)).map(|hub| {
            let own = headers.link("self").or(document.own).filter(|own| is_address(own));
            (hub, own.unwrap_or_else(|| moved_to.clone().unwrap_or_else(|| self.url.clone())))
        });
        if !direct || cursor.moved_to.is_none() {
            cursor.moved_seen = match &moved_to {
                Some(_) if cursor.moved_to == moved_to => cursor.moved_seen.saturating_add(1),
                Some(_) => 1,
                None => 0,
            };
            cursor.moved_to = moved_to;
        } else if moved_to.is_some() {
            // It moved on from where it had moved to.
            (cursor.moved_to, cursor.moved_seen) = (moved_to, MOVED_AFTER);
        }
        cursor.last_full = Some(now);
        let whole = document.degraded.is_none();
        (cursor.etag, cursor.last_modified) = if whole { (etag, last_modified) } else { (None, None) };
        let ids: Vec<u64> = document.captures.iter().map(identity).collect();
        let before: std::collections::HashSet<u64> = cursor.known.iter().copied().collect();
        let fresh = ids.iter().filter(|id| !before.contains(id)).count();
        let gap = whole && !before.is_empty() && !ids.is_empty() && fresh == ids.len();
        if whole || !ids.is_empty() {
            cursor.known = ids;
        }
        Ok(Fetched {
            captures: document.captures,
            fresh,
            skipped: document.skipped,
            skipped_total: document.skipped_total,
            degraded: document.degraded,
            gap,
            not_modified: false,
            cursor,
            max_age,
        })
    }

    async fn ask(&self, http: &Http, url: &str, cursor: &FeedCursor, now: Timestamp) -> Result<Response, FetchError> {
        let recent = cursor.last_full.is_some_and(|last| {
            let age = between(last, now);
            age >= Span::ZERO && age < FULL_EVERY
        });
        let request = Request {
            url,
            allow: &self.allow,
            etag: cursor.etag.as_deref().filter(|_| recent),
            last_modified: cursor.last_modified.as_deref().filter(|_| recent),
            accept: ACCEPT,
            secret: None,
            headers: &[],
        };
        http.get(request, now).await
    }

    /// Reads a document away from the threads that serve the network: a large one takes a second.
    async fn read(
        &self,
        body: Vec<u8>,
        charset: Option<String>,
        moved: Option<String>,
    ) -> Result<Document, FetchError> {
        let (url, network, language) = (self.url.clone(), self.network.clone(), self.language.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let base = moved.as_deref().unwrap_or(&url);
            read_document(&body, charset.as_deref(), base, &network, language.as_deref())
        });
        let unreadable = |reason: String| FetchError::Unreadable { place: place_of(&self.url), reason };
        match reading.await {
            Ok(read) => read.map_err(|e| unreadable(e.to_string())),
            Err(_) => Err(unreadable("reading it failed inside the feed reader".into())),
        }
    }
}

/// A whole address of the web that is not too long.
fn is_address(text: &str) -> bool {
    text.len() <= 2048 && url::Url::parse(text).is_ok_and(|u| matches!(u.scheme(), "http" | "https"))
}

/// What tells one item from another within a feed.
fn identity(capture: &Capture) -> u64 {
    let told = capture.native_id.as_deref().or(capture.url.as_deref()).filter(|id| !id.is_empty());
    match told {
        Some(id) => xxh3_64(id.as_bytes()),
        None => xxh3_64(format!("{}\0{}", capture.title.as_deref().unwrap_or(""), capture.text).as_bytes()),
    }
}

#[cfg(test)]
mod tests;
