//! What a text says: cleaned, tokenised once, its language, sentiment, intent and fingerprint.
//!
//! Everything here is pure. One [`Analysis`] serves the topics, the store and the index alike, so that what rings
//! live is what a search finds.

pub mod address;
pub mod clean;
pub mod fingerprint;
pub mod intent;
pub mod language;
pub mod sentiment;
pub mod stem;
pub mod tokens;

use std::sync::Arc;

use sentiment::{Score, Scorer};
use tokens::{Kind, Tokens};

/// One token as topics and the index see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Position; title and body lie [`TITLE_GAP`] apart.
    pub at: u32,
    /// Lower-case form, accents kept.
    pub form: String,
    /// The form without accents, where it differs.
    pub plain: Option<String>,
    /// The stem in the text's language, where the token is a word.
    pub stem: Option<Arc<str>>,
    /// Bytes of [`Analysis::text`] that it was read from.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
}

/// Positions between a title's last word and a body's first, so that no phrase reaches across.
pub const TITLE_GAP: u32 = 100;

/// Everything that is known of a text.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// Title and body, a blank line between.
    pub text: String,
    /// ISO 639-1 code, or `und`.
    pub language: &'static str,
    /// Tokens in order.
    pub terms: Vec<Term>,
    /// Sentiment with its reasons.
    pub score: Score,
    /// What the author wants.
    pub intent: intent::Intent,
    /// Near-duplicate signature.
    pub fingerprint: u64,
}

impl Analysis {
    /// The text as written between a term's ends.
    pub fn raw(&self, term: &Term) -> &str {
        self.text.get(term.start..term.end).unwrap_or("")
    }
}

/// Analyses texts. Cheap to clone, and shared between threads.
#[derive(Clone)]
pub struct Analyst {
    scorer: Arc<dyn Scorer>,
}

impl std::fmt::Debug for Analyst {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Analyst")
    }
}

impl Analyst {
    /// An analyst with a scorer of sentiment.
    pub fn new(scorer: Arc<dyn Scorer>) -> Analyst {
        Analyst { scorer }
    }

    /// An analyst with the lexicons that ship and the house's own words.
    pub fn with_house(house: impl IntoIterator<Item = (String, f32)>) -> Analyst {
        Analyst::new(Arc::new(sentiment::LexiconScorer::new().with_house(house)))
    }

    /// Analyses plain text. `hint` is the language tag that the source declares.
    pub fn analyse(&self, title: &str, body: &str, hint: Option<&str>) -> Analysis {
        let text = if title.is_empty() { body.to_owned() } else { format!("{title}\n\n{body}") };
        let tokens = Tokens::read(&text);
        let language = language::detect(&tokens, hint);
        let score = self.scorer.score(&tokens, language);
        let intent = intent::intent(&tokens, language, &score);
        let fingerprint = fingerprint::fingerprint(&tokens);
        let body_from = if title.is_empty() { 0 } else { title.len() };
        let terms = terms(&tokens, language, body_from);
        Analysis { language, terms, score, intent, fingerprint, text }
    }

    /// The terms of a text in a language that is known already, as [`Analyst::analyse`] made them.
    pub fn terms(title: &str, body: &str, language: &str) -> (String, Vec<Term>) {
        let text = if title.is_empty() { body.to_owned() } else { format!("{title}\n\n{body}") };
        let body_from = if title.is_empty() { 0 } else { title.len() };
        let terms = terms(&Tokens::read(&text), language::known(language), body_from);
        (text, terms)
    }
}

fn terms(tokens: &Tokens<'_>, language: &str, body_from: usize) -> Vec<Term> {
    let mut stemmer = stem::Stemmer::new(language);
    tokens
        .list
        .iter()
        .enumerate()
        .map(|(i, token)| {
            let at = u32::try_from(i).unwrap_or(u32::MAX / 2);
            let word = token.kind == Kind::Word;
            Term {
                at: if token.start >= body_from && body_from > 0 { at + TITLE_GAP } else { at },
                plain: tokens::plain(&token.form),
                stem: word.then(|| stemmer.stem(&token.form)),
                form: token.form.clone().into_owned(),
                start: token.start,
                end: token.end,
                kind: token.kind,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_analysis_holds_it_all() {
        let a = Analyst::with_house([]).analyse("Vattenkokare brinner", "Min Acme-kokare började brinna!", None);
        assert_eq!(a.language, "sv");
        assert_eq!(a.terms[0].stem, a.terms.iter().find(|t| t.form == "brinner").and_then(|_| a.terms[0].stem.clone()));
        let acme = a.terms.iter().find(|t| t.form == "acme").expect("it is there");
        assert!(acme.at > TITLE_GAP);
        assert_eq!(a.raw(acme), "Acme");
    }
}
