//! What was stored, edited and deleted, in one line of numbers, as the index reads it.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Stored, mentions};
use crate::model::Mention;

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A mention is new, or other than it was.
    Put(Box<Mention>),
    /// A mention is deleted.
    Gone {
        /// Its number.
        mention: i64,
        /// Not a word of it may stay in any file.
        thorough: bool,
    },
}

/// The next changes after a change's number, in order, each with its own; about `limit` of them.
///
/// # Errors
/// When the database cannot be read.
pub fn after(c: &Connection, seq: i64, limit: u32) -> Stored<Vec<(i64, Change)>> {
    // Both tables as they are at one instant: what is committed between two looks would be passed over for good.
    let tx = c.unchecked_transaction()?;
    let put = mentions::changed_after(&tx, seq, limit)?;
    let gone = gone_after(&tx, seq, limit)?;
    tx.finish()?;
    let full = usize::try_from(limit).unwrap_or(usize::MAX);
    // Of a list that was cut off nobody knows what follows: the other ends there as well.
    let end = |last: Option<i64>, n: usize| last.filter(|_| n >= full).unwrap_or(i64::MAX);
    let end = end(put.last().map(|p| p.0), put.len()).min(end(gone.last().map(|g| g.0), gone.len()));
    let mut out: Vec<(i64, Change)> = put.into_iter().map(|(seq, m)| (seq, Change::Put(Box::new(m)))).collect();
    out.extend(gone);
    out.retain(|(seq, _)| *seq <= end);
    out.sort_by_key(|(seq, _)| *seq);
    Ok(out)
}

fn gone_after(c: &Connection, seq: i64, limit: u32) -> Stored<Vec<(i64, Change)>> {
    let mut q = c.prepare_cached("SELECT seq, mention, thorough FROM gone WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
    let rows = q.query_map(params![seq, limit], |r| {
        Ok((r.get(0)?, Change::Gone { mention: r.get(1)?, thorough: r.get::<_, i64>(2)? != 0 }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes the deletion of a mention as change number `seq`.
///
/// # Errors
/// When the database cannot be written.
pub fn bury(c: &Connection, mention: i64, thorough: bool, seq: i64) -> Stored<()> {
    c.prepare_cached("INSERT INTO gone VALUES (?1, ?2, ?3)")?.execute(params![seq, mention, i64::from(thorough)])?;
    Ok(())
}

/// The index has passed the deletions up to a change. The last of all stays: numbers go on from it, even where the
/// mentions with the highest numbers are the ones that were deleted.
///
/// # Errors
/// When the database cannot be written.
pub fn passed(c: &Connection, seq: i64) -> Stored<()> {
    c.execute("DELETE FROM gone WHERE seq <= ?1 AND seq < (SELECT max(seq) FROM gone)", [seq])?;
    c.execute("UPDATE gone SET thorough = 0 WHERE seq <= ?1 AND thorough = 1", [seq])?;
    Ok(())
}

/// Deletions that the index has passed, by its own word, and that are still noted: how many, and whether one of them
/// was to be thorough.
///
/// # Errors
/// When the database cannot be read.
pub fn noted_upto(c: &Connection, seq: i64) -> Stored<(i64, bool)> {
    let mut q = c.prepare_cached("SELECT count(*), coalesce(max(thorough), 0) FROM gone WHERE seq <= ?1")?;
    Ok(q.query_row([seq], |r| Ok((r.get(0)?, r.get::<_, i64>(1)? != 0)))?)
}

/// The last deletion that is to be thorough and that the index has not carried out yet.
///
/// # Errors
/// When the database cannot be read.
pub fn awaited(c: &Connection) -> Stored<Option<i64>> {
    let mut q = c.prepare_cached("SELECT seq FROM gone WHERE thorough = 1 ORDER BY seq DESC LIMIT 1")?;
    Ok(q.query_row([], |r| r.get(0)).optional()?)
}

#[cfg(test)]
mod tests {
    use super::super::mentions::{Identity, Put, TopicIds};
    use super::*;
    use crate::engine::window::tests::mention;

    fn database() -> Connection {
        let mut c = Connection::open_in_memory().expect("it opens");
        super::super::migrations().to_latest(&mut c).expect("it is new");
        c
    }

    fn bring(c: &Connection, n: i64) -> Mention {
        let mut seq = mentions::last_seq(c).expect("read");
        let identity = Identity { told: n, placed: None, called: None, content: n };
        let m = Mention { topics: vec!["acme".into()], ..mention(0, n, 0.0) };
        let put = mentions::put(c, &m, &identity, &mut seq, &mut TopicIds::default()).expect("it is stored");
        let Put::New(id) = put else { panic!("{put:?}") };
        Mention { id, ..m }
    }

    fn delete(c: &Connection, m: &Mention, thorough: bool) {
        let mut seq = mentions::last_seq(c).expect("read");
        mentions::remove(c, m, thorough, &mut seq, &mut TopicIds::default()).expect("it is deleted");
    }

    fn numbers(c: &Connection, after_seq: i64, limit: u32) -> Vec<(i64, Option<i64>)> {
        let of = |change| match change {
            Change::Put(_) => None,
            Change::Gone { mention, .. } => Some(mention),
        };
        after(c, after_seq, limit).expect("read").into_iter().map(|(seq, change)| (seq, of(change))).collect()
    }

    #[test]
    fn deletions_stand_in_line_with_what_was_stored() {
        let c = database();
        let all: Vec<Mention> = (1..=4).map(|n| bring(&c, n)).collect();
        delete(&c, &all[1], false);
        delete(&c, &all[0], false);
        bring(&c, 5);
        assert_eq!(numbers(&c, 0, 9), [(3, None), (4, None), (5, Some(2)), (6, Some(1)), (7, None)]);
        assert_eq!(numbers(&c, 0, 2), [(3, None), (4, None)], "what follows a list that was cut off waits");
        assert_eq!(numbers(&c, 4, 2), [(5, Some(2)), (6, Some(1))]);
        let filed: i64 = c.query_row("SELECT count(*) FROM topic_mentions", [], |r| r.get(0)).expect("read");
        assert_eq!(filed, 3);
    }

    #[test]
    fn numbers_never_go_back() {
        let c = database();
        bring(&c, 1);
        let last = bring(&c, 2);
        delete(&c, &last, true);
        assert_eq!(awaited(&c).expect("read"), Some(3));
        assert_eq!(noted_upto(&c, 3).expect("read"), (1, true));
        passed(&c, 3).expect("written");
        assert_eq!((awaited(&c).expect("read"), mentions::last_seq(&c).expect("read")), (None, 3));
        // Whoever has read up to a number would never see a mention that gets it again.
        assert_eq!(bring(&c, 3).id, 4);
    }
}
