//! Calls of webhooks that were taken: known again for a week, which is longer than anybody sends a call again.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::Stored;
use crate::model::time::Span;

/// A call is known for so long.
const KEPT: Span = Span::days(7);

/// Whether an event of a hook was taken.
///
/// # Errors
/// When the database cannot be read.
pub fn is_known(c: &Connection, hook: &str, event: i64) -> Stored<bool> {
    let mut q = c.prepare_cached("SELECT EXISTS (SELECT 1 FROM hook_events WHERE hook = ?1 AND event = ?2)")?;
    Ok(q.query_row(params![hook, event], |r| r.get(0))?)
}

/// Notes that an event of a hook was taken, and forgets those of long ago.
///
/// # Errors
/// When the database cannot be written.
pub fn note(c: &Connection, hook: &str, event: i64, now: Timestamp) -> Stored<()> {
    c.prepare_cached("INSERT OR IGNORE INTO hook_events VALUES (?1, ?2, ?3)")?.execute(params![
        hook,
        event,
        now.as_millisecond()
    ])?;
    c.prepare_cached("DELETE FROM hook_events WHERE at < ?1")?.execute([(now - KEPT).as_millisecond()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn a_call_is_known_for_a_week() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
        let now = Timestamp::UNIX_EPOCH + Span::days(100);
        store.write_blocking(move |tx| note(tx, "a", -7, now)).expect("noted");
        let known = |hook: &str, event| store.read(|c| is_known(c, hook, event)).expect("read");
        assert!(known("a", -7) && !known("a", 7) && !known("b", -7));
        store.write_blocking(move |tx| note(tx, "b", 1, now + Span::days(8))).expect("noted");
        assert!(!known("a", -7) && known("b", 1));
    }
}
