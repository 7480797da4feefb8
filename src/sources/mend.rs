//! Marks and references made well-formed: what a lenient reader would read, written so that a strict one reads it.
//!
//! feed-rs refuses a whole document for one bare `&`, reads no Atom 0.3, and panics on some names and durations
//! (a name in fullwidth brackets after an address; a duration beyond 64 bits). All of this is mended in one pass over
//! the text before feed-rs sees it: declarations, comments and doctypes go, references become characters, fields that
//! hold markup are escaped as a whole, and namespaces get the names that feed-rs knows.

use std::borrow::Cow;

use super::refs::{plain, references};
use super::tags::{local, parts, tag_end};

/// What kind of document the root element makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// `<rss>`.
    Rss,
    /// `<rdf:RDF>`: RSS 0.9 and 1.0.
    Rdf,
    /// `<feed>`: Atom.
    Atom,
    /// A web page.
    Html,
    /// Anything else.
    Other,
}

/// A mended document.
#[derive(Debug)]
pub(super) struct Mended {
    /// The document.
    pub text: String,
    /// What its root says that it is.
    pub root: Root,
    /// The root element's start tag, as it stands in `text`.
    pub open: String,
}

const ATOM: &str = "http://www.w3.org/2005/Atom";
const RSS: &str = "http://purl.org/rss/1.0/";
const MEDIA: &str = "http://search.yahoo.com/mrss/";
const CONTENT: &str = "http://purl.org/rss/1.0/modules/content/";
const DC: &str = "http://purl.org/dc/elements/1.1/";
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const IGNORED: &str = "urn:ignored";

/// Prefixes that feeds use without declaring them. Undeclared, feed-rs takes `media:title` for the title itself.
const USUAL: [(&str, &str); 12] = [
    ("atom", ATOM),
    ("content", CONTENT),
    ("dc", DC),
    ("media", MEDIA),
    ("rdf", RDF),
    ("itunes", IGNORED),
    ("podcast", IGNORED),
    ("slash", IGNORED),
    ("wfw", IGNORED),
    ("georss", IGNORED),
    ("dcterms", IGNORED),
    ("feedburner", IGNORED),
];

/// Mends an XML document.
pub(super) fn mend(text: &str) -> Mended {
    let mut mender = Mender { out: String::with_capacity(text.len() + 256), ..Mender::new() };
    mender.run(from_root(text));
    Mended { text: mender.out, root: mender.root.unwrap_or(Root::Other), open: mender.open }
}

/// Cuts away what some servers put before the feed, such as a warning of the script that made it.
fn from_root(text: &str) -> &str {
    let known = ["<rss", "<feed", "<rdf:RDF", "<RSS", "<atom:feed"];
    let first = known.iter().filter_map(|root| text.find(root)).min();
    let page = text.find("<html").or_else(|| text.find("<HTML"));
    match first {
        // A page may well show a feed's text; a feed may as well hold a page's.
        Some(at) if page.is_none_or(|page| at < page) => text.get(at..).unwrap_or(text),
        _ => text,
    }
}

/// Looks for something unless it was looked for in vain before: what is not in a document is not in its rest.
fn once<T>(in_vain: &mut bool, look: impl FnOnce() -> Option<T>) -> Option<T> {
    if *in_vain {
        return None;
    }
    let found = look();
    *in_vain = found.is_none();
    found
}

struct Mender {
    out: String,
    open: String,
    root: Option<Root>,
    /// Atom 0.3, where `mode` says how content is written.
    old_atom: bool,
    /// No field is gathered while more than this many bytes are left: it has no end there.
    barren: usize,
    /// There is no `-->` any more, no `?>`, no `[`, no `]>`: what was looked for in vain once is not looked for again.
    no_comment_end: bool,
    no_instruction_end: bool,
    no_subset: bool,
    no_subset_end: bool,
}

impl Mender {
    fn new() -> Mender {
        Mender {
            out: String::new(),
            open: String::new(),
            root: None,
            old_atom: false,
            barren: usize::MAX,
            no_comment_end: false,
            no_instruction_end: false,
            no_subset: false,
            no_subset_end: false,
        }
    }

    fn run(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find('<') {
            let (before, tail) = rest.split_at(at);
            self.text(before);
            rest = self.markup(tail);
        }
        self.text(rest);
    }

    fn text(&mut self, text: &str) {
        // Nothing but white space may stand before the root.
        if self.root.is_some() {
            references(text, &mut self.out);
        }
    }

