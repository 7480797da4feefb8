//! Silences that people have laid.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::Stored;
use crate::model::Silence;

/// Keeps a silence, new where its number is 0; gives the number.
///
/// # Errors
/// When the database cannot be written.
pub fn put(c: &Connection, silence: &Silence) -> Stored<i64> {
    let id = (silence.id != 0).then_some(silence.id);
    c.execute(
        "INSERT OR REPLACE INTO silences (id, until, state) VALUES (?1, ?2, '')",
        params![id, silence.until.as_millisecond()],
    )?;
    let id = id.unwrap_or_else(|| c.last_insert_rowid());
    let state = serde_json::to_string(&Silence { id, ..silence.clone() })?;
    c.execute("UPDATE silences SET state = ?2 WHERE id = ?1", params![id, state])?;
    Ok(id)
}

/// Silences that end after an instant, those that are still to begin among them, oldest first.
///
/// # Errors
/// When the database cannot be read.
pub fn until_after(c: &Connection, at: Timestamp) -> Stored<Vec<Silence>> {
    let mut q = c.prepare_cached("SELECT state FROM silences WHERE until > ?1 ORDER BY id")?;
    let rows = q.query_map([at.as_millisecond()], |r| r.get::<_, String>(0))?;
    rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
}

/// One silence.
///
/// # Errors
/// When the database cannot be read.
pub fn get(c: &Connection, id: i64) -> Stored<Option<Silence>> {
    let mut q = c.prepare_cached("SELECT state FROM silences WHERE id = ?1")?;
    let text: Option<String> = q.query_row([id], |r| r.get(0)).optional()?;
    Ok(text.map(|t| serde_json::from_str(&t)).transpose()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;
    use crate::model::time::Span;
    use crate::store::Store;

    #[test]
    fn silences_are_kept_until_they_end() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
        let from = Timestamp::UNIX_EPOCH;
        let silence = Silence {
            id: 0,
            alert: None,
            topic: Some("acme".into()),
            upto: Severity::Escalate,
            from,
            until: from + Span::hours(1),
            by: "anna".into(),
            reason: "a known story".into(),
        };
        let kept = silence.clone();
        let id = store.write_blocking(move |tx| put(tx, &kept)).expect("written");
        let found = store.read(|c| until_after(c, from)).expect("read");
        assert_eq!(found, [Silence { id, ..silence.clone() }]);
        let ended = Silence { until: from + Span::mins(5), ..found[0].clone() };
        assert_eq!(store.write_blocking(move |tx| put(tx, &ended)).expect("written"), id);
        assert_eq!(store.read(|c| until_after(c, from + Span::mins(5))).expect("read"), []);
        assert_eq!(store.read(|c| get(c, id)).expect("read").map(|s| s.until), Some(from + Span::mins(5)));
    }
}
