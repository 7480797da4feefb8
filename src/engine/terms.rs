//! Words that a group has never used, and that several people use at once: a hashtag of a campaign, the name of a product,
//! a rumour's word.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use xxhash_rust::xxh3::{Xxh3DefaultBuilder, xxh3_64};

use super::coordinated::author;
use crate::model::Mention;
use crate::model::time::{Span, between};
use crate::text::tokens::Kind;
use crate::text::{Analyst, Term};

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

/// A mention and its words, which are read when the first group asks for them.
#[derive(Debug)]
pub struct Said<'m> {
    mention: &'m Mention,
    words: OnceCell<Words>,
}

/// The words of a mention that may rise.
#[derive(Debug)]
struct Words {
    text: String,
    terms: Vec<Term>,
    /// Of each such word, what it is known by, the number of its term, and its mark.
    keys: Vec<(u64, usize, &'static str)>,
    who: u64,
}

impl<'m> Said<'m> {
    /// What a mention says.
    pub fn of(mention: &'m Mention) -> Said<'m> {
        Said { mention, words: OnceCell::new() }
    }

    /// The mention.
    pub fn mention(&self) -> &'m Mention {
        self.mention
    }

    fn words(&self) -> &Words {
        self.words.get_or_init(|| {
            let m = self.mention;
            let (text, terms) = Analyst::terms(&m.title, &m.text, &m.language);
            let mut keys = Vec::with_capacity(terms.list.len());
            for (n, term) in terms.list.iter().enumerate() {
                let (mark, key) = match term.kind {
                    Kind::Hashtag => ("#", &*term.lexeme.form),
                    Kind::Name => ("@", &*term.lexeme.form),
                    Kind::Word if term.lexeme.form.chars().count() >= SHORTEST => {
                        ("", term.lexeme.stems.first().map_or(&*term.lexeme.form, |s| &**s))
                    }
                    _ => continue,
                };
                keys.push((xxh3_64(format!("{mark}{key}").as_bytes()), n, mark));
            }
            let who = author(&m.network, &m.author.name, &m.author.handle);
            Words { text, terms: terms.list, keys, who }
        })
    }
}

impl Words {
    /// The word as people know it.
    fn form(&self, term: usize, mark: &str) -> String {
        let Some(term) = self.terms.get(term) else { return String::new() };
        match mark {
            "" => term.raw(&self.text).to_lowercase(),
            mark => format!("{mark}{}", term.lexeme.form),
        }
    }
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
    /// Those of them that enough authors use.
    ripe: HashSet<u64, Xxh3DefaultBuilder>,
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
            ripe: HashSet::default(),
            settled: Timestamp::MIN,
        }
    }

    /// Reads a mention. The words of what is no news, and of the first texts, are known.
    pub fn read(&mut self, said: &Said<'_>, news: bool) {
        let at = said.mention.at;
        self.settle(at);
        let words = said.words();
        let old = !news || self.texts < TEXTS;
        self.texts = self.texts.saturating_add(1);
        for (hash, term, mark) in &words.keys {
            if self.known.contains(hash) {
                continue;
            }
            if old {
                self.rising.remove(hash);
                self.ripe.remove(hash);
                self.know(*hash);
            } else if self.rising.len() < RISING || self.rising.contains_key(hash) {
                let fresh = || Rising { form: words.form(*term, mark), first: at, authors: HashSet::default() };
                let rising = self.rising.entry(*hash).or_insert_with(fresh);
                if rising.authors.insert(words.who) && rising.authors.len() == self.least.max(1) {
                    self.ripe.insert(*hash);
                }
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
            self.ripe.remove(&hash);
            self.know(hash);
        }
    }

    /// The new words at an instant, most used first, each with the number of people who use it.
    pub fn new_at(&self, now: Timestamp) -> Vec<(&str, usize)> {
        let fresh = |r: &&Rising| between(r.first, now) <= self.span;
        let mut out: Vec<(&str, usize)> = self
            .ripe
            .iter()
            .filter_map(|hash| self.rising.get(hash))
            .filter(fresh)
            .map(|r| (r.form.as_str(), r.authors.len()))
            .collect();
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
            t.read(&Said::of(&say(i, "the kettle boils water as kettles do #tea")), true);
        }
        for i in 300..310 {
            t.read(&Said::of(&say(i, "the kettle boils #tea")), true);
        }
        t.read(&Said::of(&say(310, "that #kettlegate again")), true);
        t.read(&Said::of(&Mention { author: say(310, "").author, ..say(311, "#kettlegate #kettlegate") }), true);
        assert!(t.new_at(say(311, "").at).is_empty(), "one person is not several");
        t.read(&Said::of(&say(312, "what is #kettlegate")), true);
        t.read(&Said::of(&say(313, "#KettleGate!")), true);
        assert_eq!(t.new_at(say(313, "").at), [("#kettlegate", 3)]);
        t.read(&Said::of(&say(400, "#kettlegate")), true);
        assert!(t.new_at(say(400, "").at).is_empty(), "it is known by now");
    }
}