    /// Takes one piece of markup from the front and returns the rest.
    fn markup<'t>(&mut self, tail: &'t str) -> &'t str {
        if let Some(inside) = tail.strip_prefix("<![CDATA[") {
            let Some((data, rest)) = inside.split_once("]]>") else {
                // The document ends inside: leave it to be refused and salvaged.
                self.out.push_str(tail);
                return "";
            };
            self.out.push_str("<![CDATA[");
            self.out.push_str(data);
            self.out.push_str("]]>");
            return rest;
        }
        if let Some(inside) = tail.strip_prefix("<!--") {
            if !self.no_comment_end {
                if let Some((_, rest)) = inside.split_once("-->") {
                    return rest;
                }
                self.no_comment_end = true;
            }
            return inside;
        }
        if tail.starts_with("<?") {
            let end = once(&mut self.no_instruction_end, || tail.split_once("?>"));
            return end.or_else(|| tail.split_once('>')).map_or("", |(_, rest)| rest);
        }
        if tail.starts_with("<!") {
            return self.doctype(tail);
        }
        match tag_end(tail) {
            Some((inside, rest)) => self.tag(inside, rest),
            None => {
                self.text("<");
                tail.strip_prefix('<').unwrap_or("")
            }
        }
    }

    fn doctype<'t>(&mut self, tail: &'t str) -> &'t str {
        let named = tail.get(..40).unwrap_or(tail).to_ascii_lowercase();
        if self.root.is_none() && named.starts_with("<!doctype html") {
            self.root = Some(Root::Html);
        }
        // An internal subset has marks of its own, up to `]>`.
        let subset = once(&mut self.no_subset, || tail.find('['));
        let subset = subset.filter(|open| tail.find('>').is_some_and(|end| *open < end));
        let cut = if subset.is_some() {
            once(&mut self.no_subset_end, || tail.split_once("]>")).or_else(|| tail.split_once('>'))
        } else {
            tail.split_once('>')
        };
        cut.map_or("", |(_, rest)| rest)
    }

    /// Writes a tag, and the whole element where it holds a text; returns the rest.
    fn tag<'t>(&mut self, inside: &str, rest: &'t str) -> &'t str {
        if let Some(name) = inside.strip_prefix('/') {
            let name = self.rename(name.trim());
            self.out.push_str("</");
            self.out.push_str(&name);
            self.out.push('>');
            return rest;
        }
        let (name, mut attributes, empty) = parts(inside);
        let written = name;
        let mut name = self.rename(name).into_owned();
        let is_root = self.root.is_none();
        if is_root {
            self.root(&mut name, &mut attributes);
        }
        for (key, value) in &mut attributes {
            let declares = key == "xmlns" || key.starts_with("xmlns:");
            if let Some(known) = namespace(value).filter(|_| declares) {
                *value = known.to_owned();
            }
        }
        // feed-rs multiplies these without looking at their size.
        attributes.retain(|(key, _)| !matches!(key.as_str(), "start" | "end" | "time" | "duration"));
        let local = local(&name).to_owned();
        let media = name.starts_with("media:");
        if media && matches!(local.as_str(), "title" | "description" | "text") {
            // feed-rs knows these two words only.
            for (_, value) in attributes.iter_mut().filter(|(key, _)| key == "type") {
                *value = if value.contains("html") { "html".into() } else { "plain".into() };
            }
        }
        let construct = self.root == Some(Root::Atom)
            && !media
            && matches!(local.as_str(), "title" | "subtitle" | "summary" | "rights" | "content");
        if construct {
            self.text_type(&mut attributes);
        }
        let field = match self.root {
            Some(Root::Atom) => construct,
            Some(Root::Rss | Root::Rdf) => {
                matches!(
                    local.as_str(),
                    "title" | "description" | "encoded" | "author" | "creator" | "managingEditor" | "webMaster"
                )
            }
            _ => false,
        };
        let gathered = if field && !empty && !is_root { self.gather(written, rest) } else { None };
        let person = !construct && matches!(local.as_str(), "author" | "creator" | "managingEditor" | "webMaster");
        let body = match gathered {
            Some((inner, after)) if person => Some((escape(&person_name(inner)), after)),
            Some((inner, after)) if holds_markup(inner) => {
                if construct {
                    attributes.retain(|(key, _)| key != "type");
                    attributes.push(("type".into(), "html".into()));
                }
                Some((escape(&inner_html(inner)), after))
            }
            _ => None,
        };
        let start = self.out.len();
        self.open_tag(&name, &attributes, empty);
        if is_root {
            self.open = self.out.get(start..).unwrap_or("").to_owned();
        }
        match body {
            Some((body, after)) => {
                self.out.push_str(&body);
                self.out.push_str("</");
                self.out.push_str(&name);
                self.out.push('>');
                after
            }
            None => rest,
        }
    }

    fn open_tag(&mut self, name: &str, attributes: &[(String, String)], empty: bool) {
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in attributes {
            self.out.push(' ');
            self.out.push_str(key);
            self.out.push_str("=\"");
            for c in value.chars() {
                match c {
                    '<' => self.out.push_str("&lt;"),
                    '"' => self.out.push_str("&quot;"),
                    '&' => self.out.push_str("&amp;"),
                    c => self.out.push(c),
                }
            }
            self.out.push('"');
        }
        self.out.push_str(if empty { "/>" } else { ">" });
    }

    fn root(&mut self, name: &mut String, attributes: &mut Vec<(String, String)>) {
        let root = match local(name).to_ascii_lowercase().as_str() {
            "rss" => Root::Rss,
            "rdf" => Root::Rdf,
            "feed" => Root::Atom,
            "html" | "head" | "body" => Root::Html,
            _ => Root::Other,
        };
        self.root = Some(root);
        let prefixed = name.contains(':');
        match root {
            Root::Rss => {
                *name = "rss".into();
                // feed-rs reads 2.0, 0.91 and 0.92 alike and refuses every other number.
                attributes.retain(|(key, _)| key != "version" && key != "xmlns");
                attributes.push(("version".into(), "2.0".into()));
            }
            Root::Rdf if !prefixed => *name = "RDF".into(),
            Root::Atom if !prefixed => {
                *name = "feed".into();
                self.old_atom = attributes.iter().any(|(key, value)| {
                    (key == "version" && value.trim() == "0.3") || (key == "xmlns" && value.contains("purl.org/atom/"))
                });
                attributes.retain(|(key, _)| key != "xmlns");
                attributes.push(("xmlns".into(), ATOM.into()));
            }
            Root::Atom => self.old_atom = attributes.iter().any(|(_, value)| value.contains("purl.org/atom/")),
            _ => {}
        }
        for (prefix, uri) in USUAL {
            let key = format!("xmlns:{prefix}");
            if !attributes.iter().any(|(k, _)| *k == key) {
                attributes.push((key, uri.to_owned()));
            }
        }
    }

    /// The name that feed-rs knows an element by.
    fn rename<'n>(&self, name: &'n str) -> Cow<'n, str> {
        let known = match self.root {
            Some(root @ (Root::Rss | Root::Rdf)) => {
                let top = if root == Root::Rss { "rss" } else { "RDF" };
                [top, "item", "title", "link", "description", "guid", "pubDate", "channel", "author"]
                    .into_iter()
                    .find(|known| known.eq_ignore_ascii_case(name))
            }
            Some(Root::Atom) if self.old_atom => match local(name) {
                "issued" => Some("published"),
                "modified" => Some("updated"),
                "tagline" => Some("subtitle"),
                "copyright" => Some("rights"),
                _ => None,
            },
            _ => None,
        };
        match (known, name.rsplit_once(':')) {
            (None, _) => Cow::Borrowed(name),
            (Some(known), Some((prefix, _))) => Cow::Owned(format!("{prefix}:{known}")),
            (Some(known), None) => Cow::Borrowed(known),
        }
    }

    /// Gives an Atom text one of the types that feed-rs does not refuse.
    fn text_type(&self, attributes: &mut Vec<(String, String)>) {
        let value = |name: &str| attributes.iter().find(|(k, _)| k == name).map(|(_, v)| v.trim().to_ascii_lowercase());
        let (kind, mode) = (value("type").unwrap_or_default(), value("mode"));
        let linked = value("src").is_some();
        let kind = if kind.contains("xhtml") || kind.ends_with("/xml") || kind.ends_with("+xml") {
            "xhtml"
        } else if kind.contains("html") {
            "html"
        } else {
            "text"
        };
        // Old Atom wrote inline markup under "text/html" and escaped markup under "application/xhtml+xml".
        let kind = if self.old_atom && mode.as_deref() == Some("escaped") && kind != "text" { "html" } else { kind };
        attributes.retain(|(key, _)| key != "type");
        if !linked {
            attributes.push(("type".into(), kind.into()));
        }
    }

    /// What stands before the end tag `name`, and what follows it, unless an item begins or ends before.
    fn gather<'t>(&mut self, name: &str, rest: &'t str) -> Option<(&'t str, &'t str)> {
        if rest.len() > self.barren {
            return None;
        }
        self.barren = usize::MAX;
        let mut at = 0;
        while let Some(tail) = rest.get(at..) {
            let Some(next) = tail.find('<') else { break };
            at += next;
            let tail = tail.get(next..)?;
            if tail.starts_with("<![CDATA[") {
                let Some(length) = tail.find("]]>") else { break };
                at += length + 3;
                continue;
            }
            if let Some(end) = tail.strip_prefix("</") {
                let end = end.strip_prefix(name).map(str::trim_start).and_then(|e| e.strip_prefix('>'));
                if let Some(after) = end {
                    return Some((rest.get(..at)?, after));
                }
            }
            let edge = tail.strip_prefix("</").or_else(|| tail.strip_prefix('<')).unwrap_or("");
            if ["item", "entry", "channel"].iter().any(|e| edge.starts_with(e)) {
                break;
            }
            at += 1;
        }
        // No end from here up to there: do not look again on the way.
        self.barren = rest.len().saturating_sub(at).max(1) - 1;
        None
    }
}

