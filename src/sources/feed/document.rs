//! One feed document, from bytes to captures.

use feed_rs::model::{Content, Entry, FeedType, Link, Person, Text};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::Url;

use crate::model::mention::{Author, Capture};
use crate::sources::bounds::{
    LONGEST_ID, LONGEST_LANGUAGE, LONGEST_NAME, LONGEST_TEXT, LONGEST_TITLE, MOST_ITEMS, MOST_REASONS, MOST_TAGS, clip,
    clip_chars, escape,
};
use crate::sources::charset::decode;
use crate::sources::mend::{Root, mend, without_address};
use crate::sources::salvage::{json_items, pieces, wrap};
use crate::sources::tags::{parts, tag_end};

/// What a document holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// `rss`, `atom` or `json`; empty where nobody can say.
    pub format: &'static str,
    /// The page that it is the feed of.
    pub link: Option<String>,
    /// The hub that it names.
    pub hub: Option<String>,
    /// Its own address, as it says itself.
    pub own: Option<String>,
    /// Its title, as it stands.
    pub title: Option<String>,
    /// The language that it declares.
    pub language: Option<String>,
    /// Its items, in its order.
    pub captures: Vec<Capture>,
    /// Why items were dropped; the first few.
    pub skipped: Vec<String>,
    /// How many were dropped.
    pub skipped_total: usize,
    /// Why it had to be salvaged, for a person.
    pub degraded: Option<String>,
}

/// Why a document is no feed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// A web page.
    #[error("this is an HTML page, not a feed; {}", named(.feeds))]
    Page {
        /// The feeds that the page names.
        feeds: Vec<String>,
    },
    /// Nothing at all.
    #[error("the document is empty")]
    Empty,
    /// Something else.
    #[error("this is no feed: {0}")]
    NoFeed(String),
}

fn named(feeds: &[String]) -> String {
    match feeds {
        [] => "and the page names no feed".into(),
        feeds => format!("the page names these feeds: {}", feeds.join(", ")),
    }
}

/// Reads a feed document in whatever charset and state it comes.
///
/// `charset` is what HTTP says; relative links are read from `base`; `language`, where given, wins over the document's.
///
/// # Errors
/// When it is no feed. A broken feed is no error: what is good in it is taken, and `degraded` says so.
pub fn read_document(
    body: &[u8],
    charset: Option<&str>,
    base: &str,
    network: &str,
    language: Option<&str>,
) -> Result<Document, DocumentError> {
    let text = decode(body, charset);
    let reader = Reader { base: Url::parse(base).ok(), network, language };
    match text.trim_start().chars().next() {
        None => Err(DocumentError::Empty),
        Some('{') => reader.json(text.trim_start()),
        Some(_) => reader.xml(&text),
    }
}

struct Reader<'a> {
    base: Option<Url>,
    network: &'a str,
    language: Option<&'a str>,
}

