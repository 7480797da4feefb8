//! Searches the history: candidates from the index, mentions from the store, each verified where it must be.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use jiff::Timestamp;
use tantivy::query::{BooleanQuery, Occur, Query, RangeQuery};
use tantivy::{IndexReader, ReloadPolicy, Term};

use super::aggregate::{self, ByTime, Facet};
use super::compile::Compiler;
use super::ranked::{Cursor, Key, Ranked};
use super::{Fields, IndexError, guarded, open};
use crate::model::Mention;
use crate::model::time::Span;
use crate::query::{Doc, Matcher, Node};
use crate::text::Analyst;

/// The order of what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
    /// Widest reach first.
    Reach,
    /// Most negative first.
    Negative,
}

impl Order {
    fn key(self) -> Key {
        let (column, descending) = match self {
            Order::Newest => ("at", true),
            Order::Oldest => ("at", false),
            Order::Reach => ("reach", true),
            Order::Negative => ("sentiment", false),
        };
        Key { column, descending }
    }
}

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Search {
    /// The query.
    pub node: Node,
    /// From this event time on.
    pub since: Option<Timestamp>,
    /// Up to this event time, which is excluded.
    pub until: Option<Timestamp>,
    /// The order.
    pub order: Order,
    /// Most mentions wanted.
    pub limit: usize,
    /// Where the last page ended.
    pub after: Option<Cursor>,
    /// What «now» means in the query.
    pub now: Timestamp,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The mentions, in order.
    pub mentions: Vec<Mention>,
    /// How many match altogether; at least, where `more` is set.
    pub total: usize,
    /// There are more than could be counted in the time allowed.
    pub more: bool,
    /// Where the next page goes on; `None` on the last one.
    pub next: Option<Cursor>,
}

/// A query that says exactly what is meant, and what it is asked of.
type Ready = (tantivy::Searcher, Box<dyn Query>);

/// Candidates fetched at a time where they have to be verified.
const BATCH: usize = 256;
/// Most spans of a histogram.
const MOST_BUCKETS: i64 = 100_000;
/// Most candidates verified for one search (F69).
const MOST: usize = 20_000;

/// Reads the index.
#[derive(Clone)]
pub struct Searcher {
    reader: IndexReader,
    fields: Fields,
}

impl std::fmt::Debug for Searcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Searcher")
    }
}

impl Searcher {
    /// Opens the index of a folder.
    ///
    /// # Errors
    /// When there is none, or it is damaged.
    pub fn open(dir: &Path) -> Result<Searcher, IndexError> {
        let (index, fields) = open(dir)?;
        let reader =
            guarded("opened", || Ok(index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?))?;
        Ok(Searcher { reader, fields })
    }

