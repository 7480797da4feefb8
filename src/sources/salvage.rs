//! What is still good in a document that cannot be read as a whole: its items, one by one.

use serde_json::Value;

use super::mend::{Mended, Root};
use super::tags::tag_end;

/// The items found in a broken document.
#[derive(Debug, Default)]
pub(super) struct Pieces<'t> {
    /// Complete items, tags included.
    pub items: Vec<&'t str>,
    /// Items that never end.
    pub open: usize,
    /// What stands before the first item.
    pub head: &'t str,
}

/// Finds the items of a mended document by their tags alone.
pub(super) fn pieces(text: &str) -> Pieces<'_> {
    let mut found = Pieces { head: text, ..Pieces::default() };
    let mut begun: Option<usize> = None;
    let (mut at, mut first) = (0, None);
    while let Some(next) = text.get(at..).and_then(|t| t.find('<')) {
        at += next;
        let tail = text.get(at..).unwrap_or("");
        if tail.starts_with("<![CDATA[") {
            let Some(length) = tail.find("]]>") else { break };
            at += length + 3;
            continue;
        }
        let Some((inside, rest)) = tag_end(tail) else {
            at += 1;
            continue;
        };
        let after = text.len() - rest.len();
        if let Some(name) = inside.strip_prefix('/') {
            let from = if is_item(name) { begun.take() } else { None };
            found.items.extend(from.and_then(|from| text.get(from..after)));
        } else if is_item(inside) && !inside.ends_with('/') {
            // An item inside an item: the first one never ended.
            found.open += usize::from(begun.is_some());
            begun = Some(at);
            first = first.or(begun);
        }
        at = after;
    }
    found.open += usize::from(begun.is_some());
    if let Some(head) = first.and_then(|first| text.get(..first)) {
        found.head = head;
    }
    found
}

fn is_item(inside: &str) -> bool {
    let name = inside.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or("");
    let local = name.rsplit_once(':').map_or(name, |(_, local)| local);
    local.eq_ignore_ascii_case("item") || local.eq_ignore_ascii_case("entry")
}

/// Puts one item, or none, into the smallest document that holds it, with the namespaces of the document it came from.
pub(super) fn wrap(mended: &Mended, item: &str) -> String {
    let open = mended.open.trim_end_matches("/>").trim_end_matches('>');
    match mended.root {
        Root::Rss => format!("{open}><channel>{item}</channel></rss>"),
        Root::Rdf | Root::Atom => {
            let name = open.trim_start_matches('<').split_whitespace().next().unwrap_or("feed");
            format!("{open}>{item}</{name}>")
        }
        Root::Html | Root::Other if item.starts_with("<entry") => {
            format!("<feed xmlns=\"http://www.w3.org/2005/Atom\">{item}</feed>")
        }
        Root::Html | Root::Other => format!("<rss version=\"2.0\"><channel>{item}</channel></rss>"),
    }
}

/// The complete objects in the `items` of a broken JSON document, and whether the list came to its end.
pub(super) fn json_items(text: &str) -> (Vec<Value>, bool) {
    let mut found = Vec::new();
    let list = text.split_once("\"items\"").map(|(_, rest)| rest.trim_start());
    let list = list.and_then(|rest| rest.strip_prefix(':')).and_then(|rest| rest.trim_start().strip_prefix('['));
    let Some(mut rest) = list else { return (found, false) };
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if rest.starts_with(']') {
            return (found, true);
        }
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let Some(Ok(value)) = values.next() else { return (found, false) };
        rest = rest.get(values.byte_offset()..).unwrap_or("");
        found.push(value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::mend::mend;
    use super::*;

    #[test]
    fn finds_complete_items() {
        let text = "<rss><channel><title>T</title><item><title>1</title></item><ITEM a='>'><x><![CDATA[</item>]]></x></ITEM>\
                    <item><title>open<item><title>3</title></item><items/><item/><item><title>cut";
        let found = pieces(text);
        assert_eq!(found.items.len(), 3, "{found:?}");
        assert_eq!(found.open, 2);
        assert_eq!(found.head, "<rss><channel><title>T</title>");
    }

    #[test]
    fn wraps_with_the_namespaces_of_the_root() {
        let mended = mend("<feed xmlns:x='urn:x'><entry/>");
        let wrapped = wrap(&mended, "<entry></entry>");
        assert!(wrapped.starts_with("<feed ") && wrapped.contains("xmlns:x=\"urn:x\""), "{wrapped}");
        assert!(wrapped.ends_with("<entry></entry></feed>"), "{wrapped}");
    }

    #[test]
    fn takes_what_is_whole_of_a_broken_list() {
        let (found, ended) = json_items(r#"{"title": "x", "items": [{"id": "1"}, {"id": "2"}, {"id": "3", "ti"#);
        assert_eq!((found.len(), ended), (2, false));
        assert!(json_items(r#"{"items":[{"id":"1"}]  oops"#).1);
        assert_eq!(json_items("{"), (vec![], false));
    }
}
