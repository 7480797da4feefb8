//! What networks are asked for topics, and that it finds whatever the topics find.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::model::Mention;
use crate::query::{Doc, Matcher, Node, parse};
use crate::text::Analyst;

fn node(query: &str) -> Node {
    let parsed = parse(query);
    parsed.node.unwrap_or_else(|| panic!("{query}: {:?}", parsed.mistakes))
}

fn pushed(dialect: &Dialect, query: &str) -> Pushed {
    let node = node(query);
    push(dialect, &[Sought { name: "acme", node: &node, languages: &[] }])
}

fn asked(dialect: &Dialect, query: &str) -> Vec<String> {
    pushed(dialect, query).searches
}

const BRAND: &str = "(acme OR \"acme corporation\" OR @acme OR {ACME}) AND NOT (site:acme.example OR \"acme tools\")";

#[test]
fn a_brand_in_each_networks_words() {
    assert_eq!(asked(&X, BRAND), ["(acme OR @acme)"]);
    assert_eq!(
        asked(&X, "(acme OR @acme) AND NOT (\"acme tools\" OR jobs)"),
        ["((acme -\"acme tools\" -jobs) OR (@acme -\"acme tools\" -jobs))"]
    );
    for dialect in [&BLUESKY, &MASTODON, &HACKERNEWS, &GITHUB, &LEMMY, &REDDIT, &YOUTUBE, &STACKEXCHANGE, &HASHTAGS] {
        assert_eq!(asked(dialect, BRAND), ["acme"], "{dialect:?}");
    }
    assert_eq!(asked(&YOUTUBE, "acme OR globex"), ["acme|globex"]);
    assert_eq!(asked(&GDELT, "acme OR \"globex group\""), ["(acme OR \"globex group\")"]);
    assert_eq!(asked(&BLUESKY, "acme OR globex"), ["acme", "globex"]);
    assert_eq!(asked(&HASHTAGS, "\"acme kettle\""), ["acmekettle"]);
}

#[test]
fn a_theme_is_asked_for_by_what_must_be_there() {
    assert_eq!(asked(&REDDIT, "acme AND (fire OR burn*)"), ["acme"]);
    assert_eq!(asked(&REDDIT, "acme AND (fire OR smoke)"), ["((acme fire) OR (acme smoke))"]);
    assert_eq!(asked(&GDELT, "acme AND fire"), ["acme fire"]);
    assert_eq!(asked(&GDELT, "acme AND (fire OR smoke)"), ["acme"], "no brackets around more than one word each");
    assert_eq!(
        asked(&GDELT, "(acmecorp AND fire) OR \"globex group\" OR (tulip AND kettle)"),
        ["(acmecorp OR \"globex group\" OR kettle)"]
    );
    assert_eq!(asked(&LEMMY, "acme AND kettles"), ["kettles"]);
    assert_eq!(asked(&BLUESKY, "acme NEAR/5 (fire OR smoke)"), ["acme fire", "acme smoke"]);
    assert_eq!(asked(&YOUTUBE, "acme AND (fire OR smoke)"), ["acme fire", "acme smoke"]);
    assert_eq!(asked(&X, "acme AND network:reddit"), Vec::<String>::new(), "nothing of it is there");
    assert_eq!(asked(&X, "(acme AND network:x) OR (globex AND network:reddit)"), ["acme"]);
}

#[test]
fn people_are_told_what_is_not_asked() {
    let told = pushed(&BLUESKY, "acme AND burn* AND reach:>10 AND NOT jobs").notes.join("\n");
    for word in ["burn*", "`reach:`", "must not be there", "acme: "] {
        assert!(told.contains(word), "{told}");
    }
    let none = pushed(&BLUESKY, "burn*");
    assert!(none.searches.is_empty() && none.notes.iter().any(|n| n.contains("words of its own")), "{none:?}");
    let wide = (0..40).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" OR ");
    let wide = pushed(&BLUESKY, &wide);
    assert_eq!(wide.searches.len(), BLUESKY.most);
    assert!(wide.notes.iter().any(|n| n.contains("12 of 40")), "{:?}", wide.notes);
    assert!(pushed(&BLUESKY, "acme").notes.is_empty());
}

