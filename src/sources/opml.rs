//! OPML: lists of feeds as readers keep them, read leniently, written plainly.
//!
//! Follows <http://opml.org/spec2.opml> (OPML 2.0): an outline with `xmlUrl` is a feed; outlines around it are groups.

use url::Url;

use super::bounds::{LONGEST_ID, LONGEST_NAME, clip};
use super::tags::{parts, tag_end};

/// Feeds that are taken from one list.
const MOST: usize = 20_000;

/// One feed of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// What people call it; may be empty.
    pub title: String,
    /// Its address; `http` or `https`.
    pub url: String,
    /// The language that the list gives it.
    pub language: Option<String>,
}

/// The feeds of a list, each address once, and how many outlines named something that is no web address.
///
/// # Errors
/// A sentence, where the text is no OPML at all.
pub fn read(text: &str) -> Result<(Vec<Subscription>, usize), String> {
    let mut out: Vec<Subscription> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let (mut odd, mut is_opml) = (0, false);
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = rest.get(at..).unwrap_or("");
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let Some((inside, after)) = tag_end(rest) else {
            rest = rest.get(1..).unwrap_or("");
            continue;
        };
        rest = after;
        let (name, attributes, _) = parts(inside);
        is_opml |= name.eq_ignore_ascii_case("opml");
        let value = |name: &str| {
            let found = attributes.iter().find(|(k, _)| k.eq_ignore_ascii_case(name));
            found.map(|(_, v)| v.trim()).filter(|v| !v.is_empty())
        };
        let Some(url) = value("xmlUrl").filter(|_| name.eq_ignore_ascii_case("outline")) else { continue };
        let web = Url::parse(url).is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.host().is_some());
        if !web || url.len() > LONGEST_ID || out.len() >= MOST {
            odd += 1;
        } else if seen.insert(url.to_owned()) {
            out.push(Subscription {
                title: clip(value("title").or(value("text")).unwrap_or(""), LONGEST_NAME).to_owned(),
                url: url.to_owned(),
                language: value("language").filter(|l| l.len() <= 12).map(str::to_owned),
            });
        }
    }
    if is_opml { Ok((out, odd)) } else { Err("this is no OPML: it has no <opml> in it".into()) }
}

/// The list as a document that every reader takes.
pub fn write(title: &str, feeds: &[Subscription]) -> String {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">\n  <head><title>{}</title></head>\n  <body>\n",
        attribute(title)
    );
    for feed in feeds {
        let (title, url) = (attribute(&feed.title), attribute(&feed.url));
        let language = feed.language.as_deref().map(|l| format!(" language=\"{}\"", attribute(l))).unwrap_or_default();
        out.push_str(&format!(
            "    <outline type=\"rss\" text=\"{title}\" title=\"{title}\" xmlUrl=\"{url}\"{language}/>\n"
        ));
    }
    out + "  </body>\n</opml>\n"
}

fn attribute(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_readers_write_them() {
        let text = r#"<?xml version="1.0"?><OPML version="1.0"><head><title>Mine</title></head><body>
            <outline text="Press"><outline type="rss" text="A &amp; B" xmlUrl="https://a.example/feed?x=1&amp;y=2" language="sv"/>
            <outline TITLE='Unquoted' xmlurl=https://b.example/rss />
            <!-- <outline xmlUrl="https://c.example/"/> -->
            <outline text="twice" xmlUrl="https://a.example/feed?x=1&amp;y=2"/></outline>
            <outline text="odd" xmlUrl="file:///etc/passwd"/><outline text="no feed" htmlUrl="https://d.example/"/>"#;
        let (feeds, odd) = read(text).unwrap();
        let all: Vec<(&str, &str)> = feeds.iter().map(|f| (f.title.as_str(), f.url.as_str())).collect();
        assert_eq!(all, [("A & B", "https://a.example/feed?x=1&y=2"), ("Unquoted", "https://b.example/rss")]);
        assert_eq!((feeds[0].language.as_deref(), odd), (Some("sv"), 1));
        assert!(read("<rss/>").is_err() && read("").is_err() && read("<<<<").is_err());
        assert_eq!(read(&write("\"Mine\" & <yours>", &feeds)), Ok((feeds, 0)));
    }

    #[test]
    fn thousands_of_feeds() {
        let many: Vec<Subscription> = (0..3_000)
            .map(|n| Subscription { title: format!("Feed {n}"), url: format!("https://f{n}.example/"), language: None })
            .collect();
        assert_eq!(read(&write("many", &many)), Ok((many, 0)));
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_is_read(text in "(<opml>)?(<outline |xmlUrl=|\"|'|>|https://a\\.example/|é|<){0,40}") {
            drop(read(&text));
        }
    }
}
