//! What one text costs: each part of the analysis, and the whole, beside the best crates in the same run.
//!
//! `cargo bench --bench text -- [FILE]`: FILE is a .tsv with a column `text` (and `language`); without it, the sentences
//! of `tests/data/intent`; a number makes so many texts with many rare words. Every text is seen in every round, so words are remembered as they are in a daemon that runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

#[path = "corpus.rs"]
#[allow(dead_code)]
mod corpus;

use std::hint::black_box;
use std::time::Instant;

use vakt::model::Mention;
use vakt::query::Doc;
use vakt::rules::Rules;
use vakt::text::fingerprint::Print;
use vakt::text::tokens::Tokens;
use vakt::text::{Analyst, atoms, intent, language, sentiment::Scorer};

const ROUNDS: usize = 7;
const LANGUAGES: [&str; 5] = ["sv", "de", "it", "es", "en"];

struct Text {
    language: &'static str,
    text: String,
}

fn texts() -> Vec<Text> {
    let of = |path: &str, language: Option<&'static str>| -> Vec<Text> {
        let file = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let mut lines = file.lines();
        let header: Vec<&str> = lines.next().unwrap_or("").split('\t').collect();
        let at = |name: &str| header.iter().position(|h| *h == name);
        let text = at("text").expect("a column `text`");
        let said = at("language");
        let read = |line: &str| {
            let cells: Vec<&str> = line.split('\t').collect();
            let text = (*cells.get(text)?).to_owned();
            let told = said.and_then(|n| cells.get(n)).map(|l| language::known(l));
            let found = || language::detect(&Tokens::read(&text), None);
            Some(Text { language: language.or(told).unwrap_or_else(found), text: text.clone() })
        };
        lines.filter_map(read).collect()
    };
    let made = |count: usize| -> Vec<Text> {
        let made = corpus::Corpus::new(7, 1_773_136_800_000).take(count);
        made.map(|m| Text { language: m.language, text: format!("{}\n\n{}", m.title, m.text) }).collect()
    };
    match std::env::args().nth(1).filter(|a| !a.starts_with("--")) {
        Some(count) if count.parse::<usize>().is_ok() => made(count.parse().unwrap()),
        Some(path) => of(&path, None),
        None => {
            let root = env!("CARGO_MANIFEST_DIR");
            LANGUAGES.iter().flat_map(|l| of(&format!("{root}/tests/data/intent/{l}.tsv"), Some(l))).collect()
        }
    }
}

/// The fastest round's microseconds a text.
fn cost(texts: usize, mut round: impl FnMut()) -> f64 {
    let one = || {
        let start = Instant::now();
        round();
        start.elapsed().as_secs_f64() * 1e6 / texts as f64
    };
    std::iter::repeat_with(one).take(ROUNDS).fold(f64::MAX, f64::min)
}

fn each<'t, T, R>(items: &'t [T], work: impl Fn(&'t T) -> R) {
    for item in items {
        black_box(work(item));
    }
}

fn main() {
    let texts = texts();
    let count = texts.len();
    let bytes: usize = texts.iter().map(|t| t.text.len()).sum();
    let read: Vec<Tokens<'_>> = texts.iter().map(|t| Tokens::read(&t.text)).collect();
    let words: usize = read.iter().map(|t| t.list.len()).sum();
    println!("{count} texts of {} bytes, {} tokens; the best of {ROUNDS} rounds", bytes / count, words / count);
    println!("\n{:<44} {:>10} {:>12}", "", "µs a text", "texts/s");
    let line = |name: &str, cost: f64| println!("{name:<44} {cost:>10.2} {:>12.0}", 1e6 / cost);

    line("tokens", cost(count, || each(&texts, |t| Tokens::read(&t.text))));
    line("language", cost(count, || each(&read, |t| language::detect(t, None))));
    line("  whichlang 0.1 (16 languages)", cost(count, || each(&texts, |t| whichlang::detect_language(&t.text))));
    line("  whatlang 0.18", cost(count, || each(&texts, |t| whatlang::detect(&t.text))));

    let atoms: Vec<_> = read.iter().map(atoms::atoms).collect();
    line("atoms", cost(count, || each(&read, atoms::atoms)));
    let scorer = Scorer::default();
    let numbers: Vec<usize> = (0..count).collect();
    let hear = |n: &usize| scorer.hear(&texts[*n].text, &atoms[*n], texts[*n].language);
    line("sentiment", cost(count, || each(&numbers, hear)));
    let english: Vec<&Text> = texts.iter().filter(|t| t.language == "en").collect();
    let vader = vader_sentimental::SentimentIntensityAnalyzer::new();
    let round = || each(&english, |t| vader.polarity_scores(&t.text));
    line("  vader-sentimental 0.1 (English texts)", cost(english.len().max(1), round));
    let heard: Vec<_> = numbers.iter().map(hear).collect();
    let wants = |n: &usize| intent::wants(&atoms[*n], texts[*n].language, &heard[*n]);
    line("intent", cost(count, || each(&numbers, wants)));
    line("tokens and stems", cost(count, || each(&texts, |t| Analyst::terms("", &t.text, t.language))));
    let stemmed: Vec<_> = texts.iter().map(|t| Analyst::terms("", &t.text, t.language)).collect();
    line("signature", cost(count, || each(&stemmed, |(text, terms)| Print::of(text, terms))));
    let analyst = Analyst::default();
    line("the whole analysis", cost(count, || each(&texts, |t| analyst.analyse("", &t.text, None))));
    let now = jiff::Timestamp::UNIX_EPOCH;
    let mentions: Vec<_> =
        texts.iter().map(|t| Mention { language: t.language.into(), ..Mention::of_text(&t.text, now) }).collect();
    let asked: Vec<usize> = (0..count).collect();
    for dir in [concat!(env!("CARGO_MANIFEST_DIR"), "/rules").to_owned()].into_iter().chain(std::env::var("RULES").ok())
    {
        let rules =
            Rules::load(dir.as_ref(), jiff::Timestamp::UNIX_EPOCH).unwrap_or_else(|faults| panic!("{faults:?}"));
        let doc = |n: &usize| rules.listening.matches(&Doc::of(&mentions[*n], &stemmed[*n].0, &stemmed[*n].1));
        line(&format!("matching {} topics", rules.topics.len()), cost(count, || each(&asked, doc)));
    }
    println!("\nbounds: sentiment 8 µs, language 50 µs, the whole 20,000 texts/s on one core");
}