impl Reader<'_> {
    fn xml(&self, text: &str) -> Result<Document, DocumentError> {
        let mended = mend(text);
        if mended.root == Root::Html {
            return Err(DocumentError::Page { feeds: self.feeds_of(text) });
        }
        let reason = match self.parse(&mended.text) {
            Ok(feed) => return Ok(self.document(feed)),
            Err(reason) => reason,
        };
        let found = pieces(&mended.text);
        if found.items.is_empty() && found.open == 0 && mended.root == Root::Other {
            return Err(DocumentError::NoFeed(reason));
        }
        let closing = if mended.root == Root::Rss { "</channel></rss>" } else { "" };
        let head = self.parse(&format!("{}{closing}", found.head)).or_else(|_| self.parse(&wrap(&mended, "")));
        let mut document = head.map(|feed| self.document(feed)).unwrap_or_default();
        document.captures.clear();
        (document.skipped, document.skipped_total) = (Vec::new(), 0);
        let total = found.items.len();
        for (number, item) in found.items.into_iter().enumerate() {
            if document.captures.len() >= MOST_ITEMS {
                document.skip_many(total - number, "past the first 2000 items");
                break;
            }
            match self.parse(&wrap(&mended, item)).map(|feed| self.captures(feed, &mut document)) {
                Ok(true) => {}
                Ok(false) => document.skip(format!("item {}: it holds nothing", number + 1)),
                Err(reason) => document.skip(format!("item {}: {reason}", number + 1)),
            }
        }
        document.skip_many(found.open, "the item never ends");
        document.degraded =
            Some(format!("{} of its items could be read one by one: {reason}", document.captures.len()));
        Ok(document)
    }

    fn json(&self, text: &str) -> Result<Document, DocumentError> {
        let (head, items, broken) = match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(mut head)) => match head.remove("items") {
                Some(Value::Array(items)) => (head, items, None),
                _ => return Err(DocumentError::NoFeed("this JSON has no list of items".into())),
            },
            Ok(_) => return Err(DocumentError::NoFeed("this JSON is no object".into())),
            Err(error) => {
                let (items, ended) = json_items(text);
                if items.is_empty() && !ended {
                    return Err(DocumentError::NoFeed(format!("broken JSON: {error}")));
                }
                (Map::new(), items, Some(error.to_string()))
            }
        };
        let total = items.len();
        let objects: Vec<Value> = items.iter().filter_map(Value::as_object).map(json_item).collect();
        let odd = total - objects.len();
        let shell = json!({
            "version": "https://jsonfeed.org/version/1.1",
            "title": head.get("title").and_then(Value::as_str).unwrap_or(""),
            "home_page_url": head.get("home_page_url").and_then(Value::as_str),
            "language": head.get("language").and_then(Value::as_str),
            "authors": json_authors(&head),
            "items": objects,
        });
        let feed = self.parse(&shell.to_string()).map_err(DocumentError::NoFeed)?;
        let mut document = self.document(feed);
        let hubs = head.get("hubs").and_then(Value::as_array).into_iter().flatten();
        document.hub = hubs.filter_map(|h| h.get("url")?.as_str()).find_map(|hub| self.absolute(hub));
        document.own = head.get("feed_url").and_then(Value::as_str).and_then(|own| self.absolute(own));
        document.skip_many(odd, "the item is no object");
        document.degraded =
            broken.map(|e| format!("{} complete items were read from broken JSON: {e}", document.captures.len()));
        Ok(document)
    }

    fn absolute(&self, link: &str) -> Option<String> {
        let joined = match &self.base {
            Some(base) => base.join(link).ok(),
            None => Url::parse(link).ok(),
        };
        joined.map(String::from)
    }

    fn parse(&self, text: &str) -> Result<feed_rs::model::Feed, String> {
        let parser = feed_rs::parser::Builder::new()
            .base_uri(self.base.as_ref())
            // An id that the feed did not give stays empty.
            .id_generator(|_, _, _| String::new())
            .sanitize_content(false)
            .build();
        parser.parse(text.as_bytes()).map_err(|e| clip(&e.to_string(), 200).to_owned())
    }

    fn document(&self, feed: feed_rs::model::Feed) -> Document {
        let title = feed.title.as_ref().map(|t| clip_chars(t.content.trim(), LONGEST_TITLE).to_owned());
        let language =
            feed.language.clone().map(|l| clip(l.trim(), LONGEST_LANGUAGE).to_owned()).filter(|l| !l.is_empty());
        let format = match feed.feed_type {
            FeedType::Atom => "atom",
            FeedType::JSON => "json",
            FeedType::RSS0 | FeedType::RSS1 | FeedType::RSS2 => "rss",
        };
        let link = self.link(&feed.links);
        let title = title.filter(|t| !t.is_empty());
        let named = |rel: &str| {
            let found = feed.links.iter().find(|l| l.rel.as_deref() == Some(rel) && l.href.len() <= LONGEST_ID)?;
            self.absolute(&found.href)
        };
        let (hub, own) = (named("hub"), named("self"));
        let mut document = Document { format, link, hub, own, title, language, ..Document::default() };
        self.captures(feed, &mut document);
        document
    }

    /// Adds a feed's entries; `false` where none of them held anything.
    fn captures(&self, feed: feed_rs::model::Feed, into: &mut Document) -> bool {
        let before = into.captures.len();
        let json = feed.feed_type == FeedType::JSON;
        let authors = feed.authors;
        let total = feed.entries.len();
        for (number, entry) in feed.entries.into_iter().enumerate() {
            if into.captures.len() >= MOST_ITEMS {
                into.skip_many(total - number, "past the first 2000 items");
                break;
            }
            match self.capture(entry, &authors, into.language.as_deref(), json) {
                Some(capture) => into.captures.push(capture),
                None if total > 1 => into.skip(format!("item {}: it holds nothing", number + 1)),
                None => {}
            }
        }
        into.captures.len() > before
    }

    fn capture(&self, entry: Entry, authors: &[Person], language: Option<&str>, json: bool) -> Option<Capture> {
        let native_id = Some(clip(entry.id.trim(), LONGEST_ID).to_owned()).filter(|id| !id.is_empty());
        let from_id = || native_id.as_deref().filter(|id| id.starts_with("http://") || id.starts_with("https://"));
        let url = self.link(&entry.links).or_else(|| self.resolve(from_id()?));
        let title = entry.title.map(|t| html(t, json)).filter(|t| !t.is_empty());
        let text = body(entry.content, json)
            .or_else(|| entry.summary.map(|s| html(s, json)).filter(|t| !t.is_empty()))
            .or_else(|| entry.media.into_iter().find_map(|m| m.description).map(|d| html(d, false)))
            .unwrap_or_default();
        if title.is_none() && text.is_empty() && url.is_none() {
            return None;
        }
        let names = if entry.authors.is_empty() { authors } else { &entry.authors };
        let names: Vec<&str> = names.iter().filter_map(|p| p.name.as_deref().or(p.email.as_deref())).collect();
        let language = self.language.or(entry.language.as_deref()).or(language);
        Some(Capture {
            native_id,
            url,
            title: title.map(|t| clip_chars(&t, LONGEST_TITLE).to_owned()),
            text: clip(&text, LONGEST_TEXT).to_owned(),
            html: true,
            author: Author { name: clip(names.join(", ").trim(), LONGEST_NAME).to_owned(), ..Author::default() },
            published: entry.published.or(entry.updated).and_then(instant),
            updated: entry.updated.and_then(instant),
            language: language.map(|l| clip(l.trim(), LONGEST_LANGUAGE).to_owned()).filter(|l| !l.is_empty()),
            network: self.network.to_owned(),
            tags: entry
                .categories
                .iter()
                .take(MOST_TAGS)
                .map(|c| clip(c.label.as_deref().unwrap_or(&c.term), LONGEST_NAME).to_owned())
                .collect(),
            ..Capture::default()
        })
    }

    /// The link that a reader follows.
    fn link(&self, links: &[Link]) -> Option<String> {
        let plain = |l: &&Link| l.target.is_none() && l.rel.as_deref().is_none_or(|rel| rel == "alternate");
        let other = |l: &&Link| !matches!(l.rel.as_deref(), Some("enclosure" | "self" | "edit" | "replies" | "hub"));
        let pages = || links.iter().filter(plain);
        let best = pages().find(|l| l.media_type.as_deref().is_none_or(|m| m.contains("html")));
        let best = best.or_else(|| pages().next()).or_else(|| links.iter().filter(other).find(|l| l.target.is_none()));
        self.resolve(&best?.href)
    }

    fn resolve(&self, href: &str) -> Option<String> {
        let href = href.trim();
        let url = match &self.base {
            Some(base) if !href.is_empty() => base.join(href).ok()?,
            _ => Url::parse(href).ok()?,
        };
        let good = matches!(url.scheme(), "http" | "https") && url.as_str().len() <= LONGEST_ID;
        good.then(|| url.to_string())
    }

    /// The feeds that a web page names.
    fn feeds_of(&self, page: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (at, _) in page.match_indices("<link").chain(page.match_indices("<LINK")).take(500) {
            let Some((inside, _)) = page.get(at..).and_then(tag_end) else { continue };
            let (_, attributes, _) = parts(inside);
            let value =
                |name: &str| attributes.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str());
            let kind = value("type").unwrap_or("").to_ascii_lowercase();
            let feed = kind.contains("rss")
                || kind.contains("atom")
                || kind.contains("feed+json")
                || kind == "application/json";
            let alternate = value("rel").is_some_and(|r| r.to_ascii_lowercase().contains("alternate"));
            if let Some(url) = value("href").filter(|_| feed && alternate).and_then(|href| self.resolve(href)) {
                found.push(url);
            }
            if found.len() == 5 {
                break;
            }
        }
        found
    }
}

