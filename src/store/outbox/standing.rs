//! How the outbox stands: what waits and why, and what became of an incident's messages.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use crate::model::time::from_millis;
use crate::store::Stored;

/// A channel with messages that are not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// Its name.
    pub channel: String,
    /// When the oldest of them was composed.
    pub oldest: Timestamp,
    /// What was last said of one of them; empty for nothing.
    pub error: String,
}

/// The channels with messages that are due; those that wait for others to fail do not count.
///
/// # Errors
/// When the database cannot be read.
pub fn stuck(c: &Connection, now: Timestamp) -> Stored<Vec<Stuck>> {
    let mut q = c.prepare_cached(
        "SELECT channel, min(created), max(error) FROM outbox
         WHERE state = 'waiting' AND (attempts > 0 OR due <= ?1) GROUP BY channel",
    )?;
    let rows = q.query_map([now.as_millisecond()], |r| {
        Ok(Stuck { channel: r.get(0)?, oldest: from_millis(r.get(1)?), error: r.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How the outbox stands.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Standing {
    /// Messages waiting.
    pub waiting: u64,
    /// Messages that a relay has taken.
    pub delivered: u64,
    /// Messages that every relay has refused for good.
    pub failed: u64,
    /// Messages held back beyond people's budgets.
    pub held: u64,
    /// The last error; empty where there is none.
    pub last_error: String,
    /// When the oldest waiting message was composed.
    pub oldest: Option<Timestamp>,
}

/// How the outbox stands.
///
/// # Errors
/// When the database cannot be read.
pub fn standing(c: &Connection) -> Stored<Standing> {
    let mut out = Standing::default();
    let mut q = c.prepare_cached("SELECT state, count(*), min(created) FROM outbox GROUP BY state")?;
    let rows = q.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?, r.get::<_, i64>(2)?)))?;
    for row in rows {
        let (state, n, oldest) = row?;
        let n = u64::try_from(n).unwrap_or(0);
        match state.as_str() {
            "waiting" => (out.waiting, out.oldest) = (n, Some(from_millis(oldest))),
            "delivered" => out.delivered = n,
            "held" => out.held = n,
            "failed" => out.failed = n,
            _ => {}
        }
    }
    let last = "SELECT error FROM outbox WHERE error <> '' ORDER BY id DESC LIMIT 1";
    out.last_error = c.query_row(last, [], |r| r.get(0)).optional()?.unwrap_or_default();
    Ok(out)
}

/// What became of one message of an incident.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Told {
    /// Name of the person.
    pub person: String,
    /// Name of the channel.
    pub channel: String,
    /// Its subject.
    pub subject: String,
    /// `waiting`, `delivered`, `failed`, `held` beyond the person's budget, or `spared` where another way was enough.
    pub state: String,
    /// When it was composed.
    pub created: Timestamp,
    /// When a relay took it, or every relay refused it, or another message told that it was held.
    pub done: Option<Timestamp>,
}

/// The messages of an incident, in order.
///
/// # Errors
/// When the database cannot be read.
pub fn of_incident(c: &Connection, incident: i64) -> Stored<Vec<Told>> {
    let mut q = c.prepare_cached(
        "SELECT person, subject, state, created, done, channel FROM outbox WHERE incident = ?1 ORDER BY id",
    )?;
    let rows = q.query_map([incident], |r| {
        Ok(Told {
            person: r.get(0)?,
            channel: r.get(5)?,
            subject: r.get(1)?,
            state: r.get(2)?,
            created: from_millis(r.get(3)?),
            done: r.get::<_, Option<i64>>(4)?.map(from_millis),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
