//! Stems by Snowball, cached, since a brand's mentions use the same few thousand words.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rust_stemmers::Algorithm;
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

/// Languages that have a stemmer: ISO 639-1 code and algorithm.
const ALGORITHMS: [(&str, Algorithm); 18] = [
    ("ar", Algorithm::Arabic),
    ("da", Algorithm::Danish),
    ("de", Algorithm::German),
    ("el", Algorithm::Greek),
    ("en", Algorithm::English),
    ("es", Algorithm::Spanish),
    ("fi", Algorithm::Finnish),
    ("fr", Algorithm::French),
    ("hu", Algorithm::Hungarian),
    ("it", Algorithm::Italian),
    ("nl", Algorithm::Dutch),
    ("no", Algorithm::Norwegian),
    ("pt", Algorithm::Portuguese),
    ("ro", Algorithm::Romanian),
    ("ru", Algorithm::Russian),
    ("sv", Algorithm::Swedish),
    ("ta", Algorithm::Tamil),
    ("tr", Algorithm::Turkish),
];

/// Codes of the languages that have a stemmer.
pub fn languages() -> impl Iterator<Item = &'static str> {
    ALGORITHMS.iter().map(|(code, _)| *code)
}

/// Tells languages apart in hashes; 0 for those without a stemmer.
pub fn seed(language: &str) -> u64 {
    ALGORITHMS.iter().zip(1u64..).find(|((code, _), _)| *code == language).map_or(0, |(_, n)| n)
}

/// Words kept per language and thread; a full cache is emptied.
const CACHE: usize = 50_000;

type Cache = HashMap<String, Arc<str>, Xxh3DefaultBuilder>;

thread_local! {
    static STEMS: RefCell<HashMap<&'static str, Cache>> = RefCell::default();
}

/// Stems words of one language. In a language without a stemmer a word is its own stem.
pub struct Stemmer {
    language: Option<(&'static str, Algorithm)>,
    cache: Cache,
}

impl Stemmer {
    /// A stemmer for a language code.
    pub fn new(language: &str) -> Stemmer {
        let found = ALGORITHMS.iter().find(|(code, _)| *code == language).map(|(code, a)| (*code, *a));
        let cache = found
            .and_then(|(code, _)| STEMS.with(|all| all.try_borrow_mut().ok().and_then(|mut all| all.remove(code))))
            .unwrap_or_default();
        Stemmer { language: found, cache }
    }

    /// The stem of a lower-case word.
    pub fn stem(&mut self, form: &str) -> Arc<str> {
        let Some((code, algorithm)) = self.language else { return form.into() };
        if let Some(stem) = self.cache.get(form) {
            return stem.clone();
        }
        let stem: Arc<str> = compute(code, algorithm, form).into();
        if self.cache.len() >= CACHE {
            self.cache.clear();
        }
        self.cache.insert(form.to_owned(), stem.clone());
        stem
    }
}

impl Drop for Stemmer {
    /// Leaves the cache to the thread's next stemmer of the language.
    fn drop(&mut self) {
        if let Some((code, _)) = self.language {
            let cache = std::mem::take(&mut self.cache);
            // A thread that is ending, or already busy here, just loses the cache.
            STEMS
                .try_with(|all| {
                    if let Ok(mut all) = all.try_borrow_mut() {
                        all.insert(code, cache);
                    }
                })
                .ok();
        }
    }
}

/// The old Snowball spelling of letters where the crate has it; a word on which the stemmer panics is its own stem.
fn compute(code: &str, algorithm: Algorithm, form: &str) -> String {
    let spelled: String = match code {
        "ro" => form.replace('ș', "ş").replace('ț', "ţ"),
        "ru" => form.replace('ё', "е"),
        _ => form.to_owned(),
    };
    // Greek is known to panic on some words; the crate keeps no state that a panic could break.
    catch_unwind(AssertUnwindSafe(|| rust_stemmers::Stemmer::create(algorithm).stem(&spelled).into_owned()))
        .unwrap_or(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inflections_fall_together() {
        for (code, a, b) in [
            ("sv", "kokaren", "kokare"),
            ("de", "verbrannten", "verbrannte"),
            ("it", "pericolosi", "pericoloso"),
            ("es", "quemados", "quemado"),
            ("en", "recalled", "recalls"),
        ] {
            let mut s = Stemmer::new(code);
            assert_eq!(s.stem(a), s.stem(b), "{code}: {a} and {b}");
        }
        assert_eq!(&*Stemmer::new("und").stem("abc"), "abc");
    }

    #[test]
    fn the_word_on_which_the_greek_stemmer_panics_is_kept() {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        assert!(!Stemmer::new("el").stem("ισαισα").is_empty());
        std::panic::set_hook(hook);
    }
}
