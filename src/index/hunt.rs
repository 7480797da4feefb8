//! Goes through what a query finds within a span of time and a budget.
//!
//! Every segment of the index lies in the order of time, newest first: a span is a range of documents, and the newest
//! hits are the first ones, so that a page of them is found without looking at the rest.

use std::collections::BinaryHeap;
use std::ops::Range;
use std::time::{Duration, Instant};

use tantivy::columnar::Column;
use tantivy::query::{EnableScoring, Query, Scorer, TermQuery, Weight};
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId, DocSet, Score, SegmentReader};

use super::ranked::Cursor;
use super::view::{Segment, View};

/// A span of event time, milliseconds since 1970; the end is excluded.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Within {
    pub(super) since: Option<i64>,
    pub(super) until: Option<i64>,
}

/// Until when a search may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget(Option<Instant>);

impl Budget {
    pub(super) fn of(time: Option<Duration>) -> Budget {
        Budget(time.and_then(|t| Instant::now().checked_add(t)))
    }

    pub(super) fn is_spent(self) -> bool {
        self.0.is_some_and(|end| Instant::now() >= end)
    }
}

/// The clock is looked at once in so many documents.
const LOOK: usize = 4096;

/// A query on its way through the index.
pub(super) struct Hunt<'a> {
    view: &'a View,
    weight: Box<dyn Weight>,
    /// How many it finds stands in the index.
    told: bool,
    within: Within,
    budget: Budget,
}

