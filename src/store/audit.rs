//! The audit log: every act and every call, appended in the transaction that made it, each line chained to the one before.
//!
//! Lines name incidents and persons of the rules and never quote: erasing an author leaves the log whole. Whoever keeps
//! the last hash elsewhere knows later that nothing before it was changed, taken out or put elsewhere.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::Stored;
use crate::model::time::from_millis;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    /// Its number, from 1 without a gap.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who did it: a person's name, or `vakt`.
    pub who: String,
    /// What was done, in a word.
    pub what: String,
    /// To what, such as `incident 7`.
    pub about: String,
    /// How, such as until when.
    pub fact: String,
    /// SHA-256 in hexadecimal, over the hash of the line before and all of this.
    pub hash: String,
}

/// How the log stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub enum Soundness {
    /// Each of so many lines follows from the one before; the hash of the last.
    Whole(u64, String),
    /// The line of this number is not the one that was written, or one is missing before it.
    Broken(i64),
}

/// Every part goes in with its length, so that no two lines read alike.
fn hash(before: &str, id: i64, at: i64, parts: [&str; 4]) -> String {
    let mut sum = Sha256::new();
    sum.update(before.as_bytes());
    sum.update(id.to_be_bytes());
    sum.update(at.to_be_bytes());
    for part in parts {
        sum.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        sum.update(part.as_bytes());
    }
    sum.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// Appends a line.
///
/// # Errors
/// When the database cannot be written.
pub fn append(c: &Connection, at: Timestamp, who: &str, what: &str, about: &str, fact: &str) -> Stored<()> {
    let mut last = c.prepare_cached("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")?;
    let (id, before): (i64, String) =
        last.query_row([], |r| Ok((r.get(0)?, r.get(1)?))).optional()?.unwrap_or_default();
    let (id, at) = (id + 1, at.as_millisecond());
    let hash = hash(&before, id, at, [who, what, about, fact]);
    c.prepare_cached("INSERT INTO audit (id, at, who, what, about, fact, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(params![id, at, who, what, about, fact, hash])?;
    Ok(())
}

fn read(r: &rusqlite::Row<'_>) -> rusqlite::Result<Line> {
    let at = from_millis(r.get(1)?);
    let (who, what, about, fact, hash) = (r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?);
    Ok(Line { id: r.get(0)?, at, who, what, about, fact, hash })
}

/// The last line; `None` while nobody has done anything.
///
/// # Errors
/// When the database cannot be read.
pub fn head(c: &Connection) -> Stored<Option<Line>> {
    Ok(latest(c, 1)?.pop())
}

/// The number of the line with a hash; `None` where there is none: the log has been cut off before it, or written anew.
///
/// # Errors
/// When the database cannot be read.
pub fn line_of(c: &Connection, hash: &str) -> Stored<Option<i64>> {
    let mut q = c.prepare("SELECT id FROM audit WHERE hash = ?1")?;
    Ok(q.query_row([hash.trim().to_lowercase()], |r| r.get(0)).optional()?)
}

/// The last lines, newest first.
///
/// # Errors
/// When the database cannot be read.
pub fn latest(c: &Connection, limit: u32) -> Stored<Vec<Line>> {
    let mut q = c.prepare("SELECT id, at, who, what, about, fact, hash FROM audit ORDER BY id DESC LIMIT ?1")?;
    Ok(q.query_map([limit], read)?.collect::<Result<_, _>>()?)
}

/// Reckons the whole chain again.
///
/// # Errors
/// When the database cannot be read.
pub fn verify(c: &Connection) -> Stored<Soundness> {
    let mut q = c.prepare("SELECT id, at, who, what, about, fact, hash FROM audit ORDER BY id")?;
    let (mut before, mut count) = (String::new(), 0u64);
    for line in q.query_map([], read)? {
        let line = line?;
        let expected = i64::try_from(count + 1).unwrap_or(i64::MAX);
        let parts = [line.who.as_str(), &line.what, &line.about, &line.fact];
        if line.id != expected || line.hash != hash(&before, line.id, line.at.as_millisecond(), parts) {
            return Ok(Soundness::Broken(expected));
        }
        (before, count) = (line.hash, count + 1);
    }
    Ok(Soundness::Whole(count, before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn spoilt(sql: &'static str) -> Soundness {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
        let at = Timestamp::UNIX_EPOCH;
        store
            .write_blocking(move |tx| {
                for n in 1..=5 {
                    append(tx, at, "anna", "acknowledged", &format!("incident {n}"), "")?;
                }
                assert!(tx.execute("UPDATE audit SET who = 'bo'", []).is_err(), "it is not changed by mistake");
                assert!(tx.execute("DELETE FROM audit", []).is_err());
                tx.execute_batch(&format!("DROP TRIGGER audit_stays; DROP TRIGGER audit_whole; {sql}"))?;
                Ok(())
            })
            .expect("written");
        store.read(verify).expect("read")
    }

    #[test]
    fn what_was_changed_taken_out_or_moved_is_found() {
        assert!(matches!(spoilt(""), Soundness::Whole(5, hash) if hash.len() == 64));
        assert_eq!(spoilt("UPDATE audit SET who = 'bo' WHERE id = 3"), Soundness::Broken(3));
        assert_eq!(spoilt("UPDATE audit SET at = 1 WHERE id = 2"), Soundness::Broken(2));
        assert_eq!(spoilt("DELETE FROM audit WHERE id = 2"), Soundness::Broken(2));
        assert_eq!(spoilt("DELETE FROM audit WHERE id = 1"), Soundness::Broken(1));
        let swap = "UPDATE audit SET id = 9 WHERE id = 3; UPDATE audit SET id = 3 WHERE id = 4; UPDATE audit SET id = 4 WHERE id = 9";
        assert_eq!(spoilt(swap), Soundness::Broken(3));
        assert!(
            matches!(spoilt("DELETE FROM audit WHERE id = 5"), Soundness::Whole(4, _)),
            "only a hash kept elsewhere tells that the end is gone"
        );
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
        let at = Timestamp::UNIX_EPOCH;
        store.write_blocking(move |tx| append(tx, at, "anna", "noted", "incident 1", "")).expect("written");
        let head = store.read(head).expect("read").expect("a line").hash;
        assert_eq!(store.read(|c| line_of(c, &head.to_uppercase())).expect("read"), Some(1));
        assert_eq!(store.read(|c| line_of(c, "0")).expect("read"), None);
    }
}
