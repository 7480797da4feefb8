//! Mails in a folder: newsletters, mailing lists, and what places without an API write to their members.
//!
//! Follows <https://cr.yp.to/proto/maildir.html>: mails stand in `new` and `cur`, each in a file whose name before `:` is its
//! own for ever; a plain folder of `.eml` files is read as well. Whoever fetches the mails writes them there (a mail server's
//! delivery, fdm, getmail, mbsync). Vakt only reads: it moves and deletes nothing.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::bounds::MOST_REASONS;
use super::mail::{LONGEST, Letters};
use super::{Brought, Entry, FetchError, Fetching, Http, Kind, Source, settings};
use crate::config::written::Form;
use crate::model::Capture;

/// Mails in a folder.
pub const KIND: Kind = Kind {
    name: "maildir",
    about: "mails in a folder: newsletters, mailing lists, notices of places that have no API",
    entry: Entry::Open,
    every: None,
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "maildir"
name = "alerts"
folder = "/var/mail/vakt"             # a maildir, or a folder of .eml files, readable for vakt; nothing in it is changed.
                                      # Google Alerts and many newsletters are better read as feeds: choose RSS there
network = "mail"                      # the default; news for newsletters, forum for mailing lists
language = "sv"                       # where all mails have one
every = "1m"                          # else it follows how often mails come"#;

/// Mails of one fetch; where there are more, the next follows at once.
const MOST: usize = 200;

/// What has been read: the names of files that are still there.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Cursor {
    folder: PathBuf,
    read: HashSet<u64>,
    /// Until what was there at the first look is read: when the newest of it was written, nanoseconds since 1970.
    /// All of it is history, however many fetches it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<u64>,
}

fn read(form: &Form<'_>, _: &[String]) -> Option<Box<dyn Source>> {
    let folder = settings::path(form, "folder");
    let network = form.text("network").map_or_else(|| "mail".to_owned(), |n| n.value);
    let language = form.text("language").map(|l| l.value);
    Some(Box::new(Maildir { folder: folder?, letters: Letters { network, language } }))
}

#[derive(Clone)]
struct Maildir {
    folder: PathBuf,
    letters: Letters,
}

/// Why a mail was not read.
enum Unread {
    /// It is no longer there.
    Gone,
    /// It cannot be opened: why.
    Closed(String),
    /// It is none, or too long.
    Wrong(String),
}

impl From<std::io::Error> for Unread {
    fn from(e: std::io::Error) -> Unread {
        match e.kind() {
            std::io::ErrorKind::NotFound => Unread::Gone,
            _ => Unread::Closed(e.to_string()),
        }
    }
}

impl Source for Maildir {
    fn fetch<'a>(&'a self, _: &'a Http, cursor: &'a serde_json::Value, _: Timestamp) -> Fetching<'a> {
        Box::pin(async move {
            let cursor: Cursor = serde_json::from_value(cursor.clone()).unwrap_or_default();
            let anew = cursor.folder != self.folder;
            let before = if anew { Cursor::default() } else { cursor };
            let own = self.clone();
            let read = tokio::task::spawn_blocking(move || own.collect(before, anew)).await;
            let wrong = |reason: String| FetchError::Unreadable { place: self.folder.display().to_string(), reason };
            let brought = read.map_err(|_| wrong("reading a mail failed inside the mail reader".into()))?;
            brought.map_err(|e| wrong(format!("the folder cannot be read: {e}")))
        })
    }
}

