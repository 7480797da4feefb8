//! Mentions that somebody should answer.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Stored;
use crate::model::Answer;
use crate::model::answer::State;
use crate::model::time::{Span, from_millis};

const COLUMNS: &str = "a.mention, a.praise, a.urgency, a.asked, a.due, a.state, a.owner, a.done, a.note";

fn read(r: &Row<'_>) -> rusqlite::Result<Answer> {
    Ok(Answer {
        mention: r.get(0)?,
        praise: r.get(1)?,
        urgency: r.get(2)?,
        asked: from_millis(r.get(3)?),
        due: from_millis(r.get(4)?),
        state: State::parse(r.get_ref(5)?.as_str().unwrap_or_default()),
        owner: r.get(6)?,
        done: r.get::<_, Option<i64>>(7)?.map(from_millis),
        note: r.get(8)?,
    })
}

/// Keeps an answer as it is now.
///
/// # Errors
/// When the database cannot be written.
pub fn put(c: &Connection, a: &Answer) -> Stored<()> {
    c.prepare_cached("INSERT OR REPLACE INTO answers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?.execute(
        params![
            a.mention,
            a.praise,
            a.urgency,
            a.asked.as_millisecond(),
            a.due.as_millisecond(),
            a.state.as_str(),
            a.owner,
            a.done.map(|t| t.as_millisecond()),
            a.note,
        ],
    )?;
    Ok(())
}

/// The answer that a mention needs.
///
/// # Errors
/// When the database cannot be read.
pub fn get(c: &Connection, mention: i64) -> Stored<Option<Answer>> {
    let mut q = c.prepare_cached(&format!("SELECT {COLUMNS} FROM answers a WHERE a.mention = ?1"))?;
    Ok(q.query_row([mention], read).optional()?)
}

/// A mention is gone, and with it what was to be answered.
///
/// # Errors
/// When the database cannot be written.
pub fn forget(c: &Connection, mention: i64) -> Stored<()> {
    c.prepare_cached("DELETE FROM answers WHERE mention = ?1")?.execute([mention])?;
    Ok(())
}

/// The queue: what is due first comes first, and of that the most urgent. With `all`, what is done as well, latest first.
///
/// # Errors
/// When the database cannot be read.
pub fn list(c: &Connection, praise: bool, all: bool, limit: u32) -> Stored<Vec<Answer>> {
    let (only, order) = match all {
        true => ("", "a.asked DESC"),
        false => ("AND a.state IN ('new', 'taken')", "a.due, a.urgency DESC, a.mention"),
    };
    let sql = format!("SELECT {COLUMNS} FROM answers a WHERE a.praise = ?1 {only} ORDER BY {order} LIMIT ?2");
    let mut q = c.prepare_cached(&sql)?;
    Ok(q.query_map(params![praise, limit], read)?.collect::<Result<_, _>>()?)
}

/// How answering went, over what was asked in an interval.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Numbers {
    /// Mentions that needed an answer; those that were found to need none are left out.
    pub needed: u64,
    /// Answered.
    pub answered: u64,
    /// Answered before they were due.
    pub in_time: u64,
    /// Open, and past due.
    pub overdue: u64,
    /// The middle of the times until an answer.
    pub median: Option<Span>,
}

/// The numbers of what was asked between two instants, the last one excluded; about one topic, or all.
///
/// # Errors
/// When the database cannot be read.
pub fn numbers(c: &Connection, topic: Option<&str>, from: Timestamp, to: Timestamp, now: Timestamp) -> Stored<Numbers> {
    let of = match topic {
        Some(_) => "JOIN topic_mentions tm ON tm.mention = a.mention JOIN topics t ON t.id = tm.topic AND t.name = ?3",
        None => "",
    };
    let sql = format!(
        "SELECT a.asked, a.due, a.state, a.done FROM answers a {of}
         WHERE a.praise = 0 AND a.asked >= ?1 AND a.asked < ?2 AND a.state <> 'dismissed' AND ?3 = ?3"
    );
    let mut q = c.prepare_cached(&sql)?;
    let mut rows = q.query(params![from.as_millisecond(), to.as_millisecond(), topic.unwrap_or_default()])?;
    let (mut out, mut times) = (Numbers::default(), Vec::new());
    while let Some(r) = rows.next()? {
        let (asked, due, done): (i64, i64, Option<i64>) = (r.get(0)?, r.get(1)?, r.get(3)?);
        out.needed += 1;
        match done {
            Some(done) => {
                out.answered += 1;
                out.in_time += u64::from(done <= due);
                times.push(done - asked);
            }
            None => out.overdue += u64::from(due < now.as_millisecond()),
        }
    }
    times.sort_unstable();
    out.median = times.len().checked_sub(1).and_then(|last| times.get(last / 2)).map(|ms| Span::millis(*ms));
    Ok(out)
}
