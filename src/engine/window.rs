//! The mentions of one group within a sliding window of event time, and the signals that they make.
//!
//! Adding a mention, dropping one and reading the signals cost the same however many the window holds. Beyond
//! [`MOST`] mentions the rest is counted without its details, so that a storm fills no memory: numbers stay exact, but
//! authors, stories, sites and languages are those of the first so many.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;

use jiff::Timestamp;
use xxhash_rust::xxh3::{Xxh3DefaultBuilder, xxh3_64};

use super::baseline::{Baseline, Outlook};
use super::coordinated::{self, Voice, is_coordinated};
use crate::model::mention::{is_negative, is_positive};
use crate::model::time::{Span, between};
use crate::model::{Mention, Signals};

/// Mentions whose details one window holds.
pub const MOST: usize = 20_000;
/// Parts of a window that its course is counted by.
const PARTS: i64 = 90;

/// What adds up.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    mentions: u64,
    negative: u64,
    positive: u64,
    scored: u64,
    sentiment: f64,
    complaints: u64,
    questions: u64,
    reach: u64,
    engagement: u64,
}

impl Sums {
    fn of(m: &Mention, sentiment: Option<f32>) -> Sums {
        Sums {
            mentions: 1,
            negative: is_negative(sentiment).into(),
            positive: is_positive(sentiment).into(),
            scored: sentiment.is_some().into(),
            sentiment: sentiment.map_or(0.0, f64::from),
            complaints: (m.intent == "complaint").into(),
            questions: (m.intent == "question").into(),
            reach: m.reach,
            engagement: m.engagement,
        }
    }

    fn add(&mut self, o: &Sums) {
        self.mentions += o.mentions;
        self.negative += o.negative;
        self.positive += o.positive;
        self.scored += o.scored;
        self.sentiment += o.sentiment;
        self.complaints += o.complaints;
        self.questions += o.questions;
        self.reach = self.reach.saturating_add(o.reach);
        self.engagement = self.engagement.saturating_add(o.engagement);
    }

    fn take(&mut self, o: &Sums) {
        self.mentions -= o.mentions;
        self.negative -= o.negative;
        self.positive -= o.positive;
        self.scored -= o.scored;
        // What is left of a sum of fractions when nothing is left is rounding.
        self.sentiment = if self.scored == 0 { 0.0 } else { self.sentiment - o.sentiment };
        self.complaints -= o.complaints;
        self.questions -= o.questions;
        self.reach = self.reach.saturating_sub(o.reach);
        self.engagement = self.engagement.saturating_sub(o.engagement);
    }
}

/// What signals need of a mention.
#[derive(Debug, Clone)]
struct Seen {
    sums: Sums,
    voice: Voice,
    carrier: u64,
    network: u64,
    language: u64,
    story: i64,
    tier1: bool,
}

/// How many times each value occurs.
#[derive(Debug)]
struct Tally<T>(HashMap<T, u32, Xxh3DefaultBuilder>);

impl<T> Default for Tally<T> {
    fn default() -> Self {
        Tally(HashMap::default())
    }
}

impl<T: Eq + Hash> Tally<T> {
    /// Adds one; how many there are now.
    fn add(&mut self, value: T) -> u32 {
        let n = self.0.entry(value).or_default();
        *n += 1;
        *n
    }

    /// Takes one away; how many there were.
    fn remove(&mut self, value: &T) -> u32 {
        let Some(n) = self.0.get_mut(value) else { return 0 };
        let had = *n;
        *n -= 1;
        if *n == 0 {
            self.0.remove(value);
        }
        had
    }

    fn distinct(&self) -> u64 {
        self.0.len() as u64
    }
}

/// Numbers in order, with how often each is there: tells the largest.
#[derive(Debug, Default)]
struct Order(BTreeMap<u64, u32>);

impl Order {
    fn add(&mut self, n: u64) {
        *self.0.entry(n).or_default() += 1;
    }

    fn remove(&mut self, n: u64) {
        if let Some(times) = self.0.get_mut(&n) {
            *times -= 1;
            if *times == 0 {
                self.0.remove(&n);
            }
        }
    }

    fn largest(&self) -> u64 {
        self.0.last_key_value().map_or(0, |(n, _)| *n)
    }
}

/// A sliding window. An empty one holds next to nothing: most groups are quiet most of the time.
#[derive(Debug)]
pub struct Window {
    span: Span,
    /// Mentions by parts of the window, over the window and the one before it.
    course: VecDeque<(i64, u32)>,
    held: Option<Box<Held>>,
}

