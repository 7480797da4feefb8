//! Searches the history: candidates from the index, mentions from the store, each verified where it must be.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tantivy::query::Query;
use tantivy::{IndexReader, ReloadPolicy};

use super::calendar::{self, Quarters};
use super::compile::Compiler;
use super::facet::{self, Facet, Values};
use super::hunt::{Budget, Hunt, Within};
use super::ranked::{Best, Cursor};
use super::view::View;
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
    /// Best fit first: what says it often and is short, by BM25.
    Relevance,
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
    /// Whether all that match are to be counted; without it a page of the newest is found without a look at the rest.
    pub total: bool,
    /// How long it may take (F69).
    pub budget: Option<Duration>,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The mentions, in order.
    pub mentions: Vec<Mention>,
    /// How many match altogether; at least, where `more` is set.
    pub total: usize,
    /// There are more than were counted.
    pub more: bool,
    /// The time was over before everything was looked at: what is here is right, and not all.
    pub hurried: bool,
    /// Where the next page goes on; `None` on the last one.
    pub next: Option<Cursor>,
}

/// Counts by time or by names, and whether the time was over before everything was counted.
#[derive(Debug, Clone, Default)]
pub struct Counts<T> {
    /// The counts.
    pub counts: T,
    /// Not everything was counted.
    pub hurried: bool,
}

/// Candidates fetched at a time where they have to be verified.
const BATCH: usize = 256;
/// Most candidates verified for one search (F69).
const MOST: usize = 20_000;

/// Reads the index. Cheap to clone; clones share what they have read.
#[derive(Clone)]
pub struct Searcher {
    reader: IndexReader,
    fields: Fields,
    meta: PathBuf,
    seen: Arc<Mutex<Seen>>,
}

/// The last commit that was read.
#[derive(Default)]
struct Seen {
    stamp: Option<Stamp>,
    view: Option<Arc<View>>,
    /// When it was looked whether there is a newer one.
    looked: Option<Instant>,
}

/// A newer commit is looked for at most this often.
const LOOK: Duration = Duration::from_millis(20);