fn namespace(uri: &str) -> Option<&'static str> {
    let uri = uri.trim().to_ascii_lowercase();
    let uri = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://"))?;
    let uri = uri.strip_prefix("www.").unwrap_or(uri).trim_end_matches(['/', '#']);
    Some(match uri {
        "w3.org/2005/atom" | "purl.org/atom/ns" | "purl.org/atom" => ATOM,
        "purl.org/rss/1.0" | "my.netscape.com/rdf/simple/0.9" | "channel.netscape.com/rdf/simple/0.9" => RSS,
        "purl.org/net/rss1.1"
        | "purl.org/rss/2.0"
        | "rssboard.org/rss-specification"
        | "my.netscape.com/publish/formats/rss-0.91.dtd" => RSS,
        "blogs.law.harvard.edu/tech/rss" | "cyber.law.harvard.edu/rss" | "cyber.law.harvard.edu/rss/rss.html" => RSS,
        uri if uri.starts_with("backend.userland.com/rss") => RSS,
        "search.yahoo.com/mrss" => MEDIA,
        "purl.org/rss/1.0/modules/content" => CONTENT,
        "purl.org/dc/elements/1.1" | "purl.org/dc/elements/1.0" | "purl.org/dc/1.1" => DC,
        // Nothing in them is read, and feed-rs panics on some of their values.
        uri if uri.starts_with("itunes.com/")
            || uri.starts_with("podcastindex.org/")
            || uri.starts_with("example.com/dtds/podcast") =>
        {
            IGNORED
        }
        _ => return None,
    })
}

