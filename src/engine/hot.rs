//! Hot words: what is said now and was not said before.
//!
//! A word's share of the texts of now is held against its share of the texts of before by the log-likelihood ratio of
//! T. Dunning, "Accurate methods for the statistics of surprise and coincidence", Computational Linguistics 19(1), 1993.
//! Copies of one story count once, so that a wire story does not make its words hot.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::model::Mention;
use crate::text::Analyst;
use crate::text::tokens::Kind;

/// What a hot word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HotKind {
    /// A word, in whatever inflection.
    Word,
    /// A hashtag.
    Hashtag,
    /// Somebody's name, `@` included, or a word that is written with a capital wherever it stands.
    Name,
}

/// A word that rises against its own past.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hot {
    /// As it is written most often.
    pub term: String,
    /// What it is.
    pub kind: HotKind,
    /// Texts of now that have it, copies counted once.
    pub now: u32,
    /// Texts of before that have it.
    pub before: u32,
    /// Log-likelihood ratio; 10.8 is one chance in a thousand that it is as usual.
    pub strength: f64,
}

/// Fewer texts than this make nothing hot, and below this strength nothing is.
const FEWEST: u32 = 3;
const LEAST: f64 = 10.8;
/// Words of fewer letters are grammar.
const SHORTEST: usize = 4;
/// With fewer texts of before, only hashtags and names can be told from what is always said.
const PAST: usize = 20;

#[derive(Default)]
struct Seen {
    texts: u32,
    capitals: u32,
    authors: HashSet<String>,
    forms: HashMap<String, u32>,
}

/// The hot words of some mentions against those of before, hottest first, at most `most`. Words that every text of now
/// has, such as the brand, are not among them.
pub fn hot(now: &[Mention], before: &[Mention], most: usize) -> Vec<Hot> {
    let (now, texts_now) = count(now);
    let (past, texts_before) = count(before);
    let mut out: Vec<Hot> = now
        .into_iter()
        .filter_map(|((kind, key), seen)| {
            let before = past.get(&(kind, key)).map_or(0, |s| s.texts);
            let strength = surprise(seen.texts, texts_now, before, texts_before);
            let form = seen.forms.iter().max_by_key(|(form, n)| (**n, std::cmp::Reverse((*form).clone())))?.0.clone();
            let kind = if kind == HotKind::Word && seen.capitals * 10 > seen.texts * 9 { HotKind::Name } else { kind };
            let enough = seen.texts >= FEWEST && seen.authors.len() >= 2 && strength >= LEAST;
            let told = kind != HotKind::Word || texts_before as usize >= PAST;
            let everywhere = seen.texts * 10 > texts_now * 9 && texts_now > FEWEST && before > 0;
            (enough && told && !everywhere).then_some(Hot { term: form, kind, now: seen.texts, before, strength })
        })
        .collect();
    out.sort_by(|a, b| b.strength.total_cmp(&a.strength).then_with(|| a.term.cmp(&b.term)));
    out.truncate(most);
    out
}

type Counts = HashMap<(HotKind, String), Seen>;

/// The texts that have each word, and how many texts there are; copies of a story are one.
fn count(mentions: &[Mention]) -> (Counts, u32) {
    let mut out = Counts::new();
    let mut stories: HashSet<i64> = HashSet::new();
    let mut texts = 0;
    for m in mentions.iter().filter(|m| stories.insert(m.story) || m.story == 0) {
        texts += 1;
        let (text, terms) = Analyst::terms(&m.title, &m.text, &m.language);
        let mut of_text: HashSet<(HotKind, String)> = HashSet::new();
        let mut sentence = 0;
        for term in &terms.list {
            let raw = term.raw(&text);
            // What begins a sentence is written with a capital anyway.
            let gap = text.get(sentence..usize::try_from(term.start).unwrap_or(0)).unwrap_or("");
            let first = sentence == 0 || gap.contains(['.', '!', '?', ':', '\n']);
            sentence = usize::try_from(term.end).unwrap_or(0);
            let (kind, key, form) = match term.kind {
                Kind::Hashtag => (HotKind::Hashtag, term.lexeme.form.to_string(), format!("#{}", term.lexeme.form)),
                Kind::Name => (HotKind::Name, term.lexeme.form.to_string(), format!("@{}", term.lexeme.form)),
                Kind::Word if term.lexeme.form.chars().count() >= SHORTEST => {
                    let stem = term.lexeme.stems.first().map_or(&*term.lexeme.form, |s| &**s);
                    (HotKind::Word, stem.to_owned(), raw.to_lowercase())
                }
                _ => continue,
            };
            if !of_text.insert((kind, key.clone())) {
                continue;
            }
            let seen = out.entry((kind, key)).or_default();
            seen.texts += 1;
            seen.capitals +=
                u32::from(!first && m.language != "de" && raw.chars().next().is_some_and(char::is_uppercase));
            if seen.authors.len() < 2 {
                seen.authors.insert(m.author.identity());
            }
            *seen.forms.entry(form).or_default() += 1;
        }
    }
    (out, texts)
}

