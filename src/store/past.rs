//! The past in the order of event time, read for backtests: what the engine needs of each mention, and no more.

use rusqlite::{Connection, Row, params, params_from_iter};

use super::Stored;
use crate::model::time::from_millis;
use crate::model::{Author, Mention};

/// Event time, in milliseconds since 1970, and number of a mention.
pub type Key = (i64, i64);

/// The mentions of an interval of event time (its end not included), in order: 16 bytes each. With topics, those of any of
/// them.
///
/// # Errors
/// When the database cannot be read.
pub fn keys(c: &Connection, topics: Option<&[String]>, from: i64, to: i64) -> Stored<Vec<Key>> {
    let key = |r: &Row<'_>| Ok((r.get(0)?, r.get(1)?));
    let Some(topics) = topics else {
        let mut q = c.prepare("SELECT at, id FROM mentions WHERE at >= ?1 AND at < ?2 ORDER BY at, id")?;
        return Ok(q.query_map([from, to], key)?.collect::<Result<_, _>>()?);
    };
    let mut out: Vec<Key> = Vec::new();
    let sql = "SELECT tm.at, tm.mention FROM topic_mentions tm JOIN topics t ON t.id = tm.topic
               WHERE t.name = ?1 AND tm.at >= ?2 AND tm.at < ?3";
    let mut q = c.prepare(sql)?;
    for topic in topics {
        let found = q.query_map(params![topic, from, to], key)?;
        out.extend(found.collect::<Result<Vec<_>, _>>()?);
    }
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

const COLUMNS: &str =
    "id, at, source, network, site, title, text, author, handle, followers, verified, flags, language,
    sentiment, toward, intent, reach, engagement, tier, story, topics, kind";

fn read(r: &Row<'_>) -> rusqlite::Result<Mention> {
    let unsigned = |n: i64| u64::try_from(n).unwrap_or(0);
    let (toward, topics): (String, String) = (r.get(14)?, r.get(20)?);
    let author = Author {
        name: r.get(7)?,
        handle: r.get(8)?,
        followers: r.get::<_, Option<i64>>(9)?.map(unsigned),
        verified: r.get(10)?,
    };
    let toward = if toward.is_empty() { Vec::new() } else { serde_json::from_str(&toward).unwrap_or_default() };
    Ok(Mention {
        id: r.get(0)?,
        source: r.get(2)?,
        network: r.get(3)?,
        site: r.get(4)?,
        title: r.get(5)?,
        author,
        newcomer: r.get::<_, i64>(11)? & 4 != 0,
        language: r.get(12)?,
        sentiment: r.get(13)?,
        toward,
        intent: r.get(15)?,
        reach: unsigned(r.get(16)?),
        engagement: unsigned(r.get(17)?),
        tier: r.get(18)?,
        story: r.get(19)?,
        topics: topics.split('\n').filter(|t| !t.is_empty()).map(str::to_owned).collect(),
        kind: r.get(21)?,
        ..Mention::of_text(r.get_ref(6)?.as_str().unwrap_or(""), from_millis(r.get(1)?))
    })
}

/// The mentions of some keys, in that order, none of them marked as history; those that are gone are left out. What
/// backtests do not need, such as the words that made a sentiment, is empty.
///
/// # Errors
/// When the database cannot be read.
pub fn mentions(c: &Connection, keys: &[Key]) -> Stored<Vec<Mention>> {
    let mut q = c.prepare_cached(&format!("SELECT {COLUMNS} FROM mentions WHERE id = ?1"))?;
    let mut out = Vec::with_capacity(keys.len());
    for (_, id) in keys {
        let mut rows = q.query(params_from_iter([id]))?;
        if let Some(row) = rows.next()? {
            out.push(read(row)?);
        }
    }
    Ok(out)
}

/// Event time of the last mention of all.
///
/// # Errors
/// When the database cannot be read.
pub fn last(c: &Connection) -> Stored<Option<i64>> {
    Ok(c.query_row("SELECT max(at) FROM topic_mentions", [], |r| r.get(0))?)
}
