//! Looks through all mentions for an author. There is no index over authors: erasing is rare, and taking in is not.

use std::collections::HashSet;

use rusqlite::{Connection, Row, params};

use super::Stored;

/// As much of a mention as it takes to know whose it is and whom it names.
#[derive(Debug)]
pub struct Glimpse<'r> {
    /// Its number.
    pub id: i64,
    /// Name of its source.
    pub source: &'r str,
    /// Its network.
    pub network: &'r str,
    /// The author's name.
    pub name: &'r str,
    /// The author's handle.
    pub handle: &'r str,
    /// Headline.
    pub title: &'r str,
    /// Body.
    pub text: &'r str,
}

/// Shows the mentions after a number, in order, at most so many; gives the number of the last, if any.
///
/// # Errors
/// When the database cannot be read.
pub fn look_through(
    c: &Connection,
    after: i64,
    limit: u32,
    mut visit: impl FnMut(&Glimpse<'_>),
) -> Stored<Option<i64>> {
    let sql =
        "SELECT id, source, network, author, handle, title, text FROM mentions WHERE id > ?1 ORDER BY id LIMIT ?2";
    let mut q = c.prepare_cached(sql)?;
    let mut rows = q.query(params![after, limit])?;
    let mut last = None;
    while let Some(r) = rows.next()? {
        let glimpse = glimpse(r)?;
        last = Some(glimpse.id);
        visit(&glimpse);
    }
    Ok(last)
}

fn glimpse<'r>(r: &'r Row<'_>) -> Stored<Glimpse<'r>> {
    let text = |n| r.get_ref(n).map(|v| v.as_str().unwrap_or_default());
    Ok(Glimpse {
        id: r.get(0)?,
        source: text(1)?,
        network: text(2)?,
        name: text(3)?,
        handle: text(4)?,
        title: text(5)?,
        text: text(6)?,
    })
}

/// The identities of mentions. It looks at all that there are.
///
/// # Errors
/// When the database cannot be read.
pub fn identities(c: &Connection, mentions: &HashSet<i64>) -> Stored<Vec<i64>> {
    let mut q = c.prepare("SELECT hash, mention FROM identities")?;
    let mut rows = q.query([])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        if mentions.contains(&r.get(1)?) {
            out.push(r.get(0)?);
        }
    }
    Ok(out)
}

/// Forgets an identity.
///
/// # Errors
/// When the database cannot be written.
pub fn forget_identity(c: &Connection, hash: i64) -> Stored<()> {
    c.prepare_cached("DELETE FROM identities WHERE hash = ?1")?.execute([hash])?;
    Ok(())
}
