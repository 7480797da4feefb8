//! Counts what a query finds, by time and by names.

use std::collections::BTreeMap;

use tantivy::collector::{Collector, Count, SegmentCollector};
use tantivy::columnar::Column;
use tantivy::query::{BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, Score, Searcher, SegmentOrdinal, SegmentReader, Term};

use super::{Fields, IndexError};
use crate::model::Mention;

/// Counts by equal spans of event time.
pub(super) struct ByTime {
    /// Milliseconds of a bucket.
    pub(super) width: i64,
}

impl Collector for ByTime {
    type Fruit = BTreeMap<i64, usize>;
    type Child = ByTimeSegment;

    fn for_segment(&self, _: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<ByTimeSegment> {
        let at = reader.fast_fields().i64("at")?;
        let first = at.min_value().div_euclid(self.width);
        let last = at.max_value().div_euclid(self.width);
        let buckets = usize::try_from(last.saturating_sub(first)).unwrap_or(usize::MAX).saturating_add(1);
        Ok(ByTimeSegment {
            at,
            width: self.width,
            first,
            dense: vec![0; buckets.min(MOST_DENSE)],
            sparse: BTreeMap::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<Self::Fruit>) -> tantivy::Result<Self::Fruit> {
        let mut all = BTreeMap::new();
        for (bucket, n) in fruits.into_iter().flatten() {
            *all.entry(bucket).or_default() += n;
        }
        Ok(all)
    }
}

/// Buckets that are counted in a plain list; a segment that spans more has the rest in a tree.
const MOST_DENSE: usize = 200_000;

/// The counts of one segment.
pub(super) struct ByTimeSegment {
    at: Column<i64>,
    width: i64,
    first: i64,
    dense: Vec<u32>,
    sparse: BTreeMap<i64, usize>,
}

impl SegmentCollector for ByTimeSegment {
    type Fruit = BTreeMap<i64, usize>;

    fn collect(&mut self, doc: DocId, _: Score) {
        let Some(at) = self.at.first(doc) else { return };
        let bucket = at.div_euclid(self.width);
        let place = usize::try_from(bucket - self.first).ok().and_then(|n| self.dense.get_mut(n));
        match place {
            Some(n) => *n += 1,
            None => *self.sparse.entry(bucket).or_default() += 1,
        }
    }

    fn harvest(self) -> Self::Fruit {
        let first = self.first;
        let dense =
            (first..).zip(self.dense).filter(|(_, n)| *n > 0).map(|(b, n)| (b, usize::try_from(n).unwrap_or(0)));
        dense.chain(self.sparse).collect()
    }
}

/// What mentions may be counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facet {
    /// Network.
    Network,
    /// Language.
    Language,
    /// Negative, neutral, positive.
    Sentiment,
    /// Intent.
    Intent,
    /// Topic.
    Topic,
    /// Source.
    Source,
}

impl Facet {
    /// Every facet with its word.
    pub const ALL: [(&'static str, Facet); 6] = [
        ("network", Facet::Network),
        ("language", Facet::Language),
        ("sentiment", Facet::Sentiment),
        ("intent", Facet::Intent),
        ("topic", Facet::Topic),
        ("source", Facet::Source),
    ];

    fn field(self, fields: &Fields) -> Field {
        match self {
            Facet::Network => fields.network,
            Facet::Language => fields.language,
            Facet::Sentiment => fields.label,
            Facet::Intent => fields.intent,
            Facet::Topic => fields.topic,
            Facet::Source => fields.source,
        }
    }

    /// The values of one mention.
    pub(super) fn of(self, m: &Mention) -> Vec<String> {
        let one = |name: &str| if name.is_empty() { Vec::new() } else { vec![name.to_lowercase()] };
        match self {
            Facet::Network => one(&m.network),
            Facet::Language => one(&m.language),
            Facet::Sentiment => one(m.label()),
            Facet::Intent => one(&m.intent),
            Facet::Topic => m.topics.clone(),
            Facet::Source => one(&m.source),
        }
    }
}

/// Values that are counted of one facet; those of the first in the alphabet where there are more.
const MOST_VALUES: usize = 1000;

/// How many of what a query finds have each value of a facet, most first.
pub(super) fn by_name(
    searcher: &Searcher,
    fields: &Fields,
    query: &dyn Query,
    facet: Facet,
) -> Result<Vec<(String, usize)>, IndexError> {
    let field = facet.field(fields);
    let mut values: Vec<String> = Vec::new();
    for segment in searcher.segment_readers() {
        let list = segment.inverted_index(field)?;
        let mut terms = list.terms().stream().map_err(tantivy::TantivyError::from)?;
        while terms.advance() && values.len() < MOST_VALUES {
            values.extend(std::str::from_utf8(terms.key()).map(str::to_owned));
        }
    }
    values.sort();
    values.dedup();
    let mut out = Vec::new();
    for value in values {
        let term: Box<dyn Query> =
            Box::new(TermQuery::new(Term::from_field_text(field, &value), IndexRecordOption::Basic));
        let both = BooleanQuery::new(vec![(Occur::Must, query.box_clone()), (Occur::Must, term)]);
        let n = searcher.search(&both, &Count)?;
        if n > 0 {
            out.push((value, n));
        }
    }
    out.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Ok(out)
}
