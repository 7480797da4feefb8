//! What a text says: cleaned, tokenised once, its language, sentiment, intent and fingerprint.
//!
//! Everything here is pure. One [`Analysis`] serves the topics, the store and the index alike, so that what rings
//! live is what a search finds.

pub mod address;
pub mod atoms;
pub mod clean;
pub mod common;
pub mod cues;
pub mod features;
pub mod figures;
pub mod fingerprint;
pub mod hash;
pub mod intent;
pub mod language;
pub mod length;
mod lent;
pub mod lexeme;
pub mod lexicon;
pub mod seldom;
pub mod sentiment;
pub mod shell;
pub mod stem;
pub mod tokens;
pub mod toward;
pub mod weights;

use std::sync::Arc;

use intent::Wants;
use lexeme::Lexeme;
use sentiment::{Heard, Score, Scorer};
use tokens::{Kind, Tokens};

/// One token as topics and the index see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Position; title and body lie [`TITLE_GAP`] apart.
    pub at: u32,
    /// First byte of [`Analysis::text`] that it was read from.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    /// What it is.
    pub kind: Kind,
    /// What it is known by.
    pub lexeme: Arc<Lexeme>,
}

impl Term {
    /// As it is written in the text that it was read from.
    pub fn raw<'t>(&self, text: &'t str) -> &'t str {
        let byte = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        text.get(byte(self.start)..byte(self.end)).unwrap_or("")
    }
}

/// The terms of a text, with the number of them that belong to the title.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// In order.
    pub list: Vec<Term>,
    /// Terms of the title: positions below this lie in it.
    pub title: u32,
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
    /// Its terms.
    pub terms: Terms,
    /// Sentiment with its reasons.
    pub score: Score,
    /// What the author wants.
    pub wants: Wants,
    /// What near-duplicates are known by.
    pub print: fingerprint::Print,
}

/// Analyses texts. Cheap to clone, and shared between threads.
#[derive(Debug, Clone, Default)]
pub struct Analyst {
    scorer: Arc<Scorer>,
}

impl Analyst {
    /// An analyst with the table that ships and the house's own words, −1..1.
    pub fn with_house(house: impl IntoIterator<Item = (String, f32)>) -> Analyst {
        Analyst { scorer: Arc::new(Scorer::new(house)) }
    }

    /// Analyses plain text. `hint` is the language tag that the source declares.
    pub fn analyse(&self, title: &str, body: &str, hint: Option<&str>) -> Analysis {
        self.read(title, body, |tokens| language::detect(tokens, hint))
    }

    /// Analyses plain text in a language that is known for sure, where it is.
    pub fn analyse_in(&self, title: &str, body: &str, language: Option<&'static str>) -> Analysis {
        self.read(title, body, |tokens| language.unwrap_or_else(|| language::detect(tokens, None)))
    }

    fn read(&self, title: &str, body: &str, language: impl FnOnce(&Tokens<'_>) -> &'static str) -> Analysis {
        let text = if title.is_empty() { body.to_owned() } else { format!("{title}\n\n{body}") };
        let tokens = Tokens::read(&text);
        let language = language(&tokens);
        let atoms = atoms::atoms(&tokens);
        let heard = self.scorer.hear(&text, &atoms, language);
        let wants = intent::wants(&atoms, language, &heard);
        let terms = terms(&tokens, language, title.len());
        let print = fingerprint::Print::of(&text, &terms);
        Analysis { language, terms, score: heard.score, wants, print, text }
    }

    /// The language of a text. `hint` is the tag that the source declares.
    pub fn language(&self, text: &str, hint: Option<&str>) -> &'static str {
        language::detect(&Tokens::read(text), hint)
    }

    /// How a text feels, in a language that is known already.
    pub fn hear(&self, text: &str, language: &str) -> Heard {
        let tokens = Tokens::read(text);
        self.scorer.hear(text, &atoms::atoms(&tokens), language::known(language))
    }

    /// How a text feels toward each of several names, which stand at `places`.
    pub fn toward(&self, text: &str, language: &str, places: &[Vec<toward::Place>]) -> Vec<Option<Score>> {
        toward::toward(text, language, places, |piece| self.hear(piece, language).score)
    }

    /// The terms of a text in a language that is known already, as [`Analyst::analyse`] made them.
    pub fn terms(title: &str, body: &str, language: &str) -> (String, Terms) {
        let text = if title.is_empty() { body.to_owned() } else { format!("{title}\n\n{body}") };
        let terms = terms(&Tokens::read(&text), language::known(language), title.len());
        (text, terms)
    }
}

fn terms(tokens: &Tokens<'_>, language: &'static str, title: usize) -> Terms {
    let mut lexicographer = lexeme::Lexicographer::new(language);
    let mut list = Vec::with_capacity(tokens.list.len());
    let mut of_title = 0;
    for (token, n) in tokens.list.iter().zip(0u32..) {
        let in_title = token.start < title;
        of_title += u32::from(in_title);
        // Texts are far shorter than four gigabytes.
        let byte = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        list.push(Term {
            at: if in_title || title == 0 { n } else { n + TITLE_GAP },
            start: byte(token.start),
            end: byte(token.end),
            kind: token.kind,
            lexeme: lexicographer.lexeme(token),
        });
    }
    Terms { list, title: of_title }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_analysis_holds_it_all() {
        let a = Analyst::with_house([]).analyse("Vattenkokare brinner", "Min Acme-kokare började brinna!", None);
        assert_eq!(a.language, "sv");
        let of = |form: &str| a.terms.list.iter().find(|t| *t.lexeme.form == *form).expect("it is there");
        assert_eq!(of("brinner").lexeme.stems[0], of("brinna").lexeme.stems[0]);
        let acme = of("acme");
        assert!(acme.at > TITLE_GAP && a.terms.title == 2);
        assert_eq!(acme.raw(&a.text), "Acme");
    }
}
