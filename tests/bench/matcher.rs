//! The standing matcher with 1,000, 10,000 and 100,000 topics, beside mokaccino, daachorse as a first sieve, and asking
//! every topic, on the same mentions with the same matches, and beside bare tokenising. `cargo bench --bench matcher`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::string_slice, missing_docs)]

#[path = "corpus.rs"]
#[allow(dead_code)]
mod corpus;

use std::collections::HashSet;
use std::hint::black_box;
use std::time::Instant;

use corpus::{BRANDS, Corpus, Draw, brand};
use daachorse::DoubleArrayAhoCorasickBuilder;
use mokaccino::prelude::{CNFQueryable, Document, PercolatorUid, Qid, Query};
use vakt::model::Mention;
use vakt::query::{Doc, Matcher, Node, parse};
use vakt::text::Analyst;
use vakt::text::tokens::Tokens;

const MENTIONS: usize = 4000;

/// A topic: each of these clauses, and none of the last word.
#[derive(Clone)]
struct Made {
    clauses: Vec<Vec<String>>,
    not: Option<String>,
}

impl Made {
    fn query(&self) -> String {
        let quoted = |w: &String| format!("\"{w}\"");
        let clause = |c: &Vec<String>| format!("({})", c.iter().map(quoted).collect::<Vec<_>>().join(" OR "));
        let all = self.clauses.iter().map(clause).collect::<Vec<_>>().join(" AND ");
        self.not.iter().fold(all, |all, w| format!("({all}) NOT \"{w}\""))
    }

    fn holds(&self, words: &HashSet<String>) -> bool {
        self.clauses.iter().all(|c| c.iter().any(|w| words.contains(w))) && self.not.iter().all(|w| !words.contains(w))
    }

    fn theirs(&self) -> Query {
        let word = |w: &String| "t".has_value(w.as_str());
        let clause = |c: &Vec<String>| Query::from_or(c.iter().map(word).collect());
        let mut all: Vec<Query> = self.clauses.iter().map(clause).collect();
        all.extend(self.not.iter().map(|w| Query::negation(word(w))));
        Query::from_and(all)
    }
}

/// Topics of 2 to 5 words: a brand, alternatives and an exclusion; one in five asks for two words in a row.
fn topics(n: usize, common: &[String], draw: &mut Draw) -> Vec<Made> {
    let pick = |draw: &mut Draw| common[draw.below(common.len())].clone();
    (0..n)
        .map(|_| {
            let mut clauses = vec![vec![brand(draw.below(BRANDS))]];
            let mut second = vec![pick(draw)];
            (0..draw.below(3)).for_each(|_| second.push(pick(draw)));
            if draw.below(100) < 22 {
                second[0] = format!("{} {}", pick(draw), pick(draw));
            }
            clauses.push(second);
            Made { clauses, not: (draw.below(4) == 0).then(|| pick(draw)) }
        })
        .collect()
}

/// Words and pairs of neighbours, as the peers are handed them.
fn words_of(text: &str) -> Vec<String> {
    let tokens: Vec<String> = Tokens::read(text).list.iter().map(|t| t.form.to_string()).collect();
    let pairs: Vec<String> = tokens.windows(2).map(|w| w.join(" ")).collect();
    tokens.into_iter().chain(pairs).collect()
}

