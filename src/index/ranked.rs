//! Collects the best of what a query finds, in an order that has no ties, so that a page can go on where the last ended.

use std::collections::BinaryHeap;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::Column;
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};

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

/// How a column's numbers become keys that rise from the first hit to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    /// Name of the column.
    pub(super) column: &'static str,
    /// Largest first.
    pub(super) descending: bool,
}

/// Collects the first `limit` after a cursor, and counts all.
pub(super) struct Ranked {
    pub(super) key: Key,
    pub(super) limit: usize,
    pub(super) after: Option<Cursor>,
}

/// What was collected.
pub(super) type Page = (usize, Vec<Cursor>);

impl Collector for Ranked {
    type Fruit = Page;
    type Child = RankedSegment;

    fn for_segment(&self, _: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<RankedSegment> {
        let Key { column, descending } = self.key;
        let (keys, _) = reader
            .fast_fields()
            .u64_lenient(column)?
            .ok_or_else(|| tantivy::TantivyError::SchemaError(format!("there is no column {column}")))?;
        Ok(RankedSegment {
            keys,
            ids: reader.fast_fields().u64("id")?,
            descending,
            limit: self.limit,
            after: self.after,
            best: BinaryHeap::new(),
            count: 0,
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<Page>) -> tantivy::Result<Page> {
        let count = fruits.iter().map(|(n, _)| n).sum();
        let mut all: Vec<Cursor> = fruits.into_iter().flat_map(|(_, hits)| hits).collect();
        all.sort_unstable();
        all.truncate(self.limit);
        Ok((count, all))
    }
}

/// The best of one segment.
pub(super) struct RankedSegment {
    keys: Column<u64>,
    ids: Column<u64>,
    descending: bool,
    limit: usize,
    after: Option<Cursor>,
    /// The worst of the best on top.
    best: BinaryHeap<Cursor>,
    count: usize,
}

impl SegmentCollector for RankedSegment {
    type Fruit = Page;

    fn collect(&mut self, doc: DocId, _: Score) {
        self.count += 1;
        if self.limit == 0 {
            return;
        }
        // What has no value comes last, whichever the order.
        let key = self.keys.first(doc).map_or(u64::MAX, |k| if self.descending { !k } else { k });
        let full = self.best.len() >= self.limit;
        if full && self.best.peek().is_some_and(|worst| key > worst.key) {
            return;
        }
        if self.after.is_some_and(|after| key < after.key) {
            return;
        }
        let cursor = Cursor { key, id: self.ids.first(doc).unwrap_or(0) };
        if self.after.is_some_and(|after| cursor <= after) || (full && self.best.peek().is_some_and(|w| cursor >= *w)) {
            return;
        }
        if full {
            self.best.pop();
        }
        self.best.push(cursor);
    }

    fn harvest(self) -> Page {
        (self.count, self.best.into_vec())
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
