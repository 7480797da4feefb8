//! Files of labelled texts: TSV, or CSV with quotes; the first line names the columns, in any order.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context;

use super::super::{Refused, safe, warn};
use crate::sources::archive::{self, MOST_ROW};

/// Rows that are read of one file.
const MOST_ROWS: usize = 1_000_000;
/// Bytes that are read of one file.
const MOST_BYTES: u64 = 512 << 20;
/// Bad rows that are told one by one.
const TOLD: usize = 5;

/// The rows of a file that can be used.
#[derive(Debug, Default)]
pub(in crate::cli) struct Labelled {
    /// Columns that were asked for: the required ones, then those of the optional ones that are there.
    columns: Vec<&'static str>,
    /// The rows, in order.
    pub(in crate::cli) rows: Vec<Row>,
    /// Rows that cannot be used.
    pub(in crate::cli) bad: usize,
    /// Line and reason of the first of these.
    pub(in crate::cli) told: Vec<(u64, String)>,
}

/// One row.
#[derive(Debug)]
pub(in crate::cli) struct Row {
    /// The line where it begins, counted from 1.
    pub(in crate::cli) line: u64,
    cells: Vec<String>,
}

impl Labelled {
    /// Reads a file. Each row needs something in every required column. What is wrong with rows is told.
    ///
    /// # Errors
    /// When the file cannot be read, or lacks a required column, or has no row that can be used.
    pub(in crate::cli) fn read(
        path: &Path,
        required: &[&'static str],
        optional: &[&'static str],
    ) -> anyhow::Result<Labelled> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let tabs = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("tsv"));
        let labelled = Labelled::of(file.take(MOST_BYTES), tabs, required, optional)
            .with_context(|| format!("cannot use {}", path.display()))?;
        for (line, why) in &labelled.told {
            warn(&format!("{}:{line}: {why}", path.display()));
        }
        if labelled.bad > 0 {
            warn(&format!("{}: {} rows cannot be used", path.display(), labelled.bad));
        }
        if labelled.rows.is_empty() {
            return Err(Refused(format!("{} has no row that can be used", path.display())).into());
        }
        Ok(labelled)
    }

