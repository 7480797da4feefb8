//! Mentions as a workbook for Excel (XLSX), such that words are always words, numbers numbers and times times.

use std::borrow::Cow;
use std::io::{Seek, Write};
use std::path::Path;

use jiff::Timestamp;
use rust_xlsxwriter::{Format, Worksheet, XlsxError};

use super::table::{self, COLUMNS, Cell};
use crate::model::Mention;
use crate::model::time::Span;

/// A workbook that cannot be written: the disk, the place for temporary files, or whoever takes it.
#[derive(Debug, thiserror::Error)]
#[error("the workbook cannot be written")]
pub struct XlsxFailed(#[from] XlsxError);

/// Rows of a sheet, the head among them: Excel opens no more.
const MOST_ROWS: u32 = 1_048_576;
/// Characters of a cell as Excel counts them, in units of UTF-16.
const MOST_UNITS: usize = 32_767;
/// Days from Excel's day 0 to 1970; and the days that it can show, without those of 1900 that it counts wrongly.
const EPOCH: f64 = 25_569.0;
const SHOWN: std::ops::Range<f64> = 61.0..2_958_466.0;
const DAY: f64 = 86_400_000.0;

/// A workbook on its way to disk. Rows go to a temporary file as they come, so memory stays the same however many.
pub struct Workbook {
    book: rust_xlsxwriter::Workbook,
    bold: Format,
    time: Format,
    share: Format,
    /// Sheets begun, and the row that comes next in the last one.
    sheets: usize,
    next: u32,
    most: u32,
}

impl Default for Workbook {
    fn default() -> Workbook {
        Workbook::new()
    }
}

impl std::fmt::Debug for Workbook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a workbook of {} sheets", self.sheets)
    }
}

impl Workbook {
    /// An empty workbook whose temporary files stand in a folder; the system's own may be in memory, and small.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn in_folder(dir: &Path) -> Result<Workbook, XlsxFailed> {
        let mut workbook = Workbook::new();
        workbook.book.set_tempdir(dir)?;
        Ok(workbook)
    }

    /// An empty workbook.
    pub fn new() -> Workbook {
        Workbook {
            book: rust_xlsxwriter::Workbook::new(),
            bold: Format::new().set_bold(),
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
            share: Format::new().set_num_format("0.000"),
            sheets: 0,
            next: 0,
            most: MOST_ROWS,
        }
    }

    /// Adds the row of a mention; past the last row that Excel opens, the next sheet begins.
    ///
    /// # Errors
    /// When temporary files cannot be written.
    pub fn add(&mut self, m: &Mention) -> Result<(), XlsxFailed> {
        if self.sheets == 0 || self.next >= self.most {
            self.begin()?;
        }
        let sheet = self.book.worksheet_from_index(self.sheets - 1)?;
        for (column, cell) in (0u16..).zip(table::row(m)) {
            write(sheet, self.next, column, &cell, &self.time, &self.share)?;
        }
        self.next += 1;
        Ok(())
    }

    /// Ends the last sheet, and writes the workbook.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(mut self, out: impl Write + Seek + Send) -> Result<(), XlsxFailed> {
        if self.sheets == 0 {
            self.begin()?;
        }
        self.end()?;
        Ok(self.book.save_to_writer(out)?)
    }

    /// Begins a sheet: its head in bold, which stays in sight and filters.
    fn begin(&mut self) -> Result<(), XlsxFailed> {
        if self.sheets > 0 {
            self.end()?;
        }
        self.sheets += 1;
        let name = if self.sheets == 1 { "mentions".to_owned() } else { format!("mentions {}", self.sheets) };
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?;
        sheet.set_freeze_panes(1, 0)?;
        for (column, title) in (0u16..).zip(COLUMNS) {
            sheet.set_column_width(column, width(title))?;
            sheet.write_string_with_format(0, column, title, &self.bold)?;
        }
        self.next = 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), XlsxFailed> {
        let last = u16::try_from(COLUMNS.len() - 1).unwrap_or(u16::MAX);
        self.book.worksheet_from_index(self.sheets - 1)?.autofilter(0, 0, self.next.saturating_sub(1), last)?;
        Ok(())
    }
}