/// What a window holds while it is not empty.
#[derive(Debug, Default)]
struct Held {
    seen: BTreeMap<(Timestamp, i64), Seen>,
    /// What came beyond [`MOST`], by parts of the window.
    crowd: BTreeMap<i64, Sums>,
    sums: Sums,
    authors: Tally<u64>,
    carriers: Tally<u64>,
    networks: Tally<u64>,
    languages: Tally<u64>,
    stories: Tally<i64>,
    /// Sizes of stories.
    sizes: Order,
    tier1: Tally<i64>,
    reaches: Order,
    /// Mentions of coordinated stories as counted last, and the changes since.
    coordinated: (u64, usize),
}

fn hash(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}

impl Window {
    /// An empty window of a length.
    pub fn new(span: Span) -> Window {
        Window { span, course: VecDeque::new(), held: None }
    }

    /// Its length.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.mentions() == 0
    }

    /// Mentions in it.
    pub fn mentions(&self) -> u64 {
        self.held.as_ref().map_or(0, |h| h.sums.mentions)
    }

    /// Length of a part, milliseconds.
    fn part(&self) -> i64 {
        (self.span.as_millis() / PARTS).max(1)
    }

    fn part_of(&self, at: Timestamp) -> i64 {
        at.as_millisecond().div_euclid(self.part())
    }

    /// Adds a mention with its own sentiment.
    pub fn add(&mut self, m: &Mention) {
        self.add_felt(m, m.sentiment);
    }

    /// Adds a mention with the sentiment that the window's topic sees; one that is in it already changes nothing.
    pub fn add_felt(&mut self, m: &Mention, sentiment: Option<f32>) {
        let part = self.part_of(m.at);
        if !self.held.get_or_insert_default().add(m, sentiment, part) {
            return;
        }
        match self.course.binary_search_by_key(&part, |(p, _)| *p) {
            Ok(place) => {
                if let Some((_, n)) = self.course.get_mut(place) {
                    *n += 1;
                }
            }
            Err(place) => self.course.insert(place, (part, 1)),
        }
    }

    /// Drops what is older than the window at `now`.
    pub fn slide(&mut self, now: Timestamp) {
        let from = now - self.span;
        let (first, before) = (self.part_of(from), self.part_of(from - self.span));
        if let Some(held) = &mut self.held {
            held.drop_before(from, first);
        }
        self.held.take_if(|held| held.sums.mentions == 0);
        while self.course.front().is_some_and(|(part, _)| *part < before) {
            self.course.pop_front();
        }
    }

    /// Mentions of some parts.
    fn of_parts(&self, parts: std::ops::Range<i64>) -> u64 {
        let place = |part: i64| self.course.partition_point(|(p, _)| *p < part);
        let (from, to) = (place(parts.start), place(parts.end));
        self.course.range(from.min(to)..to).map(|(_, n)| u64::from(*n)).sum()
    }

    /// The signals of the window at `now`, against what is usual in it. Slide it first.
    pub fn signals(&mut self, now: Timestamp, outlook: &Outlook, baseline: &Baseline) -> Signals {
        let plain = self.plain_signals(now, outlook, baseline);
        let (surprise, silence) = (outlook.surprise(plain.mentions), outlook.silence(plain.mentions));
        let negative_surprise = baseline.negative_outlook(outlook).surprise(plain.negative);
        Signals { surprise, negative_surprise, silence, ..plain }
    }

    /// The same without `surprise`, `negative_surprise` and `silence`, which cost more than all others.
    pub fn plain_signals(&mut self, now: Timestamp, outlook: &Outlook, baseline: &Baseline) -> Signals {
        let third = PARTS / 3;
        let minutes = Span::millis(self.part() * third).as_minutes().max(1e-9);
        let end = self.part_of(now) + 1;
        let last = self.of_parts(end - third..i64::MAX);
        let middle = self.of_parts(end - 2 * third..end - third);
        let previous = self.of_parts(self.part_of(now - self.span - self.span)..self.part_of(now - self.span));
        let mut none = Held::default();
        let held = self.held.as_deref_mut().unwrap_or(&mut none);
        let sums = held.sums;
        let expected = outlook.expected;
        let mean = if sums.scored == 0 { 0.0 } else { sums.sentiment / sums.scored as f64 };
        let first = held.seen.first_key_value().map_or(now, |((at, _), _)| *at);
        Signals {
            mentions: sums.mentions,
            expected,
            ratio: sums.mentions as f64 / expected.max(0.01),
            surprise: 0.0,
            negative_surprise: 0.0,
            silence: 0.0,
            previous,
            negative: sums.negative,
            positive: sums.positive,
            negative_share: if sums.scored == 0 { 0.0 } else { sums.negative as f64 / sums.scored as f64 },
            sentiment: mean,
            sentiment_drop: baseline.sentiment_drop(mean, sums.scored),
            authors: held.authors.distinct(),
            top_author_reach: held.reaches.largest(),
            reach: sums.reach,
            engagement: sums.engagement,
            stories: held.stories.distinct(),
            largest_story: held.sizes.largest(),
            coordinated: held.count_coordinated(),
            stories_in_tier1: held.tier1.distinct(),
            sources: held.carriers.distinct(),
            networks: held.networks.distinct(),
            languages: held.languages.distinct(),
            complaints: sums.complaints,
            questions: sums.questions,
            velocity: last as f64 / minutes,
            acceleration: (last as f64 - middle as f64) / minutes,
            minutes_since_first: between(first, now).as_minutes().max(0.0),
            first_seen: 0,
            new_terms: 0,
        }
    }
}

