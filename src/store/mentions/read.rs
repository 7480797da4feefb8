//! Mentions as they are asked for: by number, by change, by topic and source.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::Stored;
use crate::model::time::from_millis;
use crate::model::{Author, Mention};

/// The number of the last change, deletions included.
///
/// # Errors
/// When the database cannot be read.
pub fn last_seq(c: &Connection) -> Stored<i64> {
    let sql = "SELECT max(coalesce((SELECT max(seq) FROM mentions), 0), coalesce((SELECT max(seq) FROM gone), 0))";
    Ok(c.prepare_cached(sql)?.query_row([], |r| r.get(0))?)
}

/// Event time of the last mention.
///
/// # Errors
/// When the database cannot be read.
pub fn last_at(c: &Connection) -> Stored<Option<Timestamp>> {
    let mut q = c.prepare_cached("SELECT at FROM mentions ORDER BY id DESC LIMIT 1")?;
    Ok(q.query_row([], |r| r.get(0)).optional()?.map(from_millis))
}

/// When the last mention was received.
///
/// # Errors
/// When the database cannot be read.
pub fn latest(c: &Connection) -> Stored<Option<Timestamp>> {
    let mut q = c.prepare_cached("SELECT received FROM mentions ORDER BY id DESC LIMIT 1")?;
    Ok(q.query_row([], |r| r.get(0)).optional()?.map(from_millis))
}

/// How many mentions there are.
///
/// # Errors
/// When the database cannot be read.
pub fn count(c: &Connection) -> Stored<i64> {
    Ok(c.query_row("SELECT count(*) FROM mentions", [], |r| r.get(0))?)
}

const COLUMNS: &str =
    "id, source, network, site, url, title, text, author, handle, followers, at, received, flags, language,
    sentiment, why, intent, reach, engagement, tier, story, fingerprint, topics, seq, verified, kind, channel, country,
    tags, rating, toward, parent, thread, lookup";

fn lines(text: &str) -> Vec<String> {
    text.split('\n').filter(|t| !t.is_empty()).map(str::to_owned).collect()
}

fn read(r: &Row<'_>) -> rusqlite::Result<Mention> {
    let flags: i64 = r.get(12)?;
    let unsigned = |n: i64| u64::try_from(n).unwrap_or(0);
    let why: String = r.get(15)?;
    let topics: String = r.get(22)?;
    Ok(Mention {
        id: r.get(0)?,
        source: r.get(1)?,
        network: r.get(2)?,
        site: r.get(3)?,
        url: r.get(4)?,
        title: r.get(5)?,
        text: r.get(6)?,
        author: Author {
            name: r.get(7)?,
            handle: r.get(8)?,
            followers: r.get::<_, Option<i64>>(9)?.map(unsigned),
            verified: r.get(24)?,
        },
        at: from_millis(r.get(10)?),
        received: from_millis(r.get(11)?),
        undated: flags & 1 != 0,
        history: flags & 2 != 0,
        language: r.get(13)?,
        sentiment: r.get(14)?,
        why: serde_json::from_str(&why).unwrap_or_default(),
        intent: r.get(16)?,
        reach: unsigned(r.get(17)?),
        engagement: unsigned(r.get(18)?),
        tier: r.get(19)?,
        story: r.get(20)?,
        fingerprint: r.get::<_, i64>(21)?.cast_unsigned(),
        topics: lines(&topics),
        kind: r.get(25)?,
        channel: r.get(26)?,
        country: r.get(27)?,
        tags: lines(&r.get::<_, String>(28)?),
        rating: r.get(29)?,
        newcomer: flags & 4 != 0,
        toward: serde_json::from_str(&r.get::<_, String>(30)?).unwrap_or_default(),
        parent: r.get(31)?,
        thread: r.get(32)?,
        lookup: r.get(33)?,
    })
}

