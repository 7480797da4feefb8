//! Tags, read leniently: odd quotes, attributes without values, repeats.

use super::refs::plain;

/// A name without its prefix.
pub(super) fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Splits a tag off the front: what stands between `<` and `>`, and the rest. `None` where the `<` begins no tag.
pub(super) fn tag_end(tail: &str) -> Option<(&str, &str)> {
    let inside = tail.strip_prefix('<')?;
    let first = inside.strip_prefix('/').unwrap_or(inside).chars().next()?;
    if !(first.is_alphabetic() || first == '_') {
        return None;
    }
    let (mut quote, mut plain) = (None, None);
    for (at, byte) in inside.bytes().enumerate() {
        match (byte, quote) {
            (b'<', _) => break,
            (b'>', None) => return Some((inside.get(..at)?, inside.get(at + 1..)?)),
            (b'>', Some(_)) => plain = plain.or(Some(at)),
            (b'"' | b'\'', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            _ => {}
        }
    }
    // A quote that is never closed: the first `>` ended the tag after all.
    plain.and_then(|at| Some((inside.get(..at)?, inside.get(at + 1..)?)))
}

/// Name, attributes and whether the element is empty.
pub(super) fn parts(inside: &str) -> (&str, Vec<(String, String)>, bool) {
    let (inside, empty) = inside.strip_suffix('/').map_or((inside, false), |i| (i, true));
    let end = inside.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(inside.len());
    let (name, mut rest) = inside.split_at(end);
    let mut attributes: Vec<(String, String)> = Vec::new();
    while attributes.len() < 64 {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            break;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        let (key, tail) = rest.split_at(end);
        let tail = tail.trim_start();
        let value;
        (value, rest) = match tail.strip_prefix('=').map(str::trim_start) {
            None => (key, tail),
            Some(tail) => match tail.chars().next().filter(|c| matches!(c, '"' | '\'')) {
                Some(quote) => {
                    let tail = tail.strip_prefix(quote).unwrap_or(tail);
                    tail.split_once(quote).unwrap_or((tail, ""))
                }
                None => tail.split_at(tail.find(char::is_whitespace).unwrap_or(tail.len())),
            },
        };
        let good = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':'))
            && !attributes.iter().any(|(k, _)| k == key);
        if good {
            attributes.push((key.to_owned(), plain(value)));
        }
    }
    (name, attributes, empty)
}