impl Maildir {
    /// Reads mails that are new, the oldest first, and forgets files that are gone. What is there at the first look is
    /// history, and never in one fetch with what came since.
    fn collect(&self, before: Cursor, anew: bool) -> std::io::Result<Brought> {
        let mut files = self.files()?;
        files.sort();
        let newest = files.last().map(|(written, ..)| nanos(*written));
        let history = if anew { newest } else { before.history };
        let mut brought = Brought { anew, ..Brought::default() };
        let mut known = HashSet::new();
        let (mut left, mut history_left) = (MOST, false);
        for (written, name, path) in files {
            if before.read.contains(&name) {
                known.insert(name);
                continue;
            }
            let old = history.is_some_and(|until| nanos(written) <= until);
            if left == 0 || (brought.anew && !old && !brought.captures.is_empty()) {
                brought.more = true;
                history_left |= old;
                continue;
            }
            match self.mail(&path) {
                Ok(capture) => {
                    left -= 1;
                    known.insert(name);
                    brought.anew |= old && capture.is_some();
                    brought.captures.extend(capture);
                }
                Err(unread) => {
                    let why = match unread {
                        Unread::Wrong(why) => {
                            known.insert(name);
                            why
                        }
                        // What cannot be opened now may be later, and is as old then.
                        Unread::Closed(why) => {
                            history_left |= old;
                            why
                        }
                        // Renamed between two looks: it is there under its other name the next time.
                        Unread::Gone => {
                            history_left |= old;
                            continue;
                        }
                    };
                    brought.skipped_total += 1;
                    let file = path.file_name().unwrap_or_default().to_string_lossy();
                    brought.skipped.push(format!("{file}: {why}"));
                    brought.skipped.truncate(MOST_REASONS);
                }
            }
        }
        let cursor = Cursor { folder: self.folder.clone(), read: known, history: history.filter(|_| history_left) };
        brought.cursor = serde_json::to_value(&cursor).unwrap_or_default();
        Ok(brought)
    }

    /// The mails that are there: when each was written, its name for ever, and where it is.
    fn files(&self) -> std::io::Result<Vec<(SystemTime, u64, PathBuf)>> {
        let inner: Vec<PathBuf> =
            ["new", "cur"].map(|d| self.folder.join(d)).into_iter().filter(|d| d.is_dir()).collect();
        let folders = if inner.is_empty() { vec![self.folder.clone()] } else { inner };
        let mut out = Vec::new();
        for entry in folders.iter().map(std::fs::read_dir).collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(about) = entry.metadata() else { continue };
            if about.is_file() && !name.starts_with('.') {
                let own = name.split(':').next().unwrap_or("");
                out.push((about.modified().unwrap_or(SystemTime::UNIX_EPOCH), xxh3_64(own.as_bytes()), entry.path()));
            }
        }
        Ok(out)
    }

    fn mail(&self, path: &Path) -> Result<Option<Capture>, Unread> {
        if std::fs::metadata(path)?.len() > LONGEST {
            return Err(Unread::Wrong(format!("it has more than {LONGEST} bytes")));
        }
        self.letters.read(&std::fs::read(path)?).map_err(|why| Unread::Wrong(why.into()))
    }
}

