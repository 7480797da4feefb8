//! Searches the history: candidates from the index, mentions from the store, each verified where it must be.

use std::path::Path;

use jiff::Timestamp;
use tantivy::collector::{Count, TopDocs};
use tantivy::query::{BooleanQuery, Occur, Query, RangeQuery};
use tantivy::{DocAddress, IndexReader, ReloadPolicy, Term};

use super::compile::compile;
use super::{Fields, IndexError, guarded, open};
use crate::model::Mention;
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
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The mentions, in order.
    pub mentions: Vec<Mention>,
    /// How many match altogether; at least, where `more` is set.
    pub total: usize,
    /// There are more than could be counted.
    pub more: bool,
}

/// Candidates fetched at a time where they have to be verified.
const BATCH: usize = 256;
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
        let compiled = compile(&what.node, &self.fields)?;
        let query = self.within(compiled.query, what);
        let get = |ids: &[i64]| fetch(ids).map_err(|e| IndexError::Fetch(Box::new(e)));
        if compiled.exact {
            let (total, ids) = self.page(&*query, what.order, what.limit, 0)?;
            return Ok(Found { mentions: get(&ids)?, total, more: false });
        }
        let matcher = Matcher::new([(&what.node, [].as_slice())]);
        let mut found = Found::default();
        let mut offset = 0;
        loop {
            let (_, ids) = self.page(&*query, what.order, BATCH, offset)?;
            offset += ids.len();
            for m in get(&ids)?.into_iter().filter(|m| matches(&matcher, m)) {
                found.total += 1;
                if found.mentions.len() < what.limit {
                    found.mentions.push(m);
                }
            }
            if ids.len() < BATCH {
                return Ok(found);
            }
            if offset >= MOST {
                found.more = true;
                return Ok(found);
            }
        }
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

    /// Total and the numbers of one page.
    fn page(
        &self,
        query: &dyn Query,
        order: Order,
        limit: usize,
        offset: usize,
    ) -> Result<(usize, Vec<i64>), IndexError> {
        let searcher = self.reader.searcher();
        let top = || TopDocs::with_limit(limit.max(1)).and_offset(offset);
        let (total, addresses): (usize, Vec<DocAddress>) = match order {
            Order::Newest | Order::Oldest => {
                let direction = if order == Order::Newest { tantivy::Order::Desc } else { tantivy::Order::Asc };
                let (n, top) = searcher.search(query, &(Count, top().order_by_fast_field::<i64>("at", direction)))?;
                (n, top.into_iter().map(|(_, a)| a).collect())
            }
            Order::Reach => {
                let by = top().order_by_fast_field::<u64>("reach", tantivy::Order::Desc);
                let (n, top) = searcher.search(query, &(Count, by))?;
                (n, top.into_iter().map(|(_, a)| a).collect())
            }
            Order::Negative => {
                let by = top().order_by_fast_field::<f64>("sentiment", tantivy::Order::Asc);
                let (n, top) = searcher.search(query, &(Count, by))?;
                (n, top.into_iter().map(|(_, a)| a).collect())
            }
        };
        let mut ids = Vec::with_capacity(addresses.len());
        for address in addresses {
            let column = searcher.segment_reader(address.segment_ord).fast_fields().u64("id")?;
            ids.extend(column.first(address.doc_id).map(u64::cast_signed));
        }
        if limit == 0 {
            ids.clear();
        }
        Ok((total, ids))
    }
}

fn matches(matcher: &Matcher, m: &Mention) -> bool {
    let (text, terms) = Analyst::terms(&m.title, &m.text, &m.language);
    let doc = Doc::of(m, &text, &terms);
    !matcher.matches(&doc).is_empty()
}
