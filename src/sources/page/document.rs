//! A page as a tree, and its items by selectors: bounded in size, in nodes and in time, since strangers write it.

use std::collections::HashMap;
use std::time::Duration;

use ego_tree::iter::Edge;
use html5ever::driver::{ParseOpts, parse_document};
use html5ever::tendril::TendrilSink;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use scraper::node::Node;
use scraper::{ElementRef, Html, HtmlTreeSink, Selector};
use tokio::time::Instant;
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use crate::model::{Author, Capture};
use crate::sources::archive::{Order, Reading, instant};
use crate::sources::bounds::{LONGEST_TEXT, LONGEST_TITLE, MOST_REASONS, bounded};
use crate::sources::charset;

/// Nodes of a page, and the time that reading it may take.
const MOST_NODES: usize = 500_000;
/// How deep its elements stand in each other at most; browsers go no deeper either.
const DEEPEST: usize = 512;
const LONGEST: Duration = Duration::from_secs(5);
/// Bytes that are read before both are looked at again.
const CHUNK: usize = 4096;
/// Items of a page.
const MOST_ITEMS: usize = 500;
/// Bytes of a page's beginning in which it may name its charset.
const HEAD: usize = 1024;
/// Elements whose words nobody sees.
const UNSEEN: [&str; 7] = ["script", "style", "noscript", "template", "head", "svg", "iframe"];
/// Elements within a line.
const INLINE: [&str; 22] = [
    "a", "abbr", "b", "bdi", "cite", "code", "data", "del", "em", "font", "i", "ins", "kbd", "label", "mark", "q", "s",
    "small", "span", "strong", "time", "u",
];

/// How the items of a page are found, and what is known of them besides.
#[derive(Debug, Clone)]
pub(super) struct Picks {
    pub item: String,
    pub title: Option<String>,
    pub link: Option<String>,
    pub date: Option<String>,
    pub text: Option<String>,
    pub author: Option<String>,
    /// How dates are written, as strftime says.
    pub formats: Vec<String>,
    /// The zone of dates that name none.
    pub zone: TimeZone,
    pub network: String,
    pub language: Option<String>,
}

/// What a page holds.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub captures: Vec<Capture>,
    pub skipped: Vec<String>,
    pub skipped_total: usize,
    /// There are more items than are read.
    cut: bool,
    /// Dates that cannot be read, and the first of them.
    odd_dates: usize,
    odd_date: String,
}

impl Document {
    /// What could not be read of the page's items, in a sentence.
    pub(super) fn odd(&self) -> Option<String> {
        if self.cut {
            return Some(format!("the page has more than {MOST_ITEMS} items, and only the first are read"));
        }
        let of = self.captures.len();
        (self.odd_dates > 0).then(|| {
            let (n, shown) = (self.odd_dates, &self.odd_date);
            format!(
                "{n} of {of} dates cannot be read, the first is `{shown}`: tell how they are written in `date_formats`"
            )
        })
    }
}

/// Whether a text is a CSS selector; else why it is none.
pub(super) fn selector(text: &str) -> Result<(), String> {
    Selector::parse(text).map(drop).map_err(|e| e.to_string())
}

/// The selectors as they are used.
struct Finders {
    item: Selector,
    title: Option<Selector>,
    link: Option<Selector>,
    date: Selector,
    text: Option<Selector>,
    author: Option<Selector>,
    heading: Selector,
    anchor: Selector,
}

impl Finders {
    fn of(picks: &Picks) -> Result<Finders, String> {
        let one = |text: &str| Selector::parse(text).map_err(|e| format!("`{text}` is no CSS selector: {e}"));
        let maybe = |text: &Option<String>| text.as_deref().map(one).transpose();
        Ok(Finders {
            item: one(&picks.item)?,
            title: maybe(&picks.title)?,
            link: maybe(&picks.link)?,
            date: one(picks.date.as_deref().unwrap_or("time"))?,
            text: maybe(&picks.text)?,
            author: maybe(&picks.author)?,
            heading: one("h1, h2, h3, h4, h5, h6")?,
            anchor: one("a[href]")?,
        })
    }
}

