//! Mentions as CSV (RFC 4180), such that no cell is taken for a formula.

use std::borrow::Cow;
use std::io::Write;

use super::table::{self, COLUMNS, Cell};
use crate::model::Mention;
use crate::text::clean::is_like_formula;

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
    let cells = table::row(m).map(|cell| match cell {
        Cell::Text(text) => safe(text),
        Cell::Word(word) => word.to_owned(),
        Cell::Names(names) => safe(&names.join(" ")),
        Cell::Count(n) => n.to_string(),
        Cell::Share(share) => format!("{share:.3}"),
        Cell::Time(at) => at.to_string(),
        Cell::Empty => String::new(),
    });
    let quoted: Vec<Cow<'_, str>> = cells.iter().map(|c| quoted(c)).collect();
    write!(out, "{}\r\n", quoted.join(","))
}

/// Writes a line of words, made safe as those of a mention are; numbers stay numbers.
///
/// # Errors
/// When the writer fails.
pub fn cells(out: &mut impl Write, words: &[String]) -> std::io::Result<()> {
    let number = |w: &str| w.parse::<f64>().is_ok();
    let safe: Vec<String> = words.iter().map(|w| if number(w) { w.clone() } else { safe(w) }).collect();
    let quoted: Vec<Cow<'_, str>> = safe.iter().map(|w| quoted(w)).collect();
    write!(out, "{}\r\n", quoted.join(","))
}

/// Strangers' words never begin as a formula does: an apostrophe stands before what could (F66). It stands before those
/// too that have an apostrophe there already, so that the import knows which to take away.
fn safe(text: &str) -> String {
    if is_like_formula(text) { format!("'{text}") } else { text.to_owned() }
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
        let mut out = Vec::new();
        cells(&mut out, &["-1.5".into(), "-a".into()]).expect("memory");
        assert_eq!(out, b"-1.5,'-a\r\n");
    }
}