    /// How many mentions are in the index.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn count(&self) -> Result<u64, IndexError> {
        self.reader.reload()?;
        Ok(self.reader.searcher().num_docs())
    }

    /// Searches. `fetch` brings the mentions of numbers, in their order; numbers that are gone are left out.
    ///
    /// # Errors
    /// When the index cannot be read, or `fetch` fails.
    pub fn search<E: std::error::Error + Send + Sync + 'static>(
        &self,
        what: &Search,
        fetch: impl Fn(&[i64]) -> Result<Vec<Mention>, E>,
    ) -> Result<Found, IndexError> {
        guarded("searched", || self.find(what, fetch))
    }

    fn find<E: std::error::Error + Send + Sync + 'static>(
        &self,
        what: &Search,
        fetch: impl Fn(&[i64]) -> Result<Vec<Mention>, E>,
    ) -> Result<Found, IndexError> {
        self.reader.reload()?;
        let searcher = self.reader.searcher();
        let compiler = Compiler { searcher: &searcher, fields: &self.fields, now: what.now.as_millisecond() };
        let compiled = compiler.compile(&what.node, None)?;
        let query = self.within(compiled.query, what);
        let get = |page: &[Cursor]| {
            let ids: Vec<i64> = page.iter().map(|c| c.id.cast_signed()).collect();
            fetch(&ids).map_err(|e| IndexError::Fetch(Box::new(e)))
        };
        let ranked = |limit, after| Ranked { key: what.order.key(), limit, after };
        if compiled.exact {
            let (total, page) = searcher.search(&*query, &ranked(what.limit, what.after))?;
            let next = page.last().copied().filter(|_| page.len() == what.limit && what.limit > 0);
            return Ok(Found { mentions: get(&page)?, total, more: false, next });
        }
        let matcher = Matcher::new([(&what.node, [].as_slice())]);
        let mut found = Found::default();
        let (mut after, mut seen) = (None, 0);
        loop {
            let (_, page) = searcher.search(&*query, &ranked(BATCH, after))?;
            after = page.last().copied();
            seen += page.len();
            let place: HashMap<i64, Cursor> = page.iter().map(|c| (c.id.cast_signed(), *c)).collect();
            for m in get(&page)?.into_iter().filter(|m| matches(&matcher, m, what.now)) {
                found.total += 1;
                let here = place.get(&m.id).copied();
                if what.after.is_some_and(|after| here.is_none_or(|here| here <= after)) {
                    continue;
                }
                if found.mentions.len() < what.limit {
                    found.mentions.push(m);
                    found.next = here.filter(|_| found.mentions.len() == what.limit);
                }
            }
            if page.len() < BATCH {
                return Ok(found);
            }
            if seen >= MOST {
                found.more = true;
                return Ok(found);
            }
        }
    }

    /// Counts by spans of event time: the beginning of each, milliseconds since 1970, and its mentions; empty ones
    /// between the first and the last included.
    ///
    /// # Errors
    /// As for [`Searcher::search`].
    pub fn histogram<E: std::error::Error + Send + Sync + 'static>(
        &self,
        what: &Search,
        width: Span,
        fetch: impl Fn(&[i64]) -> Result<Vec<Mention>, E>,
    ) -> Result<Vec<(i64, usize)>, IndexError> {
        let width = width.as_millis().max(1);
        let counted = match self.exactly(what)? {
            Some((searcher, query)) => guarded("searched", || Ok(searcher.search(&*query, &ByTime { width })?))?,
            None => {
                let mut counted = BTreeMap::new();
                for m in self.search(&Search { limit: MOST, after: None, ..what.clone() }, fetch)?.mentions {
                    *counted.entry(m.at.as_millisecond().div_euclid(width)).or_default() += 1;
                }
                counted
            }
        };
        let (Some((first, _)), Some((last, _))) = (counted.first_key_value(), counted.last_key_value()) else {
            return Ok(Vec::new());
        };
        let all = *first..=(*last).min(first.saturating_add(MOST_BUCKETS));
        Ok(all.map(|bucket| (bucket * width, counted.get(&bucket).copied().unwrap_or(0))).collect())
    }

    /// Counts by the values of a facet, most first.
    ///
    /// # Errors
    /// As for [`Searcher::search`].
    pub fn facet<E: std::error::Error + Send + Sync + 'static>(
        &self,
        what: &Search,
        facet: Facet,
        fetch: impl Fn(&[i64]) -> Result<Vec<Mention>, E>,
    ) -> Result<Vec<(String, usize)>, IndexError> {
        if let Some((searcher, query)) = self.exactly(what)? {
            return guarded("searched", || aggregate::by_name(&searcher, &self.fields, &*query, facet));
        }
        let mut counted: BTreeMap<String, usize> = BTreeMap::new();
        for m in self.search(&Search { limit: MOST, after: None, ..what.clone() }, fetch)?.mentions {
            facet.of(&m).into_iter().for_each(|v| *counted.entry(v).or_default() += 1);
        }
        let mut out: Vec<(String, usize)> = counted.into_iter().collect();
        out.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(out)
    }

    /// The query over the index, where it says exactly what is meant.
    fn exactly(&self, what: &Search) -> Result<Option<Ready>, IndexError> {
        self.reader.reload()?;
        let searcher = self.reader.searcher();
        let compiler = Compiler { searcher: &searcher, fields: &self.fields, now: what.now.as_millisecond() };
        let compiled = guarded("searched", || compiler.compile(&what.node, None))?;
        let query = self.within(compiled.query, what);
        Ok(compiled.exact.then_some((searcher, query)))
    }

    fn within(&self, query: Box<dyn Query>, what: &Search) -> Box<dyn Query> {
        if what.since.is_none() && what.until.is_none() {
            return query;
        }
        let bound = |t: Option<Timestamp>, inclusive: bool| match t {
            Some(t) => {
                let term = Term::from_field_i64(self.fields.at, t.as_millisecond());
                if inclusive { std::ops::Bound::Included(term) } else { std::ops::Bound::Excluded(term) }
            }
            None => std::ops::Bound::Unbounded,
        };
        let range = RangeQuery::new(bound(what.since, true), bound(what.until, false));
        Box::new(BooleanQuery::new(vec![(Occur::Must, query), (Occur::Must, Box::new(range))]))
    }
}

fn matches(matcher: &Matcher, m: &Mention, now: Timestamp) -> bool {
    let (text, terms) = Analyst::terms(&m.title, &m.text, &m.language);
    !matcher.matches(&Doc { now: now.as_millisecond(), ..Doc::of(m, &text, &terms) }).is_empty()
}