/// Reads a page's items, in its order.
///
/// # Errors
/// A sentence that says why there are none.
pub(super) fn read(
    body: &[u8],
    charset: Option<&str>,
    url: &Url,
    picks: &Picks,
    now: Timestamp,
) -> Result<Document, String> {
    let finders = Finders::of(picks)?;
    let named = charset.map(str::to_owned).or_else(|| declared(body));
    let text = charset::decode(body, named.as_deref());
    let began = Instant::now();
    let html = tree(&text, began)?;
    // What lets vakt in is no part of the addresses that it tells.
    let mut url = url.clone();
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| "its address names no host")?;
    let base = Selector::parse("base[href]").ok().and_then(|base| html.select(&base).next()?.attr("href"));
    let base = base.and_then(|base| url.join(base.trim()).ok()).unwrap_or_else(|| url.clone());
    let page = apart_from_fragment(&url);
    let url = url.as_str();
    let language = picks.language.clone().or_else(|| html.root_element().attr("lang").map(str::to_owned));
    let mut document = Document::default();
    let mut items = 0;
    for item in html.select(&finders.item) {
        if items == MOST_ITEMS {
            document.cut = true;
            break;
        }
        items += 1;
        in_time(began)?;
        let item = Item { item, finders: &finders, picks, base: &base, url };
        let date = item.date(now);
        if let Date::Odd(shown) = &date {
            document.odd_dates += 1;
            if document.odd_dates == 1 {
                document.odd_date.clone_from(shown);
            }
        }
        match bounded(item.capture(date, language.as_deref())) {
            Some(capture) => document.captures.push(capture),
            None => {
                document.skipped_total += 1;
                document.skipped.push(format!("item {items} holds neither title nor text"));
                document.skipped.truncate(MOST_REASONS);
            }
        }
    }
    name_apart(&mut document.captures, &page);
    if items == 0 {
        let item = &picks.item;
        let script = "it may also make its items by a script, which vakt does not run";
        return Err(format!("0 items by `{item}`; did the page change? See what they are called now; {script}"));
    }
    if document.captures.is_empty() {
        return Err(format!(
            "{items} items by `{}`, and not one holds a title or text; did the page change?",
            picks.item
        ));
    }
    Ok(document)
}

/// Knows items by their addresses where these are their own. Those that lead to the page itself, and those that several
/// share (a category, a button), tell nothing apart: such items stay known by what they say, or one that is new would be
/// taken for an edit of another.
fn name_apart(captures: &mut [Capture], page: &str) {
    let mut uses: HashMap<String, usize> = HashMap::new();
    for url in captures.iter().filter_map(|c| c.url.as_deref()) {
        *uses.entry(url.to_owned()).or_default() += 1;
    }
    for capture in captures {
        let own = capture.url.as_deref().filter(|url| uses.get(*url) == Some(&1));
        let own = own.filter(|url| Url::parse(url).is_ok_and(|url| apart_from_fragment(&url) != page));
        if let Some(own) = own {
            capture.native_id = Some(own.to_owned());
        }
    }
}

fn apart_from_fragment(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    url.into()
}

/// The page as a tree, unless it is made to take for ever.
fn tree(text: &str, began: Instant) -> Result<Html, String> {
    let mut parser = parse_document(HtmlTreeSink::new(Html::new_document()), ParseOpts::default());
    let mut rest = text;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.floor_char_boundary(CHUNK));
        parser.process(chunk.into());
        rest = after;
        let nodes = parser.tokenizer.sink.sink.0.borrow().tree.nodes().len();
        if nodes > MOST_NODES {
            return Err(format!("the page has more than {MOST_NODES} elements"));
        }
        in_time(began)?;
    }
    let html = parser.finish();
    let mut depth = 0usize;
    for edge in html.tree.root().traverse() {
        depth = match edge {
            Edge::Open(_) => depth + 1,
            Edge::Close(_) => depth.saturating_sub(1),
        };
        if depth > DEEPEST {
            return Err(format!("the page's elements stand more than {DEEPEST} deep in each other"));
        }
    }
    Ok(html)
}

fn in_time(began: Instant) -> Result<(), String> {
    if began.elapsed() > LONGEST {
        return Err(format!("the page takes more than {} s to read", LONGEST.as_secs()));
    }
    Ok(())
}

/// The charset that a page's own beginning names.
fn declared(body: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(body.get(..HEAD).unwrap_or(body)).to_ascii_lowercase();
    let (_, after) = head.split_once("charset=")?;
    let name: String = after.trim_start_matches(['"', '\'']).chars().take_while(|c| c.is_ascii_graphic()).collect();
    let name = name.split(['"', '\'', '>', ';', '/']).next().unwrap_or("");
    (!name.is_empty()).then(|| name.to_owned())
}

/// When an item was published.
enum Date {
    At(Timestamp),
    None,
    /// A date that cannot be read, as it stands there.
    Odd(String),
}

/// One item of a page.
struct Item<'a> {
    item: ElementRef<'a>,
    finders: &'a Finders,
    picks: &'a Picks,
    base: &'a Url,
    /// The page.
    url: &'a str,
}

