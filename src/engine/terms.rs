//! Words that a group has never used, and that several people use at once: a hashtag of a campaign, the name of a product,
//! a rumour's word.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use xxhash_rust::xxh3::{Xxh3DefaultBuilder, xxh3_64};

use super::coordinated::author;
use crate::model::Mention;
use crate::model::time::{Span, between};
use crate::text::Analyst;
use crate::text::tokens::Kind;

/// Words remembered of one group, and words that may be rising at a time.
const KNOWN: usize = 50_000;
const RISING: usize = 2_000;
/// Nothing is new to a group of which fewer texts are known.
const TEXTS: u32 = 200;
/// Shorter words are grammar.
const SHORTEST: usize = 4;

/// A word on its way.
#[derive(Debug)]
struct Rising {
    form: String,
    first: Timestamp,
    authors: HashSet<u64, Xxh3DefaultBuilder>,
}

/// The words of one group.
#[derive(Debug)]
pub struct Terms {
    /// Authors that make a word new.
    least: usize,
    span: Span,
    texts: u32,
    known: HashSet<u64, Xxh3DefaultBuilder>,
    /// How many times half of what was known was forgotten.
    halved: u32,
    rising: HashMap<u64, Rising, Xxh3DefaultBuilder>,
    settled: Timestamp,
}

impl Terms {
    /// A group of which nothing is known; a word is new when so many authors use it within a span.
    pub fn new(least: u64, span: Span) -> Terms {
        let least = usize::try_from(least).unwrap_or(usize::MAX);
        Terms {
            least,
            span,
            texts: 0,
            known: HashSet::default(),
            halved: 0,
            rising: HashMap::default(),
            settled: Timestamp::MIN,
        }
    }

    /// Reads a mention. The words of history, and of the first texts, are known.
    pub fn read(&mut self, m: &Mention) {
        self.settle(m.at);
        let (text, terms) = Analyst::terms(&m.title, &m.text, &m.language);
        let who = author(&m.network, &m.author.name, &m.author.handle);
        let old = m.history || self.texts < TEXTS;
        self.texts = self.texts.saturating_add(1);
        for term in &terms.list {
            let (mark, key) = match term.kind {
                Kind::Hashtag => ("#", &*term.lexeme.form),
                Kind::Name => ("@", &*term.lexeme.form),
                Kind::Word if term.lexeme.form.chars().count() >= SHORTEST => {
                    ("", term.lexeme.stems.first().map_or(&*term.lexeme.form, |s| &**s))
                }
                _ => continue,
            };
            let hash = xxh3_64(format!("{mark}{key}").as_bytes());
            if self.known.contains(&hash) {
                continue;
            }
            if old {
                self.rising.remove(&hash);
                self.know(hash);
            } else if self.rising.len() < RISING || self.rising.contains_key(&hash) {
                let form = || match mark {
                    "" => term.raw(&text).to_lowercase(),
                    mark => format!("{mark}{}", term.lexeme.form),
                };
                let fresh = || Rising { form: form(), first: m.at, authors: HashSet::default() };
                self.rising.entry(hash).or_insert_with(fresh).authors.insert(who);
            }
        }
    }

    fn know(&mut self, hash: u64) {
        if self.known.len() >= KNOWN {
            // Half of them are forgotten, by chance; the common ones are known again soon.
            let bit = self.halved % 64;
            self.halved += 1;
            self.known.retain(|h| (h >> bit) & 1 == 0);
        }
        self.known.insert(hash);
    }

    /// Words that have risen for as long as the span are known now.
    fn settle(&mut self, now: Timestamp) {
        if between(self.settled, now).as_millis() < self.span.as_millis() / 10 {
            return;
        }
        self.settled = now;
        let span = self.span;
        let over: Vec<u64> =
            self.rising.iter().filter(|(_, r)| between(r.first, now) > span).map(|(hash, _)| *hash).collect();
        for hash in over {
            self.rising.remove(&hash);
            self.know(hash);
        }
    }

    /// The new words at an instant, most used first, each with the number of people who use it.
    pub fn new_at(&self, now: Timestamp) -> Vec<(&str, usize)> {
        let fresh = |r: &&Rising| r.authors.len() >= self.least && between(r.first, now) <= self.span;
        let mut out: Vec<(&str, usize)> =
            self.rising.values().filter(fresh).map(|r| (r.form.as_str(), r.authors.len())).collect();
        out.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::window::tests::mention;
    use super::*;

    #[test]
    fn a_new_word_is_one_that_several_use_and_nobody_used() {
        let mut t = Terms::new(3, Span::mins(30));
        let say = |id: i64, text: &str| Mention { text: text.to_owned(), ..mention(id, id, 0.0) };
        for i in 0..300 {
            t.read(&say(i, "the kettle boils water as kettles do #tea"));
        }
        for i in 300..310 {
            t.read(&say(i, "the kettle boils #tea"));
        }
        t.read(&say(310, "that #kettlegate again"));
        t.read(&Mention { author: say(310, "").author, ..say(311, "#kettlegate #kettlegate") });
        assert!(t.new_at(say(311, "").at).is_empty(), "one person is not several");
        t.read(&say(312, "what is #kettlegate"));
        t.read(&say(313, "#KettleGate!"));
        assert_eq!(t.new_at(say(313, "").at), [("#kettlegate", 3)]);
        t.read(&say(400, "#kettlegate"));
        assert!(t.new_at(say(400, "").at).is_empty(), "it is known by now");
    }
}
