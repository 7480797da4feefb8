//! What a token is known by in queries and in the index, worked out once for each word of a language.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use smallvec::SmallVec;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::hash::Table;
use super::lent::{Lender, Lent};
use super::stem::{seed, stem};
use super::tokens::{Kind, Token, expanded, plain};

/// A word with everything that it is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lexeme {
    /// Lower-case form without its sign.
    pub form: Box<str>,
    /// The forms that literal words find it by, signs included: as it is, without accents, with `ae` for `ä`; a hashtag
    /// by its word as well.
    pub words: Box<[Box<str>]>,
    /// The stems that words find it by, in the text's language.
    pub stems: Box<[Box<str>]>,
    /// The marks of words, then those of stems; few enough to lie here.
    pub marks: SmallVec<[u64; 4]>,
    /// Hash of the first stem, or of the form where there is none: the same in every language.
    pub base: u64,
    /// Whether anybody looks for it.
    pub note: Note,
}

/// What whoever looked for something in texts last found of a word: whether it is looked for at all. Most words are not, and
/// that is known at once when they come again.
#[derive(Debug, Default)]
pub struct Note(AtomicU64);

impl Note {
    /// Whether the word is looked for, by what was found for this list of what is looked for; `None` where that was not
    /// asked last.
    pub fn says(&self, list: u64) -> Option<bool> {
        let kept = self.0.load(Ordering::Relaxed);
        (kept >> 1 == list).then_some(kept & 1 == 1)
    }

    /// Keeps it. Lists are told apart by numbers from 1 on.
    pub fn keep(&self, list: u64, found: bool) {
        self.0.store(list << 1 | u64::from(found), Ordering::Relaxed);
    }
}

impl Clone for Note {
    fn clone(&self) -> Note {
        Note::default()
    }
}

impl PartialEq for Note {
    /// It says nothing about the word itself.
    fn eq(&self, _: &Note) -> bool {
        true
    }
}

impl Eq for Note {}

/// The mark of a literal word, its sign included.
pub fn word_mark(word: &str) -> u64 {
    xxh3_64(word.as_bytes())
}

/// The mark of a stem in a language, since stems of two languages may look the same.
pub fn stem_mark(stem: &str, language: &str) -> u64 {
    xxh3_64_with_seed(stem.as_bytes(), seed(language))
}

/// Lexemes in one memory of a language; a full one is emptied.
const CACHE: usize = 40_000;

type Cache = Table<u64, Arc<Lexeme>>;

static CACHES: Lender<Cache> = Lender::new();

/// Makes lexemes of one language.
pub struct Lexicographer {
    language: &'static str,
    cache: Lent<'static, Cache>,
}

impl Lexicographer {
    /// For a language that vakt knows, or `und`.
    pub fn new(language: &'static str) -> Lexicographer {
        Lexicographer { language, cache: CACHES.lend(language) }
    }

    /// The lexeme of a token.
    pub fn lexeme(&mut self, token: &Token<'_>) -> Arc<Lexeme> {
        let key = xxh3_64_with_seed(token.form.as_bytes(), token.kind as u64);
        // Two words of one hash in 64 bits are not to be expected among all that were ever written.
        if let Some(known) = self.cache.get(&key) {
            return known.clone();
        }
        let made = Arc::new(make(&token.form, token.kind, self.language));
        if self.cache.len() >= CACHE {
            self.cache.clear();
        }
        self.cache.insert(key, made.clone());
        made
    }
}

fn make(form: &str, kind: Kind, language: &str) -> Lexeme {
    let mut words: Vec<Box<str>> = Vec::new();
    let mut stems: Vec<Box<str>> = Vec::new();
    let add = |word: &str, list: &mut Vec<Box<str>>| {
        if !list.iter().any(|w| **w == *word) {
            list.push(word.into());
        }
    };
    match kind {
        Kind::Url => {}
        Kind::Name => add(&format!("@{form}"), &mut words),
        Kind::Cashtag => add(&format!("${form}"), &mut words),
        Kind::Emoji | Kind::Number => add(form, &mut words),
        Kind::Hashtag | Kind::Word => {
            let bare = plain(form, language);
            let wide = if language == "sv" { None } else { expanded(form) };
            let spellings: Vec<&str> = [Some(form), bare.as_deref(), wide.as_deref()].into_iter().flatten().collect();
            if kind == Kind::Hashtag {
                spellings.iter().for_each(|s| add(&format!("#{s}"), &mut words));
            }
            spellings.iter().for_each(|s| add(s, &mut words));
            if kind == Kind::Word {
                let own = stem(form, language);
                add(&own, &mut stems);
                if let Some(bare) = plain(&own, language) {
                    add(&bare, &mut stems);
                }
                spellings.iter().skip(1).for_each(|s| add(&stem(s, language), &mut stems));
            }
        }
    }
    let marks = words.iter().map(|w| word_mark(w)).chain(stems.iter().map(|s| stem_mark(s, language))).collect();
    let base = xxh3_64(stems.first().map_or(form, |s| s).as_bytes());
    Lexeme { form: form.into(), words: words.into(), stems: stems.into(), marks, base, note: Note::default() }
}

/// The spellings that a query's word stands for: itself, and with `ae` for `ä` and `ss` for `ß`.
pub fn spellings(word: &str) -> impl Iterator<Item = String> {
    std::iter::once(word.to_owned()).chain(expanded(word))
}

#[cfg(test)]
mod tests {
    use super::super::tokens::Tokens;
    use super::*;

    fn words(text: &str, language: &'static str) -> Vec<String> {
        let mut l = Lexicographer::new(language);
        let all = Tokens::read(text).list;
        all.iter().flat_map(|t| l.lexeme(t).words.to_vec()).map(String::from).collect()
    }

    #[test]
    fn spelled_with_and_without_accents() {
        assert_eq!(words("Müller", "de"), ["müller", "muller", "mueller"]);
        assert_eq!(words("Straße", "de"), ["straße", "strasse"]);
        assert_eq!(words("niño", "es"), ["niño", "nino"]);
        assert_eq!(words("kött idé", "sv"), ["kött", "idé", "ide"], "å, ä and ö are letters of their own");
        assert_eq!(words("#Größe @ann", "de"), ["#größe", "#grosse", "#groesse", "größe", "grosse", "groesse", "@ann"]);
        assert_eq!(spellings("größe").collect::<Vec<_>>(), ["größe", "groesse"]);
    }

    #[test]
    fn made_once() {
        let mut l = Lexicographer::new("en");
        let all = Tokens::read("fires fires #fires").list;
        let (a, b, c) = (l.lexeme(&all[0]), l.lexeme(&all[1]), l.lexeme(&all[2]));
        assert!(Arc::ptr_eq(&a, &b) && !Arc::ptr_eq(&a, &c));
        assert_eq!(a.marks.len(), a.words.len() + a.stems.len());
    }
}
