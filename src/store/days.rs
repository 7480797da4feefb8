//! Mentions of topics by hour of event time, a row a day, for charts at any size; always what `topic_mentions` says.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::Stored;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Changes gathered before they are written: topic and day, and what its hours gain or lose.
#[derive(Debug, Default)]
pub(super) struct Days(BTreeMap<(i64, i64), [i64; 24]>);

impl Days {
    /// Counts a mention of a time, milliseconds since 1970, for a topic; a negative number takes it away.
    pub(super) fn add(&mut self, topic: i64, at: i64, by: i64) {
        let hour = usize::try_from(at.rem_euclid(DAY) / HOUR).unwrap_or(0);
        if let Some(n) = self.0.entry((topic, at.div_euclid(DAY))).or_default().get_mut(hour) {
            *n += by;
        }
    }

    /// Adds them to the stored ones.
    pub(super) fn write(&mut self, c: &Connection) -> Stored<()> {
        let mut find = c.prepare_cached("SELECT hours FROM days WHERE topic = ?1 AND day = ?2")?;
        let mut put = c.prepare_cached("INSERT OR REPLACE INTO days VALUES (?1, ?2, ?3)")?;
        for ((topic, day), change) in std::mem::take(&mut self.0) {
            let stored: Option<Vec<u8>> = find.query_row([topic, day], |r| r.get(0)).optional()?;
            let before = hours(&stored.unwrap_or_default());
            let now = before.iter().zip(change).map(|(n, by)| u32::try_from(i64::from(*n) + by).unwrap_or(0));
            let bytes: Vec<u8> = now.flat_map(u32::to_le_bytes).collect();
            put.execute(params![topic, day, bytes])?;
        }
        Ok(())
    }
}

fn hours(bytes: &[u8]) -> [u32; 24] {
    let mut out = [0; 24];
    for (n, four) in out.iter_mut().zip(bytes.chunks_exact(4)) {
        *n = four.try_into().map_or(0, u32::from_le_bytes);
    }
    out
}

/// Counts what is there already, once.
pub(super) fn fill(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut days = Days::default();
    {
        let mut q = tx.prepare("SELECT topic, at FROM topic_mentions")?;
        let mut rows = q.query([])?;
        while let Some(row) = rows.next()? {
            days.add(row.get(0)?, row.get(1)?, 1);
        }
    }
    days.write(tx).map_err(|e| match e {
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
    let mut q =
        c.prepare_cached("SELECT day, hours FROM days WHERE topic = ?1 AND day >= ?2 AND day <= ?3 ORDER BY day")?;
    let mut rows = q.query([topic, from.div_euclid(DAY), to.div_euclid(DAY)])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let day: i64 = row.get(0)?;
        for (hour, n) in (0i64..).zip(hours(row.get_ref(1)?.as_blob().unwrap_or_default())) {
            let begin = day * DAY + hour * HOUR;
            if n == 0 || begin >= to || begin + HOUR <= from {
                continue;
            }
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
            for (id, at) in (1i64..).zip([0, 10, HOUR - 1, HOUR, DAY + 5]) {
                tx.execute("INSERT INTO topic_mentions VALUES (7, ?1, ?2)", params![at, id])?;
            }
            fill(tx)?;
            let mut days = Days::default();
            tx.execute("INSERT INTO topic_mentions VALUES (7, -1, 99)", [])?;
            tx.execute("DELETE FROM topic_mentions WHERE at = 10", [])?;
            days.add(7, -1, 1);
            days.add(7, 10, -1);
            days.write(tx)?;
            Ok((
                of_topic(tx, "acme", None, None)?,
                of_topic(tx, "acme", Some(1), Some(DAY + 5))?,
                of_topic(tx, "globex", None, None)?,
            ))
        });
        let (all, some, none) = told.expect("it is read");
        assert_eq!(all, Some(vec![(-HOUR, 1), (0, 2), (HOUR, 1), (DAY, 1)]));
        assert_eq!(some, Some(vec![(0, 1), (HOUR, 1)]));
        assert_eq!(none, None);
    }
}