#[test]
fn several_topics_share_their_searches() {
    let (a, b) = (node("acme"), node("\"acme kettle\" OR globex"));
    let topics = [Sought { name: "a", node: &a, languages: &[] }, Sought { name: "b", node: &b, languages: &[] }];
    assert_eq!(push(&REDDIT, &topics).searches, ["(acme OR globex)"]);
}

/// Words that are no inflections of each other.
const WORDS: [&str; 6] = ["acme", "kettle", "fire", "globex", "smoke", "tulip"];

fn query() -> impl Strategy<Value = String> {
    let word = prop::sample::select(WORDS.to_vec());
    let leaf = prop_oneof![
        4 => word.clone().prop_map(str::to_owned),
        1 => (word.clone(), word.clone()).prop_map(|(a, b)| format!("\"{a} {b}\"")),
        1 => word.clone().prop_map(|w| format!("#{w}")),
        1 => word.clone().prop_map(|w| format!("{{{}}}", w.to_uppercase())),
        1 => word.clone().prop_map(|w| format!("{}*", w.chars().take(3).collect::<String>())),
        1 => Just("reach:>10".to_owned()),
        1 => Just("network:reddit".to_owned()),
        1 => Just("network:x".to_owned()),
        1 => (word.clone(), word).prop_map(|(a, b)| format!("({a} NEAR/3 {b})")),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| format!("({})", all.join(" AND "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| format!("({})", all.join(" OR "))),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a} AND NOT {b})")),
        ]
    })
}

/// Whether a network that finds words as they are written would tell a text.
fn tells(a: &Alternative, text: &str, dialect: &Dialect) -> bool {
    let words: Vec<String> = text.split(' ').map(str::to_lowercase).collect();
    let bare = |w: &str| w.trim_start_matches(['#', '@', '$']).to_owned();
    a.0.iter().all(|term| {
        let found = words.windows(term.words.len()).any(|w| {
            let same = |(here, wanted): (&String, &String)| {
                if wanted.starts_with('#') && dialect.signs.contains('#') {
                    here == wanted
                } else {
                    bare(here) == bare(wanted)
                }
            };
            w.iter().zip(&term.words).all(same)
        });
        found != term.not
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn what_a_topic_finds_is_asked_for(
        query in query(),
        text in prop::collection::vec((prop::sample::select(WORDS.to_vec()), 0u8..8), 0..7),
        reach in prop::sample::select(vec![0u64, 100]),
    ) {
        let parsed = parse(&query);
        prop_assume!(parsed.node.is_some());
        let node = parsed.node.expect("assumed");
        let word = |(w, how): &(&str, u8)| match how { 0 => format!("#{w}"), 1 => w.to_uppercase(), _ => (*w).to_owned() };
        let text: String = text.iter().map(word).collect::<Vec<_>>().join(" ");
        let mut matcher = Matcher::default();
        matcher.add(&node, &[]);
        for dialect in [X, BLUESKY, REDDIT, YOUTUBE, LEMMY, GDELT, FEED] {
            let mention = Mention { network: dialect.network.to_owned(), reach, ..Mention::of_text(&text, Timestamp::UNIX_EPOCH) };
            let (whole, terms) = Analyst::terms("", &text, "en");
            if matcher.matches(&Doc::of(&mention, &whole, &terms)).is_empty() {
                continue;
            }
            // Where no word must be there nothing is asked, and people are told.
            if let Some(all) = alternatives(&node, &dialect, &mut Vec::new()) {
                let all = alternatives::simplified(all);
                let all = if dialect.flat { alternatives::flattened(all) } else { all };
                prop_assert!(all.iter().any(|a| tells(a, &text, &dialect)), "{} asks {:?} and misses {:?}", query, all, text);
            }
        }
    }
}
