//! The timetable: for each source its state and when it is due.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::Stored;

/// What is kept of a source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceState {
    /// Where it stopped reading, in its own words.
    pub cursor: serde_json::Value,
    /// What its settings were; others are tried at once.
    pub settings: u64,
    /// When it is asked next, milliseconds since 1970.
    pub due: i64,
    /// The present interval, milliseconds.
    pub interval: i64,
    /// Its first fetch has been stored, so that what comes now is news.
    pub begun: bool,
    /// Failures in a row.
    pub failures: u32,
    /// What the last failure was; empty after a success.
    pub error: String,
    /// Its word from the closed set of failures; empty after a success.
    pub error_class: String,
    /// Why what it sends had to be mended; empty where it was whole.
    pub degraded: String,
    /// When it last answered.
    pub last_ok: i64,
    /// When it last had something new.
    pub last_new: i64,
    /// Usual time between fetches with something new, milliseconds, learned.
    pub habit: f64,
    /// Why it is taken for blind; empty while it sees.
    pub blind: String,
    /// Since when it is blind.
    pub blind_since: i64,
    /// The operator has been told that it is blind.
    pub blind_told: bool,
    /// The last failure is one that only a person can end.
    pub hopeless: bool,
    /// Mentions that it brought.
    pub mentions: u64,
    /// Items that could not be read.
    pub skipped: u64,
    /// What was wrong with the last of them.
    pub skipped_last: String,
    /// Times that more was published than a fetch could show.
    pub gaps: u64,
    /// How much the place said may still be asked; `None` where it does not say.
    pub quota_left: Option<u64>,
    /// When there is more again, milliseconds since 1970; 0 where it does not say.
    pub quota_until: i64,
    /// How it stays connected, where it does.
    pub stream: StreamState,
}

/// What is kept of a source's connection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StreamState {
    /// Up to where it has heard, in its own words.
    pub cursor: serde_json::Value,
    /// Since when it is open, milliseconds since 1970; 0 while it is not.
    pub since: i64,
    /// When it ended, milliseconds since 1970; 0 where it never was open.
    pub ended: i64,
    /// When it is opened next, milliseconds since 1970.
    pub due: i64,
    /// Failures in a row.
    pub failures: u32,
    /// Why it ended last; empty while it is open.
    pub error: String,
    /// The word of that from the closed set of failures.
    pub error_class: String,
    /// Times that it ended.
    pub ends: u64,
}

impl SourceState {
    /// Notes that there was something new, with so many mentions.
    pub fn note_new(&mut self, now: i64, mentions: u64) {
        if self.last_new > 0 {
            let since = (now - self.last_new) as f64;
            self.habit = if self.habit == 0.0 { since } else { 0.8 * self.habit + 0.2 * since };
        }
        self.last_new = now;
        self.mentions += mentions;
    }
}

/// The state of a source; `None` before its first fetch.
///
/// # Errors
/// When the database cannot be read.
pub fn get(c: &Connection, name: &str) -> Stored<Option<SourceState>> {
    let mut q = c.prepare_cached("SELECT state FROM sources WHERE name = ?1")?;
    let text: Option<String> = q.query_row([name], |r| r.get(0)).optional()?;
    Ok(text.map(|t| serde_json::from_str(&t)).transpose()?)
}

/// The states of all sources.
///
/// # Errors
/// When the database cannot be read.
pub fn all(c: &Connection) -> Stored<Vec<(String, SourceState)>> {
    let mut q = c.prepare_cached("SELECT name, state FROM sources ORDER BY name")?;
    let rows = q.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)))?;
    let mut out = Vec::new();
    for row in rows {
        let (name, text) = row?;
        out.push((name, serde_json::from_str(&text)?));
    }
    Ok(out)
}

/// The sources that are due, each with since when, milliseconds since 1970.
///
/// # Errors
/// When the database cannot be read.
pub fn due(c: &Connection, now: i64) -> Stored<Vec<(String, i64)>> {
    let mut q = c.prepare_cached("SELECT name, due FROM sources WHERE due <= ?1 ORDER BY name")?;
    Ok(q.query_map([now], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Result<_, _>>()?)
}

/// Keeps the state of a source.
///
/// # Errors
/// When the database cannot be written.
pub fn put(c: &Connection, name: &str, state: &SourceState) -> Stored<()> {
    c.prepare_cached("INSERT INTO sources VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET state = ?2, due = ?3")?
        .execute(params![name, serde_json::to_string(state)?, state.due])?;
    Ok(())
}
