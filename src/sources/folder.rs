//! Files of mentions in a folder into which other tools drop them: read as `vakt import` reads them, but as news.
//!
//! A file is read once it has not grown for a while, or was renamed to its name; each batch of its rows and how far it was
//! read are one commit, and only then is it moved, to `done/` or `refused/`. Whoever is killed in between finds that out at
//! the next look, and no row is stored twice.

use std::collections::HashMap;
use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::archive::{Archive, ArchiveError, Wish};
use super::bounds::{MOST_REASONS, bounded};
use super::{Brought, Entry, FetchError, Fetching, Http, Kind, Source, Storing, settings};
use crate::config::written::Form;
use crate::model::time::{Span, between};

/// Files of mentions that other tools drop.
pub const KIND: Kind = Kind {
    name: "folder",
    about: "a folder into which other tools drop files of mentions: JSONL, JSON, CSV or XLSX",
    entry: Entry::Open,
    every: Some(Span::mins(1)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "folder"
name = "drop"
folder = "/var/spool/vakt/drop"       # readable and writable for vakt (ReadWritePaths= in the unit). A file in it is read as
                                      # `vakt import` reads it, but as news that may ring, and is then moved to done/, or to
                                      # refused/ beside a note that says why. Names that begin with a dot or end in .tmp, .part,
                                      # .partial or ~ are not looked at: write under such a name, then rename. What is in done/
                                      # is yours to delete: `vakt erase` and [retention] do not reach it
settle = "5s"                         # a file is read once it has not changed for so long (the default)
network = "forum"                     # of mentions whose columns and addresses do not tell it
language = "sv"                       # of mentions whose columns do not tell it
time_zone = "Europe/Stockholm"        # of times without an offset; else the system's
map = ["published=Datum", "reach="]   # fields whose columns are guessed wrongly; nothing after = leaves a field out
every = "1m"                          # the default"#;

/// Rows of one fetch; where there are more, the next follows at once, and reads the file from its beginning to get there:
/// as many as are kept at hand for the stages behind.
const BATCH: usize = 4_000;
/// Bytes of text in one fetch.
const BATCH_BYTES: usize = 16 << 20;
/// Files of one fetch.
const MOST_FILES: usize = 200;
/// Bytes of one file; `vakt import` reads longer ones.
const LONGEST: u64 = 256 << 20;
/// Faults of rows that a note tells.
const NOTED: usize = 100;
/// Endings of names under which files are still being written.
const UNFINISHED: [&str; 6] = [".tmp", ".part", ".partial", ".crdownload", ".swp", "~"];
/// How many files of one name are told apart in `done/`.
const MOST_NAMESAKES: usize = 10_000;

/// How far the folder has been read.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Cursor {
    /// The file at hand.
    file: Option<AtHand>,
    /// Files that are read, or refused, and still to be moved.
    away: Vec<Away>,
}

/// A file that is read in part.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct AtHand {
    name: String,
    /// What it is known by; another file of that name begins anew.
    identity: String,
    rows: u64,
    left_out: u64,
    faults: Vec<String>,
}

/// A file that is done with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Away {
    name: String,
    length: u64,
    /// When it was last written, milliseconds since 1970: another file of that name is another file.
    written: i64,
    refused: bool,
    /// What its note says; without one where that is empty.
    note: String,
}

/// A file in the folder.
#[derive(Debug, Clone, PartialEq)]
struct Dropped {
    name: String,
    length: u64,
    written: i64,
}

#[derive(Clone)]
struct Folder {
    folder: PathBuf,
    settle: Span,
    network: Option<String>,
    language: Option<String>,
    zone: TimeZone,
    wishes: Arc<Vec<Wish>>,
    /// Files that are not settled yet, and since when they are as they are.
    seen: Arc<Mutex<HashMap<String, (Dropped, Timestamp)>>>,
}

fn read(form: &Form<'_>, _: &[String]) -> Option<Box<dyn Source>> {
    let folder = settings::path(form, "folder");
    let settle = form.span("settle").map_or(Span::secs(5), |s| s.value);
    let network = form.text("network").map(|n| n.value);
    let language = form.text("language").map(|l| l.value);
    let zone = settings::zone(form).unwrap_or_else(TimeZone::system);
    let mut wishes = Vec::new();
    for wish in form.texts("map") {
        match Wish::parse(&wish.value) {
            Ok(wish) => wishes.push(wish),
            Err(e) => form.desk.error(wish.span, e.to_string(), "write for example \"published=Datum\""),
        }
    }
    let seen = Arc::default();
    Some(Box::new(Folder { folder: folder?, settle, network, language, zone, wishes: wishes.into(), seen }))
}

