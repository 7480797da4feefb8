//! A backtest of the project's own rules on a million made-up mentions that are analysed already: the engine alone, from
//! lines of JSON, and from the store. `cargo bench --bench backtest`; VAKT_MENTIONS sets another number.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::string_slice, missing_docs)]

#[path = "corpus.rs"]
#[allow(dead_code)]
mod corpus;

use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use corpus::Draw;
use vakt::engine::replay::Replay;
use vakt::model::time::{Span, from_millis};
use vakt::model::{Author, Mention};
use vakt::rules::Rules;
use vakt::store::{Store, mentions};

/// Ninety days with their hours, five fires and a competitor. A tenth of the mentions is about nothing that rules listen to.
fn made(n: usize) -> Vec<Mention> {
    let mut draw = Draw::new(11);
    let begin = "2026-01-05T00:00:00Z".parse::<jiff::Timestamp>().unwrap();
    let length = Span::days(90).as_millis();
    let fires: Vec<i64> = (1..=5).map(|k| length / 6 * k + Span::hours(7 * k).as_millis()).collect();
    let mut times: Vec<(i64, bool)> = Vec::with_capacity(n);
    while times.len() < n {
        let unit = |draw: &mut Draw| (draw.next() >> 11) as f64 / (1u64 << 53) as f64;
        if draw.below(100) < 4 {
            // Most of a fire burns in its first hours.
            let at = fires[draw.below(fires.len())] + (-(1.0 - unit(&mut draw)).ln() * 3.0 * 3_600_000.0) as i64;
            times.push((at.min(length - 1), true));
        } else {
            let at = (unit(&mut draw) * length as f64) as i64;
            let day = (at % Span::days(1).as_millis()) as f64 / Span::days(1).as_millis() as f64;
            let loud = 0.55 - 0.45 * ((day - 0.1) * std::f64::consts::TAU).cos();
            if unit(&mut draw) < loud {
                times.push((at, false));
            }
        }
    }
    times.sort_unstable();
    let words = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    (1i64..)
        .zip(times)
        .map(|(id, (at, fire))| {
            let who = draw.zipf(60_000);
            let topics = match (fire, draw.below(20)) {
                (true, _) => words(&["acme", "product-safety"]),
                (_, 0..12) => words(&["acme"]),
                (_, 12..16) => words(&["globex"]),
                (_, 16) => words(&["product-safety"]),
                (_, 17) => words(&["acme", "legal"]),
                _ => Vec::new(),
            };
            let negative = if fire { draw.below(10) < 8 } else { draw.below(10) < 3 };
            let network = ["x", "mastodon", "news", "forum", "reddit", "blog"][draw.below(6)];
            let site = format!("{}{}.example", network, draw.zipf(300));
            let text = format!("Something that author {who} says about it on day {}, in words that are about as many as there usually are in a mention, with number {id} {}", at / 86_400_000, "and more words ".repeat(draw.below(8)));
            Mention {
                id,
                source: "bench".into(),
                network: network.into(),
                site: site.clone(),
                url: format!("https://{site}/{id}"),
                author: Author { name: format!("author {who}"), handle: format!("a{who}"), followers: Some(draw.zipf(100_000) as u64), verified: None },
                language: ["en", "sv", "de", "es", "it"][draw.below(5)].into(),
                sentiment: Some(if negative { -0.6 } else { 0.2 }),
                why: vec![("words".into(), -0.4), ("more".into(), 0.2)],
                intent: if negative { "complaint" } else { "other" }.into(),
                reach: draw.zipf(50_000) as u64,
                engagement: draw.below(20) as u64,
                tier: u8::from(network == "news" && draw.below(40) == 0),
                story: if draw.below(5) == 0 { id - id % 50 + 1 } else { id },
                fingerprint: id.cast_unsigned(),
                topics,
                ..Mention::of_text(&text, from_millis(begin.as_millisecond() + at))
            }
        })
        .collect()
}

fn told(what: &str, n: usize, began: Instant) {
    let seconds = began.elapsed().as_secs_f64();
    println!("{what:<44} {seconds:>7.2} s {:>10.0} mentions a second", n as f64 / seconds);
}

fn backtest(dir: &Path, more: &[&str]) -> String {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");
    let said = Command::new(env!("CARGO_BIN_EXE_vakt"))
        .current_dir(dir)
        .args([&["backtest", "--rules", rules], more].concat())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    assert!(said.status.success());
    String::from_utf8(said.stdout).unwrap()
}

fn main() {
    let n = std::env::var("VAKT_MENTIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let rules =
        Rules::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/rules")), jiff::Timestamp::UNIX_EPOCH).unwrap();
    let all = made(n);
    println!("{n} mentions of 90 days, {} alert rules, {} topics", rules.alerts.len(), rules.topics.len());

    let began = Instant::now();
    let mut replay = Replay::new(&rules.alerts, &rules.people);
    all.iter().for_each(|m| replay.feed(m));
    let incidents = replay.incidents().len();
    told("the engine alone", n, began);
    if std::env::var_os("VAKT_ENGINE_ONLY").is_some() {
        println!("{incidents} incidents, {} happenings", replay.log().len());
        return;
    }

    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("vakt.toml"), "rules_dir = \"rules\"\ndata_dir = \"data\"\n").unwrap();
    let path = dir.path().join("all.jsonl");
    let mut out = BufWriter::new(std::fs::File::create(&path).unwrap());
    // Newest first, as a search writes them.
    all.iter().rev().for_each(|m| writeln!(out, "{}", serde_json::to_string(m).unwrap()).unwrap());
    out.flush().unwrap();
    drop(out);
    let size = std::fs::metadata(&path).unwrap().len() >> 20;
    let began = Instant::now();
    let first = backtest(dir.path(), &["--input", "all.jsonl", "--json"]);
    told(&format!("`vakt backtest --input`, {size} MiB, newest first"), n, began);
    assert_eq!(first, backtest(dir.path(), &["--input", "all.jsonl", "--json"]), "the same, byte for byte");

    std::fs::create_dir(dir.path().join("data")).unwrap();
    let store = Store::open(&dir.path().join("data/vakt.db")).unwrap();
    for some in all.chunks(20_000).map(<[Mention]>::to_vec) {
        let put = store.write_blocking(move |tx| {
            let (mut seq, mut ids) = (mentions::last_seq(tx)?, mentions::TopicIds::default());
            for m in &some {
                let identity = mentions::Identity { told: m.id, placed: None, called: None, content: m.id };
                mentions::put(tx, m, &identity, &mut seq, &mut ids)?;
            }
            ids.close(tx)
        });
        put.unwrap();
    }
    let texts: Vec<(&str, &str)> = rules.sheets.iter().map(|s| (s.name.as_str(), s.text.as_str())).collect();
    let texts = serde_json::to_string(&texts).unwrap();
    store.write_blocking(move |tx| vakt::store::meta::set(tx, "rules_last_good", &texts)).unwrap();
    drop(store);
    let began = Instant::now();
    let stored = backtest(dir.path(), &["--json"]);
    told("`vakt backtest` from the store", n, began);
    let incidents = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["incidents"].clone();
    assert_eq!(incidents(&first), incidents(&stored));
    let value: serde_json::Value = serde_json::from_str(&first).unwrap();
    println!("{} incidents, {} mentions heard", value["incidents"].as_array().unwrap().len(), value["mentions"]);
}
