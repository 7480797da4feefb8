//! Queries put together from their pieces, one a byte: matcher and index find the same mentions.
#![no_main]
#![allow(missing_docs, unsafe_code, clippy::unwrap_used, clippy::expect_used, clippy::string_slice)]

use std::sync::OnceLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use vakt::index::{Order, Search, Searcher, open_or_make};
use vakt::model::Mention;
use vakt::query::{Doc, Matcher, parse};
use vakt::text::{Analyst, Terms};

/// What queries are made of.
const PIECES: &[&str] = &[
    "(",
    ")",
    "(",
    ")",
    " AND ",
    " OR ",
    " NOT ",
    " NEAR/1 ",
    " NEAR/3 ",
    " ONEAR/2 ",
    "~2",
    "~5",
    "\"",
    "\"",
    "title:(",
    "text:(",
    " -",
    " ",
    "acme",
    "fire",
    "fires",
    "kettle",
    "the",
    "a",
    "burned",
    "Müller",
    "mueller",
    "straße",
    "niño",
    "nino",
    "carsharing~",
    "carsharing",
    "sharing",
    "{Acme}",
    "{ACME fire}",
    "fir*",
    "k?ttle",
    "mül*",
    "#fire",
    "@ann",
    "$ACME",
    "🔥",
    "火災",
    "пожар*",
    "пожары",
    "sentiment:negative",
    "reach:>200",
    "language:de",
    "site:acme.example",
    "network:x",
    "topic:acme",
    "author:ann*",
    "published:>1971-01-02",
    "url:\"fire report\"",
    "rating:[2 TO 4]",
    "engagementType:reply",
    "story:3",
    "tags:vip",
    "intent:other",
];

const WORDS: &[&str] = &[
    "acme",
    "Acme",
    "ACME",
    "fire",
    "fires",
    "kettle",
    "the",
    "a",
    "burned",
    "Müller",
    "Mueller",
    "muller",
    "Straße",
    "strasse",
    "niño",
    "nino",
    "car",
    "sharing",
    "Carsharing",
    "bilcarsharingtur",
    "#fire",
    "@ann",
    "$ACME",
    "🔥",
    "火災",
    "пожар",
    "пожары",
    "don't",
    "https://acme.example/fire-report",
];
const LANGUAGES: &[&str] = &["en", "sv", "de", "es", "ru", "und"];

struct World {
    all: Vec<Mention>,
    /// The text of each, with its terms.
    read: Vec<(String, Terms)>,
    searcher: Searcher,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let mut state = 88_172_645_463_325_252u64;
        let mut draw = |n: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 16).unwrap() % n
        };
        let all: Vec<Mention> = (1..=120i64)
            .map(|id| {
                let mut words = |most: usize| {
                    let n = draw(most);
                    (0..n).map(|_| WORDS[draw(WORDS.len())]).collect::<Vec<_>>().join(" ")
                };
                let (title, text) = (words(4), words(12));
                let at = Timestamp::from_second(31_536_000 + id * 1800).unwrap();
                serde_json::from_value(serde_json::json!({
                    "id": id, "source": "s", "network": (["x", "news"][draw(2)]),
                    "site": (["acme.example", "news.acme.example", ""][draw(3)]),
                    "url": "https://acme.example/fire-report", "title": title, "text": text,
                    "author": { "name": "Ann", "handle": (["ann_1", "bob"][draw(2)]), "followers": 5 }, "at": at,
                    "received": at, "undated": false, "history": false, "language": LANGUAGES[draw(LANGUAGES.len())],
                    "sentiment": draw(21) as f64 / 10.0 - 1.0, "why": [], "intent": "other", "reach": draw(400),
                    "engagement": 0, "tier": 0, "story": draw(5), "fingerprint": 0,
                    "topics": if draw(2) == 0 { vec!["acme"] } else { vec![] }, "kind": (["post", "reply"][draw(2)]),
                    "channel": "", "country": "", "tags": if draw(3) == 0 { vec!["vip"] } else { vec![] },
                    "rating": draw(6) as f64,
                }))
                .unwrap()
            })
            .collect();
        let dir = std::env::temp_dir().join(format!("vakt-fuzz-{}", std::process::id()));
        let (mut writer, _) = open_or_make(&dir, 1).unwrap();
        for half in all.chunks(60) {
            half.iter().for_each(|m| writer.add(m.id, m, None).unwrap());
            writer.commit().unwrap();
        }
        writer.close().unwrap();
        let read = all.iter().map(|m| Analyst::terms(&m.title, &m.text, &m.language)).collect();
        World { all, read, searcher: Searcher::open(&dir).unwrap() }
    })
}

fuzz_target!(|bytes: &[u8]| {
    let query: String = bytes.iter().map(|b| PIECES[usize::from(*b) % PIECES.len()]).collect();
    let Some(node) = parse(&query).node else { return };
    let World { all, read, searcher } = world();
    let now = Timestamp::from_second(32_000_000).unwrap();
    let matcher = Matcher::new([(&node, [].as_slice())]);
    let live: Vec<i64> = all
        .iter()
        .zip(read)
        .filter(|(m, (text, terms))| {
            !matcher.matches(&Doc { now: now.as_millisecond(), ..Doc::of(m, text, terms) }).is_empty()
        })
        .map(|(m, _)| m.id)
        .collect();
    let what = Search {
        node,
        since: None,
        until: None,
        order: Order::Oldest,
        limit: 500,
        after: None,
        now,
        total: true,
        budget: None,
    };
    let fetch = |ids: &[i64]| -> Result<Vec<Mention>, std::convert::Infallible> {
        Ok(ids.iter().filter_map(|id| all.iter().find(|m| m.id == *id)).cloned().collect())
    };
    let found: Vec<i64> = searcher.search(&what, fetch).unwrap().mentions.iter().map(|m| m.id).collect();
    assert_eq!(live, found, "{query}");
});
