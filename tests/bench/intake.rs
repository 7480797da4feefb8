//! Intake from end to end: JSONL over HTTP into the daemon, through analysis, topics, counts, SQLite with full sync and the
//! index, beside tantivy alone on the same documents with the same schema. `cargo bench --bench intake [-- MENTIONS]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::string_slice, missing_docs)]

#[path = "corpus.rs"]
#[allow(dead_code)]
mod corpus;
#[path = "measure.rs"]
#[allow(dead_code)]
mod measure;
#[path = "../it/world.rs"]
#[allow(dead_code)]
mod world;

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use corpus::{Corpus, Made};
use measure::{Line, quantiles, usage};
use tantivy::schema::Schema;
use tantivy::tokenizer::{LowerCaser, SimpleTokenizer, TextAnalyzer, Token, TokenFilter, TokenStream, Tokenizer};
use tantivy::{Index, TantivyDocument};
use vakt::index::Fields;
use world::{Daemon, free_port, get, until, write_rule, write_settings};

const ROUNDS: usize = 3;
const BODY: usize = 250;
const CONNECTIONS: usize = 4;
/// Memory of tantivy alone; the daemon's own is less, to stay within its bound.
const ARENA: usize = 64 << 20;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if words.first().is_some_and(|w| w == "tantivy") {
        return tantivy_alone(words[1].parse().unwrap(), Path::new(&words[2]));
    }
    let mentions: usize = words.first().and_then(|w| w.parse().ok()).unwrap_or(60_000);
    let sample: Vec<Made> = Corpus::new(7, now()).take(2000).collect();
    let bytes: usize = sample.iter().map(|m| m.text.len() + m.title.len()).sum();
    println!("{mentions} mentions of {} bytes of text, {ROUNDS} rounds, daemon and tantivy in turn\n", bytes / 2000);
    println!("round  daemon µs CPU  mentions/s  peak MiB   tantivy µs CPU  docs/s    ratio");
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let d = daemon(mentions);
        let t = peer(mentions);
        let ratio = d.cpu_us / t.cpu_us;
        ratios.push(ratio);
        println!(
            "{round:>5}  {:>13.1}  {:>10.0}  {:>8.0}   {:>14.1}  {:>6.0}  {ratio:>7.2}",
            d.cpu_us, d.rate, d.peak_mib, t.cpu_us, t.rate
        );
    }
    ratios.sort_by(f64::total_cmp);
    println!("\nCPU per mention: {:.2} times tantivy alone (median; bound 2, goal 1.4)\n", ratios[ROUNDS / 2]);
    latency();
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

struct Figures {
    cpu_us: f64,
    rate: f64,
    peak_mib: f64,
}

/// The sample rules, and a topic for each of 300 brands.
fn rules(dir: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    copy(&from, &dir.join("rules"));
    let brands: String = (0..300)
        .map(|n| format!("[[topic]]\nname = \"b{n}\"\nkind = \"competitor\"\nquery = \"{}\"\n", corpus::brand(n)))
        .collect();
    write_rule(dir, "topics/brands.toml", &brands);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to)
        } else {
            std::fs::copy(entry.path(), to).map(|_| ()).unwrap()
        }
    }
}

fn start(dir: &Path) -> (Daemon, SocketAddr) {
    let port = free_port();
    let address: SocketAddr = format!("127.0.0.1:{port}").parse().unwrap();
    write_settings(dir, "127.0.0.1:9".parse().unwrap(), 9, port);
    // Pushes alone: without relays mails go to a folder.
    let settings = std::fs::read_to_string(dir.join("vakt.toml")).unwrap();
    let settings = settings.split("[fetch]").next().unwrap().replace("relays = [", "# relays = [");
    std::fs::write(dir.join("vakt.toml"), settings).unwrap();
    let daemon = Daemon::start(dir);
    until(dir, "ready", || get(address, "/readyz").is_some_and(|(s, _)| s.contains("200")));
    (daemon, address)
}

