//! Searches over many mentions, inside the process, beside tantivy's own queries on the same index and SQLite FTS5 on the
//! same texts: `cargo bench --bench search [-- MENTIONS [CLASS]]`; 1,000,000 and every class of queries unless told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::string_slice, missing_docs)]

#[path = "corpus.rs"]
#[allow(dead_code)]
mod corpus;

use std::collections::HashSet;
use std::convert::Infallible;
use std::path::Path;
use std::time::Instant;

use corpus::{Corpus, Draw, Made, brand};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, params};
use tantivy::aggregation::AggregationCollector;
use tantivy::aggregation::agg_req::Aggregations;
use tantivy::collector::{Count, TopDocs};
use tantivy::query::{BooleanQuery, Occur, PhraseQuery, Query, RangeQuery, RegexQuery, TermQuery};
use tantivy::schema::IndexRecordOption;
use tantivy::{Order as Way, Term};
use vakt::ground::History;
use vakt::index::{Bucket, Facet, Fields, Order, Search, Searcher, open_or_make};
use vakt::model::Mention;
use vakt::query::{Node, parse};
use vakt::store::Store;

/// Queries of each class, and how often each is asked; the best counts. FTS5 is asked once: it takes long.
const QUERIES: usize = 100;
const TIMES: usize = 5;
const PAGE: usize = 20;
const DAYS: i64 = 30;
const DAY: i64 = 86_400_000;
/// The end of the thirty days, milliseconds since 1970.
const END: i64 = 1_790_000_000_000;

fn main() {
    let number = std::env::args().skip(1).find_map(|a| a.parse().ok());
    let mentions: usize = number.unwrap_or(1_000_000);
    let dir = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let sample = build(dir.path(), mentions);
    println!(
        "{mentions} mentions of 30 days, built in {:.0} s; index {} MiB, FTS5 {} MiB",
        began.elapsed().as_secs_f64(),
        size(&dir.path().join("index")) >> 20,
        size(&dir.path().join("fts.db")) >> 20
    );
    println!("{QUERIES} queries a class, the best of {TIMES} each (of FTS5 once), µs p50 / p99; pages of {PAGE}\n");
    let bench = Bench::open(dir.path(), sample);
    bench.classes();
    kept_counts(dir.path());
}

fn size(path: &Path) -> u64 {
    if path.is_dir() {
        return std::fs::read_dir(path).unwrap().map(|e| size(&e.unwrap().path())).sum();
    }
    std::fs::metadata(path).map_or(0, |m| m.len())
}

/// One in so many is kept to draw queries from.
const SAMPLED: usize = 200;

/// Builds the index and the FTS5 table; tells a sample of the mentions.
fn build(dir: &Path, mentions: usize) -> Vec<Mention> {
    let (mut writer, _) = open_or_make(&dir.join("index"), 1).unwrap();
    let mut db = Connection::open(dir.join("fts.db")).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
         CREATE TABLE m (id INTEGER PRIMARY KEY, at INTEGER, network TEXT, language TEXT);
         CREATE VIRTUAL TABLE t USING fts5 (text, content = '', tokenize = 'porter')",
    )
    .unwrap();
    let mut sample = Vec::new();
    let mut corpus = Corpus::new(11, 0);
    let mut id = 0;
    while (id as usize) < mentions {
        let tx = db.transaction().unwrap();
        for made in corpus.by_ref().take(10_000.min(mentions - id as usize)) {
            id += 1;
            // They arrive in the order of time, but for the minutes that some of them take.
            let at = END - DAYS * DAY + id * (DAYS * DAY / mentions as i64) + made.at;
            let m = mention(id, at, made);
            writer.add(id, &m, None).unwrap();
            let text = format!("{}\n\n{}", m.title, m.text);
            tx.prepare_cached("INSERT INTO m VALUES (?1, ?2, ?3, ?4)")
                .unwrap()
                .execute(params![id, at, m.network, m.language])
                .unwrap();
            tx.prepare_cached("INSERT INTO t (rowid, text) VALUES (?1, ?2)")
                .unwrap()
                .execute(params![id, text])
                .unwrap();
            if (id as usize).is_multiple_of((mentions / 10_000).clamp(1, SAMPLED)) {
                sample.push(m);
            }
        }
        tx.commit().unwrap();
        if id % 50_000 == 0 {
            writer.commit().unwrap();
        }
    }
    writer.close().unwrap();
    sample
}

