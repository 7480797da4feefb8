//! Sums over the mentions of a topic and an interval of event time, for reports. Times are milliseconds since 1970, the last
//! one excluded.

use rusqlite::{Connection, params};

use super::Stored;

/// What mentions are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The network.
    Network,
    /// The language.
    Language,
    /// The site; mentions without one are left out.
    Site,
}

const OF_TOPIC: &str = "FROM topic_mentions tm JOIN mentions m ON m.id = tm.mention
    WHERE tm.topic = (SELECT id FROM topics WHERE name = ?1) AND tm.at >= ?2 AND tm.at < ?3";

/// The mentions by something, most first, at most so many.
///
/// # Errors
/// When the database cannot be read.
pub fn by(c: &Connection, by: By, topic: &str, (from, to): (i64, i64), most: u32) -> Stored<Vec<(String, u64)>> {
    let column = match by {
        By::Network => "m.network",
        By::Language => "m.language",
        By::Site => "m.site",
    };
    let sql = format!(
        "SELECT {column}, count(*) AS n {OF_TOPIC} AND {column} <> '' GROUP BY {column} ORDER BY n DESC, {column} LIMIT ?4"
    );
    let mut q = c.prepare_cached(&sql)?;
    let rows = q.query_map(params![topic, from, to, most], |r| Ok((r.get(0)?, unsigned(r.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// An author with what they wrote of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// The network.
    pub network: String,
    /// The name to show; the handle where there is none.
    pub name: String,
    /// Mentions.
    pub mentions: u64,
    /// Most people that one of them may have reached.
    pub reach: u64,
}

/// The authors who are heard most: by reach, then by mentions; at most so many.
///
/// # Errors
/// When the database cannot be read.
pub fn writers(c: &Connection, topic: &str, (from, to): (i64, i64), most: u32) -> Stored<Vec<Writer>> {
    let sql = format!(
        "SELECT m.network, CASE m.author WHEN '' THEN m.handle ELSE m.author END, count(*) AS n, max(m.reach) AS r {OF_TOPIC}
         AND m.author || m.handle <> ''
         GROUP BY m.network, CASE m.handle WHEN '' THEN m.author ELSE m.handle END ORDER BY r DESC, n DESC LIMIT ?4"
    );
    let mut q = c.prepare_cached(&sql)?;
    let rows = q.query_map(params![topic, from, to, most], |r| {
        Ok(Writer { network: r.get(0)?, name: r.get(1)?, mentions: unsigned(r.get(2)?), reach: unsigned(r.get(3)?) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many authors there are.
///
/// # Errors
/// When the database cannot be read.
pub fn authors(c: &Connection, topic: &str, (from, to): (i64, i64)) -> Stored<u64> {
    let sql = format!(
        "SELECT count(DISTINCT m.network || char(0) || lower(CASE m.handle WHEN '' THEN m.author ELSE m.handle END)) {OF_TOPIC}"
    );
    Ok(unsigned(c.prepare_cached(&sql)?.query_row(params![topic, from, to], |r| r.get(0))?))
}

/// In which order stories are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By the largest reach, then by mentions.
    Loudest,
    /// The positive ones, by the most engagement, then by reach.
    Best,
}

/// The first stories of an order, each with the number of its foremost mention and how many mentions it has.
///
/// # Errors
/// When the database cannot be read.
pub fn stories(
    c: &Connection,
    order: Order,
    topic: &str,
    (from, to): (i64, i64),
    most: u32,
) -> Stored<Vec<(i64, u64)>> {
    // SQLite takes the other columns from the row that has the largest value.
    let (foremost, only) = match order {
        Order::Loudest => ("m.reach", ""),
        Order::Best => {
            ("m.engagement * 1000000 + min(m.reach, 999999)", "AND m.sentiment >= 0.15 AND m.engagement > 0")
        }
    };
    let sql = format!(
        "SELECT m.id, count(*) AS n, max({foremost}) AS r {OF_TOPIC} {only}
         GROUP BY CASE m.story WHEN 0 THEN -m.id ELSE m.story END ORDER BY r DESC, n DESC, m.id LIMIT ?4"
    );
    let mut q = c.prepare_cached(&sql)?;
    let rows = q.query_map(params![topic, from, to, most], |r| Ok((r.get(0)?, unsigned(r.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
