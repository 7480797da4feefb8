//! Mentions as others push them: JSON or JSONL, in the words of the API.

use jiff::Timestamp;
use serde::Deserialize;

use crate::model::{Author, Capture};

/// Most mentions in one request.
const MOST: usize = 5000;

/// A mention as it is pushed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pushed {
    /// The id within its source: the same id is the same mention.
    id: Option<String>,
    url: Option<String>,
    title: Option<String>,
    #[serde(default)]
    text: String,
    /// Whether title and text hold HTML.
    #[serde(default)]
    html: bool,
    author: Option<Who>,
    /// RFC 3339.
    published: Option<Timestamp>,
    language: Option<String>,
    network: Option<String>,
    reach: Option<u64>,
    engagement: Option<u64>,
    /// `post`, `reply`, `repost`, `quote`, `comment` or `review`.
    kind: Option<String>,
    channel: Option<String>,
    country: Option<String>,
    /// The id of what it answers, and of the talk that it belongs to.
    parent: Option<String>,
    thread: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    rating: Option<f32>,
}

/// An author by name, or with more about them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Who {
    Name(String),
    Author(Author),
}

impl From<Pushed> for Capture {
    fn from(p: Pushed) -> Capture {
        let author = match p.author {
            Some(Who::Name(name)) => Author { name, ..Author::default() },
            Some(Who::Author(author)) => author,
            None => Author::default(),
        };
        Capture {
            native_id: p.id,
            url: p.url,
            title: p.title,
            text: p.text,
            html: p.html,
            author,
            published: p.published,
            updated: None,
            language: p.language,
            network: p.network.unwrap_or_else(|| "push".into()),
            reach: p.reach,
            engagement: p.engagement,
            kind: p.kind.unwrap_or_default(),
            channel: p.channel.unwrap_or_default(),
            country: p.country.unwrap_or_default(),
            parent: p.parent.unwrap_or_default(),
            thread: p.thread.unwrap_or_default(),
            tags: p.tags,
            rating: p.rating,
            ..Capture::default()
        }
    }
}

/// Mentions, and what is wrong with those that are none.
pub type Read = (Vec<Capture>, Vec<String>);

/// Reads one object, a list of objects, `{"mentions": [...]}`, or one object a line: the mentions, and what is wrong with
/// those that are none.
///
/// # Errors
/// Why nothing of it can be read.
pub fn read(body: &[u8]) -> Result<Read, String> {
    let text = std::str::from_utf8(body).map_err(|e| format!("byte {} of the body is not UTF-8", e.valid_up_to()))?;
    let text = text.trim();
    let of = |value: serde_json::Value| serde_json::from_value::<Pushed>(value);
    let several = |list: Vec<serde_json::Value>| (1..).zip(list.into_iter().map(of)).collect();
    // One object a line is what large pushes are: each line is read straight, without a tree in between.
    let mut lines = text.lines().filter(|l| !l.trim().is_empty());
    let by_line = lines.next().is_some_and(|first| first.starts_with('{') && first.trim_end().ends_with('}'))
        && lines.next().is_some_and(|second| second.starts_with('{'));
    let read_lines = || (1..).zip(text.lines()).filter(|(_, l)| !l.trim().is_empty());
    let read_lines = || read_lines().map(|(n, line)| (n, serde_json::from_str::<Pushed>(line))).collect();
    let items: Vec<(usize, Result<Pushed, serde_json::Error>)> = if by_line {
        read_lines()
    } else {
        match serde_json::from_str(text) {
            Ok(serde_json::Value::Array(list)) => several(list),
            Ok(serde_json::Value::Object(mut map)) => match map.remove("mentions") {
                Some(serde_json::Value::Array(list)) => several(list),
                Some(_) => return Err("`mentions` must be a list".into()),
                None => vec![(1, of(serde_json::Value::Object(map)))],
            },
            Ok(_) => return Err("the body must be an object, a list of objects, or one object a line".into()),
            Err(_) if text.is_empty() => return Err("the body is empty".into()),
            Err(_) => read_lines(),
        }
    };
    if items.len() > MOST {
        return Err(format!("{} mentions in one request; send at most {MOST}", items.len()));
    }
    let mut captures = Vec::new();
    let mut errors = Vec::new();
    for (n, item) in items {
        match item {
            Ok(pushed) => captures.push(pushed.into()),
            Err(e) => errors.push(format!("mention {n}: {e}")),
        }
    }
    Ok((captures, errors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_bad_lines_are_told() {
        let one = br#"{"id": "1", "text": "hi", "author": "Ann", "published": "2026-03-10T08:00:00Z"}"#;
        assert_eq!(read(one).expect("read").0.len(), 1);
        assert_eq!(read(br#"[{"text":"a"},{"text":"b"}]"#).expect("read").0.len(), 2);
        assert_eq!(read(br#"{"mentions":[{"text":"a"}]}"#).expect("read").0.len(), 1);
        let (good, bad) = read(b"{\"text\":\"a\"}\n{\"txt\":\"b\"}\nnonsense\n{\"text\":\"c\",\"author\":{\"name\":\"N\",\"followers\":3}}").expect("read");
        assert_eq!((good.len(), bad.len()), (2, 2));
        assert!(bad[0].starts_with("mention 2:"), "{bad:?}");
        assert_eq!(good[1].author.followers, Some(3));
        assert!(read(b"").is_err() && read(b"3").is_err() && read(&[0xff]).is_err());
    }
}
