//! Single values by name.

use rusqlite::{Connection, OptionalExtension};

use super::Stored;

/// The value of a name.
///
/// # Errors
/// When the database cannot be read.
pub fn get(c: &Connection, key: &str) -> Stored<Option<String>> {
    let mut q = c.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    Ok(q.query_row([key], |r| r.get(0)).optional()?)
}

/// The same as a number.
///
/// # Errors
/// When the database cannot be read.
pub fn number(c: &Connection, key: &str) -> Stored<Option<i64>> {
    Ok(get(c, key)?.and_then(|v| v.parse().ok()))
}

/// Sets the value of a name.
///
/// # Errors
/// When the database cannot be written.
pub fn set(c: &Connection, key: &str, value: &str) -> Stored<()> {
    c.prepare_cached("INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2")?
        .execute([key, value])?;
    Ok(())
}

/// Takes the value of a name away.
///
/// # Errors
/// When the database cannot be written.
pub fn forget(c: &Connection, key: &str) -> Stored<()> {
    c.execute("DELETE FROM meta WHERE key = ?1", [key])?;
    Ok(())
}

/// Gives a name a secret of 32 random bytes in hexadecimal, unless it has a value.
///
/// # Errors
/// When the database cannot be written.
pub fn make_secret(c: &Connection, key: &str) -> Stored<()> {
    c.execute("INSERT OR IGNORE INTO meta VALUES (?1, hex(randomblob(32)))", [key])?;
    Ok(())
}
