//! Archives: files of mentions that other tools, or vakt itself, wrote. Read row by row, so that memory stays the same
//! however long they are.

mod capture;
mod columns;
mod guess;
mod lines;
mod places;
mod sheet;
mod table;
mod times;

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::civil::DateTime;
use xxhash_rust::xxh3::xxh3_128;

pub use capture::Plan;
pub use columns::{Field, Mapping, Wish, WrongMap};
pub use guess::Known;
pub(super) use places::{country_of, language_of};
pub(super) use times::instant;
pub use times::{Hint, Order, Reading, hint};

use super::charset::Charset;

/// A row longer than this is not one.
pub const MOST_ROW: usize = 1 << 20;
/// Workbooks are loaded whole in part, so they are bounded.
const MOST_WORKBOOK: u64 = 256 << 20;
/// Rows that are looked at before anything is imported, and the bytes of them that are kept.
const SAMPLE: usize = 1000;
const SAMPLE_BYTES: usize = 16 << 20;
/// Columns that are told apart.
const MOST_COLUMNS: usize = 500;
/// Beginning of a file by which it is known again.
const HEAD: u64 = 64 << 10;

/// What keeps an archive from being read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file is none that vakt reads.
    #[error("{path}: {why}")]
    Form {
        /// Which.
        path: PathBuf,
        /// Why not, and what to do.
        why: String,
    },
}

/// One cell of a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// Words or numbers.
    Text(String),
    /// A time on the wall.
    Time(DateTime),
    /// Several words.
    Names(Vec<String>),
}

impl Cell {
    fn of(text: String) -> Cell {
        if text.trim().is_empty() { Cell::Empty } else { Cell::Text(text) }
    }

    /// Its words, for showing.
    pub fn show(&self) -> String {
        match self {
            Cell::Empty => String::new(),
            Cell::Text(text) => text.clone(),
            Cell::Time(at) => at.to_string().replace('T', " "),
            Cell::Names(names) => names.join(", "),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Cell::Text(text) => text.len(),
            Cell::Names(names) => names.iter().map(String::len).sum(),
            _ => 16,
        }
    }
}

/// One row with the number of its line (or row of a sheet), and its cells in the order of the columns; or why it is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The line or row where it begins, counted from 1.
    pub number: u64,
    /// Its cells.
    pub cells: Result<Vec<Cell>, String>,
}

/// Hands out the rows of CSV with quotes and commas, each with the number of the line where it begins: the header too, as it
/// is. A row longer than [`MOST_ROW`] is handed out as the reason why it is none.
///
/// # Errors
/// When the text cannot be read.
pub fn csv_rows(
    text: impl Read,
    each: &mut dyn FnMut(u64, Result<Vec<String>, String>) -> ControlFlow<()>,
) -> std::io::Result<()> {
    table::rows(text, b',', 0, 0, &mut |row: Row| {
        each(row.number, row.cells.map(|cells| cells.iter().map(Cell::show).collect()))
    })
}

/// How a file is built.
#[derive(Debug, Clone, PartialEq)]
enum Form {
    Json(lines::Shape),
    /// Rows above the first mention are skipped.
    Csv {
        delimiter: u8,
        skip: usize,
    },
    Workbook {
        sheets: Vec<String>,
        skip: usize,
    },
}

/// A file of mentions, looked at.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    form: Form,
    charset: Charset,
    /// Its length in bytes; 0 where it is told in rows.
    pub length: u64,
    /// What it is known by: its length and how it begins.
    pub identity: String,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Its first rows.
    pub sample: Vec<Row>,
    /// Bytes read so far, by whoever reads.
    pub read: Arc<AtomicU64>,
}

/// Whoever takes rows says whether to go on.
pub(super) type Each<'a> = &'a mut dyn FnMut(Row) -> ControlFlow<()>;