/// What tells one commit's list of files from the next one's.
type Stamp = (u64, i64, i64, u64);

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
        Ok(Searcher { reader, fields, meta: dir.join("meta.json"), seen: Arc::default() })
    }

    /// How many mentions are in the index.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn count(&self) -> Result<u64, IndexError> {
        Ok(self.latest()?.searcher.num_docs())
    }

    /// The last commit. Its files are opened only where they are others than before.
    fn latest(&self) -> Result<Arc<View>, IndexError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = seen.view.as_ref().filter(|_| seen.looked.is_some_and(|at| at.elapsed() < LOOK)) {
            return Ok(view.clone());
        }
        let stamp = stamp(&self.meta);
        let looked = Some(Instant::now());
        if let Some(view) = seen.view.clone().filter(|_| stamp.is_some() && seen.stamp == stamp) {
            seen.looked = looked;
            return Ok(view);
        }
        let view = guarded("opened", || {
            self.reader.reload()?;
            View::new(self.reader.searcher(), &self.fields, seen.view.as_deref())
        })?;
        let view = Arc::new(view);
        *seen = Seen { stamp, view: Some(view.clone()), looked };
        Ok(view)
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
        let view = self.latest()?;
        guarded("searched", || {
            let (query, exact) = self.compile(&view, what)?;
            let get = |page: &[Cursor]| {
                let ids: Vec<i64> = page.iter().map(|c| c.id.cast_signed()).collect();
                fetch(&ids).map_err(|e| IndexError::Fetch(Box::new(e)))
            };
            let hunt = hunt(&view, &*query, what)?;
            if exact { exactly(&hunt, &view, what, get) } else { verified(&hunt, &view, what, get) }
        })
    }

    /// The numbers of the first mentions, in order, where the index can say alone which they are.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn numbers(&self, what: &Search) -> Result<Option<Vec<Cursor>>, IndexError> {
        let view = self.latest()?;
        guarded("searched", || {
            let (query, exact) = self.compile(&view, what)?;
            if !exact {
                return Ok(None);
            }
            let hunt = hunt(&view, &*query, what)?;
            Ok(Some(page(&hunt, &view, what.order, what.limit, what.after)?.0))
        })
    }

    /// Counts by time.
    ///
    /// # Errors
    /// As for [`Searcher::search`].
    pub fn histogram<E: std::error::Error + Send + Sync + 'static>(
        &self,
        what: &Search,
        fetch: impl Fn(&[i64]) -> Result<Vec<Mention>, E>,
    ) -> Result<Counts<Quarters>, IndexError> {
        let view = self.latest()?;
        let counted = guarded("searched", || {
            let (query, exact) = self.compile(&view, what)?;
            exact.then(|| Ok(calendar::count(&hunt(&view, &*query, what)?, &view)?)).transpose()
        })?;
        if let Some((counts, whole)) = counted {
            return Ok(Counts { counts, hurried: !whole });
        }
        let mut counts = Quarters::default();
        let found = self.search(&everything(what), fetch)?;
        found.mentions.iter().for_each(|m| counts.add(m.at.as_millisecond(), 1));
        Ok(Counts { counts, hurried: found.hurried || found.more })
    }

    /// Counts by the values of facets, most first, in the order of the facets.
    ///
    /// # Errors
    /// As for [`Searcher::search`].
    pub fn facets<E: std::error::Error + Send + Sync + 'static>(
        &self,
        what: &Search,
        facets: &[Facet],
        fetch: impl Fn(&[i64]) -> Result<Vec<Mention>, E>,
    ) -> Result<Counts<Vec<Values>>, IndexError> {
        let view = self.latest()?;
        let counted = guarded("searched", || {
            let (query, exact) = self.compile(&view, what)?;
            exact.then(|| facet::count(&hunt(&view, &*query, what)?, &view, facets)).transpose()
        })?;
        if let Some((counts, whole)) = counted {
            return Ok(Counts { counts, hurried: !whole });
        }
        let found = self.search(&everything(what), fetch)?;
        let counts = facets.iter().map(|facet| {
            let mut counted: HashMap<String, usize> = HashMap::new();
            found.mentions.iter().flat_map(|m| facet.of(m)).for_each(|v| *counted.entry(v).or_default() += 1);
            facet::sorted(counted)
        });
        Ok(Counts { counts: counts.collect(), hurried: found.hurried || found.more })
    }

    /// The query over the index, and whether it says exactly what is meant.
    fn compile(&self, view: &View, what: &Search) -> Result<(Box<dyn Query>, bool), IndexError> {
        let scored = what.order == Order::Relevance;
        let compiler = Compiler { view, fields: &self.fields, now: what.now.as_millisecond(), scored };
        let compiled = compiler.compile(&what.node, None)?;
        Ok((compiled.query, compiled.exact))
    }
}

/// Everything that can be verified, in the cheapest order.
fn everything(what: &Search) -> Search {
    Search { limit: MOST, after: None, order: Order::Newest, total: false, ..what.clone() }
}

fn stamp(meta: &Path) -> Option<Stamp> {
    let meta = std::fs::metadata(meta).ok()?;
    Some((meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.size()))
}

fn hunt<'a>(view: &'a View, query: &dyn Query, what: &Search) -> Result<Hunt<'a>, IndexError> {
    let ms = |t: Option<Timestamp>| t.map(Timestamp::as_millisecond);
    let within = Within { since: ms(what.since), until: ms(what.until) };
    Ok(Hunt::new(view, query, what.order == Order::Relevance, within, Budget::of(what.budget))?)
}

