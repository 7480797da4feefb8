//! Mentions as CSV (RFC 4180), such that no cell is taken for a formula.

use std::borrow::Cow;
use std::io::Write;

use crate::model::Mention;

/// The columns, in order.
pub const COLUMNS: [&str; 19] = [
    "id",
    "published",
    "received",
    "network",
    "source",
    "site",
    "url",
    "author",
    "handle",
    "followers",
    "language",
    "sentiment",
    "label",
    "intent",
    "reach",
    "engagement",
    "topics",
    "title",
    "text",
];

/// Writes the line of column names.
///
/// # Errors
/// When the writer fails.
pub fn head(out: &mut impl Write) -> std::io::Result<()> {
    write!(out, "{}\r\n", COLUMNS.join(","))
}

/// Writes the line of a mention.
///
/// # Errors
/// When the writer fails.
pub fn line(out: &mut impl Write, m: &Mention) -> std::io::Result<()> {
    let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
    let cells = [
        m.id.to_string(),
        m.at.to_string(),
        m.received.to_string(),
        safe(&m.network),
        safe(&m.source),
        safe(&m.site),
        safe(&m.url),
        safe(&m.author.name),
        safe(&m.author.handle),
        number(m.author.followers),
        safe(&m.language),
        m.sentiment.map(|s| format!("{s:.3}")).unwrap_or_default(),
        m.label().to_owned(),
        safe(&m.intent),
        m.reach.to_string(),
        m.engagement.to_string(),
        safe(&m.topics.join(" ")),
        safe(&m.title),
        safe(&m.text),
    ];
    let quoted: Vec<Cow<'_, str>> = cells.iter().map(|c| quoted(c)).collect();
    write!(out, "{}\r\n", quoted.join(","))
}

/// Strangers' words never begin as a formula does: an apostrophe stands before what could (F66).
fn safe(text: &str) -> String {
    let begins = text.trim_start_matches([' ', '\u{a0}']).chars().next();
    let formula =
        |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠' | '|' | '%');
    if begins.is_some_and(formula) { format!("'{text}") } else { text.to_owned() }
}

fn quoted(cell: &str) -> Cow<'_, str> {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\"")).into()
    } else {
        cell.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "  =cmd|' /C calc'!A0", "\r=1"] {
            assert!(safe(text).starts_with('\''), "{text:?}");
        }
        assert_eq!(safe("a = b"), "a = b");
        assert_eq!(quoted("a \"b\", c"), "\"a \"\"b\"\", c\"");
    }
}
