//! Backtests of the real binary, on made-up history: from a file, from the store, with labels, against other rules.

use std::path::Path;

use super::world::ask;

const TOPICS: &str = "[[topic]]\nname = \"acme\"\nquery = \"acme\"\n\n[[topic]]\nname = \"fire\"\nkind = \"risk\"\nquery = \"fire OR burn*\"\n";
const ALERTS: &str = r#"
[[alert]]
name = "fire"
topics = ["acme", "fire"]
window = "15m"
condition = "mentions >= 5 && surprise >= 4.0 && negative_share >= 0.5"
severity = "escalate"
raise = [{ to = "crisis", when = "mentions >= 25" }]
group_by = ["topic"]
escalation = "pr"
remind = "30m"

[[alert]]
name = "much-talk"
topics = ["acme"]
window = "1h"
condition = "mentions >= 12 && surprise >= 3.0"
severity = "watch"
escalation = "desk"
shadow = true
"#;
const PEOPLE: &str = r#"
[[person]]
name = "anna"
email = "anna@acme.example"
[[person]]
name = "bo"
email = "bo@acme.example"
[[policy]]
name = "pr"
steps = [{ notify = ["anna"], wait = "15m" }, { notify = ["bo"], wait = "15m" }]
[[policy]]
name = "desk"
steps = [{ notify = ["bo"], wait = "1h" }]
"#;
const LABELS: &str = r#"
[[crisis]]
name = "The kettle fire"
from = "2026-03-20T13:00Z"
to = "2026-03-20T18:00Z"
topic = "fire"
[[crisis]]
name = "The strike"
from = "2026-03-23"
to = "2026-03-24"
topic = "acme"
first_article = "2026-03-23T12:00Z"
"#;

fn rules(dir: &Path, folder: &str, alerts: &str) {
    let dir = dir.join(folder);
    for (name, text) in [("topics/a.toml", TOPICS), ("alerts/a.toml", alerts), ("people.toml", PEOPLE)] {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// Three quiet weeks with four mentions an hour by day, a fire on one afternoon, and a launch that is no crisis.
fn lines(analysed: bool) -> Vec<String> {
    let begin: jiff::Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
    let mut out: Vec<(i64, usize, bool)> = Vec::new();
    for hour in 0..22 * 24 {
        let each = if (7..22).contains(&(hour % 24)) { 4 } else { 1 };
        out.extend((0..each).map(|k| (hour * 60 + k * 13 + hour % 7, 0, false)));
    }
    let (fire, launch) = (18 * 1440 + 14 * 60, 11 * 1440 + 9 * 60);
    out.extend((0..60).map(|k| (fire + k * k / 40, 1, true)));
    out.extend((0..30).map(|k| (launch + k, 2, false)));
    out.sort_unstable();
    let line = |(n, (minute, kind, bad)): (usize, (i64, usize, bool))| {
        let at = begin.checked_add(jiff::SignedDuration::from_mins(minute)).unwrap();
        let text = [
            format!("Bought a thing at Acme on day {}, number {n}", minute / 1440),
            format!("My Acme kettle caught fire and burned the kitchen, this is dangerous, number {n}"),
            format!("The new Acme shop in town opens with music today, number {n}"),
        ][kind]
            .clone();
        let site = if kind == 1 && n % 40 == 7 { "post.example" } else { "x.example" };
        let url = format!("https://{site}/{n}");
        if !analysed {
            let author = format!("ann {n}");
            return serde_json::json!({ "id": n + 1, "published": at, "text": text, "url": url, "author": author, "language": "en" })
                .to_string();
        }
        let topics: &[&str] = if kind == 1 { &["acme", "fire"] } else { &["acme"] };
        serde_json::json!({
            "id": n + 1, "source": "s", "network": "x", "site": site, "url": url, "title": "", "text": text,
            "author": { "name": format!("ann {n}"), "handle": "", "followers": null, "verified": null },
            "at": at, "received": at, "undated": false, "history": true, "language": "en",
            "sentiment": if bad { -0.7 } else { 0.1 }, "why": [["x", 0.1]], "intent": "other", "reach": 10,
            "engagement": 0, "tier": u8::from(site == "post.example"), "story": n + 1, "fingerprint": 0, "topics": topics,
        })
        .to_string()
    };
    out.into_iter().enumerate().map(line).collect()
}

fn world() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("vakt.toml"), "rules_dir = \"rules\"\ndata_dir = \"data\"\n").unwrap();
    rules(dir.path(), "rules", ALERTS);
    std::fs::write(dir.path().join("crises.toml"), LABELS).unwrap();
    let mut all = lines(true);
    // In any order.
    all.reverse();
    all.rotate_left(137);
    std::fs::write(dir.path().join("past.jsonl"), all.join("\n")).unwrap();
    dir
}

fn said(dir: &Path, words: &[&str]) -> (Option<i32>, String) {
    let said = ask(dir, &[&["backtest"], words].concat());
    let (out, err) = (String::from_utf8(said.stdout).unwrap(), String::from_utf8_lossy(&said.stderr).into_owned());
    assert!(!out.is_empty(), "{err}");
    (said.status.code(), out)
}

