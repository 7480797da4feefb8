//! The feed corpora of other readers: how many of their documents are read as their authors expect.

use std::path::PathBuf;

use super::super::read_document;

fn data() -> Option<PathBuf> {
    let named = std::env::var_os("VAKT_TEST_DATA").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    named.into_iter().chain([beside]).find(|p| p.join("feeds-wild").is_dir())
}

/// Standard base64.
fn bytes_of(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut bits, mut held) = (0u32, 0);
    for c in text.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        (bits, held) = (bits << 6 | u32::from(value), held + 6);
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    out
}

/// Letters and digits only, without tags: what a reader would see.
fn bare(text: &str) -> String {
    let mut inside = false;
    let mut out = String::new();
    for c in crate::sources::refs::plain(text).chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside && c.is_alphanumeric() => out.extend(c.to_lowercase()),
            _ => {}
        }
    }
    out
}

#[derive(Debug, Default)]
struct Share {
    all: usize,
    read: usize,
    counts: usize,
    titles: usize,
    links: usize,
}

fn measure(name: &str) -> Option<Share> {
    let Some(data) = data() else {
        println!("skipped: no test data");
        return None;
    };
    let lines = std::fs::read_to_string(data.join(name).join("dev.jsonl")).unwrap();
    let verbose = std::env::var_os("VAKT_TEST_VERBOSE").is_some();
    let mut share = Share::default();
    for line in lines.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let body = match case["body"].as_str() {
            Some(body) => body.as_bytes().to_vec(),
            None => bytes_of(case["b64"].as_str().unwrap()),
        };
        let wanted = case["ref"]["entries"].as_array().cloned().unwrap_or_default();
        share.all += 1;
        let document = match read_document(&body, None, "http://127.0.0.1:8097/x", "news", None) {
            Ok(document) => document,
            Err(error) => {
                if verbose {
                    println!("ERR {} want {}: {error}", case["name"], wanted.len());
                }
                // What feedparser finds nothing in either is read right.
                let nothing = wanted.is_empty() && case["ref"]["title"].is_null();
                share.read += usize::from(nothing);
                share.counts += usize::from(nothing);
                share.titles += usize::from(nothing);
                share.links += usize::from(nothing);
                continue;
            }
        };
        share.read += 1;
        if case["ref"]["version"].as_str().unwrap_or("").is_empty() && document.captures.len() > wanted.len() {
            // feedparser reads no JSON Feed: there is nothing to compare with.
            share.counts += 1;
            share.titles += 1;
            share.links += 1;
            continue;
        }
        if document.captures.len() != wanted.len() {
            // An entry that holds nothing is no mention.
            let held = wanted.iter().filter(|e| !e["title"].is_null() || !e["link"].is_null()).count();
            if document.captures.len() < held || document.captures.len() > wanted.len() {
                if verbose {
                    println!(
                        "COUNT {} want {} got {}: {:?}",
                        case["name"],
                        wanted.len(),
                        document.captures.len(),
                        document.degraded
                    );
                }
                continue;
            }
            share.counts += 1;
            share.titles += 1;
            share.links += 1;
            continue;
        }
        share.counts += 1;
        let pairs = || document.captures.iter().zip(&wanted);
        let title =
            pairs().all(|(c, w)| bare(c.title.as_deref().unwrap_or("")) == bare(w["title"].as_str().unwrap_or("")));
        share.titles += usize::from(title);
        let link = pairs().all(|(c, w)| match w["link"].as_str().filter(|l| !l.is_empty()) {
            None => true,
            Some(link) => c.url.as_deref().is_some_and(|u| {
                let same = |s: &str| s.trim_end_matches('/').to_lowercase();
                u.ends_with(link.trim_start_matches(['.', '/'])) || same(u) == same(link)
            }),
        });
        share.links += usize::from(link);
        if verbose && !(title && link) {
            let first = document.captures.first();
            println!(
                "FIELD {} t {title} l {link}: {:?} {:?} {:?}",
                case["name"],
                first.map(|c| (&c.title, &c.url)),
                wanted[0],
                document.degraded
            );
        }
    }
    println!("{name}: {share:?}");
    Some(share)
}

#[test]
fn feedparser() {
    if let Some(share) = measure("feeds-feedparser") {
        assert!(share.read * 100 >= share.all * 98, "{share:?}");
    }
}

#[test]
fn gofeed() {
    if let Some(share) = measure("feeds-gofeed") {
        assert!(share.read * 100 >= share.all * 95, "{share:?}");
    }
}

#[test]
fn wild() {
    if let Some(share) = measure("feeds-wild") {
        assert!(share.read * 100 >= share.all * 95, "{share:?}");
    }
}