    /// The same of a text, without telling what is wrong with rows.
    pub(super) fn of(
        text: impl Read,
        tabs: bool,
        required: &[&'static str],
        optional: &[&'static str],
    ) -> anyhow::Result<Labelled> {
        let mut out = Labelled::default();
        let mut wrong = None;
        // Where the columns stand; `None` until the header is read.
        let mut places: Option<Vec<usize>> = None;
        let mut each = |line: u64, cells: Result<Vec<String>, String>| {
            let Some(places) = &places else {
                return match header(cells, required, optional) {
                    Ok((columns, found)) => {
                        (out.columns, places) = (columns, Some(found));
                        ControlFlow::Continue(())
                    }
                    Err(why) => {
                        wrong = Some(why);
                        ControlFlow::Break(())
                    }
                };
            };
            match cells.and_then(|cells| picked(&cells, places, required)) {
                Ok(cells) => out.rows.push(Row { line, cells }),
                Err(why) => {
                    out.bad += 1;
                    if out.told.len() < TOLD {
                        out.told.push((line, why));
                    }
                }
            }
            if out.rows.len() < MOST_ROWS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        if tabs {
            lines(text, &mut each)?;
        } else {
            archive::csv_rows(text, &mut each)?;
        }
        if wrong.is_none() && places.is_none() {
            wrong = Some("it is empty".into());
        }
        match wrong {
            Some(why) => Err(Refused(why).into()),
            None => Ok(out),
        }
    }

    /// Whether a column is there.
    pub(in crate::cli) fn has(&self, column: &str) -> bool {
        self.columns.contains(&column)
    }

    /// What a row says in a column; empty where there is none.
    pub(in crate::cli) fn cell<'r>(&self, row: &'r Row, column: &str) -> &'r str {
        let at = self.columns.iter().position(|c| *c == column);
        at.and_then(|at| row.cells.get(at)).map_or("", String::as_str)
    }
}

type Columns = (Vec<&'static str>, Vec<usize>);

fn header(
    cells: Result<Vec<String>, String>,
    required: &[&'static str],
    optional: &[&'static str],
) -> Result<Columns, String> {
    let names: Vec<String> = cells?.iter().map(|c| c.trim_start_matches('\u{feff}').trim().to_lowercase()).collect();
    let (mut columns, mut places) = (Vec::new(), Vec::new());
    for column in required.iter().chain(optional) {
        match names.iter().position(|n| n == column) {
            Some(at) => {
                columns.push(*column);
                places.push(at);
            }
            None if required.contains(column) => {
                let has: Vec<String> = names.iter().map(|n| format!("`{}`", safe(n, 30))).collect();
                let (has, needed) = (has.join(", "), required.join(", "));
                let may = if optional.is_empty() { "" } else { &format!("; {} may be there", optional.join(", ")) };
                return Err(format!(
                    "its first line names no column `{column}`; it has {has}. Needed are {needed}{may}"
                ));
            }
            None => {}
        }
    }
    Ok((columns, places))
}

fn picked(cells: &[String], places: &[usize], required: &[&'static str]) -> Result<Vec<String>, String> {
    let picked: Vec<String> = places.iter().map(|at| cells.get(*at).map_or("", |c| c.trim()).to_owned()).collect();
    match required.iter().zip(&picked).find(|(_, cell)| cell.is_empty()) {
        Some((column, _)) => Err(format!("there is nothing in column `{column}`")),
        None => Ok(picked),
    }
}

type Each<'a> = &'a mut dyn FnMut(u64, Result<Vec<String>, String>) -> ControlFlow<()>;

/// The lines of a text, cut at tabs; no line is kept that is longer than a row may be.
fn lines(text: impl Read, each: Each<'_>) -> std::io::Result<()> {
    let mut text = BufReader::with_capacity(128 << 10, text);
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        let limit = MOST_ROW as u64 + 1;
        if text.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let long = line.len() > MOST_ROW && !line.ends_with(b"\n");
        if long {
            text.skip_until(b'\n')?;
        }
        let whole = String::from_utf8_lossy(&line);
        let whole = whole.trim_end_matches(['\n', '\r']);
        if whole.trim().is_empty() {
            continue;
        }
        let cells = match long {
            true => Err("it is longer than 1 MiB".to_owned()),
            false => Ok(whole.split('\t').map(str::to_owned).collect()),
        };
        if each(number, cells).is_break() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, tabs: bool) -> anyhow::Result<Labelled> {
        Labelled::of(text.as_bytes(), tabs, &["text", "story"], &["time", "site"])
    }

    #[test]
    fn columns_are_found_by_name() {
        for (text, tabs) in [
            ("\u{feff}Story,site,Text,other\na,x.example,\"one, \"\"two\"\"\",9\n,,lost,\nb,,three,\n", false),
            ("story\tsite\ttext\tother\r\na\tx.example\tone, \"two\"\t9\r\n\t\tlost\t\r\n\r\nb\t\tthree\r\n", true),
        ] {
            let l = read(text, tabs).expect("it is in order");
            let row = |n: usize, column| l.cell(&l.rows[n], column).to_owned();
            assert_eq!((l.rows.len(), l.bad, l.has("site"), l.has("time")), (2, 1, true, false));
            assert_eq!(
                (row(0, "text"), row(0, "story"), row(0, "site")),
                ("one, \"two\"".into(), "a".into(), "x.example".into())
            );
            assert_eq!(
                (row(1, "text"), row(1, "site"), row(1, "time")),
                ("three".into(), String::new(), String::new())
            );
            assert_eq!(l.told, [(3, "there is nothing in column `story`".to_owned())]);
            assert_eq!(l.rows[1].line, if tabs { 5 } else { 4 });
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(read("", true).expect_err("empty").to_string().contains("empty"));
        let missing = read("text,label\na,b\n", false).expect_err("no story").to_string();
        assert!(missing.contains("`story`") && missing.contains("`label`"), "{missing}");
        let long = format!("text\tstory\n{}\tb\nc\td\n", "a".repeat(2 * MOST_ROW));
        let l = read(&long, true).expect("it is in order");
        assert_eq!((l.rows.len(), l.bad, l.told[0].0, l.rows[0].line), (1, 1, 2, 3));
    }
}
