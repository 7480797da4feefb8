//! Mentions: stored once however often they are told, edited in place.

pub mod about;
mod read;

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::hours::Hours;
use super::{Stored, answers, changes, meta, sketches};
use crate::model::Mention;

pub use read::*;

/// What tells a mention from all others, and its content from its edits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Hash of source and id.
    pub told: i64,
    /// Hash of url and content, where there is a url: the same text at the same address, whoever brings it.
    pub placed: Option<i64>,
    /// Hash of source and what the source's API calls it, where that is another name than its id.
    pub called: Option<i64>,
    /// Hash of title and text.
    pub content: i64,
}

/// What became of a mention that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is new, and this is its number.
    New(i64),
    /// It was known and has changed.
    Edited(i64),
    /// It was known.
    Known(i64),
}

/// Which identities are known, with the content hash of each.
///
/// # Errors
/// When the database cannot be read.
pub fn known(c: &Connection, identities: &[Identity]) -> Stored<HashMap<i64, i64>> {
    let mut q = c.prepare_cached("SELECT content FROM identities WHERE hash = ?1")?;
    let mut out = HashMap::new();
    for identity in identities {
        for hash in [Some(identity.told), identity.placed].into_iter().flatten() {
            if let Some(content) = q.query_row([hash], |r| r.get(0)).optional()? {
                out.insert(hash, content);
            }
        }
    }
    Ok(out)
}

/// The mention that goes by a name, if it is still there.
///
/// # Errors
/// When the database cannot be read.
pub fn named(c: &Connection, hash: i64) -> Stored<Option<i64>> {
    let sql = "SELECT i.mention FROM identities i JOIN mentions m ON m.id = i.mention WHERE i.hash = ?1";
    Ok(c.prepare_cached(sql)?.query_row([hash], |r| r.get(0)).optional()?)
}

/// The mentions of a source that it looks up by what begins so, at most so many.
///
/// # Errors
/// When the database cannot be read.
pub fn looked_up_below(c: &Connection, source: &str, beginning: &str, limit: u32) -> Stored<Vec<i64>> {
    let mut q = c.prepare_cached(
        "SELECT id FROM mentions WHERE source = ?1 AND lookup <> '' AND lookup >= ?2 AND lookup < ?3 LIMIT ?4",
    )?;
    // The last letter there is comes after all that follow the beginning.
    let end = format!("{beginning}\u{10ffff}");
    Ok(q.query_map(params![source, beginning, end, limit], |r| r.get(0))?.collect::<Result<_, _>>()?)
}

/// Raises how much a mention engages and reaches, as change number `seq + 1` where that is any news; says whether it was.
///
/// # Errors
/// When the database cannot be written.
pub fn raise(c: &Connection, id: i64, engagement: u64, reach: u64, seq: &mut i64) -> Stored<bool> {
    let raise = "UPDATE mentions SET seq = ?2, engagement = max(engagement, ?3), reach = max(reach, ?4)
               WHERE id = ?1 AND (engagement < ?3 OR reach < ?4)";
    let raised = c.prepare_cached(raise)?.execute(params![id, *seq + 1, sql(engagement), sql(reach)])? > 0;
    *seq += i64::from(raised);
    Ok(raised)
}

