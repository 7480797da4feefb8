//! Listings of APIs, newest first, read page by page down to what is known: nothing is missed, and repeats do no harm.
//!
//! A search index shows some things later than the time that they carry, so every fetch reads a little below what it
//! knew: whatever changed there is an edit, the rest is known by its id. Where a fetch cannot reach what is known,
//! because there is too much of it or because an answer fails half way, what it has is kept and the cursor remembers the
//! hole that is left: the next fetch reads what is new first, and then goes on in the hole. Only where a place will show
//! no more, or a hole cannot be read at all, is it a gap.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::again::AskAgain;
use super::aim::{Aim, Sought};
use super::api::{Answer, Api, Pass, Rest};
use super::bounds::{MOST_ITEMS, MOST_REASONS, bounded};
use super::http::place as place_of;
use super::live::Live;
use super::{Allow, Asking, Brought, FetchError, Fetching, Http, Quota, Source};
use crate::model::Capture;
use crate::model::time::Span;

/// A rest as short as this is waited for within a fetch.
const MOMENT: Span = Span::secs(10);
/// Pages of one listing in one fetch; the first fetch is history, and a little of it is enough.
const MOST_PAGES: usize = 20;
const FIRST_PAGES: usize = 2;
/// Holes that are remembered of one listing, and how often one is tried.
const MOST_HOLES: usize = 4;
const TRIES: u32 = 5;
/// So many items at the end of a page must be known: one alone may be pinned, or carry an odd time.
const TAIL: usize = 3;

/// How one listing is asked for and read.
pub(super) trait Listing: Send + Sync {
    /// What is asked, in the words of the settings: its name in the cursor.
    fn name(&self) -> String;

    /// The address of its first page; what is older than `since` is known, where the API can leave that out.
    fn first(&self, since: Option<Timestamp>) -> Url;

    /// The same where the API must be told what time it is now.
    fn first_at(&self, since: Option<Timestamp>, _now: Timestamp) -> Url {
        self.first(since)
    }

    /// What is sent with a question, which then is asked by POST. What stands behind the `#` of its address goes to nobody,
    /// so that it can hold where in a listing one is.
    fn sent(&self, _asked: &Url, _now: Timestamp) -> Option<serde_json::Value> {
        None
    }

    /// Whether the API leaves out what is known, so that the end of the listing is the end of what is new.
    fn sifts(&self) -> bool;

    /// Things may appear so long after the time that they carry.
    fn late(&self) -> Span;

    /// How far back the API looks; it refuses to be asked for more.
    fn reach(&self) -> Option<Span> {
        None
    }

    /// Reads a page, or says for a person why it is none.
    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String>;
}

/// One page of a listing.
#[derive(Debug, Default)]
pub(super) struct Page {
    items: Vec<(Option<Timestamp>, Capture)>,
    gone: Vec<String>,
    skipped: Vec<String>,
    skipped_total: usize,
    keys: Vec<Timestamp>,
    /// The page after it.
    pub next: Option<Url>,
    /// There is more that the API shows to nobody.
    pub cut: bool,
    /// How long the answer asks to be left alone.
    pub rest: Option<Span>,
    /// How much may still be asked, where the body says so.
    pub left: Option<u64>,
}

impl Page {
    /// Adds an item that stands where its time says, and is left out where it holds nothing.
    pub(super) fn add(&mut self, key: Option<Timestamp>, capture: Option<Capture>) {
        self.keys.extend(key);
        self.items.extend(capture.and_then(bounded).map(|c| (key, c)));
    }

    /// Adds an item that was put at the top, whatever its time is.
    pub(super) fn pinned(&mut self, capture: Option<Capture>) {
        self.add(None, capture);
    }

    /// Notes an item that was taken back: it stands where its time says, and is known by the id that it had.
    pub(super) fn taken_back(&mut self, key: Option<Timestamp>, id: &str) {
        self.keys.extend(key);
        self.gone.extend(Some(id.to_owned()).filter(|id| !id.is_empty()));
    }

    /// Notes an item that cannot be read.
    pub(super) fn skip(&mut self, why: impl Into<String>) {
        self.skipped_total += 1;
        if self.skipped.len() < MOST_REASONS {
            self.skipped.push(why.into());
        }
    }

    fn newest(&self, now: Timestamp) -> Option<Timestamp> {
        self.keys.iter().max().map(|newest| (*newest).min(now))
    }

    /// Whether the page ends with what is known.
    fn reaches(&self, floor: Timestamp) -> bool {
        !self.keys.is_empty() && self.keys.iter().rev().take(TAIL).all(|key| *key <= floor)
    }
}