impl Archive {
    /// Looks at a file: how it is built, its columns and its first rows. `wished` are columns that the call names.
    ///
    /// # Errors
    /// When it cannot be read, or is none that vakt reads.
    pub fn open(path: &Path, wished: &[String]) -> Result<Archive, ArchiveError> {
        let failed = |source| ArchiveError::File { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        if !about.is_file() {
            return Err(ArchiveError::Form { path: path.to_owned(), why: "this is no file".into() });
        }
        let mut head = Vec::new();
        file.by_ref().take(HEAD).read_to_end(&mut head).map_err(failed)?;
        let mut archive = Archive {
            path: path.to_owned(),
            form: Form::Json(lines::Shape::Lines),
            charset: Charset::UTF_8,
            length: about.len(),
            identity: format!("{}-{:032x}", about.len(), xxh3_128(&head)),
            columns: Vec::new(),
            sample: Vec::new(),
            read: Arc::default(),
        };
        if head.starts_with(b"PK\x03\x04") {
            archive.open_workbook(wished)?;
        } else if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
            return Err(
                archive.wrong("this is a workbook of the old kind (XLS) or a locked one; save it as XLSX or CSV")
            );
        } else if head.starts_with(&[0x1f, 0x8b]) {
            return Err(archive.wrong("this is packed with gzip; unpack it first (`gunzip`)"));
        } else if head.is_empty() {
            return Err(archive.wrong("the file is empty"));
        } else {
            archive.charset = Charset::of(File::open(path).map_err(failed)?).map_err(failed)?;
            let beginning = archive.charset.text(&head);
            match lines::Shape::of(&beginning) {
                Some(shape) => archive.open_json(shape)?,
                None => archive.open_csv(&beginning, wished)?,
            }
        }
        if archive.sample.is_empty() {
            return Err(archive.wrong("there are no rows in it"));
        }
        Ok(archive)
    }

    fn wrong(&self, why: impl Into<String>) -> ArchiveError {
        ArchiveError::Form { path: self.path.clone(), why: why.into() }
    }

    /// What it is, in a few words.
    pub fn about(&self) -> String {
        match &self.form {
            Form::Json(lines::Shape::Lines) => "JSON, one object a line".into(),
            Form::Json(_) => "JSON".into(),
            Form::Csv { delimiter, skip } => {
                let sign = match delimiter {
                    b'\t' => "tabs".to_owned(),
                    other => format!("`{}`", char::from(*other)),
                };
                format!("CSV with {sign}, {}{}", self.charset.name(), below(*skip))
            }
            Form::Workbook { sheets, skip } => format!("XLSX, sheet {}{}", sheets.join(", "), below(*skip)),
        }
    }

    fn open_json(&mut self, shape: lines::Shape) -> Result<(), ArchiveError> {
        self.form = Form::Json(shape);
        // Twice over the beginning: first for the names, then for the cells under them.
        let (mut columns, mut objects) = (Vec::new(), 0);
        self.json(&mut |_, cells| {
            objects += 1;
            for (name, _) in cells.into_iter().flatten() {
                if columns.len() < MOST_COLUMNS && !columns.contains(&name) {
                    columns.push(name);
                }
            }
            go_on(objects < SAMPLE)
        })?;
        self.columns = columns;
        self.take_sample()
    }

    fn open_csv(&mut self, beginning: &str, wished: &[String]) -> Result<(), ArchiveError> {
        let (delimiter, head) = table::guess(beginning, wished);
        self.form = Form::Csv { delimiter, skip: head };
        let mut columns = Vec::new();
        self.rows(&mut |row| {
            columns = row.cells.unwrap_or_default();
            ControlFlow::Break(())
        })?;
        self.columns = named(&columns);
        self.form = Form::Csv { delimiter, skip: head + 1 };
        self.take_sample()
    }

