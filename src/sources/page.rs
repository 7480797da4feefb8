//! Pages that have no feed: their items found by CSS selectors, as far as the site's robots.txt lets robots read them.
//!
//! Only what stands in the page itself is seen: vakt runs no scripts. Where a page's items are no longer found the page has
//! most likely changed, and that is told as a failure: a source that says nothing for good is a missed crisis.

mod document;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use super::guard::Allow;
use super::http::{Request, Response, place};
use super::{Brought, Entry, FetchError, Fetching, Http, Kind, Source, settings};
use crate::config::written::{At, Form};
use crate::model::time::{Span, between};
use document::{Document, Picks};

/// Pages without a feed.
pub const KIND: Kind = Kind {
    name: "page",
    about: "a page that has no feed: its items by CSS selectors, as far as its robots.txt lets robots read it",
    entry: Entry::Open,
    every: None,
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "page"
name = "acme-press"
url = "https://press.example.org/news"
item = "article.news"                 # a CSS selector: each element that it finds is an item of its own.
                                      # What follows is looked for within an item, and may be left out:
title = "h2"                          # else its first heading, or the words of its link
link = "h2 a"                         # else the item itself or the first link in it
date = "time"                         # else its first <time>; read from the attribute datetime, or from its words
date_formats = ["%d.%m.%Y %H:%M"]     # where its words are unusual: as strftime writes them. Dates in figures or in English,
                                      # German, Swedish, Italian and Spanish are known; an item without one is taken as new
time_zone = "Europe/Berlin"           # of dates that name none; UTC where this is not told
text = ".teaser"                      # all elements that it finds; else all words of the item
author = ".byline"                    # else nobody
network = "news"                      # news (default), blog, forum, review, …
language = "de"                       # else what the page says that it is in
every = "15m"                         # else it follows how often the page really changes
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach"#;

/// Every so often the page is asked for without validators: some sites say "not modified" for ever.
const FULL_EVERY: Span = Span::hours(24);
const ACCEPT: &str = "text/html, application/xhtml+xml, */*;q=0.5";

/// Where reading a page stands.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Cursor {
    /// The page and how its items are found; anything else begins anew.
    place: String,
    etag: Option<String>,
    last_modified: Option<String>,
    last_full: Option<Timestamp>,
    /// What the last page held.
    known: Vec<u64>,
}

struct Page {
    url: Url,
    picks: Picks,
    allow: Allow,
}

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let url = form.must_text("url");
    let item = form.must_text("item");
    let item = item.filter(|item| is_selector(form, "item", item));
    let within = |key| form.text(key).filter(|text| is_selector(form, key, text));
    let (title, link, date) = (within("title"), within("link"), within("date"));
    let (text, author) = (within("text"), within("author"));
    let formats = form.texts("date_formats").into_iter().filter(|format| is_format(form, format)).map(|f| f.value);
    let formats = formats.collect();
    let zone = settings::zone(form).unwrap_or(TimeZone::UTC);
    let network = form.text("network").map_or_else(|| "news".to_owned(), |n| n.value);
    let language = form.text("language").map(|l| l.value);
    let allow = settings::allow(form, house);
    let url = url?;
    let Some(address) =
        Url::parse(&url.value).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.host().is_some())
    else {
        form.desk.error(url.span, format!("`{}` is no web address", url.value), "write https://…");
        return None;
    };
    let value = |at: Option<At<String>>| at.map(|at| at.value);
    let picks = Picks {
        item: item?.value,
        title: value(title),
        link: value(link),
        date: value(date),
        text: value(text),
        author: value(author),
        formats,
        zone,
        network,
        language,
    };
    Some(Box::new(Page { url: address, picks, allow }))
}