fn daemon(mentions: usize) -> Figures {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    rules(dir);
    let (mut daemon, address) = start(dir);
    let pid = daemon.0.id();
    let (before, _) = usage(pid);
    let began = Instant::now();
    let corpus = std::sync::Mutex::new(Corpus::new(7, now()).take(mentions));
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut line = Line::open(address);
                loop {
                    let body: Vec<String> = corpus.lock().unwrap().by_ref().take(BODY).map(|m| m.json()).collect();
                    if body.is_empty() {
                        break;
                    }
                    line.push("bench", &body.join("\n"));
                }
            });
        }
    });
    until(dir, "all indexed", || {
        let metrics = get(address, "/metrics").map(|(_, body)| body).unwrap_or_default();
        let seq = metrics.lines().find_map(|l| l.strip_prefix("vakt_index_seq ")).unwrap_or("0");
        seq.parse::<f64>().unwrap_or(0.0) >= mentions as f64
    });
    let wall = began.elapsed().as_secs_f64();
    let (after, peak_mib) = usage(pid);
    daemon.stop();
    Figures { cpu_us: (after - before) * 1e6 / mentions as f64, rate: mentions as f64 / wall, peak_mib }
}

/// Tantivy alone, in a process of its own.
fn peer(mentions: usize) -> Figures {
    let dir = tempfile::tempdir().unwrap();
    let said = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["tantivy", &mentions.to_string()])
        .arg(dir.path())
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let told = String::from_utf8(said.stdout).unwrap();
    let numbers: Vec<f64> = told.split_whitespace().map(|n| n.parse().unwrap()).collect();
    Figures { cpu_us: numbers[0] * 1e6 / mentions as f64, rate: mentions as f64 / numbers[1], peak_mib: numbers[2] }
}

/// Stems by the same crate as vakt's, without its cache, as a filter of tantivy's own kind.
#[derive(Clone)]
struct Stem;

#[derive(Clone)]
struct StemTokenizer<T>(T);

struct StemStream<T> {
    tail: T,
    stemmer: rust_stemmers::Stemmer,
}

impl TokenFilter for Stem {
    type Tokenizer<T: Tokenizer> = StemTokenizer<T>;

    fn transform<T: Tokenizer>(self, tokenizer: T) -> StemTokenizer<T> {
        StemTokenizer(tokenizer)
    }
}

impl<T: Tokenizer> Tokenizer for StemTokenizer<T> {
    type TokenStream<'a> = StemStream<T::TokenStream<'a>>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Self::TokenStream<'a> {
        let stemmer = rust_stemmers::Stemmer::create(rust_stemmers::Algorithm::English);
        StemStream { tail: self.0.token_stream(text), stemmer }
    }
}

impl<T: TokenStream> TokenStream for StemStream<T> {
    fn advance(&mut self) -> bool {
        let more = self.tail.advance();
        if more {
            let stem = self.stemmer.stem(&self.tail.token().text).into_owned();
            self.tail.token_mut().text = stem;
        }
        more
    }

    fn token(&self) -> &Token {
        self.tail.token()
    }

    fn token_mut(&mut self) -> &mut Token {
        self.tail.token_mut()
    }
}

fn tantivy_alone(mentions: usize, dir: &Path) {
    // The daemon's own schema, but that texts are cut and stemmed by tantivy.
    let (schema, fields) = Fields::make();
    let mut json = serde_json::to_value(&schema).unwrap();
    for field in json.as_array_mut().unwrap() {
        let tokenizer = match field["name"].as_str() {
            Some("words") => "cut",
            Some("stems") => "stemmed",
            _ => continue,
        };
        field["options"]["indexing"]["tokenizer"] = tokenizer.into();
    }
    let schema: Schema = serde_json::from_value(json).unwrap();
    let index = Index::builder().schema(schema).settings(vakt::index::settings()).create_in_dir(dir).unwrap();
    let cut = || TextAnalyzer::builder(SimpleTokenizer::default()).filter(LowerCaser);
    index.tokenizers().register("cut", cut().build());
    index.tokenizers().register("stemmed", cut().filter(Stem).build());
    index.tokenizers().register("packed", cut().build());
    let made: Vec<Made> = Corpus::new(7, now()).take(mentions).collect();
    let (before, _) = usage(std::process::id());
    let began = Instant::now();
    let mut writer: tantivy::IndexWriter<TantivyDocument> = index.writer_with_num_threads(1, ARENA).unwrap();
    for m in made {
        let mut d = TantivyDocument::new();
        let text = if m.title.is_empty() { m.text.clone() } else { format!("{}\n\n{}", m.title, m.text) };
        d.add_text(fields.words, &text);
        d.add_text(fields.stems, text);
        d.add_u64(fields.id, m.id);
        d.add_text(fields.url, format!("{} {}", m.site, m.id));
        d.add_text(fields.site, &m.site);
        d.add_text(fields.site, "example");
        d.add_text(fields.source, "bench");
        d.add_text(fields.network, m.network);
        d.add_text(fields.language, m.language);
        d.add_text(fields.author, &m.handle);
        d.add_text(fields.author, &m.handle);
        d.add_u64(fields.story, m.id);
        d.add_text(fields.label, "neutral");
        d.add_text(fields.intent, "other");
        d.add_i64(fields.at, m.at);
        d.add_u64(fields.reach, m.followers);
        d.add_f64(fields.sentiment, 0.0);
        d.add_i64(fields.received, m.at);
        d.add_u64(fields.minute, m.id % 1440);
        d.add_u64(fields.engagement, 0);
        d.add_u64(fields.followers, m.followers);
        d.add_u64(fields.tier, 0);
        d.add_u64(fields.title, 0);
        writer.add_document(d).unwrap();
    }
    writer.commit().unwrap();
    writer.wait_merging_threads().unwrap();
    let (after, peak) = usage(std::process::id());
    println!("{} {} {peak}", after - before, began.elapsed().as_secs_f64());
}

