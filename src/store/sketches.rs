//! Sketches of texts, by which their stories are found again after a restart.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Stored, mentions};
use crate::model::time::{Span, from_millis};
use crate::text::Analyst;
use crate::text::fingerprint::Print;

/// Mentions that are sketched when a database of an older vakt is opened, and how far they reach back.
const FILLED: u32 = 20_000;
const BACK: Span = Span::days(3);

/// Keeps the sketch of a mention's text.
///
/// # Errors
/// When the database cannot be written.
pub fn put(c: &Connection, mention: i64, story: i64, at: Timestamp, print: &Print) -> Stored<()> {
    let mut q = c.prepare_cached("INSERT OR REPLACE INTO sketches VALUES (?1, ?2, ?3, ?4)")?;
    q.execute(params![mention, story, at.as_millisecond(), print.to_bytes()])?;
    Ok(())
}

/// Forgets the sketch of a mention, if there is one.
///
/// # Errors
/// When the database cannot be written.
pub fn forget(c: &Connection, mention: i64) -> Stored<()> {
    c.prepare_cached("DELETE FROM sketches WHERE mention = ?1")?.execute([mention])?;
    Ok(())
}

/// The latest sketches of mentions since an instant, at most so many, oldest first: story, sketch and event time.
///
/// # Errors
/// When the database cannot be read.
pub fn since(c: &Connection, from: Timestamp, most: usize) -> Stored<Vec<(i64, Print, Timestamp)>> {
    let mut q = c.prepare("SELECT story, sketch, at FROM sketches WHERE at >= ?1 ORDER BY mention DESC LIMIT ?2")?;
    let mut rows = q.query(params![from.as_millisecond(), i64::try_from(most).unwrap_or(i64::MAX)])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        // What another vakt wrote in another form is left alone.
        if let Some(print) = r.get_ref(1)?.as_blob().ok().and_then(Print::from_bytes) {
            out.push((r.get(0)?, print, from_millis(r.get(2)?)));
        }
    }
    out.reverse();
    Ok(out)
}

/// Deletes sketches of mentions before an instant, and those beyond the latest so many; at most `step` of them. Says how
/// many went.
///
/// # Errors
/// When the database cannot be written.
pub fn sweep(c: &Connection, before: Timestamp, most: usize, step: u32) -> Stored<usize> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut q = c.prepare_cached("SELECT mention FROM sketches ORDER BY mention DESC LIMIT 1 OFFSET ?1")?;
    let beyond: Option<i64> = q.query_row([most], |r| r.get(0)).optional()?;
    let mut q = c.prepare_cached(
        "DELETE FROM sketches WHERE mention IN
         (SELECT mention FROM sketches WHERE at < ?1 OR mention <= ?2 ORDER BY mention LIMIT ?3)",
    )?;
    Ok(q.execute(params![before.as_millisecond(), beyond.unwrap_or(i64::MIN), step])?)
}

/// Fills the table from the mentions of the last days.
pub(super) fn fill(c: &Connection) -> rusqlite::Result<()> {
    let failed = |e| match e {
        super::StoreError::Sqlite(e) => e,
        other => rusqlite::Error::ToSqlConversionFailure(Box::new(other)),
    };
    let Some(last) = mentions::latest(c).map_err(failed)? else { return Ok(()) };
    let mut q = c.prepare("SELECT id, story, at, title, text, language FROM mentions ORDER BY id DESC LIMIT ?1")?;
    let mut rows = q.query([FILLED])?;
    while let Some(r) = rows.next()? {
        let at = from_millis(r.get(2)?);
        if at < last - BACK {
            continue;
        }
        let text = |n| r.get_ref(n).map(|v| v.as_str().unwrap_or_default());
        let (text, terms) = Analyst::terms(text(3)?, text(4)?, text(5)?);
        let print = Print::of(&text, &terms);
        if print.whole != 0 {
            put(c, r.get(0)?, r.get(1)?, at, &print).map_err(failed)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::window::tests::mention;
    use crate::model::Mention;
    use crate::store::Store;

    fn print(text: &str) -> Print {
        let (text, terms) = Analyst::terms("", text, "en");
        Print::of(&text, &terms)
    }

    #[test]
    fn an_older_database_is_sketched_when_it_is_opened() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("vakt.db");
        let store = Store::open(&path).expect("it opens");
        let write = store.write_blocking(|tx| {
            let (mut seq, mut ids) = (0, mentions::TopicIds::default());
            for n in 1..=3i64 {
                let text = format!("kettle with number {n}");
                let m = Mention { story: n * 10, text, ..mention(n, (n - 3) * 3 * 24 * 60, 0.0) };
                let identity = mentions::Identity { told: n, placed: None, called: None, content: n };
                mentions::put(tx, &m, &identity, &mut seq, &mut ids)?;
            }
            tx.execute_batch(
                "DROP TABLE sketches; DROP TABLE silences; DROP TABLE audit; DROP TABLE drafts; DROP TABLE ticks;
                DROP TABLE answers; DROP TABLE hook_events;
                DROP INDEX outbox_chain; ALTER TABLE outbox DROP COLUMN channel; ALTER TABLE outbox DROP COLUMN chain;
                ALTER TABLE outbox DROP COLUMN place; ALTER TABLE outbox DROP COLUMN urgent; ALTER TABLE mentions DROP COLUMN toward;
                DROP INDEX mentions_lookup; ALTER TABLE mentions DROP COLUMN parent; ALTER TABLE mentions DROP COLUMN thread; ALTER TABLE mentions DROP COLUMN lookup;
                DROP TABLE withdrawn; DROP TABLE pauses; DROP TABLE subscriptions; DROP TABLE deliveries; PRAGMA user_version = 6",
            )?;
            Ok(())
        });
        write.expect("written");
        drop(store);
        let store = Store::open(&path).expect("it opens again");
        let kept = store.read(|c| since(c, Timestamp::MIN, 9)).expect("read");
        assert_eq!(kept.iter().map(|(story, ..)| *story).collect::<Vec<_>>(), [20, 30], "those of three days");
        assert_eq!(kept[1].1, print("kettle with number 3"));
    }

    #[test]
    fn kept_for_as_long_as_they_are_wanted() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
        let at = |day| Timestamp::UNIX_EPOCH + Span::days(day);
        let put_all = move |tx: &rusqlite::Transaction<'_>| {
            (1..=6).try_for_each(|n| put(tx, n, n * 10, at(n), &print(&format!("kettle with number {n}"))))
        };
        store.write_blocking(put_all).expect("written");
        let stories = |from, most| {
            let kept = store.read(|c| since(c, at(from), most)).expect("read");
            kept.iter().map(|(story, ..)| *story).collect::<Vec<_>>()
        };
        assert_eq!(stories(3, 100), [30, 40, 50, 60]);
        assert_eq!(stories(0, 2), [50, 60], "the latest, oldest first");
        assert_eq!(store.read(|c| since(c, at(6), 1)).expect("read")[0].1, print("kettle with number 6"));
        let gone = store.write_blocking(move |tx| {
            forget(tx, 4)?;
            Ok((sweep(tx, at(2), 100, 100)?, sweep(tx, at(0), 2, 1)?, sweep(tx, at(0), 2, 9)?, sweep(tx, at(0), 2, 9)?))
        });
        assert_eq!(gone.expect("written"), (1, 1, 1, 0));
        assert_eq!(stories(0, 100), [50, 60]);
    }
}