impl Document {
    fn skip(&mut self, reason: String) {
        self.skipped_total += 1;
        if self.skipped.len() < MOST_REASONS {
            self.skipped.push(reason);
        }
    }

    fn skip_many(&mut self, how_many: usize, why: &str) {
        if how_many > 0 {
            self.skip(format!("{how_many} items: {why}"));
            self.skipped_total += how_many - 1;
        }
    }
}

/// The fields of a JSON item that are read, where they are what they should be.
fn json_item(item: &Map<String, Value>) -> Value {
    let mut out = Map::new();
    let texts =
        ["url", "external_url", "title", "content_html", "content_text", "summary", "date_published", "date_modified"];
    for key in texts {
        if let Some(text) = item.get(key).and_then(Value::as_str) {
            out.insert(key.into(), text.into());
        }
    }
    match item.get("id") {
        Some(Value::String(id)) => drop(out.insert("id".into(), id.as_str().into())),
        Some(Value::Number(id)) => drop(out.insert("id".into(), id.to_string().into())),
        _ => {}
    }
    out.insert("authors".into(), json_authors(item));
    Value::Object(out)
}

fn json_authors(of: &Map<String, Value>) -> Value {
    let many = of.get("authors").and_then(Value::as_array).into_iter().flatten();
    let names = of.get("author").into_iter().chain(many).filter_map(|a| a.get("name")?.as_str());
    names.take(20).map(|name| json!({ "name": without_address(name) })).collect()
}

