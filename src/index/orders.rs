//! Orders, pages, spans of time and counts, held to what a plain list says, over segments with edits and merges.

use std::collections::HashMap;
use std::convert::Infallible;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::engine::window::tests::mention;
use crate::model::Mention;
use crate::query::parse;

/// What stands in a plain list: minute, reach, sentiment where it is scored, whether the text has the word, author.
type Plain = (i64, u64, Option<i8>, bool, u8);

fn made(id: i64, (minute, reach, sentiment, word, author): Plain) -> Mention {
    let mut m = mention(id, minute, 0.0);
    m.text = if word { "the acme kettle burned".into() } else { "rain all day".into() };
    m.language = "en".into();
    m.sentiment = sentiment.map(|s| f32::from(s) / 10.0);
    (m.reach, m.author.handle) = (reach, format!("author{author}"));
    m.topics = if author % 2 == 0 { vec!["acme".into(), "globex".into()] } else { Vec::new() };
    m
}

fn plain() -> impl Strategy<Value = Vec<Plain>> {
    // Few minutes, so that many are of one time.
    let one = (0i64..40, 0u64..5, prop::option::of(-10i8..=10), prop::bool::weighted(0.7), 0u8..6);
    prop::collection::vec(one, 1..120)
}

struct World {
    all: Vec<Mention>,
    searcher: Searcher,
    _dir: tempfile::TempDir,
}

/// Mentions in segments of so many, then edits of some of them, which bring a mention into another segment.
fn world(list: &[Plain], segment: usize, edits: &[(usize, Plain)]) -> World {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut writer, _) = open_or_make(dir.path(), 1).expect("it opens");
    let mut all: Vec<Mention> = (1..).zip(list).map(|(id, p)| made(id, *p)).collect();
    for some in all.chunks(segment) {
        some.iter().for_each(|m| writer.add(m.id, m, None).expect("it is added"));
        writer.commit().expect("it commits");
    }
    let mut seq = i64::try_from(all.len()).expect("few");
    for (n, p) in edits {
        let at = n % all.len();
        all[at] = made(all[at].id, *p);
        seq += 1;
        writer.add(seq, &all[at], None).expect("it is added");
    }
    writer.close().expect("it closes");
    World { all, searcher: Searcher::open(dir.path()).expect("it opens"), _dir: dir }
}

impl World {
    fn fetch(&self) -> impl Fn(&[i64]) -> std::result::Result<Vec<Mention>, Infallible> {
        |ids| Ok(ids.iter().filter_map(|id| self.all.iter().find(|m| m.id == *id)).cloned().collect())
    }

    fn what(&self, query: &str, order: Order, within: (Option<i64>, Option<i64>)) -> Search {
        let at = |minute: Option<i64>| minute.map(|m| self.time(m));
        let node = parse(query).node.expect("a query");
        let (since, until) = (at(within.0), at(within.1));
        Search { node, since, until, order, limit: 7, after: None, now: self.time(50), total: true, budget: None }
    }

    fn time(&self, minute: i64) -> jiff::Timestamp {
        mention(1, minute, 0.0).at
    }

    /// What a plain list says, in the order that pages come in.
    fn expected(&self, what: &Search) -> Vec<&Mention> {
        let inside = |m: &&Mention| what.since.is_none_or(|t| m.at >= t) && what.until.is_none_or(|t| m.at < t);
        let mut list: Vec<&Mention> = self.all.iter().filter(|m| m.text.contains("acme")).filter(inside).collect();
        let score = |m: &Mention| m.sentiment.map_or(100, |s| (s * 10.0).round() as i64);
        match what.order {
            Order::Newest => list.sort_by_key(|m| (std::cmp::Reverse(m.at), m.id)),
            Order::Oldest => list.sort_by_key(|m| (m.at, m.id)),
            Order::Reach => list.sort_by_key(|m| (std::cmp::Reverse(m.reach), m.id)),
            Order::Negative => list.sort_by_key(|m| (score(m), m.id)),
            // All texts are the same, so all fit as well.
            Order::Relevance => list.sort_by_key(|m| m.id),
        }
        list
    }
}

