//! Drafts with what was done to them.

use rusqlite::{Connection, OptionalExtension, params};

use super::Stored;
use crate::model::Draft;
use crate::model::draft::State;

/// Keeps a draft, new where its number is 0; gives the number.
///
/// # Errors
/// When the database cannot be written.
pub fn put(c: &Connection, draft: &Draft) -> Stored<i64> {
    let done = draft.state == State::HandedOver;
    let id = match draft.id {
        0 => {
            let sql = "INSERT INTO drafts (incident, done, state) VALUES (?1, ?2, '')";
            c.execute(sql, params![draft.about.incident, done])?;
            c.last_insert_rowid()
        }
        id => id,
    };
    let state = serde_json::to_string(&Draft { id, ..draft.clone() })?;
    c.execute(
        "UPDATE drafts SET incident = ?2, done = ?3, state = ?4 WHERE id = ?1",
        params![id, draft.about.incident, done, state],
    )?;
    Ok(id)
}

/// One draft.
///
/// # Errors
/// When the database cannot be read.
pub fn get(c: &Connection, id: i64) -> Stored<Option<Draft>> {
    let mut q = c.prepare_cached("SELECT state FROM drafts WHERE id = ?1")?;
    let text: Option<String> = q.query_row([id], |r| r.get(0)).optional()?;
    Ok(text.map(|t| serde_json::from_str(&t)).transpose()?)
}

fn many(c: &Connection, sql: &str, p: impl rusqlite::Params) -> Stored<Vec<Draft>> {
    let mut q = c.prepare_cached(sql)?;
    let rows = q.query_map(p, |r| r.get::<_, String>(0))?;
    rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
}

/// The latest drafts, newest first; those that are handed over among them or not.
///
/// # Errors
/// When the database cannot be read.
pub fn latest(c: &Connection, done: bool, limit: u32) -> Stored<Vec<Draft>> {
    many(c, "SELECT state FROM drafts WHERE done <= ?1 ORDER BY id DESC LIMIT ?2", params![done, limit])
}

/// The drafts of an incident, oldest first.
///
/// # Errors
/// When the database cannot be read.
pub fn of_incident(c: &Connection, incident: i64) -> Stored<Vec<Draft>> {
    many(c, "SELECT state FROM drafts WHERE incident = ?1 ORDER BY id", [incident])
}