impl Source for Folder {
    fn fetch<'a>(&'a self, _: &'a Http, cursor: &'a serde_json::Value, now: Timestamp) -> Fetching<'a> {
        Box::pin(async move {
            let cursor: Cursor = serde_json::from_value(cursor.clone()).unwrap_or_default();
            let own = self.clone();
            let read = tokio::task::spawn_blocking(move || own.collect(cursor, now)).await;
            let wrong = |reason: String| FetchError::Unreadable { place: self.folder.display().to_string(), reason };
            let brought = read.map_err(|_| wrong("reading a file failed inside the file reader".into()))?;
            brought.map_err(|e| wrong(format!("the folder cannot be read: {e}")))
        })
    }

    /// Whoever drops a file here tells something now.
    fn begins_with_history(&self) -> bool {
        false
    }

    fn stored<'a>(&'a self, cursor: &'a serde_json::Value) -> Storing<'a> {
        Box::pin(async move {
            let cursor: Cursor = serde_json::from_value(cursor.clone()).unwrap_or_default();
            if cursor.away.is_empty() {
                return;
            }
            let own = self.clone();
            // What cannot be moved is told at the next look, which tries again.
            drop(tokio::task::spawn_blocking(move || own.put_away(cursor.away)).await);
        })
    }
}

/// What became of a file.
enum Read {
    /// Its rows to the end.
    Whole,
    /// A batch of them.
    Part,
}

/// Why a file was not read.
enum Unread {
    /// It is no longer there.
    Gone,
    /// It cannot be opened now.
    Closed(String),
    /// It is none that vakt reads.
    Refused(String),
}

impl From<ArchiveError> for Unread {
    fn from(e: ArchiveError) -> Unread {
        match e {
            ArchiveError::File { source, .. } if source.kind() == ErrorKind::NotFound => Unread::Gone,
            ArchiveError::File { source, .. } => Unread::Closed(source.to_string()),
            ArchiveError::Form { why, .. } => Unread::Refused(why),
        }
    }
}

impl Folder {
    /// Reads what is settled, the oldest first.
    fn collect(&self, cursor: Cursor, now: Timestamp) -> std::io::Result<Brought> {
        let mut brought = Brought::default();
        let (mut away, trouble) = self.put_away(cursor.away);
        brought.degraded = trouble;
        let mut at_hand = cursor.file;
        let mut files = self.files()?;
        files.retain(|file| !away.iter().any(|a| a.is(file)));
        let settled = self.settled(files, now);
        // The file at hand first, and then by age.
        let begun = at_hand.as_ref().map(|f| f.name.clone());
        let (first, rest): (Vec<Dropped>, Vec<_>) = settled.into_iter().partition(|f| Some(&f.name) == begun.as_ref());
        // What cannot be opened is not counted: it would be in the way of the others for ever.
        let mut handled = 0;
        for file in first.into_iter().chain(rest) {
            if handled >= MOST_FILES || is_full(&brought) {
                brought.more = true;
                break;
            }
            let mut hand = at_hand.take().filter(|f| f.name == file.name).unwrap_or_default();
            hand.name.clone_from(&file.name);
            handled += 1;
            match self.rows(&file, &mut hand, &mut brought) {
                Ok(Read::Whole) => away.push(file.away(false, hand.note())),
                Ok(Read::Part) => {
                    at_hand = Some(hand);
                    brought.more = true;
                    break;
                }
                Err(Unread::Gone) => {}
                Err(Unread::Refused(why)) => {
                    skip(&mut brought, 1, format!("{}: {why}", file.name));
                    away.push(file.away(true, format!("{}\n", why.trim_end())));
                }
                Err(Unread::Closed(why)) => {
                    handled -= 1;
                    skip(&mut brought, 1, format!("{}: {why}", file.name));
                }
            }
        }
        brought.cursor = serde_json::to_value(&Cursor { file: at_hand, away }).unwrap_or_default();
        Ok(brought)
    }

    /// Reads on in a file, up to a batch.
    fn rows(&self, file: &Dropped, hand: &mut AtHand, brought: &mut Brought) -> Result<Read, Unread> {
        if file.length > LONGEST {
            let long = format!("it has more than {} MiB: bring it in by `vakt import`, or in parts", LONGEST >> 20);
            return Err(Unread::Refused(long));
        }
        let wished: Vec<String> = self.wishes.iter().map(|w| w.column.clone()).filter(|c| !c.is_empty()).collect();
        let archive = Archive::open(&self.folder.join(&file.name), &wished)?;
        if hand.identity != archive.identity {
            *hand = AtHand { name: file.name.clone(), identity: archive.identity.clone(), ..AtHand::default() };
        }
        let plan = archive.plan(&self.wishes, &self.zone, self.network.as_deref(), self.language.as_deref());
        let plan = plan.map_err(Unread::Refused)?;
        let (mut n, mut whole, mut bytes) = (0u64, true, 0usize);
        archive.rows(&mut |row| {
            n += 1;
            if n <= hand.rows {
                return ControlFlow::Continue(());
            }
            if is_full(brought) || bytes > BATCH_BYTES {
                whole = false;
                return ControlFlow::Break(());
            }
            hand.rows = n;
            let number = row.number;
            match row.cells.and_then(|cells| plan.capture(&cells)) {
                Ok(capture) => {
                    bytes += capture.text.len();
                    brought.captures.extend(bounded(capture));
                }
                Err(why) => {
                    hand.left_out += 1;
                    let fault = format!("row at line {number}: {why}");
                    skip(brought, 1, format!("{}, {fault}", file.name));
                    if hand.faults.len() < NOTED {
                        hand.faults.push(fault);
                    }
                }
            }
            ControlFlow::Continue(())
        })?;
        if !whole {
            return Ok(Read::Part);
        }
        // Not one row was a mention.
        if hand.left_out == hand.rows {
            return Err(Unread::Refused(format!("not one of its {} rows is a mention\n{}", hand.rows, hand.note())));
        }
        Ok(Read::Whole)
    }

