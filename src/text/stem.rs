//! Stems by Snowball. Texts meet each word once: [`super::lexeme`] keeps what it is known by.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rust_stemmers::Algorithm;

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

/// The stem of a lower-case word. In a language without a stemmer a word is its own stem.
pub fn stem(form: &str, language: &str) -> String {
    match ALGORITHMS.iter().find(|(code, _)| *code == language) {
        Some((code, algorithm)) => compute(code, *algorithm, form),
        None => form.to_owned(),
    }
}

/// The old Snowball spelling of letters where the crate has it; a word on which the stemmer panics is its own stem.
fn compute(code: &str, algorithm: Algorithm, form: &str) -> String {
    let spelled: Cow<'_, str> = match code {
        "ro" => form.replace('ș', "ş").replace('ț', "ţ").into(),
        "ru" => form.replace('ё', "е").into(),
        _ => form.into(),
    };
    // Greek is known to panic on some words; the crate keeps no state that a panic could break.
    catch_unwind(AssertUnwindSafe(|| rust_stemmers::Stemmer::create(algorithm).stem(&spelled).into_owned()))
        .unwrap_or(spelled.into_owned())
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
            assert_eq!(stem(a, code), stem(b, code), "{code}: {a} and {b}");
        }
        assert_eq!(stem("abc", "und"), "abc");
    }

    #[test]
    fn the_word_on_which_the_greek_stemmer_panics_is_kept() {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        assert!(!stem("ισαισα", "el").is_empty());
        std::panic::set_hook(hook);
    }
}