#[test]
fn a_backtest_shows_what_would_have_opened_and_is_the_same_again() {
    let dir = world();
    let call = ["--input", "past.jsonl", "--labels", "crises.toml", "--chart", "t.svg"];
    let (code, out) = said(dir.path(), &call);
    assert_eq!(code, Some(1), "the strike was missed");
    insta::assert_snapshot!("backtest", out.replace(&dir.path().display().to_string(), "DIR"));
    assert_eq!(said(dir.path(), &call).1, out);
    let svg = std::fs::read_to_string(dir.path().join("t.svg")).unwrap();
    assert!(svg.contains("The kettle fire") && svg.contains("crisis fire acme"), "{svg}");
    said(dir.path(), &["--input", "past.jsonl", "--chart", "t.png"]);
    assert!(std::fs::read(dir.path().join("t.png")).unwrap().starts_with(b"\x89PNG"));

    let (code, json) = said(dir.path(), &["--input", "past.jsonl", "--json"]);
    assert_eq!((code, json.as_str()), (Some(0), said(dir.path(), &["--input", "past.jsonl", "--json"]).1.as_str()));
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let fire = value["incidents"].as_array().unwrap().iter().find(|i| i["alert"] == "fire").unwrap();
    assert_eq!((&fire["severity"], &fire["rises"][0]["to"]), (&"crisis".into(), &"escalate".into()));
    let (_, csv) = said(dir.path(), &["--input", "past.jsonl", "--csv", "--alert", "fire"]);
    assert!(csv.starts_with("incident,opened,resolved,") && csv.lines().count() == 2, "{csv}");
}

#[test]
fn other_rules_and_other_thresholds_are_set_beside() {
    let dir = world();
    let later = ALERTS
        .replace("mentions >= 5", "mentions >= 15")
        .replace("mentions >= 12 && surprise", "mentions >= 12 && ratio > 99.0 && surprise");
    rules(dir.path(), "later", &later);
    let (code, out) = said(dir.path(), &["--input", "past.jsonl", "--compare", "later"]);
    assert_eq!(code, Some(0));
    insta::assert_snapshot!("compare", out.split_once("(there): ").unwrap().1);
    let sweep = ["--input", "past.jsonl", "--labels", "crises.toml", "--sweep", "mentions=3..23:10"];
    let (_, csv) = said(dir.path(), &[&sweep[..], &["--csv"]].concat());
    insta::assert_snapshot!("sweep", csv.replace('\r', ""));
    let (_, json) = said(dir.path(), &[&sweep[..], &["--json"]].concat());
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["swept"]["tried"].as_array().unwrap().len(), 3);
}

#[test]
fn history_is_taken_from_the_store_and_topics_are_matched_anew() {
    let dir = world();
    std::fs::write(dir.path().join("raw.jsonl"), lines(false).join("\n")).unwrap();
    let incidents = |words: &[&str]| {
        let (_, json) = said(dir.path(), &[words, &["--json"]].concat());
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        value["incidents"].as_array().unwrap().clone()
    };
    let of = |all: &[serde_json::Value], alert: &str| -> Vec<String> {
        all.iter().filter(|i| i["alert"] == alert).map(|i| i["opened"].as_str().unwrap().to_owned()).collect()
    };
    let raw = incidents(&["--input", "raw.jsonl"]);
    assert_eq!(of(&raw, "fire").len(), 1, "{raw:?}");
    assert!(ask(dir.path(), &["import", "raw.jsonl"]).status.success());
    let stored = incidents(&[]);
    assert_eq!((of(&stored, "fire"), of(&stored, "much-talk")), (of(&raw, "fire"), of(&raw, "much-talk")));
    assert_eq!(of(&incidents(&["--since", "2026-03-21"]), "fire").len(), 0);
    assert_eq!(of(&incidents(&["--since", "2026-03-16", "--until", "2026-03-22"]), "fire"), of(&stored, "fire"));
    // A theme that the rules in force do not know.
    rules(
        dir.path(),
        "music",
        &ALERTS.replace("[\"acme\", \"fire\"]", "[\"music\"]").replace(" && negative_share >= 0.5", ""),
    );
    let topics = format!("{TOPICS}\n[[topic]]\nname = \"music\"\nquery = \"acme AND music\"\n");
    std::fs::write(dir.path().join("music/topics/a.toml"), topics).unwrap();
    let music = of(&incidents(&["--rules", "music"]), "fire");
    assert!(music.len() == 1 && music[0].starts_with("2026-03-13T09"), "{music:?}");
}

#[test]
fn wrong_calls_are_refused() {
    let dir = world();
    let code = |words: &[&str]| ask(dir.path(), &[&["backtest"], words].concat()).status.code();
    assert_eq!(code(&[]), Some(3), "nothing is stored");
    assert_eq!(code(&["--input", "none.jsonl"]), Some(3));
    for wrong in [
        &["--alert", "fier"][..],
        &["--rules", "none"],
        &["--sweep", "suprise=1..2"],
        &["--sweep", "reach=1..2"],
        &["--chart", "a.gif"],
        &["--since", "tomorrow"],
        &["--since", "2026-03-20", "--until", "2026-03-10"],
        &["--labels", "vakt.toml"],
        &["--json", "--csv"],
    ] {
        assert_eq!(code(&[&["--input", "past.jsonl"], wrong].concat()), Some(2), "{wrong:?}");
    }
}
