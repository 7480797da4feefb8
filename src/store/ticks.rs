//! The steps of an incident's playbook that are done.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::Stored;
use crate::model::time::from_millis;

/// A step that is done.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Tick {
    /// Its place in the checklist, from 1.
    pub step: u32,
    /// When it was ticked off.
    pub at: Timestamp,
    /// By whom.
    pub who: String,
}

/// Ticks a step off; says whether it was not so already.
///
/// # Errors
/// When the database cannot be written.
pub fn put(c: &Connection, incident: i64, tick: &Tick) -> Stored<bool> {
    let sql = "INSERT OR IGNORE INTO ticks (incident, step, at, who) VALUES (?1, ?2, ?3, ?4)";
    Ok(c.execute(sql, params![incident, tick.step, tick.at.as_millisecond(), tick.who])? > 0)
}

/// A step is not done after all; says whether it was ticked off.
///
/// # Errors
/// When the database cannot be written.
pub fn take_back(c: &Connection, incident: i64, step: u32) -> Stored<bool> {
    Ok(c.execute("DELETE FROM ticks WHERE incident = ?1 AND step = ?2", params![incident, step])? > 0)
}

/// The steps that are done, in their order.
///
/// # Errors
/// When the database cannot be read.
pub fn of_incident(c: &Connection, incident: i64) -> Stored<Vec<Tick>> {
    let mut q = c.prepare_cached("SELECT step, at, who FROM ticks WHERE incident = ?1 ORDER BY step")?;
    let rows = q.query_map([incident], |r| Ok(Tick { step: r.get(0)?, at: from_millis(r.get(1)?), who: r.get(2)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
