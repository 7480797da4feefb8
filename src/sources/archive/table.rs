//! Rows of CSV, whatever stands between the cells and above the header.

use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::text::clean::is_like_formula;

use super::{Cell, Each, MOST_COLUMNS, MOST_ROW, Row, columns};

/// What may stand between cells.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Rows that are looked at.
const LOOKED_AT: usize = 40;

/// The delimiter, and how many rows stand above the header, from the beginning of the text.
pub(super) fn guess(beginning: &str, wished: &[String]) -> (u8, usize) {
    let score = |delimiter: u8| {
        let records = beginnings(beginning, delimiter);
        let rows = || records.iter().map(|r| r.iter().map(String::as_str).collect::<Vec<_>>());
        let head = columns::header(rows(), wished);
        let names = records.get(head).map_or(&[][..], Vec::as_slice);
        let known = names.iter().filter(|c| columns::is_name(c) || wished.contains(c)).count();
        // Rows as wide as the header speak for the delimiter.
        let alike = records.iter().skip(head + 1).filter(|r| r.len() == names.len() && r.len() > 1).count();
        ((known, alike), delimiter, head)
    };
    // Of equals the first, which is the usual one.
    let best = DELIMITERS.map(score).into_iter().rev().max_by_key(|(score, ..)| *score);
    best.map_or((b',', 0), |(_, delimiter, head)| (delimiter, head))
}

fn beginnings(text: &str, delimiter: u8) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    let mut each = |row: Row| {
        out.push(row.cells.unwrap_or_default().iter().map(|c| c.show().trim().to_owned()).collect());
        if out.len() < LOOKED_AT { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    // Memory does not fail.
    rows(text.as_bytes(), delimiter, 0, 0, &mut each).ok();
    out
}

/// Hands out the rows after the first `skip`, each `width` cells wide, or as it is where that is 0.
pub(super) fn rows(text: impl Read, delimiter: u8, skip: usize, width: usize, each: Each<'_>) -> std::io::Result<()> {
    let mut text = BufReader::with_capacity(128 << 10, text);
    let mut reader = ReaderBuilder::new().delimiter(delimiter).build();
    let mut row = Record::default();
    for n in 0usize.. {
        let Some(number) = row.read(&mut reader, &mut text)? else { break };
        if n < skip {
            continue;
        }
        let cells = if row.long { Err(TOO_LONG.to_owned()) } else { Ok(row.cells(width)) };
        if each(Row { number, cells }).is_break() {
            break;
        }
    }
    Ok(())
}

const TOO_LONG: &str = "it is longer than 1 MiB; a quote that is opened and never closed makes such rows";

/// One record, in buffers that are used again and never grow beyond a row.
#[derive(Default)]
struct Record {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    long: bool,
}

impl Record {
    /// Reads the next record; the number of the line where it begins, `None` at the end.
    fn read(&mut self, reader: &mut Reader, text: &mut impl BufRead) -> std::io::Result<Option<u64>> {
        let (mut bytes, mut ends) = (0, 0);
        self.long = false;
        self.bytes.resize(self.bytes.capacity().max(16 << 10), 0);
        self.ends.resize(MOST_COLUMNS, 0);
        // Ends of lines that belong to the row before, and empty lines, are read first.
        let mut line = None;
        loop {
            let input = text.fill_buf()?;
            if line.is_none() && !input.is_empty() {
                let blank = input.iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
                let breaks = input.iter().take(blank).filter(|b| **b == b'\n').count() as u64;
                if blank > 0 {
                    reader.set_line(reader.line() + breaks);
                    text.consume(blank);
                    continue;
                }
                line = Some(reader.line());
            }
            let (out, marks) = (self.bytes.get_mut(bytes..), self.ends.get_mut(ends..));
            let (result, read, wrote, ended) =
                reader.read_record(input, out.unwrap_or_default(), marks.unwrap_or_default());
            text.consume(read);
            bytes += wrote;
            ends += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.bytes.len() < MOST_ROW => {
                    self.bytes.resize((self.bytes.len() * 2).min(MOST_ROW), 0);
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    // No row: go on with the next line.
                    let line_now = reader.line();
                    text.skip_until(b'\n')?;
                    reader.reset();
                    reader.set_line(line_now + 1);
                    self.long = true;
                    return Ok(Some(line.unwrap_or(1)));
                }
                ReadRecordResult::Record => {
                    self.bytes.truncate(bytes);
                    self.ends.truncate(ends);
                    return Ok(Some(line.unwrap_or(1)));
                }
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    fn cells(&self, width: usize) -> Vec<Cell> {
        let mut from = 0;
        let cell = |end: &usize| {
            let bytes = self.bytes.get(from..*end).unwrap_or_default();
            from = *end;
            Cell::of(unquoted(&String::from_utf8_lossy(bytes)))
        };
        let mut cells: Vec<Cell> = self.ends.iter().map(cell).collect();
        if width > 0 {
            cells.resize(width, Cell::Empty);
        }
        cells
    }
}

/// The apostrophe that keeps a cell from being taken for a formula is not part of what was said.
fn unquoted(text: &str) -> String {
    let bare = text.strip_prefix('\'').filter(|rest| is_like_formula(rest));
    bare.unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, delimiter: u8) -> Vec<(u64, String)> {
        let mut out = Vec::new();
        let mut each = |row: Row| {
            let cells = row.cells.map(|c| c.iter().map(Cell::show).collect::<Vec<_>>().join("¦"));
            out.push((row.number, cells.unwrap_or_else(|e| e)));
            ControlFlow::Continue(())
        };
        rows(text.as_bytes(), delimiter, 0, 0, &mut each).expect("memory");
        out
    }

    #[test]
    fn quotes_line_ends_and_numbers_of_lines() {
        let found = all("a,b\r\n\"x, \"\"y\"\"\nz\",2\r\n\r\n'=1,'tis\n", b',');
        assert_eq!(
            found,
            [(1, "a¦b".into()), (2, "x, \"y\"\nz¦2".into()), (5, "=1¦'tis".into())] as [(u64, String); 3]
        );
    }

    #[test]
    fn a_quote_without_end_costs_one_row_at_most_a_mebibyte() {
        let mut text = format!("a,b\n\"open{},x\n", "y".repeat(2 * MOST_ROW));
        text.push_str("1,2\n");
        let found = all(&text, b',');
        assert_eq!(found.len(), 3, "{:?}", found.iter().map(|f| f.0).collect::<Vec<_>>());
        assert!(found[1].1.contains("never closed") && found[2].1 == "1¦2");
    }

    #[test]
    fn delimiters_and_headers_are_found() {
        assert_eq!(guess("Date;Title;Text\n1;a, b;c, d\n2;e, f;g, h\n", &[]), (b';', 0));
        assert_eq!(guess("Date\tTitle\tText\n1\ta, b\tc, d\n", &[]), (b'\t', 0));
        assert_eq!(guess("Report,Acme\nFrom,\"1 Jan, 2026\"\n\nDate,Title,Full Text\n1,a;b,c;d\n", &[]), (b',', 2));
        assert_eq!(guess("one\ntwo\n", &[]), (b',', 0));
        assert_eq!(guess("Wann|Was\n1|a\n2|b\n", &["Wann".into(), "Was".into()]), (b'|', 0));
    }
}
