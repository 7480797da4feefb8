//! Erased authors: receipts that name nobody, and tombstones that keep them from coming back.
//!
//! A tombstone is a SHA-256 over a key that this database alone has, and over who is meant where. Without the database
//! nobody can tell from it whom it stands for, nor, with it, read a list of names off it.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::mentions::Identity;
use super::{Stored, meta};
use crate::model::Mention;
use crate::model::time::from_millis;

const KEY: &str = "erasure_key";
const MARK: &str = "erasure_mark";

/// What was erased, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Its number.
    #[serde(default)]
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Why, in the words of whoever asked; may be empty.
    pub reason: String,
    /// The tombstone of the name that was asked for, in hexadecimal.
    pub tombstone: String,
    /// Mentions erased.
    pub mentions: u64,
    /// Identities of theirs, replaced by tombstones.
    pub identities: u64,
    /// Messages done with that quoted them, replaced by a stub.
    pub stubbed: u64,
    /// Messages still waiting that quoted them, and go on without it.
    pub struck: u64,
    /// Of those messages, the ones that a relay had taken before: they are with people, and out of reach.
    pub sent: u64,
    /// Mails in the mail folder that quoted them.
    pub files: u64,
    /// Notes on incidents, and drafts, that named or quoted them.
    pub notes: u64,
    /// Incidents whose messages or notes were changed.
    pub incidents: Vec<i64>,
    /// The last deletion that the index has to carry out.
    pub seq: i64,
    /// The index has no word of them any more.
    pub index_done: bool,
    /// Nor have the free pages of the database.
    pub database_done: bool,
}

/// Keeps a receipt, new where its number is 0; gives the number.
///
/// # Errors
/// When the database cannot be written.
pub fn put(c: &Connection, receipt: &Receipt) -> Stored<i64> {
    let state = serde_json::to_string(receipt)?;
    if receipt.id == 0 {
        c.execute("INSERT INTO erasures (at, state) VALUES (?1, ?2)", params![receipt.at.as_millisecond(), state])?;
        return Ok(c.last_insert_rowid());
    }
    c.execute("UPDATE erasures SET state = ?2 WHERE id = ?1", params![receipt.id, state])?;
    Ok(receipt.id)
}

/// All receipts, oldest first.
///
/// # Errors
/// When the database cannot be read.
pub fn all(c: &Connection) -> Stored<Vec<Receipt>> {
    let mut q = c.prepare("SELECT id, at, state FROM erasures ORDER BY id")?;
    let rows = q.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get::<_, String>(2)?)))?;
    let mut out = Vec::new();
    for row in rows {
        let (id, at, state) = row?;
        out.push(Receipt { id, at: from_millis(at), ..serde_json::from_str(&state)? });
    }
    Ok(out)
}

/// The free pages of the database have nothing of the erased any more.
///
/// # Errors
/// When the database cannot be written.
pub fn scrubbed(c: &Connection, upto: i64) -> Stored<()> {
    for receipt in all(c)?.into_iter().filter(|r| !r.database_done && r.id <= upto) {
        put(c, &Receipt { database_done: true, ..receipt })?;
    }
    Ok(())
}

/// Rises with every erasure: what was read before it may hold what is erased, and must not be written after it.
///
/// # Errors
/// When the database cannot be read.
pub fn mark(c: &Connection) -> Stored<i64> {
    Ok(meta::number(c, MARK)?.unwrap_or(0))
}

/// Moves the mark on.
///
/// # Errors
/// When the database cannot be written.
pub fn move_mark(c: &Connection) -> Stored<()> {
    meta::set(c, MARK, &(mark(c)? + 1).to_string())
}

/// Where an author is erased.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// In a network.
    Network(&'a str),
    /// In what one source tells.
    Source(&'a str),
}

/// The tombstones of a database.
#[derive(Debug)]
pub struct Tombstones {
    key: String,
}

impl Tombstones {
    /// Those of a database; `None` while there is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn of(c: &Connection) -> Stored<Option<Tombstones>> {
        Ok(meta::get(c, KEY)?.map(|key| Tombstones { key }))
    }

    /// Those of a database, which gets a key of its own at first use.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn begin(c: &Connection) -> Stored<Tombstones> {
        meta::make_secret(c, KEY)?;
        Ok(Tombstones { key: meta::get(c, KEY)?.unwrap_or_default() })
    }

    fn hash(&self, parts: &[&str]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.key.as_bytes());
        for part in parts {
            hasher.update([0x1f]);
            hasher.update(part.as_bytes());
        }
        hasher.finalize().into()
    }

    fn author(&self, scope: Scope<'_>, who: &str) -> [u8; 32] {
        let (kind, place) = match scope {
            Scope::Network(n) => ("network", n),
            Scope::Source(s) => ("source", s),
        };
        self.hash(&["author", kind, place, &who.trim().to_lowercase()])
    }

    /// Lays one for an author; gives it in hexadecimal.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn lay_author(&self, c: &Connection, scope: Scope<'_>, who: &str) -> Stored<String> {
        let hash = self.author(scope, who);
        lay(c, &hash)?;
        Ok(hash.iter().map(|b| format!("{b:02x}")).collect())
    }

    /// Lays one for an identity.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn lay_identity(&self, c: &Connection, identity: i64) -> Stored<()> {
        lay(c, &self.hash(&["identity", &identity.to_string()]))
    }

    /// Whether a mention is one of an erased author's.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn refuse(&self, c: &Connection, m: &Mention, identity: &Identity) -> Stored<bool> {
        let mut q = c.prepare_cached("SELECT 1 FROM tombstones WHERE hash = ?1")?;
        let mut stands =
            |hash: [u8; 32]| -> Stored<bool> { Ok(q.query_row([hash.as_slice()], |_| Ok(())).optional()?.is_some()) };
        for who in [&m.author.handle, &m.author.name].into_iter().filter(|w| !w.is_empty()) {
            if stands(self.author(Scope::Network(&m.network), who))?
                || stands(self.author(Scope::Source(&m.source), who))?
            {
                return Ok(true);
            }
        }
        for identity in [Some(identity.told), identity.placed].into_iter().flatten() {
            if stands(self.hash(&["identity", &identity.to_string()]))? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn lay(c: &Connection, hash: &[u8; 32]) -> Stored<()> {
    c.prepare_cached("INSERT OR IGNORE INTO tombstones VALUES (?1)")?.execute([hash.as_slice()])?;
    Ok(())
}
