//! The shipped themes of risk hear what people write in five languages, and nothing that only sounds like it.
//!
//! `tests/data/themes/LANGUAGE.tsv` holds sentences with the exact set of themes that each must match. They are our own;
//! the tempting ones, marked `-`, stand below the theme that they tempt.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use vakt::model::{Mention, TopicKind};
use vakt::query::Doc;
use vakt::rules::Rules;
use vakt::text::Analyst;

const LANGUAGES: [&str; 5] = ["sv", "de", "it", "es", "en"];
const THEMES: [&str; 10] = [
    "product-safety",
    "data-breach",
    "legal",
    "boycott",
    "discrimination",
    "executive-conduct",
    "outage",
    "labour",
    "environment",
    "fake-news",
];
/// Sentences that each theme has at least in each language: those that it must match, and those that tempt it.
const FEWEST: (usize, usize) = (5, 4);

fn shipped() -> Rules {
    let rules = Rules::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules"), jiff::Timestamp::UNIX_EPOCH);
    rules.unwrap_or_else(|faults| panic!("{}", vakt::config::fault::render_all(&faults, false)))
}

fn sheet(language: &str) -> String {
    let path = format!("{}/tests/data/themes/{language}.tsv", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The rows of a sheet: themes as a set, and the text.
fn rows(sheet: &str) -> impl Iterator<Item = (BTreeSet<&str>, &str)> {
    assert_eq!(sheet.lines().next(), Some("themes\ttext"));
    sheet.lines().skip(1).map(|line| {
        let (themes, text) = line.split_once('\t').unwrap_or_else(|| panic!("no tab in {line:?}"));
        let themes: BTreeSet<&str> = themes.split(',').filter(|t| *t != "-").collect();
        assert!(themes.iter().all(|t| THEMES.contains(t)), "no such theme in {line:?}");
        (themes, text)
    })
}

fn mention(text: &str) -> Mention {
    Mention { id: 1, network: "forum".into(), ..Mention::of_text(text, Timestamp::UNIX_EPOCH) }
}

/// Every row on which the rules and the sheet differ, in words.
fn misses(rules: &Rules, language: &str, sheet: &str) -> Vec<String> {
    let analyst = Analyst::with_house(rules.house.sentiment.iter().cloned());
    let mut out = Vec::new();
    for (wanted, text) in rows(sheet) {
        let mention = mention(text);
        let analysis = analyst.analyse("", text, Some(language));
        let found = rules.listening.matches(&Doc::analysed(&mention, &analysis));
        let found = found.iter().filter_map(|n| rules.topics.get(*n)).filter(|t| t.kind == TopicKind::Risk);
        let found: BTreeSet<&str> = found.map(|t| t.name.as_str()).collect();
        let heard = if analysis.language == language { "" } else { analysis.language };
        out.extend(wanted.difference(&found).map(|t| format!("{t}: {language} {heard}: not heard: {text}")));
        out.extend(found.difference(&wanted).map(|t| format!("{t}: {language} {heard}: heard wrongly: {text}")));
    }
    out
}

#[test]
fn the_ten_themes_ship() {
    let rules = shipped();
    let mut themes: Vec<&str> =
        rules.topics.iter().filter(|t| t.kind == TopicKind::Risk).map(|t| t.name.as_str()).collect();
    let mut wanted = THEMES.to_vec();
    themes.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(themes, wanted);
    for theme in THEMES {
        let topic = rules.topic(theme).unwrap();
        assert_eq!(topic.languages, LANGUAGES, "{theme}");
        let alert = rules.alert(theme).unwrap_or_else(|| panic!("no alert rings for {theme}"));
        assert!(alert.topics.contains(&"acme".to_owned()) && alert.topics.contains(&theme.to_owned()), "{theme}");
    }
}

#[test]
fn every_sentence_has_exactly_its_themes() {
    let rules = shipped();
    let mut misses: Vec<String> = LANGUAGES.iter().flat_map(|l| self::misses(&rules, l, &sheet(l))).collect();
    misses.sort_unstable();
    assert!(misses.is_empty(), "{} misses:\n{}", misses.len(), misses.join("\n"));
}

#[test]
fn each_theme_has_sentences_enough_in_each_language() {
    for language in LANGUAGES {
        let sheet = sheet(language);
        let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        let mut block = "";
        let mut seen = BTreeSet::new();
        for (themes, text) in rows(&sheet) {
            assert!(seen.insert(text), "{language}: twice: {text}");
            for theme in &themes {
                counts.entry(theme).or_default().0 += 1;
            }
            // A block begins with a sentence that only its theme matches.
            match themes.first() {
                Some(theme) if themes.len() == 1 => block = theme,
                Some(_) => {}
                None => counts.entry(block).or_default().1 += 1,
            }
        }
        for theme in THEMES {
            let (matching, tempting) = counts.get(theme).copied().unwrap_or_default();
            assert!(matching >= FEWEST.0 && tempting >= FEWEST.1, "{language} {theme}: {matching} and {tempting}");
        }
    }
}

#[test]
fn a_wrong_sheet_is_told() {
    let rules = shipped();
    let sheet = "themes\ttext\n-\tI will never forget the day my kettle caught fire.\nlegal\tA lovely cup of tea in the garden.\n";
    let misses = misses(&rules, "en", sheet);
    assert_eq!(misses.len(), 2, "{misses:?}");
    assert!(misses[0].starts_with("product-safety: en") && misses[0].contains("heard wrongly"), "{misses:?}");
    assert!(misses[1].starts_with("legal: en") && misses[1].contains("not heard"), "{misses:?}");
}
