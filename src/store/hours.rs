//! Mentions of topics by hour of event time, a row a week, for charts at any size; always what `topic_mentions` says.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::Stored;

const HOUR: i64 = 3_600_000;
const WEEK: i64 = HOURS as i64 * HOUR;
/// Hours of a week.
const HOURS: usize = 168;

/// Changes gathered before they are written: topic and week, and what its hours gain or lose.
#[derive(Debug, Default)]
pub(super) struct Hours(BTreeMap<(i64, i64), Vec<i64>>);

impl Hours {
    /// Counts a mention of a time, milliseconds since 1970, for a topic; a negative number takes it away.
    pub(super) fn add(&mut self, topic: i64, at: i64, by: i64) {
        let hour = usize::try_from(at.rem_euclid(WEEK) / HOUR).unwrap_or(0);
        let week = self.0.entry((topic, at.div_euclid(WEEK))).or_insert_with(|| vec![0; HOURS]);
        if let Some(n) = week.get_mut(hour) {
            *n += by;
        }
    }

    /// Adds them to the stored ones.
    pub(super) fn write(&mut self, c: &Connection) -> Stored<()> {
        let mut find = c.prepare_cached("SELECT counts FROM hours WHERE topic = ?1 AND week = ?2")?;
        let mut put = c.prepare_cached("INSERT OR REPLACE INTO hours VALUES (?1, ?2, ?3)")?;
        for ((topic, week), change) in std::mem::take(&mut self.0) {
            let stored: Option<Vec<u8>> = find.query_row([topic, week], |r| r.get(0)).optional()?;
            let stored = stored.unwrap_or_default();
            let before = numbers(&stored).chain(std::iter::repeat(0));
            let now = before.zip(change).map(|(n, by)| u32::try_from(i64::from(n) + by).unwrap_or(0));
            let bytes: Vec<u8> = now.flat_map(u32::to_le_bytes).collect();
            put.execute(params![topic, week, bytes])?;
        }
        Ok(())
    }
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).map(|four| four.try_into().map_or(0, u32::from_le_bytes))
}

/// Counts what is there already, once.
pub(super) fn fill(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut hours = Hours::default();
    {
        let mut q = tx.prepare("SELECT topic, at FROM topic_mentions")?;
        let mut rows = q.query([])?;
        while let Some(row) = rows.next()? {
            hours.add(row.get(0)?, row.get(1)?, 1);
        }
    }
    hours.write(tx).map_err(|e| match e {
        super::StoreError::Sqlite(e) => e,
        other => rusqlite::Error::ToSqlConversionFailure(Box::new(other)),
    })
}

/// The mentions of a topic by hour, between two times, the last one excluded: where each hour begins, milliseconds since
/// 1970, and its mentions, in order. `None` where there is no such topic.
///
/// # Errors
/// When the database cannot be read.
pub fn of_topic(c: &Connection, topic: &str, from: Option<i64>, to: Option<i64>) -> Stored<Option<Vec<(i64, u64)>>> {
    let mut q = c.prepare_cached("SELECT id FROM topics WHERE name = ?1")?;
    let Some(topic) = q.query_row([topic], |r| r.get::<_, i64>(0)).optional()? else { return Ok(None) };
    let (from, to) = (from.unwrap_or(i64::MIN), to.unwrap_or(i64::MAX));
    let mut q = c.prepare_cached(
        "SELECT week, counts FROM hours WHERE topic = ?1 AND week >= ?2 AND week <= ?3 ORDER BY week",
    )?;
    let mut rows = q.query([topic, from.div_euclid(WEEK), to.div_euclid(WEEK)])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let week: i64 = row.get(0)?;
        let begin = week * WEEK;
        let counts = numbers(row.get_ref(1)?.as_blob().unwrap_or_default());
        let hours = (0..).zip(counts).map(|(hour, n)| (begin + hour * HOUR, n));
        let some = hours.filter(|(_, n)| *n > 0);
        if begin >= from && begin + WEEK <= to {
            out.reserve(HOURS);
            out.extend(some.map(|(begin, n)| (begin, u64::from(n))));
            continue;
        }
        for (begin, n) in some.filter(|(begin, _)| *begin < to && begin + HOUR > from) {
            // Of an hour that is not wholly inside, the mentions themselves are counted.
            let n = if begin >= from && begin + HOUR <= to {
                u64::from(n)
            } else {
                within(c, topic, begin.max(from), (begin + HOUR).min(to))?
            };
            if n > 0 {
                out.push((begin, n));
            }
        }
    }
    Ok(Some(out))
}

fn within(c: &Connection, topic: i64, from: i64, to: i64) -> Stored<u64> {
    let mut q = c.prepare_cached("SELECT count(*) FROM topic_mentions WHERE topic = ?1 AND at >= ?2 AND at < ?3")?;
    Ok(q.query_row([topic, from, to], |r| r.get::<_, i64>(0)).map(|n| u64::try_from(n).unwrap_or(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_those_of_the_mentions() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = crate::store::Store::open(&dir.path().join("vakt.db")).expect("it opens");
        let told = store.write_blocking(|tx| {
            tx.execute("INSERT INTO topics VALUES (7, 'acme')", [])?;
            for (id, at) in (1i64..).zip([0, 10, HOUR - 1, HOUR, WEEK + 5]) {
                tx.execute("INSERT INTO topic_mentions VALUES (7, ?1, ?2)", params![at, id])?;
            }
            fill(tx)?;
            let mut hours = Hours::default();
            tx.execute("INSERT INTO topic_mentions VALUES (7, -1, 99)", [])?;
            tx.execute("DELETE FROM topic_mentions WHERE at = 10", [])?;
            hours.add(7, -1, 1);
            hours.add(7, 10, -1);
            hours.write(tx)?;
            Ok((
                of_topic(tx, "acme", None, None)?,
                of_topic(tx, "acme", Some(1), Some(WEEK + 5))?,
                of_topic(tx, "globex", None, None)?,
            ))
        });
        let (all, some, none) = told.expect("it is read");
        assert_eq!(all, Some(vec![(-HOUR, 1), (0, 2), (HOUR, 1), (WEEK, 1)]));
        assert_eq!(some, Some(vec![(0, 1), (HOUR, 1)]));
        assert_eq!(none, None);
    }
}
