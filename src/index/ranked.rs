//! Keeps the best of what a query finds, in an order that has no ties, so that a page can go on where the last ended.

use std::collections::BinaryHeap;

/// A place in an order: what it is ordered by, as a number that rises from the first hit to the last, and the mention's
/// number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// What it is ordered by.
    pub key: u64,
    /// Number of the mention.
    pub id: u64,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:x}-{:x}", self.key, self.id)
    }
}

impl std::str::FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Cursor, String> {
        let read = |part: &str| u64::from_str_radix(part, 16).ok();
        text.split_once('-')
            .and_then(|(key, id)| Some(Cursor { key: read(key)?, id: read(id)? }))
            .ok_or_else(|| format!("`{text}` is no cursor; take the one that the last page ended with"))
    }
}

/// Keeps the first `limit` after a cursor, whatever order they come in.
pub(super) struct Best {
    limit: usize,
    after: Option<Cursor>,
    /// The worst of the best on top.
    best: BinaryHeap<Cursor>,
}

impl Best {
    pub(super) fn new(limit: usize, after: Option<Cursor>) -> Best {
        Best { limit, after, best: BinaryHeap::new() }
    }

    /// Takes a hit into account; its number is asked for only where its key does not put it out of the race.
    pub(super) fn take(&mut self, key: u64, id: impl FnOnce() -> u64) {
        let full = self.best.len() >= self.limit;
        let worst = self.best.peek().copied();
        if (full && worst.is_none_or(|worst| key > worst.key)) || self.after.is_some_and(|after| key < after.key) {
            return;
        }
        let cursor = Cursor { key, id: id() };
        if self.after.is_some_and(|after| cursor <= after) || (full && worst.is_some_and(|worst| cursor >= worst)) {
            return;
        }
        if full {
            self.best.pop();
        }
        self.best.push(cursor);
    }

    /// The best, in order.
    pub(super) fn done(self) -> Vec<Cursor> {
        self.best.into_sorted_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn cursors_are_read_as_they_are_written(key: u64, id: u64) {
            let cursor = Cursor { key, id };
            proptest::prop_assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
        }
    }
}