/// Whether a field holds tags; marks inside CDATA are text already.
fn holds_markup(inner: &str) -> bool {
    let mut rest = inner;
    while let Some(at) = rest.find('<') {
        let (_, tail) = rest.split_at(at);
        rest = match tail.strip_prefix("<![CDATA[") {
            Some(data) => data.split_once("]]>").map_or("", |(_, after)| after),
            None if tag_end(tail).is_some() => return true,
            None => tail.strip_prefix('<').unwrap_or(""),
        };
    }
    false
}

/// The markup of a field as HTML text: CDATA is unwrapped, everything else stays.
fn inner_html(inner: &str) -> String {
    inner.replace("<![CDATA[", "").replace("]]>", "")
}

/// A person's name out of what RSS puts there: an address, a name, both, or markup around them.
fn person_name(inner: &str) -> String {
    let mut words = String::new();
    let mut rest = inner;
    while let Some(at) = rest.find('<') {
        let (before, tail) = rest.split_at(at);
        words.push_str(&plain(before));
        rest = match tail.strip_prefix("<![CDATA[") {
            Some(data) => {
                let (data, after) = data.split_once("]]>").unwrap_or((data, ""));
                words.push_str(data);
                after
            }
            None => tail_after_tag(tail),
        };
    }
    words.push_str(&plain(rest));
    without_address(&words)
}

fn tail_after_tag(tail: &str) -> &str {
    tag_end(tail).map_or_else(|| tail.strip_prefix('<').unwrap_or(""), |(_, after)| after)
}

/// Leaves the name of "me@example.org (A Name)"; an address alone stays, so that the author can be told from others.
pub(super) fn without_address(words: &str) -> String {
    if !words.contains('@') {
        return words.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    let bracket = |c: char| "()<>[]{}（）【】«»“”\"".contains(c);
    let pieces = || words.split(|c: char| c.is_whitespace() || bracket(c)).filter(|w| !w.is_empty());
    let named: Vec<&str> = pieces().filter(|w| !w.contains('@')).collect();
    if !named.is_empty() {
        return named.join(" ");
    }
    let ascii = pieces().next().unwrap_or("").trim_start_matches("mailto:");
    ascii.chars().filter(char::is_ascii).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests;