fn mention(id: i64, at: i64, made: Made) -> Mention {
    let at = Timestamp::from_millisecond(at).unwrap();
    serde_json::from_value(serde_json::json!({
        "id": id, "source": "bench", "network": made.network, "site": made.site,
        "url": format!("https://{}/{}", made.site, made.id), "title": made.title, "text": made.text,
        "author": { "name": made.handle, "handle": made.handle, "followers": made.followers }, "at": at, "received": at,
        "undated": false, "history": false, "language": made.language,
        "sentiment": (made.id % 21) as f64 / 10.0 - 1.0, "why": [], "intent": "other", "reach": made.followers,
        "engagement": 0, "tier": 0, "story": id, "fingerprint": 0, "topics": [], "kind": "", "channel": "",
        "country": "", "tags": [],
    }))
    .unwrap()
}

fn nothing(_: &[i64]) -> Result<Vec<Mention>, Infallible> {
    Ok(Vec::new())
}

/// The engines over the same texts.
struct Bench {
    vakt: Searcher,
    raw: tantivy::Searcher,
    fields: Fields,
    fts: Connection,
    sample: Vec<Mention>,
}

/// One question in the words of each engine.
struct Question {
    text: String,
    vakt: Node,
    raw: Box<dyn Query>,
    fts: String,
}

impl Question {
    fn new(text: String, raw: Box<dyn Query>, fts: String) -> Question {
        let vakt = parse(&text).node.unwrap_or_else(|| panic!("{text}"));
        Question { text, vakt, raw, fts }
    }
}

impl Bench {
    fn open(dir: &Path, sample: Vec<Mention>) -> Bench {
        let index = tantivy::Index::open_in_dir(dir.join("index")).unwrap();
        let fields = Fields::of(&index.schema()).unwrap();
        let raw = index.reader().unwrap().searcher();
        println!("{} segments\n", raw.segment_readers().len());
        let fts = Connection::open(dir.join("fts.db")).unwrap();
        Bench { vakt: Searcher::open(&dir.join("index")).unwrap(), raw, fields, fts, sample }
    }

    fn word(&self, text: &str) -> Term {
        Term::from_field_text(self.fields.words, text)
    }

    fn term(&self, text: &str) -> Box<dyn Query> {
        Box::new(TermQuery::new(self.word(text), IndexRecordOption::WithFreqs))
    }

