//! What a query's words stand for in the index: stems in every language, and the parts that a compound may come in.

use crate::text::lexeme::spellings;
use crate::text::stem;

/// The stems that a word may be known by, each with its language, for the languages that are wanted and have a stemmer.
pub fn stems_of(word: &str, wanted: impl Fn(&str) -> bool) -> Vec<(&'static str, String)> {
    let mut out: Vec<(&'static str, String)> = Vec::new();
    for language in stem::languages().filter(|l| wanted(l)) {
        for spelling in spellings(word) {
            let stem = stem::stem(&spelling, language);
            if !out.iter().any(|(l, s)| *l == language && *s == stem) {
                out.push((language, stem));
            }
        }
    }
    out
}

/// Letters that each part of a compound has at least.
const PART: usize = 2;

/// The two parts that a compound may be written in: `car sharing` and every other place to cut it.
pub fn splits(word: &str) -> Vec<(String, String)> {
    let letters: Vec<usize> = word.char_indices().map(|(i, _)| i).collect();
    letters
        .iter()
        .enumerate()
        .filter(|(n, _)| *n >= PART && letters.len() - n >= PART)
        .map(|(_, at)| {
            let (left, right) = word.split_at(*at);
            (left.to_owned(), right.to_owned())
        })
        .collect()
}

/// Languages that write compounds as one word.
pub(super) const COMPOUNDING: [&str; 2] = ["de", "sv"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_and_splits() {
        let stems = stems_of("müller", |_| true);
        assert!(stems.contains(&("de", "mull".into())) && stems.contains(&("de", "muell".into())), "{stems:?}");
        assert_eq!(splits("carsh").len(), 2);
        assert!(splits("carsharing").contains(&("car".into(), "sharing".into())));
    }
}
