//! The history: the index that finds, the store that has the mentions, and the counts that are kept for charts.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::index::{Bar, Bucket, Counts, Facet, Found, IndexError, Quarters, Search, Searcher, Values};
use crate::model::Mention;
use crate::query::topic_of;
use crate::store::{Store, StoreError, hours, mentions};

/// What is searched. Cheap to clone.
#[derive(Debug, Clone)]
pub struct History {
    store: Store,
    searcher: Searcher,
}

impl History {
    /// The history of a store with its index.
    ///
    /// # Errors
    /// When there is no index yet, or it is damaged.
    pub fn open(store: Store, index: &Path) -> Result<History, IndexError> {
        Ok(History { store, searcher: Searcher::open(index)? })
    }

    /// Whether the last commit of the index can be read.
    pub fn is_well(&self) -> bool {
        self.searcher.count().is_ok()
    }

    /// Finds mentions.
    ///
    /// # Errors
    /// When the index or the store cannot be read.
    pub fn search(&self, what: &Search) -> Result<Found, IndexError> {
        self.searcher.search(what, |ids| self.fetch(ids))
    }

    /// Counts by time, in a time zone's hours or days. What one topic has is kept counted, whatever there is of it.
    ///
    /// # Errors
    /// As for [`History::search`].
    pub fn bars(&self, what: &Search, bucket: Bucket, zone: &TimeZone) -> Result<Counts<Vec<Bar>>, IndexError> {
        if let Some(topic) = topic_of(&what.node)
            && let Some(hours) = self.kept(topic, what, zone)?
        {
            return Ok(Counts { counts: hours.bars(bucket, zone), hurried: false });
        }
        let counted = self.searcher.histogram(what, |ids| self.fetch(ids))?;
        Ok(Counts { counts: counted.counts.bars(bucket, zone), hurried: counted.hurried })
    }

    /// Counts by names, most first.
    ///
    /// # Errors
    /// As for [`History::search`].
    pub fn facets(&self, what: &Search, facets: &[Facet]) -> Result<Counts<Vec<Values>>, IndexError> {
        self.searcher.facets(what, facets, |ids| self.fetch(ids))
    }

    fn fetch(&self, ids: &[i64]) -> Result<Vec<Mention>, StoreError> {
        self.store.read(|c| mentions::of_ids(c, ids))
    }

    /// The counts of a topic by hour, where the zone's hours are those that are counted.
    fn kept(&self, topic: &str, what: &Search, zone: &TimeZone) -> Result<Option<Quarters>, IndexError> {
        let ms = |t: Option<Timestamp>| t.map(Timestamp::as_millisecond);
        let read = |c: &_| hours::of_topic(c, topic, ms(what.since), ms(what.until));
        let Some(kept) = self.store.read(read).map_err(|e| IndexError::Fetch(Box::new(e)))? else { return Ok(None) };
        let ends = [kept.first(), kept.last()].into_iter().flatten();
        let whole = |at: i64| zone.to_offset(crate::model::time::from_millis(at)).seconds() % 3600 == 0;
        if !ends.into_iter().all(|(at, _)| whole(*at)) {
            return Ok(None);
        }
        Ok(Some(kept.iter().map(|(at, n)| (*at, usize::try_from(*n).unwrap_or(usize::MAX))).collect()))
    }
}
