//! What of a stream of everything is kept: what its searches, or the topics that it serves, may find in it.

use super::aim::Sought;
use crate::model::time::from_millis;
use crate::model::{Author, Capture, Mention};
use crate::query::{Doc, Fact, Field, Is, Matcher, Node, loosen};
use crate::text::{Analyst, clean};

/// Queries without what only analysis, or the network itself, can tell of a mention: whatever they let through is looked
/// at again by the topics themselves.
#[derive(Debug, Default)]
pub(super) struct Sieve {
    analyst: Analyst,
    matcher: Matcher,
    /// Some query may find anything.
    open: bool,
}

impl Sieve {
    /// A sieve that lets pass what any of these may find.
    pub(super) fn of(sought: &[Sought<'_>]) -> Sieve {
        let mut sieve = Sieve::default();
        for one in sought {
            match loosen(one.node, &tells) {
                Some(node) => {
                    sieve.matcher.add(&node, one.languages);
                }
                None => sieve.open = true,
            }
        }
        sieve
    }

    /// Whether it lets a capture pass.
    pub(super) fn passes(&self, c: &Capture) -> bool {
        if self.open {
            return true;
        }
        let plain = |raw: &str, max| if c.html { clean::html_to_text(raw, max) } else { clean::plain_text(raw, max) };
        let title = c.title.as_deref().map(|t| clean::one_line(&plain(t, clean::MAX_TITLE), clean::MAX_TITLE));
        let (title, body) = (title.unwrap_or_default(), plain(&c.text, clean::MAX_TEXT));
        let whole = if title.is_empty() { body.clone() } else { format!("{title}\n\n{body}") };
        let language = self.analyst.language(&whole, c.language.as_deref());
        let (text, terms) = Analyst::terms(&title, &body, language);
        let mention = Mention {
            network: c.network.clone(),
            author: Author::default(),
            language: language.to_owned(),
            kind: c.kind.clone(),
            channel: c.channel.clone(),
            tags: c.tags.clone(),
            ..Mention::of_text(&body, c.published.unwrap_or(from_millis(0)))
        };
        !self.matcher.matches(&Doc::of(&mention, &text, &terms)).is_empty()
    }
}

/// Whether a stream tells what a part of a query asks for.
fn tells(part: &Node) -> bool {
    match &part.is {
        Is::Fact(Fact { field, .. }) => matches!(
            field,
            Field::Network | Field::Language | Field::Tags | Field::Channel | Field::EngagementType | Field::Links
        ),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::parse;

    fn sieve(query: &str) -> Sieve {
        let node = parse(query).node.expect("it parses");
        Sieve::of(&[Sought { name: "t", node: &node, languages: &[] }])
    }

    fn post(text: &str) -> Capture {
        Capture { text: text.into(), network: "bluesky".into(), language: Some("en".into()), ..Capture::default() }
    }

    #[test]
    fn words_sift_and_what_is_not_known_yet_does_not() {
        let s = sieve("acme AND (fire OR burn*) AND sentiment:negative AND NOT author:acme");
        assert!(s.passes(&post("My Acme kettles burned down")));
        assert!(!s.passes(&post("My Acme kettle is lovely")) && !s.passes(&post("Fire!")));
        assert!(sieve("acme AND network:bluesky").passes(&post("acme")));
        assert!(!sieve("acme AND network:x").passes(&post("acme")));
        assert!(sieve("reach:>100").passes(&post("whatever")), "who knows");
        let html = Capture { html: true, ..post("<p>My <b>Ac</b>me</p>") };
        assert!(sieve("acme").passes(&html));
    }
}
