//! The Markdown of playbooks: headings with their places, and lists as plain text.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

/// A heading with where it stands, and where its text begins.
pub(super) struct Heading {
    /// From 1, the largest.
    pub(super) level: usize,
    pub(super) title: String,
    pub(super) span: Range<usize>,
}

/// The headings of a text that begins at a place of its sheet.
pub(super) fn headings(text: &str, from: usize) -> Vec<Heading> {
    let mut out: Vec<Heading> = Vec::new();
    let mut open = false;
    for (event, range) in Parser::new(text).into_offset_iter() {
        let span = range.start + from..range.end + from;
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                open = true;
                out.push(Heading { level: level as usize, title: String::new(), span });
            }
            Event::End(TagEnd::Heading(_)) => open = false,
            Event::Text(t) | Event::Code(t) if open => {
                if let Some(h) = out.last_mut() {
                    h.title.push_str(&t);
                }
            }
            _ => {}
        }
    }
    for h in &mut out {
        h.title = h.title.trim().to_owned();
    }
    out
}

/// The items of a list as plain text.
pub(super) fn items(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut depth = 0;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::Item) => {
                depth += 1;
                if depth == 1 {
                    out.push(String::new());
                }
            }
            Event::End(TagEnd::Item) => depth -= 1,
            Event::Text(t) | Event::Code(t) if depth > 0 => {
                if let Some(item) = out.last_mut() {
                    item.push_str(&t);
                }
            }
            Event::SoftBreak | Event::HardBreak if depth > 0 => {
                if let Some(item) = out.last_mut() {
                    item.push(' ');
                }
            }
            _ => {}
        }
    }
    out.into_iter().map(|i| folded(i.trim_start_matches("[ ]").trim_start_matches("[x]"))).collect()
}

/// A text as one line.
pub(super) fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text as its paragraphs, one line each with an empty line between them.
pub(super) fn paragraphs(text: &str) -> String {
    let mut out: Vec<String> = vec![String::new()];
    for line in text.lines() {
        let line = folded(line);
        match (line.is_empty(), out.last_mut()) {
            (true, Some(last)) if !last.is_empty() => out.push(String::new()),
            (false, Some(last)) if last.is_empty() => *last = line,
            (false, Some(last)) => {
                last.push(' ');
                last.push_str(&line);
            }
            _ => {}
        }
    }
    out.retain(|p| !p.is_empty());
    out.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_lines() {
        assert_eq!(paragraphs("  a\nb \n\n\n c\n"), "a b\n\nc");
        assert_eq!(paragraphs(""), "");
    }

    #[test]
    fn lists_are_plain_text() {
        assert_eq!(items("- [ ] **PR** · a *b*\n  c\n- d\n  - e\n"), ["PR · a b c", "de"]);
    }
}