/// Stores a mention, or its edit; `seq` is the number of the last change and is moved on.
///
/// # Errors
/// When the database cannot be written.
pub fn put(c: &Connection, m: &Mention, identity: &Identity, seq: &mut i64, ids: &mut TopicIds) -> Stored<Put> {
    let find = |hash: i64| -> Stored<(i64, i64)> {
        let mut q = c.prepare_cached("SELECT mention, content FROM identities WHERE hash = ?1")?;
        Ok(q.query_row([hash], |r| Ok((r.get(0)?, r.get(1)?)))?)
    };
    // The common case first: nobody has heard of it, and its names are free.
    if !take(c, identity.told, *seq + 1, identity.content)? {
        let (id, content) = find(identity.told)?;
        if content == identity.content {
            return Ok(Put::Known(id));
        }
        if !edit(c, id, m, identity, seq, ids)? {
            return Ok(Put::Known(id));
        }
        let mut rename = c.prepare_cached("UPDATE identities SET content = ?2 WHERE hash = ?1")?;
        rename.execute([identity.told, identity.content])?;
        return Ok(Put::Edited(id));
    }
    if let Some(called) = identity.called {
        take(c, called, *seq + 1, identity.content)?;
    }
    if let Some(placed) = identity.placed
        && !take(c, placed, *seq + 1, identity.content)?
    {
        // The name that was free is that mention's as well.
        let (id, _) = find(placed)?;
        let mut give = c.prepare_cached("UPDATE identities SET mention = ?2 WHERE hash = ?1")?;
        for hash in [Some(identity.told), identity.called].into_iter().flatten() {
            give.execute([hash, id])?;
        }
        return Ok(Put::Known(id));
    }
    *seq += 1;
    // A mention's number is that of the change that brought it: it rises with time and is never given twice, whatever
    // is deleted.
    c.prepare_cached(
        "INSERT INTO mentions (id, seq, content, source, network, site, url, title, text, author, handle, followers, at,
         received, flags, language, sentiment, why, intent, reach, engagement, tier, story, fingerprint, topics, verified,
         kind, channel, country, tags, rating, toward, parent, thread, lookup)
         VALUES (?1,?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25,?26,?27,?28,
         ?29,?30,?31,?32,?33,?34)",
    )?
    .execute(params![
        *seq,
        identity.content,
        m.source,
        m.network,
        m.site,
        m.url,
        m.title,
        m.text,
        m.author.name,
        m.author.handle,
        m.author.followers.map(sql),
        m.at.as_millisecond(),
        m.received.as_millisecond(),
        i64::from(m.undated) | i64::from(m.history) << 1 | i64::from(m.newcomer) << 2,
        m.language,
        m.sentiment,
        serde_json::to_string(&m.why)?,
        m.intent,
        sql(m.reach),
        sql(m.engagement),
        m.tier,
        m.story,
        m.fingerprint.cast_signed(),
        m.topics.join("\n"),
        m.author.verified,
        m.kind,
        m.channel,
        m.country,
        m.tags.join("\n"),
        m.rating,
        toward(m)?,
        m.parent,
        m.thread,
        m.lookup,
    ])?;
    let id = *seq;
    file(c, id, m.at, &m.topics, ids)?;
    Ok(Put::New(id))
}

/// Files a mention under topics.
fn file(c: &Connection, id: i64, at: Timestamp, topics: &[String], ids: &mut TopicIds) -> Stored<()> {
    if topics.is_empty() {
        return Ok(());
    }
    let at = at.as_millisecond();
    let mut put = c.prepare_cached("INSERT OR IGNORE INTO topic_mentions VALUES (?1, ?2, ?3)")?;
    for topic in topics {
        let topic = ids.get(c, topic)?;
        if put.execute([topic, at, id])? > 0 {
            ids.hours.add(topic, at, 1);
        }
    }
    Ok(())
}

/// Takes a mention out of topics.
fn unfile<'t>(c: &Connection, m: &Mention, topics: impl Iterator<Item = &'t String>, ids: &mut TopicIds) -> Stored<()> {
    for topic in topics {
        let (topic, at) = (ids.get(c, topic)?, m.at.as_millisecond());
        let mut take = c.prepare_cached("DELETE FROM topic_mentions WHERE topic = ?1 AND at = ?2 AND mention = ?3")?;
        if take.execute([topic, at, m.id])? > 0 {
            ids.hours.add(topic, at, -1);
        }
    }
    Ok(())
}

/// Gives a stored mention other topics, as change number `seq`; one that is gone by now gets none. Their counts are the
/// caller's business.
///
/// # Errors
/// When the database cannot be written.
pub fn set_topics(c: &Connection, m: &Mention, topics: &[String], seq: i64, ids: &mut TopicIds) -> Stored<()> {
    let changed = c.prepare_cached("UPDATE mentions SET topics = ?2, seq = ?3 WHERE id = ?1")?.execute(params![
        m.id,
        topics.join("\n"),
        seq
    ])?;
    if changed == 0 {
        return Ok(());
    }
    unfile(c, m, m.topics.iter().filter(|t| !topics.contains(t)), ids)?;
    file(c, m.id, m.at, topics, ids)
}

