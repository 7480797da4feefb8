//! What the detector keeps of its groups, in the transaction that moves its place on.

use rusqlite::Connection;

use super::Stored;

/// All groups: scope, group and state as JSON.
///
/// # Errors
/// When the database cannot be read.
pub fn all(c: &Connection) -> Stored<Vec<(String, String, String)>> {
    let mut q = c.prepare("SELECT scope, grp, state FROM groups")?;
    let rows = q.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Forgets what was learned of the groups of a topic, which means something else now.
///
/// # Errors
/// When the database cannot be written.
pub fn forget(c: &Connection, topic: &str) -> Stored<()> {
    let sql =
        "DELETE FROM groups WHERE instr('/' || grp || '/', '/' || ?1 || '/') > 0 OR instr(scope, '/' || ?1 || '/') > 0";
    c.execute(sql, [topic])?;
    Ok(())
}

/// Keeps a group's state.
///
/// # Errors
/// When the database cannot be written.
pub fn put(c: &Connection, scope: &str, group: &str, state: &str) -> Stored<()> {
    c.prepare_cached("INSERT INTO groups VALUES (?1, ?2, ?3) ON CONFLICT (scope, grp) DO UPDATE SET state = ?3")?
        .execute([scope, group, state])?;
    Ok(())
}
