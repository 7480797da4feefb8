//! The outbox: messages in full, from the transaction that caused them until a relay or another channel has taken them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

mod standing;

use super::Stored;
use crate::model::Person;
use crate::model::incident::DRILL;
use crate::model::people::{MAIL, PUBLISHING};
use crate::model::time::{Span, from_millis};

pub use standing::{Standing, Stuck, Told, of_incident, standing, stuck};

/// By which way a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Name of the channel; [`MAIL`] for mail.
    pub channel: String,
    /// The same for all ways of which one is enough; empty for a message by itself.
    pub chain: String,
    /// Its place among them; the first, 0, goes at once.
    pub place: u32,
    /// How long after it was composed it is due: never meanwhile, where one before it is taken.
    pub after: Span,
    /// It goes before those that are not: somebody is called for something severe.
    pub urgent: bool,
}

impl Default for By {
    fn default() -> By {
        By { channel: MAIL.to_owned(), chain: String::new(), place: 0, after: Span::ZERO, urgent: false }
    }
}

/// A message to one recipient, rendered once, so that sending it again sends the same bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its number; 0 before it is stored.
    pub id: i64,
    /// Its Message-ID without angle brackets; a second one with the same is not stored.
    pub message_id: String,
    /// The incident it is about; `None` for messages to the operator.
    pub incident: Option<i64>,
    /// Name of the person it is for.
    pub person: String,
    /// By which way.
    pub by: By,
    /// Address it goes to, in the channel's own words.
    pub address: String,
    /// Its subject, for showing.
    pub subject: String,
    /// RFC 5322 bytes, or the short text of other channels.
    pub body: Vec<u8>,
    /// When it was composed.
    pub created: Timestamp,
    /// Tries so far.
    pub attempts: u32,
}

impl Message {
    /// A mail to a person that is about no incident.
    pub fn mail(message_id: String, person: &Person, subject: String, body: Vec<u8>, created: Timestamp) -> Message {
        Message {
            id: 0,
            message_id,
            incident: None,
            person: person.name.clone(),
            by: By::default(),
            address: person.email.clone(),
            subject,
            body,
            created,
            attempts: 0,
        }
    }
}

/// Puts a message into the outbox, due at once or where those before it are not taken.
///
/// # Errors
/// When the database cannot be written.
pub fn put(c: &Connection, m: &Message) -> Stored<()> {
    add(c, m, "waiting")
}

/// Keeps a message back: it is not sent, and the person's next message tells of it.
///
/// # Errors
/// When the database cannot be written.
pub fn hold(c: &Connection, m: &Message) -> Stored<()> {
    add(c, m, "held")
}

fn add(c: &Connection, m: &Message, state: &str) -> Stored<()> {
    c.prepare_cached(
        "INSERT OR IGNORE INTO outbox (message_id, incident, person, address, subject, body, created, due, attempts, state,
         relay, error, channel, chain, place, urgent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, '', '', ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        m.message_id,
        m.incident,
        m.person,
        m.address,
        m.subject,
        m.body,
        m.created.as_millisecond(),
        (m.created + m.by.after).as_millisecond(),
        state,
        m.by.channel,
        m.by.chain,
        m.by.place,
        m.by.urgent,
    ])?;
    Ok(())
}

/// How often a person was told of incidents, exercises left out, since an instant, or is about to be: what goes by several ways is one.
///
/// # Errors
/// When the database cannot be read.
pub fn sent_since(c: &Connection, person: &str, since: Timestamp) -> Stored<u64> {
    let mut q = c.prepare_cached(
        "SELECT count(*) FROM (SELECT DISTINCT incident, created FROM outbox
         WHERE person = ?1 AND created >= ?2 AND state NOT IN ('held', 'spared') AND incident IS NOT NULL
         AND incident NOT IN (SELECT id FROM incidents WHERE grp = ?3))",
    )?;
    let n: i64 = q.query_row(params![person, since.as_millisecond(), DRILL], |r| r.get(0))?;
    Ok(u64::try_from(n).unwrap_or(0))
}