/// A text as HTML: plain text is escaped, unless it is evidently HTML that was called plain.
fn html(text: Text, json: bool) -> String {
    let content = text.content.trim();
    // RSS never says which it is, and mostly it is HTML; JSON Feed titles and summaries are plain.
    let plain = text.content_type.essence().to_string() == "text/plain";
    if plain && (json || !looks_like_html(content)) { escape(content) } else { content.to_owned() }
}

fn body(content: Option<Content>, json: bool) -> Option<String> {
    let content = content?;
    let plain = content.content_type.essence().to_string() == "text/plain";
    let text = content.body?;
    let text = text.trim();
    let text = if plain && (json || !looks_like_html(text)) { escape(text) } else { text.to_owned() };
    Some(text).filter(|t| !t.is_empty())
}

/// Whether a text holds a tag or a character reference.
fn looks_like_html(text: &str) -> bool {
    let tag = || text.match_indices('<').take(100).any(|(at, _)| text.get(at..).and_then(tag_end).is_some());
    let reference = || {
        text.split('&').skip(1).take(100).any(|t| {
            t.split_once(';').is_some_and(|(name, _)| {
                name.len() <= 32 && name.len() > 1 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'#')
            })
        })
    };
    tag() || reference()
}

fn instant(date: chrono::DateTime<chrono::Utc>) -> Option<Timestamp> {
    Timestamp::from_millisecond(date.timestamp_millis()).ok()
}
