//! The wish to have the search index built anew, and how far that is: how a command and the daemon speak of it.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::{Stored, meta};

const WISH: &str = "reindex";

/// How a wish stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Nobody has begun.
    #[default]
    Asked,
    /// It is being done.
    Running,
    /// It is done.
    Done,
    /// It failed.
    Failed,
}

/// A wish, with how far it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wish {
    /// How it stands.
    pub standing: Standing,
    /// Mentions in the new index.
    pub done: u64,
    /// Mentions that there are.
    pub of: u64,
    /// Seconds that it took so far.
    pub seconds: f64,
    /// Bytes of the new index, once it is whole.
    pub bytes: u64,
    /// Why it failed.
    pub error: String,
}

impl Wish {
    /// Whether it is still to be fulfilled.
    pub fn is_open(&self) -> bool {
        matches!(self.standing, Standing::Asked | Standing::Running)
    }
}

/// The last wish; `None` where there was none.
///
/// # Errors
/// When the database cannot be read.
pub fn get(c: &Connection) -> Stored<Option<Wish>> {
    Ok(meta::get(c, WISH)?.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// Keeps how a wish stands.
///
/// # Errors
/// When the database cannot be written.
pub fn put(c: &Connection, wish: &Wish) -> Stored<()> {
    meta::set(c, WISH, &serde_json::to_string(wish)?)
}