/// A place whose listings are read: the source of most kinds.
pub(super) struct Place {
    pub allow: Allow,
    pub pass: Pass,
    pub rest: Rest,
    /// The `Accept` header.
    pub accept: &'static str,
    /// Headers besides, without secrets.
    pub headers: Vec<(&'static str, String)>,
    pub listings: Vec<Box<dyn Listing>>,
    /// How it stays connected, where it does.
    pub live: Option<Box<dyn Live>>,
    /// How it is aimed at topics, where it can be.
    pub aim: Option<Aim>,
    /// How it is asked again for what is known, where it can be.
    pub ask_again: Option<Box<dyn AskAgain>>,
}

impl Place {
    /// A place that anybody may ask.
    pub(super) fn open(allow: Allow, listings: Vec<Box<dyn Listing>>) -> Place {
        Place {
            allow,
            pass: Pass::Open,
            rest: |_, _, _| None,
            accept: "application/json",
            headers: Vec::new(),
            listings,
            live: None,
            aim: None,
            ask_again: None,
        }
    }
}

/// How far a listing is known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Mark {
    newest: Option<Timestamp>,
    /// Where the first fetch stopped reading: what is older is history that nobody asked for, and never news.
    #[serde(skip_serializing_if = "Option::is_none")]
    begins: Option<Timestamp>,
    /// When it was last read: whoever had to wait longest comes first.
    read: Option<Timestamp>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    holes: Vec<Hole>,
}

impl Mark {
    /// How far down one reads to meet what is known.
    fn floor(&self, known: Timestamp, late: Span) -> Timestamp {
        self.begins.map_or(known - late, |begins| begins.max(known - late))
    }
}

/// What could not be read yet: from an address down to an instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Hole {
    next: Url,
    down_to: Timestamp,
    #[serde(default)]
    tries: u32,
}

type Marks = BTreeMap<String, Mark>;

impl Source for Place {
    fn fetch<'a>(&'a self, http: &'a Http, cursor: &'a serde_json::Value, now: Timestamp) -> Fetching<'a> {
        Box::pin(self.tour(http, cursor, now))
    }

    fn live(&self) -> Option<&dyn Live> {
        self.live.as_deref()
    }

    fn most_again(&self) -> usize {
        self.ask_again.as_ref().map_or(0, |again| again.most())
    }

    fn again_every(&self) -> Span {
        self.ask_again.as_ref().map_or(Span::ZERO, |again| again.every())
    }

    fn ask_again<'a>(&'a self, http: &'a Http, ids: &'a [String], now: Timestamp) -> Asking<'a> {
        Box::pin(async move {
            let Some(again) = &self.ask_again else { return Ok(Vec::new()) };
            let ids: Vec<&str> = ids.iter().map(String::as_str).take(again.most()).collect();
            if ids.is_empty() {
                return Ok(Vec::new());
            }
            let answer = self.api(http, now).get(&again.address(&ids)).await?;
            if let Some(quota) = answer.headers.quota(now).filter(|q| q.left == 0)
                && let Some(until) = quota.until.filter(|until| *until > now)
            {
                // What is used up is not asked for again; this very answer is good.
                drop(http.rest(&again.address(&ids), 200, crate::model::time::between(now, until), now));
            }
            Ok(again.read(&answer, &ids))
        })
    }

    fn aim(&mut self, topics: &[Sought<'_>]) -> Option<Vec<String>> {
        let aimed = self.aim.as_ref()?(topics);
        let known: Vec<String> = self.listings.iter().map(|l| l.name()).collect();
        self.listings.extend(aimed.listings.into_iter().filter(|l| !known.contains(&l.name())));
        self.live = aimed.live.or(self.live.take());
        Some(aimed.notes)
    }

    #[cfg(test)]
    fn listings(&self) -> &[Box<dyn Listing>] {
        &self.listings
    }
}

impl Place {
    fn api<'a>(&'a self, http: &'a Http, now: Timestamp) -> Api<'a> {
        let Place { allow, pass, rest, accept, headers, .. } = self;
        Api { http, allow, pass, rest: *rest, accept, headers, now }
    }

