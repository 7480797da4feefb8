//! Calendars out of workbooks (XLSX): the first sheet with rows, as the CSV that Excel would save of it, a row a line.

use std::io::{Cursor, Read};

use calamine::{DataRef, ExcelDateTime, Reader, Xlsx, XlsxError};
use jiff::civil::Date;

/// Most cells of a row, and longest text that comes out of a workbook, in bytes: what packs better is no calendar.
const MOST_COLUMNS: u32 = 200;
const MOST_BYTES: usize = 4 << 20;
/// Most that it may hold once it is unpacked, in bytes: the library unpacks as much as there is.
const MOST_UNPACKED: u64 = 64 << 20;
/// Most empty rows that are kept so that lines are those of the sheet.
const MOST_EMPTY: u32 = 100_000;

/// The rows of a workbook as CSV. Line n is row n of the sheet: line ends within a cell become spaces.
///
/// # Errors
/// In a sentence: when it is no workbook, is locked or damaged, or holds too much.
pub(in crate::rules) fn csv(bytes: &[u8]) -> Result<String, String> {
    if !is_bounded(bytes, MOST_UNPACKED) {
        return Err(format!("it holds more than {} MiB once it is unpacked; it is no calendar", MOST_UNPACKED >> 20));
    }
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(|e| match e {
        XlsxError::Password => "it is locked with a password; save it without one".to_owned(),
        e => format!("it is no workbook that can be read ({e}); save it as XLSX or CSV again"),
    })?;
    for name in book.sheet_names() {
        // Sheets of charts have no rows.
        let Ok(mut cells) = book.worksheet_cells_reader(&name) else { continue };
        let (mut out, mut row, mut column) = (String::new(), 0, 0);
        loop {
            let cell = cells.next_cell().map_err(|e| format!("its sheet {name} is damaged ({e}); save it again"))?;
            let Some(cell) = cell else { break };
            let ((line, at), value) = (cell.get_position(), written(cell.get_value()));
            if value.is_empty() || at >= MOST_COLUMNS {
                continue;
            }
            if line.saturating_sub(row) > MOST_EMPTY {
                return Err(format!("its row {} is too far down; take out the empty rows", u64::from(line) + 1));
            }
            while row < line {
                out.push('\n');
                (row, column) = (row + 1, 0);
            }
            while column < at {
                out.push(',');
                column += 1;
            }
            out.push_str(&quoted(&value));
            if out.len() > MOST_BYTES {
                return Err(format!(
                    "it holds more than {} MiB of text; leave out what is long over",
                    MOST_BYTES >> 20
                ));
            }
        }
        if !out.trim().is_empty() {
            return Ok(out);
        }
    }
    Ok(String::new())
}

/// Whether all that is packed in it has at most so many bytes, counted while it is unpacked and thrown away: what it says of
/// itself may be untrue.
fn is_bounded(bytes: &[u8], most: u64) -> bool {
    let Ok(mut packed) = zip::ZipArchive::new(Cursor::new(bytes)) else { return true };
    let (mut left, mut some) = (most, [0u8; 8192]);
    for n in 0..packed.len() {
        let Ok(mut entry) = packed.by_index(n) else { continue };
        // One that is damaged further on counts up to there.
        while let Ok(read @ 1..) = entry.read(&mut some) {
            match left.checked_sub(read as u64) {
                Some(rest) => left = rest,
                None => return false,
            }
        }
    }
    true
}

fn quoted(value: &str) -> String {
    let line = value.split(['\r', '\n']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    if line.contains([',', '"', ';', '\t']) { format!("\"{}\"", line.replace('"', "\"\"")) } else { line }
}

/// A cell as people would write it: days and times in ISO 8601, numbers with a point.
fn written(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(n) => n.to_string(),
        DataRef::Float(n) => n.to_string(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(at) => civil(at).unwrap_or_else(|| at.as_f64().to_string()),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

/// A day, a day with a time, or a time alone where the cell has no day.
fn civil(at: &ExcelDateTime) -> Option<String> {
    let (year, month, day, hour, minute, second, ms) = at.to_ymd_hms_milli();
    let small = |n: u8| i8::try_from(n).ok();
    // What is half a second short of a minute is that minute: times of day are fractions.
    let late = i64::from(second >= 59 && ms >= 500);
    let date = Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()?;
    let time = date.at(small(hour)?, small(minute)?, 0, 0).checked_add(jiff::SignedDuration::from_mins(late)).ok()?;
    let clock = time.strftime("%H:%M").to_string();
    Some(match (at.as_f64() < 1.0, at.as_f64().fract() == 0.0) {
        (true, _) => clock,
        (false, true) => date.to_string(),
        (false, false) => format!("{} {clock}", time.date()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workbook(rows: &[&[&str]], day: Option<(u32, u16, f64)>) -> Vec<u8> {
        let mut book = rust_xlsxwriter::Workbook::new();
        book.add_worksheet().set_name("notes").expect("a name");
        let sheet = book.add_worksheet();
        for (r, row) in (0u32..).zip(rows) {
            for (c, cell) in (0u16..).zip(*row) {
                sheet.write_string(r, c, *cell).expect("written");
            }
        }
        if let Some((row, column, serial)) = day {
            let format = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd hh:mm");
            sheet.write_number_with_format(row, column, serial, &format).expect("written");
        }
        book.save_to_buffer().expect("saved")
    }

    #[test]
    fn rows_are_lines_and_days_are_days() {
        let rows: &[&[&str]] =
            &[&["Start", "Title", "Text"], &[], &["", "Launch, at \"last\"", "Two\nlines"], &["2026-03-11", "Fair"]];
        // 2026-03-10 09:00, as Excel keeps it.
        let text = csv(&workbook(rows, Some((2, 0, 46_091.375)))).expect("read");
        assert_eq!(text, "Start,Title,Text\n\n2026-03-10 09:00,\"Launch, at \"\"last\"\"\",Two lines\n2026-03-11,Fair");
        let day = |serial| csv(&workbook(&[&["Start"]], Some((1, 0, serial)))).expect("read");
        assert_eq!((day(46_091.0).as_str(), day(0.375).as_str()), ("Start\n2026-03-10", "Start\n09:00"));
    }

    #[test]
    fn what_is_no_workbook_or_too_much_says_so() {
        assert!(csv(b"start,title\n").expect_err("text").contains("no workbook"));
        assert_eq!(csv(&workbook(&[], None)).expect("empty"), "");
        let far = workbook(&[&["Start"]], Some((1_000_000, 0, 46_091.0)));
        assert!(csv(&far).expect_err("far down").contains("row 1000001"));
        let long = "x".repeat(30_000);
        let rows: Vec<[&str; 1]> = (0..200).map(|_| [long.as_str()]).collect();
        let rows: Vec<&[&str]> = rows.iter().map(|r| r.as_slice()).collect();
        assert!(csv(&workbook(&rows, None)).expect_err("long").contains("4 MiB"));
    }

    #[test]
    fn what_unpacks_to_too_much_is_seen_before_it_is_read() {
        let book = workbook(&[&["Start", "x".repeat(30_000).as_str()]], None);
        assert!(is_bounded(&book, 1 << 20) && !is_bounded(&book, 20_000));
        assert!(is_bounded(b"start,title\n", 0), "what is no archive unpacks to nothing");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300), at in 0usize..4000, with in 0u8..) {
            csv(&bytes).ok();
            let mut book = workbook(&[&["Start", "Title"], &["2026-03-11", "Fair"]], None);
            let at = at % book.len();
            book[at] = with;
            csv(&book).ok();
        }
    }
}
