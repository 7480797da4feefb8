//! The table of kinds: every manual is an example that can be read, and every mistake in one is told.

use super::*;

fn faults(text: &str) -> Vec<String> {
    match read(&Sheet::new("vakt.toml", text), &[]) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(Fault::brief).collect(),
    }
}

#[test]
fn every_manual_can_be_read() {
    for kind in KINDS {
        assert!(kind.manual.starts_with(&format!("[[source]]\nkind = \"{}\"\nname = ", kind.name)), "{}", kind.name);
        let within = |manual: &str| faults(&format!("base_url = \"https://vakt.example\"\n{manual}"));
        assert_eq!(within(kind.manual), Vec::<String>::new(), "{}", kind.name);
        // What is shown as a comment is a setting as well.
        let all: String = kind.manual.lines().map(|l| format!("{}\n", l.strip_prefix("# ").unwrap_or(l))).collect();
        assert_eq!(within(&all), Vec::<String>::new(), "{}", kind.name);
    }
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let text = r#"
[[source]]
kind = "mastodon"
name = "a"
instance = "https://user:canary@mastodon.example"
search = ["acme"]
[[source]]
kind = "youtube"
name = "b"
search = ["acme"]
key = "canary"
[[source]]
kind = "reddit"
name = "c"
client_id = "x"
[[source]]
kind = "appstore"
name = "d"
app = "com.acme"
countries = ["sweden"]
[[source]]
kind = "bluesky"
name = "e"
search = [""]
handle = "acme.example"
[[source]]
kind = "lemy"
name = "f"
"#;
    insta::assert_snapshot!(faults(text).join("\n"));
    assert!(!faults(text).join("").contains("canary"));
}

/// The kinds that read listings, with their own texts.
const TEXTS: &[(&str, &str)] = &[
    ("appstore", include_str!("appstore.rs")),
    ("bluesky", include_str!("bluesky.rs")),
    ("discord", include_str!("discord.rs")),
    ("discourse", include_str!("discourse.rs")),
    ("facebook", include_str!("facebook.rs")),
    ("gdelt", include_str!("gdelt.rs")),
    ("github", include_str!("github.rs")),
    ("hackernews", include_str!("hackernews.rs")),
    ("instagram", include_str!("instagram.rs")),
    ("lemmy", include_str!("lemmy.rs")),
    ("linkedin", include_str!("linkedin.rs")),
    ("mastodon", include_str!("mastodon.rs")),
    ("playstore", include_str!("playstore.rs")),
    ("reddit", include_str!("reddit.rs")),
    ("slack", include_str!("slack.rs")),
    ("stackexchange", include_str!("stackexchange.rs")),
    ("threads", include_str!("threads.rs")),
    ("tiktok", include_str!("tiktok.rs")),
    ("trustpilot", include_str!("trustpilot.rs")),
    ("x", include_str!("x.rs")),
    ("youtube", include_str!("youtube.rs")),
];

/// The paths at which a kind looks into answers, as its text says, so that no list of them can grow old.
fn paths(text: &str) -> Vec<&str> {
    let shared = ["/paging/cursors/after", "/paging/next"];
    let own = text.split('"').filter(|p| p.starts_with('/') && p.len() > 1 && !p.contains([' ', '{', '?']));
    own.chain(shared).collect()
}

/// What no API ever says, and a stranger may.
fn odd(n: usize) -> serde_json::Value {
    use serde_json::json;
    match n % 14 {
        0 => json!(u64::MAX),
        1 => json!(i64::MIN),
        2 => json!(1e308),
        3 => json!(-1e308),
        4 => json!("18446744073709551615"),
        5 => json!("-009999-01-02T01:59:59Z"),
        6 => json!("9999-12-30T22:00:00.999999999Z"),
        7 => json!(""),
        8 => json!("å/..\u{202e}<&"),
        9 => json!(true),
        10 => json!(null),
        11 => json!([]),
        12 => json!({}),
        _ => json!("https://evil.example/?a=b"),
    }
}

#[test]
fn no_answer_breaks_a_kind() {
    use super::{api::Answer, http::Headers};
    use serde_json::{Value, json};
    for (name, text) in TEXTS {
        let kind = KINDS.iter().find(|k| k.name == *name).expect("a kind has a file of its name");
        let named = read(&Sheet::new("vakt.toml", kind.manual), &[]).expect("its manual can be read");
        let listings = named[0].source.listings();
        assert!(!listings.is_empty(), "{name}");
        for seed in 0..14 {
            // An object with something odd at every path, and a list of such objects at each.
            let mut object = Value::Null;
            for (n, path) in paths(text).into_iter().enumerate() {
                put(&mut object, path, odd(seed + n * n));
            }
            let list: Value = vec![object.clone(); 2].into();
            for path in paths(text) {
                let mut body = object.clone();
                put(&mut body, path, list.clone());
                for body in [json!({ "feed": body, "data": body }), body, list.clone()] {
                    for listing in listings {
                        let answer = Answer { body: body.clone(), headers: Headers::default() };
                        drop(listing.read(&answer, &listing.first(None)));
                    }
                }
            }
        }
    }
}

/// Puts a value at a path, through lists and whatever stands in the way.
fn put(into: &mut serde_json::Value, path: &str, value: serde_json::Value) {
    let mut at = into;
    for part in path.split('/').skip(1) {
        if !at.is_object() {
            *at = serde_json::json!({});
        }
        at = &mut at[part];
    }
    *at = value;
}

#[test]
fn a_topic_that_the_rules_have_no_more_keeps_no_daemon_from_its_watch() {
    let text = "[[source]]\nkind = \"hackernews\"\nname = \"hn\"\ntopics = [\"acme\"]\n";
    let sheet = Sheet::new("vakt.toml", text);
    assert!(read_for(&sheet, &[], Some(&[])).is_err_and(|f| f.iter().any(|f| f.message.contains("no topic `acme`"))));
    let (named, warnings) = read_in_force(&sheet, &[], &[]).unwrap();
    assert_eq!((named.len(), warnings.len(), warnings[0].weight), (1, 1, Weight::Warning));
    assert!(named[0].source.listings().is_empty(), "it looks for nothing");
}