/// Deletes a mention with its places in the topics, as the change after `seq`, which is moved on. Its counts stay: they
/// are numbers of nobody. Its identities stay, so that a source that still tells it does not bring it back.
///
/// # Errors
/// When the database cannot be written.
pub fn remove(c: &Connection, m: &Mention, thorough: bool, seq: &mut i64, ids: &mut TopicIds) -> Stored<bool> {
    unfile(c, m, m.topics.iter(), ids)?;
    if c.prepare_cached("DELETE FROM mentions WHERE id = ?1")?.execute([m.id])? == 0 {
        return Ok(false);
    }
    sketches::forget(c, m.id)?;
    answers::forget(c, m.id)?;
    *seq += 1;
    changes::bury(c, m.id, thorough, *seq)?;
    Ok(true)
}

/// An edit changes what a mention says and the topics it is found under; its time, the counts and its incidents stay.
/// Says whether the mention is still there.
fn edit(c: &Connection, id: i64, m: &Mention, identity: &Identity, seq: &mut i64, ids: &mut TopicIds) -> Stored<bool> {
    let Some(before) = get(c, id)? else { return Ok(false) };
    *seq += 1;
    set_topics(c, &before, &m.topics, *seq, ids)?;
    c.prepare_cached(
        "UPDATE mentions SET seq = ?2, content = ?3, title = ?4, text = ?5, language = ?6, sentiment = ?7, why = ?8,
         intent = ?9, engagement = max(engagement, ?10), reach = max(reach, ?11), toward = ?12 WHERE id = ?1",
    )?
    .execute(params![
        id,
        *seq,
        identity.content,
        m.title,
        m.text,
        m.language,
        m.sentiment,
        serde_json::to_string(&m.why)?,
        m.intent,
        sql(m.engagement),
        sql(m.reach),
        toward(m)?,
    ])?;
    Ok(true)
}

/// Nearly always nothing, and then nothing is written.
fn toward(m: &Mention) -> Stored<String> {
    if m.toward.is_empty() { Ok(String::new()) } else { Ok(serde_json::to_string(&m.toward)?) }
}

/// Gives a mention a name that is free; says whether it was.
fn take(c: &Connection, hash: i64, id: i64, content: i64) -> Stored<bool> {
    let mut q = c.prepare_cached("INSERT OR IGNORE INTO identities VALUES (?1, ?2, ?3)")?;
    Ok(q.execute([hash, id, content])? > 0)
}

/// SQLite has no unsigned numbers; what is larger than it can hold is its largest.
fn sql(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The numbers of topics' names, looked up once for the work of one transaction, and what was filed under them in it:
/// [`TopicIds::close`] has to be called at its end.
#[derive(Debug, Default)]
pub struct TopicIds {
    ids: HashMap<String, i64>,
    hours: Hours,
}

impl TopicIds {
    /// The number of a topic's name, given to it at first use.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn get(&mut self, c: &Connection, name: &str) -> Stored<i64> {
        if let Some(id) = self.ids.get(name) {
            return Ok(*id);
        }
        let id = topic_id(c, name)?;
        self.ids.insert(name.to_owned(), id);
        Ok(id)
    }

    /// Writes the counts by hour of what was filed.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn close(mut self, c: &Connection) -> Stored<()> {
        self.hours.write(c)
    }
}

fn topic_id(c: &Connection, name: &str) -> Stored<i64> {
    let mut q = c.prepare_cached("SELECT id FROM topics WHERE name = ?1")?;
    if let Some(id) = q.query_row([name], |r| r.get(0)).optional()? {
        return Ok(id);
    }
    c.execute("INSERT INTO topics (name) VALUES (?1)", [name])?;
    Ok(c.last_insert_rowid())
}

/// The change up to which the index has read, kept for showing only; the index has its own in its commits.
pub const INDEXED: &str = "indexed_upto";

/// Notes how far the index has read.
///
/// # Errors
/// When the database cannot be written.
pub fn note_indexed(c: &Connection, seq: i64) -> Stored<()> {
    meta::set(c, INDEXED, &seq.to_string())
}