fn write(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &Cell<'_>,
    time: &Format,
    share: &Format,
) -> Result<(), XlsxFailed> {
    let text = |sheet: &mut Worksheet, text: &str| -> Result<(), XlsxFailed> {
        // An empty cell is left out: it filters as blank.
        if !text.is_empty() {
            sheet.write_string(row, column, cut(text))?;
        }
        Ok(())
    };
    match cell {
        Cell::Text(words) | Cell::Word(words) => text(sheet, words)?,
        Cell::Names(names) => text(sheet, &names.join(" "))?,
        Cell::Count(n) => {
            sheet.write_number(row, column, *n as f64)?;
        }
        Cell::Share(n) => {
            sheet.write_number_with_format(row, column, (f64::from(*n) * 1000.0).round() / 1000.0, share)?;
        }
        Cell::Time(at) => match serial(*at) {
            Some(days) => {
                sheet.write_number_with_format(row, column, days, time)?;
            }
            None => text(sheet, &at.to_string())?,
        },
        Cell::Empty => {}
    }
    Ok(())
}

/// An instant as Excel counts time, in days, in UTC; `None` where Excel has no such day.
fn serial(at: Timestamp) -> Option<f64> {
    let days = at.as_millisecond() as f64 / DAY + EPOCH;
    SHOWN.contains(&days).then_some(days)
}

/// The same as a clock in a zone shows it.
pub(super) fn serial_in(at: Timestamp, zone: &jiff::tz::TimeZone) -> Option<f64> {
    let offset = zone.to_offset(at).seconds();
    serial(at + Span::secs(i64::from(offset)))
}

/// What a cell can hold of a text.
pub(super) fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= MOST_UNITS || text.encode_utf16().count() <= MOST_UNITS {
        return text.into();
    }
    let mut units = 0;
    let fits = |c: &char| {
        units += c.len_utf16();
        units < MOST_UNITS
    };
    let mut short: String = text.chars().take_while(fits).collect();
    short.push('…');
    short.into()
}