/// The next mentions after a number, in order.
///
/// # Errors
/// When the database cannot be read.
pub fn after(c: &Connection, id: i64, limit: u32) -> Stored<Vec<Mention>> {
    let sql = format!("SELECT {COLUMNS} FROM mentions WHERE id > ?1 ORDER BY id LIMIT ?2");
    let mut q = c.prepare_cached(&sql)?;
    let rows = q.query_map(params![id, limit], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The mentions before a number, latest first.
///
/// # Errors
/// When the database cannot be read.
pub fn before(c: &Connection, id: i64, limit: u32) -> Stored<Vec<Mention>> {
    let sql = format!("SELECT {COLUMNS} FROM mentions WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
    let mut q = c.prepare_cached(&sql)?;
    let rows = q.query_map(params![id, limit], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The next changes after a change's number, in order, each with its own.
///
/// # Errors
/// When the database cannot be read.
pub fn changed_after(c: &Connection, seq: i64, limit: u32) -> Stored<Vec<(i64, Mention)>> {
    let sql = format!("SELECT {COLUMNS} FROM mentions WHERE seq > ?1 ORDER BY seq LIMIT ?2");
    let mut q = c.prepare_cached(&sql)?;
    let rows = q.query_map(params![seq, limit], |r| Ok((r.get(23)?, read(r)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One mention.
///
/// # Errors
/// When the database cannot be read.
pub fn get(c: &Connection, id: i64) -> Stored<Option<Mention>> {
    let mut q = c.prepare_cached(&format!("SELECT {COLUMNS} FROM mentions WHERE id = ?1"))?;
    Ok(q.query_row([id], read).optional()?)
}

/// Mentions by their numbers, in that order; those that are gone are left out.
///
/// # Errors
/// When the database cannot be read.
pub fn of_ids(c: &Connection, ids: &[i64]) -> Stored<Vec<Mention>> {
    let mut out = Vec::with_capacity(ids.len());
    for id in ids {
        out.extend(get(c, *id)?);
    }
    Ok(out)
}

/// Visits mentions by their numbers, in that order; those that are gone are left out. One of them is in memory at a time.
///
/// # Errors
/// When the database cannot be read.
pub fn visit(c: &Connection, ids: impl IntoIterator<Item = i64>, mut visit: impl FnMut(Mention)) -> Stored<()> {
    for id in ids {
        if let Some(m) = get(c, id)? {
            visit(m);
        }
    }
    Ok(())
}

/// Mentions of some sources since an instant of event time, newest first, among the last half a million.
///
/// # Errors
/// When the database cannot be read.
pub fn of_sources(c: &Connection, sources: &[String], from: i64, limit: u32) -> Stored<Vec<Mention>> {
    let marks = vec!["?"; sources.len()].join(",");
    let sql = format!(
        "SELECT id FROM mentions WHERE id > (SELECT coalesce(max(id), 0) FROM mentions) - 500000
         AND source IN ({marks}) AND at >= ? ORDER BY id DESC LIMIT ?"
    );
    let mut values: Vec<Value> = sources.iter().map(|s| Value::Text(s.clone())).collect();
    values.extend([from, i64::from(limit)].map(Value::Integer));
    let mut q = c.prepare_cached(&sql)?;
    let ids: Vec<i64> = q.query_map(rusqlite::params_from_iter(values), |r| r.get(0))?.collect::<Result<_, _>>()?;
    ids.into_iter().filter_map(|id| get(c, id).transpose()).collect()
}

/// Network, name and handle of the authors of the latest mentions, at most so many.
///
/// # Errors
/// When the database cannot be read.
pub fn last_authors(c: &Connection, limit: u32, mut visit: impl FnMut(&str, &str, &str)) -> Stored<()> {
    let mut q = c.prepare("SELECT network, author, handle FROM mentions ORDER BY id DESC LIMIT ?1")?;
    let mut rows = q.query([limit])?;
    while let Some(r) = rows.next()? {
        let text = |n| r.get_ref(n).map(|v| v.as_str().unwrap_or_default());
        visit(text(0)?, text(1)?, text(2)?);
    }
    Ok(())
}