    /// Reads all listings; those that are new alone, since what they bring is history and no other's news may be.
    async fn tour(&self, http: &Http, cursor: &serde_json::Value, now: Timestamp) -> Result<Brought, FetchError> {
        // A cursor of another kind, or none yet, begins anew.
        let mut marks: Marks = serde_json::from_value(cursor.clone()).unwrap_or_default();
        marks.retain(|name, _| self.listings.iter().any(|l| l.name() == *name));
        let listings = self.listings.iter().map(|l| &**l);
        let (mut old, new): (Vec<&dyn Listing>, Vec<_>) = listings.partition(|l| marks.contains_key(&l.name()));
        old.sort_by_key(|l| marks.get(&l.name()).and_then(|mark| mark.read));
        let api = self.api(http, now);
        let mut tour = Tour { api, brought: Brought::default(), pages: 0, failed: None, owed: None };
        let mut read = tour.all(&new, &mut marks).await;
        tour.brought.anew = read > 0;
        if read == 0 && !tour.must_rest() {
            read = tour.all(&old, &mut marks).await;
        }
        let Tour { mut brought, failed, .. } = tour;
        match failed {
            Some(e) if read == 0 => return Err(e),
            // Where the host rests for a moment the rest simply comes with the next fetch.
            Some(FetchError::Paused { .. }) => {}
            failed => brought.degraded = failed.map(|e| e.to_string()),
        }
        brought.cursor = serde_json::to_value(&marks).unwrap_or_default();
        Ok(brought)
    }
}

/// One fetch of a place.
struct Tour<'a> {
    api: Api<'a>,
    brought: Brought,
    pages: usize,
    failed: Option<FetchError>,
    /// How long the last answer asked to be left alone, and where.
    owed: Option<(Url, Span)>,
}

/// How far one way through a listing led.
#[derive(Default)]
struct Walk {
    read: usize,
    newest: Option<Timestamp>,
    oldest: Option<Timestamp>,
    left: Option<Url>,
    gap: bool,
    failed: bool,
}