impl Held {
    /// Adds a mention of a part of the window; `false` where it is in it already.
    fn add(&mut self, m: &Mention, sentiment: Option<f32>, part: i64) -> bool {
        if self.seen.contains_key(&(m.at, m.id)) {
            return false;
        }
        let sums = Sums::of(m, sentiment);
        self.sums.add(&sums);
        if self.seen.len() >= MOST {
            self.crowd.entry(part).or_default().add(&sums);
            return true;
        }
        let seen = Seen {
            sums,
            voice: Voice::of(m),
            carrier: hash(if m.site.is_empty() { &m.network } else { &m.site }),
            network: hash(&m.network),
            language: hash(&m.language),
            story: m.story,
            tier1: m.tier == 1,
        };
        self.authors.add(seen.voice.author);
        self.carriers.add(seen.carrier);
        self.networks.add(seen.network);
        self.languages.add(seen.language);
        let size = self.stories.add(seen.story);
        self.sizes.remove(u64::from(size - 1));
        self.sizes.add(size.into());
        if seen.tier1 {
            self.tier1.add(seen.story);
        }
        self.reaches.add(m.reach);
        self.coordinated.1 += 1;
        self.seen.insert((m.at, m.id), seen);
        true
    }

    /// Drops what is older than an instant, in the part `first` of the window.
    fn drop_before(&mut self, from: Timestamp, first: i64) {
        while let Some(entry) = self.seen.first_entry() {
            if entry.key().0 >= from {
                break;
            }
            let old = entry.remove();
            self.sums.take(&old.sums);
            self.authors.remove(&old.voice.author);
            self.carriers.remove(&old.carrier);
            self.networks.remove(&old.network);
            self.languages.remove(&old.language);
            let size = self.stories.remove(&old.story);
            self.sizes.remove(size.into());
            if size > 1 {
                self.sizes.add(u64::from(size - 1));
            }
            if old.tier1 {
                self.tier1.remove(&old.story);
            }
            self.reaches.remove(old.sums.reach);
            self.coordinated.1 += 1;
        }
        while let Some(entry) = self.crowd.first_entry() {
            if *entry.key() >= first {
                break;
            }
            let old = entry.remove();
            self.sums.take(&old);
        }
    }

    /// Mentions of coordinated stories. They are counted anew when a twentieth of the window has changed.
    fn count_coordinated(&mut self) -> u64 {
        let enough = |n: u32| usize::try_from(n).is_ok_and(|n| n >= coordinated::LEAST);
        if !u32::try_from(self.sizes.largest()).is_ok_and(enough) {
            self.coordinated = (0, usize::MAX / 2);
            return 0;
        }
        if self.coordinated.1.saturating_mul(20) >= self.seen.len().max(20) {
            let mut of: HashMap<i64, Vec<Voice>> = HashMap::new();
            for seen in self.seen.values().filter(|s| self.stories.0.get(&s.story).is_some_and(|n| enough(*n))) {
                of.entry(seen.story).or_default().push(seen.voice);
            }
            let count = of.values().filter(|voices| is_coordinated(voices)).map(|voices| voices.len() as u64).sum();
            self.coordinated = (count, 0);
        }
        self.coordinated.0
    }
}

#[cfg(test)]
pub(crate) mod tests;