/// The log-likelihood ratio of `a` of `n` against `b` of `m`; 0 where it does not rise.
fn surprise(a: u32, n: u32, b: u32, m: u32) -> f64 {
    let [a, n, b, m] = [a, n, b, m].map(f64::from);
    if n == 0.0 || a / n <= if m == 0.0 { 0.0 } else { b / m } {
        return 0.0;
    }
    // Half a text more on the side that is smaller than it may be, so that an empty past proves nothing.
    let m = m.max(1.0);
    let part = |seen: f64, expected: f64| if seen > 0.0 { seen * (seen / expected).ln() } else { 0.0 };
    let share = (a + b) / (n + m);
    2.0 * (part(a, n * share) + part(b, m * share) + part(n - a, n * (1.0 - share)) + part(m - b, m * (1.0 - share)))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn mention(n: i64, text: &str) -> Mention {
        let mut m = Mention::of_text(text, Timestamp::UNIX_EPOCH);
        (m.id, m.story, m.language) = (n, n, "en".to_owned());
        m.author.name = format!("author {n}");
        m
    }

    #[test]
    fn what_is_new_is_hot_and_what_is_always_said_is_not() {
        let past: Vec<Mention> =
            (0..60).map(|n| mention(n, &format!("My Acme kettle is quick and quiet, day {n}"))).collect();
        let now: Vec<Mention> = (100..120)
            .map(|n| mention(n, &format!("My Acme kettle is melting, the handles melted #acmemelt day {n}")))
            .collect();
        let hot = hot(&now, &past, 5);
        let terms: Vec<&str> = hot.iter().map(|h| h.term.as_str()).collect();
        assert!(terms.contains(&"#acmemelt") && terms.contains(&"handles"), "{terms:?}");
        assert!(!terms.contains(&"kettle") && !terms.contains(&"acme"), "{terms:?}");
        let tag = hot.iter().find(|h| h.term == "#acmemelt").expect("found");
        assert_eq!((tag.now, tag.before, tag.kind), (20, 0, HotKind::Hashtag));
    }

    #[test]
    fn copies_of_one_story_and_one_author_make_nothing_hot() {
        let past: Vec<Mention> = (0..60).map(|n| mention(n, "The kettle is quick")).collect();
        let mut wire: Vec<Mention> = (100..130).map(|n| mention(n, "Dividend raised at Acme")).collect();
        wire.iter_mut().for_each(|m| m.story = 100);
        assert!(hot(&wire, &past, 5).is_empty());
        let mut angry: Vec<Mention> = (100..130).map(|n| mention(n, &format!("scandalous kettle {n}"))).collect();
        angry.iter_mut().for_each(|m| m.author.name = "one".to_owned());
        assert!(hot(&angry, &past, 5).is_empty());
    }

    #[test]
    fn with_little_past_only_tags_and_names_are_told() {
        let now: Vec<Mention> =
            (0..30).map(|n| mention(n, &format!("terrible thing happened #acmefire {n}"))).collect();
        let hot = hot(&now, &[], 5);
        assert!(hot.iter().all(|h| h.kind != HotKind::Word), "{hot:?}");
    }
}
