//! The mentions of one group within a sliding window of event time, and the signals that they make.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use jiff::Timestamp;
use xxhash_rust::xxh3::{Xxh3DefaultBuilder, xxh3_64};

use super::baseline::Baseline;
use super::coordinated::{self, Voice, is_coordinated};
use crate::model::mention::{is_negative, is_positive};
use crate::model::time::{Span, between};
use crate::model::{Mention, Signals};

/// What signals need of a mention.
#[derive(Debug, Clone)]
struct Seen {
    sentiment: Option<f32>,
    negative: bool,
    positive: bool,
    complaint: bool,
    question: bool,
    voice: Voice,
    carrier: u64,
    network: u64,
    language: u64,
    story: i64,
    tier1: bool,
    reach: u64,
    engagement: u64,
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
    fn add(&mut self, value: T) {
        *self.0.entry(value).or_default() += 1;
    }

    fn remove(&mut self, value: &T) {
        if let Some(n) = self.0.get_mut(value) {
            *n -= 1;
            if *n == 0 {
                self.0.remove(value);
            }
        }
    }

    fn distinct(&self) -> u64 {
        self.0.len() as u64
    }
}

/// A sliding window. Adding and dropping a mention cost the same however many it holds.
#[derive(Debug)]
pub struct Window {
    span: Span,
    seen: BTreeMap<(Timestamp, i64), Seen>,
    negative: u64,
    positive: u64,
    scored: u64,
    sentiment: f64,
    reach: u64,
    engagement: u64,
    complaints: u64,
    questions: u64,
    authors: Tally<u64>,
    carriers: Tally<u64>,
    networks: Tally<u64>,
    languages: Tally<u64>,
    stories: Tally<i64>,
    tier1: Tally<i64>,
}

fn hash(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}

impl Window {
    /// An empty window of a length.
    pub fn new(span: Span) -> Window {
        Window {
            span,
            seen: BTreeMap::new(),
            negative: 0,
            positive: 0,
            scored: 0,
            sentiment: 0.0,
            reach: 0,
            engagement: 0,
            complaints: 0,
            questions: 0,
            authors: Tally::default(),
            carriers: Tally::default(),
            networks: Tally::default(),
            languages: Tally::default(),
            stories: Tally::default(),
            tier1: Tally::default(),
        }
    }

    /// Its length.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Adds a mention with its own sentiment.
    pub fn add(&mut self, m: &Mention) {
        self.add_felt(m, m.sentiment);
    }

    /// Adds a mention with the sentiment that the window's topic sees; one that is in it already changes nothing.
    pub fn add_felt(&mut self, m: &Mention, sentiment: Option<f32>) {
        if self.seen.contains_key(&(m.at, m.id)) {
            return;
        }
        let seen = Seen {
            sentiment,
            negative: is_negative(sentiment),
            positive: is_positive(sentiment),
            complaint: m.intent == "complaint",
            question: m.intent == "question",
            voice: Voice::of(m),
            carrier: hash(if m.site.is_empty() { &m.network } else { &m.site }),
            network: hash(&m.network),
            language: hash(&m.language),
            story: m.story,
            tier1: m.tier == 1,
            reach: m.reach,
            engagement: m.engagement,
        };
        if let Some(s) = seen.sentiment {
            self.scored += 1;
            self.sentiment += f64::from(s);
        }
        self.negative += u64::from(seen.negative);
        self.positive += u64::from(seen.positive);
        self.complaints += u64::from(seen.complaint);
        self.questions += u64::from(seen.question);
        self.reach = self.reach.saturating_add(seen.reach);
        self.engagement = self.engagement.saturating_add(seen.engagement);
        self.authors.add(seen.voice.author);
        self.carriers.add(seen.carrier);
        self.networks.add(seen.network);
        self.languages.add(seen.language);
        self.stories.add(seen.story);
        if seen.tier1 {
            self.tier1.add(seen.story);
        }
        self.seen.insert((m.at, m.id), seen);
    }

    /// Drops what is older than the window at `now`.
    pub fn slide(&mut self, now: Timestamp) {
        let from = now - self.span;
        while let Some(entry) = self.seen.first_entry() {
            if entry.key().0 >= from {
                break;
            }
            let old = entry.remove();
            if let Some(s) = old.sentiment {
                self.scored -= 1;
                self.sentiment -= f64::from(s);
            }
            self.negative -= u64::from(old.negative);
            self.positive -= u64::from(old.positive);
            self.complaints -= u64::from(old.complaint);
            self.questions -= u64::from(old.question);
            self.reach = self.reach.saturating_sub(old.reach);
            self.engagement = self.engagement.saturating_sub(old.engagement);
            self.authors.remove(&old.voice.author);
            self.carriers.remove(&old.carrier);
            self.networks.remove(&old.network);
            self.languages.remove(&old.language);
            self.stories.remove(&old.story);
            if old.tier1 {
                self.tier1.remove(&old.story);
            }
        }
    }

    /// Mentions of coordinated stories.
    fn coordinated(&self, largest: u32) -> u64 {
        let enough = |n: u32| usize::try_from(n).is_ok_and(|n| n >= coordinated::LEAST);
        if !enough(largest) {
            return 0;
        }
        let mut of: HashMap<i64, Vec<Voice>> = HashMap::new();
        for seen in self.seen.values().filter(|s| self.stories.0.get(&s.story).is_some_and(|n| enough(*n))) {
            of.entry(seen.story).or_default().push(seen.voice);
        }
        of.values().filter(|voices| is_coordinated(voices)).map(|voices| voices.len() as u64).sum()
    }

