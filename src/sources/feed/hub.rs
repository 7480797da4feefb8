//! The hub of a feed, which tells at once what the feed publishes, and what it delivers.
//!
//! Follows <https://www.w3.org/TR/websub/>: a feed names its hub and its own address in `Link` headers or in itself.

use serde_json::Value;

use super::{Feed, FeedCursor, identity};
use crate::sources::guard::Allow;
use crate::sources::{Brought, FetchError};

/// Identities of items that are remembered, those of the last document first.
const MOST_KNOWN: usize = 2_000;

/// Where a source can have itself told what is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hub {
    /// The hub.
    pub hub: String,
    /// The feed's own address, by which the hub knows it.
    pub topic: String,
    /// Networks that may be reached besides public ones.
    pub allow: Allow,
}

impl Feed {
    /// Where it can have itself told what is new, where its settings want that; the hub as the last document named it.
    pub(super) fn hub_of(&self, cursor: &Value) -> Option<Hub> {
        let cursor: FeedCursor = serde_json::from_value(cursor.clone()).ok().filter(|_| self.websub)?;
        let (hub, topic) = cursor.hub.filter(|_| cursor.url == self.url)?;
        Some(Hub { hub, topic, allow: self.allow.clone() })
    }

    /// Reads what a hub delivered.
    pub(super) async fn deliver(&self, cursor: &Value, media: &str, body: Vec<u8>) -> Result<Brought, FetchError> {
        let mut cursor: FeedCursor = serde_json::from_value(cursor.clone()).unwrap_or_default();
        let charset = media.split(';').skip(1).find_map(|p| p.trim().strip_prefix("charset="));
        let charset = charset.map(|c| c.trim_matches('"').to_owned());
        let document = self.read(body, charset, cursor.moved_to.clone()).await?;
        // The next document that is asked for holds them as well, or they are past its end by then: no gap.
        let new: Vec<u64> = document.captures.iter().map(identity).filter(|id| !cursor.known.contains(id)).collect();
        cursor.known.extend(new);
        let surplus = cursor.known.len().saturating_sub(MOST_KNOWN);
        cursor.known.drain(..surplus);
        Ok(Brought {
            captures: document.captures,
            skipped: document.skipped,
            skipped_total: document.skipped_total,
            degraded: document.degraded,
            cursor: serde_json::to_value(&cursor).unwrap_or_default(),
            ..Brought::default()
        })
    }
}