impl Tour<'_> {
    /// Reads these listings, and how many could be read. Once the host wants rest the others wait for the next fetch.
    async fn all(&mut self, listings: &[&dyn Listing], marks: &mut Marks) -> usize {
        let mut read = 0;
        for listing in listings {
            if self.must_rest() || self.is_full() {
                break;
            }
            let known = marks.get(&listing.name()).cloned();
            if let Some(mark) = self.one(*listing, known).await {
                marks.insert(listing.name(), mark);
                read += 1;
            }
        }
        read
    }

    fn must_rest(&self) -> bool {
        self.failed.as_ref().is_some_and(|e| e.retry_after().is_some())
    }

    fn is_full(&self) -> bool {
        self.brought.captures.len() >= MOST_ITEMS
    }

    /// Reads one listing: what is new, then the holes of earlier fetches. `None` where not even its first page came.
    async fn one(&mut self, listing: &dyn Listing, known: Option<Mark>) -> Option<Mark> {
        let now = self.api.now;
        let mut mark = known.clone().unwrap_or_default();
        let since = mark.newest.map(|newest| mark.floor(newest, listing.late()));
        // What lies further back is asked of nobody; whether anything was there is not known.
        let reach = listing.reach().map(|reach| now - reach);
        let since = since.map(|since| reach.map_or(since, |reach| since.max(reach)));
        self.pages = if known.is_some() { MOST_PAGES } else { FIRST_PAGES };
        let walk = self.walk(listing, listing.first_at(since, now), &mark, mark.newest).await;
        if walk.read == 0 {
            return None;
        }
        self.brought.gap |= walk.gap;
        if known.is_none() && walk.left.is_some() {
            mark.begins = walk.oldest;
        }
        let mut holes = Vec::new();
        if let (Some(next), Some(down_to)) = (walk.left, mark.newest) {
            holes.push(Hole { next, down_to, tries: 0 });
        }
        mark.newest = mark.newest.max(walk.newest).or(Some(now));
        for mut hole in std::mem::take(&mut mark.holes) {
            let walk = self.walk(listing, hole.next.clone(), &mark, Some(hole.down_to)).await;
            self.brought.gap |= walk.gap;
            if let Some(left) = walk.left {
                hole.tries = if walk.read > 0 { 0 } else { hole.tries + u32::from(walk.failed) };
                hole.next = left;
                match hole.tries < TRIES || self.must_rest() {
                    true => holes.push(hole),
                    false => self.brought.gap = true,
                }
            }
        }
        self.brought.gap |= holes.len() > MOST_HOLES;
        holes.truncate(MOST_HOLES);
        if let Some((url, wait)) = self.owed.take() {
            drop(self.api.http.rest(&url, 200, wait, now));
        }
        mark.holes = holes;
        mark.read = Some(now);
        Some(mark)
    }

    /// Reads on from an address down to what is known.
    async fn walk(&mut self, listing: &dyn Listing, from: Url, mark: &Mark, known: Option<Timestamp>) -> Walk {
        let mut walk = Walk::default();
        let floor = known.map(|known| mark.floor(known, listing.late()));
        let mut met = false;
        let mut next = Some(from);
        while let Some(url) = next.take() {
            if self.pages == 0 || self.is_full() || self.must_rest() {
                walk.left = Some(url);
                break;
            }
            self.pages -= 1;
            self.keep_pace().await;
            let page = match self.page(listing, &url).await {
                Ok(page) => page,
                Err(e) => {
                    (walk.left, walk.failed) = (Some(url), true);
                    // The first failure is told; one that wants rest matters more.
                    if self.failed.is_none() || e.retry_after().is_some() {
                        self.failed = Some(e);
                    }
                    break;
                }
            };
            walk.read += 1;
            walk.newest = walk.newest.max(page.newest(self.api.now));
            walk.oldest = page.keys.iter().copied().chain(walk.oldest).min();
            met |= page.keys.is_empty() || page.keys.iter().any(|key| known.is_none_or(|known| *key <= known));
            let reached = floor.is_some_and(|floor| page.reaches(floor));
            // A secret goes to the host of the settings alone, wherever the page says that there is more.
            next = page.next.filter(|n| n.origin() == url.origin() && *n != url && !reached);
            // A place that shows no more of what is new: it rolled over, or the listing is cut off.
            walk.gap = next.is_none() && !reached && known.is_some() && (page.cut || !listing.sifts() && !met);
            let wanted = |key: &Option<Timestamp>| key.is_none() || mark.begins.is_none() || *key >= mark.begins;
            self.brought.captures.extend(page.items.into_iter().filter(|(key, _)| wanted(key)).map(|(_, c)| c));
            self.brought.gone.extend(page.gone);
            self.brought.skipped_total += page.skipped_total;
            self.brought.skipped.extend(page.skipped);
            self.brought.skipped.truncate(MOST_REASONS);
        }
        walk
    }

    /// Leaves the host alone for as long as its last answer asks: a moment is waited for, more than that is the next
    /// fetch's.
    async fn keep_pace(&mut self) {
        match self.owed.take() {
            Some((_, wait)) if wait <= MOMENT => tokio::time::sleep(wait.to_std()).await,
            Some((url, wait)) => drop(self.api.http.rest(&url, 200, wait, self.api.now)),
            None => {}
        }
    }

    async fn page(&mut self, listing: &dyn Listing, url: &Url) -> Result<Page, FetchError> {
        let (http, now) = (self.api.http, self.api.now);
        let answer = self.api.question(url, listing.sent(url, now).as_ref()).await?;
        if let Some(quota) = answer.headers.quota(now) {
            self.brought.quota = self.brought.quota.filter(|q| q.left <= quota.left).or(Some(quota));
            if let Some(until) = quota.until.filter(|until| quota.left == 0 && *until > now) {
                // What is used up is not asked for again; this very answer is good.
                drop(http.rest(url, 200, crate::model::time::between(now, until), now));
            }
        }
        let page =
            listing.read(&answer, url).map_err(|reason| FetchError::Unreadable { place: place_of(url), reason })?;
        self.brought.quota = page.left.map(|left| Quota { left, until: None }).or(self.brought.quota);
        self.owed = page.rest.map(|wait| (url.clone(), wait));
        Ok(page)
    }
}

/// An address below that of a place, with its parameters; what is in them is escaped.
pub(super) fn below(place: &Url, path: &[&str], parameters: &[(&str, &str)]) -> Url {
    let mut url = place.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    if !parameters.is_empty() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    url
}

/// The same question for the page after: `page` is one higher, and 2 where it was not there.
pub(super) fn after(asked: &Url) -> Url {
    let page: u32 = asked.query_pairs().find(|(k, _)| k == "page").and_then(|(_, n)| n.parse().ok()).unwrap_or(1);
    with(asked, "page", &page.saturating_add(1).to_string())
}

/// An address with a query parameter set, whatever it was before.
pub(super) fn with(url: &Url, key: &str, value: &str) -> Url {
    let others: Vec<(String, String)> =
        url.query_pairs().filter(|(k, _)| k != key).map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
    let mut out = url.clone();
    out.query_pairs_mut().clear().extend_pairs(others).append_pair(key, value);
    out
}

#[cfg(test)]
pub(super) use tests::{asked_of, page_of};
#[cfg(test)]
mod tests;
