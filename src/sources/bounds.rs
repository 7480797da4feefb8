//! How much of what strangers tell is kept: lengths of texts, names and ids, and what an address may be.

use url::Url;

use crate::model::Capture;

/// Characters of a title.
pub(super) const LONGEST_TITLE: usize = 1_000;
/// Bytes of a text.
pub(super) const LONGEST_TEXT: usize = 64 * 1024;
/// Bytes of a name or tag.
pub(super) const LONGEST_NAME: usize = 200;
/// Tags of one item.
pub(super) const MOST_TAGS: usize = 30;
/// Bytes of an id or address.
pub(super) const LONGEST_ID: usize = 2_048;
/// Bytes of a language tag.
pub(super) const LONGEST_LANGUAGE: usize = 35;
/// Reasons that are kept of items left out.
pub(super) const MOST_REASONS: usize = 20;
/// Items taken in one fetch.
pub(super) const MOST_ITEMS: usize = 2_000;

/// The longest beginning of a text that has at most so many bytes.
pub(super) fn clip(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

/// The longest beginning of a text that has at most so many characters.
pub(super) fn clip_chars(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// Plain text as HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// A capture of an API within these bounds; `None` where nothing is left of it.
pub(super) fn bounded(mut c: Capture) -> Option<Capture> {
    let name = |name: &mut String| *name = clip(name.trim(), LONGEST_NAME).to_owned();
    c.native_id = c.native_id.map(|id| clip(&id, LONGEST_ID).to_owned()).filter(|id| !id.is_empty());
    c.url = c.url.filter(|url| url.len() <= LONGEST_ID && is_web(url));
    c.title = c.title.map(|t| clip_chars(t.trim(), LONGEST_TITLE).to_owned()).filter(|t| !t.is_empty());
    c.text = clip(c.text.trim(), LONGEST_TEXT).to_owned();
    c.language = c.language.map(|l| clip(l.trim(), LONGEST_LANGUAGE).to_owned()).filter(|l| !l.is_empty());
    c.tags.truncate(MOST_TAGS);
    c.tags.iter_mut().for_each(name);
    [&mut c.author.name, &mut c.author.handle, &mut c.channel].into_iter().for_each(name);
    (c.title.is_some() || !c.text.is_empty()).then_some(c)
}

fn is_web(url: &str) -> bool {
    Url::parse(url).is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.host().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_cut_short() {
        let long = "å".repeat(100_000);
        let c = Capture {
            native_id: Some(long.clone()),
            url: Some("javascript:alert(1)".into()),
            title: Some(long.clone()),
            text: long.clone(),
            channel: long.clone(),
            tags: vec![long; 99],
            ..Capture::default()
        };
        let c = bounded(c).expect("something is left");
        assert_eq!((c.url, c.text.len(), c.channel.len(), c.tags.len()), (None, LONGEST_TEXT, LONGEST_NAME, MOST_TAGS));
        assert_eq!(c.title.map(|t| t.chars().count()), Some(LONGEST_TITLE));
        assert!(bounded(Capture { url: Some("https://a.example/".into()), ..Capture::default() }).is_none());
    }
}