    /// The word and its stem in each language that there is, as vakt asks.
    fn any_inflection(&self, text: &str) -> Box<dyn Query> {
        let mut any = vec![(Occur::Should, self.term(text))];
        for (language, stem) in vakt::query::stems_of(text, |l| ["sv", "de", "it", "es", "en"].contains(&l)) {
            let term = Term::from_field_text(self.fields.stems, &format!("{stem}\u{2}{language}"));
            any.push((Occur::Should, Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs))));
        }
        Box::new(BooleanQuery::new(any))
    }

    /// Plain words of the mentions that were drawn.
    fn texts(&self) -> Vec<Vec<String>> {
        let plain = |w: &str| w.len() > 2 && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let of = |m: &Mention| m.text.split(' ').map(|w| if plain(w) { w.to_owned() } else { String::new() }).collect();
        self.sample.iter().map(of).collect()
    }

    /// Up to a hundred different questions that `ask` makes of texts.
    fn draw(&self, seed: u64, ask: impl Fn(&[String], usize) -> Option<Question>) -> Vec<Question> {
        let texts = self.texts();
        let mut draw = Draw::new(seed);
        let (mut out, mut seen) = (Vec::new(), HashSet::new());
        for _ in 0..200_000 {
            let text = &texts[draw.below(texts.len())];
            if let Some(q) = ask(text, draw.below(text.len()))
                && seen.insert(q.text.clone())
            {
                out.push(q);
                if out.len() == QUERIES {
                    break;
                }
            }
        }
        out
    }

    fn classes(&self) {
        println!("{:<34} {:>15}  {:>17}  {:>6}  {:>17}", "", "vakt", "tantivy alone", "ratio", "SQLite FTS5");
        let docs = self.raw.num_docs() as f64;
        let df = |w: &str| self.raw.doc_freq(&self.word(w)).unwrap() as f64;
        let q = |text: String, raw: Box<dyn Query>, fts: String| Some(Question::new(text, raw, fts));
        let rare_inflected = self.draw(3, |t, n| {
            let w = &t[n];
            (!w.is_empty() && (5.0..=50.0).contains(&df(w))).then_some(())?;
            q(w.clone(), self.any_inflection(w), w.clone())
        });
        let rare = self.draw(3, |t, n| {
            let w = &t[n];
            (!w.is_empty() && (5.0..=50.0).contains(&df(w))).then_some(())?;
            q(format!("\"{w}\""), self.term(w), w.clone())
        });
        self.class("rare term, all counted", &rare, |s| self.found(s, true), |s| self.top(s), |s| self.match_top(s));
        self.class(
            "rare term in any inflection, counted",
            &rare_inflected,
            |s| self.found(s, true),
            |s| self.top(s),
            |s| self.match_top(s),
        );
        let pair = |t: &[String], n: usize, gap: usize| -> Option<(String, String)> {
            let (a, b) = (t.get(n)?.clone(), t.get(n + gap)?.clone());
            (!a.is_empty() && !b.is_empty() && a != b).then_some((a, b))
        };
        let and = self.draw(5, |t, n| {
            let (a, b) = pair(t, n, 4)?;
            let raw = BooleanQuery::new(vec![(Occur::Must, self.term(&a)), (Occur::Must, self.term(&b))]);
            q(format!("\"{a}\" AND \"{b}\""), Box::new(raw), format!("{a} AND {b}"))
        });
        self.class("AND of two, all counted", &and, |s| self.found(s, true), |s| self.top(s), |s| self.match_top(s));
        self.class(
            "AND of two, newest",
            &and,
            |s| self.found(s, false),
            |s| self.newest(s, None),
            |s| self.match_newest(s, 0),
        );
        let inflected = self.draw(5, |t, n| {
            let (a, b) = pair(t, n, 4)?;
            let raw =
                BooleanQuery::new(vec![(Occur::Must, self.any_inflection(&a)), (Occur::Must, self.any_inflection(&b))]);
            q(format!("{a} AND {b}"), Box::new(raw), format!("{a} AND {b}"))
        });
        self.class(
            "AND of two, any inflection, newest",
            &inflected,
            |s| self.found(s, false),
            |s| self.newest(s, None),
            |s| self.match_newest(s, 0),
        );
        let phrase = self.draw(7, |t, n| {
            let (a, b) = pair(t, n, 1)?;
            let raw = PhraseQuery::new(vec![self.word(&a), self.word(&b)]);
            q(format!("\"{a} {b}\""), Box::new(raw), format!("\"{a} {b}\""))
        });
        self.class("phrase, all counted", &phrase, |s| self.found(s, true), |s| self.top(s), |s| self.match_top(s));
        self.class(
            "phrase, newest",
            &phrase,
            |s| self.found(s, false),
            |s| self.newest(s, None),
            |s| self.match_newest(s, 0),
        );
        let near = self.draw(9, |t, n| {
            let (a, b) = pair(t, n, 3)?;
            let raw = PhraseQuery::new_with_offset_and_slop(vec![(0, self.word(&a)), (1, self.word(&b))], 5);
            q(format!("\"{a}\" NEAR/5 \"{b}\""), Box::new(raw), format!("NEAR({a} {b}, 5)"))
        });
        self.class("NEAR/5, all counted", &near, |s| self.found(s, true), |s| self.top(s), |s| self.match_top(s));
        let wild = self.draw(13, |t, n| {
            let head = t[n].get(..5)?;
            let raw = RegexQuery::from_pattern(&format!("{head}.*"), self.fields.words).unwrap();
            q(format!("{head}*"), Box::new(raw), format!("{head}*"))
        });
        self.class("wildcard, all counted", &wild, |s| self.found(s, true), |s| self.top(s), |s| self.match_top(s));
        let common = self.draw(17, |t, _| {
            let w = t.first()?;
            (0.002..=0.05).contains(&(df(w) / docs)).then_some(())?;
            q(w.clone(), self.any_inflection(w), w.clone())
        });
        let common = if common.len() < 20 { self.brands() } else { common };
        let from = END - DAYS * DAY / 4;
        let since = Timestamp::from_millisecond(from).unwrap();
        self.class(
            "common term, last quarter, newest",
            &common,
            |s| self.numbers(&Search { since: Some(since), ..search(&s.vakt, false) }),
            |s| self.newest(s, Some(from)),
            |s| self.match_newest(s, from),
        );
        self.class(
            "common term, newest",
            &common,
            |s| self.found(s, false),
            |s| self.newest(s, None),
            |s| self.match_newest(s, 0),
        );
        self.class("common term, by day", &common, |s| self.days(s), |s| self.days_raw(s), |s| self.days_fts(s));
        self.class(
            "common term, network and language",
            &common,
            |s| self.facets(s),
            |s| self.facets_raw(s),
            |s| self.facets_fts(s),
        );
    }

    fn brands(&self) -> Vec<Question> {
        (0..QUERIES).map(brand).map(|w| Question::new(w.clone(), self.any_inflection(&w), w)).collect()
    }

    fn class(
        &self,
        name: &str,
        questions: &[Question],
        vakt: impl Fn(&Question) -> usize,
        raw: impl Fn(&Question) -> usize,
        fts: impl Fn(&Question) -> usize,
    ) {
        let only = std::env::args().skip_while(|a| a.parse::<usize>().is_err()).nth(1);
        if only.is_some_and(|only| !name.contains(&only)) {
            return;
        }
        let (mut v, mut r, mut f) = (Vec::new(), Vec::new(), Vec::new());
        for q in questions {
            v.push(best(TIMES, || vakt(q)));
            r.push(best(TIMES, || raw(q)));
            f.push(best(1, || fts(q)));
        }
        let ratio = at(&v, 0.5) / at(&r, 0.5);
        let show = |all: &[f64]| format!("{:.0} / {:.0}", at(all, 0.5), at(all, 0.99));
        println!("{name:<34} {:>15}  {:>17}  {ratio:>6.2}  {:>17}", show(&v), show(&r), show(&f));
    }

    fn numbers(&self, what: &Search) -> usize {
        self.vakt.numbers(what).unwrap().unwrap().len()
    }

    fn found(&self, q: &Question, total: bool) -> usize {
        let what = search(&q.vakt, total);
        if total { self.vakt.search(&what, nothing).unwrap().total } else { self.numbers(&what) }
    }

    fn top(&self, q: &Question) -> usize {
        let (count, _) = self.raw.search(&*q.raw, &(Count, TopDocs::with_limit(PAGE).order_by_score())).unwrap();
        count
    }

    fn newest(&self, q: &Question, from: Option<i64>) -> usize {
        let top = TopDocs::with_limit(PAGE).order_by_fast_field::<i64>("at", Way::Desc);
        let query: Box<dyn Query> = match from {
            Some(from) => {
                let at = Term::from_field_i64(self.fields.at, from);
                let range = RangeQuery::new(std::ops::Bound::Included(at), std::ops::Bound::Unbounded);
                Box::new(BooleanQuery::new(vec![(Occur::Must, q.raw.box_clone()), (Occur::Must, Box::new(range))]))
            }
            None => q.raw.box_clone(),
        };
        self.raw.search(&*query, &top).unwrap().len()
    }

    fn days(&self, q: &Question) -> usize {
        let counted = self.vakt.histogram(&search(&q.vakt, true), nothing).unwrap();
        counted.counts.bars(Bucket::Day, &TimeZone::UTC).len()
    }

    fn facets(&self, q: &Question) -> usize {
        let asked = [Facet::Network, Facet::Language];
        self.vakt.facets(&search(&q.vakt, true), &asked, nothing).unwrap().counts.len()
    }

    fn aggregate(&self, q: &Question, request: serde_json::Value) -> usize {
        let request: Aggregations = serde_json::from_value(request).unwrap();
        let counted = self.raw.search(&*q.raw, &AggregationCollector::from_aggs(request, Default::default())).unwrap();
        counted.0.len()
    }

    fn days_raw(&self, q: &Question) -> usize {
        self.aggregate(q, serde_json::json!({ "days": { "histogram": { "field": "at", "interval": DAY as f64 } } }))
    }

    fn facets_raw(&self, q: &Question) -> usize {
        self.aggregate(
            q,
            serde_json::json!({ "n": { "terms": { "field": "network" } }, "l": { "terms": { "field": "language" } } }),
        )
    }

    fn rows(&self, sql: &str, q: &Question) -> usize {
        let mut statement = self.fts.prepare_cached(sql).unwrap();
        let mut rows = statement.query([&q.fts]).unwrap();
        let mut n = 0;
        while rows.next().unwrap().is_some() {
            n += 1;
        }
        n
    }

    fn match_top(&self, q: &Question) -> usize {
        self.rows("SELECT rowid FROM t WHERE t MATCH ?1 ORDER BY rank LIMIT 20", q)
    }

    fn match_newest(&self, q: &Question, from: i64) -> usize {
        self.rows(
            &format!("SELECT m.id FROM t JOIN m ON m.id = t.rowid WHERE t MATCH ?1 AND m.at >= {from} ORDER BY m.at DESC LIMIT 20"),
            q,
        )
    }

    fn days_fts(&self, q: &Question) -> usize {
        self.rows("SELECT m.at / 86400000, count(*) FROM t JOIN m ON m.id = t.rowid WHERE t MATCH ?1 GROUP BY 1", q)
    }

    fn facets_fts(&self, q: &Question) -> usize {
        self.rows(
            "SELECT network, language, count(*) FROM t JOIN m ON m.id = t.rowid WHERE t MATCH ?1 GROUP BY 1, 2",
            q,
        )
    }
}

