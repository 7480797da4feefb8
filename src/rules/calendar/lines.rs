//! The lines of an iCalendar file with their places: folded lines as one, in blocks from BEGIN to END.
//!
//! The values are read by calcard, which tells no places; so each line is handed to it alone.

use std::ops::Range;

use crate::config::written::Desk;

/// Deepest nesting of blocks.
const DEEPEST: usize = 8;

/// One property, with the lines that it is folded over.
#[derive(Debug, Clone)]
pub(super) struct Line<'a> {
    /// Its name as written.
    pub(super) name: &'a str,
    /// All of it.
    pub(super) raw: &'a str,
    /// Where it stands.
    pub(super) span: Range<usize>,
}

impl Line<'_> {
    /// Where it begins, for faults: its first line only.
    pub(super) fn head(&self) -> Range<usize> {
        let end = self.raw.find(['\r', '\n']).unwrap_or(self.raw.len());
        self.span.start..self.span.start + end
    }

    /// Where a word stands in it; its first line where the word is folded or escaped.
    pub(super) fn word(&self, word: &str) -> Range<usize> {
        match self.raw.rfind(word).filter(|_| !word.is_empty()) {
            Some(at) => self.span.start + at..self.span.start + at + word.len(),
            None => self.head(),
        }
    }
}

/// What stands between BEGIN and END.
#[derive(Debug)]
pub(super) struct Block<'a> {
    /// Its kind in capitals, such as `VEVENT`.
    pub(super) kind: String,
    /// Where its BEGIN stands.
    pub(super) head: Range<usize>,
    /// Its own lines.
    pub(super) lines: Vec<Line<'a>>,
    /// The blocks in it.
    pub(super) inner: Vec<Block<'a>>,
}

impl<'a> Block<'a> {
    /// The first line of a name.
    pub(super) fn line(&self, name: &str) -> Option<&Line<'a>> {
        self.lines(name).next()
    }

    /// All lines of a name.
    pub(super) fn lines(&self, name: &str) -> impl Iterator<Item = &Line<'a>> {
        self.lines.iter().filter(move |l| l.name.eq_ignore_ascii_case(name))
    }

    /// The blocks of a kind in it.
    pub(super) fn blocks(&self, kind: &str) -> impl Iterator<Item = &Block<'a>> {
        self.inner.iter().filter(move |b| b.kind == kind)
    }
}

/// The calendars of a file. What is not whole is noted, and then there is nothing to read.
pub(super) fn calendars(desk: &Desk) -> Vec<Block<'_>> {
    let sheet = &desk.sheet;
    let mut open: Vec<Block<'_>> = Vec::new();
    let mut whole = Vec::new();
    for line in lines(&sheet.text) {
        let value = line.raw.split_once(':').map_or("", |(_, v)| v).trim();
        if line.name.eq_ignore_ascii_case("BEGIN") {
            if open.len() == DEEPEST {
                desk.error(line.head(), "blocks are nested too deep", "export the calendar anew");
                return Vec::new();
            }
            open.push(Block {
                kind: value.to_ascii_uppercase(),
                head: line.head(),
                lines: Vec::new(),
                inner: Vec::new(),
            });
        } else if line.name.eq_ignore_ascii_case("END") {
            match open.pop() {
                Some(block) if block.kind.eq_ignore_ascii_case(value) => match open.last_mut() {
                    Some(outer) => outer.inner.push(block),
                    None => whole.push(block),
                },
                Some(block) => {
                    let message = format!("`END:{value}` ends a block that began with `BEGIN:{}`", block.kind);
                    desk.error(line.head(), message, format!("write `END:{}` before it", block.kind));
                    return Vec::new();
                }
                None => {
                    desk.error(line.head(), format!("`END:{value}` ends nothing"), "take it away");
                    return Vec::new();
                }
            }
        } else if let Some(block) = open.last_mut() {
            block.lines.push(line);
        } else {
            desk.error(line.head(), "this stands outside of the calendar", "begin the file with BEGIN:VCALENDAR");
            return Vec::new();
        }
    }
    if let Some(block) = open.last() {
        let message = format!("the file ends within this {}", block.kind);
        desk.error(block.head.clone(), message, "the file was cut short; fetch or export it anew");
        return Vec::new();
    }
    if whole.is_empty() {
        desk.error(0..0, "there is no calendar in this file", "it begins with BEGIN:VCALENDAR");
    }
    for block in whole.iter().filter(|b| b.kind != "VCALENDAR") {
        desk.error(block.head.clone(), "this stands outside of a calendar", "put BEGIN:VCALENDAR before it");
    }
    whole.retain(|b| b.kind == "VCALENDAR");
    whole
}

/// The properties of a text, folded lines as one, empty ones left out.
fn lines(text: &str) -> Vec<Line<'_>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    for physical in text.split_inclusive('\n') {
        let end = at + physical.trim_end_matches(['\r', '\n']).len();
        match spans.last_mut() {
            Some(last) if physical.starts_with([' ', '\t']) => last.end = end.max(last.end),
            _ if end > at => spans.push(at..end),
            _ => {}
        }
        at += physical.len();
    }
    spans
        .into_iter()
        .filter_map(|span| {
            let raw = text.get(span.clone())?;
            let name = raw.split([':', ';', '\r', '\n']).next().unwrap_or("").trim();
            (!raw.trim().is_empty()).then_some(Line { name, raw, span })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sheet;

    #[test]
    fn folded_lines_are_one_and_blocks_nest() {
        let text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:A lon\r\n g one\r\n\r\nBEGIN:VALARM\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let desk = Desk::new(Sheet::new("a.ics", text));
        let all = calendars(&desk);
        let event = &all[0].inner[0];
        assert_eq!(event.line("summary").map(|l| l.raw), Some("SUMMARY:A lon\r\n g one"));
        assert_eq!(event.inner[0].kind, "VALARM");
    }

    #[test]
    fn what_is_not_whole_is_told() {
        for (text, said) in [
            ("", "no calendar"),
            ("hello\n", "outside"),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", "`END:VCALENDAR` ends a block"),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "ends within this VEVENT"),
            ("END:VEVENT\n", "ends nothing"),
            ("BEGIN:VEVENT\nEND:VEVENT\n", "outside of a calendar"),
            (&"BEGIN:X\n".repeat(100_000), "too deep"),
        ] {
            let desk = Desk::new(Sheet::new("a.ics", text));
            assert!(calendars(&desk).is_empty());
            let faults = desk.into_faults();
            assert!(faults[0].message.contains(said), "{text:.20}: {faults:?}");
        }
    }
}