/// The first hits in an order after a cursor, and whether everything was looked at that had to be.
fn page(
    hunt: &Hunt<'_>,
    view: &View,
    order: Order,
    limit: usize,
    after: Option<Cursor>,
) -> Result<(Vec<Cursor>, bool), IndexError> {
    let (column, descending) = match order {
        Order::Newest => {
            let newest = hunt.newest(limit, after, false)?;
            return Ok((newest.page, newest.whole));
        }
        Order::Relevance => {
            let mut best = Best::new(limit, after);
            let whole = hunt.scored(|n, doc, score| {
                // The bits of a score that is not negative rise with it.
                let key = u64::from(!score.max(0.0).to_bits());
                best.take(key, || view.segments.get(n).and_then(|s| s.ids.first(doc)).unwrap_or(0));
            })?;
            return Ok((best.done(), whole));
        }
        Order::Oldest => ("at", false),
        Order::Reach => ("reach", true),
        Order::Negative => ("sentiment", false),
    };
    let keys = columns(view, column)?;
    let mut best = Best::new(limit, after);
    let whole = hunt.blocks(|n, docs| {
        let (Some(keys), Some(segment)) = (keys.get(n), view.segments.get(n)) else { return };
        for doc in docs {
            // What has no value comes last, whichever the order.
            let key = keys.first(*doc).map_or(u64::MAX, |k| if descending { !k } else { k });
            best.take(key, || segment.ids.first(*doc).unwrap_or(0));
        }
    })?;
    Ok((best.done(), whole))
}

/// A column of every segment, as numbers that rise with its values.
fn columns(view: &View, name: &str) -> Result<Vec<tantivy::columnar::Column<u64>>, IndexError> {
    let missing = || tantivy::TantivyError::SchemaError(format!("there is no column {name}"));
    let of = |reader: &tantivy::SegmentReader| -> tantivy::Result<_> {
        Ok(reader.fast_fields().u64_lenient(name)?.ok_or_else(missing)?.0)
    };
    Ok(view.searcher.segment_readers().iter().map(of).collect::<tantivy::Result<_>>()?)
}

/// What is found where the index says exactly what is meant.
fn exactly(
    hunt: &Hunt<'_>,
    view: &View,
    what: &Search,
    get: impl Fn(&[Cursor]) -> Result<Vec<Mention>, IndexError>,
) -> Result<Found, IndexError> {
    let all = what.total || what.limit == 0;
    let (page, total, whole) = if what.order == Order::Newest {
        let newest = hunt.newest(what.limit, what.after, all)?;
        (newest.page, newest.total, newest.whole)
    } else {
        let (page, whole) = page(hunt, view, what.order, what.limit, what.after)?;
        let (total, counted) = if all && whole { hunt.count()? } else { (page.len(), true) };
        (page, total, whole && counted)
    };
    let next = page.last().copied().filter(|_| page.len() == what.limit && what.limit > 0);
    let more = !whole || (!all && next.is_some());
    Ok(Found { mentions: get(&page)?, total, more, hurried: !whole, next })
}

/// What is found where candidates have to be verified on their texts.
fn verified(
    hunt: &Hunt<'_>,
    view: &View,
    what: &Search,
    get: impl Fn(&[Cursor]) -> Result<Vec<Mention>, IndexError>,
) -> Result<Found, IndexError> {
    let matcher = Matcher::new([(&what.node, [].as_slice())]);
    let mut found = Found::default();
    // The newest come page by page; other orders look at everything for each page, so there is one.
    let batch = if what.order == Order::Newest { BATCH } else { MOST };
    let (mut after, mut seen) = (if what.total { None } else { what.after }, 0);
    loop {
        let (candidates, whole) = page(hunt, view, what.order, batch, after)?;
        after = candidates.last().copied();
        for some in candidates.chunks(BATCH) {
            seen += some.len();
            let place: HashMap<i64, Cursor> = some.iter().map(|c| (c.id.cast_signed(), *c)).collect();
            for m in get(some)?.into_iter().filter(|m| matches(&matcher, m, what.now)) {
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
            found.hurried = !whole || hunt.is_late();
            if found.hurried {
                found.more = true;
                return Ok(found);
            }
        }
        if candidates.len() < batch {
            return Ok(found);
        }
        let full = !what.total && what.limit > 0 && found.mentions.len() == what.limit;
        if seen >= MOST || full {
            found.more = true;
            // More candidates than may be looked at is a limit of its own, and is told like one of time.
            found.hurried = !full;
            return Ok(found);
        }
    }
}

fn matches(matcher: &Matcher, m: &Mention, now: Timestamp) -> bool {
    let (text, terms) = Analyst::terms(&m.title, &m.text, &m.language);
    !matcher.matches(&Doc { now: now.as_millisecond(), ..Doc::of(m, &text, &terms) }).is_empty()
}