fn nanos(written: SystemTime) -> u64 {
    let since = written.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::from_millis;
    use crate::sources::Limits;

    const LETTER: &str = crate::sources::mail::LETTER;

    fn plain(n: usize) -> String {
        format!("From: bo@b.example\r\nSubject: Mail {n}\r\nMessage-ID: <{n}@b.example>\r\n\r\nIt costs 1 < 2\r\n")
    }

    async fn fetch(maildir: &Maildir, cursor: &mut serde_json::Value) -> Brought {
        let http = Http::new("", Limits::default()).unwrap();
        let brought = maildir.fetch(&http, cursor, from_millis(0)).await.unwrap();
        *cursor = brought.cursor.clone();
        brought
    }

    #[tokio::test]
    async fn mails_are_read_once_wherever_they_are_moved() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for sub in ["new", "cur", "tmp"] {
            std::fs::create_dir(at(sub)).unwrap();
        }
        std::fs::write(at("new/1.host"), LETTER).unwrap();
        std::fs::write(at("tmp/2.host"), plain(2)).unwrap();
        let maildir =
            Maildir { folder: dir.path().to_owned(), letters: Letters { network: "forum".into(), language: None } };
        let mut cursor = serde_json::Value::Null;
        let first = fetch(&maildir, &mut cursor).await;
        assert!(first.anew && first.captures.len() == 1, "what is being written is not there yet");
        let c = &first.captures[0];
        assert_eq!((c.author.name.as_str(), c.author.handle.as_str()), ("Åsa", "asa@list.example"));
        assert_eq!((c.title.as_deref(), c.text.as_str(), c.html), (Some("Acme & fire"), "It burns", false));
        assert_eq!(
            (c.channel.as_str(), c.kind.as_str(), c.url.as_deref()),
            ("Kettles", "reply", Some("https://list.example/1"))
        );
        assert_eq!(c.published.map(|t| t.to_string()).as_deref(), Some("2026-11-01T11:59:00Z"));
        // Somebody reads it, and more come than one fetch takes.
        std::fs::rename(at("new/1.host"), at("cur/1.host:2,S")).unwrap();
        for n in 0..MOST + 5 {
            std::fs::write(at(&format!("new/m{n}")), plain(n)).unwrap();
        }
        let second = fetch(&maildir, &mut cursor).await;
        assert!(!second.anew && second.captures.len() == MOST);
        assert!(second.captures.iter().all(|c| !c.html && c.text == "It costs 1 < 2" && c.kind == "post"));
        assert_eq!(fetch(&maildir, &mut cursor).await.captures.len(), 5);
        assert_eq!(fetch(&maildir, &mut cursor).await.captures.len(), 0);
        // What is deleted is forgotten, so the cursor does not grow for ever.
        std::fs::remove_dir_all(at("new")).unwrap();
        fetch(&maildir, &mut cursor).await;
        assert_eq!(cursor["read"].as_array().map(Vec::len), Some(1));
    }

    #[tokio::test]
    async fn a_folder_of_files_and_one_that_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.eml"), plain(1)).unwrap();
        std::fs::write(dir.path().join("b.eml"), vec![b'x'; (LONGEST + 1) as usize]).unwrap();
        let maildir = Maildir {
            folder: dir.path().to_owned(),
            letters: Letters { network: "mail".into(), language: Some("sv".into()) },
        };
        let brought = fetch(&maildir, &mut serde_json::Value::Null).await;
        assert_eq!((brought.captures.len(), brought.skipped_total), (1, 1), "{:?}", brought.skipped);
        let gone = Maildir { folder: dir.path().join("gone"), ..maildir };
        let http = Http::new("", Limits::default()).unwrap();
        let error = gone.fetch(&http, &serde_json::Value::Null, from_millis(0)).await.unwrap_err().to_string();
        assert!(error.contains("gone") && error.contains("cannot be read"), "{error}");
    }

    #[tokio::test]
    async fn a_long_history_is_read_to_its_end_and_stays_history() {
        let dir = tempfile::tempdir().unwrap();
        let write = |n: usize, second: u64| {
            let path = dir.path().join(format!("{n}.eml"));
            std::fs::write(&path, plain(n)).unwrap();
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second)).unwrap();
        };
        (0..MOST * 2 + 7).for_each(|n| write(n, n as u64));
        let maildir =
            Maildir { folder: dir.path().to_owned(), letters: Letters { network: "mail".into(), language: None } };
        let mut cursor = serde_json::Value::Null;
        let first = fetch(&maildir, &mut cursor).await;
        assert!(first.anew && first.more && first.captures.len() == MOST);
        // Something comes meanwhile.
        write(9_999, 10_000);
        let second = fetch(&maildir, &mut cursor).await;
        assert!(second.anew && second.more && second.captures.len() == MOST);
        let third = fetch(&maildir, &mut cursor).await;
        assert!(third.anew && third.more && third.captures.len() == 7, "history and news are never in one");
        let news = fetch(&maildir, &mut cursor).await;
        assert!(!news.anew && !news.more && news.captures.len() == 1, "{news:?}");
    }

    #[tokio::test]
    async fn an_old_mail_that_says_nothing_makes_no_history_of_what_comes() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, mail: &str, second: u64| {
            let path = dir.path().join(name);
            std::fs::write(&path, mail).unwrap();
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second)).unwrap();
        };
        (0..MOST).for_each(|n| write(&format!("{n}.eml"), &plain(n), n as u64));
        write("silent.eml", "From: bo@b.example\r\n\r\n", 5_000);
        let maildir =
            Maildir { folder: dir.path().to_owned(), letters: Letters { network: "mail".into(), language: None } };
        let mut cursor = serde_json::Value::Null;
        let first = fetch(&maildir, &mut cursor).await;
        assert!(first.anew && first.more && first.captures.len() == MOST);
        write("news.eml", &plain(9_999), 10_000);
        let news = fetch(&maildir, &mut cursor).await;
        assert!(!news.anew && news.captures.len() == 1, "{news:?}");
    }
}