/// Best of fifteen, microseconds a mention, and the matches of the last.
fn best(mut run: impl FnMut() -> usize) -> (f64, usize) {
    let mut least = f64::MAX;
    let mut matches = 0;
    for _ in 0..15 {
        let began = Instant::now();
        matches = run();
        least = least.min(began.elapsed().as_secs_f64() * 1e6 / MENTIONS as f64);
    }
    (least, matches)
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

fn main() {
    let made: Vec<corpus::Made> = Corpus::new(11, 1_770_000_000_000).take(MENTIONS).collect();
    let mut seen: Vec<String> = made
        .iter()
        .flat_map(|m| words_of(&m.text))
        .filter(|w| w.chars().count() > 3 && w.chars().all(char::is_alphabetic))
        .collect();
    seen.sort();
    seen.dedup();
    let common: Vec<String> = seen.into_iter().step_by(7).take(3000).collect();
    let mentions: Vec<Mention> = made.iter().map(mention).collect();
    let (bare, _) = best(|| mentions.iter().map(|m| black_box(Tokens::read(&m.text)).list.len()).sum());
    // The table of feelings says how common words are; the daemon scores by it and has it anyway, whatever its topics.
    black_box(vakt::text::common::share("acme"));
    println!("{MENTIONS} mentions; bare tokenising {bare:.2} µs a mention\n");
    println!(
        "topics   vakt µs  of bare   p99 µs   mokaccino  daachorse     naive   B/topic   load s  change ms   matches   alone: vakt, mokaccino, times"
    );
    for n in [1000, 10_000, 100_000] {
        let mut draw = Draw::new(3);
        let topics = topics(n, &common, &mut draw);
        let texts: Vec<String> = topics.iter().map(Made::query).collect();
        // What the round before has freed goes back to the system first, so that it is not counted against this one.
        std::thread::sleep(std::time::Duration::from_secs(2));
        let before = resident();
        let began = Instant::now();
        let mut matcher = Matcher::default();
        for text in &texts {
            let node: Node = parse(text).node.unwrap_or_else(|| panic!("{text}: {:?}", parse(text).mistakes));
            matcher.add(&node, &[]);
        }
        let load = began.elapsed().as_secs_f64();
        let ask = |m: &Mention| {
            let (text, terms) = Analyst::terms("", &m.text, &m.language);
            matcher.matches(&Doc::of(m, &text, &terms)).len()
        };
        let (ours, matches) = best(|| mentions.iter().map(ask).sum());
        let bytes = resident().saturating_sub(before) / n;
        let mut each: Vec<f64> = mentions
            .iter()
            .map(|m| {
                let began = Instant::now();
                black_box(ask(m));
                began.elapsed().as_secs_f64() * 1e6
            })
            .collect();
        each.sort_by(f64::total_cmp);
        let p99 = each[each.len() * 99 / 100];

        let mut peer: PercolatorUid<Qid> = PercolatorUid::default();
        topics.iter().for_each(|t| {
            peer.add_query(t.theirs());
        });
        let (theirs, their_matches) = best(|| {
            let count = |m: &Mention| {
                let mut d = Document::default();
                for word in words_of(&m.text) {
                    d = d.with_value("t", word);
                }
                peer.percolate(&d).count()
            };
            mentions.iter().map(count).sum()
        });

        // Both once more on what is cut already: the matching alone.
        let ready: Vec<_> = mentions.iter().map(|m| (m, Analyst::terms("", &m.text, &m.language))).collect();
        let (alone, _) =
            best(|| ready.iter().map(|(m, (text, terms))| matcher.matches(&Doc::of(m, text, terms)).len()).sum());
        let documents: Vec<Document> = mentions
            .iter()
            .map(|m| words_of(&m.text).into_iter().fold(Document::default(), |d, w| d.with_value("t", w)))
            .collect();
        let (their_alone, _) = best(|| documents.iter().map(|d| peer.percolate(d).count()).sum());

        let firsts: Vec<&str> = topics.iter().map(|t| t.clauses[0][0].as_str()).collect();
        let mut patterns: Vec<&str> = firsts.clone();
        patterns.sort_unstable();
        patterns.dedup();
        let sieve = DoubleArrayAhoCorasickBuilder::new().build::<_, _, u32>(&patterns).unwrap();
        let mut filed: Vec<Vec<usize>> = vec![Vec::new(); patterns.len()];
        for (n, first) in firsts.iter().enumerate() {
            filed[patterns.binary_search(first).unwrap()].push(n);
        }
        let (sieved, sieve_matches) = best(|| {
            let count = |m: &Mention| {
                let lower = m.text.to_lowercase();
                let mut up: Vec<usize> = sieve
                    .find_overlapping_iter(&lower)
                    .flat_map(|f| &filed[usize::try_from(f.value()).unwrap()])
                    .copied()
                    .collect();
                up.sort_unstable();
                up.dedup();
                let words: HashSet<String> = words_of(&m.text).into_iter().collect();
                up.into_iter().filter(|n| topics[*n].holds(&words)).count()
            };
            mentions.iter().map(count).sum()
        });

        let naive = if n <= 10_000 {
            let some = &mentions[..MENTIONS / 10];
            let began = Instant::now();
            for m in some {
                let words: HashSet<String> = words_of(&m.text).into_iter().collect();
                black_box(topics.iter().filter(|t| t.holds(&words)).count());
            }
            format!("{:>9.1}", began.elapsed().as_secs_f64() * 1e6 / some.len() as f64)
        } else {
            format!("{:>9}", "-")
        };

        let began = Instant::now();
        let id = matcher.add(&parse("\"brandx1\" AND \"something new\"").node.unwrap(), &[]);
        matcher.remove(id);
        let change = began.elapsed().as_secs_f64() * 1e3;
        assert_eq!((matches, matches), (their_matches, sieve_matches), "all find the same");
        let times = their_alone / alone;
        println!(
            "{n:>6}  {ours:>8.2}  {:>7.2}  {p99:>7.1}  {theirs:>10.1}  {sieved:>9.1} {naive}   {bytes:>7}  {load:>7.2}  {change:>9.3}  {matches:>8}   {alone:>6.2} {their_alone:>9.1} {times:>5.1}x",
            bare / ours
        );
    }
    println!("\nof bare: the rate of tokenising, stems and matching over that of bare tokenising");
}

fn mention(m: &corpus::Made) -> Mention {
    let at = jiff::Timestamp::from_millisecond(m.at).unwrap();
    serde_json::from_value(serde_json::json!({
        "id": m.id, "source": "s", "network": "x", "site": "", "url": "", "title": "", "text": m.text, "author": {}, "at": at,
        "received": at, "undated": false, "history": false, "language": m.language, "sentiment": null, "why": [],
        "intent": "other", "reach": 0, "engagement": 0, "tier": 0, "story": 1, "fingerprint": 0, "topics": [],
    }))
    .unwrap()
}
