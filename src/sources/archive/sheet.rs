//! Rows of workbooks (XLSX), times as times.

use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use calamine::{DataRef, ExcelDateTime, Reader, Xlsx, XlsxError};
use jiff::civil::{Date, DateTime};

use super::{Cell, Each, MOST_COLUMNS, MOST_ROW, Row, columns};

/// Rows that are looked at in each sheet.
const LOOKED_AT: usize = 40;

/// The sheets that hold the mentions, where the header stands, and what it says.
pub(super) struct Best {
    pub(super) sheets: Vec<String>,
    pub(super) head: usize,
    pub(super) columns: Vec<Cell>,
    pub(super) rows: u64,
}

type Book = Xlsx<BufReader<File>>;

fn open(path: &Path) -> Result<Book, String> {
    let file = File::open(path).map_err(|e| format!("cannot be read: {e}"))?;
    Xlsx::new(BufReader::new(file)).map_err(|e| match e {
        XlsxError::Password => "the workbook is locked with a password; save it without one".to_owned(),
        e => format!("this is no workbook that can be read ({e}); save it as CSV instead"),
    })
}

/// The sheet whose header names most, and those built alike: long exports go on in a second sheet.
pub(super) fn choose(path: &Path, wished: &[String]) -> Result<Best, String> {
    let mut book = open(path)?;
    let mut found: Vec<(usize, String, usize, Vec<Cell>, u64)> = Vec::new();
    for name in book.sheet_names() {
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        let length = walk(&mut book, &name, &mut |row| {
            rows.push(row.cells.unwrap_or_default());
            if rows.len() < LOOKED_AT { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        // Sheets of charts have no rows.
        let Ok(length) = length else { continue };
        let words: Vec<Vec<String>> =
            rows.iter().map(|r| r.iter().map(|c| c.show().trim().to_owned()).collect()).collect();
        let head = columns::header(words.iter().map(|r| r.iter().map(String::as_str).collect()), wished);
        let Some(names) = words.get(head) else { continue };
        let known = names.iter().filter(|c| columns::is_name(c) || wished.contains(c)).count();
        found.push((known, name, head, rows.swap_remove(head), length));
    }
    let best = found.iter().rev().max_by_key(|(known, ..)| *known).ok_or("there are no rows in it")?;
    let alike = found.iter().filter(|(_, _, head, names, _)| *head == best.2 && *names == best.3);
    let rows = alike.clone().map(|(.., length)| *length).sum();
    let sheets = alike.map(|(_, name, ..)| name.clone()).collect();
    Ok(Best { sheets, head: best.2, columns: best.3.clone(), rows })
}

/// Hands out the rows of some sheets after the first `skip` of each; `read` counts them all.
pub(super) fn rows(
    path: &Path,
    sheets: &[String],
    skip: usize,
    width: usize,
    read: &AtomicU64,
    each: Each<'_>,
) -> Result<(), String> {
    let mut book = open(path)?;
    for sheet in sheets {
        let (mut n, mut enough) = (0usize, false);
        walk(&mut book, sheet, &mut |row| {
            n += 1;
            read.fetch_add(1, Ordering::Relaxed);
            if n <= skip {
                return ControlFlow::Continue(());
            }
            let cells = row.cells.map(|mut cells| {
                cells.resize(width, Cell::Empty);
                cells
            });
            let answer = each(Row { cells, ..row });
            enough = answer.is_break();
            answer
        })?;
        if enough {
            break;
        }
    }
    Ok(())
}

/// Hands out the rows of a sheet that hold anything; says how many rows it claims to have.
fn walk(book: &mut Book, sheet: &str, each: Each<'_>) -> Result<u64, String> {
    let broken = |e: XlsxError| format!("sheet {sheet} is damaged ({e}); save the workbook again, or as CSV");
    let mut reader = book.worksheet_cells_reader(sheet).map_err(broken)?;
    let claimed = u64::from(reader.dimensions().end.0) + 1;
    let mut row: Vec<Cell> = Vec::new();
    let (mut at, mut bytes) = (0u32, 0usize);
    let mut give = |row: &mut Vec<Cell>, at: u32, bytes: usize| {
        if row.iter().all(|c| *c == Cell::Empty) {
            row.clear();
            return ControlFlow::Continue(());
        }
        let cells = std::mem::take(row);
        let cells = if bytes > MOST_ROW { Err("it is longer than 1 MiB".to_owned()) } else { Ok(cells) };
        each(Row { number: u64::from(at) + 1, cells })
    };
    while let Some(cell) = reader.next_cell().map_err(broken)? {
        let (line, column) = cell.get_position();
        if line != at {
            if give(&mut row, at, bytes).is_break() {
                return Ok(claimed);
            }
            (at, bytes) = (line, 0);
        }
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if column >= MOST_COLUMNS {
            continue;
        }
        if row.len() <= column {
            row.resize(column + 1, Cell::Empty);
        }
        if let Some(place) = row.get_mut(column) {
            *place = read_cell(cell.get_value());
            bytes += place.bytes();
        }
    }
    // It was the last one, so nobody's answer matters.
    give(&mut row, at, bytes).is_break();
    Ok(claimed)
}

fn read_cell(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Int(n) => Cell::Text(n.to_string()),
        DataRef::Float(n) => Cell::Text(n.to_string()),
        DataRef::String(text) => Cell::of(text.clone()),
        DataRef::SharedString(text) => Cell::of((*text).to_owned()),
        DataRef::Bool(yes) => Cell::Text(yes.to_string()),
        DataRef::DateTime(at) => civil(at).map_or_else(|| Cell::Text(at.as_f64().to_string()), Cell::Time),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Cell::of(text.clone()),
        DataRef::Error(_) | DataRef::Empty => Cell::Empty,
    }
}

fn civil(at: &ExcelDateTime) -> Option<DateTime> {
    let (year, month, day, hour, minute, second, ms) = at.to_ymd_hms_milli();
    let small = |n: u8| i8::try_from(n).ok();
    let date = Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()?;
    let nanos = i32::from(ms) * 1_000_000;
    Some(date.at(small(hour)?, small(minute)?, small(second)?, nanos))
}
