//! Incidents with their timelines.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::Stored;
use crate::model::incident::DRILL;
use crate::model::time::from_millis;
use crate::model::{Incident, Status};

/// One line of an incident's timeline.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who did it: a person's name, or `vakt`.
    pub who: String,
    /// What happened, in a word.
    pub what: String,
    /// More of it.
    pub detail: String,
}

/// The number that the next new incident gets, unless another process takes it meanwhile.
///
/// # Errors
/// When the database cannot be read.
pub fn next_id(c: &Connection) -> Stored<i64> {
    Ok(c.query_row("SELECT coalesce(max(id), 0) + 1 FROM incidents", [], |r| r.get(0))?)
}

/// Stores a new incident under its number.
///
/// # Errors
/// When the database cannot be written, or the number is taken.
pub fn insert(c: &Connection, incident: &Incident) -> Stored<()> {
    c.execute(
        "INSERT INTO incidents (id, alert, grp, status, opened, ended, state) VALUES (?1, ?2, ?3, '', ?4, NULL, '')",
        params![incident.id, incident.alert, incident.group, incident.opened.as_millisecond()],
    )?;
    update(c, incident)
}

/// Stores an incident as it is now.
///
/// # Errors
/// When the database cannot be written.
pub fn update(c: &Connection, incident: &Incident) -> Stored<()> {
    c.prepare_cached("UPDATE incidents SET status = ?2, ended = ?3, state = ?4 WHERE id = ?1")?.execute(params![
        incident.id,
        incident.status.as_str(),
        incident.resolved.filter(|_| incident.calm).map(|t| t.as_millisecond()),
        serde_json::to_string(incident)?,
    ])?;
    Ok(())
}

fn many(c: &Connection, sql: &str, p: impl rusqlite::Params) -> Stored<Vec<Incident>> {
    let mut q = c.prepare_cached(sql)?;
    let rows = q.query_map(p, |r| r.get::<_, String>(0))?;
    let mut out = Vec::new();
    for row in rows {
        out.push(serde_json::from_str(&row?)?);
    }
    Ok(out)
}

/// Incidents that are not resolved, those that people resolved while they rang and that have not calmed since, and those
/// that were resolved since an instant and may come back.
///
/// # Errors
/// When the database cannot be read.
pub fn live(c: &Connection, ended_since: Timestamp) -> Stored<Vec<Incident>> {
    let sql = "SELECT state FROM incidents WHERE status <> ?1 OR ended IS NULL OR ended >= ?2 ORDER BY id";
    many(c, sql, params![Status::Resolved.as_str(), ended_since.as_millisecond()])
}

/// The incidents that are not over.
///
/// # Errors
/// When the database cannot be read.
pub fn unresolved(c: &Connection) -> Stored<Vec<Incident>> {
    many(c, "SELECT state FROM incidents WHERE status <> ?1 ORDER BY id", [Status::Resolved.as_str()])
}

/// How many incidents, exercises left out, each alert rule has opened since an instant.
///
/// # Errors
/// When the database cannot be read.
pub fn opened_since(c: &Connection, since: Timestamp) -> Stored<BTreeMap<String, u32>> {
    let mut q =
        c.prepare_cached("SELECT alert, count(*) FROM incidents WHERE opened >= ?1 AND grp <> ?2 GROUP BY alert")?;
    let rows = q.query_map(params![since.as_millisecond(), DRILL], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The numbers of the incidents that one mutes.
///
/// # Errors
/// When the database cannot be read.
pub fn muted_by(c: &Connection, id: i64) -> Stored<Vec<i64>> {
    let mut q =
        c.prepare_cached("SELECT id FROM incidents WHERE json_extract(state, '$.muted_by') = ?1 ORDER BY id")?;
    Ok(q.query_map([id], |r| r.get(0))?.collect::<Result<_, _>>()?)
}

/// The latest incidents, newest first.
///
/// # Errors
/// When the database cannot be read.
pub fn latest(c: &Connection, limit: u32) -> Stored<Vec<Incident>> {
    many(c, "SELECT state FROM incidents ORDER BY id DESC LIMIT ?1", params![limit])
}

/// One incident.
///
/// # Errors
/// When the database cannot be read.
pub fn get(c: &Connection, id: i64) -> Stored<Option<Incident>> {
    let mut q = c.prepare_cached("SELECT state FROM incidents WHERE id = ?1")?;
    let text: Option<String> = q.query_row([id], |r| r.get(0)).optional()?;
    Ok(text.map(|t| serde_json::from_str(&t)).transpose()?)
}

/// Adds a line to an incident's timeline.
///
/// # Errors
/// When the database cannot be written.
pub fn note(c: &Connection, incident: i64, at: Timestamp, who: &str, what: &str, detail: &str) -> Stored<()> {
    c.prepare_cached("INSERT INTO timeline (incident, at, who, what, detail) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![incident, at.as_millisecond(), who, what, detail])?;
    Ok(())
}

/// The timeline of an incident, oldest first.
///
/// # Errors
/// When the database cannot be read.
pub fn timeline(c: &Connection, incident: i64) -> Stored<Vec<Entry>> {
    let mut q = c.prepare_cached("SELECT at, who, what, detail FROM timeline WHERE incident = ?1 ORDER BY id")?;
    let rows = q.query_map([incident], |r| {
        Ok(Entry { at: from_millis(r.get(0)?), who: r.get(1)?, what: r.get(2)?, detail: r.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// All notes on incidents that people may have written: number of the line, incident, and what it says.
///
/// # Errors
/// When the database cannot be read.
pub fn notes(c: &Connection) -> Stored<Vec<(i64, i64, String)>> {
    let mut q =
        c.prepare("SELECT id, incident, detail FROM timeline WHERE detail <> '' AND who <> 'vakt' ORDER BY id")?;
    let rows = q.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What a line of a timeline says.
///
/// # Errors
/// When the database cannot be read.
pub fn timeline_line(c: &Connection, line: i64) -> Stored<Option<String>> {
    Ok(c.query_row("SELECT detail FROM timeline WHERE id = ?1", [line], |r| r.get(0)).optional()?)
}

/// Has a line of a timeline say something else.
///
/// # Errors
/// When the database cannot be written.
pub fn renote(c: &Connection, line: i64, detail: &str) -> Stored<()> {
    c.execute("UPDATE timeline SET detail = ?2 WHERE id = ?1", params![line, detail])?;
    Ok(())
}
