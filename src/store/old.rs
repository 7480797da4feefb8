//! What is past its time: mentions to be looked at in the order in which they came, and letters that nobody needs.
//!
//! Numbers follow arrival, so the oldest are found without an index that every new mention would pay for: each rule of
//! retention has a place up to which it has looked.

use rusqlite::{Connection, params};

use super::{Stored, meta};

/// As much of a mention as it takes to know how long it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aged {
    /// Its number.
    pub id: i64,
    /// When it was received, milliseconds.
    pub received: i64,
    /// Name of its source.
    pub source: String,
    /// Its network.
    pub network: String,
}

/// The next mentions after a number, in order.
///
/// # Errors
/// When the database cannot be read.
pub fn after(c: &Connection, id: i64, limit: u32) -> Stored<Vec<Aged>> {
    let mut q =
        c.prepare_cached("SELECT id, received, source, network FROM mentions WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    let rows = q.query_map(params![id, limit], |r| {
        Ok(Aged { id: r.get(0)?, received: r.get(1)?, source: r.get(2)?, network: r.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The place of a rule.
///
/// # Errors
/// When the database cannot be read.
pub fn place(c: &Connection, rule: &str) -> Stored<i64> {
    Ok(meta::number(c, &format!("tidy:{rule}"))?.unwrap_or(0))
}

/// Moves the place of a rule on.
///
/// # Errors
/// When the database cannot be written.
pub fn move_place(c: &Connection, rule: &str, id: i64) -> Stored<()> {
    meta::set(c, &format!("tidy:{rule}"), &id.to_string())
}

/// Where the rules are others than they were, every place begins anew.
///
/// # Errors
/// When the database cannot be written.
pub fn begin(c: &Connection, rules: &str) -> Stored<()> {
    const RULES: &str = "tidy_rules";
    if meta::get(c, RULES)?.as_deref() != Some(rules) {
        c.execute("DELETE FROM meta WHERE key LIKE 'tidy:%'", [])?;
        meta::set(c, RULES, rules)?;
    }
    Ok(())
}

/// Keeps a mention for now.
///
/// # Errors
/// When the database cannot be written.
pub fn spare(c: &Connection, mention: i64) -> Stored<()> {
    c.prepare_cached("INSERT OR IGNORE INTO spared VALUES (?1)")?.execute([mention])?;
    Ok(())
}

/// A mention is no longer kept for now.
///
/// # Errors
/// When the database cannot be written.
pub fn unspare(c: &Connection, mention: i64) -> Stored<()> {
    c.prepare_cached("DELETE FROM spared WHERE mention = ?1")?.execute([mention])?;
    Ok(())
}

/// The next mentions after a number that are kept for now.
///
/// # Errors
/// When the database cannot be read.
pub fn spared(c: &Connection, id: i64, limit: u32) -> Stored<Vec<i64>> {
    let mut q = c.prepare_cached("SELECT mention FROM spared WHERE mention > ?1 ORDER BY mention LIMIT ?2")?;
    Ok(q.query_map(params![id, limit], |r| r.get(0))?.collect::<Result<_, _>>()?)
}

/// Empties messages that were done with before an instant, at most so many, those told of as held among them; tells how many. Who was told what about
/// which incident, and when, stays.
///
/// # Errors
/// When the database cannot be written.
pub fn empty_letters(c: &Connection, before: i64, limit: u32) -> Stored<usize> {
    let sql =
        "UPDATE outbox SET body = x'' WHERE id IN (SELECT id FROM outbox WHERE state IN ('delivered', 'failed', 'held', 'spared')
               AND done < ?1 AND length(body) > 0 LIMIT ?2)";
    Ok(c.prepare_cached(sql)?.execute(params![before, limit])?)
}
