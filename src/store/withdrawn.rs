//! Mentions that were deleted where they were published: noted with what else the source told, until they have left.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::Stored;

/// Notes that a mention was deleted where it was published.
///
/// # Errors
/// When the database cannot be written.
pub fn note(c: &Connection, mention: i64, at: Timestamp) -> Stored<()> {
    let mut q = c.prepare_cached("INSERT OR IGNORE INTO withdrawn VALUES (?1, ?2)")?;
    q.execute(params![mention, at.as_millisecond()])?;
    Ok(())
}

/// The first of those that are still to leave, at most so many.
///
/// # Errors
/// When the database cannot be read.
pub fn first(c: &Connection, limit: u32) -> Stored<Vec<i64>> {
    let mut q = c.prepare_cached("SELECT mention FROM withdrawn ORDER BY mention LIMIT ?1")?;
    Ok(q.query_map([limit], |r| r.get(0))?.collect::<Result<_, _>>()?)
}

/// They have left, or are there again.
///
/// # Errors
/// When the database cannot be written.
pub fn done(c: &Connection, mentions: &[i64]) -> Stored<()> {
    let mut q = c.prepare_cached("DELETE FROM withdrawn WHERE mention = ?1")?;
    mentions.iter().try_for_each(|id| q.execute([id]).map(|_| ()))?;
    Ok(())
}