/// From arrival to the answer that means durable, at a steady pace; from arrival to the mail of its incident, while the
/// index commits; and the disk's own sync as the limit.
fn latency() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write_rule(dir, "people.toml", world::PEOPLE);
    write_rule(dir, "topics/all.toml", "[[topic]]\nname = \"all\"\nkind = \"brand\"\nquery = \"alarmword\"\n");
    write_rule(
        dir,
        "alerts/all.toml",
        "[[alert]]\nname = \"a\"\ntopics = [\"all\"]\nwindow = \"6h\"\ncondition = \"mentions >= 1\"\nseverity = \"escalate\"\ngroup_by = [\"source\"]\nmost_an_hour = 100\nescalation = \"pr\"\nresolve_after = \"24h\"\n",
    );
    println!("the disk alone, 64 KiB and fdatasync:     {}", quantiles(syncs(dir)));
    let (mut daemon, address) = start(dir);
    let (threads, each, pace) = (10, 500, Duration::from_millis(10));
    let mails = dir.join("data/mail");
    let count = || {
        std::fs::read_dir(&mails).map_or(0, |d| {
            d.filter(|e| e.as_ref().is_ok_and(|e| e.path().extension().is_some_and(|x| x == "eml"))).count()
        })
    };
    let (acks, alarms) = std::thread::scope(|scope| {
        let pushing: Vec<_> = (0..threads)
            .map(|t| {
                scope.spawn(move || {
                    let mut line = Line::open(address);
                    let mut out = Vec::with_capacity(each);
                    for made in Corpus::new(100 + t, now()).take(each) {
                        let began = Instant::now();
                        line.push(&format!("s{t}"), &made.json());
                        out.push(began.elapsed().as_secs_f64() * 1e3);
                        std::thread::sleep(pace.saturating_sub(began.elapsed()));
                    }
                    out
                })
            })
            .collect();
        let mut line = Line::open(address);
        let mut alarms = Vec::new();
        for n in 0..25 {
            let began = Instant::now();
            let had = count();
            line.push(&format!("alarm{n}"), "{\"id\":\"1\",\"text\":\"alarmword\"}");
            while count() < had + 2 && began.elapsed() < Duration::from_secs(10) {
                std::thread::sleep(Duration::from_millis(1));
            }
            alarms.push(began.elapsed().as_secs_f64() * 1e3);
            std::thread::sleep(Duration::from_millis(100));
        }
        (pushing.into_iter().flat_map(|p| p.join().unwrap()).collect::<Vec<f64>>(), alarms)
    });
    println!(
        "{:>4} pushes/s, arrival to durable answer:   {}   (bound p99 25 ms)",
        1000 / 10 * threads,
        quantiles(acks)
    );
    println!("arrival to both mails of its incident:    {}   while the index commits every second", quantiles(alarms));
    daemon.stop();
}

fn syncs(dir: &Path) -> Vec<f64> {
    let mut file = std::fs::File::create(dir.join("sync")).unwrap();
    let block = vec![7u8; 64 << 10];
    (0..100)
        .map(|_| {
            let began = Instant::now();
            file.write_all(&block).unwrap();
            file.sync_data().unwrap();
            began.elapsed().as_secs_f64() * 1e3
        })
        .collect()
}