    fn open_workbook(&mut self, wished: &[String]) -> Result<(), ArchiveError> {
        if self.length > MOST_WORKBOOK {
            let size = self.length >> 20;
            return Err(self.wrong(format!("the workbook has {size} MiB, vakt reads 256; save it as CSV instead")));
        }
        let best = sheet::choose(&self.path, wished).map_err(|why| self.wrong(why))?;
        self.length = best.rows;
        self.columns = named(&best.columns);
        self.form = Form::Workbook { sheets: best.sheets, skip: best.head + 1 };
        self.take_sample()
    }

    fn take_sample(&mut self) -> Result<(), ArchiveError> {
        let mut sample = Vec::new();
        let mut bytes = 0;
        self.rows(&mut |row| {
            bytes += row.cells.iter().flatten().map(Cell::bytes).sum::<usize>();
            sample.push(row);
            go_on(sample.len() < SAMPLE && bytes < SAMPLE_BYTES)
        })?;
        self.sample = sample;
        Ok(())
    }

    /// Hands out the rows, one after the other, until whoever takes them has enough. Rows without any cell are left out.
    ///
    /// # Errors
    /// When the file cannot be read on.
    pub fn rows(&self, each: Each<'_>) -> Result<(), ArchiveError> {
        self.read.store(0, Ordering::Relaxed);
        let mut each = |row: Row| match &row.cells {
            Ok(cells) if cells.iter().all(|c| *c == Cell::Empty) => ControlFlow::Continue(()),
            _ => each(row),
        };
        match &self.form {
            Form::Json(_) => {
                let places = self.places();
                self.json(&mut |number, found| each(Row { number, cells: found.map(|f| self.placed(&places, f)) }))
            }
            Form::Csv { delimiter, skip } => {
                table::rows(self.text()?, *delimiter, *skip, self.columns.len(), &mut each).map_err(|e| self.failed(e))
            }
            Form::Workbook { sheets, skip } => {
                sheet::rows(&self.path, sheets, *skip, self.columns.len(), &self.read, &mut each)
                    .map_err(|why| self.wrong(why))
            }
        }
    }

    /// The cells of one object of JSON, in the order of the columns, for whoever knows where it stands.
    ///
    /// # Errors
    /// Why it is none.
    pub fn object(&self, text: &[u8]) -> Result<Vec<Cell>, String> {
        lines::cells(text).map(|found| self.placed(&self.places(), found))
    }

    fn places(&self) -> HashMap<&str, usize> {
        self.columns.iter().map(String::as_str).zip(0..).collect()
    }

    fn placed(&self, places: &HashMap<&str, usize>, found: Vec<(String, Cell)>) -> Vec<Cell> {
        let mut cells = vec![Cell::Empty; self.columns.len()];
        for (name, cell) in found {
            if let Some(place) = places.get(name.as_str()).and_then(|at| cells.get_mut(*at)) {
                *place = cell;
            }
        }
        cells
    }

    fn json(&self, each: lines::Each<'_>) -> Result<(), ArchiveError> {
        let Form::Json(shape) = &self.form else { return Ok(()) };
        lines::read(self.text()?, *shape, each).map_err(|e| self.failed(e))
    }

    fn failed(&self, source: std::io::Error) -> ArchiveError {
        ArchiveError::File { path: self.path.clone(), source }
    }

    /// The file as UTF-8, counted.
    fn text(&self) -> Result<impl Read + use<>, ArchiveError> {
        let file = File::open(&self.path).map_err(|e| self.failed(e))?;
        Ok(self.charset.reader(Counted { file, read: self.read.clone() }))
    }
}

fn go_on(yes: bool) -> ControlFlow<()> {
    if yes { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

fn below(skip: usize) -> String {
    if skip > 1 { format!(", header in row {skip}") } else { String::new() }
}

/// Names of columns, from the cells of the head.
fn named(cells: &[Cell]) -> Vec<String> {
    cells.iter().map(|c| c.show().trim().to_owned()).collect()
}

/// A file that counts what is read of it.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

#[cfg(test)]
mod tests;