    /// The signals of the window at `now`, against what the baseline expects. Slide it first.
    pub fn signals(&self, now: Timestamp, baseline: &Baseline) -> Signals {
        let third = Span::millis(self.span.as_millis() / 3);
        let minutes = third.as_minutes().max(1e-9);
        let (mut last, mut middle, mut inside) = (0u64, 0u64, 0u64);
        let mut top = 0;
        for ((at, _), seen) in self.seen.range(..=(now, i64::MAX)) {
            inside += 1;
            top = top.max(seen.reach);
            match between(*at, now) {
                age if age <= third => last += 1,
                age if age.as_millis() <= 2 * third.as_millis() => middle += 1,
                _ => {}
            }
        }
        let largest = self.stories.0.values().copied().max().unwrap_or(0);
        let mentions = inside.max(self.seen.len() as u64);
        let expected = baseline.expected(now, self.span);
        let mean = if self.scored == 0 { 0.0 } else { self.sentiment / self.scored as f64 };
        Signals {
            mentions,
            expected,
            ratio: mentions as f64 / expected.max(0.01),
            surprise: baseline.surprise(mentions, expected),
            negative: self.negative,
            positive: self.positive,
            negative_share: if self.scored == 0 { 0.0 } else { self.negative as f64 / self.scored as f64 },
            sentiment: mean,
            sentiment_drop: baseline.sentiment_drop(mean, self.scored),
            authors: self.authors.distinct(),
            top_author_reach: top,
            reach: self.reach,
            engagement: self.engagement,
            stories: self.stories.distinct(),
            largest_story: largest.into(),
            coordinated: self.coordinated(largest),
            stories_in_tier1: self.tier1.distinct(),
            sources: self.carriers.distinct(),
            networks: self.networks.distinct(),
            languages: self.languages.distinct(),
            complaints: self.complaints,
            questions: self.questions,
            velocity: last as f64 / minutes,
            acceleration: (last as f64 - middle as f64) / minutes,
            minutes_since_first: self
                .seen
                .first_key_value()
                .map_or(0.0, |((at, _), _)| between(*at, now).as_minutes().max(0.0)),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::Author;

    /// A mention for tests: number, minute of event time and sentiment.
    pub(crate) fn mention(id: i64, minute: i64, sentiment: f32) -> Mention {
        let at = Timestamp::UNIX_EPOCH + Span::days(365) + Span::mins(minute);
        Mention {
            id,
            source: "s".into(),
            network: "x".into(),
            site: "x.example".into(),
            url: format!("https://x.example/{id}"),
            author: Author { name: format!("author {id}"), ..Author::default() },
            language: "en".into(),
            sentiment: Some(sentiment),
            intent: "complaint".into(),
            reach: 100,
            engagement: 1,
            story: id,
            topics: vec!["acme".into()],
            ..Mention::of_text(&format!("text {id}"), at)
        }
    }

    #[test]
    fn signals_of_a_small_window() {
        let mut w = Window::new(Span::mins(15));
        for i in 0..10 {
            w.add(&mention(i, i, if i % 2 == 0 { -0.8 } else { 0.4 }));
        }
        w.add(&mention(9, 9, 0.4));
        let now = mention(0, 16, 0.0).at;
        w.slide(now);
        let s = w.signals(now, &Baseline::default());
        assert_eq!(
            (s.mentions, s.negative, s.positive),
            (9, 4, 5),
            "the first is out of the window, the last came twice"
        );
        assert_eq!((s.authors, s.stories, s.sources, s.reach), (9, 9, 1, 900));
        assert!((s.negative_share - 4.0 / 9.0).abs() < 1e-9);
        assert!((s.minutes_since_first - 15.0).abs() < 1e-9);
    }

    #[test]
    fn mentions_of_coordinated_stories_are_counted() {
        let mut w = Window::new(Span::mins(120));
        for i in 0..30 {
            let story = if i < 12 { 1 } else { i };
            w.add(&Mention { story, newcomer: true, ..mention(i, i, -0.8) });
        }
        let signals = |w: &Window, minute| w.signals(mention(0, minute, 0.0).at, &Baseline::default());
        let s = signals(&w, 30);
        assert_eq!((s.largest_story, s.coordinated, s.mentions), (12, 12, 30));
        w.slide(mention(0, 123, 0.0).at);
        assert_eq!(signals(&w, 123).coordinated, 0, "fewer than ten are left of it");
    }

    proptest::proptest! {
        /// Sliding and adding in any order agree with counting from scratch.
        #[test]
        fn incremental_is_the_same_as_from_scratch(minutes in proptest::collection::vec(0i64..60, 0..80)) {
            let mut w = Window::new(Span::mins(15));
            let all: Vec<Mention> = minutes.iter().zip(0i64..).map(|(m, id)| mention(id, *m, (id % 3 - 1) as f32)).collect();
            for m in &all {
                w.add(m);
            }
            let now = mention(0, 60, 0.0).at;
            w.slide(now);
            let mut fresh = Window::new(Span::mins(15));
            for m in all.iter().filter(|m| m.at >= now - Span::mins(15)) {
                fresh.add(m);
            }
            let (a, b) = (w.signals(now, &Baseline::default()), fresh.signals(now, &Baseline::default()));
            proptest::prop_assert_eq!(a.mentions, b.mentions);
            proptest::prop_assert_eq!((a.negative, a.authors, a.stories, a.reach), (b.negative, b.authors, b.stories, b.reach));
            proptest::prop_assert!((a.sentiment - b.sentiment).abs() < 1e-6);
        }
    }
}