impl<'a> Hunt<'a> {
    /// Over a query, with scores where they are wanted.
    pub(super) fn new(
        view: &'a View,
        query: &dyn Query,
        scored: bool,
        within: Within,
        budget: Budget,
    ) -> tantivy::Result<Hunt<'a>> {
        let scoring = if scored {
            EnableScoring::enabled_from_searcher(&view.searcher)
        } else {
            EnableScoring::disabled_from_searcher(&view.searcher)
        };
        Ok(Hunt { view, weight: query.weight(scoring)?, told: query.is::<TermQuery>(), within, budget })
    }

    /// The segments with something in the span, each with its number and the documents of the span.
    fn segments(&self, within: Within) -> Vec<(usize, &'a SegmentReader, Range<DocId>)> {
        let readers = self.view.searcher.segment_readers().iter().zip(&self.view.segments).enumerate();
        let ranges = readers.map(|(n, (reader, segment))| (n, reader, range_of(&segment.at, reader.max_doc(), within)));
        ranges.filter(|(_, _, range)| !range.is_empty()).collect()
    }

    /// Hands over what is found, in blocks that rise within each segment, whose number comes with them. False where the
    /// time was over before the end.
    pub(super) fn blocks(&self, mut each: impl FnMut(usize, &[DocId])) -> tantivy::Result<bool> {
        let mut buffer = [0; COLLECT_BLOCK_BUFFER_LEN];
        let mut seen = 0;
        for (n, reader, range) in self.segments(self.within) {
            let mut scorer = self.weight.scorer(reader, 1.0)?;
            go_to(scorer.as_mut(), range.start);
            loop {
                let filled = scorer.fill_buffer(&mut buffer);
                let block = buffer.get(..filled).unwrap_or_default();
                let inside = block.get(..block.partition_point(|d| *d < range.end)).unwrap_or_default();
                match reader.alive_bitset() {
                    None => each(n, inside),
                    Some(alive) => {
                        let kept: Vec<DocId> = inside.iter().copied().filter(|d| alive.is_alive(*d)).collect();
                        each(n, &kept);
                    }
                }
                if filled < buffer.len() || inside.len() < filled {
                    break;
                }
                seen += filled;
                if seen >= LOOK {
                    seen = 0;
                    if self.budget.is_spent() {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    /// The same, one by one with scores.
    pub(super) fn scored(&self, mut each: impl FnMut(usize, DocId, Score)) -> tantivy::Result<bool> {
        let mut seen = 0;
        for (n, reader, range) in self.segments(self.within) {
            let mut scorer = self.weight.scorer(reader, 1.0)?;
            let mut doc = go_to(scorer.as_mut(), range.start);
            while doc < range.end {
                if reader.alive_bitset().is_none_or(|alive| alive.is_alive(doc)) {
                    each(n, doc, scorer.score());
                }
                doc = scorer.advance();
                seen += 1;
                if seen % LOOK == 0 && self.budget.is_spent() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether the time is over.
    pub(super) fn is_late(&self) -> bool {
        self.budget.is_spent()
    }

    /// How many there are; false where the time was over before the end.
    pub(super) fn count(&self) -> tantivy::Result<(usize, bool)> {
        let mut count = 0;
        let all = self.segments(self.within);
        if all.iter().all(|(_, reader, range)| *range == (0..reader.max_doc())) {
            for (_, reader, _) in all {
                if self.budget.is_spent() {
                    return Ok((count, false));
                }
                count += usize::try_from(self.weight.count(reader)?).unwrap_or(usize::MAX);
            }
            return Ok((count, true));
        }
        let whole = self.blocks(|_, docs| count += docs.len())?;
        Ok((count, whole))
    }

    /// The newest `limit` after a cursor, of one time by their numbers; and how many there are altogether, if `all` are
    /// to be counted.
    pub(super) fn newest(&self, limit: usize, after: Option<Cursor>, all: bool) -> tantivy::Result<Newest> {
        let mut out: Vec<Cursor> = Vec::new();
        let mut within = self.within;
        if let Some(after) = after {
            let last = time_of(after.key).saturating_add(1);
            within.until = Some(within.until.map_or(last, |until| until.min(last)));
        }
        let mut heads = Vec::new();
        // How many there are altogether, where the index says it of each segment.
        let mut told = (self.told && after.is_none()).then_some(0);
        for (n, reader, range) in self.segments(within) {
            let Some(segment) = self.view.segments.get(n) else { continue };
            let mut scorer = self.weight.scorer(reader, 1.0)?;
            let is_whole = reader.alive_bitset().is_none() && range == (0..reader.max_doc());
            told = told.filter(|_| is_whole).map(|n: u32| n.saturating_add(scorer.size_hint()));
            go_to(scorer.as_mut(), range.start);
            heads.push(Head { scorer, reader, end: range.end, segment });
        }
        let mut order: BinaryHeap<(i64, usize)> =
            heads.iter_mut().enumerate().filter_map(|(n, head)| Some((head.at()?, n))).collect();
        let mut seen = 0;
        let mut whole = true;
        while let Some((at, n)) = order.peek().copied() {
            let key = key_of(at);
            // All of one time are looked at, since within a time it is their numbers that order them.
            if limit == 0 || (out.len() >= limit && out.last().is_some_and(|last| last.key < key)) {
                break;
            }
            order.pop();
            let Some(head) = heads.get_mut(n) else { break };
            let cursor = Cursor { key, id: head.segment.ids.first(head.scorer.doc()).unwrap_or(0) };
            if after.is_none_or(|after| cursor > after) {
                out.push(cursor);
            }
            head.scorer.advance();
            order.extend(head.at().map(|at| (at, n)));
            seen += 1;
            if seen % (LOOK / 64) == 0 && self.budget.is_spent() {
                whole = false;
                break;
            }
        }
        let mut total = seen;
        if let Some(told) = told.filter(|_| all && whole) {
            total = usize::try_from(told).unwrap_or(usize::MAX);
        } else if all && whole && !order.is_empty() {
            if after.is_some() || self.told {
                (total, whole) = self.count()?;
            } else {
                let rest = order.into_iter().filter_map(|(_, n)| heads.get_mut(n).map(Head::rest));
                total += rest.sum::<usize>();
            }
        } else if all && whole && after.is_some() {
            (total, whole) = self.count()?;
        }
        out.sort_unstable();
        out.truncate(limit);
        Ok(Newest { page: out, total, whole })
    }
}

/// The newest of what there is.
pub(super) struct Newest {
    /// In order.
    pub(super) page: Vec<Cursor>,
    /// Of all that there are, those that were counted.
    pub(super) total: usize,
    /// False where the time was over before the end; what is there is right all the same.
    pub(super) whole: bool,
}

/// Where the search for the newest stands in one segment.
struct Head<'a> {
    scorer: Box<dyn Scorer>,
    reader: &'a SegmentReader,
    end: DocId,
    segment: &'a Segment,
}

impl Head<'_> {
    /// How many there are from here on.
    fn rest(&mut self) -> usize {
        let mut buffer = [0; COLLECT_BLOCK_BUFFER_LEN];
        let mut count = 0;
        loop {
            let filled = self.scorer.fill_buffer(&mut buffer);
            let block = buffer.get(..filled).unwrap_or_default();
            let inside = block.get(..block.partition_point(|d| *d < self.end)).unwrap_or_default();
            count += match self.reader.alive_bitset() {
                None => inside.len(),
                Some(alive) => inside.iter().filter(|d| alive.is_alive(**d)).count(),
            };
            if filled < buffer.len() || inside.len() < filled {
                return count;
            }
        }
    }

    /// The time of the hit that it stands on, or goes on to where that one is deleted.
    fn at(&mut self) -> Option<i64> {
        while self.reader.alive_bitset().is_some_and(|alive| {
            let doc = self.scorer.doc();
            doc < self.end && !alive.is_alive(doc)
        }) {
            self.scorer.advance();
        }
        let doc = self.scorer.doc();
        if doc < self.end { self.segment.at.first(doc) } else { None }
    }
}

/// Keys rise from the newest to the oldest.
pub(super) fn key_of(at: i64) -> u64 {
    !(at.cast_unsigned() ^ (1 << 63))
}

fn time_of(key: u64) -> i64 {
    (!key ^ (1 << 63)).cast_signed()
}

fn go_to(scorer: &mut dyn Scorer, doc: DocId) -> DocId {
    if scorer.doc() < doc { scorer.seek(doc) } else { scorer.doc() }
}

/// The documents of a segment that lie in a span.
fn range_of(at: &Column<i64>, docs: DocId, within: Within) -> Range<DocId> {
    let from = within.until.map_or(0, |until| first_where(at, 0..docs, |t| t < until));
    let to = within.since.map_or(docs, |since| first_where(at, from..docs, |t| t < since));
    from..to
}

/// The first document of a range from which on a condition on the time holds, which falls from document to document.
pub(super) fn first_where(at: &Column<i64>, docs: Range<DocId>, holds: impl Fn(i64) -> bool) -> DocId {
    let Range { start: mut low, end: mut high } = docs;
    while low < high {
        let middle = low + (high - low) / 2;
        if at.first(middle).is_some_and(&holds) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn keys_fall_with_time_and_are_read_back(a: i64, b: i64) {
            proptest::prop_assert_eq!(time_of(key_of(a)), a);
            proptest::prop_assert_eq!(a.cmp(&b), key_of(b).cmp(&key_of(a)));
        }
    }
}