fn is_selector(form: &Form<'_>, key: &str, text: &At<String>) -> bool {
    let wrong = document::selector(&text.value).err();
    if let Some(why) = &wrong {
        let message = format!("`{key}` is no CSS selector: {why}");
        form.desk.error(text.span.clone(), message, "write for example `article.news`, `#list > li` or `h2 a`");
    }
    wrong.is_none()
}

fn is_format(form: &Form<'_>, format: &At<String>) -> bool {
    let sample = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let shown = jiff::fmt::strtime::format(&format.value, &sample);
    if let Err(e) = &shown {
        let message = format!("`{}` is no format of dates: {e}", format.value);
        form.desk.error(format.span.clone(), message, "write for example \"%d.%m.%Y %H:%M\"");
    }
    shown.is_ok()
}

impl Source for Page {
    fn fetch<'a>(&'a self, http: &'a Http, cursor: &'a serde_json::Value, now: Timestamp) -> Fetching<'a> {
        Box::pin(async move {
            let place = format!("{} {}", bare(&self.url), self.picks.item);
            let mut cursor: Cursor = serde_json::from_value(cursor.clone()).unwrap_or_default();
            let anew = cursor.place != place;
            if anew {
                cursor = Cursor { place, ..Cursor::default() };
            }
            http.may_fetch(&self.url, &self.allow, now).await?;
            let (body, charset, max_age) = match self.ask(http, &cursor, now).await? {
                Response::NotModified { max_age } => {
                    let cursor = serde_json::to_value(&cursor).unwrap_or_default();
                    return Ok(Brought { max_age, cursor, ..Brought::default() });
                }
                Response::Fresh { body, charset, etag, last_modified, max_age, .. } => {
                    (cursor.etag, cursor.last_modified) = (etag, last_modified);
                    (body, charset, max_age)
                }
            };
            let document = self.read(body, charset, now).await?;
            cursor.last_full = Some(now);
            let ids: Vec<u64> = document.captures.iter().filter_map(|c| c.native_id.as_deref()).map(hash).collect();
            let gap = !cursor.known.is_empty() && !ids.is_empty() && !ids.iter().any(|id| cursor.known.contains(id));
            cursor.known = ids;
            Ok(Brought {
                degraded: document.odd(),
                captures: document.captures,
                skipped: document.skipped,
                skipped_total: document.skipped_total,
                gap,
                anew,
                cursor: serde_json::to_value(&cursor).unwrap_or_default(),
                max_age,
                ..Brought::default()
            })
        })
    }
}

impl Page {
    async fn ask(&self, http: &Http, cursor: &Cursor, now: Timestamp) -> Result<Response, FetchError> {
        let recent = cursor.last_full.is_some_and(|last| (Span::ZERO..FULL_EVERY).contains(&between(last, now)));
        let request = Request {
            etag: cursor.etag.as_deref().filter(|_| recent),
            last_modified: cursor.last_modified.as_deref().filter(|_| recent),
            accept: ACCEPT,
            ..Request::of(self.url.as_str(), &self.allow)
        };
        http.get(request, now).await
    }

    /// Reads the page away from the threads that serve the network.
    async fn read(&self, body: Vec<u8>, charset: Option<String>, now: Timestamp) -> Result<Document, FetchError> {
        let (url, picks) = (self.url.clone(), self.picks.clone());
        let reading =
            tokio::task::spawn_blocking(move || document::read(&body, charset.as_deref(), &url, &picks, now)).await;
        let fault = |_| Err("reading it failed inside the page reader".to_owned());
        let document = reading.unwrap_or_else(fault);
        document.map_err(|reason| FetchError::Unreadable { place: place(&self.url), reason })
    }
}

/// An address without what lets vakt in: it is kept, and told.
fn bare(url: &Url) -> Url {
    let mut url = url.clone();
    // Only what names no host can bear neither.
    url.set_username("").ok();
    url.set_password(None).ok();
    url
}

fn hash(id: &str) -> u64 {
    xxh3_64(id.as_bytes())
}

#[cfg(test)]
mod tests;