    /// The files that are there, the oldest first.
    fn files(&self) -> std::io::Result<Vec<Dropped>> {
        let mut out = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let small = name.to_lowercase();
            if name.starts_with('.') || UNFINISHED.iter().any(|end| small.ends_with(end)) {
                continue;
            }
            // A link leads elsewhere: what is there is not ours to move.
            if let Some(file) = entry.metadata().ok().filter(std::fs::Metadata::is_file) {
                let written = file.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                let written = written.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
                let written = i64::try_from(written).unwrap_or(i64::MAX);
                out.push(Dropped { name, length: file.len(), written });
            }
        }
        out.sort_by(|a, b| (a.written, &a.name).cmp(&(b.written, &b.name)));
        Ok(out)
    }

    /// Those that nobody is writing any more: last written long enough ago, or for as long seen as they are, whatever
    /// the time is that they bear.
    fn settled(&self, files: Vec<Dropped>, now: Timestamp) -> Vec<Dropped> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *seen);
        let mut out = Vec::new();
        for file in files {
            let since = before.get(&file.name).filter(|(known, _)| *known == file).map_or(now, |(_, since)| *since);
            let quiet = now.as_millisecond().saturating_sub(file.written) >= self.settle.as_millis();
            if quiet || (since < now && between(since, now) >= self.settle) {
                out.push(file);
            } else {
                seen.insert(file.name.clone(), (file, since));
            }
        }
        out
    }

    /// Moves files that are done with; those that are still there because they cannot be moved, and why.
    fn put_away(&self, away: Vec<Away>) -> (Vec<Away>, Option<String>) {
        let (mut left, mut trouble) = (Vec::new(), None);
        let there = if away.is_empty() { Vec::new() } else { self.files().unwrap_or_default() };
        for one in away {
            if !there.iter().any(|file| one.is(file)) {
                continue;
            }
            if let Err(e) = self.move_to(&one) {
                let to = one.folder();
                trouble =
                    Some(format!("{} cannot be moved to {to}/: {e}; it is not read again, move it away", one.name));
                left.push(one);
            }
        }
        (left, trouble)
    }

    fn move_to(&self, one: &Away) -> std::io::Result<()> {
        let folder = self.folder.join(one.folder());
        match DirBuilder::new().mode(0o750).create(&folder) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(e),
            _ => {}
        }
        let to = free(&folder, &one.name).ok_or_else(|| std::io::Error::other("too many files of that name"))?;
        if !one.note.is_empty() {
            let mut note = to.clone().into_os_string();
            note.push(".why.txt");
            std::fs::write(note, &one.note)?;
        }
        std::fs::rename(self.folder.join(&one.name), to)
    }
}

/// A name in a folder that no other file has: its own, or with a number.
fn free(folder: &Path, name: &str) -> Option<PathBuf> {
    let names = (1..MOST_NAMESAKES).map(|n| if n == 1 { name.to_owned() } else { format!("{n}-{name}") });
    names.map(|name| folder.join(name)).find(|path| !path.exists())
}

fn is_full(brought: &Brought) -> bool {
    brought.captures.len() >= BATCH
}

fn skip(brought: &mut Brought, n: usize, why: String) {
    brought.skipped_total += n;
    if brought.skipped.len() < MOST_REASONS {
        brought.skipped.push(why);
    }
}

impl Dropped {
    fn away(&self, refused: bool, note: String) -> Away {
        Away { name: self.name.clone(), length: self.length, written: self.written, refused, note }
    }
}

impl Away {
    fn is(&self, file: &Dropped) -> bool {
        (&self.name, self.length, self.written) == (&file.name, file.length, file.written)
    }

    fn folder(&self) -> &'static str {
        if self.refused { "refused" } else { "done" }
    }
}

impl AtHand {
    /// What is told of rows that were left out.
    fn note(&self) -> String {
        if self.left_out == 0 {
            return String::new();
        }
        let more = self.left_out.saturating_sub(self.faults.len() as u64);
        let more = if more > 0 { format!("and {more} more\n") } else { String::new() };
        format!("{} of {} rows were left out:\n{}\n{more}", self.left_out, self.rows, self.faults.join("\n"))
    }
}

#[cfg(test)]
mod tests;