const ORDERS: [Order; 5] = [Order::Newest, Order::Oldest, Order::Reach, Order::Negative, Order::Relevance];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pages_and_counts_are_those_of_a_plain_list(
        list in plain(),
        segment in 5usize..60,
        edits in prop::collection::vec((0usize..200, plain().prop_map(|p| p[0])), 0..12),
        since in prop::option::of(0i64..40),
        until in prop::option::of(0i64..42),
    ) {
        let world = world(&list, segment, &edits);
        // The second has to be verified text by text.
        for query in ["acme", "{acme}"] {
            for order in ORDERS {
                let mut what = world.what(query, order, (since, until));
                let expected: Vec<i64> = world.expected(&what).iter().map(|m| m.id).collect();
                let mut found = Vec::new();
                loop {
                    let page = world.searcher.search(&what, world.fetch()).expect("it searches");
                    prop_assert_eq!(page.total, expected.len(), "{:?} {}", order, query);
                    prop_assert!(!page.more && !page.hurried);
                    found.extend(page.mentions.iter().map(|m| m.id));
                    match page.next {
                        Some(next) => what.after = Some(next),
                        None => break,
                    }
                }
                prop_assert_eq!(found, expected, "{:?} {}", order, query);
            }
            let what = world.what(query, Order::Newest, (since, until));
            let expected = world.expected(&what);
            let bars = world.searcher.histogram(&what, world.fetch()).expect("it counts").counts;
            let mut by_hand = Quarters::default();
            expected.iter().for_each(|m| by_hand.add(m.at.as_millisecond(), 1));
            prop_assert_eq!(bars.bars(Bucket::Hour, &TimeZone::UTC), by_hand.bars(Bucket::Hour, &TimeZone::UTC));
            let facets = [Facet::Author, Facet::Topic, Facet::Sentiment, Facet::Story];
            let counted = world.searcher.facets(&what, &facets, world.fetch()).expect("it counts").counts;
            for (facet, values) in facets.iter().zip(counted) {
                let mut by_hand: HashMap<String, usize> = HashMap::new();
                expected.iter().flat_map(|m| facet.of(m)).for_each(|v| *by_hand.entry(v).or_default() += 1);
                prop_assert_eq!(values.into_iter().collect::<HashMap<_, _>>(), by_hand, "{:?}", facet);
            }
        }
    }
}

#[test]
fn time_that_is_over_is_told() {
    let list: Vec<Plain> = (0..500).map(|n| (n % 40, 1, None, true, 0)).collect();
    let world = world(&list, 600, &[]);
    let what = Search { budget: Some(std::time::Duration::ZERO), ..world.what("{acme}", Order::Newest, (None, None)) };
    let found = world.searcher.search(&what, world.fetch()).expect("it searches");
    assert!(found.hurried && found.more, "{found:?}");
}

#[test]
fn the_best_fit_comes_first() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut writer, _) = open_or_make(dir.path(), 1).expect("it opens");
    let texts = [
        "a long text about the weather, the harbour, the ferry and, once, a kettle among many other things",
        "kettle kettle",
        "nothing of that kind",
    ];
    let all: Vec<Mention> = (1..)
        .zip(texts)
        .map(|(id, text)| Mention { text: text.into(), language: "en".into(), ..mention(id, 1, 0.0) })
        .collect();
    all.iter().for_each(|m| writer.add(m.id, m, None).expect("it is added"));
    writer.close().expect("it closes");
    let world = World { all, searcher: Searcher::open(dir.path()).expect("it opens"), _dir: dir };
    for query in ["kettle", "\"kettle\" OR \"kettle kettle\""] {
        let found = world.searcher.search(&world.what(query, Order::Relevance, (None, None)), world.fetch());
        assert_eq!(found.expect("it searches").mentions.iter().map(|m| m.id).collect::<Vec<_>>(), [2, 1], "{query}");
    }
}