impl<'a> Item<'a> {
    fn capture(&self, date: Date, language: Option<&str>) -> Capture {
        let link = self.link();
        let url = link.and_then(|link| self.base.join(link.attr("href").unwrap_or("").trim()).ok());
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https")).map(String::from);
        let heading = match &self.finders.title {
            Some(title) => self.first(title),
            None => self.first(&self.finders.heading).or(link.filter(|link| *link != self.item)),
        };
        let title = heading.map(|heading| line(heading, LONGEST_TITLE * 4)).unwrap_or_default();
        let text = match &self.finders.text {
            Some(text) => {
                let (mut all, mut taken) = (String::new(), Vec::new());
                for element in self.item.select(text).take(MOST_ITEMS) {
                    // What stands within another that was found has been read with it.
                    let mut around = element.ancestors().take_while(|a| a.id() != self.item.id());
                    if around.any(|a| taken.contains(&a.id())) || all.len() >= LONGEST_TEXT {
                        continue;
                    }
                    taken.push(element.id());
                    all.push_str(&words(element, &[], LONGEST_TEXT));
                    all.push('\n');
                }
                all
            }
            None => {
                let date = self.item.select(&self.finders.date).next();
                let apart: Vec<ElementRef<'_>> = heading.into_iter().chain(date).collect();
                words(self.item, &apart, LONGEST_TEXT)
            }
        };
        let text = text.trim().to_owned();
        let author = self.finders.author.as_ref().and_then(|author| self.first(author));
        let name = author.map(|author| line(author, 400)).unwrap_or_default();
        Capture {
            // By what it says, until it is known whether its address is its own.
            native_id: Some(format!("{:016x}", xxh3_64(format!("{title}\0{text}").as_bytes()))),
            // What has no address of its own is found on the page.
            url: url.or_else(|| Some(self.url.to_owned())),
            title: Some(title),
            text,
            html: false,
            author: Author { name, ..Author::default() },
            published: if let Date::At(at) = date { Some(at) } else { None },
            language: language.map(str::to_owned),
            network: self.picks.network.clone(),
            kind: "post".into(),
            ..Capture::default()
        }
    }

    fn first(&self, selector: &Selector) -> Option<ElementRef<'a>> {
        self.item.select(selector).next()
    }

    /// The element that bears the item's address.
    fn link(&self) -> Option<ElementRef<'a>> {
        let bears = |element: &ElementRef<'a>| element.attr("href").is_some();
        match &self.finders.link {
            Some(link) => {
                let found = self.first(link)?;
                Some(found).filter(bears).or_else(|| found.select(&self.finders.anchor).next())
            }
            None => Some(self.item).filter(bears).or_else(|| self.first(&self.finders.anchor)),
        }
    }

    /// A day alone that is today is the hour of arrival: midnight would have been before anybody could see it.
    fn date(&self, now: Timestamp) -> Date {
        let Some(element) = self.first(&self.finders.date) else { return Date::None };
        let own = ["datetime", "content"].into_iter().find_map(|name| element.attr(name)).map(str::to_owned);
        let shown = line(element, 400);
        let all = [own.unwrap_or_default(), shown];
        let mut written = all.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).peekable();
        let Some(first) = written.peek().copied() else { return Date::None };
        match written.find_map(|text| self.instant(text)) {
            Some(at) => {
                let (there, today) = (at.to_zoned(self.picks.zone.clone()), now.to_zoned(self.picks.zone.clone()));
                let bare = there.time() == Time::midnight() && there.date() == today.date();
                if bare { Date::None } else { Date::At(at) }
            }
            None => Date::Odd(first.chars().take(40).collect()),
        }
    }

    fn instant(&self, text: &str) -> Option<Timestamp> {
        let by = |format: &String| {
            let read = BrokenDownTime::parse(format, text).ok()?;
            if let Ok(at) = read.to_timestamp() {
                return Some(at);
            }
            let civil = read.to_datetime().or_else(|_| read.to_date().map(|date| date.at(0, 0, 0, 0))).ok()?;
            self.picks.zone.to_timestamp(civil).ok()
        };
        let usual = || instant(text, &Reading { order: Order::DayFirst, zone: self.picks.zone.clone() });
        self.picks.formats.iter().find_map(by).or_else(usual)
    }
}

/// The words of an element on one line.
fn line(element: ElementRef<'_>, most: usize) -> String {
    words(element, &[], most).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words of an element as they are seen, a line for each block, without those of `apart`.
fn words(element: ElementRef<'_>, apart: &[ElementRef<'_>], most: usize) -> String {
    let mut out = String::new();
    // How deep within something unseen.
    let mut unseen = 0usize;
    for edge in element.traverse() {
        let (node, opens) = match edge {
            Edge::Open(node) => (node, true),
            Edge::Close(node) => (node, false),
        };
        match node.value() {
            Node::Text(text) if opens && unseen == 0 => {
                let begins = text.starts_with(char::is_whitespace);
                let mut words = text.split_whitespace().peekable();
                if begins || words.peek().is_none() {
                    space(&mut out);
                }
                while let Some(word) = words.next() {
                    out.push_str(word);
                    if words.peek().is_some() || text.ends_with(char::is_whitespace) {
                        space(&mut out);
                    }
                }
            }
            Node::Element(e) => {
                if UNSEEN.contains(&e.name()) || apart.iter().any(|a| a.id() == node.id()) {
                    unseen = if opens { unseen + 1 } else { unseen.saturating_sub(1) };
                } else if unseen == 0 && !INLINE.contains(&e.name()) {
                    let end = out.trim_end_matches(' ').len();
                    out.truncate(end);
                    if !out.is_empty() && !out.ends_with('\n') {
                        out.push('\n');
                    }
                }
            }
            _ => {}
        }
        if out.len() >= most {
            break;
        }
    }
    out
}

/// One space between two words, none at the beginning of a line.
fn space(out: &mut String) {
    if !out.is_empty() && !out.ends_with([' ', '\n']) {
        out.push(' ');
    }
}