fn search(node: &Node, total: bool) -> Search {
    Search {
        node: node.clone(),
        since: None,
        until: None,
        order: Order::Newest,
        limit: PAGE,
        after: None,
        now: Timestamp::from_millisecond(END).unwrap(),
        total,
        budget: None,
    }
}

/// µs of the best time.
fn best(times: usize, work: impl Fn() -> usize) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..times {
        let began = Instant::now();
        std::hint::black_box(work());
        best = best.min(began.elapsed().as_secs_f64() * 1e6);
    }
    best
}

fn at(all: &[f64], share: f64) -> f64 {
    let mut sorted = all.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() as f64 * share) as usize).min(sorted.len() - 1)]
}

/// Charts of a topic from the counts that are kept: 30 days by hour, and 400 days by day.
fn kept_counts(dir: &Path) {
    let store = Store::open(&dir.join("vakt.db")).unwrap();
    drop(store);
    let db = Connection::open(dir.join("vakt.db")).unwrap();
    db.execute("INSERT INTO topics VALUES (1, 'acme')", []).unwrap();
    for week in 0..60i64 {
        let hours: Vec<u8> = (0..168u32).flat_map(|h| (h * 100 + 7).to_le_bytes()).collect();
        db.execute("INSERT INTO hours VALUES (1, ?1, ?2)", params![END / DAY / 7 - week, hours]).unwrap();
    }
    drop(db);
    let history = History::open(Store::open(&dir.join("vakt.db")).unwrap(), &dir.join("index")).unwrap();
    println!();
    for (name, bucket, days) in [("hours of 30 days", Bucket::Hour, 30), ("days of 400 days", Bucket::Day, 400)] {
        let whole = END / DAY * DAY;
        let since = Some(Timestamp::from_millisecond(whole - days * DAY).unwrap());
        let what = Search { since, ..search(&parse("topic:acme").node.unwrap(), false) };
        for (zone, place) in [(TimeZone::UTC, "UTC"), (TimeZone::get("Europe/Stockholm").unwrap(), "Stockholm")] {
            let times: Vec<f64> =
                (0..200).map(|_| best(TIMES, || history.bars(&what, bucket, &zone).unwrap().counts.len())).collect();
            println!(
                "a topic's chart from kept counts, {name}, {place}: p50 {:.0} µs, p99 {:.0} µs",
                at(&times, 0.5),
                at(&times, 0.99)
            );
        }
    }
}