/// Wide enough for what stands in a column, and not wider than a screen can bear.
fn width(column: &str) -> f64 {
    match column {
        "text" => 80.0,
        "title" => 50.0,
        "url" => 40.0,
        "source" | "site" | "author" | "topics" => 22.0,
        "published" | "received" => 19.0,
        "handle" => 18.0,
        _ => 12.0,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader, Xlsx};

    use super::*;
    use crate::engine::window::tests::mention;
    use crate::model::Author;

    fn read(book: Workbook) -> Xlsx<Cursor<Vec<u8>>> {
        let mut out = Cursor::new(Vec::new());
        book.save(&mut out).expect("it is written");
        Xlsx::new(out).expect("it is a workbook")
    }

    fn cell(rows: &calamine::Range<Data>, row: u32, name: &str) -> Data {
        let column = COLUMNS.iter().position(|c| *c == name).expect("a column");
        rows.get_value((row, u32::try_from(column).expect("few"))).cloned().unwrap_or(Data::Empty)
    }

    #[test]
    fn every_cell_is_what_it_is() {
        let m = Mention {
            id: 7,
            at: "2026-03-10T08:15:30.500Z".parse().expect("a time"),
            title: "Acme kettles".into(),
            url: "https://news.example/a".into(),
            author: Author { followers: Some(1200), ..Author::default() },
            sentiment: Some(-0.4567),
            reach: 5_000_000_000,
            topics: vec!["acme".into(), "safety".into()],
            ..mention(7, 0, 0.0)
        };
        let mut book = Workbook::new();
        book.add(&m).expect("added");
        book.add(&Mention { sentiment: None, author: Author::default(), ..m }).expect("added");
        let rows = read(book).worksheet_range("mentions").expect("the sheet");
        assert_eq!(rows.rows().next().expect("a head").len(), COLUMNS.len());
        for (n, name) in (0u32..).zip(COLUMNS) {
            assert_eq!(rows.get_value((0, n)), Some(&Data::String(name.into())));
        }
        assert_eq!(cell(&rows, 1, "id"), Data::Float(7.0));
        assert_eq!(cell(&rows, 1, "reach"), Data::Float(5_000_000_000.0));
        assert_eq!(cell(&rows, 1, "followers"), Data::Float(1200.0));
        assert_eq!(cell(&rows, 1, "sentiment"), Data::Float(-0.457));
        assert_eq!(cell(&rows, 1, "label"), Data::String("negative".into()));
        assert_eq!(cell(&rows, 1, "topics"), Data::String("acme safety".into()));
        assert_eq!(cell(&rows, 1, "url"), Data::String("https://news.example/a".into()));
        let Data::DateTime(at) = cell(&rows, 1, "published") else { panic!("a time is a time") };
        assert!(at.is_datetime() && (at.as_f64() - 46_091.344_103_009).abs() < 1e-6, "{at:?}");
        assert_eq!((cell(&rows, 2, "sentiment"), cell(&rows, 2, "followers")), (Data::Empty, Data::Empty));
        assert_eq!(cell(&rows, 2, "handle"), Data::Empty);
    }

    #[test]
    fn no_words_are_a_formula_or_a_link() {
        let texts = [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "＝1",
            "＋1",
            "－1",
            "＠x",
            "  =cmd|' /C calc'!A0",
            "=HYPERLINK(\"https://evil.example\")",
            "https://evil.example/",
            "mailto:a@evil.example",
            "12345",
            "2026-03-10",
            "TRUE",
            "_x0041_",
            "<b>&amp;</b>",
            "two\nlines",
            " spaces ",
        ];
        let mut book = Workbook::new();
        for text in texts {
            book.add(&Mention { text: text.into(), title: text.into(), ..mention(1, 0, 0.0) }).expect("added");
        }
        let mut out = Cursor::new(Vec::new());
        book.save(&mut out).expect("it is written");
        if let Some(dir) = std::env::var_os("VAKT_PICTURES") {
            std::fs::write(std::path::Path::new(&dir).join("mentions.xlsx"), out.get_ref()).expect("written");
        }
        let mut read = Xlsx::new(out).expect("it is a workbook");
        let rows = read.worksheet_range("mentions").expect("the sheet");
        for (n, text) in (1u32..).zip(texts) {
            assert_eq!(cell(&rows, n, "text"), Data::String(text.into()));
            assert_eq!(cell(&rows, n, "title"), Data::String(text.into()));
        }
        assert!(read.worksheet_formula("mentions").expect("the sheet").is_empty());
    }

    #[test]
    fn long_texts_are_cut_and_many_rows_go_on_in_another_sheet() {
        let mut book = Workbook { most: 3, ..Workbook::new() };
        for id in 1..=5 {
            let text = if id == 1 { "🔥".repeat(20_000) } else { "a".repeat(MOST_UNITS) };
            book.add(&Mention { text, ..mention(id, 0, 0.0) }).expect("added");
        }
        let mut read = read(book);
        assert_eq!(read.sheet_names(), ["mentions", "mentions 2", "mentions 3"]);
        let first = read.worksheet_range("mentions").expect("the sheet");
        let Data::String(text) = cell(&first, 1, "text") else { panic!("a text") };
        assert!(text.ends_with("🔥…") && text.encode_utf16().count() <= MOST_UNITS);
        assert_eq!(cell(&first, 2, "text"), Data::String("a".repeat(MOST_UNITS)));
        let last = read.worksheet_range("mentions 3").expect("the sheet");
        assert_eq!((cell(&last, 0, "id"), cell(&last, 1, "id")), (Data::String("id".into()), Data::Float(5.0)));
    }

    #[test]
    fn temporary_files_stand_where_they_are_told_and_go() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut book = Workbook::in_folder(dir.path()).expect("a folder");
        book.add(&mention(1, 0, 0.0)).expect("added");
        assert_eq!(read(book).worksheet_range("mentions").expect("the sheet").height(), 2);
        assert_eq!(std::fs::read_dir(dir.path()).expect("read").count(), 0);
        assert!(Workbook::in_folder(&dir.path().join("none")).is_err());
    }

    #[test]
    fn nothing_found_is_a_head_alone_and_times_that_excel_has_not_are_words() {
        assert_eq!(read(Workbook::new()).worksheet_range("mentions").expect("the sheet").height(), 1);
        let mut book = Workbook::new();
        book.add(&Mention { at: Timestamp::MIN, ..mention(1, 0, 0.0) }).expect("added");
        let rows = read(book).worksheet_range("mentions").expect("the sheet");
        assert!(matches!(cell(&rows, 1, "published"), Data::String(_)));
    }
}
