//! From what a source told to a mention that is not yet analysed: cleaned, bounded, dated, and told apart from all others.

use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use super::Knowledge;
use crate::engine::coordinated;
use crate::engine::heard::Heard;
use crate::model::time::{Span, from_millis};
use crate::model::{Author, Capture, Mention};
use crate::query::{country, network};
use crate::store::mentions::Identity;
use crate::text::{address, clean};

/// Publication is believed to so long after arrival (F50).
const FUTURE: Span = Span::mins(10);

/// Nobody told anything on the web before 1990: an archive that says so has lost its dates.
const FIRST_EVER: i64 = 631_152_000_000;

/// More people than there are, or likes than they could give, are somebody's joke.
const MOST_PEOPLE: u64 = 10_000_000_000;

/// Tags that are kept of one mention.
const MOST_TAGS: usize = 30;

/// The oldest publication of an archive that is believed.
pub(super) fn first_ever() -> Timestamp {
    from_millis(FIRST_EVER)
}

/// Whether vakt hears of the author for the first time. History makes its authors known.
pub(super) fn is_newcomer(m: &Mention, heard: &mut Heard) -> bool {
    let author = coordinated::author(&m.network, &m.author.name, &m.author.handle);
    !m.author.identity().is_empty() && heard.is_new(author) && !m.history
}

/// The mention that a capture tells, which arrives `now`; one published before `oldest` is undated.
pub(super) fn mention(
    knowledge: &Knowledge,
    source: &str,
    c: Capture,
    history: bool,
    oldest: Timestamp,
    now: Timestamp,
) -> Mention {
    let text = |raw: &str, max| if c.html { clean::html_to_text(raw, max) } else { clean::plain_text(raw, max) };
    let title =
        c.title.as_deref().map(|t| clean::one_line(&text(t, clean::MAX_TITLE), clean::MAX_TITLE)).unwrap_or_default();
    let mut body = text(&c.text, clean::MAX_TEXT);
    if body == title {
        body.clear();
    }
    let address = c.url.as_deref().and_then(address::canonical);
    let (url, site) = address.map_or_else(Default::default, |a| (a.url, a.host));
    let line = |s: &str| clean::one_line(s, clean::MAX_FIELD);
    let author = Author {
        name: line(&c.author.name),
        handle: line(c.author.handle.trim_start_matches('@')),
        followers: c.author.followers.map(|n| n.min(MOST_PEOPLE)),
        verified: c.author.verified,
    };
    let (at, undated) = match c.published {
        Some(p) if p > now + FUTURE => (now, true),
        Some(p) => (p.max(oldest), p < oldest),
        None => (now, true),
    };
    let place = knowledge.rules.house.site(&site);
    Mention {
        id: 0,
        source: source.to_owned(),
        network: network(&line(&c.network).to_lowercase()).to_owned(),
        reach: c.reach.unwrap_or(0).min(MOST_PEOPLE).max(author.followers.unwrap_or(0)).max(place.reach),
        tier: place.tier,
        site,
        url,
        title,
        text: body,
        author,
        at,
        received: now,
        undated,
        history,
        language: String::new(),
        sentiment: None,
        why: Vec::new(),
        intent: String::new(),
        engagement: c.engagement.unwrap_or(0).min(MOST_PEOPLE),
        story: 0,
        fingerprint: 0,
        topics: Vec::new(),
        kind: line(&c.kind).to_lowercase(),
        channel: line(&c.channel),
        country: country_of(&line(&c.country).to_lowercase()),
        tags: c.tags.iter().take(MOST_TAGS).map(|t| line(t)).filter(|t| !t.is_empty()).collect(),
        rating: c.rating.filter(|r| r.is_finite()),
        newcomer: false,
        toward: Vec::new(),
        parent: line(&c.parent),
        thread: line(&c.thread),
        lookup: line(&c.lookup),
    }
}

/// The code of two letters of a country that a source names by one of three; anything else as it is.
fn country_of(text: &str) -> String {
    country(text).unwrap_or(text).to_owned()
}

fn hash(parts: &[&str]) -> i64 {
    xxh3_64(parts.join("\u{1f}").as_bytes()).cast_signed()
}

/// The hash of a mention that has no name of its own.
pub(super) fn by_content(m: &Mention, content: i64) -> i64 {
    hash(&["text", &m.source, &m.author.identity(), &content.to_string()])
}

/// Hashes that tell it from all others: by the source's own id, else by its address, else by author and text.
pub(super) fn identity(m: &Mention, native: Option<&str>) -> Identity {
    let content = hash(&[&m.title, &m.text]);
    let number = content.to_string();
    let told = match native.filter(|n| !n.trim().is_empty()) {
        Some(native) => by_name(&m.source, native),
        None if !m.url.is_empty() => hash(&["url", &m.source, &m.url]),
        None => by_content(m, content),
    };
    let called = Some(&m.lookup).filter(|l| !l.is_empty() && native != Some(l.as_str()));
    let placed = (!m.url.is_empty()).then(|| hash(&["place", &m.url, &number]));
    Identity { told, placed, called: called.map(|called| by_name(&m.source, called)), content }
}

/// The hash of a mention by what its source calls it: by its id, or by what the API looks it up by.
pub(super) fn by_name(source: &str, name: &str) -> i64 {
    hash(&["id", source, name])
}