/// Whether so many messages about incidents, exercises left out, were put by mail since an instant.
///
/// # Errors
/// When the database cannot be read.
pub fn is_full(c: &Connection, most: u32, since: Timestamp) -> Stored<bool> {
    let mut q = c.prepare_cached(
        "SELECT created FROM outbox WHERE channel = 'mail' AND state NOT IN ('held', 'spared') AND incident IS NOT NULL
         AND incident NOT IN (SELECT id FROM incidents WHERE grp = ?2) ORDER BY id DESC LIMIT 1 OFFSET ?1",
    )?;
    let before = i64::from(most) - 1;
    let last: Option<i64> = q.query_row(params![before, DRILL], |r| r.get(0)).optional()?;
    Ok(last.is_some_and(|at| at >= since.as_millisecond()))
}

/// Whether a person was told of an incident by a message that was not held.
///
/// # Errors
/// When the database cannot be read.
pub fn was_told(c: &Connection, person: &str, incident: i64) -> Stored<bool> {
    let mut q = c.prepare_cached("SELECT 1 FROM outbox WHERE incident = ?2 AND person = ?1 AND state <> 'held'")?;
    Ok(q.exists(params![person, incident])?)
}

/// The ways by which a person was told of an incident, or may have been: channels and addresses. A way that waits for
/// those before it to fail has told nobody.
///
/// # Errors
/// When the database cannot be read.
pub fn ways_of(c: &Connection, person: &str, incident: i64) -> Stored<Vec<(String, String)>> {
    let mut q = c.prepare_cached(
        "SELECT DISTINCT channel, address FROM outbox
         WHERE incident = ?2 AND person = ?1
         AND (state = 'delivered' OR state = 'waiting' AND (place = 0 OR attempts > 0))",
    )?;
    let rows = q.query_map(params![person, incident], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The messages to a person that were held and that no other message has told of: each with its number and incident.
///
/// # Errors
/// When the database cannot be read.
pub fn held_of(c: &Connection, person: &str) -> Stored<Vec<(i64, i64)>> {
    let mut q = c.prepare_cached(
        "SELECT id, coalesce(incident, 0) FROM outbox WHERE state = 'held' AND done IS NULL AND person = ?1 ORDER BY id",
    )?;
    let rows = q.query_map([person], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Another message tells that this one was held.
///
/// # Errors
/// When the database cannot be written.
pub fn held_is_told(c: &Connection, id: i64, now: Timestamp) -> Stored<()> {
    c.prepare_cached("UPDATE outbox SET done = ?2 WHERE id = ?1 AND state = 'held'")?
        .execute(params![id, now.as_millisecond()])?;
    Ok(())
}

/// The channels by which messages are due.
///
/// # Errors
/// When the database cannot be read.
pub fn due_channels(c: &Connection, now: Timestamp) -> Stored<Vec<String>> {
    let mut q = c.prepare_cached(
        "SELECT DISTINCT channel FROM outbox WHERE state = 'waiting' AND (due <= ?1 OR due > ?1 + 3600000)",
    )?;
    let rows = q.query_map([now.as_millisecond()], |r| r.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Messages of a channel that are due, oldest first; urgent ones before others, and those about incidents before the rest.
///
/// # Errors
/// When the database cannot be read.
pub fn due(c: &Connection, channel: &str, now: Timestamp, limit: u32) -> Stored<Vec<Message>> {
    let mut q = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE state = 'waiting' AND (due <= ?1 OR due > ?1 + 3600000) AND channel = ?3
         ORDER BY urgent DESC, incident IS NULL, id LIMIT ?2"
    ))?;
    let rows = q.query_map(params![now.as_millisecond(), limit, channel], message)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

const COLUMNS: &str =
    "id, message_id, incident, person, address, subject, body, created, attempts, channel, chain, place, urgent";

fn message(r: &rusqlite::Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: r.get(0)?,
        message_id: r.get(1)?,
        incident: r.get(2)?,
        person: r.get(3)?,
        by: By { channel: r.get(9)?, chain: r.get(10)?, place: r.get(11)?, after: Span::ZERO, urgent: r.get(12)? },
        address: r.get(4)?,
        subject: r.get(5)?,
        body: r.get(6)?,
        created: from_millis(r.get(7)?),
        attempts: r.get(8)?,
    })
}

/// One message.
///
/// # Errors
/// When the database cannot be read.
pub fn get(c: &Connection, id: i64) -> Stored<Option<Message>> {
    let mut q = c.prepare_cached(&format!("SELECT {COLUMNS} FROM outbox WHERE id = ?1"))?;
    Ok(q.query_row([id], message).optional()?)
}

/// When the next message is due.
///
/// # Errors
/// When the database cannot be read.
pub fn next_due(c: &Connection) -> Stored<Option<Timestamp>> {
    let mut q = c.prepare_cached("SELECT min(due) FROM outbox WHERE state = 'waiting'")?;
    Ok(q.query_row([], |r| r.get::<_, Option<i64>>(0))?.map(from_millis))
}

/// Somebody has taken it. Of ways of which one is enough, the others are spared.
///
/// # Errors
/// When the database cannot be written.
pub fn delivered(c: &Connection, id: i64, relay: &str, now: Timestamp) -> Stored<()> {
    c.prepare_cached(
        "UPDATE outbox SET state = 'delivered', relay = ?2, error = '', done = ?3, attempts = attempts + 1 WHERE id = ?1",
    )?
    .execute(params![id, relay, now.as_millisecond()])?;
    // What several people share, and is first for all of them, has reached all of them.
    c.prepare_cached(
        "UPDATE outbox SET state = 'spared', done = ?2 FROM (SELECT chain, place, person FROM outbox WHERE id = ?1) AS one
         WHERE outbox.chain = one.chain AND one.chain <> '' AND outbox.id <> ?1 AND outbox.state = 'waiting'
         AND (outbox.person = one.person OR one.place = 0)",
    )?
    .execute(params![id, now.as_millisecond()])?;
    Ok(())
}

/// Puts a message into the outbox that a relay has taken already.
///
/// # Errors
/// When the database cannot be written.
pub fn was_sent(c: &Connection, m: &Message, relay: &str, now: Timestamp) -> Stored<()> {
    put(c, m)?;
    delivered(c, c.last_insert_rowid(), relay, now)
}

/// When a relay last took a mail to each person.
///
/// # Errors
/// When the database cannot be read.
pub fn last_taken(c: &Connection) -> Stored<BTreeMap<String, Timestamp>> {
    let sql = "SELECT person, max(done) FROM outbox WHERE state = 'delivered' AND channel = 'mail' GROUP BY person";
    let mut q = c.prepare(sql)?;
    let rows = q.query_map([], |r| Ok((r.get(0)?, from_millis(r.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// It was not taken; it is tried again at `due`.
///
/// # Errors
/// When the database cannot be written.
pub fn later(c: &Connection, id: i64, error: &str, due: Timestamp) -> Stored<()> {
    c.prepare_cached(
        "UPDATE outbox SET due = ?3, error = ?2, attempts = attempts + 1 WHERE id = ?1 AND state = 'waiting'",
    )?
    .execute(params![id, error, due.as_millisecond()])?;
    Ok(())
}

/// It is refused for good: the person's next way is due now.
///
/// # Errors
/// When the database cannot be written.
pub fn failed(c: &Connection, id: i64, error: &str, now: Timestamp) -> Stored<()> {
    c.prepare_cached(
        "UPDATE outbox SET state = 'failed', error = ?2, done = ?3, attempts = attempts + 1 WHERE id = ?1",
    )?
    .execute(params![id, error, now.as_millisecond()])?;
    c.prepare_cached(
        "UPDATE outbox SET due = min(due, ?2) FROM (SELECT chain, place, person FROM outbox WHERE id = ?1) AS one
         WHERE outbox.chain = one.chain AND one.chain <> '' AND outbox.place = one.place + 1 AND outbox.state = 'waiting'
         AND (outbox.person = one.person OR one.place = 0)",
    )?
    .execute(params![id, now.as_millisecond()])?;
    Ok(())
}

/// Whether somebody took what the person of a message was told with it by another way, or still may.
///
/// # Errors
/// When the database cannot be read.
pub fn goes_otherwise(c: &Connection, m: &Message) -> Stored<bool> {
    let mut q = c.prepare_cached(
        "SELECT 1 FROM outbox WHERE incident = ?1 AND person = ?2 AND created = ?3 AND id <> ?4
         AND state IN ('waiting', 'delivered')",
    )?;
    Ok(q.exists(params![m.incident, m.person, m.created.as_millisecond(), m.id])?)
}

/// What waits by other channels than mail about an incident is not sent any more: newer things are to be told. What the
/// tool that publishes is told stands until the incident is `over`.
///
/// # Errors
/// When the database cannot be written.
pub fn overtaken(c: &Connection, incident: i64, over: bool, now: Timestamp) -> Stored<()> {
    c.prepare_cached(
        "UPDATE outbox SET state = 'spared', done = ?2 WHERE incident = ?1 AND state = 'waiting' AND channel <> 'mail'
         AND (?3 OR person <> ?4)",
    )?
    .execute(params![incident, now.as_millisecond(), over, PUBLISHING])?;
    Ok(())
}

/// How many messages about an incident somebody was sent, or is to be.
///
/// # Errors
/// When the database cannot be read.
pub fn count_of(c: &Connection, person: &str, incident: i64) -> Stored<u64> {
    let mut q = c.prepare_cached("SELECT count(*) FROM outbox WHERE incident = ?1 AND person = ?2")?;
    let n: i64 = q.query_row(params![incident, person], |r| r.get(0))?;
    Ok(u64::try_from(n).unwrap_or(0))
}

/// The bodies of mails to people after a number, each with its number, in order, at most so many. What goes by other
/// channels quotes nobody.
///
/// # Errors
/// When the database cannot be read.
pub fn bodies_after(c: &Connection, id: i64, limit: u32) -> Stored<Vec<(i64, Vec<u8>)>> {
    let mut q = c.prepare_cached(
        "SELECT id, body FROM outbox
         WHERE id > ?1 AND (incident IS NOT NULL OR person <> 'operator') AND channel = 'mail' ORDER BY id LIMIT ?2",
    )?;
    let rows = q.query_map(params![id, limit], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The bodies of drafts that are on their way out, or were, by other channels than mail, each with its number.
///
/// # Errors
/// When the database cannot be read.
pub fn parcels(c: &Connection) -> Stored<Vec<(i64, Vec<u8>)>> {
    let sql =
        "SELECT id, body FROM outbox WHERE incident IS NULL AND channel <> 'mail' AND message_id LIKE 'out.draft.%'";
    let mut q = c.prepare_cached(sql)?;
    Ok(q.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Result<_, _>>()?)
}

/// A message as it stands now.
#[derive(Debug, Clone)]
pub struct Stands {
    /// The incident it is about; 0 for none.
    pub incident: i64,
    /// `waiting`, `delivered` or `failed`.
    pub state: String,
    /// The relay that took it, or the file it became.
    pub relay: String,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// A message as it stands now.
///
/// # Errors
/// When the database cannot be read.
pub fn stands(c: &Connection, id: i64) -> Stored<Option<Stands>> {
    let mut q = c.prepare_cached("SELECT coalesce(incident, 0), state, relay, body FROM outbox WHERE id = ?1")?;
    let read =
        |r: &rusqlite::Row<'_>| Ok(Stands { incident: r.get(0)?, state: r.get(1)?, relay: r.get(2)?, body: r.get(3)? });
    Ok(q.query_row([id], read).optional()?)
}

/// Gives a message another body.
///
/// # Errors
/// When the database cannot be written.
pub fn rewrite(c: &Connection, id: i64, body: &[u8]) -> Stored<()> {
    c.prepare_cached("UPDATE outbox SET body = ?2 WHERE id = ?1")?.execute(params![id, body])?;
    Ok(())
}

#[cfg(test)]
mod tests;
