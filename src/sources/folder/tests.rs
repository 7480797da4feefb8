//! A folder in which files come, grow, are odd and cannot be moved.

use serde_json::Value;

use super::*;
use crate::model::time::from_millis;
use crate::sources::Limits;

fn folder(dir: &Path) -> Folder {
    Folder {
        folder: dir.to_owned(),
        settle: Span::secs(5),
        network: Some("forum".into()),
        language: None,
        zone: TimeZone::UTC,
        wishes: Arc::default(),
        seen: Arc::default(),
    }
}

/// A minute after a file was written.
fn later(path: &Path) -> Timestamp {
    let written = std::fs::metadata(path).unwrap().modified().unwrap();
    from_millis(written.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64) + Span::mins(1)
}

async fn fetch(folder: &Folder, cursor: &Value, now: Timestamp) -> Brought {
    let http = Http::new("", Limits::default()).unwrap();
    folder.fetch(&http, cursor, now).await.unwrap()
}

fn names(dir: &Path, sub: &str) -> Vec<String> {
    let all = std::fs::read_dir(dir.join(sub)).into_iter().flatten().flatten();
    let mut all: Vec<String> =
        all.filter(|e| e.path().is_file()).map(|e| e.file_name().into_string().unwrap()).collect();
    all.sort();
    all
}

#[tokio::test]
async fn files_are_read_once_and_moved_once_they_are_stored() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(dir.join("a.csv"), "Date,Text,Url\n2026-11-01,It burns,https://a.example/1\nsoon,No,\n").unwrap();
    std::fs::write(dir.join("b.jsonl"), "{\"id\": \"7\", \"text\": \"Acme\"}\n").unwrap();
    std::fs::write(dir.join("c.pdf"), "%PDF-1.7 nothing,of,this").unwrap();
    std::fs::write(dir.join("d.csv.part"), "Text\nhalf").unwrap();
    std::fs::create_dir(dir.join("e.csv")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", dir.join("f.csv")).unwrap();
    let own = folder(dir);
    let now = later(&dir.join("d.csv.part"));
    let brought = fetch(&own, &Value::Null, now).await;
    let texts: Vec<&str> = brought.captures.iter().map(|c| c.text.as_str()).collect();
    assert_eq!((texts, brought.skipped_total, brought.more), (vec!["It burns", "Acme"], 2, false));
    assert_eq!(brought.captures[0].network, "forum");
    assert!(names(dir, "done").is_empty(), "nothing is moved before it is stored");
    // Killed before the commit: the same again. Killed after it: it is moved, and not read again.
    assert_eq!(fetch(&own, &Value::Null, now).await.captures, brought.captures);
    let after = fetch(&own, &brought.cursor, now).await;
    assert_eq!((after.captures.len(), after.skipped_total), (0, 0));
    assert_eq!(names(dir, "done"), ["a.csv", "a.csv.why.txt", "b.jsonl"]);
    assert_eq!(names(dir, "refused"), ["c.pdf", "c.pdf.why.txt"]);
    let why = std::fs::read_to_string(dir.join("done/a.csv.why.txt")).unwrap();
    assert!(why.starts_with("1 of 2 rows were left out:\nrow at line 3: `soon` is no time"), "{why}");
    let why = std::fs::read_to_string(dir.join("refused/c.pdf.why.txt")).unwrap();
    assert!(!why.trim().is_empty(), "{why}");
    // Another file of the same name is another file.
    std::fs::write(dir.join("b.jsonl"), "{\"id\": \"8\", \"text\": \"Acme again\"}\n").unwrap();
    let brought = fetch(&own, &after.cursor, later(&dir.join("b.jsonl"))).await;
    assert_eq!(brought.captures.len(), 1);
    own.stored(&brought.cursor).await;
    assert_eq!(names(dir, "done"), ["2-b.jsonl", "a.csv", "a.csv.why.txt", "b.jsonl"]);
    assert_eq!(names(dir, ""), ["d.csv.part", "f.csv"], "what is unfinished, and a link");
}

#[tokio::test]
async fn what_is_being_written_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    std::fs::write(&path, "Text\nIt bu").unwrap();
    let own = folder(dir.path());
    let written = later(&path) - Span::mins(1);
    let at = async |now: Timestamp| fetch(&own, &Value::Null, now).await.captures.len();
    assert_eq!(at(written + Span::secs(2)).await, 0);
    assert_eq!(at(written + Span::secs(6)).await, 1);
    // A file of the future, by a clock that was wrong: it is read once it stays as it is.
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000)).unwrap();
    assert_eq!(at(written + Span::secs(10)).await, 0);
    assert_eq!(at(written + Span::secs(12)).await, 0);
    std::fs::write(&path, "Text\nIt burns").unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000)).unwrap();
    assert_eq!(at(written + Span::secs(16)).await, 0);
    assert_eq!(at(written + Span::secs(21)).await, 1);
}

#[tokio::test]
async fn long_files_are_read_in_batches_and_a_kill_loses_and_doubles_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    let rows: String = (0..BATCH * 2 + 3).map(|n| format!("{n},mention {n}\n")).collect();
    std::fs::write(&path, format!("Id,Text\n{rows}")).unwrap();
    let (own, now) = (folder(dir.path()), later(&path));
    let (mut cursor, mut ids) = (Value::Null, Vec::new());
    for turn in 0..3 {
        let brought = fetch(&own, &cursor, now).await;
        assert_eq!(brought.more, turn < 2);
        ids.extend(brought.captures.into_iter().filter_map(|c| c.native_id));
        cursor = brought.cursor;
    }
    ids.dedup();
    assert_eq!(ids.len(), BATCH * 2 + 3);
    own.stored(&cursor).await;
    assert_eq!(names(dir.path(), "done"), ["a.csv"]);
}

#[tokio::test]
async fn what_cannot_be_moved_is_told_and_not_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    std::fs::write(&path, "Text\nIt burns").unwrap();
    // A file stands where the folder should.
    std::fs::write(dir.path().join("done"), "").unwrap();
    let file = std::fs::File::options().write(true).open(dir.path().join("done")).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000)).unwrap();
    let (own, now) = (folder(dir.path()), later(&path));
    let first = fetch(&own, &Value::Null, now).await;
    assert_eq!(first.captures.len(), 1);
    own.stored(&first.cursor).await;
    let second = fetch(&own, &first.cursor, now).await;
    let trouble = second.degraded.unwrap_or_default();
    assert!(second.captures.is_empty() && trouble.starts_with("a.csv cannot be moved to done/"), "{trouble}");
    let gone = Folder { folder: dir.path().join("gone"), ..own };
    let http = Http::new("", Limits::default()).unwrap();
    let error = gone.fetch(&http, &Value::Null, now).await.unwrap_err().to_string();
    assert!(error.contains("gone") && error.contains("cannot be read"), "{error}");
}
