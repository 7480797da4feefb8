//! Hosts that want to be left alone, and until when: a restart is no reason to ask them.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::Stored;
use crate::model::time::from_millis;

/// All that rest, each with the end of its rest.
///
/// # Errors
/// When the database cannot be read.
pub fn all(c: &Connection) -> Stored<Vec<(String, Timestamp)>> {
    let mut q = c.prepare_cached("SELECT host, until FROM pauses ORDER BY host")?;
    Ok(q.query_map([], |r| Ok((r.get(0)?, from_millis(r.get(1)?))))?.collect::<Result<_, _>>()?)
}

/// Keeps these and no others.
///
/// # Errors
/// When the database cannot be written.
pub fn keep(c: &Connection, pauses: &[(String, Timestamp)]) -> Stored<()> {
    c.execute("DELETE FROM pauses", [])?;
    let mut q = c.prepare_cached("INSERT OR REPLACE INTO pauses VALUES (?1, ?2)")?;
    pauses.iter().try_for_each(|(host, until)| q.execute(params![host, until.as_millisecond()]).map(|_| ()))?;
    Ok(())
}
